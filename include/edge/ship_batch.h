/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ship_batch - some lines of a record as the body of one request.
 *
 * Invariant: what is in a batch is JSON, one object a line, in the order of the record. A
 * line that is none (a crash tore it, or somebody wrote to the file) goes as an object
 * that gives its length and its hash, so that the collector sees that it was there and can
 * still walk the chain: {"event":"unreadable","message":...,"bytes":N,"sha256":"..."}.
 */
#pragma once

#include "core/buf.h"
#include "core/err.h"
#include "edge/record_read.h"
#include "edge/ship_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SHIP_BATCH_LINES_MAX = 10000,
	SHIP_BATCH_BYTES_MAX = 16 * 1024 * 1024, /* before it is compressed */
};

struct ship_batch {
	struct buf lines; /* each with its newline */
	size_t count;
	struct ship_place place; /* its last line */
	bool holes;              /* lines are missing before one of it, or unreadable */
	char note[384];          /* what is odd about it, for the log; "" for nothing */
};

/* Empties it; `place` is the line before it. */
void ship_batch_begin(struct ship_batch *batch, const struct ship_place *place);

/* Adds a line that is one of a record, or what stands in the place of one. */
void ship_batch_add(struct ship_batch *batch, const struct record_found *line);

/* Notes something odd; the first stays. */
void ship_batch_note(struct ship_batch *batch, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* True if it can go as it is. */
bool ship_line_is_sendable(const struct record_found *line);

/* Writes the body: the lines, or an array of them, compressed if `gzip`. */
int ship_batch_body(const struct ship_batch *batch, bool array, bool gzip,
                    struct buf *ret_body, struct err *err);

void ship_batch_free(struct ship_batch *batch);
