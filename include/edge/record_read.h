/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_read - the lines of a record file, one after the other, for those who check or
 * carry it.
 *
 * Invariant: memory is bounded whatever the file holds: RECORD_LINE_MAX bytes of a line are
 * kept, the rest of a longer one is counted and hashed only (a power cut may leave long
 * runs of NUL). The file is never written to. One thread.
 */
#pragma once

#include "core/buf.h"
#include "core/err.h"
#include "core/text.h"
#include "edge/record_chain.h"

#include <nettle/sha2.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { RECORD_TIME_LEN = 27 }; /* "2026-01-01T00:00:00.000000Z" */

/* A line as it was found. */
struct record_found {
	struct text text; /* without its newline, the first RECORD_LINE_MAX bytes at most;
			     until the next read */
	uint64_t len;     /* of all of it, without its newline */
	uint64_t number;  /* in its file, from 1 (from where reading began) */
	off_t start, end; /* in the file; `end` is behind its newline */
	bool whole;       /* it has a newline */
	uint64_t seq;     /* 0: it is no line of a chain */
	char prev[RECORD_HASH_HEX + 1]; /* as it says; "" without `seq` */
	char hash[RECORD_HASH_HEX + 1]; /* of all of it */
};

struct record_reader {
	int fd;          /* borrowed */
	off_t at;        /* where the next block is read */
	off_t start;     /* of the line that is read next */
	uint64_t number; /* of that line */
	/* private */
	uint64_t len; /* of what was read of it */
	struct buf kept;
	struct sha256_ctx sha; /* once `len` is more than what is kept */
	size_t from, to;       /* what is left of `block` */
	char block[64 * 1024];
};

/* Reads `fd` from byte `at`, a start of a line, on; the numbers begin with 1. A reader is
   zero-initialised before the first time. */
void record_reader_start(struct record_reader *reader, int fd, off_t at);

/*
 * Reads the next line. 1: there it is. 0: there is none with an end; *ret_line is what
 * stands there without one (`len` 0: nothing); the next call looks at it anew.
 * -1: the file can't be read.
 */
int record_read(struct record_reader *reader, struct record_found *ret_line,
                struct err *err);

void record_reader_free(struct record_reader *reader);

#define cleanup_record_reader __attribute__((cleanup(record_reader_free)))

/* True if it is a recovery record (record_chain_recover). */
bool record_found_is_recovery(const struct record_found *line);

/* The hash of the line before the torn one, as a recovery record names it; missing if it
   does not. Its `prev` is the torn line's, so without this nothing confirms that line. */
struct text record_found_after(const struct record_found *recovery);

/* The hashes of the lines that a recovery record closes, as a list; missing if it is one
   line. */
struct text record_found_torn(const struct record_found *recovery);

/* Hash number `i`, from 0, of such a list; missing behind its end. */
struct text record_torn_hash(struct text list, size_t i);

/* The time that a line begins with, as it stands there; "" if there is none. */
void record_found_time(const struct record_found *line,
                       char ret_time[RECORD_TIME_LEN + 1]);
