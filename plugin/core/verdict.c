/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.c - reasons: code, name, the sentence the user reads. */
#include "core/verdict.h"

#include "core/verdict_words.h"

#include <stdio.h>
#include <string.h>

enum {
	NAME_SHOWN = 128,
	IMAGE_SHOWN = 160,
	SETTING_SHOWN = 96,
	DETAIL_SHOWN = 512,
	OTHER_NAME_SHOWN = 63
};

static const char *const reasons[REASON_COUNT] = {
    [REASON_UNDECIDED] = "undecided",
    [REASON_NOT_JUDGED] = "not-judged",
    [REASON_ALLOWED] = "allowed",
    [REASON_EXCEPTION] = "exception",
    [REASON_EMPTY_ENVELOPE] = "empty-envelope",
    [REASON_BAD_ENVELOPE] = "bad-envelope",
    [REASON_TOO_LARGE] = "too-large",
    [REASON_BUSY] = "busy",
    [REASON_NO_MEMORY] = "no-memory",
    [REASON_POLICY_BROKEN] = "policy-broken",
    [REASON_BAD_TARGET] = "bad-target",
    [REASON_NO_BODY] = "no-body",
    [REASON_UNREADABLE] = "unreadable",
    [REASON_GUARD] = "guard",
    [REASON_POSTURE] = "posture",
    [REASON_STRANGER] = "no-client-certificate",
};

const char *
reason_code(enum reason reason)
{
	return reason < REASON_COUNT ? reasons[reason] : NULL;
}

const char *
decision_name(enum verdict_decision decision)
{
	switch (decision) {
	case DECISION_ALLOW:
		return "allow";
	case DECISION_OBSERVE:
		return "observe";
	case DECISION_DENY:
	default:
		return "deny";
	}
}

struct text
verdict_rule(const struct verdict *verdict)
{
	if (verdict->exception)
		return verdict->exception->id;
	if (verdict->guard >= 0 && verdict->reason == REASON_GUARD)
		return text_of(guard_name((enum guard)verdict->guard));
	return TEXT_LIT("default");
}

/* The lowest 40 bits, five for each of eight digits. */
static void
write_digits(uint64_t bits, char *out)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

	out[0] = digits[bits >> 35 & 31];
	out[1] = digits[bits >> 30 & 31];
	out[2] = digits[bits >> 25 & 31];
	out[3] = digits[bits >> 20 & 31];
	out[4] = digits[bits >> 15 & 31];
	out[5] = digits[bits >> 10 & 31];
	out[6] = digits[bits >> 5 & 31];
	out[7] = digits[bits & 31];
}

void
verdict_id(int64_t now_us, const uint8_t entropy[10], char out[VERDICT_ID_MAX])
{
	uint64_t ms = (uint64_t)(now_us / 1000), high = 0, low = 0;

	for (int i = 0; i < 5; i++) {
		high = high << 8 | entropy[i];
		low = low << 8 | entropy[5 + i];
	}
	/* ten digits of the time, of which six are written twice */
	write_digits(ms >> 10, out);
	write_digits(ms, out + 2);
	write_digits(high, out + 10);
	write_digits(low, out + 18);
	out[26] = '\0';
}

/* Quoted, but without the quotes, which would only be in the way. */
static void
add_inner(struct buf *buf, struct text t, size_t max)
{
	cleanup_buf struct buf quoted = {0};

	buf_quoted(&quoted, t, max);
	if (buf_ok(&quoted))
		buf_add(buf, quoted.at + 1, quoted.len - 2);
}

