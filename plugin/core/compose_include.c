/* SPDX-License-Identifier: Apache-2.0 */
/* compose_include.c - the members of `include` of a Compose file. */
#include "core/compose_value.h"

#include "core/compose.h"

/* Members as they come, and the paths of all, of which each member has the next few. */
struct reading {
	struct compose_includes *includes;
	struct text_list paths;
};

static int
add_path(struct json *json, struct reading *reading)
{
	struct compose_include *include =
	    &reading->includes->at[reading->includes->count - 1];

	if (reading->paths.count >= COMPOSE_INCLUDES_MAX)
		return json_fail(json, ERR_LIMIT, "more than %d includes",
		                 COMPOSE_INCLUDES_MAX);
	include->paths.count++;
	return json_read_text(json, &reading->paths.at[reading->paths.count++]);
}

static int
add_path_of_list(struct json *json, size_t index, void *context)
{
	(void)index;
	return add_path(json, context);
}

static int
add_member(struct json *json, struct text key, void *context)
{
	struct reading *reading = context;

	if (compose_is_tag(key))
		return json_fail(json, ERR_AMBIGUOUS,
		                 "the tag %.*s can't be judged here; write the value "
		                 "without it",
		                 TEXT_ARG(key));
	if (text_is(key, "project_directory"))
		return json_read_text(
		    json, &reading->includes->at[reading->includes->count - 1].folder);
	if (!text_is(key, "path"))
		return json_skip(json);
	if (json_peek(json) == JSON_LIST)
		return json_read_list(json, add_path_of_list, context);
	return add_path(json, context);
}

static int
add_include(struct json *json, size_t index, void *context)
{
	struct reading *reading = context;
	enum json_kind kind = json_peek(json);

	(void)index;
	if (reading->includes->count >= COMPOSE_INCLUDES_MAX)
		return json_fail(json, ERR_LIMIT, "more than %d includes",
		                 COMPOSE_INCLUDES_MAX);
	reading->includes->at[reading->includes->count++] = (struct compose_include){
	    .paths = {.at = reading->paths.at + reading->paths.count},
	    .place = json->at,
	};
	if (kind == JSON_OBJECT)
		return json_read_members(json, add_member, context);
	return add_path(json, reading);
}

int
compose_read_includes(struct json *json, struct compose_includes *ret_includes)
{
	struct reading reading = {.includes = ret_includes};
	struct arena *arena = json->arena;

	ret_includes->at =
	    arena_array(arena, COMPOSE_INCLUDES_MAX, sizeof *ret_includes->at);
	reading.paths.at =
	    arena_array(arena, COMPOSE_INCLUDES_MAX, sizeof *reading.paths.at);
	if (!ret_includes->at || !reading.paths.at)
		return err_set(json->err, ERR_MEMORY, "out of memory");
	if (json_read_list(json, add_include, &reading) != 0)
		return err_wrap(json->err, "include");
	return 0;
}
