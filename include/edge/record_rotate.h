/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_rotate - moves the files of a record up by one: PATH to PATH.1 to PATH.2.
 *
 * Invariant: whenever it is interrupted, all files are there under one name each, in
 * their order, with at most one number missing between them; the next time that number
 * is used up. Only the oldest, PATH.keep, is ever replaced.
 */
#pragma once

#include "core/buf.h"
#include "core/err.h"

#include <limits.h>
#include <stdbool.h>

/* -1: `path` is still where it was. Error texts name the file. */
int record_rotate(const char *path, unsigned keep, struct err *err);

/* Makes names in the folder of `path` outlast a power cut. */
int record_sync_folder(const char *path, struct err *err);

/*
 * The end of what was rotated away: appends the last whole line (without its newline) and
 * the torn bytes after it, for a file that has no line of its own yet; of PATH.1 and so on
 * and of dated names (record_names.h), whichever goes further. Rotations of nothing
 * leave empty files and gaps, which are passed over. Appends nothing if there is none.
 */
void record_rotated_tail(const char *path, struct buf *ret_last, struct buf *ret_torn);

/*
 * A file that by its name was rotated away from `path` and is not empty; `packed`: one with
 * more than a number or a date behind the name (".gz"). Why a record that found no line to
 * go on from may be the second one here. False if there is none.
 */
bool record_rotated_any(const char *path, bool packed, char ret_name[PATH_MAX]);
