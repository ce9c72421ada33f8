/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rulings - what the policy said of each of several containers, and what follows for all.
 *
 * Invariant: each container is judged on its own; the request fares as its worst one does.
 * Pure.
 */
#pragma once

#include "core/policy.h"
#include "core/verdict.h"

#include <stddef.h>

/*
 * The index of the ruling that decides, of `count` > 0: one that enforces before one that
 * is observed, that before a use of an exception, that before the rest. Of two refusals
 * that weigh the same: a guard, the worse posture, the first.
 */
size_t rulings_heaviest(const struct ruling *rulings, size_t count);

/* Notes in `verdict` which others are refused as verdict->container is. */
void rulings_note_others(const struct ruling *rulings, size_t count,
                         struct verdict *verdict);
