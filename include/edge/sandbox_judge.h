/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_judge - what the judge, told by its options, needs of the file system.
 *
 * Invariant: a path that is opened, made or removed after the start, by whatever option,
 * is in the plan: whoever adds such an option adds it here. Connecting to a Unix socket
 * needs none. Start only.
 */
#pragma once

#include "edge/options.h"
#include "edge/sandbox.h"

#include <stdbool.h>

/* The first step of sandbox.h. `adopted`: the plugin socket was handed over, so none is
   made. */
void sandbox_confine_judge(const struct options *options, bool adopted,
                           struct sandbox_done *done);

/* The start-up line; frees what *done holds. */
void sandbox_say(struct sandbox_done *done, const struct log *log);
