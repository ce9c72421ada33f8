/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_table - a table for a person: cut to the terminal, safe for it.
 *
 * Invariant: a value that is not one plain word is quoted and escaped, so that none looks
 * like two columns, forges a line or moves the cursor.
 */
#pragma once

#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>

/* `share` of what is left of the width goes to the column on top of `least`. */
struct table_column {
	const char *title;
	int least, share;
	bool keep_end; /* what is cut off is its beginning */
};

struct table {
	const struct table_column *columns;
	size_t count;
	int width; /* 0: nothing is cut */
};

void table_head(const struct table *table);

/* A cell for each column. */
void table_row(const struct table *table, const struct text *cells);

/* What it can't be narrower than; `width` is not looked at. */
int table_least_width(const struct table *table);

/* Prints `t` broken between words to `width` (0: not at all); all lines but the first begin
   with `indent` spaces. */
void table_paragraph(struct text t, int indent, int width);

/* Columns of the terminal on stdout, or what COLUMNS says; 0: there is neither. */
int table_terminal_width(void);
