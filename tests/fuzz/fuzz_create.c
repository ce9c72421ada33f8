/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_create.c - no spelling of a create body is judged milder than another. */
#include "fuzz.h"

static const struct fuzz_shape body_fields[] = {{.name = "HostConfig"}};
static const struct fuzz_shape body_shape = {.fields = body_fields,
                                             .count = COUNT(body_fields)};

static const char *const targets[] = {"/v1.41/containers/create?name=web",
                                      "/v1.23/containers/web/start"};

/* A start ignores shorter bodies, so that white space makes a difference. */
enum { LENGTH_MIN = 8 };

static struct verdict
judge(struct text body, const char *target, const struct policy *policy,
      struct arena arena)
{
	cleanup_decision struct decision decision = {.arena = arena};
	struct circumstances circumstances = fuzz_circumstances(policy);

	decide_request(TEXT_LIT("POST"), text_of(target), body, &circumstances,
	               &decision);
	fuzz_check_verdict(&decision.verdict);
	return decision.verdict;
}

/* ---- what no engine may be let do, found another way ---- */

static bool
is_unconfined(const char *value)
{
	static const char *const values[] = {
	    "unconfined", "{}", "null", "{\"defaultAction\":\"\"}", "{\"syscalls\":[]}"};

	for (size_t i = 0; i < COUNT(values); i++) {
		if (strcmp(value, values[i]) == 0)
			return true;
	}
	return false;
}

/* parseSecurityOpt's last seccomp entry would drop the filter. */
static bool
drops_filter(const json_t *options)
{
	bool drops = false;

	for (size_t i = 0; i < json_array_size(options); i++) {
		const char *entry = json_string_value(json_array_get(options, i));

		if (!entry)
			continue;
		if (strncmp(entry, "seccomp=", 8) == 0 ||
		    (strncmp(entry, "seccomp:", 8) == 0 && !strchr(entry, '=')))
			drops = is_unconfined(entry + 8);
	}
	return drops;
}

/* A HostConfig that would run without a filter. */
static bool
is_open_here(json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value) {
		if (fuzz_folds_to(key, "Privileged") && json_is_true(value))
			return true;
		if (fuzz_folds_to(key, "SecurityOpt") && drops_filter(value))
			return true;
	}
	return false;
}

/* A body of one, or with one; a HostConfig in a HostConfig is no field of any engine. */
static bool
is_open(json_t *object)
{
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value) {
		if (fuzz_folds_to(key, "HostConfig") && is_open_here(value))
			return true;
	}
	return is_open_here(object);
}

/* ---- invariants ---- */

static void
check_open(struct text body, json_t *tree, const char *target,
           const struct policy *policy)
{
	struct verdict verdict = judge(body, target, policy, (struct arena){0});

	CHECK(!is_open(tree) || !fuzz_passes(&verdict));
}

static void
check_rewriting(struct text body, json_t *tree, const char *target,
                const struct policy *policy)
{
	struct fuzz_random random = fuzz_random(body);
	cleanup_buf struct buf again = {0};
	struct verdict before = judge(body, target, policy, (struct arena){0}), after;

	fuzz_rewrite(&again, tree, &body_shape, &random);
	CHECK(buf_ok(&again));
	if (body.len < LENGTH_MIN || again.len < LENGTH_MIN)
		return;
	after = judge(buf_text(&again), target, policy, (struct arena){0});
	/* jansson has made an ambiguous body certain */
	if (before.reason == REASON_UNREADABLE)
		return;
	CHECK(before.decision == after.decision);
	CHECK(before.reason == after.reason);
	CHECK(before.guard == after.guard);
	CHECK(before.posture == after.posture || before.posture == POSTURE_UNREADABLE);
}

static void
check_without_memory(struct text body, const char *target, const struct policy *policy)
{
	struct fuzz_random random = fuzz_random(body);
	size_t room = (size_t)fuzz_pick(&random, 128) * 16;
	struct verdict clean = judge(body, target, policy, (struct arena){0});
	struct verdict tight = judge(body, target, policy, fuzz_small_arena(room));

	CHECK(tight.decision <= clean.decision);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text body = fuzz_text(data, size);
	json_error_t error;
	json_t *tree = fuzz_jansson(body, &error);

	for (unsigned i = 0; i < FUZZ_POLICIES * COUNT(targets); i++) {
		const struct policy *policy = fuzz_policy(i % FUZZ_POLICIES);
		const char *target = targets[i / FUZZ_POLICIES];

		check_without_memory(body, target, policy);
		if (tree)
			check_rewriting(body, tree, target, policy);
		if (tree && size >= LENGTH_MIN && i % FUZZ_POLICIES == 0)
			check_open(body, tree, target, policy);
	}
	json_decref(tree);
	return 0;
}
