/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_problems.c - what is wrong with a policy file, and where. */
#include "core/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A policy around one exception, and an exception around one match. */
#define WITH(exception) "{\"version\":1,\"exceptions\":[" exception "]}"
#define HEAD            "\"id\":\"a\",\"reason\":\"r\",\"allow\":[\"unconfined\"]"
#define MATCHING(match) WITH("{" HEAD ",\"match\":{" match "}}")
#define EXPIRING(time)                                                                   \
	WITH("{" HEAD ",\"match\":{\"user\":[\"u\"]},\"expires\":\"" time "\"}")

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *text, *pointer, *says;
} bad[] = {
    {"", "", "is empty"},
    {" \n\t", "", "is empty"},
    {"null", "", "must be an object, not null"},
    {"[]", "", "must be an object, not a list"},
    {"1", "", "must be an object, not a number"},
    {"\xef\xbb\xbf{\"version\":1}", "", "byte order mark"},
    {"{}", "", "\"version\" is missing"},
    {"{\"version\":2}", "/version", "reads version 1"},
    {"{\"version\":\"1\"}", "/version", "reads version 1"},
    {"{\"version\":null}", "/version", "reads version 1"},
    {"{\"version\":0.1}", "/version", "reads version 1"},
    {"{\"version\":10}", "/version", "reads version 1"},
    {"{\"version\":-1}", "/version", "reads version 1"},
    {"{\"version\":1.5e0}", "/version", "reads version 1"},
    {"{\"version\":1e99999999999}", "/version", "reads version 1"},
    {"{\"version\":2,\"whatever\":3}", "/version", "reads version 1"},
    {"{\"version\":1,\"alow\":[]}", "/alow",
     "unknown key \"alow\"; did you mean \"allow\"?"},
    {"{\"version\":1,\"Allow\":[]}", "/Allow", "did you mean \"allow\"?"},
    {"{\"version\":1,\"a/b~c\":[]}", "/a~1b~0c", "a policy has no such key"},
    {"{\"version\":1,\"mode\":\"off\"}", "/mode",
     "unknown mode \"off\"; there are observe, enforce"},
    {"{\"version\":1,\"mode\":true}", "/mode", "not true"},
    {"{\"version\":1,\"allow\":\"default\"}", "/allow", "must be a list of postures"},
    {"{\"version\":1,\"allow\":null}", "/allow", "not null"},
    {"{\"version\":1,\"allow\":[\"unreadable\"]}", "/allow/0", "unreadable"},
    {"{\"version\":1,\"observe\":[\"unreadable\"]}", "/observe/0", "unreadable"},
    {"{\"version\":1,\"allow\":[\"default\",\"confined\"]}", "/allow/1",
     "did you mean \"unconfined\"?"},
    {"{\"version\":1,\"allow\":[\"x\"]}", "/allow/0",
     "there are privileged, unconfined, permissive, weak, unset, localhost, custom, "
     "default"},
    {"{\"version\":1,\"allow\":[\"default\",\"default\"]}", "/allow/1", "twice"},
    {"{\"version\":1,\"allow\":[\"guard:self\"]}", "/allow/0", "unknown posture"},
    {"{\"version\":1,\"allow\":[\"weak\"],\"observe\":[\"weak\"]}", "/observe",
     "\"weak\" is allowed already"},
    {"{\"version\":1,\"observe\":[\"custom\"]}", "/observe",
     "\"custom\" is allowed already"},
    {"{\"version\":1,\"guard\":[\"self\",\"self\"]}", "/guard/1", "twice"},
    {"{\"version\":1,\"guard\":[\"self\",{\"name\":\"self\",\"mode\":\"observe\"}]}",
     "/guard/1", "twice"},
    {"{\"version\":1,\"guard\":[\"selv\"]}", "/guard/0", "did you mean \"self\"?"},
    {"{\"version\":1,\"guard\":[{\"mode\":\"observe\"}]}", "/guard/0",
     "\"name\" is missing"},
    {"{\"version\":1,\"guard\":[{\"name\":\"self\",\"mode\":\"off\"}]}", "/guard/0/mode",
     "unknown mode"},
    {"{\"version\":1,\"guard\":[{\"name\":\"self\",\"if\":1}]}", "/guard/0/if",
     "unknown key"},
    {"{\"version\":1,\"guard\":[1]}", "/guard/0", "not a number"},
    {"{\"version\":1,\"guard\":{}}", "/guard", "must be a list of guards"},
    {"{\"version\":1,\"runtimes\":[]}", "/runtimes", "empty list"},
    {"{\"version\":1,\"runtimes\":[\"\"]}", "/runtimes/0", "must not be empty"},
    {"{\"version\":1,\"engine_default\":\"yes\"}", "/engine_default",
     "there are unconfined, confined"},
    {"{\"version\":1,\"exceptions\":{}}", "/exceptions", "must be a list of exceptions"},
    {WITH("1"), "/exceptions/0", "an exception must be an object, not a number"},
    {WITH("{\"reason\":\"r\",\"allow\":[\"weak\"],\"match\":{\"user\":[\"u\"]}}"),
     "/exceptions/0", "\"id\" is missing"},
    {WITH("{\"id\":\"a\",\"allow\":[\"weak\"],\"match\":{\"user\":[\"u\"]}}"),
     "/exceptions/0", "\"reason\" is missing"},
    {WITH("{\"id\":\"a\",\"reason\":\"r\",\"match\":{\"user\":[\"u\"]}}"),
     "/exceptions/0", "\"allow\" is missing"},
    {WITH("{" HEAD "}"), "/exceptions/0", "\"match\" is missing"},
    {WITH("{" HEAD ",\"match\":{\"user\":[\"u\"]},\"expire\":\"x\"}"),
     "/exceptions/0/expire", "did you mean \"expires\"?"},
    {WITH(
	 "{\"id\":\"\",\"reason\":\"r\",\"allow\":[\"weak\"],\"match\":{\"user\":[\"u\"]}"
	 "}"),
     "/exceptions/0/id", "must not be empty"},
    {WITH("{\"id\":\"a\\nb\",\"reason\":\"r\",\"allow\":[\"weak\"],\"match\":{\"user\":["
          "\"u\"]}}"),
     "/exceptions/0/id", "control character"},
    {WITH("{\"id\":\"a\xc2\x85\",\"reason\":\"r\",\"allow\":[\"weak\"],\"match\":{"
          "\"user\":[\"u\"]}}"),
     "/exceptions/0/id", "control character"},
    {WITH("{\"id\":\"" HEX64 HEX64 "0\",\"reason\":\"r\",\"allow\":[\"weak\"],\"match\":{"
          "\"user\":[\"u\"]}}"),
     "/exceptions/0/id", "at most 128"},
    {WITH("{" HEAD ",\"match\":{\"user\":[\"u\"]}},{" HEAD
          ",\"match\":{\"user\":[\"u\"]}}"),
     "/exceptions/1/id", "\"a\" is the id of /exceptions/0 already"},
    {WITH(
	 "{\"id\":\"a\",\"reason\":\"\",\"allow\":[\"weak\"],\"match\":{\"user\":[\"u\"]}"
	 "}"),
     "/exceptions/0/reason", "must not be empty"},
    {WITH("{\"id\":\"a\",\"reason\":\"r\",\"allow\":[],\"match\":{\"user\":[\"u\"]}}"),
     "/exceptions/0/allow", "empty list"},
    {WITH(
	 "{\"id\":\"a\",\"reason\":\"r\",\"allow\":[\"unreadable\"],\"match\":{\"user\":["
	 "\"u\"]}}"),
     "/exceptions/0/allow/0", "unreadable"},
    {WITH("{\"id\":\"a\",\"reason\":\"r\",\"allow\":[\"self\"],\"match\":{\"user\":["
          "\"u\"]}"
          "}"),
     "/exceptions/0/allow/0", "write \"guard:self\""},
    {WITH("{\"id\":\"a\",\"reason\":\"r\",\"allow\":[\"guard:build\"],\"match\":{"
          "\"user\":["
          "\"u\"]}}"),
     "/exceptions/0/allow/0", "did you mean \"builds\"?"},
    {WITH("{\"id\":\"a\",\"reason\":\"r\",\"allow\":[\"weak\",\"weak\"],\"match\":{"
          "\"user\":[\"u\"]}}"),
     "/exceptions/0/allow/1", "twice"},
    {WITH("{\"id\":\"a\",\"reason\":\"r\",\"allow\":[\"guard:self\",\"guard:self\"],"
          "\"match\":{\"user\":[\"u\"]}}"),
     "/exceptions/0/allow/1", "twice"},
    {MATCHING(""), "/exceptions/0/match", "name at least one criterion"},
    {WITH("{" HEAD ",\"match\":[]}"), "/exceptions/0/match", "must be an object"},
    {MATCHING("\"images\":[\"a\"]"), "/exceptions/0/match/images",
     "did you mean \"image\"?"},
    {MATCHING("\"door\":[]"), "/exceptions/0/match/door", "empty list"},
    {MATCHING("\"door\":[\"podman\"]"), "/exceptions/0/match/door/0",
     "there are docker, kubernetes"},
    {MATCHING("\"door\":[\"docker\",\"docker\"]"), "/exceptions/0/match/door/1", "twice"},
    {MATCHING("\"user\":[]"), "/exceptions/0/match/user", "empty list"},
    {MATCHING("\"user\":\"u\""), "/exceptions/0/match/user", "write [...]"},
    {MATCHING("\"user\":[null]"), "/exceptions/0/match/user/0", "not null"},
    {MATCHING("\"user\":[\"\"]"), "/exceptions/0/match/user/0", "must not be empty"},
    {MATCHING("\"user\":[\"[a\"]"), "/exceptions/0/match/user/0", "no valid pattern"},
    {MATCHING("\"name\":[\"a\\\\\"]"), "/exceptions/0/match/name/0", "no valid pattern"},
    {MATCHING("\"name\":[\"a\\u0007\"]"), "/exceptions/0/match/name/0",
     "control character"},
    {MATCHING("\"image\":[\"Nginx\"]"), "/exceptions/0/match/image/0",
     "no image has such a name"},
    {MATCHING("\"image\":[\"sha256:*\"]"), "/exceptions/0/match/image/0",
     "no image has such a name"},
    {MATCHING("\"profile\":[\"sha256:" HEX64 "0\"]"), "/exceptions/0/match/profile/0",
     "64 lower-case hex"},
    {MATCHING("\"profile\":[\"*\"]"), "/exceptions/0/match/profile/0",
     "64 lower-case hex"},
    {MATCHING("\"profile\":[\"sha256:"
              "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\"]"),
     "/exceptions/0/match/profile/0", "64 lower-case hex"},
    {MATCHING("\"profile\":[\"localhost/\"]"), "/exceptions/0/match/profile/0",
     "names no profile"},
    {MATCHING("\"profile\":[\"localhost/[\"]"), "/exceptions/0/match/profile/0",
     "no valid pattern"},
    {MATCHING("\"label\":{}"), "/exceptions/0/match/label", "1 to 1024 labels"},
    {MATCHING("\"label\":[\"a\"]"), "/exceptions/0/match/label", "must be an object"},
    {MATCHING("\"label\":{\"\":\"a\"}"), "/exceptions/0/match/label/",
     "must not be empty"},
    {MATCHING("\"label\":{\"a\":1}"), "/exceptions/0/match/label/a", "not a number"},
    {MATCHING("\"label\":{\"a\":\"[\"}"), "/exceptions/0/match/label/a",
     "no valid pattern"},
    {MATCHING("\"label\":{\"a\\u0001\":\"b\"}"), "/exceptions/0/match/label/a\x01",
     "control character"},
    {EXPIRING("tomorrow"), "/exceptions/0/expires", "RFC 3339"},
    {WITH("{" HEAD ",\"match\":{\"user\":[\"u\"]},\"expires\":1}"),
     "/exceptions/0/expires", "must be a string"},
};

