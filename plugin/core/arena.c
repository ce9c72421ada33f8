/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c - memory that lives as long as one decision. */
#include "core/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
	struct arena_block *older;
	size_t used, size;
	_Alignas(max_align_t) char bytes[];
};

/* Rounded up so that what follows is aligned for any type. */
static size_t
aligned(size_t size)
{
	const size_t to = _Alignof(max_align_t);

	return (size + to - 1) / to * to;
}

static struct arena_block *
new_block(struct arena *arena, size_t size)
{
	size_t limit = arena->limit ? arena->limit : ARENA_LIMIT;
	size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;
	struct arena_block *block;

	if (room > limit || arena->total > limit - room)
		return NULL;
	block = malloc(sizeof *block + room);
	if (!block)
		return NULL;
	block->older = arena->block;
	block->used = 0;
	block->size = room;
	arena->block = block;
	arena->total += room;
	return block;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->block;
	void *at;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = aligned(size ? size : 1);
	if (!block || block->size - block->used < size)
		block = new_block(arena, size);
	if (!block)
		return NULL;
	at = block->bytes + block->used;
	block->used += size;
	return at;
}

void *
arena_array(struct arena *arena, size_t count, size_t size)
{
	void *at;

	if (size != 0 && count > SIZE_MAX / 2 / size)
		return NULL;
	at = arena_alloc(arena, count * size);
	return at ? memset(at, 0, count * size) : NULL;
}

struct text
arena_text(struct arena *arena, struct text t)
{
	char *copy = arena_alloc(arena, t.len + 1);

	if (!copy)
		return (struct text){0};
	if (t.len > 0)
		memcpy(copy, t.at, t.len);
	copy[t.len] = '\0';
	return (struct text){.at = copy, .len = t.len};
}

void
arena_reset(struct arena *arena)
{
	struct arena_block *block = arena->block, *keep = NULL;

	while (block) {
		struct arena_block *older = block->older;

		if (!keep && block->size == ARENA_BLOCK)
			keep = block;
		else
			free(block);
		block = older;
	}
	arena->block = keep;
	arena->total = keep ? keep->size : 0;
	if (keep) {
		keep->older = NULL;
		keep->used = 0;
	}
}

void
arena_free(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->block) {
		struct arena_block *older = arena->block->older;

		free(arena->block);
		arena->block = older;
	}
	arena->total = 0;
}
