/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena - memory that lives as long as one decision.
 *
 * Invariant: what an arena handed out stays valid and in place until arena_reset() or
 * arena_free(). The first block is kept by a reset, so that a steady stream of ordinary
 * requests allocates nothing; larger blocks go back to the allocator. One owner, one
 * thread.
 */
#pragma once

#include "core/text.h"

#include <stddef.h>

enum {
	ARENA_BLOCK = 64 * 1024,        /* bytes of the block that is kept */
	ARENA_LIMIT = 32 * 1024 * 1024, /* default for arena.limit */
};

struct arena_block; /* private */

/* Zero-initialised is ready to use, with ARENA_LIMIT as its limit. */
struct arena {
	struct arena_block *block; /* newest first */
	size_t total;              /* bytes taken from the allocator */
	size_t limit;              /* most bytes it may take; 0 means ARENA_LIMIT */
};

/* `size` bytes, aligned for any type, not zeroed; NULL when out of memory or limit. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc));

/* A zeroed array; NULL when out of memory, limit, or if the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A copy of `t` in the arena (a NUL follows it); .at is NULL when out of memory. */
struct text arena_text(struct arena *arena, struct text t);

/* Forgets everything handed out; keeps one block. */
void arena_reset(struct arena *arena);

/* Gives everything back. The arena is ready to use again. NULL is fine. */
void arena_free(struct arena *arena);

#define cleanup_arena __attribute__((cleanup(arena_free)))
