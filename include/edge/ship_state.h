/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ship_state - how far a record was carried, on disk.
 *
 * Invariant: the state names a line that the collector has taken, or an earlier one: it is
 * written after the answer, to a file beside, which is renamed into place once it is on
 * disk. One process at a time has it (a lock on STATE.lock).
 */
#pragma once

#include "core/buf.h"
#include "core/err.h"
#include "core/text.h"
#include "edge/record_chain.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The last line that was carried: where it stood, and what it was. */
struct ship_place {
	bool known; /* false: nothing was carried yet */
	uint64_t dev, ino;
	off_t start, end; /* its bytes in that file, its newline included */
	uint64_t seq;     /* of it, or of the last line before it that has a number */
	char hash[RECORD_HASH_HEX + 1];
};

struct ship_state {
	char *path;
	int lock;
};

/* Locks it and reads it: *ret_place is not known if there is no file yet. Error texts
   name the file. */
int ship_state_open(struct ship_state *state, const char *path,
                    struct ship_place *ret_place, struct err *err);

int ship_state_save(const struct ship_state *state, const struct ship_place *place,
                    struct err *err);

void ship_state_close(struct ship_state *state);

#define cleanup_ship_state __attribute__((cleanup(ship_state_close)))

/* The text of a place, and back; -1 if it is none. */
void ship_place_write(struct buf *buf, const struct ship_place *place);
int ship_place_read(struct text t, struct ship_place *ret_place);
