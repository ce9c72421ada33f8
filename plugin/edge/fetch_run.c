/* SPDX-License-Identifier: Apache-2.0 */
/* fetch_run.c - request after request: when to ask, what to keep, when to stop. */
#include "edge/fetch.h"
#include "edge/file.h"
#include "edge/policy_file.h"
#include "edge/stop.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAY_AGAIN_MS = 60 * 1000, POLICY_MODE = 0644, LOCK_MODE = 0600 };

struct run {
	const struct fetch_options *options;
	const struct log *log;
	struct web web;
	char file[PATH_MAX]; /* behind symbolic links, which stay */
	int lock;
	struct fetch_state state;
	char refused[65]; /* digest of the last body that was no policy */
	unsigned failures;
	int64_t failing_since_ms, said_ms;
};

/* ---- what an answer means ---- */

static void
note_failure(struct run *run, const char *reason)
{
	int64_t now = stop_clock_ms();

	if (run->failures++ == 0)
		run->failing_since_ms = now;
	else if (now - run->said_ms < SAY_AGAIN_MS)
		return;
	run->said_ms = now;
	log_warning(run->log, "%s stays as it is, %s: %s", run->options->file,
	            run->web.name, reason);
}

static void
note_success(struct run *run)
{
	if (run->failures > 0)
		log_info(run->log, "%s answers again, after %lld s", run->web.name,
		         (long long)(stop_clock_ms() - run->failing_since_ms) / 1000);
	run->failures = 0;
}

static int
replace(struct run *run, struct text bytes, const struct policy *policy, struct err *err)
{
	struct stat now;
	mode_t mode = stat(run->file, &now) == 0 ? now.st_mode & 07777 : POLICY_MODE;

	if (file_replace(run->file, bytes, mode, err))
		return err_wrap(err, "%s", run->options->file);
	log_info(run->log, "%s is now policy %.19s, %zu exceptions, from %s",
	         run->options->file, policy->digest, policy->count, run->web.name);
	return 0;
}

/* The bytes are there already, or become the file if they are a policy. 1: they are none. */
static int
take(struct run *run, struct text bytes, const char hash[65], const char *held,
     struct err *err)
{
	struct policy_problems problems = {0};
	struct policy *policy;
	int result;

	if (strcmp(hash, held) == 0)
		return 0;
	policy = policy_file_parse(bytes, &problems);
	if (policy) {
		result = replace(run, bytes, policy, err);
		policy_free(policy);
		return result;
	}
	if (strcmp(run->refused, hash) != 0) { /* once */
		policy_file_log(run->log, run->web.name, &problems);
		log_error(run->log, "%s stays as it is: what %s sends is no policy",
		          run->options->file, run->web.name);
	}
	memcpy(run->refused, hash, sizeof run->refused);
	return 1;
}

/* The time of the state file's change is what tells how current the policy is. */
static int
remember(struct run *run, const char hash[65], struct err *err)
{
	memcpy(run->state.digest, hash, sizeof run->state.digest);
	return fetch_state_save(run->options->state, &run->state, err);
}

/* Digest of the file as it is now; "" if it can't be read. */
static void
hash_file(const struct run *run, char ret_hex[65])
{
	cleanup_buf struct buf bytes = {0};
	struct err ignored = {0};

	ret_hex[0] = '\0';
	if (file_read(run->file, run->options->max_bytes, &bytes, &ignored) == 0)
		fetch_hash(buf_text(&bytes), ret_hex);
}

static int
handle(struct run *run, const struct fetch_result *result, const char *held,
       struct err *err)
{
	char hash[65];
	int code;

	if (result->answer == FETCH_FAILED)
		return err_set(err, ERR_SYSTEM, "%s", result->reason);
	if (result->answer == FETCH_SAME)
		return remember(run, held, err);
	fetch_hash(buf_text(&result->body), hash);
	code = take(run, buf_text(&result->body), hash, held, err);
	if (code != 0)
		return code;
	memcpy(run->state.etag, result->etag, sizeof run->state.etag);
	return remember(run, hash, err);
}

/* 0: the file is what the server says; 1: what that says is no policy; -1: it failed. */
static int
step(struct run *run, int64_t *ret_asked_ms, struct err *err)
{
	struct fetch_result result;
	const char *etag = run->state.etag;
	char held[65];
	int code;

	hash_file(run, held);
	if (held[0] == '\0' || strcmp(held, run->state.digest) != 0)
		etag = ""; /* somebody changed the file: ask for it anew */
	fetch_get(&run->web, etag, run->options->max_bytes, &result);
	code = handle(run, &result, held, err);
	*ret_asked_ms = result.retry_after_ms;
	buf_free(&result.body);
	return code;
}

/* ---- */

static int64_t
wait_after(const struct run *run, int64_t asked_ms)
{
	const struct fetch_options *options = run->options;
	int64_t spread = options->interval_ms / 5 + 1;
	uint64_t random = 0;

	(void)!getrandom(&random, sizeof random, 0);
	if (run->failures > 0)
		return web_backoff_ms(run->failures, options->retry_max_ms, asked_ms,
		                      random);
	return options->interval_ms - spread / 2 + (int64_t)(random % (uint64_t)spread);
}

static int
keep_current(struct run *run, struct err *err)
{
	for (;;) {
		struct err problem = {0};
		int64_t asked_ms;
		int code = step(run, &asked_ms, &problem);

		if (code < 0 && run->options->once)
			return err_set(err, problem.code, "%s: %s", run->web.name,
			               problem.text);
		if (run->options->once)
			return code;
		if (code < 0)
			note_failure(run, problem.text);
		else
			note_success(run);
		if (stop_wait(wait_after(run, asked_ms)))
			return 0;
	}
}

/* So that a symbolic link is not replaced by a file. */
static int
resolve(struct run *run, struct err *err)
{
	const char *file = run->options->file;

	if (realpath(file, run->file))
		return 0;
	if (errno != ENOENT)
		return err_set(err, ERR_SYSTEM, "%s: %m", file);
	if (strlen(file) >= sizeof run->file)
		return err_set(err, ERR_LIMIT, "%s: path too long", file);
	memcpy(run->file, file, strlen(file) + 1);
	return 0;
}

static int
start(struct run *run, struct err *err)
{
	const struct fetch_options *options = run->options;
	cleanup_buf struct buf lock = {0};

	buf_printf(&lock, "%s.lock", options->state);
	if (!buf_ok(&lock))
		return err_set(err, ERR_MEMORY, "no memory");
	if (resolve(run, err) || web_open(&run->web, &options->target, err))
		return -1;
	if (file_lock(lock.at, LOCK_MODE, &run->lock, err))
		return err_wrap(err, "%s", lock.at);
	fetch_state_load(options->state, options->target.url, &run->state);
	return 0;
}

int
fetch_run(const struct fetch_options *options, const struct log *log, struct err *err)
{
	struct run run = {.options = options, .log = log, .lock = -1};
	int result = -1;

	stop_block();
	if (start(&run, err) == 0)
		result = keep_current(&run, err);
	file_close(&run.lock);
	web_close(&run.web);
	return result;
}
