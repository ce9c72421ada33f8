/* SPDX-License-Identifier: Apache-2.0 */
/* test_rfc3339.c - times as they are written. */
#include "core/rfc3339.h"

#include "core/policy_read.h"
#include "deciding.h"

static const struct {
	int64_t seconds;
	const char *written;
} times[] = {
    {-1, "1969-12-31T23:59:59"},         {-62135596800, "0001-01-01T00:00:00"},
    {0, "1970-01-01T00:00:00"},          {86399, "1970-01-01T23:59:59"},
    {951782400, "2000-02-29T00:00:00"},  {1709210096, "2024-02-29T12:34:56"},
    {1709251200, "2024-03-01T00:00:00"}, {4107542399, "2100-02-28T23:59:59"},
    {4107542400, "2100-03-01T00:00:00"}, {253402300799, "9999-12-31T23:59:59"},
};

static void
a_time_is_written_as_it_would_be_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		cleanup_buf struct buf buf = {0};
		int64_t seconds = -1;

		rfc3339_write(&buf, times[i].seconds);
		assert_string_equal(buf.at, times[i].written);
		buf_char(&buf, 'Z');
		assert_true(policy_time_read(buf_text(&buf), &seconds));
		assert_true(seconds == times[i].seconds);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_time_is_written_as_it_would_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
