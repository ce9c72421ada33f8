/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict_words - what a refusal says: what is wrong, and what can be done about it.
 *
 * Invariant: there are words for every reason, and for every posture and guard that can be
 * refused; static storage. Pure.
 */
#pragma once

#include "core/verdict.h"
#include "core/workload.h"

/* `what` stands before the detail; `fix` is a sentence, without its full stop for postures
   and guards. */
struct sentence {
	const char *what, *fix;
};

/* For refusals that are about the request as a whole. */
const struct sentence *words_of_reason(enum reason reason, enum door door);

const struct sentence *words_of_posture(enum posture posture, enum door door);
const struct sentence *words_of_guard(enum guard guard, enum door door);
