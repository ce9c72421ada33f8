/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_parse.c - policy files: what they mean, and what is wrong with them. */
#include "core/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A policy around one exception, and an exception around one match. */
#define WITH(exception) "{\"version\":1,\"exceptions\":[" exception "]}"
#define HEAD            "\"id\":\"a\",\"reason\":\"r\",\"allow\":[\"unconfined\"]"
#define MATCHING(match) WITH("{" HEAD ",\"match\":{" match "}}")
#define EXPIRING(time)                                                                   \
	WITH("{" HEAD ",\"match\":{\"user\":[\"u\"]},\"expires\":\"" time "\"}")

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* The policy; fails the test with its first problem if there is none. */
static struct policy *
parse_good(const char *text)
{
	struct policy_problems problems;
	struct policy *policy = policy_parse(text_of(text), &problems);

	if (!policy)
		fail_msg("%s: %s: %s", text, problems.at[0].pointer, problems.at[0].text);
	assert_int_equal(problems.count, 0);
	return policy;
}

/* ---- what a good file means ---- */

static void
assert_same_rules(const struct policy *a, const struct policy *b)
{
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->allow, b->allow);
	assert_int_equal(a->observe, b->observe);
	assert_memory_equal(a->guards, b->guards, sizeof a->guards);
	assert_int_equal(a->engine_default_confined, b->engine_default_confined);
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->runtimes.count, b->runtimes.count);
	for (size_t i = 0; i < a->runtimes.count; i++)
		assert_true(text_equal(a->runtimes.at[i], b->runtimes.at[i]));
}

static void
what_a_file_leaves_out_is_as_in_the_builtin_policy(void **state)
{
	struct policy *policy = parse_good("{\"version\":1}");
	struct policy *builtin = policy_builtin();

	(void)state;
	assert_non_null(builtin);
	assert_same_rules(policy, builtin);
	policy_free(policy);
	policy_free(builtin);
}

static void
the_builtin_policy_allows_what_confines_and_has_five_guards(void **state)
{
	static const enum rule_mode guards[GUARD_COUNT] = {
	    [GUARD_SELF] = RULE_ENFORCE,         [GUARD_PLUGINS] = RULE_ENFORCE,
	    [GUARD_LEGACY_START] = RULE_ENFORCE, [GUARD_RUNTIMES] = RULE_ENFORCE,
	    [GUARD_CHECKPOINT] = RULE_ENFORCE,
	};
	static const char *const runtimes[] = {"runc", "crun", "youki",
	                                       "io.containerd.runc.v2", "nvidia"};
	struct policy *policy = policy_builtin();

	(void)state;
	assert_int_equal(policy->mode, RULE_ENFORCE);
	assert_int_equal(policy->allow, POSTURE_BIT(POSTURE_DEFAULT) |
	                                    POSTURE_BIT(POSTURE_CUSTOM) |
	                                    POSTURE_BIT(POSTURE_LOCALHOST));
	assert_int_equal(policy->observe, 0);
	assert_memory_equal(policy->guards, guards, sizeof guards);
	assert_true(policy->engine_default_confined);
	assert_int_equal(policy->count, 0);
	assert_int_equal(policy->runtimes.count, COUNT(runtimes));
	for (size_t i = 0; i < COUNT(runtimes); i++)
		assert_true(text_is(policy->runtimes.at[i], runtimes[i]));
	assert_string_equal(policy->digest, "built-in");
	policy_free(policy);
}

static const char full_text[] =
    "{\"version\": 1, \"mode\": \"observe\", \"allow\": [\"default\"],"
    " \"observe\": [\"weak\", \"unset\"],"
    " \"guard\": [\"builds\", {\"name\": \"checkpoint\", \"mode\": \"observe\"},"
    "             {\"name\": \"self\"}],"
    " \"runtimes\": [\"kata\"], \"engine_default\": \"unconfined\","
    " \"exceptions\": [{\"id\": \"one\", \"mode\": \"observe\", \"reason\": \"SEC-1\","
    "  \"allow\": [\"privileged\", \"guard:self\"], \"expires\": "
    "\"2027-01-31T00:00:00Z\","
    "  \"match\": {\"door\": [\"docker\", \"kubernetes\"], \"image\": [\"a/*\", \"b\"],"
    "   \"user\": [\"u*\"], \"name\": [\"n\"], \"label\": {\"k\": \"\", \"l\": \"v*\"},"
    "   \"namespace\": [\"s\"], \"group\": [\"g\"], \"runtime\": [\"runc\"],"
    "   \"profile\": [\"sha256:" HEX64 "\", \"localhost/p*\"]}},"
    "  {\"id\": \"two\", \"reason\": \"r\", \"allow\": [\"weak\"],"
    "   \"match\": {\"user\": [\"x\"]}}]}";