static void
each_mistake_is_told_with_its_place(void **state)
{
	struct policy_problems problems;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_null(policy_parse(text_of(bad[i].text), &problems));
		assert_int_not_equal(problems.count, 0);
		assert_int_equal(problems.at[0].line, bad[i].pointer[0] != '\0');
		if (strcmp(problems.at[0].pointer, bad[i].pointer) != 0 ||
		    !strstr(problems.at[0].text, bad[i].says) || problems.count != 1)
			fail_msg("%s: %zu problems, \"%s\": %s", bad[i].text,
			         problems.count, problems.at[0].pointer,
			         problems.at[0].text);
	}
}

static const struct {
	struct text bytes;
	int line, column;
	const char *says;
} syntax[] = {
    {TEXT_LIT("{\"version\": 1\n \"mode\": \"enforce\"}"), 2, 2, "',' or '}' should be"},
    {TEXT_LIT("{\"version\": 1,\n\n"), 3, 1, "ends where a key in quotes should be"},
    {TEXT_LIT("{\"version\": 1,\n  \"mode\": \"enf"), 2, 15, "; write the file whole"},
    {TEXT_LIT("{\"version\": 1,}"), 1, 15, "drop the ',' in front of it"},
    {TEXT_LIT("{\"version\": 1, \"guard\": [\"self\" , ]}"), 1, 35, "drop the ','"},
    {TEXT_LIT("{\"version\": 1} {"), 1, 16, "more follows"},
    {TEXT_LIT("{\"version\": 1,\n\"version\": 1}"), 2, 12, "stands twice"},
    {TEXT_LIT("{\"version\": 1, \"mode\": \"\\u0000\"}"), 1, 24, "write it without"},
    {TEXT_LIT("{\"version\": 1, \"\\u0000\": 1}"), 1, 25, "write it without"},
    {TEXT_LIT("{\"version\": 1, \"mode\": \"\0\"}"), 1, 25, "control character"},
    {TEXT_LIT("{\"version\": 1}\0"), 1, 15, "more follows the policy"},
    {TEXT_LIT("{\"version\":\0 1}"), 1, 12, "that is a NUL byte"},
    {TEXT_LIT("{\0\"version\": 1}"), 1, 2, "that is a NUL byte"},
    {TEXT_LIT("\0{\"version\": 1}"), 1, 1, "that is a NUL byte"},
    {TEXT_LIT("{\"version\": 1, \"mode\": \"\xff\"}"), 1, 25, "not UTF-8"},
    {TEXT_LIT("{\"version\": 1, \"mode\": \"\\ud800\"}"), 1, 32, "surrogate"},
    {TEXT_LIT("{\"\xc3\xa9\xe2\x82\xac\": x}"), 1, 8, "a value should be here"},
    {TEXT_LIT("\x7f"
              "ELF\x02\x01"),
     1, 1, "a value should be here"},
    {TEXT_LIT("version: 1"), 1, 1, "a value should be here"},
    {TEXT_LIT("{\"version\": 1, // ours\n}"), 1, 16, "JSON has no comments"},
    {TEXT_LIT("# ours\n{\"version\": 1}"), 1, 1, "JSON has no comments"},
    {TEXT_LIT("{'version': 1}"), 1, 2, "write \", not '"},
    {TEXT_LIT("{\"version\": 01}"), 1, 14, "',' or '}' should be here"},
    {TEXT_LIT("{\"version\": TRUE}"), 1, 13, "a value should be here"},
    {TEXT_LIT("{\"version\": 1, \"a\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["), 1, 52,
     "nested deeper"},
};

