/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_kubernetes.c - no review lets a container in that restricted would not. */
#include "fuzz.h"

static struct verdict
judge(struct text bytes, const struct policy *policy, struct arena arena)
{
	cleanup_decision struct decision decision = {.arena = arena};
	struct circumstances circumstances = fuzz_circumstances(policy);

	decide_admission(bytes, &circumstances, &decision);
	fuzz_check_verdict(&decision.verdict);
	CHECK(decision.arena.total <= ADMISSION_MEMORY_MAX);
	return decision.verdict;
}

static const char *
string_of(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

/* ---- an answer is one to the question ---- */

static void
check_answer(struct text bytes, const json_t *tree, const struct policy *policy)
{
	cleanup_decision struct decision decision = {0};
	cleanup_buf struct buf buf = {.limit = ADMISSION_ANSWER_MAX};
	struct circumstances circumstances = fuzz_circumstances(policy);
	const char *uid = string_of(json_object_get(tree, "request"), "uid");
	json_t *answer, *response;

	decide_admission(bytes, &circumstances, &decision);
	admission_answer(&decision, &buf);
	CHECK(buf_ok(&buf));
	answer =
	    json_loadb(buf.at, buf.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	CHECK(answer);
	response = json_object_get(answer, "response");
	CHECK(json_is_boolean(json_object_get(response, "allowed")));
	CHECK(json_is_true(json_object_get(response, "allowed")) ==
	      fuzz_passes(&decision.verdict));
	CHECK(!json_is_true(json_object_get(response, "allowed")) ||
	      decision.admission.uid.at);
	/* what is let in is what was asked about */
	if (tree && fuzz_passes(&decision.verdict)) {
		CHECK(strcmp(string_of(response, "uid"), uid) == 0);
		CHECK(strcmp(string_of(answer, "apiVersion"),
		             string_of(tree, "apiVersion")) == 0);
	}
	json_decref(answer);
}

/* ---- PSA restricted, written once more ---- */

/* The pod of an object of that kind; NULL: none that is judged here. */
static const json_t *
pod_of(const json_t *object, const char *kind)
{
	static const struct {
		const char *kind, *path[4];
	} places[] = {
	    {"Pod", {NULL}},
	    {"PodTemplate", {"template"}},
	    {"ReplicaSet", {"spec", "template"}},
	    {"Deployment", {"spec", "template"}},
	    {"StatefulSet", {"spec", "template"}},
	    {"DaemonSet", {"spec", "template"}},
	    {"Job", {"spec", "template"}},
	    {"CronJob", {"spec", "jobTemplate", "spec", "template"}},
	};

	for (size_t i = 0; i < COUNT(places); i++) {
		if (strcmp(places[i].kind, kind) != 0)
			continue;
		for (size_t k = 0; k < 4 && places[i].path[k]; k++)
			object = json_object_get(object, places[i].path[k]);
		return object ? object : json_null();
	}
	return NULL;
}

static bool
is_good(const json_t *profile)
{
	const char *type = string_of(profile, "type");

	return strcmp(type, "RuntimeDefault") == 0 || strcmp(type, "Localhost") == 0;
}

static const json_t *
profile_of(const json_t *holder)
{
	const json_t *profile =
	    json_object_get(json_object_get(holder, "securityContext"), "seccompProfile");

	return json_is_null(profile) ? NULL : profile;
}

static bool
is_confined(const json_t *container, const json_t *spec)
{
	const json_t *own = profile_of(container), *pods = profile_of(spec);
	bool windows =
	    strcmp(string_of(json_object_get(spec, "os"), "name"), "windows") == 0;

	if (json_is_true(json_object_get(json_object_get(container, "securityContext"),
	                                 "privileged")))
		return false;
	if (own)
		return is_good(own);
	return pods ? is_good(pods) : windows;
}

static bool
is_restricted(const json_t *tree)
{
	static const char *const lists[] = {"initContainers", "containers",
	                                    "ephemeralContainers"};
	const json_t *request = json_object_get(tree, "request");
	const json_t *kind = json_object_get(request, "kind");
	const json_t *pod =
	    pod_of(json_object_get(request, "object"), string_of(kind, "kind"));
	const json_t *spec = json_object_get(pod, "spec");
	const char *group = string_of(kind, "group");

	if (!pod || strcmp(string_of(request, "operation"), "CREATE") != 0 ||
	    *string_of(request, "subResource") ||
	    (*group && strcmp(group, "apps") != 0 && strcmp(group, "batch") != 0))
		return true; /* nothing that is judged for certain */
	for (size_t i = 0; i < COUNT(lists); i++) {
		const json_t *list = json_object_get(spec, lists[i]);

		for (size_t k = 0; k < json_array_size(list); k++) {
			if (!is_confined(json_array_get(list, k), spec))
				return false;
		}
	}
	return json_is_object(spec);
}

/* ---- other spellings ---- */

static bool
is_certain(const struct verdict *verdict)
{
	return verdict->reason != REASON_UNREADABLE &&
	       verdict->reason != REASON_BAD_ENVELOPE;
}

static void
check_rewriting(struct text bytes, json_t *tree, const struct policy *policy)
{
	struct fuzz_random random = fuzz_random(bytes);
	cleanup_buf struct buf again = {0};
	struct verdict before = judge(bytes, policy, (struct arena){0}), after;

	/* members in another order are a change to an update, which is judged then */
	if (strcmp(string_of(json_object_get(tree, "request"), "operation"), "UPDATE") ==
	    0)
		return;
	fuzz_rewrite(&again, tree, NULL, &random);
	CHECK(buf_ok(&again));
	after = judge(buf_text(&again), policy, (struct arena){0});
	if (!is_certain(&before)) /* jansson has made something certain */
		return;
	CHECK(before.decision == after.decision);
	CHECK(before.reason == after.reason);
	CHECK(fuzz_passes(&before) || before.posture == after.posture);
}

/* A prefix may lose the uid, but never finds another one. */
static void
check_head(struct text bytes, struct fuzz_random *random)
{
	cleanup_arena struct arena arena = {0};
	struct text prefix =
	    text_first(bytes, bytes.len ? fuzz_pick(random, (unsigned)bytes.len + 1) : 0);
	struct text uid = admission_find_uid(prefix, &arena);
	struct text whole = admission_find_uid(bytes, &arena);

	CHECK(!uid.at || (uid.len > 0 && uid.len <= ADMISSION_UID_MAX));
	CHECK(!uid.at || text_equal(uid, whole));
}

static int
check_part(const struct manifest_part *part, void *context)
{
	const struct policy *policy = context;
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = fuzz_circumstances(policy);

	decide_manifest(part, &circumstances, &decision);
	fuzz_check_verdict(&decision.verdict);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text bytes = fuzz_text(data, size);
	struct fuzz_random random = fuzz_random(bytes);
	json_error_t error;
	json_t *tree = fuzz_jansson(bytes, &error);

	check_head(bytes, &random);
	for (unsigned i = 0; i < FUZZ_POLICIES; i++) {
		const struct policy *policy = fuzz_policy(i);
		struct verdict clean = judge(bytes, policy, (struct arena){0});
		struct verdict tight =
		    judge(bytes, policy,
		          fuzz_small_arena((size_t)fuzz_pick(&random, 256) * 16));
		cleanup_arena struct arena arena = {0};
		struct err err = {0};
		void *unconst;

		CHECK(tight.decision <= clean.decision);
		CHECK(i > 0 || !fuzz_passes(&clean) || !tree || is_restricted(tree));
		check_answer(bytes, tree, policy);
		if (tree)
			check_rewriting(bytes, tree, policy);
		memcpy(&unconst, &policy, sizeof unconst);
		(void)manifest_each(bytes, &arena, check_part, unconst, &err);
	}
	json_decref(tree);
	return 0;
}
