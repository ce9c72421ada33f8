/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_follow - a sink that gets what the first one took, and never holds it up.
 *
 * Invariant: handing lines over never waits. What does not fit into RECORD_FOLLOW_MAX
 * bytes, or is not taken by the sink, is lost to this sink and counted; the log says so
 * once when it begins and once when it ends. One thread of its own a sink.
 */
#pragma once

#include "core/text.h"
#include "edge/log.h"
#include "edge/record.h"

#include <stdbool.h>
#include <stdint.h>

enum { RECORD_FOLLOW_MAX = 4 * 1024 * 1024 }; /* bytes that wait for a slow sink */

struct record_follower; /* private */

/* Starts the thread, which opens the sink `spec` (its `target` is a part of it; both
   borrowed for the call). NULL: no memory, no thread. */
struct record_follower *record_follow_start(const struct record_sink_kind *kind,
                                            const char *spec, const char *target,
                                            const struct log *log);

/* Hands over whole lines. NULL is fine. */
void record_follow(struct record_follower *follower, struct text lines);

/* Adds the lines lost so far, and those that wait or are being written. */
void record_follow_state(struct record_follower *follower, uint64_t *lost,
                         uint64_t *behind);

/* Waits until `deadline_ms` (record_now_ms) for what was handed over to be written, then
   stops it; one that hangs is left behind with its memory. NULL is fine. */
void record_follow_stop(struct record_follower *follower, int64_t deadline_ms);
