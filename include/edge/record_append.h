/* SPDX-License-Identifier: Apache-2.0 */
/* record_append - writes to the end of a record file, as one call where the kernel lets it. */
#pragma once

#include "core/text.h"

#include <stddef.h>

/* Appends both to `fd` (O_APPEND). Returns how many bytes of both were written; fewer than
   all: errno says why. */
size_t record_append(int fd, struct text head, struct text lines);
