/* SPDX-License-Identifier: Apache-2.0 */
/* check_find_pod.c - where in an object of Kubernetes the setting stands that decided. */
#include "cmd_check.h"

#include "core/json_go.h"

enum { DEPTH_MAX = 24 }; /* deeper than any setting */

/* Places of what could have decided for one container. */
struct pod_search {
	struct text name; /* of the container */
	struct text setting;
	bool in_container; /* the walk is inside of it */
	unsigned depth;
	const char *container, *own_profile, *privileged;
	const char *pod_profile, *pod_privileged, *annotation, *runtime_class;
};

static int look(struct json *json, struct pod_search *search);

struct named {
	struct text name;
};

static const struct json_field named_fields[] = {
    {"name", json_read_text, offsetof(struct named, name)},
};

/* Only the container that the verdict is about. */
static int
look_at_container(struct json *json, size_t index, void *context)
{
	struct pod_search *search = context;
	struct named named = {0};
	struct text raw = {0};
	struct err ignored = {0};
	struct json object;
	int result;

	(void)index;
	if (json_read_raw(json, &raw) != 0)
		return -1;
	object = json_start(raw, json->arena, &ignored);
	(void)json_read_struct(&object, named_fields, 1, &named);
	if (!text_equal(named.name, search->name))
		return 0;
	search->container = raw.at;
	object = json_start(raw, json->arena, &ignored);
	search->in_container = true;
	result = look(&object, search);
	search->in_container = false;
	return result;
}

/* A profile's place is its type's. */
static int
look_at_profile(struct json *json, struct text key, void *context)
{
	const char **place = context;

	(void)json_peek(json);
	if (text_is(key, "type"))
		*place = json->at;
	return json_skip(json);
}

static int
look_at_annotation(struct json *json, struct text key, void *context)
{
	struct pod_search *search = context;
	bool of_pod = text_is(key, "seccomp.security.alpha.kubernetes.io/pod");
	bool of_container =
	    text_has_prefix(key, "container.seccomp.security.alpha.kubernetes.io/") &&
	    key.len > search->name.len &&
	    text_equal(text_from(key, key.len - search->name.len), search->name);

	(void)json_peek(json);
	if (of_container || text_equal(key, search->setting) ||
	    (of_pod && !search->annotation))
		search->annotation = json->at;
	return json_skip(json);
}

static bool
is_container_list(struct text key)
{
	return text_is(key, "containers") || text_is(key, "initContainers") ||
	       text_is(key, "ephemeralContainers");
}

static int
look_at_member(struct json *json, struct text key, void *context)
{
	struct pod_search *search = context;
	enum json_kind kind = json_peek(json);

	if (kind == JSON_LIST && is_container_list(key))
		return json_read_list(json, look_at_container, search);
	if (kind == JSON_OBJECT && text_is(key, "seccompProfile")) {
		const char **place =
		    search->in_container ? &search->own_profile : &search->pod_profile;

		*place = json->at;
		return json_read_members(json, look_at_profile, place);
	}
	if (kind == JSON_OBJECT && text_is(key, "annotations"))
		return json_read_members(json, look_at_annotation, search);
	if (text_is(key, "privileged") || text_is(key, "hostProcess")) {
		if (search->in_container)
			search->privileged = json->at;
		else
			search->pod_privileged = json->at;
	}
	if (text_is(key, "runtimeClassName"))
		search->runtime_class = json->at;
	return look(json, search);
}

static int
look(struct json *json, struct pod_search *search)
{
	int result;

	if (search->depth >= DEPTH_MAX || json_peek(json) != JSON_OBJECT)
		return json_skip(json);
	search->depth++;
	result = json_read_members(json, look_at_member, search);
	search->depth--;
	return result;
}

static const char *
first_of(const char *a, const char *b)
{
	return a ? a : b;
}

/* Which of the places it is; the sentence about the setting tells whose it was. */
static const char *
choose(const struct pod_search *search, const struct verdict *verdict)
{
	const char *own = first_of(search->own_profile, search->pod_profile);

	if (verdict->reason == REASON_GUARD)
		return search->runtime_class;
	if (!verdict->has_posture || verdict->posture == POSTURE_UNSET)
		return search->container;
	if (verdict->posture == POSTURE_PRIVILEGED)
		return first_of(search->privileged, search->pod_privileged);
	if (text_has_prefix(search->setting, "the pod's "))
		return search->pod_profile;
	if (text_has_prefix(search->setting, "the annotation ") ||
	    text_has_prefix(search->setting, "its annotation ") || !own)
		return first_of(search->annotation, own);
	return own;
}

const char *
check_find_pod(struct text object, const struct decision *decision)
{
	const struct verdict *verdict = &decision->verdict;
	const struct workload *workload = &decision->workload;
	cleanup_arena struct arena arena = {0};
	struct pod_search search = {.depth = 0};
	struct err ignored = {0};
	struct json json = json_start(object, &arena, &ignored);

	if (verdict->container >= workload->count)
		return NULL;
	search.name = workload->containers[verdict->container].name;
	search.setting = workload->containers[verdict->container].setting;
	(void)look(&json, &search);
	return first_of(choose(&search, verdict), search.container);
}
