/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_tell - a policy in full, as JSON: what the admin socket and `policy show` print.
 *
 * Invariant: everything that the parser took is told, defaults included, and the state of
 * each exception at one time. Thread-safe.
 */
#pragma once

#include "core/buf.h"
#include "core/policy.h"
#include "edge/policy_uses.h"

#include <stdint.h>

/*
 * Appends members of an object, without its braces: "digest", "mode", "allow", "observe",
 * "guards" (an object: name -> enforce, observe or off), "runtimes", "engine_default",
 * "exceptions" (a list: id, state, expires or null, used, mode, strong, allow, match,
 * reason). `uses` NULL: nobody has counted, "used" is left out.
 */
void policy_tell(struct buf *buf, const struct policy *policy,
                 const struct policy_uses *uses, int64_t now);

/* "2027-01-31T00:00:00Z", in quotes. */
void policy_tell_time(struct buf *buf, int64_t seconds);