static void
what_is_no_json_is_told_with_line_and_column(void **state)
{
	struct policy_problems problems;

	(void)state;
	for (size_t i = 0; i < COUNT(syntax); i++) {
		const struct policy_problem *first = &problems.at[0];

		assert_null(policy_parse(syntax[i].bytes, &problems));
		assert_int_equal(problems.count, 1);
		assert_string_equal(first->pointer, "");
		if (first->line != syntax[i].line || first->column != syntax[i].column ||
		    !strstr(first->text, syntax[i].says))
			fail_msg("row %zu: line %d, column %d: %s", i, first->line,
			         first->column, first->text);
	}
}

static void
all_problems_are_told_at_once(void **state)
{
	static const char text[] = "{\"version\":1,\"mode\":\"off\",\"alow\":[],"
				   "\"guard\":[\"x\"],\"exceptions\":["
				   "{\"allow\":[\"unreadable\"],\"match\":{\"user\":[]},"
				   "\"expires\":\"never\"}]}";
	static const char *const pointers[] = {
	    "/mode",
	    "/alow",
	    "/guard/0",
	    "/exceptions/0/allow/0",
	    "/exceptions/0/match/user",
	    "/exceptions/0/expires",
	    "/exceptions/0",
	    "/exceptions/0",
	};
	struct policy_problems problems;

	(void)state;
	assert_null(policy_parse(text_of(text), &problems));
	assert_int_equal(problems.count, COUNT(pointers));
	for (size_t i = 0; i < COUNT(pointers); i++)
		assert_string_equal(problems.at[i].pointer, pointers[i]);
}

