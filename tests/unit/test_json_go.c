/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_go.c - JSON is read as encoding/json would, or refused. */
#include "core/json_go.h"

#include "core/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- a struct as the engines have them ---- */

struct inner {
	struct text task; /* has both letters that fold to more than themselves */
};

struct thing {
	struct text text, raw;
	bool flag, present;
	struct text_list list;
	struct text_map map;
	struct inner inner;
};

static const struct json_field inner_fields[] = {
    {"Task", json_read_text, offsetof(struct inner, task)}};

static int
read_inner(struct json *json, void *ret_value)
{
	if (json_read_null(json))
		return 0;
	return json_read_struct(json, inner_fields, COUNT(inner_fields), ret_value);
}

static const struct json_field thing_fields[] = {
    {"Text", json_read_text, offsetof(struct thing, text)},
    {"Raw", json_read_raw, offsetof(struct thing, raw)},
    {"Flag", json_read_bool, offsetof(struct thing, flag)},
    {"Present", json_read_present, offsetof(struct thing, present)},
    {"List", json_read_text_list, offsetof(struct thing, list)},
    {"Map", json_read_text_map, offsetof(struct thing, map)},
    {"Inner", read_inner, offsetof(struct thing, inner)},
};

/* One document, read to its end. */
struct reading {
	struct arena arena;
	struct thing thing;
	struct err err;
	int result;
};

static void
read_thing(struct text input, struct reading *reading)
{
	struct json json;

	*reading = (struct reading){0};
	json = json_start(input, &reading->arena, &reading->err);
	reading->result =
	    json_read_struct(&json, thing_fields, COUNT(thing_fields), &reading->thing);
	if (reading->result == 0)
		reading->result = json_finish(&json);
}

static void
check_refused(struct text input, enum err_code code, const char *why)
{
	struct reading reading;

	read_thing(input, &reading);
	if (reading.result == 0)
		fail_msg("%.*s is read", (int)input.len, input.at);
	if (reading.err.code != code || !strstr(reading.err.text, why))
		fail_msg("%.*s: code %d, \"%s\" and not code %d, \"%s\"", (int)input.len,
		         input.at, reading.err.code, reading.err.text, code, why);
	arena_free(&reading.arena);
}

static void
check_read(struct text input, struct reading *reading)
{
	read_thing(input, reading);
	if (reading->result != 0)
		fail_msg("%.*s: %s", (int)input.len, input.at, reading->err.text);
}

/* ---- keys ---- */

static const struct {
	struct text key;
	const char *name;
	bool matches;
} keys[] = {
    {{"Task", 4}, "Task", true},
    {{"task", 4}, "Task", true},
    {{"TASK", 4}, "Task", true},
    {{"tAsK", 4}, "Task", true},
    {{"ta\xc5\xbfk", 5}, "Task", true},
    {{"TAS\xe2\x84\xaa", 6}, "Task", true},
    {{"ta\xc5\xbf\xe2\x84\xaa", 7}, "Task", true},
    {{"Tas", 3}, "Task", false},
    {{"Tasks", 5}, "Task", false},
    {{"Task\0", 5}, "Task", false},
    {{"Task\xcc\x81", 6}, "Task", false},
    {{" Task", 5}, "Task", false},
    {{"", 0}, "Task", false},
    {{"\xc5\xbf", 2}, "x", false},
    {{"ta\xc5\xbf", 4}, "Task", false},
    {{"ta\xc5", 3}, "Task", false},
    {{"tas\xe2\x84", 5}, "Task", false},
    {{"\xc4\xb1nner", 6}, "Inner", false}, /* dotless i folds to no ASCII letter */
    {{"\xc4\xb0nner", 6}, "Inner", false},
    {{"ta\xe1\xba\x9ek", 6}, "Task", false},    /* capital sharp s */
    {{"\xef\xbc\xb4\x61sk", 6}, "Task", false}, /* fullwidth T */
    {{"a_b", 3}, "A_B", true},
    {{"a\x7f"
      "b",
      3},
     "a_b",
     false}, /* '_' and DEL differ in the bit of the case only */
    {{"[", 1}, "{", false},
    {{"@", 1}, "`", false},
};

static void
keys_match_as_encoding_json_folds_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		if (json_key_matches(keys[i].key, keys[i].name) != keys[i].matches)
			fail_msg("row %zu, key %s", i, keys[i].key.at);
	}
}

