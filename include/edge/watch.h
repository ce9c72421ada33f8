/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch - tells that what is found under a path has changed, whoever changed it and how:
 * written in place, renamed over, a symlink on the way swapped (as kubelet swaps `..data`),
 * a folder replaced, gone, or there for the first time.
 *
 * Invariant: no change is missed for longer than WATCH_POLL_MS, not even where inotify
 * can't see it (network file systems, no more watches to be had): then the path is looked
 * at by the clock. Changes that follow each other are told as one, when there was none for
 * WATCH_SETTLE_MS (after a removal, which may be half of a replacement, WATCH_GONE_MS), or
 * WATCH_LATEST_MS after the first. It only ever looks: nothing is opened or read. One
 * thread. Facts: inotify(7); a folder's watch does not see what is written to a file that
 * is mounted over a name in it, so the file has one too.
 */
#pragma once

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	WATCH_PATHS_MAX = 8,
	WATCH_SETTLE_MS = 100,
	WATCH_GONE_MS = 1000,
	WATCH_LATEST_MS = 3000,
	WATCH_POLL_MS = 30000,
	WATCH_BLIND_MS = 2000, /* the same where inotify does not do */
};

struct watch; /* private */

/*
 * Watches `count` paths (copied; at most WATCH_PATHS_MAX) from now on. They need not
 * exist. The caller closes it (watch_close).
 */
int watch_open(const char *const *paths, size_t count, struct watch **ret_watch,
               struct err *err);

/* A file descriptor that is readable when watch_changed() should be asked. */
int watch_fd(const struct watch *watch);

/*
 * True if one of the paths has changed since watch_open() or the last true. What changes
 * after the return is told again, so read the files after it. Never waits.
 */
bool watch_changed(struct watch *watch);

/* NULL is fine. */
void watch_close(struct watch *watch);
