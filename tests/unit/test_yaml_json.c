/* SPDX-License-Identifier: Apache-2.0 */
/* test_yaml_json.c - what YAML becomes as JSON, where it stood, and what is refused. */
#include "edge/yaml_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The documents of a text, one a line; then "! L:C text" of an error. */
static void
read_all(struct text input, enum yaml_dialect dialect, struct buf *out)
{
	struct yaml_reader *reader = yaml_open(input, dialect);
	struct yaml_document document = {.marks = NULL};
	struct yaml_place place;
	struct err err = {0};
	int more;

	assert_non_null(reader);
	while ((more = yaml_next(reader, &document, &place, &err)) > 0) {
		buf_add_text(out, buf_text(&document.json));
		buf_char(out, '\n');
	}
	assert_int_equal(more < 0, err.code != ERR_NONE);
	if (more < 0)
		buf_printf(out, "! %u:%u %s", place.line, place.column, err.text);
	assert_true(buf_ok(out));
	yaml_document_free(&document);
	yaml_close(reader);
}

static void
expect(enum yaml_dialect dialect, const char *yaml, const char *json)
{
	cleanup_buf struct buf out = {0};

	read_all(text_of(yaml), dialect, &out);
	if (strcmp(buf_text(&out).at, json) != 0)
		fail_msg("%s\ngave %s\nnot  %s", yaml, buf_text(&out).at, json);
}

static void
expect_refused(enum yaml_dialect dialect, const char *yaml, const char *place,
               const char *why)
{
	cleanup_buf struct buf out = {0};
	const char *at;

	read_all(text_of(yaml), dialect, &out);
	at = strchr(buf_text(&out).at, '!');
	if (!at || strncmp(at + 2, place, strlen(place)) != 0 || !strstr(at, why))
		fail_msg("%s\ngave %s\nnot  ! %s ... %s", yaml, buf_text(&out).at, place,
		         why);
}

static const char *const same_in_both[][2] = {
    {"", ""},
    {"# nothing", ""},
    {"a: b", "{\"a\":\"b\"}\n"},
    {"- 1\n- -2.5e3\n- 0\n", "[1,-2.5e3,0]\n"},
    {"[01, 0x1f, 1_000, +1, .5, .inf, 1., 2020-01-01, 1:30]",
     "[\"01\",\"0x1f\",\"1_000\",\"+1\",\".5\",\".inf\",\"1.\",\"2020-01-01\",\"1:30\"]"
     "\n"},
    {"[null, Null, NULL, ~, nULL]", "[null,null,null,null,\"nULL\"]\n"},
    {"a:\nb: ~", "{\"a\":null,\"b\":null}\n"},
    {"[true, True, TRUE, tRUE, false, False, FALSE]",
     "[true,true,true,\"tRUE\",false,false,false]\n"},
    {"['true', \"null\", '1', \"~\", '']", "[\"true\",\"null\",\"1\",\"~\",\"\"]\n"},
    {"[!!str true, !!str 1, ! 1, !!bool yes, !!bool \"off\", !!int \"3\", !!null x]",
     "[\"true\",\"1\",\"1\",true,false,3,null]\n"},
    {"a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{\"a\":\"x\\ny\\n\",\"b\":\"x y\"}\n"},
    {"\"\\x41\\u00e9\\U0001F600\\0\\n\"", "\"A\xc3\xa9\xf0\x9f\x98\x80\\u0000\\n\"\n"},
    {"{1: a, true: b, ~: c, 2.0: d}",
     "{\"1\":\"a\",\"true\":\"b\",\"~\":\"c\",\"2.0\":\"d\"}\n"},
    {"a: &x [1, {b: 2}]\nc: *x", "{\"a\":[1,{\"b\":2}],\"c\":[1,{\"b\":2}]}\n"},
    {"&k a: 1\nb: *k", "{\"a\":1,\"b\":\"a\"}\n"},
    {"a: &x 1\nb: &x 2\nc: *x", "{\"a\":1,\"b\":2,\"c\":2}\n"},
    {"--- 1\n--- 2\n...\n---\n", "1\n2\nnull\n"},
    {"{\"a\": [1, \"b\\/\"], \"c\": null}", "{\"a\":[1,\"b/\"],\"c\":null}\n"},
    {"%YAML 1.1\n---\na: b", "{\"a\":\"b\"}\n"},
    {"%TAG !y! tag:yaml.org,2002:\n---\n[!y!str 1]", "[\"1\"]\n"},
    /* merges */
    {"a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3",
     "{\"a\":{\"x\":1,\"y\":2},\"b\":{\"y\":3,\"x\":1}}\n"},
    {"a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b], z: 3}",
     "{\"a\":{\"x\":1},\"b\":{\"x\":2,\"y\":2},\"c\":{\"z\":3,\"x\":1,\"y\":2}}\n"},
    {"c: {<<: {<<: {x: 2, y: 2}, x: 1}}", "{\"c\":{\"x\":1,\"y\":2}}\n"},
    {"{\"<<\": 1}", "{\"<<\":1}\n"},
    {"{a: 1, <<: {b: 2}}", "{\"a\":1,\"b\":2}\n"},
};

