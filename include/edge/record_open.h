/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_open - the file that a record is written to.
 *
 * Invariant: whoever has it open has it alone: it is a regular file, reached by no
 * symbolic link, and locked (flock) until it is closed.
 */
#pragma once

#include "core/err.h"

#include <stdbool.h>

enum { RECORD_FOLDER_MODE = 0750 };

/* A file descriptor to append to `path`, with its folder made if missing. *ret_made says
   whether the file is new. -1: error texts name it. */
int record_open_file(const char *path, bool *ret_made, struct err *err);
