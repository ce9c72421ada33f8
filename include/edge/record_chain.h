/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_chain - what ties each line of the record to the one before it.
 *
 * Invariant: a chain says what the last line on record is: its number and the SHA-256 of
 * its bytes without the newline, whatever these bytes are. A line that was torn counts as
 * a line without a number; the recovery record after it takes the next number and has the
 * torn line's hash as its `prev`. After several (a crash may come between the newline that
 * closes a torn line and its recovery record) it has the last one's, and all of their
 * hashes in `torn`. Pure but for the clock in record_chain_recover().
 */
#pragma once

#include "core/buf.h"
#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RECORD_HASH_HEX = 64,
	/* `,"seq":N,"prev":"HASH"}` and a newline, with room to spare */
	RECORD_SUFFIX_MAX = 128,
	RECORD_TORN_MAX = 16, /* torn lines that one recovery record closes */
};

struct record_chain {
	uint64_t seq;                   /* of the last line; 0: none yet */
	char prev[RECORD_HASH_HEX + 1]; /* its hash; "" when there is none */
};

/* The hash of `line` (without its newline) in lower-case hex, NUL-terminated. */
void record_chain_hash(struct text line, char ret_hex[RECORD_HASH_HEX + 1]);

/* Appends `line` (an object without its closing brace), closed by its `seq` and `prev`
   and a newline; it is then the last line. */
void record_chain_add(struct record_chain *chain, struct buf *out, struct text line);

/* Takes `line` (without its newline) for the last one; -1 if it is none of ours. */
int record_chain_resume(struct record_chain *chain, struct text line);

/* Appends the record that says that the line of these bytes was torn, or the lines, with
   newlines between them and maybe one behind; RECORD_TORN_MAX at most. `floor_us`: it is not
   dated earlier. */
void record_chain_recover(struct record_chain *chain, struct buf *out, struct text torn,
                          const char *host, int64_t floor_us);

/* True if `line` (without its newline) may be what a crash left of a line of ours: its
   beginning, or the NUL of a power cut, and no whole object. */
bool record_chain_is_torn(struct text line);

/* How many torn lines these bytes are. */
size_t record_chain_count_torn(struct text torn);

/* The time that a line of ours begins with, in microseconds since the epoch; 0: none. */
int64_t record_chain_time(struct text line);
