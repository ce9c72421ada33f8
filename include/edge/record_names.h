/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_names - the names that logrotate's `dateext` gives to files of a record.
 *
 * PATH, a "-", "." or "_", and a date or time of digits, "-" and "_", at least eight of
 * them: PATH-20261125, PATH-2026112513, PATH-2026-11-25 (logrotate(8), dateformat). The
 * later one is the greater. Compressed ones have ".gz" behind it.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

/* The latest of these names of `path`, with `end` ("" or ".gz"), that is earlier than
   `before`; NULL: the latest of all. False if there is none, or the folder can't be read.
   `before` may be `ret_name`. */
bool record_dated_before(const char *path, const char *end, const char *before,
                         char ret_name[PATH_MAX]);
