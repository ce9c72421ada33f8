/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - rows of a table that fits the terminal. */
#include "cmd_table.h"

#include "core/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SPACE = 2, VALUE_MAX = 256, WIDTH_MAX = 10000 };

int
table_least_width(const struct table *table)
{
	int least = SPACE * ((int)table->count - 1);

	for (size_t k = 0; k < table->count; k++)
		least += table->columns[k].least;
	return least;
}

static int
column_width(const struct table *table, size_t i)
{
	int least = table_least_width(table), shares = 0;

	if (table->width <= 0)
		return 0;
	for (size_t k = 0; k < table->count; k++)
		shares += table->columns[k].share;
	return table->columns[i].least +
	       (table->width > least
	            ? (table->width - least) * table->columns[i].share / shares
	            : 0);
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
add_cell(struct buf *line, const struct table *table, size_t i, struct text cell)
{
	int most = column_width(table, i);
	size_t start = line->len, used;

	add_cut(line, cell, (size_t)most, table->columns[i].keep_end);
	used = buf_ok(line) ? count_characters(text_from(buf_text(line), start)) : 0;
	if (i + 1 == table->count)
		return;
	if (most == 0)
		most = table->columns[i].least;
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
table_head(const struct table *table)
{
	cleanup_buf struct buf line = {0};

	for (size_t i = 0; i < table->count; i++)
		add_cell(&line, table, i, text_of(table->columns[i].title));
	print_line(&line);
}

void
table_row(const struct table *table, const struct text *cells)
{
	cleanup_buf struct buf line = {0};

	for (size_t i = 0; i < table->count; i++) {
		cleanup_buf struct buf value = {0};

		add_value(&value, cells[i]);
		add_cell(&line, table, i, buf_text(&value));
	}
	print_line(&line);
}

void
table_paragraph(struct text t, int indent, int width)
{
	cleanup_buf struct buf line = {0};
	size_t column = 0;

	while (t.len > 0) {
		size_t len = t.at[0] == ' ' ? 0 : text_find(t, ' ');
		size_t wide = count_characters(text_first(t, len));

		if (len == 0) { /* spaces as they are, but at the end of a line */
			buf_char(&line, ' ');
			t = text_from(t, 1);
			column++;
			continue;
		}
		if (width > 0 && column + wide > (size_t)width &&
		    column > (size_t)indent) {
			while (line.len > 0 && line.at[line.len - 1] == ' ')
				line.len--;
			print_line(&line);
			buf_clear(&line);
			buf_printf(&line, "%*s", indent, "");
			column = (size_t)indent;
		}
		buf_add_text(&line, text_first(t, len));
		column += wide;
		t = text_from(t, len);
	}
	print_line(&line);
}

int
table_terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	long wanted = columns ? strtol(columns, NULL, 10) : 0;
	struct winsize size;

	if (wanted > 0 && wanted <= WIDTH_MAX)
		return (int)wanted;
	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_col;
}
