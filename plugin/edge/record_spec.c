/* SPDX-License-Identifier: Apache-2.0 */
/* record_spec.c - "PATH,fsync=always,rotate=64M,keep=10" -> struct record_spec. */
#include "edge/record_spec.h"
#include "core/text.h"

#include <stdint.h>

enum { DIGITS_MAX = 12 };

/* Takes the digits that *text begins with; -1: there are none, or too many. */
static int64_t
take_number(struct text *text)
{
	int64_t number = 0;
	size_t len = 0;

	while (len < text->len && text->at[len] >= '0' && text->at[len] <= '9' &&
	       len <= DIGITS_MAX)
		number = number * 10 + (text->at[len++] - '0');
	*text = text_from(*text, len);
	return len > 0 && len <= DIGITS_MAX ? number : -1;
}

static int
read_fsync(struct record_spec *spec, struct text value, struct err *err)
{
	static const struct {
		const char *name;
		enum record_fsync fsync;
	} rows[] = {
	    {"always", RECORD_FSYNC_ALWAYS},
	    {"interval", RECORD_FSYNC_INTERVAL},
	    {"never", RECORD_FSYNC_NEVER},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (text_is(value, rows[i].name)) {
			spec->fsync = rows[i].fsync;
			return 0;
		}
	}
	return err_set(err, ERR_TYPE, "fsync should be always, interval or never");
}

static int
read_rotate(struct record_spec *spec, struct text value, struct err *err)
{
	static const struct {
		const char *name;
		unsigned shift;
	} units[] = {{"", 0}, {"K", 10}, {"M", 20}, {"G", 30}};
	int64_t number = take_number(&value);

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (!text_is(value, units[i].name) || number < 0 ||
		    number > INT64_MAX >> (units[i].shift + 1))
			continue;
		spec->rotate = (off_t)(number << units[i].shift);
		if (spec->rotate >= RECORD_ROTATE_MIN)
			return 0;
	}
	return err_set(err, ERR_TYPE,
	               "rotate should be a size of at least %dK, such as 64M",
	               RECORD_ROTATE_MIN / 1024);
}

static int
read_keep(struct record_spec *spec, struct text value, struct err *err)
{
	int64_t number = take_number(&value);

	if (value.len > 0 || number < 1 || number > RECORD_KEEP_MAX)
		return err_set(err, ERR_TYPE, "keep should be a number from 1 to %d",
		               RECORD_KEEP_MAX);
	spec->keep = (unsigned)number;
	return 0;
}

/* Option `i` of the table was given. */
static int
read_option(struct record_spec *spec, struct text option, unsigned *given,
            struct err *err)
{
	static const struct {
		const char *name;
		int (*read)(struct record_spec *spec, struct text value, struct err *err);
	} rows[] = {{"fsync", read_fsync}, {"rotate", read_rotate}, {"keep", read_keep}};
	size_t len = text_find(option, '=');

	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (len == option.len || !text_is(text_first(option, len), rows[i].name))
			continue;
		if (*given & 1U << i)
			return err_set(err, ERR_TYPE, "%s is given twice", rows[i].name);
		*given |= 1U << i;
		return rows[i].read(spec, text_from(option, len + 1), err);
	}
	return err_set(err, ERR_TYPE,
	               "\",%.*s\": should be fsync=, rotate= or keep= "
	               "(a path here has no comma)",
	               (int)(option.len > 64 ? 64 : option.len), option.at);
}

static int
read_options(struct record_spec *spec, struct text rest, struct err *err)
{
	unsigned given = 0;

	while (rest.len > 0) {
		struct text option = text_from(rest, 1);

		option = text_first(option, text_find(option, ','));
		if (read_option(spec, option, &given, err))
			return -1;
		rest = text_from(rest, 1 + option.len);
	}
	if (spec->keep > 0 && spec->rotate == 0)
		return err_set(err, ERR_TYPE, "keep needs rotate");
	if (spec->rotate > 0 && spec->keep == 0)
		spec->keep = RECORD_KEEP_DEFAULT;
	return 0;
}

int
record_spec_read(const char *target, struct record_spec *ret_spec, struct err *err)
{
	struct text all = text_of(target), path = text_first(all, text_find(all, ','));

	*ret_spec = (struct record_spec){.fsync = RECORD_FSYNC_INTERVAL};
	if (path.len == 0)
		return err_set(err, ERR_TYPE, "file:%s: names no file", target);
	if (path.len >= sizeof ret_spec->path)
		return err_set(err, ERR_LIMIT, "file:%.64s...: path too long", target);
	memcpy(ret_spec->path, path.at, path.len);
	if (read_options(ret_spec, text_from(all, path.len), err))
		return err_wrap(err, "file:%.200s", target);
	return 0;
}
