/* SPDX-License-Identifier: Apache-2.0 */
/* log_filter.c - which lines of a record `log show` is asked for. */
#include "cmd_log.h"
#include "core/glob.h"
#include "core/image_ref.h"
#include "core/policy_time.h"
#include "edge/record_chain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SECOND_US = 1000000 };

/* "90m", "12h", "7d" */
static int64_t
read_age(const char *word)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	char *end;
	long count;

	errno = 0;
	count = strtol(word, &end, 10);
	if (errno != 0 || end == word || *word < '0' || *word > '9' || count > 100000)
		return LOG_NO_TIME;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (*end == units[i].unit && end[1] == '\0')
			return count * units[i].seconds;
	}
	return LOG_NO_TIME;
}

/* The microseconds of ".678809" in a time; what is finer is dropped. */
static int64_t
read_fraction(const char *word)
{
	const char *dot = strchr(word, '.');
	int64_t us = 0;

	for (int unit = SECOND_US / 10; dot && unit > 0; unit /= 10) {
		if (*++dot < '0' || *dot > '9')
			break;
		us += (*dot - '0') * unit;
	}
	return us;
}

int64_t
log_time_read(const char *word, int64_t now_us)
{
	cleanup_buf struct buf day = {0};
	int64_t seconds = read_age(word);

	if (seconds >= 0)
		return now_us - seconds * SECOND_US;
	if (policy_time_read(text_of(word), &seconds))
		return seconds * SECOND_US + read_fraction(word);
	buf_printf(&day, "%.10sT00:00:00Z", word);
	if (strlen(word) == strlen("2026-01-31") && buf_ok(&day) &&
	    policy_time_read(buf_text(&day), &seconds))
		return seconds * SECOND_US;
	return LOG_NO_TIME;
}

bool
log_filter_is_valid(const struct log_filter *filter, const char **ret_bad)
{
	*ret_bad = "--image";
	if (filter->image && !image_pattern_is_valid(text_of(filter->image)))
		return false;
	*ret_bad = "--user";
	if (filter->user && !glob_is_valid(text_of(filter->user)))
		return false;
	*ret_bad = "--rule";
	return !filter->rule || glob_is_valid(text_of(filter->rule));
}

struct text
log_field(const json_t *record, const char *name)
{
	const json_t *value = json_object_get(record, name);

	return json_is_string(value)
	           ? (struct text){json_string_value(value), json_string_length(value)}
	           : (struct text){0};
}

const json_t *
log_container(const json_t *record)
{
	return json_array_get(json_object_get(record, "containers"), 0);
}

/* What a record lacks matches nothing, as in a policy. */
static bool
matches(const char *pattern, struct text value)
{
	return !pattern || (value.at && glob_matches(text_of(pattern), value, 0));
}

/* Any container's; the record has the normalised reference. */
static bool
matches_image(const char *pattern, const json_t *record)
{
	const json_t *containers = json_object_get(record, "containers");
	cleanup_arena struct arena arena = {0};

	if (!pattern)
		return true;
	for (size_t i = 0; i < json_array_size(containers); i++) {
		struct text image = log_field(json_array_get(containers, i), "image");
		struct image_ref ref = image_ref_parse(image, &arena);

		if (image.at && image_ref_matches(&ref, text_of(pattern)))
			return true;
	}
	return false;
}

bool
log_filter_matches(const struct log_filter *filter, struct text line,
                   const json_t *record)
{
	int64_t time = record_chain_time(line);

	if (filter->since_us != LOG_NO_TIME && time < filter->since_us)
		return false;
	if (filter->until_us != LOG_NO_TIME && time >= filter->until_us)
		return false;
	if (filter->decision && !text_is(log_field(record, "decision"), filter->decision))
		return false;
	return matches(filter->user, log_field(record, "user")) &&
	       matches(filter->rule, log_field(record, "rule")) &&
	       matches_image(filter->image, record);
}
