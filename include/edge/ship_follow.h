/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ship_follow - reads a record from where it was left, across rotation.
 *
 * Invariant: every line of the record is handed out, in order, and handed out again until
 * ship_follow_taken() says that it arrived. Rotation is by renaming: FILE becomes FILE.1
 * and so on, as often as it likes, while we run or not; the file that goes on is the one
 * that was begun next, whatever it is called: its first line has the next number, or begins
 * another record, which is carried as a whole. A file that was cut short (copytruncate) is
 * an error: lines are gone that nobody has seen.
 *
 * A line without an end is never handed out: it may be taken back. One without a number is
 * handed out once the next line is there, or the next file.
 */
#pragma once

#include "core/err.h"
#include "edge/log.h"
#include "edge/record_read.h"
#include "edge/ship_batch.h"
#include "edge/ship_state.h"

#include <stdbool.h>
#include <stddef.h>

struct ship_follow {
	const char *path; /* borrowed */
	const struct log *log;
	struct ship_place place; /* the last line that arrived */
	/* private */
	int fd; /* -1: there was no file yet */
	uint64_t dev, ino;
	off_t from;         /* where the next line begins */
	uint64_t first_seq; /* of this file, if it had a line when it was opened */
	int64_t first_us;
	bool final; /* there is a next file: this one does not grow */
	struct record_reader reader;
};

struct ship_limits {
	size_t lines, bytes;
};

/* Finds `place` in FILE and what was rotated away from it; not known, or not there any
   more: the line that follows it, or else the oldest that is. No FILE yet is fine. */
int ship_follow_start(struct ship_follow *follow, const char *path,
                      const struct ship_place *place, const struct log *log,
                      struct err *err);

/* The next lines, all from one file; none (count 0) when there are none yet. */
int ship_follow_read(struct ship_follow *follow, const struct ship_limits *limits,
                     struct ship_batch *ret_batch, struct err *err);

/* All of `batch`, the last that was read, has arrived. */
void ship_follow_taken(struct ship_follow *follow, const struct ship_batch *batch);

/* When there was nothing to read: moves to the next file. 1: there may be more to read
   now, 0: there is nothing, -1: an error. */
int ship_follow_next(struct ship_follow *follow, struct err *err);

void ship_follow_stop(struct ship_follow *follow);

/* Private to ship_follow*.c: is the line at byte `start` of `fd` the last one that arrived?
   Then *ret_end is where it ends, and the reader stands there. */
bool ship_follow_has_line(struct ship_follow *follow, int fd, off_t start,
                          off_t *ret_end);
