/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_uses - how often each exception of a policy was used, and what state it is in.
 *
 * Invariant: one counter for each exception, at its index, made with the policy; counting
 * is one addition and neither locks nor allocates. A reload carries the counts over by id,
 * so that they only grow while the judge runs; a decision that is made during the swap
 * may be counted with the earlier policy and so be missing. Counting and reading are
 * thread-safe, carrying is for whoever reloads.
 */
#pragma once

#include "core/policy.h"

#include <stddef.h>
#include <stdint.h>

enum exception_state {
	EXCEPTION_ACTIVE,
	EXCEPTION_EXPIRED,
	EXCEPTION_OBSERVED, /* not expired, and never allows (RULE_OBSERVE) */
	EXCEPTION_STATE_COUNT
};

/* The state at `now` (seconds since the epoch). */
enum exception_state exception_state(const struct exception *exception, int64_t now);
const char *exception_state_name(enum exception_state state);

struct policy_uses; /* private */

/* All zero. NULL when out of memory. The caller frees it (free). */
struct policy_uses *policy_uses_new(const struct policy *policy);

/* Adds one to `exception`, which is of the policy that `uses` was made for. */
void policy_uses_count(struct policy_uses *uses, const struct policy *policy,
                       const struct exception *exception);

/* Of the exception at `index`. */
uint64_t policy_uses_get(const struct policy_uses *uses, size_t index);

/* A policy and its counts. */
struct policy_used {
	const struct policy *policy;
	struct policy_uses *uses;
};

/* Adds the counts of `earlier` to the exceptions of `later` with the same id. Out of
   memory, the counts begin anew. */
void policy_uses_carry(const struct policy_used *earlier,
                       const struct policy_used *later);