static void
each_key_reaches_its_place(void **state)
{
	struct policy *policy = parse_good(full_text);
	const struct exception *one = &policy->exceptions[0], *two = one + 1;

	(void)state;
	assert_int_equal(policy->mode, RULE_OBSERVE);
	assert_int_equal(policy->allow, POSTURE_BIT(POSTURE_DEFAULT));
	assert_int_equal(policy->observe,
	                 POSTURE_BIT(POSTURE_WEAK) | POSTURE_BIT(POSTURE_UNSET));
	assert_int_equal(policy->guards[GUARD_BUILDS], RULE_ENFORCE);
	assert_int_equal(policy->guards[GUARD_CHECKPOINT], RULE_OBSERVE);
	assert_int_equal(policy->guards[GUARD_SELF], RULE_ENFORCE);
	assert_int_equal(policy->guards[GUARD_PLUGINS], RULE_OFF);
	assert_int_equal(policy->runtimes.count, 1);
	assert_true(text_is(policy->runtimes.at[0], "kata"));
	assert_false(policy->engine_default_confined);
	assert_int_equal(policy->count, 2);
	assert_true(text_is(one->id, "one"));
	assert_true(text_is(one->reason, "SEC-1"));
	assert_int_equal(one->mode, RULE_OBSERVE);
	assert_int_equal(one->allow, POSTURE_BIT(POSTURE_PRIVILEGED));
	assert_int_equal(one->allow_guards, GUARD_BIT(GUARD_SELF));
	assert_int_equal(one->expires, 1801353600);
	assert_int_equal(two->mode, RULE_ENFORCE);
	assert_int_equal(two->expires, POLICY_NEVER);
	assert_int_equal(two->allow_guards, 0);
	assert_null(two->match.image.at);
	policy_free(policy);
}

static void
each_criterion_reaches_its_place(void **state)
{
	struct policy *policy = parse_good(full_text);
	const struct criteria *match = &policy->exceptions[0].match;

	(void)state;
	assert_int_equal(match->doors, 1U << DOOR_DOCKER | 1U << DOOR_KUBERNETES);
	assert_int_equal(match->image.count, 2);
	assert_true(text_is(match->image.at[1], "b"));
	assert_true(text_is(match->user.at[0], "u*"));
	assert_true(text_is(match->name.at[0], "n"));
	assert_true(text_is(match->space.at[0], "s"));
	assert_true(text_is(match->group.at[0], "g"));
	assert_true(text_is(match->runtime.at[0], "runc"));
	assert_int_equal(match->profile.count, 2);
	assert_int_equal(match->label.count, 2);
	assert_true(text_is(match->label.at[0].key, "k"));
	assert_int_equal(match->label.at[0].value.len, 0);
	assert_non_null(match->label.at[0].value.at);
	assert_true(text_is(match->label.at[1].value, "v*"));
	policy_free(policy);
}

static void
the_digest_is_over_the_bytes_of_the_file(void **state)
{
	/* printf '{"version":1}' | sha256sum */
	static const char digest[] =
	    "sha256:2430f1a2ad2982d0067885488a4c89e21ad1d7c83b115ba8f1b20acc88dfaea8";
	struct policy *policy = parse_good("{\"version\":1}");
	struct policy *other = parse_good("{\"version\":1} ");

	(void)state;
	assert_string_equal(policy->digest, digest);
	assert_string_not_equal(policy->digest, other->digest);
	policy_free(policy);
	policy_free(other);
}

static const char *const good[] = {
    " {\"version\": 1.0}\n",
    "{\"version\":1,\"allow\":[],\"observe\":[],\"guard\":[],\"exceptions\":[]}",
    "{\"version\":1,\"allow\":[],\"observe\":[\"custom\"]}",
    "{\"version\":1,\"runtimes\":[\"runc\",\"runc\"]}",
    MATCHING("\"image\":[\"nginx:1.25@sha256:" HEX64 "\"]"),
    MATCHING("\"user\":[\"[a-z]\",\"\\\\*\"]"),
    MATCHING("\"label\":{\"team\":\"\"}"),
    MATCHING("\"profile\":[\"localhost/*\"]"),
    WITH("{" HEAD ",\"match\":{\"door\":[\"docker\"]}}"),
    WITH("{\"id\":\"\xc3\xa9 /~\",\"reason\":\"r\",\"allow\":[\"guard:rollback\"],"
         "\"match\":{\"user\":[\"u\"]}}"),
};

static void
good_files_are_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		policy_free(parse_good(good[i]));
}