static void
every_spelling_of_a_key_reaches_the_field(void **state)
{
	static const char *const spellings[] = {
	    "{\"Task\":\"x\"}",
	    "{\"task\":\"x\"}",
	    "{\"TASK\":\"x\"}",
	    "{\"\\u0054ask\":\"x\"}",
	    "{\"ta\\u017fk\":\"x\"}",
	    "{\"TAS\\u212A\":\"x\"}",
	    "{\"ta\\u017F\\u212a\":\"x\"}",
	    "{\"\\u0074\\u0061\\u0073\\u006b\":\"x\"}",
	    "{\"ta\xc5\xbfk\":\"x\"}",
	    "{ \"other\" : 1 ,\t\"tas\xe2\x84\xaa\"\r\n:\"x\" }",
	};
	char input[128];
	struct reading reading;

	(void)state;
	for (size_t i = 0; i < COUNT(spellings); i++) {
		(void)snprintf(input, sizeof input, "{\"Inner\":%s}", spellings[i]);
		check_read(text_of(input), &reading);
		assert_true(text_is(reading.thing.inner.task, "x"));
		arena_free(&reading.arena);
	}
}

static void
other_keys_reach_no_field(void **state)
{
	static const char *const spellings[] = {
	    "{\"Task\\u0000\":\"x\"}", "{\" Task\":\"x\"}", "{\"\\\\u0054ask\":\"x\"}",
	    "{\"Inner\":{\"Task\":\"x\"}}", "{\"T\\u0430sk\":\"x\"}"};
	char input[128];
	struct reading reading;

	(void)state;
	for (size_t i = 0; i < COUNT(spellings); i++) {
		(void)snprintf(input, sizeof input, "{\"Inner\":%s}", spellings[i]);
		check_read(text_of(input), &reading);
		assert_null(reading.thing.inner.task.at);
		arena_free(&reading.arena);
	}
}

/* ---- what is ambiguous ---- */

static void
a_field_given_twice_in_any_spelling_is_ambiguous(void **state)
{
	static const char *const pairs[][2] = {{"Task", "Task"},
	                                       {"Task", "task"},
	                                       {"task", "TASK"},
	                                       {"Task", "ta\\u017fk"},
	                                       {"Tas\\u212a", "Task"},
	                                       {"\\u0054ask", "Task"},
	                                       {"Ta\xc5\xbfk", "tas\xe2\x84\xaa"}};
	static const char *const values[][2] = {
	    {"\"a\"", "\"b\""}, {"\"a\"", "\"a\""}, {"\"a\"", "null"}, {"null", "\"a\""}};
	char input[128];

	(void)state;
	for (size_t i = 0; i < COUNT(pairs) * COUNT(values); i++) {
		const char *const *pair = pairs[i % COUNT(pairs)];
		const char *const *value = values[i / COUNT(pairs)];

		(void)snprintf(input, sizeof input, "{\"Inner\":{\"%s\":%s,\"%s\":%s}}",
		               pair[0], value[0], pair[1], value[1]);
		check_refused(text_of(input), ERR_AMBIGUOUS,
		              "Inner: Task is given twice");
	}
}

static void
each_kind_of_field_is_refused_when_given_twice(void **state)
{
	static const char *const fields[] = {
	    "\"Text\":\"a\"", "\"Raw\":1",  "\"Flag\":true", "\"Present\":1",
	    "\"List\":[]",    "\"Map\":{}", "\"Inner\":{}"};
	char input[128];

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		(void)snprintf(input, sizeof input, "{%s,\"x\":0,%s}", fields[i],
		               fields[i]);
		check_refused(text_of(input), ERR_AMBIGUOUS, "is given twice");
	}
}

static void
keys_that_nobody_judges_may_repeat(void **state)
{
	struct reading reading;

	(void)state;
	check_read(TEXT_LIT("{\"x\":1,\"x\":2,\"X\":{\"Text\":1,\"text\":2}}"), &reading);
	arena_free(&reading.arena);
}

static void
null_as_an_element_is_ambiguous(void **state)
{
	(void)state;
	check_refused(TEXT_LIT("{\"List\":[null]}"), ERR_AMBIGUOUS, "List: null as an");
	check_refused(TEXT_LIT("{\"List\":[\"a\",null]}"), ERR_AMBIGUOUS, "null as an");
}

static void
what_follows_the_value_is_ambiguous(void **state)
{
	static const char *const tails[] = {"x", "{}", "}",  "]",        ",",    "null",
	                                    "0", "\"", "\v", "\xc2\xa0", "\x1e", "//"};
	char input[16];

	(void)state;
	for (size_t i = 0; i < COUNT(tails); i++) {
		(void)snprintf(input, sizeof input, "{} \n%s", tails[i]);
		check_refused(text_of(input), ERR_AMBIGUOUS,
		              "something follows the JSON");
	}
	check_refused((struct text){"{}\0", 3}, ERR_AMBIGUOUS, "something follows");
}

