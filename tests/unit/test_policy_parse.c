/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_parse.c - what policy files mean, and how large they may be. */
#include "core/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A policy around one exception, and an exception around one match. */
#define WITH(exception) "{\"version\":1,\"exceptions\":[" exception "]}"
#define HEAD            "\"id\":\"a\",\"reason\":\"r\",\"allow\":[\"unconfined\"]"
#define MATCHING(match) WITH("{" HEAD ",\"match\":{" match "}}")
#define HEX64           "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

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
    "{\"version\":10e-1}",
    "{\"version\":0.01E+2}",
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

/* ---- limits ---- */

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
	assert_non_null(strstr(problems.at[0].text, "nested deeper"));
	assert_null(policy_parse((struct text){deep, POLICY_FILE_MAX + 1}, &problems));
	assert_non_null(strstr(problems.at[0].text, "at most"));
	test_free(deep);
}

static void
a_file_that_is_cut_off_anywhere_is_no_policy(void **state)
{
	struct text whole = text_of(full_text);

	(void)state;
	while (whole.len > 0 && whole.at[whole.len - 1] != '}')
		whole.len--;
	for (size_t len = 0; len < whole.len; len++) {
		struct policy_problems problems;

		assert_null(policy_parse(text_first(whole, len), &problems));
		assert_int_not_equal(problems.count, 0);
		assert_string_not_equal(problems.at[0].text, "");
	}
	policy_free(parse_good(full_text));
}

/* Many members are compared in another way than few. */
static void
a_key_that_stands_twice_is_found_among_many(void **state)
{
	(void)state;
	for (size_t count = 2; count < 40; count++) {
		for (size_t twin = 1; twin < count; twin++) {
			cleanup_buf struct buf text = {0};
			struct policy_problems problems;

			buf_str(&text, "{\"version\":1,\"x\":{");
			for (size_t i = 0; i < count; i++)
				buf_printf(&text, "%s\"k%zu\":%zu", i > 0 ? "," : "",
				           i == twin ? twin - 1 : i, i);
			buf_str(&text, "}}");
			assert_null(policy_parse(buf_text(&text), &problems));
			assert_non_null(strstr(problems.at[0].text, "stands twice"));
			assert_int_equal(problems.at[0].line, 1);
		}
	}
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
	    cmocka_unit_test(a_list_and_a_text_end_at_their_maximum),
	    cmocka_unit_test(a_deep_or_large_file_is_refused),
	    cmocka_unit_test(a_file_that_is_cut_off_anywhere_is_no_policy),
	    cmocka_unit_test(a_key_that_stands_twice_is_found_among_many),
	    cmocka_unit_test(nothing_can_be_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
