/* SPDX-License-Identifier: Apache-2.0 */
/* decision.c - gives back what a decision held. */
#include "core/decide.h"

#include <string.h>

void
decision_reset(struct decision *decision)
{
	char *from = (char *)&decision->authz;

	arena_reset(&decision->arena);
	/* the message is the last and by far the largest member: its end is enough */
	memset(from, 0, (size_t)(decision->verdict.message + 1 - from));
}

void
decision_free(struct decision *decision)
{
	if (!decision)
		return;
	arena_free(&decision->arena);
	*decision = (struct decision){0};
}
