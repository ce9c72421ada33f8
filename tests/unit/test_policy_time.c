/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_time.c - when exceptions expire. */
#include "core/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A policy with one exception. */
#define EXPIRING(time)                                                                   \
	"{\"version\":1,\"exceptions\":[{\"id\":\"a\",\"reason\":\"r\",\"allow\":["      \
	"\"weak\"],\"match\":{\"user\":[\"u\"]},\"expires\":\"" time "\"}]}"

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
	struct policy_problems problems;

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		struct policy *policy = policy_parse(text_of(times[i].text), &problems);

		assert_non_null(policy);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(times_of_rfc_3339_are_read),
	    cmocka_unit_test(anything_else_is_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
