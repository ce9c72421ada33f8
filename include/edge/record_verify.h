/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_verify - walks the chain of a record, line by line, to the first fault.
 *
 * Invariant: a line counts as proven only once something outside it confirms its bytes:
 * the hash in the line after it, or a hash that was noted elsewhere. So the last line is
 * never proven by the files alone. Line i was altered if the line after it names another
 * hash; if the line after that one disagrees too, it was that one: the walk looks one line
 * ahead before it says which. Lines that a crash tore are confirmed by the recovery record
 * after them, which has the hash of each. An unsigned chain proves nothing against somebody who can
 * rewrite all of it; a noted hash does, up to its line. Pure.
 *
 * A state is a plain value (a copy goes on from where it was made).
 */
#pragma once

#include "edge/record_chain.h"
#include "edge/record_read.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORD_NOTED_MAX = 16 };

enum record_fault {
	RECORD_INTACT,
	RECORD_ALTERED,
	RECORD_MISSING,
	RECORD_REPEATED,
	RECORD_REORDERED,
	RECORD_TORN, /* no line of a record, and no recovery record that closes it */
};

/* A line's number and hash, kept somewhere else. */
struct record_note {
	uint64_t seq;
	char hash[RECORD_HASH_HEX + 1];
	bool met;
};

/* Where a line stands, and what is known of it. */
struct record_place {
	const char *path; /* borrowed; NULL: there is no such line */
	uint64_t number;
	uint64_t seq; /* 0: a torn one */
	uint64_t len;
	bool whole; /* it has a newline */
	char hash[RECORD_HASH_HEX + 1];
	char time[RECORD_TIME_LEN + 1];
};

struct record_verify {
	/* set by the caller */
	bool partial; /* the first lines may be elsewhere */
	struct record_note noted[RECORD_NOTED_MAX];
	size_t noted_count;
	/* the result */
	enum record_fault fault;
	struct record_place at; /* the first faulty line, or the one behind a gap */
	char what[256];         /* what is wrong there */
	uint64_t missing_from,
	    missing_to; /* RECORD_MISSING, if it is lines with numbers */
	struct record_place first, proven, last;
	/* lines that a crash tore and the recovery record that closed them, after a call
	   that returned RECORD_WALK_TORN */
	struct record_place torn[RECORD_TORN_MAX];
	size_t torn_count;
	struct record_place closed_by;
	struct record_place
	    unconfirmed; /* with these: the line before the torn one, if the
					    recovery record does not name its hash */
	/* private */
	struct record_place before;  /* the line before `last` */
	struct record_place suspect; /* its `prev` is not the hash of `last` */
};

enum record_walk {
	RECORD_WALK_ON,
	RECORD_WALK_TORN, /* go on; `torn` and `closed_by` are set */
	RECORD_WALK_END,  /* a fault was found and there is no more to say about it */
};

/* The next line; what a file ends with if it is not whole is a line too. */
enum record_walk record_verify_line(struct record_verify *verify, const char *path,
                                    const struct record_found *line);

/* After the last one. */
void record_verify_end(struct record_verify *verify);

/* "altered", "missing"... */
const char *record_fault_name(enum record_fault fault);

/* Reads "SEQ:HASH"; -1 if it is none. */
int record_note_read(struct text t, struct record_note *ret_note);
