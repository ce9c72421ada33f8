/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_policy.c - what a policy with many exceptions costs, to load and for each decision.
 *
 * One row a measurement: name, exceptions, best of several runs. Exit 1 if 10,000 exceptions
 * take 200 ms to load, or a decision under them more than 1.5 times one under ten.
 */
#include "core/decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	FEW = 10,
	MANY = 10000,
	LOADS = 7,
	DECISIONS = 20000,
	ROUNDS = 15,
	LOAD_MS = 200,
};
#define RATIO 1.5

static double
seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Every criterion, as a large installation might write them. */
static void
write_policy(struct buf *buf, size_t count)
{
	buf_str(buf, "{\n  \"version\": 1,\n  \"exceptions\": [\n");
	for (size_t i = 0; i < count; i++) {
		buf_printf(buf,
		           "    {\n      \"id\": \"exception-%zu\",\n"
		           "      \"allow\": [\"unconfined\"],\n      \"match\": {\n"
		           "        \"door\": [\"docker\"],\n"
		           "        \"image\": [\"registry.example.com/team-%zu/*\"],\n"
		           "        \"user\": [\"ci-%zu-*\", \"dev-%zu\"],\n"
		           "        \"label\": {\"env\": \"ci\", \"team\": \"t%zu\"}\n"
		           "      },\n      \"expires\": \"2100-01-31T00:00:00Z\",\n"
		           "      \"reason\": \"SEC-%zu: ptrace for post-mortem "
		           "debugging\"\n    }%s\n",
		           i, i, i, i, i, i, i + 1 < count ? "," : "");
	}
	buf_str(buf, "  ]\n}\n");
}

static struct policy *
parse(const struct buf *text)
{
	static struct policy_problems problems;
	struct policy *policy = policy_parse(buf_text(text), &problems);

	if (!policy) {
		(void)fprintf(stderr, "bench: %s\n", problems.at[0].text);
		exit(2);
	}
	return policy;
}

/* Best time of a load, in ms. */
static double
measure_load(const struct buf *text)
{
	double best = 1e9;

	for (int i = 0; i < LOADS; i++) {
		double start = seconds(), took;
		struct policy *policy = parse(text);

		took = (seconds() - start) * 1e3;
		best = took < best ? took : best;
		policy_free(policy);
	}
	return best;
}

struct question {
	const char *name;
	const char *image; /* of the request */
	enum verdict_decision expected;
};

static const struct question questions[] = {
    {"unconfined, no exception", "registry.example.com/other/app", DECISION_DENY},
    {"unconfined, excepted", "registry.example.com/team-7/app", DECISION_ALLOW},
};

static void
decide_once(struct decision *decision, const struct policy *policy, struct text body,
            enum verdict_decision expected)
{
	struct circumstances circumstances = {.policy = policy,
	                                      .plugin_name = TEXT_LIT("seccomp-authz"),
	                                      .now_us = INT64_C(1700000000000000)};

	decision_reset(decision);
	decision->workload.user = TEXT_LIT("ci-7-runner");
	decide_request(TEXT_LIT("POST"), TEXT_LIT("/v1.41/containers/create?name=web"),
	               body, &circumstances, decision);
	if (decision->verdict.decision != expected) {
		(void)fprintf(stderr, "bench: %s\n", decision->verdict.message);
		exit(2);
	}
}

/* Time of a decision, in ns. */
static double
time_decisions(struct decision *decision, const struct policy *policy, struct text body,
               enum verdict_decision expected)
{
	double start = seconds();

	for (int i = 0; i < DECISIONS; i++)
		decide_once(decision, policy, body, expected);
	return (seconds() - start) * 1e9 / DECISIONS;
}

/* Best times under two policies, by turns, so that both meet the same machine. */
static void
measure_decisions(const struct policy *const policies[2], const struct question *question,
                  double ret_best[2])
{
	cleanup_decision struct decision decision = {0};
	cleanup_buf struct buf body = {0};

	buf_printf(&body,
	           "{\"Image\":\"%s\",\"Labels\":{\"env\":\"ci\",\"team\":\"t7\"},"
	           "\"HostConfig\":{\"SecurityOpt\":[\"seccomp=unconfined\"]}}",
	           question->image);
	ret_best[0] = ret_best[1] = 1e9;
	for (int turn = 0; turn < 2 * ROUNDS; turn++) {
		double took = time_decisions(&decision, policies[turn % 2],
		                             buf_text(&body), question->expected);

		if (took < ret_best[turn % 2])
			ret_best[turn % 2] = took;
	}
}

int
main(void)
{
	cleanup_buf struct buf few_text = {0}, many_text = {0};
	const struct policy *policies[2];
	struct policy *few, *many;
	bool good;
	double load;

	write_policy(&few_text, FEW);
	write_policy(&many_text, MANY);
	load = measure_load(&many_text);
	(void)printf("load, %d exceptions (%zu bytes): %.1f ms\n", MANY, many_text.len,
	             load);
	good = load < LOAD_MS;
	policies[0] = few = parse(&few_text);
	policies[1] = many = parse(&many_text);
	for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
		double best[2];

		measure_decisions(policies, &questions[i], best);
		(void)printf("decide, %s: %.0f ns with %d, %.0f ns with %d: %.2f times\n",
		             questions[i].name, best[0], FEW, best[1], MANY,
		             best[1] / best[0]);
		good = good && best[1] < RATIO * best[0];
	}
	policy_free(few);
	policy_free(many);
	(void)printf("%s\n", good ? "within bounds" : "OUT OF BOUNDS");
	return good ? 0 : 1;
}
