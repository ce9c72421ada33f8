/* SPDX-License-Identifier: Apache-2.0 */
/* watched.h - a policy store and a record in a folder, and what is told about them. */
#pragma once

#include "edge/admin.h"
#include "edge/metrics.h"
#include "temporary.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

/* What the tests look at. */
struct watched {
	struct metrics metrics;
	struct policy_store *store;
	struct record *record;
	struct admin admin;
};

/* ---- a sink that fails as long as it is told to ---- */

static atomic_bool sink_fails;

static inline int
fake_open(const char *target, struct buf *ret_last, struct record_sink **ret_sink,
          struct err *err)
{
	(void)target;
	(void)ret_last;
	(void)err;
	*ret_sink = malloc(1);
	return 0;
}

static inline int
fake_prepare(struct record_sink *sink, struct buf *ret_torn, struct err *err)
{
	(void)sink;
	(void)ret_torn;
	(void)err;
	return 0;
}

static inline int
fake_write(struct record_sink *sink, struct text lines, size_t *ret_taken,
           struct err *err)
{
	(void)sink;
	*ret_taken = atomic_load(&sink_fails) ? 0 : lines.len;
	return *ret_taken == lines.len ? 0 : err_set(err, ERR_SYSTEM, "fake: it is full");
}

static inline void
fake_close(struct record_sink *sink)
{
	free(sink);
}

static const struct record_sink_kind fake_sink = {
    .prefix = "fake",
    .open = fake_open,
    .prepare = fake_prepare,
    .write = fake_write,
    .close = fake_close,
};

/* ---- lines for it ---- */

struct waiter {
	struct record_entry entry; /* first */
	sem_t done;
};

static inline void
wake(struct record_entry *entry, const char *failure)
{
	struct waiter *waiter = (struct waiter *)entry;

	(void)failure;
	(void)sem_post(&waiter->done);
}

/* Hands over a line and waits for what becomes of it. */
static inline void
record_one(struct record *record)
{
	struct waiter waiter = {.entry.done = wake};

	(void)sem_init(&waiter.done, 0, 0);
	buf_str(&waiter.entry.line, "{\"x\":1");
	record_submit(record, &waiter.entry);
	(void)sem_wait(&waiter.done);
	(void)sem_destroy(&waiter.done);
	buf_free(&waiter.entry.line);
}

/* ---- opening and closing ---- */

static inline const char *
watched_policy(void)
{
	return in_folder("policy.json");
}

static inline void
put_policy(const char *bytes)
{
	write_file(watched_policy(), text_of(bytes), O_TRUNC);
}

/* With the policy `bytes`; NULL: there is none. */
static inline void
watch(struct watched *watched, const char *bytes)
{
	static const struct record_sink_kind *const kinds[] = {&fake_sink, NULL};
	const char *sinks[] = {"fake"};
	const struct record_options options = {
	    .sinks = sinks, .count = 1, .host = "h", .log = &test_log, .kinds = kinds};
	struct err err = {0};

	if (bytes)
		put_policy(bytes);
	atomic_store(&sink_fails, false);
	*watched = (struct watched){.admin.metrics = &watched->metrics};
	metrics_start(&watched->metrics);
	if (policy_store_open(watched_policy(), in_folder("state"), &test_log,
	                      &watched->store, &err) ||
	    record_open_with(&options, &watched->record, &err))
		fail_msg("%s", err.text);
	watched->admin.store = watched->store;
	watched->admin.record = watched->record;
}

static inline void
unwatch(struct watched *watched)
{
	record_close(watched->record);
	policy_store_close(watched->store);
}

/* ---- looking at metrics ---- */

/* All of them as of `now`; the caller frees. */
static inline struct buf
shown_at(struct watched *watched, int64_t now)
{
	const struct metrics_sources sources = {
	    .store = watched->store, .record = watched->record, .now = now};
	struct buf buf = {0};

	metrics_write(&watched->metrics, &sources, &buf);
	assert_true(buf_ok(&buf));
	return buf;
}

/* The value behind `series` ("name{label="x"}"), which is there exactly once; "" for one
   that is not there. */
static inline const char *
value_in(const struct buf *shown, const char *series)
{
	static char value[64];
	const char *found = NULL;
	size_t len = strlen(series);

	for (const char *at = shown->at; (at = strstr(at, series)); at += len) {
		if ((at > shown->at && at[-1] != '\n') || at[len] != ' ')
			continue;
		if (found)
			fail_msg("twice: %s", series);
		found = at + len + 1;
	}
	(void)snprintf(value, sizeof value, "%.*s", found ? (int)strcspn(found, "\n") : 0,
	               found ? found : "");
	return value;
}
