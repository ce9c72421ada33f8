/* SPDX-License-Identifier: Apache-2.0 */
/* test_seccomp_judge.c - the value of a seccomp option gives a container its postures. */
#include "core/seccomp.h"

#include "core/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>

#define WEAK                                                                             \
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"mount\"],"    \
	"\"action\":\"SCMP_ACT_ALLOW\"}]}"
#define CUSTOM     "{\"defaultAction\":\"SCMP_ACT_ERRNO\"}"
#define PERMISSIVE "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}"

static void
each_value_has_its_posture(void **state)
{
	static const struct {
		const char *value;
		enum posture posture;
		bool asked_nothing, profile;
		size_t weak_count;
	} rows[] = {
	    {"", POSTURE_DEFAULT, true, false, 0},
	    {"builtin", POSTURE_DEFAULT, false, false, 0},
	    {"unconfined", POSTURE_UNCONFINED, false, false, 0},
	    {"{}", POSTURE_UNCONFINED, false, true, 0},
	    {"null", POSTURE_UNCONFINED, false, true, 0},
	    {CUSTOM, POSTURE_CUSTOM, false, true, 0},
	    {PERMISSIVE, POSTURE_PERMISSIVE, false, true, 0},
	    {WEAK, POSTURE_WEAK, false, true, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		cleanup_arena struct arena arena = {0};
		struct container container = {0};
		struct err err = {0};

		assert_int_equal(
		    seccomp_judge(text_of(rows[i].value), &arena, &container, &err), 0);
		assert_int_equal(container.postures, POSTURE_BIT(rows[i].posture));
		assert_int_equal(container.asked_nothing, rows[i].asked_nothing);
		assert_int_equal(container.profile.at != NULL, rows[i].profile);
		assert_int_equal(container.weak_count, rows[i].weak_count);
		assert_int_equal(err.code, ERR_NONE);
	}
}

static void
words_that_no_engine_knows_are_unreadable(void **state)
{
	static const struct {
		const char *value, *message;
	} rows[] = {
	    {"Unconfined", "seccomp=\"Unconfined\" is neither"},
	    {"unconfined ", "seccomp=\"unconfined \" is neither"},
	    {"default", "seccomp=\"default\" is neither"},
	    {"/etc/docker/seccomp.json", "is neither"},
	    {":unconfined", "is neither"},
	    {"\x1b[2J", "seccomp=\"\\u001b[2J\" is neither"},
	    {"{", "seccomp profile: "},
	    {"\"unconfined\"", "seccomp profile: "},
	    {"{\"syscalls\":[{\"action\":1}]}",
	     "seccomp profile: syscalls: rule 1: action"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		cleanup_arena struct arena arena = {0};
		struct container container = {0};
		struct err err = {0};

		assert_int_equal(
		    seccomp_judge(text_of(rows[i].value), &arena, &container, &err), -1);
		assert_int_equal(container.postures, POSTURE_BIT(POSTURE_UNREADABLE));
		if (!strstr(err.text, rows[i].message))
			fail_msg("%s: %s", rows[i].value, err.text);
	}
}

static void
an_embedded_nul_does_not_end_a_word(void **state)
{
	cleanup_arena struct arena arena = {0};
	struct container container = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(
	    seccomp_judge(TEXT_LIT("unconfined\0"), &arena, &container, &err), -1);
	assert_int_equal(container.postures, POSTURE_BIT(POSTURE_UNREADABLE));
}

static void
the_first_weak_calls_are_named_and_all_are_counted(void **state)
{
	cleanup_arena struct arena arena = {0};
	struct container container = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(
	    seccomp_judge(
		TEXT_LIT("{\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[{"
	                 "\"names\":[\"add_key\"],\"action\":\"SCMP_ACT_KILL\"}]}"),
		&arena, &container, &err),
	    0);
	assert_int_equal(container.weak_count, seccomp_weak_calls_count - 1);
	assert_string_equal(container.weak_calls[0], "acct");
	assert_string_equal(container.weak_calls[1], "bpf");
	assert_non_null(container.weak_calls[6]);
	assert_null(container.weak_calls[7]);
}

static void
settings_of_two_places_add_up(void **state)
{
	cleanup_arena struct arena arena = {0};
	struct container container = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(seccomp_judge(TEXT_LIT(""), &arena, &container, &err), 0);
	assert_int_equal(seccomp_judge(TEXT_LIT("builtin"), &arena, &container, &err), 0);
	assert_true(container.asked_nothing);
	assert_int_equal(seccomp_judge(TEXT_LIT(WEAK), &arena, &container, &err), 0);
	assert_int_equal(seccomp_judge(TEXT_LIT(WEAK), &arena, &container, &err), 0);
	assert_int_equal(container.postures,
	                 POSTURE_BIT(POSTURE_DEFAULT) | POSTURE_BIT(POSTURE_WEAK));
	assert_int_equal(seccomp_judge(TEXT_LIT(CUSTOM), &arena, &container, &err), -1);
	assert_int_equal(err.code, ERR_AMBIGUOUS);
	assert_true(container.postures & POSTURE_BIT(POSTURE_UNREADABLE));
}

static void
too_little_memory_is_unreadable(void **state)
{
	cleanup_arena struct arena arena = {.limit = 1};
	struct container container = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(seccomp_judge(TEXT_LIT(WEAK), &arena, &container, &err), -1);
	assert_int_equal(err.code, ERR_MEMORY);
	assert_int_equal(container.postures, POSTURE_BIT(POSTURE_UNREADABLE));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_value_has_its_posture),
	    cmocka_unit_test(words_that_no_engine_knows_are_unreadable),
	    cmocka_unit_test(an_embedded_nul_does_not_end_a_word),
	    cmocka_unit_test(the_first_weak_calls_are_named_and_all_are_counted),
	    cmocka_unit_test(settings_of_two_places_add_up),
	    cmocka_unit_test(too_little_memory_is_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
