/* SPDX-License-Identifier: Apache-2.0 */
/* json_go.c - reads structs, lists and maps as Go's encoding/json would. */
#include "core/json_lex.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

struct json
json_start(struct text input, struct arena *arena, struct err *err)
{
	const char *begin = input.at ? input.at : "";

	return (struct json){.begin = begin,
	                     .at = begin,
	                     .end = begin + input.len,
	                     .arena = arena,
	                     .err = err};
}

int
json_fail(struct json *json, enum err_code code, const char *format, ...)
{
	char what[ERR_TEXT_MAX - 32];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof what, format, args);
	va_end(args);
	if (json->err && json->err->code == ERR_NONE)
		json->err->byte = (size_t)(json->at - json->begin) + 1;
	return err_set(json->err, code, "%s (byte %zu)", what,
	               (size_t)(json->at - json->begin));
}

int
json_finish(struct json *json)
{
	json_skip_space(json);
	if (json->at == json->end)
		return 0;
	return json_fail(json, ERR_AMBIGUOUS, "something follows the JSON");
}

bool
json_read_null(struct json *json)
{
	return json_peek(json) == JSON_NULL && json_skip_word(json, "null") == 0;
}

/* The ASCII lower-case letter that a character folds to, and the length of the character;
   0 for one that folds to no ASCII character (encoding/json fold.go, foldRune). */
static char
fold(const char *at, const char *end, size_t *ret_len)
{
	unsigned char c = (unsigned char)*at;

	*ret_len = 1;
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : (char)c;
	if (end - at >= 2 && memcmp(at, "\xc5\xbf", 2) == 0) {
		*ret_len = 2;
		return 's';
	}
	if (end - at >= 3 && memcmp(at, "\xe2\x84\xaa", 3) == 0) {
		*ret_len = 3;
		return 'k';
	}
	return 0;
}

bool
json_key_matches(struct text key, const char *name)
{
	const char *at = key.at, *end = key.at + key.len;
	size_t len;

	for (; *name != '\0'; name++, at += len) {
		char want = *name >= 'A' && *name <= 'Z' ? (char)(*name | 0x20) : *name;

		if (at >= end || fold(at, end, &len) != want)
			return false;
	}
	return at == end;
}

/* The next key of an object, decoded, with the reader behind its ':'. */
static int
read_key(struct json *json, struct text *ret_key)
{
	if (json_peek(json) != JSON_STRING)
		return json_fail_syntax(json, "a key in quotes");
	if (json_read_string(json, ret_key) != 0)
		return -1;
	return json_take(json, ':') ? 0 : json_fail_syntax(json, "':'");
}

int
json_read_members(struct json *json,
                  int (*each)(struct json *json, struct text key, void *context),
                  void *context)
{
	struct text key = {0};

	if (json_peek(json) != JSON_OBJECT)
		return json_peek(json) == JSON_BAD
		           ? json_fail_syntax(json, "a value")
		           : json_fail(json, ERR_TYPE, "should be an object");
	if (json_descend(json) != 0)
		return -1;
	if (!json_take(json, '}')) {
		do {
			if (read_key(json, &key) != 0 || each(json, key, context) != 0)
				return -1;
		} while (json_take(json, ','));
		if (!json_take(json, '}'))
			return json_fail_syntax(json, "',' or '}'");
	}
	json->depth--;
	return 0;
}

/* What json_read_struct() knows between the members. */
struct struct_reader {
	const struct json_field *fields;
	size_t count;
	uint64_t seen;
	char *into;
};

static int
read_field(struct json *json, struct text key, void *context)
{
	struct struct_reader *reader = context;

	for (size_t i = 0; i < reader->count; i++) {
		const struct json_field *field = &reader->fields[i];

		if (!json_key_matches(key, field->name))
			continue;
		if (json->exact && !text_is(key, field->name))
			return json_fail(json, ERR_AMBIGUOUS,
			                 "%s is spelled in another case", field->name);
		if (reader->seen >> i & 1)
			return json_fail(json, ERR_AMBIGUOUS, "%s is given twice",
			                 field->name);
		reader->seen |= (uint64_t)1 << i;
		if (field->read(json, reader->into + field->offset) == 0)
			return 0;
		return err_wrap(json->err, "%s", field->name);
	}
	return json_skip(json);
}

int
json_read_struct(struct json *json, const struct json_field *fields, size_t count,
                 void *ret_struct)
{
	struct struct_reader reader = {
	    .fields = fields, .count = count, .into = ret_struct};

	if (count > JSON_FIELDS_MAX)
		return json_fail(json, ERR_LIMIT, "a table of more than %d fields",
		                 JSON_FIELDS_MAX);
	return json_read_members(json, read_field, &reader);
}