/* service "web" (image), container "web" (image), plugin "name", ... */
static void
write_subject(struct buf *buf, const struct workload *workload,
              const struct container *container)
{
	static const char *const nouns[OPERATION_COUNT] = {
	    [OPERATION_SERVICE_CREATE] = "service",
	    [OPERATION_SERVICE_UPDATE] = "service",
	    [OPERATION_INSPECT_SERVICE] = "service",
	    [OPERATION_COMPOSE] = "service",
	    [OPERATION_PLUGIN] = "plugin",
	    [OPERATION_BUILD] = "build",
	    [OPERATION_SWARM] = "swarm",
	};
	const char *noun = nouns[workload->operation];
	struct text name = container->title.len > 0 ? container->title : container->name;

	buf_str(buf, noun ? noun : "container");
	if (name.len > 0) {
		buf_char(buf, ' ');
		buf_quoted(buf, name, NAME_SHOWN);
	}
	if (container->image.text.len > 0 && container->image.kind != IMAGE_REF_INVALID &&
	    workload->operation != OPERATION_PLUGIN) {
		buf_str(buf, " (");
		add_inner(buf, container->image.text, IMAGE_SHOWN);
		buf_char(buf, ')');
	}
}

static void
write_calls(struct buf *buf, const struct container *container)
{
	size_t shown = 0;

	while (shown < 8 && container->weak_calls[shown]) {
		buf_str(buf, shown ? ", " : ": ");
		buf_str(buf, container->weak_calls[shown++]);
	}
	if (container->weak_count > shown)
		buf_printf(buf, " and %zu more", container->weak_count - shown);
	if (container->digest[0] != '\0')
		buf_printf(buf, " (profile %s)", container->digest);
}

/* What made the container what it is, unless that would repeat a profile. */
static void
write_setting(struct buf *buf, const struct container *container, enum posture posture)
{
	if (posture == POSTURE_WEAK) {
		write_calls(buf, container);
		return;
	}
	if (container->setting.len == 0) {
		if (posture == POSTURE_UNCONFINED && container->profile.at)
			buf_str(buf,
			        ": its profile has no rules that an engine would load");
		else if (posture == POSTURE_UNCONFINED)
			buf_str(buf,
			        ": it asks for no profile, and the policy says that the "
			        "engine's default is unconfined");
		return;
	}
	buf_str(buf, ": ");
	add_inner(buf, container->setting, SETTING_SHOWN);
}

static void
write_ids(struct buf *buf, const struct verdict *verdict)
{
	const char *digest = verdict->policy;

	if (strncmp(digest, "sha256:", 7) == 0)
		digest += 7;
	buf_str(buf, " (policy ");
	buf_add(buf, digest, strnlen(digest, 12));
	buf_str(buf, ", decision ");
	buf_str(buf, verdict->id);
	buf_char(buf, ')');
}

/* Details are ours and quote what they repeat, so their quotes and backslashes stay; but
   they may be cut, or hold the name of a file. */
static void
write_detail(struct buf *buf, struct text detail)
{
	cleanup_buf struct buf quoted = {0};

	buf_quoted(&quoted, detail, DETAIL_SHOWN);
	if (!buf_ok(&quoted))
		return;
	buf_str(buf, ": ");
	for (size_t i = 1; i + 1 < quoted.len; i++) {
		const char *at = quoted.at + i;

		if (at[0] == '\\' && (at[1] == '"' || at[1] == '\\'))
			i++;
		buf_char(buf, quoted.at[i]);
	}
}

/* Nobody sent what was found unreadable in a file. */
static const char *
what_to_do(const struct verdict *verdict, const struct workload *workload,
           const char *fix)
{
	bool file = workload->operation == OPERATION_NONE ||
	            workload->operation == OPERATION_COMPOSE ||
	            workload->operation == OPERATION_PROFILE;

	return verdict->reason == REASON_UNREADABLE && file ? "Correct the file." : fix;
}

static void
write_whole(struct buf *buf, const struct verdict *verdict,
            const struct workload *workload, struct text detail)
{
	const struct sentence *sentence =
	    words_of_reason(verdict->reason, workload->door);

	buf_str(buf, sentence->what);
	if (detail.len > 0)
		write_detail(buf, detail);
	buf_str(buf, ". ");
	buf_str(buf, what_to_do(verdict, workload, sentence->fix));
	write_ids(buf, verdict);
}

