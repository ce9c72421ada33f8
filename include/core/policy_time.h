/* SPDX-License-Identifier: Apache-2.0 */
/* policy_time - dates and times as policies write them. Pure. */
#pragma once

#include "core/text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads an RFC 3339 date-time, fractions cut off, into seconds since the epoch. False for
 * anything else; second 60 is not taken.
 */
bool policy_time_read(struct text t, int64_t *ret_seconds);
