/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_log - what `seccomp-authz log verify` and `log show` share: record files, filters,
 * a table, counts.
 *
 * Invariant: nothing from a record reaches a terminal unescaped (buf_quoted), but for
 * `--format json`, which is for programs. Memory does not grow with the record.
 */
#pragma once

#include "cmd.h"
#include "edge/record_files.h"
#include "edge/record_read.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

extern const struct command command_log_verify;
extern const struct command command_log_show;

/*
 * Opens FILEs, with `all` what was rotated away from each, and puts them in order.
 * EXIT_CLEAN, or EXIT_UNSURE after a complaint.
 */
int log_open_files(char *const *paths, int count, bool all,
                   struct record_files *ret_files);

/* Called with each line. `whole` false: it is what the file ends with. 0 to go on. */
typedef int (*log_line_fn)(void *context, const char *path,
                           const struct record_found *line);

/*
 * Calls `each` with the lines of all files in order, until it returns non-zero. What the
 * last file ends with is given some time to become a line: the judge may be writing it.
 * EXIT_CLEAN, or EXIT_UNSURE after a complaint about a file that can't be read.
 */
int log_each_line(const struct record_files *files, log_line_fn each, void *context);

/* ---- log_filter.c: which lines ---- */

enum { LOG_NO_TIME = -1 };

struct log_filter {
	int64_t since_us, until_us; /* LOG_NO_TIME: no bound; until is not included */
	const char *user, *image, *rule, *decision; /* NULL: any */
};

/* Reads a time: RFC 3339, a day of UTC ("2026-01-31"), or how long ago ("90m", "12h",
   "7d") before `now_us`. -1 if it is none. */
int64_t log_time_read(const char *word, int64_t now_us);

/* False for a glob or an image pattern that can't match anything. */
bool log_filter_is_valid(const struct log_filter *filter, const char **ret_bad);

bool log_filter_matches(const struct log_filter *filter, struct text line,
                        const json_t *record);

/* A string of a record; missing if there is none. */
struct text log_field(const json_t *record, const char *name);

/* The container that decided: the first; NULL if there is none. */
const json_t *log_container(const json_t *record);

/* ---- log_table.c: a line for a person ---- */

/* `width` 0: nothing is cut. */
void log_table_head(int width);
void log_table_row(int width, const json_t *record);

/* ---- log_summary.c: counts ---- */

struct log_summary; /* private */

struct log_summary *log_summary_new(void);
/* -1 when out of memory. */
int log_summary_add(struct log_summary *summary, const json_t *record);
void log_summary_print(struct log_summary *summary, bool json);
void log_summary_free(struct log_summary *summary);