/* ; also refused: container "b" (unset), "c" (guard runtimes) and 3 more */
static void
write_others(struct buf *buf, const struct verdict *verdict,
             const struct workload *workload)
{
	size_t shown = verdict->other_count < VERDICT_OTHERS_MAX ? verdict->other_count
	                                                         : VERDICT_OTHERS_MAX;

	for (size_t i = 0; i < shown; i++) {
		const struct verdict_other *other = &verdict->others[i];

		buf_str(buf, i == 0 ? "; also refused: container " : ", ");
		buf_quoted(buf, workload->containers[other->container].name,
		           OTHER_NAME_SHOWN);
		if (other->guard >= 0)
			buf_printf(buf, " (guard %s)",
			           guard_name((enum guard)other->guard));
		else
			buf_printf(buf, " (%s)", posture_name(other->posture));
	}
	if (verdict->other_count > shown)
		buf_printf(buf, " and %zu more", verdict->other_count - shown);
}

static void
write_refusal(struct buf *buf, const struct verdict *verdict,
              const struct workload *workload)
{
	const struct container *container = &workload->containers[verdict->container];
	const struct sentence *sentence;

	write_subject(buf, workload, container);
	if (verdict->reason == REASON_GUARD) {
		sentence = words_of_guard((enum guard)verdict->guard, workload->door);
		buf_printf(buf, "%s %s",
		           verdict->guard == GUARD_SELF ||
		                   verdict->guard == GUARD_RUNTIMES
		               ? ""
		               : ":",
		           sentence->what);
		if (verdict->guard == GUARD_RUNTIMES) {
			buf_str(buf, ": ");
			buf_quoted(buf,
			           container->runtime.len > 0 ? container->runtime
			                                      : container->setting,
			           SETTING_SHOWN);
		}
		write_others(buf, verdict, workload);
		buf_printf(buf, ". %s, or ask for an exception for guard:%s",
		           sentence->fix, guard_name((enum guard)verdict->guard));
	} else {
		sentence = words_of_posture(verdict->posture, workload->door);
		buf_char(buf, ' ');
		buf_str(buf, sentence->what);
		write_setting(buf, container, verdict->posture);
		write_others(buf, verdict, workload);
		buf_str(buf, ". ");
		buf_str(buf, sentence->fix);
		buf_str(buf, ", or ask for an exception");
	}
	if (verdict->user_unknown)
		buf_str(buf, "; exceptions for users can't apply, since the engine knows "
		             "no user here (it does over TLS)");
	write_ids(buf, verdict);
	buf_char(buf, '.');
}

/* A message full of escapes loses its middle; what it takes to find the record stays. */
static void
shorten(struct buf *buf, const struct verdict *verdict)
{
	cleanup_buf struct buf tail = {0};

	if (!buf_ok(buf) || buf->len < VERDICT_MESSAGE_MAX)
		return;
	buf_str(&tail, "...");
	write_ids(&tail, verdict);
	buf->len = VERDICT_MESSAGE_MAX - 1 - tail.len;
	while (((unsigned char)buf->at[buf->len] & 0xc0) == 0x80)
		buf->len--;
	buf_add_text(buf, buf_text(&tail));
}

void
verdict_explain(struct verdict *verdict, const struct workload *workload,
                struct text detail)
{
	cleanup_buf struct buf buf = {0};
	bool single =
	    (verdict->reason == REASON_GUARD || verdict->reason == REASON_POSTURE) &&
	    verdict->container < workload->count;

	if (single)
		write_refusal(&buf, verdict, workload);
	else
		write_whole(&buf, verdict, workload, detail);
	shorten(&buf, verdict);
	/* never empty: say at least that there was no memory */
	if (!buf_ok(&buf) || buf.len == 0 || buf.len >= sizeof verdict->message)
		(void)snprintf(verdict->message, sizeof verdict->message,
		               "denied, and no memory to say why (%s)", verdict->id);
	else
		memcpy(verdict->message, buf.at, buf.len + 1);
}
