/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_writer - the first sink with the chain of the lines in it.
 *
 * Invariant: the chain moves by what the sink says it has taken, not by what it was
 * given: a line that is not on record uses up no number, one that is has its own. Lines
 * are copied and joined to one write. Not thread-safe: record.c adds lines with its mutex
 * held and writes from its thread.
 */
#pragma once

#include "core/buf.h"
#include "edge/record.h"
#include "edge/record_chain.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	RECORD_GROUP_LINES = 256,        /* of one write */
	RECORD_GROUP_BYTES = 128 * 1024, /* the same, before numbers are added */
	RECORD_HOST_MAX = 256,
};

struct record_writer {
	const struct record_sink_kind *kind;
	struct record_sink *sink;
	struct record_chain chain; /* of the last line that was taken */
	int64_t last_time_us;      /* of the last line at opening; 0: none */
	int64_t due_ms; /* when to call record_writer_sync() again; INT64_MAX: never */
	char host[RECORD_HOST_MAX];
	size_t count;                    /* lines of the group */
	size_t ends[RECORD_GROUP_LINES]; /* of line i in `raw` */
	struct buf raw, out;
};

/* Opens the sink and takes up the chain that is in it. */
int record_writer_open(struct record_writer *writer, const struct record_sink_kind *kind,
                       const char *target, const char *host, struct err *err);

/* Begins a group. */
void record_writer_begin(struct record_writer *writer);

/* Adds a copy of `line`; false if the group is full. */
bool record_writer_add(struct record_writer *writer, struct text line);

/* What became of a group. */
struct record_written {
	struct text
	    bytes;      /* whole lines, as they are on record; borrowed until the next */
	uint64_t lines; /* all of them */
	size_t taken;   /* lines of the group, without a recovery record before them */
	size_t torn;    /* lines that this recovery record closes; 0: there is none */
};

/* Numbers and writes the group, after the recovery record that a torn line calls for.
   -1: not all lines were taken, or nobody may count on those that were (they stay in the
   chain). */
int record_writer_write(struct record_writer *writer, struct record_written *ret_written,
                        struct err *err);

/* Has the sink made durable what was written, if this is the time for it. */
int record_writer_sync(struct record_writer *writer, enum record_sync when,
                       struct err *err);

void record_writer_close(struct record_writer *writer);
