/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_json.c - jansson and the reader agree on what is JSON and on what it says. */
#include "fuzz.h"

#include "json_go_beside_jansson.h"

/*
 * What jansson refuses and encoding/json takes: more than 2,048 levels (parserstack), the
 * numbers that no double holds, NUL in a key, half a surrogate pair.
 */
static bool
is_known_difference(const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	return code == json_error_stack_overflow || code == json_error_numeric_overflow ||
	       code == json_error_null_byte_in_key || code == json_error_null_character ||
	       strstr(error->text, "invalid Unicode");
}

static int
skip_document(struct text input, struct arena *arena, struct err *err)
{
	struct json json = json_start(input, arena, err);

	return json_skip(&json) == 0 && json_finish(&json) == 0 ? 0 : -1;
}

static int
walk_member(struct json *json, struct text key, void *context)
{
	(void)key;
	(void)context;
	return json_skip(json);
}

static int
walk_element(struct json *json, size_t index, void *context)
{
	(void)index;
	(void)context;
	return json_skip(json);
}

/* Reading member by member takes and refuses what skipping does; but keys are decoded. */
static void
check_walk(struct text input, bool skipped)
{
	cleanup_arena struct arena arena = {0};
	struct err err = {0};
	struct json json = json_start(input, &arena, &err);
	bool walked;

	if (json_peek(&json) == GO_OBJECT)
		walked = json_read_members(&json, walk_member, NULL) == 0;
	else if (json_peek(&json) == JSON_LIST)
		walked = json_read_list(&json, walk_element, NULL) == 0;
	else
		return;
	walked = walked && json_finish(&json) == 0;
	CHECK(!walked || skipped);
	CHECK(walked || !skipped || strstr(err.text, "surrogate") ||
	      err.code == ERR_MEMORY);
}

/* A map of texts has the members that jansson sees, whatever came twice. */
static void
check_map(struct text input, const json_t *object)
{
	cleanup_arena struct arena arena = {0};
	struct text_map map = {0};
	struct json json = json_start(input, &arena, NULL);

	if (!json_is_object(object) || json_read_text_map(&json, &map) != 0)
		return;
	CHECK(map.count == json_object_size(object));
	for (size_t i = 0; i < map.count; i++) {
		struct text key = arena_text(&arena, map.at[i].key);
		const json_t *value = json_object_get(object, key.at);

		CHECK(json_is_string(value) || json_is_null(value));
		CHECK(text_equal(
		    map.at[i].value,
		    (struct text){json_string_value(value), json_string_length(value)}));
	}
}

static void
check_list(struct text input, const json_t *array)
{
	cleanup_arena struct arena arena = {0};
	struct text_list list = {0};
	struct json json = json_start(input, &arena, NULL);

	if (!json_is_array(array) || json_read_text_list(&json, &list) != 0)
		return;
	CHECK(list.count == json_array_size(array));
	for (size_t i = 0; i < list.count; i++) {
		const json_t *value = json_array_get(array, i);

		CHECK(text_equal(list.at[i], (struct text){json_string_value(value),
		                                           json_string_length(value)}));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text input = fuzz_text(data, size);
	cleanup_arena struct arena arena = {0};
	struct err err = {0};
	json_error_t error;
	bool skipped = skip_document(input, &arena, &err) == 0;
	json_t *tree;

	CHECK(arena.total == 0); /* skipping allocates nothing */
	CHECK(skipped == (err.code == ERR_NONE));
	CHECK(skipped || err.text[0] != '\0');
	check_walk(input, skipped);
	if (text_find(input, '\0') != input.len) {
		CHECK(!skipped); /* jansson passes over NUL between tokens */
		return 0;
	}
	tree = fuzz_jansson(input, &error);
	CHECK(!tree || skipped);
	CHECK(tree || !skipped || is_known_difference(&error));
	if (tree) {
		check_map(input, tree);
		check_list(input, tree);
	}
	json_decref(tree);
	return 0;
}
