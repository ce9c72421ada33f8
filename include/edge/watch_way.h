/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch_way - the folders, links and the file that a path leads through, under inotify.
 *
 * Private to plugin/edge/watch*.c. Invariant: a change that makes the path mean another
 * file, or that file another one, is an event of one of the steps.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { WATCH_STEPS_MAX = 128 }; /* names on the way, those of links too */

/* A name in a folder that the way to a path leads through, or the file itself. */
struct watch_step {
	int wd;
	char *name; /* NULL: the file itself */
	bool last;  /* what it names is what the path means, or a link in its place */
};

/* Zeroed before its first use. */
struct watch_way {
	struct watch_step steps[WATCH_STEPS_MAX];
	size_t count;
	int inotify; /* borrowed for watch_way_follow() */
	bool blind;  /* a step could not be watched */
};

/* Follows `path` (absolute) as far as it leads, and watches each step by `inotify`. -1:
   not all of it could be watched. */
int watch_way_follow(struct watch_way *way, int inotify, const char *path);

/* Forgets the steps; their watches end with the inotify descriptor. */
void watch_way_forget(struct watch_way *way);
