/* SPDX-License-Identifier: Apache-2.0 */
/* policy_store.c - loads policies, swaps them, and counts who holds which. */
#include "edge/policy_store.h"
#include "edge/policy_file.h"
#include "edge/policy_keep.h"
#include "edge/policy_uses.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* A snapshot and who holds it. Several may share one policy: a reload that failed leaves
   the policy in force and says so in a new snapshot. */
struct counted {
	struct policy_snapshot
	    snapshot;          /* first, so that a pointer to it is one to this */
	struct counted *owner; /* of policy, uses and source; NULL: this one */
	char *source;
	unsigned references; /* under the store's mutex */
};

struct policy_store {
	char *path; /* NULL: the default path, or the built-in policy */
	char *default_path;
	struct log log;
	struct policy_keep keep;
	bool seen;                 /* there was a file at the default path in our time */
	pthread_mutex_t reloading; /* one reload at a time, in order */
	pthread_mutex_t mutex;
	struct counted *current; /* under the mutex */
};

/* ---- snapshots ---- */

/* Takes the policy; its source is called `prefix` and `path`. NULL: no memory. */
static struct counted *
make_snapshot(struct policy *policy, const char *prefix, const char *path)
{
	struct counted *counted = calloc(1, sizeof *counted);
	struct policy_uses *uses = policy ? policy_uses_new(policy) : NULL;

	if (!counted || (policy && !uses) ||
	    asprintf(&counted->source, "%s%s", prefix, path) < 0) {
		free(uses);
		free(counted);
		policy_free(policy);
		return NULL;
	}
	counted->snapshot.policy = policy;
	counted->snapshot.uses = uses;
	counted->snapshot.source = counted->source;
	counted->snapshot.loaded = (int64_t)time(NULL);
	counted->references = 1;
	return counted;
}

/* Drops one reference; with the mutex held. */
static void
unref(struct counted *counted)
{
	while (counted && --counted->references == 0) {
		struct counted *owner = counted->owner;

		if (!owner) {
			policy_free(counted->snapshot.policy);
			free(counted->snapshot.uses);
			free(counted->source);
		}
		free(counted);
		counted = owner;
	}
}

static void
swap(struct policy_store *store, struct counted *counted)
{
	(void)pthread_mutex_lock(&store->mutex);
	unref(store->current);
	store->current = counted;
	(void)pthread_mutex_unlock(&store->mutex);
}

const struct policy_snapshot *
policy_store_acquire(struct policy_store *store)
{
	const struct policy_snapshot *snapshot;

	(void)pthread_mutex_lock(&store->mutex);
	store->current->references++;
	snapshot = &store->current->snapshot;
	(void)pthread_mutex_unlock(&store->mutex);
	return snapshot;
}

void
policy_store_release(struct policy_store *store, const struct policy_snapshot *snapshot)
{
	if (!snapshot)
		return;
	(void)pthread_mutex_lock(&store->mutex);
	unref((struct counted *)(uintptr_t)snapshot);
	(void)pthread_mutex_unlock(&store->mutex);
}

/* Marks a new snapshot as not what the file says. */
static void
degrade(struct counted *counted, const char *reason)
{
	struct policy_snapshot *snapshot = &counted->snapshot;

	snapshot->degraded = true;
	(void)snprintf(snapshot->degraded_reason, sizeof snapshot->degraded_reason, "%s",
	               reason);
	if (!snapshot->policy)
		(void)snprintf(snapshot->broken, sizeof snapshot->broken, "%s", reason);
}

/* The policy in force goes on, with `reason` why it is not the file's. */
static struct counted *
degraded_again(struct policy_store *store, const char *reason)
{
	struct counted *counted = calloc(1, sizeof *counted);
	struct counted *current = store->current; /* only a reload, so we, swaps it */

	if (!counted)
		return NULL;
	counted->snapshot = current->snapshot;
	counted->owner = current->owner ? current->owner : current;
	counted->references = 1;
	(void)pthread_mutex_lock(&store->mutex);
	counted->owner->references++;
	(void)pthread_mutex_unlock(&store->mutex);
	degrade(counted, reason);
	return counted;
}