static void
white_space_may_stand_around_the_value(void **state)
{
	struct reading reading;

	(void)state;
	check_read(TEXT_LIT(" \t\r\n{ \"Text\" : \"a\" , \"Flag\" : true } \t\r\n"),
	           &reading);
	assert_true(text_is(reading.thing.text, "a"));
	assert_true(reading.thing.flag);
	arena_free(&reading.arena);
}

/* ---- null ---- */

static void
null_means_nothing_given(void **state)
{
	struct reading reading;

	(void)state;
	check_read(TEXT_LIT("{\"Text\":null,\"Raw\":null,\"Flag\":null,\"Present\":null,"
	                    "\"List\":null,\"Map\":null,\"Inner\":null}"),
	           &reading);
	assert_null(reading.thing.text.at);
	assert_true(text_is(reading.thing.raw, "null"));
	assert_false(reading.thing.flag);
	assert_false(reading.thing.present);
	assert_int_equal(reading.thing.list.count, 0);
	assert_int_equal(reading.thing.map.count, 0);
	assert_null(reading.thing.inner.task.at);
	arena_free(&reading.arena);
}

static void
null_leaves_a_bool_as_it_was(void **state)
{
	struct json json = json_start(TEXT_LIT("null"), NULL, NULL);
	bool flag = true;

	(void)state;
	assert_int_equal(json_read_bool(&json, &flag), 0);
	assert_true(flag);
}

static void
null_for_the_whole_is_no_object(void **state)
{
	(void)state;
	check_refused(TEXT_LIT("null"), ERR_TYPE, "should be an object");
}

/* ---- types ---- */

