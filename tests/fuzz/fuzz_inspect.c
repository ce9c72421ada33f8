/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_inspect.c - an inspect document is judged no milder than the create it echoes. */
#include "fuzz.h"

struct inspect_run {
	const struct policy *policy;
	struct fuzz_random random;
};

static struct verdict
judge(const struct inspect_part *part, const struct inspect_context *context,
      const struct policy *policy, struct arena arena)
{
	cleanup_decision struct decision decision = {.arena = arena};
	struct circumstances circumstances = fuzz_circumstances(policy);

	decide_inspect(part, context, &circumstances, &decision);
	fuzz_check_verdict(&decision.verdict);
	return decision.verdict;
}

/* Is a create with the same HostConfig refused? False if there is none of that spelling. */
static bool
is_create_refused(struct text object, const struct policy *policy)
{
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = fuzz_circumstances(policy);
	json_error_t error;
	json_t *tree = fuzz_jansson(object, &error), *config;
	json_t *create = json_object();
	char *body;
	bool had;

	config = json_object_get(tree, "HostConfig");
	had = config != NULL;
	if (had)
		(void)json_object_set(create, "HostConfig", config);
	body = json_dumps(create, 0);
	CHECK(body);
	decide_request(TEXT_LIT("POST"), TEXT_LIT("/containers/create"), text_of(body),
	               &circumstances, &decision);
	free(body);
	json_decref(create);
	json_decref(tree);
	return had && !fuzz_passes(&decision.verdict);
}

static int
check_part(const struct inspect_part *part, void *context)
{
	struct inspect_run *run = context;
	const struct inspect_context nothing = {0}, worst = {.default_unconfined = true,
	                                                     .unfiltered = true};
	const struct inspect_context file = {.default_profile = TEXT_LIT("{}")};
	struct arena none = {0};
	struct verdict plain = judge(part, &nothing, run->policy, none);
	struct verdict worse = judge(part, &worst, run->policy, none);
	struct verdict filed = judge(part, &file, run->policy, none);
	struct verdict tight =
	    judge(part, &nothing, run->policy,
	          fuzz_small_arena((size_t)fuzz_pick(&run->random, 128) * 16));

	CHECK(tight.decision <= plain.decision);
	CHECK(worse.decision <= plain.decision);
	CHECK(filed.decision <= plain.decision);
	CHECK(part->kind != INSPECT_OTHER || plain.posture == POSTURE_UNREADABLE);
	if (run->policy == fuzz_policy(0) && part->kind == INSPECT_CONTAINER &&
	    fuzz_passes(&plain))
		CHECK(!is_create_refused(part->object, run->policy));
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text body = fuzz_text(data, size);

	for (unsigned i = 0; i < FUZZ_POLICIES; i++) {
		struct inspect_run run = {.policy = fuzz_policy(i),
		                          .random = fuzz_random(body)};
		cleanup_arena struct arena arena = {0};
		struct err err = {0};

		(void)docker_inspect_each(body, &arena, check_part, &run, &err);
	}
	return 0;
}
