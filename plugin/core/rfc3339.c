/* SPDX-License-Identifier: Apache-2.0 */
/* rfc3339.c - seconds since the epoch -> RFC 3339. */
#include "core/rfc3339.h"

static void
two_digits(struct buf *buf, char before, int64_t number)
{
	buf_char(buf, before);
	buf_number(buf, (uint64_t)number, 2);
}

/*
 * Days to a date by the proleptic Gregorian calendar, in 400-year eras that start in
 * March, so that the leap day is the last of its year.
 */
void
rfc3339_write(struct buf *buf, int64_t seconds)
{
	int64_t before = seconds % 86400 < 0; /* a part of a day before the epoch */
	int64_t days = seconds / 86400 - before + 719468;
	int64_t of_day = seconds % 86400 + before * 86400;
	int64_t era = days / 146097, of_era = days % 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t shifted = (5 * of_year + 2) / 153;
	int64_t day = of_year - (153 * shifted + 2) / 5 + 1;
	int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;

	year += era * 400 + (month <= 2);
	buf_number(buf, (uint64_t)year, 4);
	two_digits(buf, '-', month);
	two_digits(buf, '-', day);
	two_digits(buf, 'T', of_day / 3600);
	two_digits(buf, ':', of_day / 60 % 60);
	two_digits(buf, ':', of_day % 60);
}