static void
a_wrong_type_is_refused(void **state)
{
	static const struct {
		const char *input, *why;
	} rows[] = {
	    {"{\"Text\":1}", "Text: should be a string"},
	    {"{\"Text\":[]}", "Text: should be a string"},
	    {"{\"Text\":true}", "Text: should be a string"},
	    {"{\"Flag\":\"true\"}", "Flag: should be true or false"},
	    {"{\"Flag\":1}", "Flag: should be true or false"},
	    {"{\"Flag\":[true]}", "Flag: should be true or false"},
	    {"{\"List\":\"a\"}", "List: should be a list"},
	    {"{\"List\":{}}", "List: should be a list"},
	    {"{\"List\":[1]}", "List: should be a string"},
	    {"{\"List\":[[\"a\"]]}", "List: should be a string"},
	    {"{\"Map\":[]}", "Map: should be an object"},
	    {"{\"Map\":{\"k\":1}}", "Map: should be a string"},
	    {"{\"Inner\":[]}", "Inner: should be an object"},
	    {"{\"Inner\":{\"Task\":{}}}", "Inner: Task: should be a string"},
	    {"[]", "should be an object"},
	    {"\"a\"", "should be an object"},
	    {"0", "should be an object"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_refused(text_of(rows[i].input), ERR_TYPE, rows[i].why);
}

/* ---- maps ---- */

static void
keys_of_maps_are_exact_and_the_last_wins(void **state)
{
	struct reading reading;
	const struct text_pair *at;

	(void)state;
	check_read(TEXT_LIT("{\"Map\":{\"a\":\"1\",\"A\":\"2\",\"\\u0061\":\"3\","
	                    "\"n\":\"4\",\"n\":null,\"\":\"5\"}}"),
	           &reading);
	assert_int_equal(reading.thing.map.count, 4);
	at = reading.thing.map.at;
	assert_true(text_is(at[0].key, "a") && text_is(at[0].value, "3"));
	assert_true(text_is(at[1].key, "A") && text_is(at[1].value, "2"));
	assert_true(text_is(at[2].key, "n") && text_is(at[2].value, ""));
	assert_non_null(at[2].value.at); /* Go's zero value is not "missing" */
	assert_true(text_is(at[3].key, "") && text_is(at[3].value, "5"));
	arena_free(&reading.arena);
}

/* ---- limits ---- */

/* `count` copies of `unit` with commas between them. */
static char *
repeated(const char *open, const char *unit, size_t count, const char *close)
{
	size_t room = strlen(open) + count * (strlen(unit) + 1) + strlen(close) + 1;
	char *all = malloc(room), *at;

	assert_non_null(all);
	at = all + snprintf(all, room, "%s", open);
	for (size_t i = 0; i < count; i++)
		at += snprintf(at, room - (size_t)(at - all), "%s%s", i ? "," : "", unit);
	(void)snprintf(at, room - (size_t)(at - all), "%s", close);
	return all;
}

static void
a_list_has_room_for_so_many_and_no_more(void **state)
{
	char *fits = repeated("{\"List\":[", "\"ab\"", JSON_LIST_MAX, "]}");
	char *over = repeated("{\"List\":[", "\"ab\"", JSON_LIST_MAX + 1, "]}");
	struct reading reading;

	(void)state;
	check_read(text_of(fits), &reading);
	assert_int_equal(reading.thing.list.count, JSON_LIST_MAX);
	for (size_t i = 0; i < JSON_LIST_MAX; i++)
		assert_true(text_is(reading.thing.list.at[i], "ab"));
	arena_free(&reading.arena);
	check_refused(text_of(over), ERR_LIMIT, "List: more than 4096 elements");
	free(fits);
	free(over);
}

static void
a_map_has_room_for_so_many_and_no_more(void **state)
{
	enum { ROOM = 32 * (JSON_MAP_MAX + 2) };
	char *input = malloc(ROOM), *at;
	struct reading reading;

	(void)state;
	assert_non_null(input);
	for (size_t count = JSON_MAP_MAX; count <= JSON_MAP_MAX + 1; count++) {
		at = input + snprintf(input, ROOM, "{\"Map\":{");
		for (size_t i = 0; i < count; i++)
			at += snprintf(at, (size_t)(input + ROOM - at), "%s\"%zu\":\"v\"",
			               i ? "," : "", i);
		(void)snprintf(at, (size_t)(input + ROOM - at), "}}");
		if (count > JSON_MAP_MAX) {
			check_refused(text_of(input), ERR_LIMIT,
			              "more than 1024 members");
			break;
		}
		check_read(text_of(input), &reading);
		assert_int_equal(reading.thing.map.count, JSON_MAP_MAX);
		assert_true(text_is(reading.thing.map.at[1023].key, "1023"));
		arena_free(&reading.arena);
	}
	free(input);
}

/* {"x": [[[ ... ]]]} of `depth` levels in all. */
static char *
nested(size_t depth, const char *key, const char *open, const char *close)
{
	size_t room = depth * (strlen(open) + strlen(close)) + strlen(key) + 16;
	char *all = malloc(room), *at;

	assert_non_null(all);
	at = all + snprintf(all, room, "{\"%s\":", key);
	for (size_t i = 1; i < depth; i++)
		at = stpcpy(at, open);
	for (size_t i = 1; i < depth; i++)
		at = stpcpy(at, close);
	(void)stpcpy(at, "}");
	return all;
}

static void
nesting_ends_where_encoding_json_ends_it(void **state)
{
	static const char *const where[] = {"x", "Raw", "Present"};
	struct reading reading;

	(void)state;
	for (size_t i = 0; i < COUNT(where); i++) {
		char *fits = nested(JSON_DEPTH_MAX, where[i], "[", "]");
		char *over = nested(JSON_DEPTH_MAX + 1, where[i], "[", "]");

		check_read(text_of(fits), &reading);
		arena_free(&reading.arena);
		check_refused(text_of(over), ERR_LIMIT, "nested deeper than 10000");
		free(fits);
		free(over);
	}
}

static void
objects_nest_as_deep_as_lists(void **state)
{
	char *over = nested(JSON_DEPTH_MAX + 1, "x", "{\"\":[", "0]}");
	char *open = nested(JSON_DEPTH_MAX + 5, "x", "[", "");

	(void)state;
	check_refused(text_of(over), ERR_LIMIT, "nested deeper than 10000");
	check_refused(text_of(open), ERR_LIMIT, "nested deeper than 10000");
	free(over);
	free(open);
}

static void
depth_is_given_back_when_a_value_ends(void **state)
{
	char *input = repeated("{\"x\":[", "[[{\"a\":[{}]}]]", 5000, "]}");
	struct reading reading;

	(void)state;
	check_read(text_of(input), &reading);
	arena_free(&reading.arena);
	free(input);
}

/* ---- grammar ---- */

static const char *const numbers[] = {
    "0",   "-0",      "1",     "10",      "-1",
    "1.5", "0.0",     "1e1",   "1E+1",    "1e-1",
    "0e0", "1.5e300", "1e999", "-0.1e-0", "123456789012345678901234567890"};
static const char *const no_numbers[] = {
    "00",  "01",  "-",   "-01",      "+1",  ".5", "1.",    "1.e1",  "1e",
    "1e+", "0x1", "1_0", "Infinity", "NaN", "-a", "1.5.5", "1e5e5", "--1"};

static void
numbers_are_those_of_the_rfc(void **state)
{
	char input[128];
	struct reading reading;

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		(void)snprintf(input, sizeof input, "{\"Raw\":%s,\"x\":[%s]}", numbers[i],
		               numbers[i]);
		check_read(text_of(input), &reading);
		assert_true(text_is(reading.thing.raw, numbers[i]));
		arena_free(&reading.arena);
	}
	for (size_t i = 0; i < COUNT(no_numbers); i++) {
		(void)snprintf(input, sizeof input, "{\"x\":%s}", no_numbers[i]);
		check_refused(text_of(input), ERR_SYNTAX, "");
	}
}

static const char *const no_json[] = {
    "",
    " ",
    "{",
    "}",
    "{\"",
    "{\"a",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{,}",
    "{a:1}",
    "{'a':1}",
    "{\"a\" 1}",
    "{\"a\"::1}",
    "{1:1}",
    "{null:1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1,,\"b\":2}",
    "{\"a\":[}",
    "{\"a\":]}",
    "{\"a\":[1,]}",
    "{\"a\":[,1]}",
    "{\"a\":[1 2]}",
    "{\"a\":[1}",
    "{\"a\":{\"b\":1]}",
    "{\"a\":tru}",
    "{\"a\":True}",
    "{\"a\":nul}",
    "{\"a\":truefalse}",
    "{\"a\":undefined}",
    "{/**/}",
    "//\n{}",
    "\xef\xbb\xbf{}",
    "{\"Present\":tru}",
    "{\"Text\":}",
    "{\"Flag\":}",
    "{\"Flag\":truE}",
    "{\"Flag\":falsy}",
    "{\"List\":}",
    "{\"List\":[}",
    "{\"List\":[\"a\"",
    "{\"Map\":}",
    "{\"Map\":{\"a\":}}",
    "{\"Map\":{\"a\"}}",
    "{\"List\":nul}",
    "{\"Text\":n",
};

static void
what_is_not_json_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(no_json); i++)
		check_refused(text_of(no_json[i]), ERR_SYNTAX, "byte");
}

