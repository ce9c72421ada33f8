/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_rotate - moves the files of a record up by one: PATH to PATH.1 to PATH.2.
 *
 * Invariant: whenever it is interrupted, all files are there under one name each, in
 * their order, with at most one number missing between them; the next time that number
 * is used up. Only the oldest, PATH.keep, is ever replaced.
 */
#pragma once

#include "core/err.h"

/* -1: `path` is still where it was. Error texts name the file. */
int record_rotate(const char *path, unsigned keep, struct err *err);

/* Makes names in the folder of `path` outlast a power cut. */
int record_sync_folder(const char *path, struct err *err);
