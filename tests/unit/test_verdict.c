/* SPDX-License-Identifier: Apache-2.0 */
/* test_verdict.c - ids, codes and the sentence the user reads. */
#include "deciding.h"

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* ---- ids ---- */

static void
an_id_is_a_ulid(void **state)
{
	static const struct {
		int64_t now_us;
		uint8_t entropy[10];
		const char *id;
	} rows[] = {
	    {0, {0}, "00000000000000000000000000"},
	    {999, {0}, "00000000000000000000000000"},
	    {1000, {0}, "00000000010000000000000000"},
	    {0,
	     {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	     "0000000000ZZZZZZZZZZZZZZZZ"},
	    {0, {0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, "00000000000000000000000001"},
	    {0, {0, 0, 0, 0, 1, 0, 0, 0, 0, 0}, "00000000000000000100000000"},
	    {0, {0x80}, "0000000000G000000000000000"},
	    /* the time of the ULID specification's example, 1469918176385 ms */
	    {INT64_C(1469918176385000), {0}, "01ARYZ6S410000000000000000"},
	    {((INT64_C(1) << 48) - 1) * 1000, {0}, "7ZZZZZZZZZ0000000000000000"},
	};
	char id[VERDICT_ID_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		verdict_id(rows[i].now_us, rows[i].entropy, id);
		assert_string_equal(id, rows[i].id);
		assert_int_equal(strspn(id, crockford), 26);
	}
}

static void
ids_sort_by_time(void **state)
{
	static const uint8_t low[10] = {0}, high[10] = {0xff, 0xff, 0xff, 0xff, 0xff,
	                                                0xff, 0xff, 0xff, 0xff, 0xff};
	char earlier[VERDICT_ID_MAX], later[VERDICT_ID_MAX];

	(void)state;
	for (int64_t ms = 1; ms < INT64_C(1) << 47; ms *= 3) {
		verdict_id(ms * 1000, high, earlier);
		verdict_id((ms + 1) * 1000, low, later);
		assert_true(strcmp(earlier, later) < 0);
	}
}

/* ---- codes ---- */

static void
every_reason_has_a_code_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < REASON_COUNT; i++) {
		const char *code = reason_code((enum reason)i);

		assert_non_null(code);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(code, reason_code((enum reason)j));
	}
	assert_null(reason_code(REASON_COUNT));
}

static void
every_name_can_be_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < POSTURE_COUNT; i++)
		assert_int_equal(
		    posture_from_name(text_of(posture_name((enum posture)i))), i);
	for (int i = 0; i < GUARD_COUNT; i++)
		assert_int_equal(guard_from_name(text_of(guard_name((enum guard)i))), i);
	for (int i = 0; i < DOOR_COUNT; i++)
		assert_int_equal(door_from_name(text_of(door_name((enum door)i))), i);
	for (int i = 0; i < OPERATION_COUNT; i++)
		assert_non_null(operation_name((enum operation)i));
	assert_int_equal(posture_from_name(TEXT_LIT("Default")), -1);
	assert_int_equal(posture_from_name((struct text){0}), -1);
	assert_null(posture_name(POSTURE_COUNT));
	assert_null(guard_name(GUARD_COUNT));
}

static void
the_worst_posture_comes_first(void **state)
{
	(void)state;
	assert_int_equal(posture_worst(POSTURE_BIT(POSTURE_DEFAULT)), POSTURE_DEFAULT);
	assert_int_equal(
	    posture_worst(POSTURE_BIT(POSTURE_WEAK) | POSTURE_BIT(POSTURE_PRIVILEGED)),
	    POSTURE_PRIVILEGED);
	assert_int_equal(posture_worst(~0U), POSTURE_UNREADABLE);
	assert_int_equal(posture_worst(0), POSTURE_UNREADABLE);
}

/* ---- sentences ---- */