static void
every_cut_of_a_document_is_refused(void **state)
{
	static const char whole[] =
	    "{\"Text\":\"a\\u00e9\\n\",\"x\":[1.5e+3,{\"y\":[]},\"\xe2\x82\xac\",true],"
	    "\"List\":[\"a\"],\"Map\":{\"k\":\"v\"},\"Inner\":{\"Task\":null}}";
	struct reading reading;

	(void)state;
	check_read(TEXT_LIT(whole), &reading);
	arena_free(&reading.arena);
	for (size_t len = 0; len < sizeof whole - 1; len++) {
		char *cut = malloc(len + 1); /* exact room: sanitizers see overreads */

		assert_non_null(cut);
		memcpy(cut, whole, len);
		cut = realloc(cut, len ? len : 1);
		read_thing((struct text){cut, len}, &reading);
		assert_int_equal(reading.result, -1);
		arena_free(&reading.arena);
		free(cut);
	}
}

/* ---- strings ---- */

static void
escapes_mean_what_the_rfc_says(void **state)
{
	static const struct {
		const char *in;
		struct text out;
	} rows[] = {
	    {"\\\"\\\\\\/\\b\\f\\n\\r\\t", {"\"\\/\b\f\n\r\t", 8}},
	    {"\\u0000", {"\0", 1}},
	    {"\\u0041\\u00e9\\u20AC", {"A\xc3\xa9\xe2\x82\xac", 6}},
	    {"\\ud83d\\udc33", {"\xf0\x9f\x90\xb3", 4}},
	    {"\\uD83D\\uDC33x", {"\xf0\x9f\x90\xb3x", 5}},
	    {"a\\u007fb",
	     {"a\x7f"
	      "b",
	      3}},
	    {"\\uffff", {"\xef\xbf\xbf", 3}},
	    {"\\udbff\\udfff", {"\xf4\x8f\xbf\xbf", 4}},
	    {"12345678901234567\\n", {"12345678901234567\n", 18}},
	    {"\x7f", {"\x7f", 1}},
	    {"", {"", 0}},
	};
	char input[64];
	struct reading reading;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)snprintf(input, sizeof input, "{\"Text\":\"%s\"}", rows[i].in);
		check_read(text_of(input), &reading);
		assert_true(text_equal(reading.thing.text, rows[i].out));
		arena_free(&reading.arena);
	}
}

static void
bad_escapes_are_no_json(void **state)
{
	static const char *const bad[] = {
	    "\\",      "\\x41", "\\u", "\\u1", "\\u12",   "\\u123",  "\\u12g4",
	    "\\U0041", "\\0",   "\\'", "\\a",  "\\u+123", "\\u 123", "\\ud83d\\u12"};
	char input[64];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		(void)snprintf(input, sizeof input, "{\"Text\":\"%s\"}", bad[i]);
		check_refused(text_of(input), ERR_SYNTAX, "");
		(void)snprintf(input, sizeof input, "{\"x\":\"%s\"}", bad[i]);
		check_refused(text_of(input), ERR_SYNTAX, "");
		(void)snprintf(input, sizeof input, "{\"%s\":0}", bad[i]);
		check_refused(text_of(input), ERR_SYNTAX, "");
	}
}