/* ---- what is wrong ---- */

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
		assert_int_equal(problems.at[0].line, 0);
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
    {TEXT_LIT("{\"version\": 1\n \"mode\": \"enforce\"}"), 2, 7, "'}' expected"},
    {TEXT_LIT("{\"version\": 1,\n\n"), 3, 0, "ends too early"},
    {TEXT_LIT("{\"version\": 1,}"), 1, 15, "string or '}' expected"},
    {TEXT_LIT("{\"version\": 1} {"), 1, 16, "more follows"},
    {TEXT_LIT("{\"version\": 1,\n\"version\": 1}"), 2, 9, "duplicate object key"},
    {TEXT_LIT("{\"version\": 1, \"mode\": \"\\u0000\"}"), 1, 31, "write it without"},
    {TEXT_LIT("{\"version\": 1, \"\\u0000\": 1}"), 1, 23, "write it without"},
    {TEXT_LIT("{\"version\": 1, \"mode\": \"\0\"}"), 1, 24, "control character 0x0"},
    {TEXT_LIT("{\"version\": 1}\0"), 1, 14, "more follows"},
    {TEXT_LIT("{\"version\": 1, \"mode\": \"\xff\"}"), 1, 24, "unable to decode"},
    {TEXT_LIT("\x7f"
              "ELF\x02\x01"),
     1, 1, "invalid token"},
    {TEXT_LIT("version: 1"), 1, 7, "invalid token"},
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

/* ---- limits ---- */

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

/* `count` times `piece`, joined by commas, in a policy's list of runtimes. */
static struct policy *
parse_runtimes(size_t count, const char *piece, struct policy_problems *problems)
{
	cleanup_buf struct buf buf = {0};

	buf_str(&buf, "{\"version\":1,\"runtimes\":[");
	for (size_t i = 0; i < count; i++)
		buf_printf(&buf, "%s%s", i ? "," : "", piece);
	buf_str(&buf, "]}");
	return policy_parse(buf_text(&buf), problems);
}

static void
a_list_and_a_text_end_at_their_maximum(void **state)
{
	struct policy_problems problems;
	struct policy *policy = parse_runtimes(POLICY_LIST_MAX, "\"r\"", &problems);
	char text[POLICY_TEXT_MAX + 4] = "\"";

	(void)state;
	assert_non_null(policy);
	policy_free(policy);
	assert_null(parse_runtimes(POLICY_LIST_MAX + 1, "\"r\"", &problems));
	assert_string_equal(problems.at[0].pointer, "/runtimes");

	memset(text + 1, 'r', POLICY_TEXT_MAX);
	text[POLICY_TEXT_MAX + 1] = '"';
	policy = parse_runtimes(1, text, &problems);
	assert_non_null(policy);
	policy_free(policy);
	text[POLICY_TEXT_MAX + 1] = 'r';
	text[POLICY_TEXT_MAX + 2] = '"';
	assert_null(parse_runtimes(1, text, &problems));
	assert_string_equal(problems.at[0].pointer, "/runtimes/0");
}

static void
a_deep_or_large_file_is_refused(void **state)
{
	struct policy_problems problems;
	char *deep = test_malloc(POLICY_FILE_MAX + 1);

	(void)state;
	memset(deep, '[', POLICY_FILE_MAX + 1);
	assert_null(policy_parse((struct text){deep, 100000}, &problems));
	assert_non_null(strstr(problems.at[0].text, "depth"));
	assert_null(policy_parse((struct text){deep, POLICY_FILE_MAX + 1}, &problems));
	assert_non_null(strstr(problems.at[0].text, "at most"));
	test_free(deep);
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

/* ---- times ---- */

static const struct {
	const char *text;
	int64_t seconds;
} times[] = {
    {EXPIRING("1970-01-01T00:00:00Z"), 0},
    {EXPIRING("1970-01-01T00:00:00z"), 0},
    {EXPIRING("1970-01-01t00:00:01Z"), 1},
    {EXPIRING("1969-12-31T23:59:59Z"), -1},
    {EXPIRING("2000-02-29T12:00:00Z"), 951825600},
    {EXPIRING("2027-01-31T00:00:00Z"), 1801353600},
    {EXPIRING("2027-01-31T00:00:00.999999Z"), 1801353600},
    {EXPIRING("2027-01-31T02:00:00+02:00"), 1801353600},
    {EXPIRING("2027-01-30T18:30:00-05:30"), 1801353600},
    {EXPIRING("2027-01-31T00:00:00-00:00"), 1801353600},
    {EXPIRING("2038-01-19T03:14:08Z"), INT64_C(1) << 31},
    {EXPIRING("2100-03-01T00:00:00Z"), 4107542400},
    {EXPIRING("0000-01-01T00:00:00Z"), -62167219200},
    {EXPIRING("9999-12-31T23:59:59Z"), 253402300799},
};

static void
times_of_rfc_3339_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		struct policy *policy = parse_good(times[i].text);

		assert_int_equal(policy->exceptions[0].expires, times[i].seconds);
		policy_free(policy);
	}
}

