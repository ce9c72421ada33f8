/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_policy.c - a policy that was parsed judges the same however it is written, and
   whether its exceptions are indexed or not. */
#include "fuzz.h"

static const struct {
	const char *target, *body;
	bool readable;
} requests[] = {
    {"/containers/create", "{\"Image\":\"nginx\"}", true},
    {"/containers/create?name=web",
     "{\"Image\":\"nginx\",\"Labels\":{\"team\":\"tools\"},\"HostConfig\":{"
     "\"SecurityOpt\":["
     "\"seccomp=unconfined\"]}}",
     true},
    {"/containers/create?name=dbg-1",
     "{\"Image\":\"registry.example.com/debug/gdb@sha256:"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"HostConfig\":{"
     "\"Privileged\":true,\"Runtime\":\"crun\"}}",
     true},
    {"/containers/create",
     "{\"HostConfig\":{\"SecurityOpt\":[\"seccomp={\\\"defaultAction\\\":"
     "\\\"SCMP_ACT_ALLOW\\\",\\\"syscalls\\\":[{\\\"names\\\":[\\\"mkdir\\\"],"
     "\\\"action\\\":"
     "\\\"SCMP_ACT_ERRNO\\\"}]}\"]}}",
     true},
    {"/plugins/pull?remote=x&name=y", NULL, true},
    {"/build", NULL, true},
    {"/containers/x/start?checkpoint=c", NULL, true},
    {"/containers/create", "[]", false},
    {"/containers/create", NULL, false},
    {"containers/create", NULL, false},
};

static void
judge_all(const struct policy *policy, struct verdict *verdicts)
{
	struct circumstances circumstances = fuzz_circumstances(policy);

	for (size_t i = 0; i < COUNT(requests); i++) {
		cleanup_decision struct decision decision = {0};

		decision.workload.user = TEXT_LIT("ci-1");
		decide_request(TEXT_LIT("POST"), text_of(requests[i].target),
		               text_of(requests[i].body), &circumstances, &decision);
		fuzz_check_verdict(&decision.verdict);
		verdicts[i] = decision.verdict;
		CHECK(requests[i].readable ||
		      decision.verdict.decision != DECISION_ALLOW);
		CHECK(requests[i].readable || policy->mode == RULE_OBSERVE ||
		      decision.verdict.decision == DECISION_DENY);
	}
}

static bool
is_same_exception(const struct exception *a, const struct exception *b)
{
	return a && b ? text_equal(a->id, b->id) : a == b;
}

static void
check_same(const struct policy *policy, const struct policy *again)
{
	struct verdict before[COUNT(requests)], after[COUNT(requests)];

	judge_all(policy, before);
	judge_all(again, after);
	for (size_t i = 0; i < COUNT(requests); i++) {
		CHECK(before[i].decision == after[i].decision);
		CHECK(before[i].reason == after[i].reason);
		CHECK(before[i].guard == after[i].guard);
		CHECK(before[i].posture == after[i].posture);
		CHECK(is_same_exception(before[i].exception, after[i].exception));
		CHECK(is_same_exception(before[i].would, after[i].would));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text bytes = fuzz_text(data, size);
	struct fuzz_random random = fuzz_random(bytes);
	struct policy_problems problems = {0};
	struct policy *policy = policy_parse(bytes, &problems), *again;
	cleanup_buf struct buf rewritten = {0};
	json_error_t error;
	json_t *tree;

	if (!policy) {
		CHECK(problems.count > 0);
		for (size_t i = 0; i < problems.count && i < COUNT(problems.at); i++) {
			cleanup_buf struct buf text = {0};

			policy_problem_write(&text, &problems.at[i]);
			CHECK(buf_ok(&text) && text.len > 0);
		}
		return 0;
	}
	check_same(policy, policy);
	again = policy_parse(bytes, &problems); /* asking all exceptions says the same */
	CHECK(again);
	again->index = NULL;
	check_same(policy, again);
	policy_free(again);
	tree = fuzz_jansson(bytes, &error);
	CHECK(tree);
	fuzz_rewrite(&rewritten, tree, NULL, &random); /* keys of policies are exact */
	again = policy_parse(buf_text(&rewritten), &problems);
	CHECK(again);
	check_same(policy, again);
	policy_free(again);
	policy_free(policy);
	json_decref(tree);
	return 0;
}