static void
half_a_surrogate_pair_is_ambiguous_where_it_is_judged(void **state)
{
	static const char *const halves[] = {
	    "\\ud83d",        "\\udc33",        "\\ud83dx",      "\\ud83d\\n",
	    "\\ud83d\\ud83d", "\\udc33\\ud83d", "\\ud83d\\u0041"};
	char input[64];
	struct reading reading;

	(void)state;
	for (size_t i = 0; i < COUNT(halves); i++) {
		(void)snprintf(input, sizeof input, "{\"Text\":\"%s\"}", halves[i]);
		check_refused(text_of(input), ERR_AMBIGUOUS, "half of a surrogate pair");
		(void)snprintf(input, sizeof input, "{\"%s\":0}", halves[i]);
		check_refused(text_of(input), ERR_AMBIGUOUS, "half of a surrogate pair");
		(void)snprintf(input, sizeof input, "{\"x\":\"%s\"}", halves[i]);
		check_read(text_of(input), &reading);
		arena_free(&reading.arena);
	}
}

static void
bytes_that_are_not_utf8_are_ambiguous_everywhere(void **state)
{
	static const char *const bad[] = {
	    "\x80", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80",
	    "\xff", "\xe2\x82", "1234567\xff"};
	static const char *const places[] = {"{\"Text\":\"%s\"}", "{\"x\":\"%s\"}",
	                                     "{\"%s\":0}", "{\"x\":[{\"%s\":0}]}"};
	char input[64];

	(void)state;
	for (size_t i = 0; i < COUNT(bad) * COUNT(places); i++) {
		const char *place = places[i / COUNT(bad)];
		const char *hole = strstr(place, "%s");

		(void)snprintf(input, sizeof input, "%.*s%s%s", (int)(hole - place),
		               place, bad[i % COUNT(bad)], hole + 2);
		check_refused(text_of(input), ERR_AMBIGUOUS, "not UTF-8");
	}
}

static void
control_characters_in_strings_are_no_json(void **state)
{
	char input[] = "{\"x\":\"12345?789abcdef\"}";

	(void)state;
	for (char c = 0; c < 0x20; c++) {
		input[11] = c;
		check_refused((struct text){input, sizeof input - 1}, ERR_SYNTAX,
		              "control character");
	}
}

/* The reader looks at eight bytes at a time: the quote in every place of them. */
static void
a_string_ends_at_its_quote_wherever_that_stands(void **state)
{
	char input[64], value[32];
	struct reading reading;

	(void)state;
	for (int len = 0; len < 24; len++) {
		memset(value, 'v', sizeof value);
		value[len] = '\0';
		(void)snprintf(input, sizeof input, "{\"Text\":\"%s\",\"Flag\":true}",
		               value);
		check_read(text_of(input), &reading);
		assert_true(text_is(reading.thing.text, value));
		assert_true(reading.thing.flag);
		arena_free(&reading.arena);
	}
}

/* ---- where and what ---- */

/* What long strings are made of, as it is written and as it is meant. */
static const struct {
	struct text written, meant;
} pieces[] = {
    {{"a", 1}, {"a", 1}},
    {{"name", 4}, {"name", 4}},
    {{"sixteen plain ch", 16}, {"sixteen plain ch", 16}},
    {{"\\\"", 2}, {"\"", 1}},
    {{"\\\"", 2}, {"\"", 1}},
    {{"\\\\", 2}, {"\\", 1}},
    {{"\\\\\\\"", 4}, {"\\\"", 2}},
    {{"\\n", 2}, {"\n", 1}},
    {{"\\/", 2}, {"/", 1}},
    {{"\\u0000", 6}, {"\0", 1}},
    {{"\\u00e9", 6}, {"\xc3\xa9", 2}},
    {{"\\ud83d\\ude00", 12}, {"\xf0\x9f\x98\x80", 4}},
    {{"\xc3\xa9", 2}, {"\xc3\xa9", 2}},
};

enum { PIECES_MAX = 48 };

/* A document with a string of `count` pieces, of which the one at `bad` is `wrong` (none if
   it is missing); on the heap, where sanitizers watch its end. */
static struct text
write_document(unsigned seed, size_t count, size_t bad, struct text wrong,
               struct buf *meant)
{
	cleanup_buf struct buf document = {0};
	char *exact;

