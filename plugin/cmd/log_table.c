/* SPDX-License-Identifier: Apache-2.0 */
/* log_table.c - a line of a record as a row that fits the terminal. */
#include "cmd_log.h"

#include <stdio.h>
#include <string.h>

enum { SPACE = 2, VALUE_MAX = 256 };

/* `share` of what is left of the width goes to a column on top of `least`. */
static const struct column {
	const char *title;
	int least, share;
	bool keep_end; /* what is cut off is its beginning */
} columns[] = {
    {"TIME", 20, 0, false}, {"DECISION", 8, 0, false}, {"POSTURE", 10, 0, false},
    {"USER", 6, 2, false},  {"NAME", 6, 2, false},     {"IMAGE", 8, 5, true},
    {"RULE", 7, 2, false},  {"REASON", 13, 0, false},
};

enum { COLUMNS = sizeof columns / sizeof columns[0] };

static int
column_width(int width, size_t i)
{
	int least = SPACE * (COLUMNS - 1), shares = 0;

	if (width <= 0)
		return 0;
	for (size_t k = 0; k < COLUMNS; k++) {
		least += columns[k].least;
		shares += columns[k].share;
	}
	return columns[i].least +
	       (width > least ? (width - least) * columns[i].share / shares : 0);
}

/*
 * A value that is one plain word stands as it is; any other in quotes and escaped, so that
 * none looks like two columns.
 */
static void
add_value(struct buf *buf, struct text value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._:/@*+,=%-";

	if (value.len == 0) {
		buf_char(buf, '-');
		return;
	}
	for (size_t i = 0; i < value.len; i++) {
		if (value.at[i] == '\0' || !strchr(plain, value.at[i])) {
			buf_quoted(buf, value, VALUE_MAX);
			return;
		}
	}
	buf_add_text(buf, value);
}

static size_t
count_characters(struct text t)
{
	size_t count = 0;

	for (size_t i = 0; i < t.len; i++)
		count += ((unsigned char)t.at[i] & 0xc0) != 0x80;
	return count;
}

/* Byte at which character `index` begins. */
static size_t
character_at(struct text t, size_t index)
{
	size_t at = 0, count = 0;

	for (; at < t.len; at++) {
		if (((unsigned char)t.at[at] & 0xc0) != 0x80 && count++ == index)
			break;
	}
	return at;
}

/* `most` characters (0: all), an ellipsis for what was cut off among them. */
static void
add_cut(struct buf *line, struct text cell, size_t most, bool keep_end)
{
	size_t count = count_characters(cell);

	if (most == 0 || count <= most) {
		buf_add_text(line, cell);
	} else if (keep_end) {
		buf_str(line, "\xe2\x80\xa6");
		buf_add_text(line, text_from(cell, character_at(cell, count - most + 1)));
	} else {
		buf_add_text(line, text_first(cell, character_at(cell, most - 1)));
		buf_str(line, "\xe2\x80\xa6");
	}
}

static void
add_cell(struct buf *line, int width, size_t i, struct text cell)
{
	int most = column_width(width, i);
	size_t start = line->len, used;

	add_cut(line, cell, (size_t)most, columns[i].keep_end);
	used = buf_ok(line) ? count_characters(text_from(buf_text(line), start)) : 0;
	if (i + 1 == COLUMNS)
		return;
	if (most == 0)
		most = columns[i].least;
	buf_printf(line, "%*s", SPACE + (used < (size_t)most ? most - (int)used : 0), "");
}

static void
print_line(struct buf *line)
{
	buf_char(line, '\n');
	if (buf_ok(line))
		(void)fwrite(line->at, 1, line->len, stdout);
}

void
log_table_head(int width)
{
	cleanup_buf struct buf line = {0};

	for (size_t i = 0; i < COLUMNS; i++)
		add_cell(&line, width, i, text_of(columns[i].title));
	print_line(&line);
}

/* To the second; the record has microseconds. */
static struct text
short_time(struct text time, struct buf *room)
{
	size_t dot = text_find(time, '.');

	buf_add_text(room, text_first(time, dot));
	if (dot < time.len)
		buf_char(room, 'Z');
	return buf_text(room);
}

void
log_table_row(int width, const json_t *record)
{
	cleanup_buf struct buf line = {0}, time = {0};
	const json_t *container = log_container(record);
	struct text event = log_field(record, "event");
	const struct text cells[COLUMNS] = {
	    short_time(log_field(record, "time"), &time),
	    log_field(record, "decision"),
	    log_field(record, "posture"),
	    log_field(record, "user"),
	    log_field(container, "name"),
	    log_field(container, "image"),
	    log_field(record, "rule"),
	    event.at ? event : log_field(record, "reason"),
	};

	for (size_t i = 0; i < COLUMNS; i++) {
		cleanup_buf struct buf value = {0};

		add_value(&value, cells[i]);
		add_cell(&line, width, i, buf_text(&value));
	}
	print_line(&line);
}
