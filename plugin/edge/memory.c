/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c - an allocator for jansson that never returns NULL. */
#include "edge/memory.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

static void *
allocate(size_t size)
{
	static const char message[] = "seccomp-authz: out of memory\n";
	void *at = malloc(size);

	if (at || size == 0)
		return at;
	(void)!write(STDERR_FILENO, message, sizeof message - 1);
	abort();
}

void
memory_guard_jansson(void)
{
	json_set_alloc_funcs(allocate, free);
	json_object_seed(0);
}
