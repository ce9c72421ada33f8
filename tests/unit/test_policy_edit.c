/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_edit.c - exceptions come into a file and out of it, and nothing else moves. */
#include "core/policy_edit.h"

#include "core/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define EXCEPTION(id)                                                                    \
	"{\"id\":\"" id "\",\"allow\":[\"weak\"],\"reason\":\"r\",\"match\":{\"user\":[" \
	"\"]},{,\\\"\"]}}"

static const char *const files[] = {
    "{\"version\":1}",
    "{ \"version\" : 1 }\n",
    "{\n  \"version\": 1,\n  \"exceptions\": []\n}\n",
    "{\"exceptions\":[ ],\"version\":1}",
    "{\"version\":1,\"exceptions\":[" EXCEPTION("a") "]}",
    "{\"version\":1,\"exceptions\":[\n  " EXCEPTION("a") ",\n  " EXCEPTION(
	"b") "\n]\n}\n",
    "{\"exceptions\":[" EXCEPTION("a") " , " EXCEPTION("b") "],\"version\":1}",
};

static char glass[] = "glass-", x[] = "x";

static bool
begins_with(struct text id, void *context)
{
	return text_has_prefix(id, context);
}

static size_t
count_exceptions(const struct buf *bytes)
{
	struct policy_problems problems;
	struct policy *policy = policy_parse(buf_text(bytes), &problems);
	size_t count;

	if (!policy)
		fail_msg("%s: %s: %s", bytes->at, problems.at[0].pointer,
		         problems.at[0].text);
	count = policy->count;
	policy_free(policy);
	return count;
}

static void
what_is_put_in_can_be_taken_out_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		cleanup_buf struct buf before = {0}, one = {0}, two = {0}, after = {0};
		struct err err = {0};
		size_t taken = 0;

		buf_str(&before, files[i]);
		assert_int_equal(policy_edit_add(buf_text(&before),
		                                 TEXT_LIT(EXCEPTION("glass-1")), &one,
		                                 &err),
		                 0);
		assert_int_equal(count_exceptions(&one), count_exceptions(&before) + 1);
		assert_int_equal(policy_edit_add(buf_text(&one),
		                                 TEXT_LIT(EXCEPTION("glass-2")), &two,
		                                 &err),
		                 0);
		assert_int_equal(count_exceptions(&two), count_exceptions(&before) + 2);
		assert_int_equal(policy_edit_drop(buf_text(&two), begins_with, glass,
		                                  &after, &taken, &err),
		                 0);
		assert_int_equal(taken, 2);
		assert_int_equal(count_exceptions(&after), count_exceptions(&before));
		if (count_exceptions(&before) > 0)
			assert_string_equal(after.at, before.at);
	}
}

static const struct {
	const char *ids; /* one letter an exception; 'x' is taken out */
	const char *left;
} drops[] = {
    {"x", ""},   {"ax", "a"},    {"xa", "a"},    {"axb", "ab"},  {"xaxbx", "ab"},
    {"xxx", ""}, {"abxx", "ab"}, {"xxab", "ab"}, {"abc", "abc"}, {"axxb", "ab"},
};

static void
others_stay_wherever_one_is_taken_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(drops); i++) {
		cleanup_buf struct buf before = {0}, after = {0};
		struct policy_problems problems;
		struct policy *policy;
		struct err err = {0};
		char left[16] = "";
		size_t taken;

		buf_str(&before, "{\"version\":1,\"exceptions\":[\n");
		for (size_t k = 0; drops[i].ids[k]; k++)
			buf_printf(&before,
			           "%s{\"id\":\"%c%zu\",\"allow\":[\"weak\"],\"reason\":"
			           "\"r\",\"match\":{\"user\":[\"u\"]}}",
			           k > 0 ? ",\n" : "", drops[i].ids[k], k);
		buf_str(&before, "\n]}");
		assert_int_equal(policy_edit_drop(buf_text(&before), begins_with, x,
		                                  &after, &taken, &err),
		                 0);
		policy = policy_parse(buf_text(&after), &problems);
		if (!policy)
			fail_msg("%s: %s", after.at, problems.at[0].text);
		for (size_t k = 0; k < policy->count; k++)
			left[k] = policy->exceptions[k].id.at[0];
		assert_string_equal(left, drops[i].left);
		assert_int_equal(taken, strlen(drops[i].ids) - strlen(drops[i].left));
		policy_free(policy);
	}
}

static const char *const unfit[] = {"", "{", "[]", "{\"exceptions\":{}}", "nonsense"};

static void
what_is_no_policy_is_not_edited(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(unfit); i++) {
		cleanup_buf struct buf out = {0};
		struct err err = {0};

		assert_int_equal(
		    policy_edit_add(text_of(unfit[i]), TEXT_LIT("{}"), &out, &err), -1);
		assert_string_not_equal(err.text, "");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_put_in_can_be_taken_out_again),
	    cmocka_unit_test(others_stay_wherever_one_is_taken_out),
	    cmocka_unit_test(what_is_no_policy_is_not_edited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
