/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_policy.c - shows the policy in force and its exceptions as metrics. */
#include "edge/metrics.h"
#include "edge/policy_uses.h"

#include <sys/stat.h>

static void
write_info(const struct policy_snapshot *snapshot, struct buf *buf)
{
	static const struct metrics_family info = {
	    "seccomp_authz_policy_info", "gauge",
	    "The policy in force; always 1, absent when there is none."};
	static const struct metrics_family loaded = {
	    "seccomp_authz_policy_loaded_timestamp_seconds", "gauge",
	    "When the policy in force was loaded."};

	if (!snapshot->policy)
		return;
	metrics_head(buf, &info);
	buf_printf(buf, "%s{digest=", info.name);
	metrics_label(buf, text_of(snapshot->policy->digest));
	buf_str(buf, ",source=");
	metrics_label(buf, text_of(snapshot->source));
	buf_printf(buf, ",mode=\"%s\"} 1\n",
	           snapshot->policy->mode == RULE_OBSERVE ? "observe" : "enforce");
	metrics_number(buf, &loaded, (uint64_t)snapshot->loaded);
}

/* An exception may be called "other", so that its series would be there twice. */
static bool
has_series(const struct policy *policy, size_t i)
{
	return i < METRICS_EXCEPTIONS_SHOWN_MAX &&
	       !text_is(policy->exceptions[i].id, "other");
}

static void
write_uses(const struct policy_snapshot *snapshot, struct buf *buf)
{
	static const struct metrics_family uses = {
	    "seccomp_authz_exception_uses_total", "counter",
	    "Decisions that an exception let through, or would have if it were not only "
	    "observed."};
	const struct policy *policy = snapshot->policy;
	uint64_t other = 0;
	bool has_other = false;

	metrics_head(buf, &uses);
	for (size_t i = 0; policy && i < policy->count; i++) {
		uint64_t n = policy_uses_get(snapshot->uses, i);

		if (!has_series(policy, i)) {
			has_other = true;
			other += n;
			continue;
		}
		buf_printf(buf, "%s{id=", uses.name);
		metrics_label(buf, policy->exceptions[i].id);
		buf_printf(buf, "} %llu\n", (unsigned long long)n);
	}
	if (has_other)
		buf_printf(buf, "%s{id=\"other\"} %llu\n", uses.name,
		           (unsigned long long)other);
}

/* What there is to say of all exceptions together. */
struct tally {
	uint64_t states[EXCEPTION_STATE_COUNT];
	uint64_t expiring; /* of the active ones */
	int64_t next;      /* seconds until the first of these; POLICY_NEVER: none does */
};

static struct tally
tally_up(const struct policy *policy, int64_t now)
{
	struct tally tally = {.next = POLICY_NEVER};

	for (size_t i = 0; policy && i < policy->count; i++) {
		const struct exception *exception = &policy->exceptions[i];
		enum exception_state state = exception_state(exception, now);
		int64_t left = exception->expires - now;

		tally.states[state]++;
		if (state != EXCEPTION_ACTIVE || exception->expires == POLICY_NEVER)
			continue;
		if (left < METRICS_SOON_S)
			tally.expiring++;
		if (left < tally.next)
			tally.next = left;
	}
	return tally;
}

static void
write_tally(const struct tally *tally, struct buf *buf)
{
	static const struct metrics_family states = {
	    "seccomp_authz_exceptions", "gauge", "Exceptions of the policy in force."};
	static const struct metrics_family expiring = {
	    "seccomp_authz_exceptions_expiring", "gauge",
	    "Active exceptions that expire within 7 days."};
	static const struct metrics_family next = {
	    "seccomp_authz_exception_next_expiry_seconds", "gauge",
	    "Time until the next active exception expires; +Inf when none does."};

	metrics_head(buf, &states);
	for (enum exception_state state = 0; state < EXCEPTION_STATE_COUNT; state++)
		buf_printf(buf, "%s{state=\"%s\"} %llu\n", states.name,
		           exception_state_name(state),
		           (unsigned long long)tally->states[state]);
	metrics_number(buf, &expiring, tally->expiring);
	metrics_head(buf, &next);
	if (tally->next == POLICY_NEVER)
		buf_printf(buf, "%s +Inf\n", next.name);
	else
		buf_printf(buf, "%s %lld\n", next.name, (long long)tally->next);
}

/* What `seccomp-authz fetch` says of the file: only the time of its state file is read. */
static void
write_fetched(const struct policy_store *store, struct buf *buf)
{
	static const struct metrics_family fetched = {
	    "seccomp_authz_policy_fetched_timestamp_seconds", "gauge",
	    "When the URL that the policy file is fetched from last said that it is "
	    "current; absent when it is not fetched."};
	cleanup_buf struct buf path = {0};
	struct stat state;

	buf_printf(&path, "%s" POLICY_FETCH_SUFFIX, policy_store_path(store));
	if (buf_ok(&path) && stat(path.at, &state) == 0)
		metrics_number(buf, &fetched, (uint64_t)state.st_mtim.tv_sec);
}

void
metrics_write_policy(const struct metrics_sources *sources, struct buf *buf)
{
	static const struct metrics_family broken = {
	    "seccomp_authz_policy_broken", "gauge",
	    "1 when no policy could be read, so that every workload is denied."};
	const struct policy_snapshot *snapshot = policy_store_acquire(sources->store);
	struct tally tally = tally_up(snapshot->policy, sources->now);

	write_info(snapshot, buf);
	metrics_number(buf, &broken, snapshot->policy == NULL);
	write_uses(snapshot, buf);
	write_tally(&tally, buf);
	write_fetched(sources->store, buf);
	policy_store_release(sources->store, snapshot);
}