static const char *const no_times[] = {
    EXPIRING(""),
    EXPIRING("2027-01-31"),
    EXPIRING("2027-01-31T00:00:00"),
    EXPIRING("2027-01-31 00:00:00Z"),
    EXPIRING("2027-01-31T00:00Z"),
    EXPIRING("2027-1-31T00:00:00Z"),
    EXPIRING("27-01-31T00:00:00Z"),
    EXPIRING("+2027-01-31T00:00:00Z"),
    EXPIRING("2027-00-31T00:00:00Z"),
    EXPIRING("2027-13-31T00:00:00Z"),
    EXPIRING("2027-01-00T00:00:00Z"),
    EXPIRING("2027-01-32T00:00:00Z"),
    EXPIRING("2027-04-31T00:00:00Z"),
    EXPIRING("2027-02-29T00:00:00Z"),
    EXPIRING("2100-02-29T00:00:00Z"),
    EXPIRING("2027-01-31T24:00:00Z"),
    EXPIRING("2027-01-31T00:60:00Z"),
    EXPIRING("2027-01-31T00:00:60Z"),
    EXPIRING("2027-01-31T00:00:00.Z"),
    EXPIRING("2027-01-31T00:00:00,5Z"),
    EXPIRING("2027-01-31T00:00:00+0200"),
    EXPIRING("2027-01-31T00:00:00+02"),
    EXPIRING("2027-01-31T00:00:00+24:00"),
    EXPIRING("2027-01-31T00:00:00+02:60"),
    EXPIRING("2027-01-31T00:00:00*02:00"),
    EXPIRING("2027-01-31T00:00:00UTC"),
    EXPIRING("2027-01-31T00:00:00Z "),
    EXPIRING(" 2027-01-31T00:00:00Z"),
    EXPIRING("2027/01/31T00:00:00Z"),
    EXPIRING("2027-01-31T00-00-00Z"),
    EXPIRING("1801353600"),
};

static void
anything_else_is_no_time(void **state)
{
	struct policy_problems problems;

	(void)state;
	for (size_t i = 0; i < COUNT(no_times); i++) {
		if (policy_parse(text_of(no_times[i]), &problems))
			fail_msg("%s", no_times[i]);
		assert_string_equal(problems.at[0].pointer, "/exceptions/0/expires");
	}
}

/* ---- memory ---- */

static int allocations_left;

static void *
scarce_malloc(size_t size)
{
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void
without_memory_for_the_tree_there_is_no_policy(void **state)
{
	struct policy_problems problems;
	struct policy *policy = NULL;
	int n;

	(void)state;
	json_set_alloc_funcs(scarce_malloc, free);
	for (n = 0; n < 10000 && !policy; n++) {
		allocations_left = n;
		policy = policy_parse(text_of(full_text), &problems);
		if (!policy) {
			assert_int_not_equal(problems.count, 0);
			assert_string_not_equal(problems.at[0].text, "");
		}
	}
	json_set_alloc_funcs(malloc, free);
	assert_non_null(policy);
	assert_true(n > 50);
	assert_int_equal(policy->exceptions[0].match.profile.count, 2);
	policy_free(policy);
}

static void
nothing_can_be_freed(void **state)
{
	struct policy *policy = calloc(1, sizeof *policy);

	(void)state;
	policy_free(NULL);
	policy_free(policy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_file_leaves_out_is_as_in_the_builtin_policy),
	    cmocka_unit_test(the_builtin_policy_allows_what_confines_and_has_five_guards),
	    cmocka_unit_test(each_key_reaches_its_place),
	    cmocka_unit_test(each_criterion_reaches_its_place),
	    cmocka_unit_test(the_digest_is_over_the_bytes_of_the_file),
	    cmocka_unit_test(good_files_are_taken),
	    cmocka_unit_test(each_mistake_is_told_with_its_place),
	    cmocka_unit_test(what_is_no_json_is_told_with_line_and_column),
	    cmocka_unit_test(all_problems_are_told_at_once),
	    cmocka_unit_test(problems_past_the_maximum_are_counted_and_not_kept),
	    cmocka_unit_test(a_list_and_a_text_end_at_their_maximum),
	    cmocka_unit_test(a_deep_or_large_file_is_refused),
	    cmocka_unit_test(a_hostile_key_is_quoted_and_cut_in_the_message),
	    cmocka_unit_test(a_problem_reads_as_place_and_sentence),
	    cmocka_unit_test(times_of_rfc_3339_are_read),
	    cmocka_unit_test(anything_else_is_no_time),
	    cmocka_unit_test(without_memory_for_the_tree_there_is_no_policy),
	    cmocka_unit_test(nothing_can_be_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