/* ---- what is put in force ---- */

static void
keep_good(struct policy_store *store, const char *path, struct text bytes)
{
	struct err err = {0};

	if (policy_keep_save(&store->keep, path, bytes, &err))
		log_warning(&store->log, "policy %s is not kept for a later start: %s",
		            path, err.text);
}

/* The file is in force; NULL: no memory. Takes the policy. */
static struct counted *
use_file(struct policy_store *store, const char *path, struct policy *policy,
         struct text bytes)
{
	struct counted *counted = make_snapshot(policy, "", path);

	if (!counted)
		return NULL;
	log_info(&store->log, "policy %s in force, digest %s", path, policy->digest);
	keep_good(store, path, bytes);
	return counted;
}

/* The copy of an earlier start; NULL: none that can be used. Not inlined, as load_file(): the
   list of problems is large, and what a start once took of the stack stays resident. */
__attribute__((noinline)) static struct counted *
use_last_good(struct policy_store *store, const char *path)
{
	cleanup_buf struct buf bytes = {0};
	struct policy_problems problems = {.count = 0};
	struct policy *policy = NULL;
	struct counted *counted;
	struct err err = {0};
	int found = policy_keep_load(&store->keep, path, &bytes, &err);

	if (found == 1)
		policy = policy_file_parse(buf_text(&bytes), &problems);
	if (found < 0)
		log_warning(&store->log, "last good copy of %s: %s", path, err.text);
	else if (found == 1 && !policy)
		policy_file_log(&store->log, "(last good copy)", &problems);
	if (!policy)
		return NULL;
	counted = make_snapshot(policy, "last good copy of ", path);
	if (counted)
		log_warning(&store->log, "last good copy of %s in force, digest %s", path,
		            policy->digest);
	return counted;
}

static struct counted *
use_builtin(struct policy_store *store)
{
	struct policy *policy = policy_builtin();

	if (!policy)
		return NULL;
	log_info(&store->log, "policy built-in in force: no %s", store->default_path);
	return make_snapshot(policy, "", "built-in");
}

/* The file to read; NULL: the built-in policy. */
static const char *
choose(struct policy_store *store)
{
	struct err err = {0};
	struct stat st;

	if (store->path)
		return store->path;
	if (stat(store->default_path, &st) && (errno == ENOENT || errno == ENOTDIR))
		return store->seen || policy_keep_was_seen(&store->keep)
		           ? store->default_path
		           : NULL;
	store->seen = true;
	if (policy_keep_set_seen(&store->keep, &err))
		log_warning(&store->log, "state folder: %s", err.text);
	return store->default_path;
}

__attribute__((noinline)) static struct counted *
load_file(struct policy_store *store, const char *path)
{
	cleanup_buf struct buf bytes = {0};
	struct policy_problems problems;
	char reason[sizeof((struct policy_snapshot *)0)->broken];
	struct policy *policy = policy_file_read(path, &bytes, &problems);
	struct counted *counted;

	if (policy)
		return use_file(store, path, policy, buf_text(&bytes));
	policy_file_log(&store->log, path, &problems);
	policy_file_reason(path, &problems, reason, sizeof reason);
	counted = use_last_good(store, path);
	if (!counted) {
		log_error(&store->log,
		          "policy %s: no policy is in force; every workload is denied",
		          path);
		counted = make_snapshot(NULL, "", path);
	}
	if (counted)
		degrade(counted, reason);
	return counted;
}

static struct counted *
load_first(struct policy_store *store)
{
	const char *path = choose(store);

	return path ? load_file(store, path) : use_builtin(store);
}

/* The exceptions keep their counts. Only a reload, so we, swaps `current`. */
static void
carry_uses(const struct policy_store *store, const struct counted *counted)
{
	const struct policy_snapshot *now = &store->current->snapshot,
				     *then = &counted->snapshot;

	policy_uses_carry(&(struct policy_used){now->policy, now->uses},
	                  &(struct policy_used){then->policy, then->uses});
}

