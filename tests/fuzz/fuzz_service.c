/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_service.c - no spelling of a service spec is judged milder than another. */
#include "fuzz.h"

static const struct fuzz_shape privileges_fields[] = {{.name = "Seccomp"}};
static const struct fuzz_shape container_fields[] = {{.name = "Privileges",
                                                      .fields = privileges_fields,
                                                      .count = COUNT(privileges_fields)}};
static const struct fuzz_shape task_fields[] = {{.name = "ContainerSpec",
                                                 .fields = container_fields,
                                                 .count = COUNT(container_fields)}};
static const struct fuzz_shape service_fields[] = {
    {.name = "TaskTemplate", .fields = task_fields, .count = COUNT(task_fields)}};
static const struct fuzz_shape service_shape = {.fields = service_fields,
                                                .count = COUNT(service_fields)};

static struct verdict
judge(struct text body, const struct policy *policy, struct arena arena)
{
	cleanup_decision struct decision decision = {.arena = arena};
	struct circumstances circumstances = fuzz_circumstances(policy);

	decide_request(TEXT_LIT("POST"), TEXT_LIT("/services/x/update?version=1"), body,
	               &circumstances, &decision);
	fuzz_check_verdict(&decision.verdict);
	return decision.verdict;
}

/* The member that folds to `name`, whatever its spelling; NULL if there is none. */
static const json_t *
member(const json_t *object, const char *name)
{
	void *unconst;

	memcpy(&unconst, &object, sizeof unconst);
	for (void *at = json_object_iter(unconst); at;
	     at = json_object_iter_next(unconst, at)) {
		if (fuzz_folds_to(json_object_iter_key(at), name))
			return json_object_iter_value(at);
	}
	return NULL;
}

/* Found another way: a spec that engines run without a filter. */
static bool
is_open(const json_t *service)
{
	static const char *const path[] = {"TaskTemplate", "ContainerSpec", "Privileges",
	                                   "Seccomp"};
	const char *mode, *profile;

	for (size_t i = 0; i < COUNT(path); i++)
		service = member(service, path[i]);
	mode = json_string_value(member(service, "Mode"));
	profile = json_string_value(member(service, "Profile"));
	if (!mode)
		return false;
	if (strcmp(mode, "unconfined") == 0)
		return true;
	return strcmp(mode, "custom") == 0 && profile &&
	       (strcmp(profile, "e30=") == 0 || strcmp(profile, "bnVsbA==") == 0 ||
	        strcmp(profile, "dW5jb25maW5lZA==") == 0);
}

static void
check_rewriting(struct text body, json_t *tree, const struct policy *policy)
{
	struct fuzz_random random = fuzz_random(body);
	cleanup_buf struct buf again = {0};
	struct verdict before = judge(body, policy, (struct arena){0}), after;

	fuzz_rewrite(&again, tree, &service_shape, &random);
	CHECK(buf_ok(&again));
	after = judge(buf_text(&again), policy, (struct arena){0});
	/* jansson has made an ambiguous spec certain */
	if (before.reason == REASON_UNREADABLE)
		return;
	CHECK(before.decision == after.decision);
	CHECK(before.reason == after.reason);
	CHECK(before.guard == after.guard);
	CHECK(before.posture == after.posture || before.posture == POSTURE_UNREADABLE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text body = fuzz_text(data, size);
	struct fuzz_random random = fuzz_random(body);
	json_error_t error;
	json_t *tree = fuzz_jansson(body, &error);

	for (unsigned i = 0; i < FUZZ_POLICIES; i++) {
		const struct policy *policy = fuzz_policy(i);
		struct verdict clean = judge(body, policy, (struct arena){0});
		struct verdict tight = judge(
		    body, policy, fuzz_small_arena((size_t)fuzz_pick(&random, 128) * 16));

		CHECK(tight.decision <= clean.decision);
		CHECK(i > 0 || !tree || !is_open(tree) || !fuzz_passes(&clean));
		if (tree)
			check_rewriting(body, tree, policy);
	}
	json_decref(tree);
	return 0;
}
