/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop - how a companion of the judge, which has one thread, is asked to end.
 *
 * Invariant: SIGTERM and SIGINT are blocked from stop_block() on and looked at only in
 * stop_wait(), so that what is under way is finished.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void stop_block(void);

/* Waits `ms`, less if we are to end; 0 only looks. True: we are to end. */
bool stop_wait(int64_t ms);

/* Milliseconds of a clock that only runs forward. */
int64_t stop_clock_ms(void);