static void
problems_past_the_maximum_are_counted_and_not_kept(void **state)
{
	cleanup_buf struct buf buf = {0};
	struct policy_problems problems;

	(void)state;
	buf_str(&buf, "{\"version\":1,\"runtimes\":[");
	for (int i = 0; i < 2 * POLICY_PROBLEMS_MAX; i++)
		buf_str(&buf, "1,");
	buf_str(&buf, "1]}");
	assert_null(policy_parse(buf_text(&buf), &problems));
	assert_int_equal(problems.count, 2 * POLICY_PROBLEMS_MAX + 1);
	assert_string_equal(problems.at[POLICY_PROBLEMS_MAX - 1].pointer, "/runtimes/49");
}

static void
a_hostile_key_is_quoted_and_cut_in_the_message(void **state)
{
	cleanup_buf struct buf text = {0}, message = {0};
	struct policy_problems problems;

	(void)state;
	buf_str(&text, "{\"version\":1,\"\\u202e\\u001b[2J");
	for (int i = 0; i < 400; i++)
		buf_str(&text, "\xc3\xa9");
	buf_str(&text, "\":1}");
	assert_null(policy_parse(buf_text(&text), &problems));
	policy_problem_write(&message, &problems.at[0]);
	assert_true(message.len < 900);
	assert_null(memchr(message.at, 0x1b, message.len));
	assert_null(strstr(message.at, "\xe2\x80\xae"));
	assert_non_null(strstr(message.at, "\\u202e"));
	for (size_t at = 0; at < message.len;) {
		uint32_t point;
		size_t len =
		    utf8_decode(message.at + at, message.at + message.len, &point);

		assert_int_not_equal(len, 0);
		at += len;
	}
}

static void
a_problem_reads_as_place_and_sentence(void **state)
{
	static const struct {
		struct policy_problem problem;
		const char *line;
	} rows[] = {
	    {{.line = 3, .column = 7, .text = "x"}, "line 3, column 7: x"},
	    {{.pointer = "/allow/1", .text = "x"}, "/allow/1: x"},
	    {{.pointer = "/a b", .text = "x"}, "\"/a b\": x"},
	    {{.text = "x"}, "the whole file: x"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_buf struct buf buf = {0};

		policy_problem_write(&buf, &rows[i].problem);
		assert_string_equal(buf.at, rows[i].line);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_mistake_is_told_with_its_place),
	    cmocka_unit_test(what_is_no_json_is_told_with_line_and_column),
	    cmocka_unit_test(all_problems_are_told_at_once),
	    cmocka_unit_test(problems_past_the_maximum_are_counted_and_not_kept),
	    cmocka_unit_test(a_hostile_key_is_quoted_and_cut_in_the_message),
	    cmocka_unit_test(a_problem_reads_as_place_and_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