int
json_read_list(struct json *json,
               int (*each)(struct json *json, size_t index, void *context), void *context)
{
	size_t index = 0;

	if (json_read_null(json))
		return 0;
	if (json_peek(json) != JSON_LIST)
		return json_peek(json) == JSON_BAD
		           ? json_fail_syntax(json, "a value")
		           : json_fail(json, ERR_TYPE, "should be a list");
	if (json_descend(json) != 0)
		return -1;
	if (!json_take(json, ']')) {
		do {
			if (each(json, index++, context) != 0)
				return -1;
		} while (json_take(json, ','));
		if (!json_take(json, ']'))
			return json_fail_syntax(json, "',' or ']'");
	}
	json->depth--;
	return 0;
}

int
json_read_text(struct json *json, void *ret_value)
{
	if (json_read_null(json))
		return 0;
	if (json_peek(json) == JSON_BAD)
		return json_fail_syntax(json, "a value");
	if (json_peek(json) != JSON_STRING)
		return json_fail(json, ERR_TYPE, "should be a string");
	return json_read_string(json, ret_value);
}

int
json_read_bool(struct json *json, void *ret_value)
{
	bool *value = ret_value;
	enum json_kind kind = json_peek(json);

	if (kind == JSON_NULL)
		return json_skip_word(json, "null");
	if (kind == JSON_BAD)
		return json_fail_syntax(json, "a value");
	if (kind != JSON_TRUE && kind != JSON_FALSE)
		return json_fail(json, ERR_TYPE, "should be true or false");
	if (json_skip_word(json, kind == JSON_TRUE ? "true" : "false") != 0)
		return -1;
	*value = kind == JSON_TRUE;
	return 0;
}

/* Room for one more element of `size` bytes: doubles at powers of two. */
static void *
grow(struct json *json, void *old, size_t count, size_t size)
{
	void *wider;

	if (count > 0 && (count & (count - 1)) != 0)
		return old;
	wider = arena_alloc(json->arena, (count ? count * 2 : 1) * size);
	if (!wider)
		(void)json_fail(json, ERR_MEMORY, "out of memory");
	else if (count > 0)
		memcpy(wider, old, count * size);
	return wider;
}

static int
add_element(struct json *json, size_t index, void *context)
{
	struct text_list *list = context;

	if (index >= JSON_LIST_MAX)
		return json_fail(json, ERR_LIMIT, "more than %d elements", JSON_LIST_MAX);
	if (json_peek(json) == JSON_NULL)
		return json_fail(json, ERR_AMBIGUOUS, "null as an element");
	list->at = grow(json, list->at, list->count, sizeof *list->at);
	if (!list->at)
		return -1;
	list->at[list->count] = (struct text){0};
	if (json_read_text(json, &list->at[list->count]) != 0)
		return -1;
	list->count++;
	return 0;
}

int
json_read_text_list(struct json *json, void *ret_value)
{
	return json_read_list(json, add_element, ret_value);
}

static int
add_member(struct json *json, struct text key, void *context)
{
	struct text_map *map = context;
	struct text value = TEXT_LIT(""); /* null gives Go's zero value */
	size_t i = 0;

	if (json_read_text(json, &value) != 0)
		return -1;
	while (i < map->count && !text_equal(map->at[i].key, key))
		i++;
	if (i == map->count) {
		if (map->count >= JSON_MAP_MAX)
			return json_fail(json, ERR_LIMIT, "more than %d members",
			                 JSON_MAP_MAX);
		map->at = grow(json, map->at, map->count, sizeof *map->at);
		if (!map->at)
			return -1;
		map->count++;
	}
	map->at[i] = (struct text_pair){.key = key, .value = value};
	return 0;
}

int
json_read_text_map(struct json *json, void *ret_value)
{
	if (json_read_null(json))
		return 0;
	return json_read_members(json, add_member, ret_value);
}

int
json_read_raw(struct json *json, void *ret_value)
{
	struct text *value = ret_value;
	const char *from;

	json_skip_space(json);
	from = json->at;
	if (json_skip(json) != 0)
		return -1;
	*value = (struct text){.at = from, .len = (size_t)(json->at - from)};
	return 0;
}

int
json_read_present(struct json *json, void *ret_value)
{
	bool *present = ret_value;

	*present = json_peek(json) != JSON_NULL;
	return json_skip(json);
}
