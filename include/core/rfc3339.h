/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rfc3339 - a time as people and records write it, without a clock or a locale.
 *
 * Invariant: policy_time_read() gives back what was written, zone included. Pure.
 */
#pragma once

#include "core/buf.h"

#include <stdint.h>

/* Appends YYYY-MM-DDTHH:MM:SS in UTC, for `seconds` since the epoch in the years 0 to
   9999. The zone ('Z') and fractions are the caller's. */
void rfc3339_write(struct buf *buf, int64_t seconds);
