/* SPDX-License-Identifier: Apache-2.0 */
/* log_table.c - a line of a record as a row that fits the terminal. */
#include "cmd_log.h"
#include "cmd_table.h"

static const struct table_column columns[] = {
    {"TIME", 20, 0, false}, {"DECISION", 8, 0, false}, {"POSTURE", 10, 0, false},
    {"USER", 6, 2, false},  {"NAME", 6, 2, false},     {"IMAGE", 8, 5, true},
    {"RULE", 7, 2, false},  {"REASON", 13, 0, false},
};

enum {
	COLUMNS = sizeof columns / sizeof columns[0],
	COLUMNS_MIN = 4, /* up to one that takes what room there is */
};

/* On a narrow terminal the last columns are left out: a row that wraps can't be read. */
static struct table
table_of(int width)
{
	struct table table = {.columns = columns, .count = COLUMNS, .width = width};

	while (width > 0 && table.count > COLUMNS_MIN &&
	       table_least_width(&table) > width)
		table.count--;
	return table;
}

void
log_table_head(int width)
{
	struct table table = table_of(width);

	table_head(&table);
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
	cleanup_buf struct buf time = {0};
	struct table table = table_of(width);
	const json_t *container = log_container(record);
	struct text event = log_field(record, "event");
	struct text decision = log_field(record, "decision");
	bool all = table.count == COLUMNS;
	const struct text cells[COLUMNS] = {
	    short_time(log_field(record, "time"), &time),
	    event.at && !all ? event : decision,
	    log_field(record, "posture"),
	    log_field(record, "user"),
	    log_field(container, "name"),
	    log_field(container, "image"),
	    log_field(record, "rule"),
	    event.at ? event : log_field(record, "reason"),
	};

	table_row(&table, cells);
}
