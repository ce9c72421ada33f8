/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_store - the policy that is in force, and the only place that swaps it.
 *
 * Invariant: a bad or missing file never opens anything and never stops the judge. On
 * reload the policy in force stays; at start the last good one, kept in the state folder,
 * is used; where there is none, there is no policy and a text that says why. A snapshot
 * is immutable and counted: whoever holds one keeps it while others swap. Thread-safe.
 */
#pragma once

#include "core/err.h"
#include "core/policy.h"
#include "edge/log.h"

#include <stdbool.h>
#include <stdint.h>

#define POLICY_DEFAULT_PATH      "/etc/seccomp-authz/policy.json"
#define POLICY_DEFAULT_STATE_DIR "/var/lib/seccomp-authz"

/* After the name of a policy file: what `fetch` remembers of it (fetch.h). */
#define POLICY_FETCH_SUFFIX ".fetch"

/* A policy, or why there is none. Counted. */
struct policy_snapshot {
	struct policy *policy;    /* NULL: broken */
	struct policy_uses *uses; /* of its exceptions (policy_uses.h); NULL: broken */
	char broken[512];         /* "FILE: PLACE: what is wrong", when there is none */
	const char *source;       /* the file, "built-in", or "last good copy of FILE" */
	bool degraded;            /* in force is not what the file says */
	char degraded_reason[512];
	int64_t loaded; /* seconds since the epoch */
};

struct policy_store;

/*
 * Loads the first policy. `path` NULL: POLICY_DEFAULT_PATH if it exists or has existed
 * (the state folder remembers), else the built-in one. `state_dir` is made if missing
 * (0700); that it can't be written is a warning, not a failure. -1 only when out of
 * memory. The caller closes it.
 */
int policy_store_open(const char *path, const char *state_dir, const struct log *log,
                      struct policy_store **ret_store, struct err *err);

/* The same with another default path, for tests. */
struct policy_store_options {
	const char *path;         /* NULL: `default_path` as described above */
	const char *default_path; /* NULL: POLICY_DEFAULT_PATH */
	const char *state_dir;    /* NULL: nothing is kept, and nothing read back */
	const struct log *log;    /* borrowed until policy_store_close() */
};

int policy_store_open_with(const struct policy_store_options *options,
                           struct policy_store **ret_store, struct err *err);

/* Reads the file again and swaps on success; logs what happened. Returns 0 if the file
   is now in force, -1 if the earlier policy stays. */
int policy_store_reload(struct policy_store *store);

/* The same when the file may have changed: one that says what is in force already is left
   alone, without a word. Returns 1 if another policy is now in force, 0 if nothing is new,
   -1 if the earlier policy stays. */
int policy_store_refresh(struct policy_store *store);

/* The file that is read, or would be if it were there. Never NULL. */
const char *policy_store_path(const struct policy_store *store);

/* The snapshot in force; give it back with policy_store_release(). Never NULL. */
const struct policy_snapshot *policy_store_acquire(struct policy_store *store);
void policy_store_release(struct policy_store *store,
                          const struct policy_snapshot *snapshot);

/* Waits for nobody: all snapshots must have been released. */
void policy_store_close(struct policy_store *store);

/*
 * Reads and parses one file for the offline commands: NULL with ret_problems filled in
 * (a file that can't be read is a problem with the pointer ""). The caller frees it.
 */
struct policy *policy_load_file(const char *path, struct policy_problems *ret_problems);
