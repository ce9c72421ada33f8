/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_envelope.c - whole envelopes: no spelling is judged milder, each has a record. */
#include "fuzz.h"

#include "core/record_line.h"

static const struct fuzz_shape envelope_shape = {.name = ""};

static void
check_record(const struct decision *decision, const struct circumstances *circumstances)
{
	cleanup_buf struct buf line = {0};
	json_error_t error;
	json_t *object;

	record_line(&line, decision, circumstances, TEXT_LIT("host"));
	CHECK(buf_ok(&line));
	CHECK(line.len <= RECORD_LINE_ROOM);
	CHECK(!memchr(line.at, '\n', line.len));
	buf_char(&line, '}');
	object = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
	                    &error);
	CHECK(object);
	json_decref(object);
}

static struct verdict
judge(struct text bytes, const struct policy *policy, struct arena arena)
{
	cleanup_decision struct decision decision = {.arena = arena};
	struct circumstances circumstances = fuzz_circumstances(policy);

	decide_authz(bytes, &circumstances, &decision);
	fuzz_check_verdict(&decision.verdict);
	check_record(&decision, &circumstances);
	return decision.verdict;
}

/* jansson has made an ambiguous envelope or body certain. */
static bool
was_unreadable(const struct verdict *verdict)
{
	return verdict->reason == REASON_BAD_ENVELOPE ||
	       verdict->reason == REASON_UNREADABLE;
}

static void
check_rewriting(struct text bytes, json_t *tree, const struct policy *policy)
{
	struct fuzz_random random = fuzz_random(bytes);
	cleanup_buf struct buf again = {0};
	struct verdict before = judge(bytes, policy, (struct arena){0}), after;

	fuzz_rewrite(&again, tree, &envelope_shape, &random);
	CHECK(buf_ok(&again));
	after = judge(buf_text(&again), policy, (struct arena){0});
	CHECK(was_unreadable(&before) ||
	      (before.decision == after.decision && before.reason == after.reason));
}

/* Without a policy only what is no workload passes, and it passes with any policy. */
static void
check_without_policy(struct text bytes, const struct verdict *verdict)
{
	struct verdict broken = judge(bytes, NULL, (struct arena){0});

	CHECK(!fuzz_passes(&broken) || (broken.reason == REASON_NOT_JUDGED &&
	                                verdict->decision == DECISION_ALLOW));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text bytes = fuzz_text(data, size);
	struct fuzz_random random = fuzz_random(bytes);
	json_error_t error;
	json_t *tree = fuzz_jansson(bytes, &error);

	for (unsigned i = 0; i < FUZZ_POLICIES; i++) {
		const struct policy *policy = fuzz_policy(i);
		struct verdict clean = judge(bytes, policy, (struct arena){0});
		struct verdict tight =
		    judge(bytes, policy,
		          fuzz_small_arena((size_t)fuzz_pick(&random, 128) * 16));

		CHECK(tight.decision <= clean.decision);
		check_without_policy(bytes, &clean);
		if (json_is_object(tree))
			check_rewriting(bytes, tree, policy);
	}
	json_decref(tree);
	return 0;
}