/* SIGHUP and the watch tell of one change. `policy` NULL: unusable for `reason`. */
static bool
is_known(const struct policy_store *store, const struct policy *policy,
         const char *reason)
{
	const struct policy_snapshot *current = &store->current->snapshot;

	if (!policy || current->degraded)
		return !policy && current->degraded &&
		       strcmp(current->degraded_reason, reason) == 0;
	return current->policy && strcmp(current->policy->digest, policy->digest) == 0;
}

/* With `reloading` held. 1: the file is in force, 0: as before, -1: it can't be used. */
static int
reload(struct policy_store *store, bool even_if_same)
{
	cleanup_buf struct buf bytes = {0};
	struct policy_problems problems;
	char reason[sizeof((struct policy_snapshot *)0)->broken];
	const char *path = choose(store);
	struct counted *counted = NULL;
	struct policy *policy;

	if (!path)
		return 0; /* built-in, as before */
	policy = policy_file_read(path, &bytes, &problems);
	if (policy && !even_if_same && is_known(store, policy, "")) {
		policy_free(policy);
		return 0;
	}
	if (policy)
		counted = use_file(store, path, policy, buf_text(&bytes));
	if (counted) {
		carry_uses(store, counted);
		swap(store, counted);
		return 1;
	}
	if (policy)
		policy_file_problem(&problems, "no memory to read it");
	policy_file_reason(path, &problems, reason, sizeof reason);
	if (!even_if_same && is_known(store, NULL, reason))
		return 0;
	policy_file_log(&store->log, path, &problems);
	log_error(&store->log, "policy %s: not taken; the earlier policy stays", path);
	counted = degraded_again(store, reason);
	if (counted)
		swap(store, counted);
	return -1;
}

static int
reload_in_order(struct policy_store *store, bool even_if_same)
{
	int taken;

	(void)pthread_mutex_lock(&store->reloading);
	taken = reload(store, even_if_same);
	(void)pthread_mutex_unlock(&store->reloading);
	return taken;
}

int
policy_store_reload(struct policy_store *store)
{
	return reload_in_order(store, true) < 0 ? -1 : 0;
}

int
policy_store_refresh(struct policy_store *store)
{
	return reload_in_order(store, false);
}

const char *
policy_store_path(const struct policy_store *store)
{
	return store->path ? store->path : store->default_path;
}

/* ---- opening and closing ---- */

void
policy_store_close(struct policy_store *store)
{
	if (!store)
		return;
	unref(store->current);
	policy_keep_close(&store->keep);
	(void)pthread_mutex_destroy(&store->mutex);
	(void)pthread_mutex_destroy(&store->reloading);
	free(store->path);
	free(store->default_path);
	free(store);
}

int
policy_store_open_with(const struct policy_store_options *options,
                       struct policy_store **ret_store, struct err *err)
{
	struct policy_store *store = calloc(1, sizeof *store);
	struct err why = {0};

	if (!store)
		return err_set(err, ERR_MEMORY, "policy: no memory");
	store->log = *options->log;
	(void)pthread_mutex_init(&store->mutex, NULL);
	(void)pthread_mutex_init(&store->reloading, NULL);
	if (policy_keep_open(&store->keep, options->state_dir, &why))
		log_warning(&store->log, "no last good policy is kept: %s", why.text);
	store->default_path =
	    strdup(options->default_path ? options->default_path : POLICY_DEFAULT_PATH);
	if (options->path)
		store->path = strdup(options->path);
	if (store->default_path && (store->path || !options->path))
		store->current = load_first(store);
	if (store->current) {
		*ret_store = store;
		return 0;
	}
	policy_store_close(store);
	return err_set(err, ERR_MEMORY, "policy: no memory");
}

int
policy_store_open(const char *path, const char *state_dir, const struct log *log,
                  struct policy_store **ret_store, struct err *err)
{
	return policy_store_open_with(
	    &(struct policy_store_options){
		.path = path, .state_dir = state_dir, .log = log},
	    ret_store, err);
}
