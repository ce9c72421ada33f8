/* SPDX-License-Identifier: Apache-2.0 */
/* check_find.c - where in a document of the Engine API the setting stands that decided. */
#include "cmd_check.h"

#include "core/json_go.h"
#include "core/seccomp.h"

enum { DEPTH_MAX = 16 }; /* deeper than any setting */

struct search {
	const char *other;
	bool privileged, option, runtime; /* what is looked for */
	struct text annotation, name;     /* a key; the runtime */
	unsigned depth;
	const char *hit;
};

static int look(struct json *json, struct search *search);

/* The last entry that sets seccomp, or that was meant to. */
static int
look_at_option(struct json *json, size_t index, void *context)
{
	struct search *search = context;
	const char *place;
	struct text entry = {0};
	struct text_list one = {.at = &entry, .count = 1};
	struct seccomp_opt opt = {0};
	struct err ignored = {0};

	(void)index;
	if (json_peek(json) != JSON_STRING)
		return json_skip(json);
	place = json->at;
	if (json_read_text(json, &entry) != 0)
		return -1;
	if (seccomp_opt_read(one, &opt, &ignored) != 0 || opt.given)
		search->hit = place;
	return 0;
}

static int
look_at_annotation(struct json *json, struct text key, void *context)
{
	struct search *search = context;

	(void)json_peek(json);
	if (search->annotation.len > 0 && text_equal(key, search->annotation))
		search->hit = json->at;
	return json_skip(json);
}

/* Privileges.Seccomp of a service: its mode, or the profile beside it. */
static int
look_at_mode(struct json *json, struct text key, void *context)
{
	struct search *search = context;

	(void)json_peek(json);
	if (json_key_matches(key, "Mode") ||
	    (json_key_matches(key, "Profile") && !search->hit))
		search->hit = json->at;
	return json_skip(json);
}

static int
look_at_element(struct json *json, size_t index, void *context)
{
	(void)index;
	return look(json, context);
}

static int
look_at_member(struct json *json, struct text key, void *context)
{
	struct search *search = context;
	enum json_kind kind = json_peek(json);
	struct text value = {0};

	if (search->other && json_key_matches(key, search->other))
		return json_skip(json);
	if (search->privileged && json_key_matches(key, "Privileged")) {
		search->hit = json->at;
		return json_skip(json);
	}
	if (search->option && json_key_matches(key, "SecurityOpt") && kind == JSON_LIST)
		return json_read_list(json, look_at_option, search);
	if (search->option && json_key_matches(key, "Seccomp") && kind == JSON_OBJECT)
		return json_read_members(json, look_at_mode, search);
	if (search->option && json_key_matches(key, "Annotations") && kind == JSON_OBJECT)
		return json_read_members(json, look_at_annotation, search);
	if (search->runtime && json_key_matches(key, "Runtime") && kind == JSON_STRING) {
		const char *place = json->at;

		if (json_read_text(json, &value) != 0)
			return -1;
		if (text_equal(value, search->name))
			search->hit = place;
		return 0;
	}
	if (json_key_matches(key, "Labels") || json_key_matches(key, "Env"))
		return json_skip(json);
	return look(json, search);
}

static int
look(struct json *json, struct search *search)
{
	enum json_kind kind = json_peek(json);
	int result = 0;

	if (search->depth >= DEPTH_MAX || (kind != JSON_OBJECT && kind != JSON_LIST))
		return json_skip(json);
	search->depth++;
	result = kind == JSON_OBJECT ? json_read_members(json, look_at_member, search)
	                             : json_read_list(json, look_at_element, search);
	search->depth--;
	return result;
}

const char *
check_find(struct text object, const struct decision *decision, const char *other)
{
	const struct verdict *verdict = &decision->verdict;
	const struct workload *workload = &decision->workload;
	cleanup_arena struct arena arena = {0};
	struct search search = {.other = other};
	struct err ignored = {0};
	struct json json = json_start(object, &arena, &ignored);

	if (verdict->container >= workload->count)
		return NULL;
	if (verdict->reason == REASON_GUARD)
		search.runtime = true;
	else if (verdict->has_posture && verdict->posture == POSTURE_PRIVILEGED)
		search.privileged = true;
	else
		search.option = true;
	search.name = workload->containers[verdict->container].runtime;
	search.annotation = workload->containers[verdict->container].setting;
	(void)look(&json, &search);
	return search.hit;
}