	buf_str(&document, "{\"Text\":\"");
	for (size_t i = 0; i < count; i++) {
		size_t piece;

		seed = seed * 1103515245 + 12345;
		piece = (seed >> 16) % COUNT(pieces);
		if (wrong.at && i == bad)
			buf_add(&document, wrong.at, wrong.len);
		buf_add(&document, pieces[piece].written.at, pieces[piece].written.len);
		buf_add(meant, pieces[piece].meant.at, pieces[piece].meant.len);
	}
	buf_str(&document, "\"}");
	exact = malloc(document.len);
	assert_non_null(exact);
	memcpy(exact, document.at, document.len);
	return (struct text){.at = exact, .len = document.len};
}

static void
escapes_anywhere_in_a_long_string_mean_the_same(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 4000; seed++) {
		cleanup_buf struct buf meant = {0};
		struct text document =
		    write_document(seed, seed % PIECES_MAX, 0, (struct text){0}, &meant);
		struct reading reading = {0};

		read_thing(document, &reading);
		assert_int_equal(reading.result, 0);
		assert_int_equal(reading.thing.text.len, meant.len);
		assert_true(text_equal(reading.thing.text, buf_text(&meant)));
		arena_free(&reading.arena);
		free((void *)(uintptr_t)document.at);
	}
}

static void
what_is_wrong_anywhere_in_a_long_string_is_refused(void **state)
{
	static const struct text wrong[] = {
	    {"\\x", 2}, {"\\u12g4", 6}, {"\x1f", 1}, {"\xff", 1}, {"\xc3", 1}};

	(void)state;
	for (unsigned seed = 0; seed < 4000; seed++) {
		cleanup_buf struct buf meant = {0};
		size_t count = 1 + seed % PIECES_MAX;
		struct text document = write_document(seed, count, seed / 7 % count,
		                                      wrong[seed % COUNT(wrong)], &meant);
		struct reading reading = {0};

		read_thing(document, &reading);
		assert_int_equal(reading.result, -1);
		arena_free(&reading.arena);
		free((void *)(uintptr_t)document.at);
	}
}

static void
a_complaint_names_the_field_and_the_place(void **state)
{
	(void)state;
	check_refused(TEXT_LIT("{\"Flag\":1}"), ERR_TYPE,
	              "Flag: should be true or false (byte 8)");
	check_refused(TEXT_LIT("{}  x"), ERR_AMBIGUOUS, "(byte 4)");
	check_refused(TEXT_LIT("{\"a\":}"), ERR_SYNTAX,
	              "not JSON: a value should be here (byte 5)");
	check_refused(TEXT_LIT("{\"Inner\":{\"Task\":["), ERR_TYPE,
	              "Inner: Task: should be a string (byte 17)");
	check_refused(TEXT_LIT("{\"List\":["), ERR_SYNTAX,
	              "the JSON ends where a value should be (byte 9)");
}

static void
a_complaint_never_repeats_the_input(void **state)
{
	static const char *const inputs[] = {"{\"S3CRET\":x}",
	                                     "{\"Text\":\"S3CRET\\q\"}",
	                                     "{\"Flag\":\"S3CRET\"}",
	                                     "{\"List\":[\"S3CRET\",0]}",
	                                     "{\"Map\":{\"S3CRET\":0}}",
	                                     "S3CRET",
	                                     "{} S3CRET"};
	struct reading reading;

	(void)state;
	for (size_t i = 0; i < COUNT(inputs); i++) {
		read_thing(text_of(inputs[i]), &reading);
		assert_int_equal(reading.result, -1);
		assert_null(strstr(reading.err.text, "S3CRET"));
		arena_free(&reading.arena);
	}
}

static void
texts_without_escapes_point_into_the_input(void **state)
{
	struct text input = TEXT_LIT("{\"Text\":\"abc\",\"Raw\": [1, 2] }");
	struct reading reading;

	(void)state;
	check_read(input, &reading);
	assert_ptr_equal(reading.thing.text.at, input.at + 9);
	assert_true(text_is(reading.thing.raw, "[1, 2]"));
	assert_int_equal(reading.arena.total, 0);
	arena_free(&reading.arena);
}

static void
a_table_of_too_many_fields_is_refused(void **state)
{
	struct json_field fields[JSON_FIELDS_MAX + 1] = {0};
	struct err err = {0};
	struct json json = json_start(TEXT_LIT("{}"), NULL, &err);
	struct thing thing;

	(void)state;
	assert_int_equal(json_read_struct(&json, fields, COUNT(fields), &thing), -1);
	assert_int_equal(err.code, ERR_LIMIT);
}