static void
document_becomes_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(same_in_both); i++) {
		expect(YAML_COMPOSE, same_in_both[i][0], same_in_both[i][1]);
		expect(YAML_KUBERNETES, same_in_both[i][0], same_in_both[i][1]);
	}
}

static void
words_of_yaml_1_1_are_booleans_in_kubernetes_only(void **state)
{
	static const char yaml[] = "[yes, Yes, on, ON, y, no, Off, n, 'yes', yEs]";

	(void)state;
	expect(YAML_KUBERNETES, yaml,
	       "[true,true,true,true,true,false,false,false,\"yes\",\"yEs\"]\n");
	expect(YAML_COMPOSE, yaml,
	       "[\"yes\",\"Yes\",\"on\",\"ON\",\"y\",\"no\",\"Off\",\"n\",\"yes\","
	       "\"yEs\"]\n");
}

static void
key_before_a_merge_wins_in_compose_and_is_refused_in_kubernetes(void **state)
{
	static const char yaml[] = "a: {x: 1,\n  <<: {x: 2}}";

	(void)state;
	expect(YAML_COMPOSE, yaml, "{\"a\":{\"x\":1}}\n");
	expect_refused(YAML_KUBERNETES, yaml, "1:5", "put the << first");
}

static void
reset_and_override_stand_around_their_values_in_compose_only(void **state)
{
	(void)state;
	expect(YAML_COMPOSE, "a: !reset [1]\nb: !reset x\nc: !override [2]\n",
	       "{\"a\":{\"!reset\":[1]},\"b\":{\"!reset\":\"x\"},"
	       "\"c\":{\"!override\":[2]}}\n");
	expect_refused(YAML_COMPOSE, "a:\n  <<: !override {x: 1}", "2:7", "no tag");
	expect_refused(YAML_KUBERNETES, "a: !reset [1]", "1:4", "tag \"!reset\"");
}

static const char *const refused[][3] = {
    {"a: 1\nb: 2\na: 3", "3:1", "\"a\" is given twice: it is there since line 1"},
    {"{a: 1, \"a\": 2}", "1:8", "given twice"},
    {"{1: x, \"1\": y}", "1:8", "given twice"},
    {"{<<: {a: 1}, <<: {b: 2}}", "1:14", "given twice"},
    {"a: &x {b: 1}\nc: {b: 2, *x : 3}", "2:11", "single word"},
    {"{[1]: 2}", "1:2", "single word"},
    {"a: *nowhere", "1:4", "no anchor \"nowhere\" stands before"},
    {"a: &x [1, *x]", "1:11", "inside of what it stands for"},
    {"&x {a: {b: *x}}", "1:12", "inside of what it stands for"},
    {"--- &x 1\n--- *x", "2:5", "no anchor"},
    {"a: !thing 1", "1:4", "tag \"!thing\""},
    {"a: !!binary aGk=", "1:4", "tag \"tag:yaml.org,2002:binary\""},
    {"a: !!set {x}", "1:4", "tag"},
    {"a: !!str [1]", "1:4", "tag"},
    {"a: !!bool perhaps", "1:4", "true or false"},
    {"{<<: 1}", "1:6", "should be a mapping"},
    {"{<<: [1]}", "1:7", "should be a mapping"},
    {"a: [1, 2", "2:1", "not YAML"},
    {"a: b: c", "1:5", "not YAML"},
    {"a:\n\t- b", "2:1", "not YAML"},
    {"a: 'b", "1:6", "not YAML"},
    {"ok: 1\n---\nbad: [", "4:1", "not YAML"},
    {"a: \xc3\x28", "0:0", "not YAML"},
    {"a: \x01", "0:0", "not YAML"},
};

static void
what_readers_could_take_differently_is_refused_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		expect_refused(YAML_COMPOSE, refused[i][0], refused[i][1], refused[i][2]);
		expect_refused(YAML_KUBERNETES, refused[i][0], refused[i][1],
		               refused[i][2]);
	}
}

/* Nine anchors of nine aliases each: 9^9 values. */
static void
aliases_that_grow_without_measure_are_refused(void **state)
{
	cleanup_buf struct buf yaml = {0}, merges = {0}, out = {0};

	(void)state;
	buf_str(&yaml, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 9; i++) {
		buf_printf(&yaml, "a%d: &a%d [", i, i);
		for (int k = 0; k < 9; k++)
			buf_printf(&yaml, "%s*a%d", k ? "," : "", i - 1);
		buf_str(&yaml, "]\n");
	}
	read_all(buf_text(&yaml), YAML_COMPOSE, &out);
	assert_non_null(strstr(out.at, "too large"));
	buf_clear(&out);
	buf_str(&merges, "a0: &a0 {x: 1, y: 2}\n");
	for (int i = 1; i < 40; i++)
		buf_printf(&merges, "a%d: &a%d {<<: [*a%d, *a%d]}\n", i, i, i - 1, i - 1);
	read_all(buf_text(&merges), YAML_COMPOSE, &out);
	assert_non_null(strstr(out.at, "too large"));
}

