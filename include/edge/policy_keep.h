/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_keep - the last good policy, kept in the state folder for a start without one.
 *
 * Invariant: a copy is used only for the path that it was made of, and only if nobody but
 * us (or root) can have written it: folder and files belong to us or root and are not
 * writable by group or others. The copy is the policy's bytes unchanged, so that its
 * digest is the policy's; the path is in a file beside it, gone while the two may differ.
 * Start and reload only, one thread at a time.
 */
#pragma once

#include "core/buf.h"
#include "core/err.h"
#include "core/text.h"

#include <stdbool.h>

#define POLICY_KEEP_COPY   "last-good-policy.json"
#define POLICY_KEEP_SOURCE "last-good-policy.source"
#define POLICY_KEEP_SEEN   "default-policy-seen"

enum { POLICY_KEEP_FOLDER_MODE = 0700 };

struct policy_keep {
	int folder; /* -1: there is none that we trust; nothing is kept or read */
};

/* Makes the folder if missing (0700); NULL: nothing is to be kept. -1: it is not to be used;
   *keep is fine. */
int policy_keep_open(struct policy_keep *keep, const char *state_dir, struct err *err);

/* Keeps `bytes` as the last good policy of `path`. */
int policy_keep_save(const struct policy_keep *keep, const char *path, struct text bytes,
                     struct err *err);

/* Appends the copy that was made of `path`. 1: there is one, 0: none, -1: not usable. */
int policy_keep_load(const struct policy_keep *keep, const char *path,
                     struct buf *ret_bytes, struct err *err);

/* Remembers that there was a policy at the default path; whether there ever was. */
int policy_keep_set_seen(const struct policy_keep *keep, struct err *err);
bool policy_keep_was_seen(const struct policy_keep *keep);

void policy_keep_close(struct policy_keep *keep);
