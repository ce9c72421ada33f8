/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_tail - the end of a record file: its last whole line, and what is torn after it.
 *
 * What has no newline is torn; so are the lines before it that look as a crash leaves them
 * (record_chain_is_torn), RECORD_TORN_MAX in all: it may come after the newline that closed
 * one and before the recovery record. Reads from the end and only as much as is needed, at
 * most RECORD_TAIL_MAX bytes. The owner frees it.
 */
#pragma once

#include "core/buf.h"
#include "core/err.h"
#include "core/text.h"

#include <stdbool.h>
#include <sys/types.h>

enum { RECORD_TAIL_MAX = 4 * 1024 * 1024 }; /* a power cut may leave long runs of NUL */

struct record_tail {
	off_t size; /* of the file */
	/* Borrow from `bytes`. `last` is missing if there is none; `torn` may be several
	   lines, the last with or without its newline. */
	struct text last, torn;
	struct buf bytes;
};

/* Error texts do not name the file. */
int record_tail_read(int fd, struct record_tail *ret_tail, struct err *err);

/* True if the last whole line is a line of a chain. */
bool record_tail_is_ours(const struct record_tail *tail);

void record_tail_free(struct record_tail *tail);

#define cleanup_record_tail __attribute__((cleanup(record_tail_free)))
