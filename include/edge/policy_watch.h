/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_watch - keeps a policy store current while the judge runs: reloads when the file
 * has changed, and says in the log when exceptions end or are about to.
 *
 * Invariant: that an exception ends is decided by the clock of each decision, not by this;
 * a message that comes late lets nothing through. One thread.
 */
#pragma once

#include "edge/log.h"
#include "edge/policy_store.h"

enum { POLICY_SOON_S = 7 * 24 * 3600 }; /* an exception that ends within is "soon" */

struct policy_watch; /* private */

/*
 * Watches `path` (NULL: POLICY_DEFAULT_PATH) from now on: to be opened before the store
 * is, so that no change falls between. Borrows `log`. NULL, after a line in the log, where
 * it can't be watched: all functions take NULL for one that never has anything to tell.
 */
struct policy_watch *policy_watch_open(const char *path, const struct log *log);

/* A file descriptor that is readable when policy_watch_due() should be called; -1: none. */
int policy_watch_fd(const struct policy_watch *watch);

/* Says what there is to say of exceptions, and takes the file if it has changed: 1 if
   another policy is now in force, 0 if not, -1 if the file can't be used. */
int policy_watch_due(struct policy_watch *watch, struct policy_store *store);

/* To be called when a policy is in force, the first or another: its exceptions end at
   other times, and what was made before is not judged again (the log says how to find it). */
void policy_watch_renew(struct policy_watch *watch, struct policy_store *store);

void policy_watch_close(struct policy_watch *watch);
