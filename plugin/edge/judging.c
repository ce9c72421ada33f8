/* SPDX-License-Identifier: Apache-2.0 */
/* judging.c - policy, clock and entropy for a decision; its line and counts after it. */
#include "edge/judging.h"

#include "core/record_line.h"
#include "edge/policy_uses.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

static int64_t
now_us(struct judging *judging)
{
	struct timespec now;
	int64_t us;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	if (us > judging->clock_us)
		judging->clock_us = us;
	return judging->clock_us;
}

static void
take_entropy(struct judging *judging, uint8_t out[ENTROPY_PER_DECISION])
{
	if (judging->entropy_left == 0) {
		/* never short for so few bytes once the pool is up (getrandom(2)); ids
		   only have to differ, so a failure costs nothing but that */
		(void)!getrandom(judging->entropy, sizeof judging->entropy, 0);
		judging->entropy_left = sizeof judging->entropy;
	}
	judging->entropy_left -= ENTROPY_PER_DECISION;
	memcpy(out, judging->entropy + judging->entropy_left, ENTROPY_PER_DECISION);
}

static bool
must_record(const struct judging *judging, const struct verdict *verdict)
{
	return verdict->on_record ||
	       (judging->record_all && verdict->reason != REASON_NOT_JUDGED);
}

/* Each exception that let a container through, once for each decision. */
static void
count_rulings(const struct policy_snapshot *snapshot, const struct decision *decision)
{
	const struct ruling *rulings = decision->rulings;

	for (size_t i = 0; i < decision->workload.count; i++) {
		const struct exception *exception = rulings[i].exception;

		for (size_t k = 0; exception && k < i; k++) {
			if (rulings[k].exception == exception)
				exception = NULL;
		}
		if (exception)
			policy_uses_count(snapshot->uses, snapshot->policy, exception);
	}
}

/* A container's exception is not used where another container is refused. */
static void
count_uses(const struct policy_snapshot *snapshot, const struct decision *decision)
{
	const struct verdict *verdict = &decision->verdict;

	if (verdict->decision != DECISION_DENY && decision->rulings)
		count_rulings(snapshot, decision);
	else if (verdict->exception)
		policy_uses_count(snapshot->uses, snapshot->policy, verdict->exception);
	if (verdict->would)
		policy_uses_count(snapshot->uses, snapshot->policy, verdict->would);
}

const struct policy_snapshot *
judging_begin(struct judging *judging, struct circumstances *ret_circumstances)
{
	const struct policy_snapshot *snapshot = policy_store_acquire(judging->store);

	*ret_circumstances = (struct circumstances){
	    .policy = snapshot->policy,
	    .broken = text_of(snapshot->broken),
	    .plugin_name = judging->plugin_name,
	    .managed_plugin = judging->managed_plugin,
	    .now_us = now_us(judging),
	};
	take_entropy(judging, ret_circumstances->entropy);
	return snapshot;
}

bool
judging_end(struct judging *judging, const struct policy_snapshot *snapshot,
            const struct circumstances *circumstances, const struct decision *decision,
            struct buf *line)
{
	bool on_record = must_record(judging, &decision->verdict);

	/* while the policy that the verdict points into is still held */
	if (on_record)
		record_line(line, decision, circumstances, judging->host);
	count_uses(snapshot, decision);
	policy_store_release(judging->store, snapshot);
	return on_record;
}
