/* SPDX-License-Identifier: Apache-2.0 */
/* test_rulings.c - of several containers, the one that is worst off decides. */
#include "core/rulings.h"

#include "deciding.h"

static const struct exception used;

#define OFF                                                                              \
	{                                                                                \
		.mode = RULE_OFF, .guard = -1                                            \
	}
#define EXCEPTED                                                                         \
	{                                                                                \
		.mode = RULE_OFF, .guard = -1, .exception = &used                        \
	}
#define WATCHED(posture)                                                                 \
	{                                                                                \
		.mode = RULE_OBSERVE, .guard = -1, .refused = POSTURE_BIT(posture)       \
	}
#define REFUSED(posture)                                                                 \
	{                                                                                \
		.mode = RULE_ENFORCE, .guard = -1, .refused = POSTURE_BIT(posture)       \
	}
#define GUARDED                                                                          \
	{                                                                                \
		.mode = RULE_ENFORCE, .guard = GUARD_RUNTIMES                            \
	}

static const struct {
	struct ruling rulings[4];
	size_t count, heaviest, others;
} rows[] = {
    {{OFF}, 1, 0, 0},
    {{OFF, OFF}, 2, 0, 0},
    {{OFF, EXCEPTED, OFF}, 3, 1, 0},
    {{EXCEPTED, WATCHED(POSTURE_WEAK), OFF}, 3, 1, 0},
    {{WATCHED(POSTURE_PRIVILEGED), REFUSED(POSTURE_UNSET), OFF, EXCEPTED}, 4, 1, 0},
    {{REFUSED(POSTURE_UNSET), REFUSED(POSTURE_UNSET), OFF}, 3, 0, 1},
    {{REFUSED(POSTURE_UNSET), OFF, REFUSED(POSTURE_PRIVILEGED)}, 3, 2, 1},
    {{REFUSED(POSTURE_PRIVILEGED), REFUSED(POSTURE_UNREADABLE)}, 2, 1, 1},
    {{REFUSED(POSTURE_UNREADABLE), GUARDED, REFUSED(POSTURE_UNSET)}, 3, 1, 2},
    {{GUARDED, REFUSED(POSTURE_UNREADABLE), GUARDED}, 3, 0, 2},
    {{WATCHED(POSTURE_UNSET), WATCHED(POSTURE_UNCONFINED), EXCEPTED}, 3, 1, 1},
};

static void
the_worst_of_several_decides_and_its_equals_are_noted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct verdict verdict = {.guard = -1};

		verdict.container = rulings_heaviest(rows[i].rulings, rows[i].count);
		if (verdict.container != rows[i].heaviest)
			fail_msg("row %zu: %zu", i, verdict.container);
		if (rows[i].rulings[rows[i].heaviest].mode == RULE_OFF)
			continue;
		rulings_note_others(rows[i].rulings, rows[i].count, &verdict);
		if (verdict.other_count != rows[i].others)
			fail_msg("row %zu: %zu others", i, verdict.other_count);
		for (size_t k = 0; k < verdict.other_count; k++)
			assert_int_not_equal(verdict.others[k].container,
			                     verdict.container);
	}
}

static void
more_others_than_are_shown_are_counted(void **state)
{
	struct ruling rulings[VERDICT_OTHERS_MAX + 5];
	struct verdict verdict = {.guard = -1};

	(void)state;
	for (size_t i = 0; i < COUNT(rulings); i++)
		rulings[i] = (struct ruling)REFUSED(POSTURE_UNSET);
	rulings_note_others(rulings, COUNT(rulings), &verdict);
	assert_int_equal(verdict.other_count, COUNT(rulings) - 1);
	assert_int_equal(verdict.others[VERDICT_OTHERS_MAX - 1].container,
	                 VERDICT_OTHERS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_worst_of_several_decides_and_its_equals_are_noted),
	    cmocka_unit_test(more_others_than_are_shown_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
