/* SPDX-License-Identifier: Apache-2.0 */
/* policy_time.c - RFC 3339 -> seconds since the epoch, without a clock or a locale. */
#include "core/policy_time.h"

enum { DAY = 86400, HOUR = 3600, MINUTE = 60 };

/* Two or four decimal digits at `at`; -1 if they are none. */
static int
digits(struct text t, size_t at, size_t count)
{
	int value = 0;

	if (t.len < at + count)
		return -1;
	for (size_t i = at; i < at + count; i++) {
		if (t.at[i] < '0' || t.at[i] > '9')
			return -1;
		value = value * 10 + (t.at[i] - '0');
	}
	return value;
}

static int
days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/*
 * Days since 1970-01-01 in the Gregorian calendar, for years from 0. Years are counted
 * from March, so that the leap day is the last of its year; 719468 days lie between
 * 0000-03-01 and the epoch.
 */
static int64_t
days_from_civil(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* "YYYY-MM-DDTHH:MM:SS" at the start of `t`. */
static bool
read_local(struct text t, int64_t *ret_seconds)
{
	int year = digits(t, 0, 4), month = digits(t, 5, 2), day = digits(t, 8, 2);
	int hour = digits(t, 11, 2), minute = digits(t, 14, 2), second = digits(t, 17, 2);

	if (year < 0 || second < 0 || t.at[4] != '-' || t.at[7] != '-' ||
	    (t.at[10] != 'T' && t.at[10] != 't') || t.at[13] != ':' || t.at[16] != ':')
		return false;
	if (month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
		return false;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second > 59)
		return false;
	*ret_seconds = days_from_civil(year, month, day) * DAY + hour * HOUR +
	               minute * MINUTE + second;
	return true;
}

/* "Z" or "+HH:MM", to the end of `t`. */
static bool
read_offset(struct text t, int *ret_seconds)
{
	int hour = digits(t, 1, 2), minute = digits(t, 4, 2);

	*ret_seconds = 0;
	if (text_is(t, "Z") || text_is(t, "z"))
		return true;
	if (t.len != strlen("+HH:MM") || (t.at[0] != '+' && t.at[0] != '-') ||
	    t.at[3] != ':' || hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return false;
	*ret_seconds = (hour * HOUR + minute * MINUTE) * (t.at[0] == '-' ? -1 : 1);
	return true;
}

bool
policy_time_read(struct text t, int64_t *ret_seconds)
{
	size_t at = strlen("YYYY-MM-DDTHH:MM:SS");
	int64_t local;
	int offset;

	if (t.len <= at || !read_local(t, &local))
		return false;
	if (t.at[at] == '.') {
		size_t fraction = ++at;

		while (at < t.len && t.at[at] >= '0' && t.at[at] <= '9')
			at++;
		if (at == fraction)
			return false;
	}
	if (!read_offset(text_from(t, at), &offset))
		return false;
	*ret_seconds = local - offset;
	return true;
}