static void
fill(struct buf *buf, const char *what, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buf_str(buf, what);
	assert_true(buf_ok(buf));
}

static void
nesting_has_an_end(void **state)
{
	cleanup_buf struct buf good = {0}, deep = {0}, deeper = {0}, out = {0};

	(void)state;
	fill(&good, "[", YAML_DEPTH_MAX - 1);
	fill(&good, "]", YAML_DEPTH_MAX - 1);
	read_all(buf_text(&good), YAML_COMPOSE, &out);
	assert_null(strchr(out.at, '!'));
	buf_clear(&out);
	fill(&deep, "[", 100000);
	read_all(buf_text(&deep), YAML_COMPOSE, &out);
	assert_non_null(strstr(out.at, "nested deeper"));
	buf_clear(&out);
	/* no document of it is deep, but what the aliases stand for is */
	buf_str(&deeper, "a0: &a0 x\n");
	for (int i = 1; i <= YAML_DEPTH_MAX; i++)
		buf_printf(&deeper, "a%d: &a%d [*a%d]\n", i, i, i - 1);
	read_all(buf_text(&deeper), YAML_COMPOSE, &out);
	assert_non_null(strstr(out.at, "nested deeper"));
}

static void
more_values_than_a_document_may_have_are_refused(void **state)
{
	cleanup_buf struct buf yaml = {0}, out = {0};

	(void)state;
	buf_char(&yaml, '[');
	fill(&yaml, "1,", YAML_NODES_MAX);
	buf_char(&yaml, ']');
	read_all(buf_text(&yaml), YAML_COMPOSE, &out);
	assert_non_null(strstr(out.at, "more than 1048576 values"));
}

/* Many keys are found to be single without comparing each with each. */
static void
mapping_of_many_keys_is_read(void **state)
{
	cleanup_buf struct buf yaml = {0}, out = {0};

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_printf(&yaml, "k%d: 1\n", i);
	read_all(buf_text(&yaml), YAML_COMPOSE, &out);
	assert_null(strchr(out.at, '!'));
	buf_clear(&out);
	buf_str(&yaml, "k77777: 2\n");
	read_all(buf_text(&yaml), YAML_COMPOSE, &out);
	assert_non_null(strstr(out.at, "! 100001:1 "));
	assert_non_null(strstr(out.at, "since line 77778"));
}

/* Where `needle` of the JSON stood. */
static void
expect_place(const char *yaml, const char *needle, unsigned line, unsigned column)
{
	struct yaml_reader *reader = yaml_open(text_of(yaml), YAML_COMPOSE);
	struct yaml_document document = {.marks = NULL};
	struct yaml_place place;
	struct err err = {0};
	const char *at;

	assert_int_equal(yaml_next(reader, &document, &place, &err), 1);
	at = strstr(document.json.at, needle);
	assert_non_null(at);
	place = yaml_document_place(&document, (size_t)(at - document.json.at));
	if (place.line != line || place.column != column)
		fail_msg("%s: %s is at %u:%u", yaml, needle, place.line, place.column);
	yaml_document_free(&document);
	yaml_close(reader);
}

static void
value_has_the_place_where_it_is_written(void **state)
{
	(void)state;
	expect_place("a: b", "\"a\"", 1, 1);
	expect_place("a: b", "\"b\"", 1, 4);
	expect_place("a:\n  - x\n  - y\n", "\"y\"", 3, 5);
	expect_place("a:\n  b:\n    c: d", "{\"b\"", 2, 3);
	expect_place("\xc3\xa9: [x, y]", "\"y\"", 1, 8);
	expect_place("a: &x\n  b: c\nd: *x", "\"c\"}}", 2, 6);
	expect_place("a: &x {b: c}\nd:\n  <<: *x\n  e: f", "\"b\":\"c\"}}", 1, 8);
	expect_place("a: >-\n  x\n  y", "\"x y\"", 1, 4);
	expect_place("---\n---\n# c\na: b", "null", 2, 1);
	expect_place("a: b", "}", 1, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(document_becomes_json),
	    cmocka_unit_test(words_of_yaml_1_1_are_booleans_in_kubernetes_only),
	    cmocka_unit_test(
		key_before_a_merge_wins_in_compose_and_is_refused_in_kubernetes),
	    cmocka_unit_test(
		reset_and_override_stand_around_their_values_in_compose_only),
	    cmocka_unit_test(
		what_readers_could_take_differently_is_refused_with_its_place),
	    cmocka_unit_test(aliases_that_grow_without_measure_are_refused),
	    cmocka_unit_test(nesting_has_an_end),
	    cmocka_unit_test(more_values_than_a_document_may_have_are_refused),
	    cmocka_unit_test(mapping_of_many_keys_is_read),
	    cmocka_unit_test(value_has_the_place_where_it_is_written),
	};

	return cmocka_run_group_tests_name("yaml_json", tests, NULL, NULL);
}