/* The sentence of the design, word for word. */
static void
the_sentence_is_the_one_that_is_promised(void **state)
{
	cleanup_judge struct judge judge;
	char expected[512];
	const struct verdict *verdict;

	(void)state;
	judge_start(&judge, "{\"version\":1}");
	verdict = judge_request(&judge, "POST", CREATE "?name=web", UNCONFINED);
	(void)snprintf(
	    expected, sizeof expected,
	    "container \"web\" (docker.io/library/nginx:latest) would run without a "
	    "seccomp filter: seccomp=unconfined. Drop the option, use a custom "
	    "profile, or ask for an exception (policy %.12s, decision %s).",
	    judge.policy->digest + strlen("sha256:"), verdict->id);
	assert_string_equal(verdict->message, expected);
}

static void
every_reason_posture_and_guard_has_words(void **state)
{
	static const struct text texts[] = {{0}, {"detail", 6}};
	struct container container = {.name = TEXT_LIT("web"),
	                              .runtime = TEXT_LIT("kata")};
	const struct workload workload = {.containers = &container, .count = 1};

	(void)state;
	for (int i = 0; i < REASON_COUNT * POSTURE_COUNT * GUARD_COUNT; i++) {
		struct verdict verdict = {
		    .reason = (enum reason)(i % REASON_COUNT),
		    .posture = (enum posture)(i / REASON_COUNT % POSTURE_COUNT),
		    .guard = i / REASON_COUNT / POSTURE_COUNT,
		    .id = "01HQTDRN4N04HMASW9NF6YZZPW",
		    .policy = "built-in"};

		if (verdict.reason == REASON_POSTURE &&
		    verdict.posture == POSTURE_UNREADABLE)
			continue; /* has reasons of its own */
		verdict_explain(&verdict, &workload, texts[i % 2]);
		assert_non_null(
		    strstr(verdict.message, "(policy built-in, decision 01H"));
		if (strstr(verdict.message, "(null)") || strstr(verdict.message, "  "))
			fail_msg("%s", verdict.message);
	}
}

static void
a_weak_profile_is_named_with_its_calls(void **state)
{
	struct container container = {
	    .weak_calls = {"mount", "bpf"}, .weak_count = 5, .digest = "sha256:00"};
	const struct workload workload = {.containers = &container, .count = 1};
	struct verdict verdict = {
	    .reason = REASON_POSTURE, .posture = POSTURE_WEAK, .guard = -1};

	(void)state;
	verdict_explain(&verdict, &workload, (struct text){0});
	assert_non_null(
	    strstr(verdict.message, ": mount, bpf and 3 more (profile sha256:00). Drop"));
}

/* What other rules let through is told apart by which container decided. */
static void
a_container_that_is_not_there_is_not_looked_at(void **state)
{
	const struct workload none = {0};
	struct verdict verdict = {.reason = REASON_POSTURE, .container = 5, .guard = -1};

	(void)state;
	verdict_explain(&verdict, &none, (struct text){0});
	assert_non_null(strstr(verdict.message, "the request was not judged"));
}

static void
values_cannot_forge_a_second_sentence(void **state)
{
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, NULL);
	assert_non_null(
	    strstr(judge_request(&judge, "POST", CREATE "?name=a%22b%5C%0A", UNCONFINED)
	               ->message,
	           "container \"a\\\"b\\\\\\n\" (docker.io"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_id_is_a_ulid),
	    cmocka_unit_test(ids_sort_by_time),
	    cmocka_unit_test(every_reason_has_a_code_of_its_own),
	    cmocka_unit_test(every_name_can_be_read_back),
	    cmocka_unit_test(the_worst_posture_comes_first),
	    cmocka_unit_test(the_sentence_is_the_one_that_is_promised),
	    cmocka_unit_test(every_reason_posture_and_guard_has_words),
	    cmocka_unit_test(a_weak_profile_is_named_with_its_calls),
	    cmocka_unit_test(a_container_that_is_not_there_is_not_looked_at),
	    cmocka_unit_test(values_cannot_forge_a_second_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