static void
without_memory_reading_fails_with_that(void **state)
{
	static const char *const inputs[] = {"{\"Text\":\"\\n\"}", "{\"\\n\":0}",
	                                     "{\"List\":[\"a\"]}",
	                                     "{\"Map\":{\"a\":\"b\"}}"};

	(void)state;
	for (size_t i = 0; i < COUNT(inputs); i++) {
		struct arena arena = {.limit = 1};
		struct err err = {0};
		struct json json = json_start(text_of(inputs[i]), &arena, &err);
		struct thing thing = {0};

		assert_int_equal(
		    json_read_struct(&json, thing_fields, COUNT(thing_fields), &thing),
		    -1);
		assert_int_equal(err.code, ERR_MEMORY);
		assert_non_null(strstr(err.text, "out of memory"));
	}
}

static void
keys_of_an_exact_reader_have_one_spelling(void **state)
{
	static const struct {
		const char *input;
		enum err_code code;
	} rows[] = {
	    {"{\"Text\":\"a\"}", ERR_NONE},
	    {"{\"\\u0054ext\":\"a\"}", ERR_NONE},
	    {"{\"text\":\"a\"}", ERR_AMBIGUOUS},
	    {"{\"TEXT\":\"a\",\"Text\":\"b\"}", ERR_AMBIGUOUS},
	    {"{\"Inner\":{\"ta\xc5\xbf\xe2\x84\xaa\":\"a\"}}", ERR_AMBIGUOUS},
	    {"{\"Text\":\"a\",\"Text\":\"a\"}", ERR_AMBIGUOUS},
	    {"{\"Other\":1,\"other\":2,\"Map\":{\"a\":\"\",\"A\":\"\"}}", ERR_NONE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_arena struct arena arena = {0};
		struct err err = {0};
		struct thing thing = {0};
		struct json json = json_start(text_of(rows[i].input), &arena, &err);

		json.exact = true;
		(void)json_read_struct(&json, thing_fields, COUNT(thing_fields), &thing);
		if (err.code != rows[i].code)
			fail_msg("%s: %d (%s)", rows[i].input, err.code, err.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_of_an_exact_reader_have_one_spelling),
	    cmocka_unit_test(keys_match_as_encoding_json_folds_them),
	    cmocka_unit_test(every_spelling_of_a_key_reaches_the_field),
	    cmocka_unit_test(other_keys_reach_no_field),
	    cmocka_unit_test(a_field_given_twice_in_any_spelling_is_ambiguous),
	    cmocka_unit_test(each_kind_of_field_is_refused_when_given_twice),
	    cmocka_unit_test(keys_that_nobody_judges_may_repeat),
	    cmocka_unit_test(null_as_an_element_is_ambiguous),
	    cmocka_unit_test(what_follows_the_value_is_ambiguous),
	    cmocka_unit_test(white_space_may_stand_around_the_value),
	    cmocka_unit_test(null_means_nothing_given),
	    cmocka_unit_test(null_leaves_a_bool_as_it_was),
	    cmocka_unit_test(null_for_the_whole_is_no_object),
	    cmocka_unit_test(a_wrong_type_is_refused),
	    cmocka_unit_test(keys_of_maps_are_exact_and_the_last_wins),
	    cmocka_unit_test(a_list_has_room_for_so_many_and_no_more),
	    cmocka_unit_test(a_map_has_room_for_so_many_and_no_more),
	    cmocka_unit_test(nesting_ends_where_encoding_json_ends_it),
	    cmocka_unit_test(objects_nest_as_deep_as_lists),
	    cmocka_unit_test(depth_is_given_back_when_a_value_ends),
	    cmocka_unit_test(numbers_are_those_of_the_rfc),
	    cmocka_unit_test(what_is_not_json_is_refused),
	    cmocka_unit_test(every_cut_of_a_document_is_refused),
	    cmocka_unit_test(escapes_mean_what_the_rfc_says),
	    cmocka_unit_test(bad_escapes_are_no_json),
	    cmocka_unit_test(half_a_surrogate_pair_is_ambiguous_where_it_is_judged),
	    cmocka_unit_test(bytes_that_are_not_utf8_are_ambiguous_everywhere),
	    cmocka_unit_test(control_characters_in_strings_are_no_json),
	    cmocka_unit_test(a_string_ends_at_its_quote_wherever_that_stands),
	    cmocka_unit_test(escapes_anywhere_in_a_long_string_mean_the_same),
	    cmocka_unit_test(what_is_wrong_anywhere_in_a_long_string_is_refused),
	    cmocka_unit_test(a_complaint_names_the_field_and_the_place),
	    cmocka_unit_test(a_complaint_never_repeats_the_input),
	    cmocka_unit_test(texts_without_escapes_point_into_the_input),
	    cmocka_unit_test(a_table_of_too_many_fields_is_refused),
	    cmocka_unit_test(without_memory_reading_fails_with_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
