/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_unpack - a compressed file of a record, unpacked to a file without a name.
 *
 * In $TMPDIR or /tmp; the space is free again once the descriptor is closed.
 */
#pragma once

#include "core/err.h"

enum { RECORD_UNPACKED_MIB_MAX = 4096 };

/* Unpacks the gzip file `fd` (borrowed) from its beginning. A descriptor to read, the
   caller's; -1: it is damaged, too large, or there is no room. Error texts do not name it. */
int record_unpack(int fd, struct err *err);
