/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err - what went wrong, as a value that the caller owns.
 *
 * A `struct err *err` is the last parameter of every function that can fail; the
 * function returns -1 (or NULL) after setting it, and leaves it alone on success. The
 * first error sticks. Texts name the thing and the reason, lower case, no full stop:
 * "HostConfig: appears twice". No allocation; not shared between threads.
 */
#pragma once

#include <stddef.h>

enum { ERR_TEXT_MAX = 512 }; /* longer texts are cut */

/* What kind of failure, for those who answer differently to each. */
enum err_code {
	ERR_NONE = 0,
	ERR_SYNTAX,    /* not what the format allows */
	ERR_AMBIGUOUS, /* readers could differ about what it means */
	ERR_TYPE,      /* well-formed, but of a wrong type or value */
	ERR_LIMIT,     /* larger or deeper than we read */
	ERR_MEMORY,    /* no memory */
	ERR_SYSTEM,    /* a system call failed; the text has the reason */
};

struct err {
	enum err_code code; /* ERR_NONE: nothing went wrong */
	char text[ERR_TEXT_MAX];
	size_t byte; /* of the input that was read, from 1; 0: not known */
};

/*
 * Sets `err` unless it is set already, and returns -1, so that a failing branch is one
 * line. `err` may be NULL (the caller does not want to know why).
 */
int err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " in front of the text of an err that is set. Returns -1. */
int err_wrap(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
