/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judging - what a decision takes from outside, and what becomes of it, whatever the door:
 * the policy in force, the time and some entropy before; the line of the record and the
 * counts after.
 *
 * Invariant: the time never runs backwards, and never shows less than the last record's.
 * One thread: the one that serves.
 */
#pragma once

#include "core/decide.h"
#include "edge/metrics.h"
#include "edge/policy_store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ENTROPY_PER_DECISION = 10 };

/* The first part is set by the owner, who zeroes the rest. All is borrowed. */
struct judging {
	struct policy_store *store;
	struct metrics *metrics;
	struct text plugin_name, host;
	bool managed_plugin;
	bool record_all;  /* also what is allowed without an exception */
	int64_t clock_us; /* the clock never shows less */

	uint8_t entropy[ENTROPY_PER_DECISION * 256];
	size_t entropy_left;
};

/* Fills in the circumstances. The policy in it is held until judging_end(). */
const struct policy_snapshot *judging_begin(struct judging *judging,
                                            struct circumstances *ret_circumstances);

/*
 * It is decided: counts the uses of exceptions, appends the record's line if there must be
 * one (returns true then), and gives back the policy.
 */
bool judging_end(struct judging *judging, const struct policy_snapshot *snapshot,
                 const struct circumstances *circumstances,
                 const struct decision *decision, struct buf *line);
