/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_spec - a file of a record as it is written behind "file:".
 *
 *     PATH[,fsync=always|interval|never][,rotate=SIZE][,keep=N]
 *
 * fsync=always: a line counts as taken once it outlasts a power cut; interval: what was
 * written in the last second may be lost by one; never: the kernel decides. rotate: a
 * file that has SIZE bytes (K, M or G) is renamed to PATH.1, and PATH.1 to PATH.2 and so
 * on; `keep` of them stay, the oldest goes. A PATH has no comma. Pure.
 */
#pragma once

#include "core/err.h"

#include <limits.h>
#include <sys/types.h>

enum {
	RECORD_ROTATE_MIN = 64 * 1024,
	RECORD_KEEP_MAX = 500, /* readers take RECORD_FILES_MAX */
	RECORD_KEEP_DEFAULT = 10,
};

enum record_fsync { RECORD_FSYNC_INTERVAL, RECORD_FSYNC_ALWAYS, RECORD_FSYNC_NEVER };

struct record_spec {
	char path[PATH_MAX];
	enum record_fsync fsync;
	off_t rotate; /* 0: never */
	unsigned keep;
};

/* Error texts name the target. */
int record_spec_read(const char *target, struct record_spec *ret_spec, struct err *err);
