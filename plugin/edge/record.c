/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.c - the thread that writes, and whoever hands it lines.
 *
 * 1. Each entry MUST come back exactly once: whoever takes it out of the queue, under the
 *    mutex, calls its `done`.
 * 2. `done` MUST NOT be called with the mutex held.
 * 3. Nothing that waits for a sink MUST happen with the mutex held.
 */
#include "edge/record.h"
#include "edge/record_follow.h"
#include "edge/record_queue.h"
#include "edge/record_thread.h"
#include "edge/record_writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct record {
	char *spec; /* of the first sink, for messages */
	struct log log;
	struct record_follower *followers[RECORD_SINKS_MAX];
	size_t follower_count;
	pthread_t thread;
	struct record_writer writer; /* the thread's alone, but for adding lines */
	bool warned;                 /* the thread's alone */
	struct record_monitor monitor;
	/* under the mutex */
	struct record_queue queue;
	struct record_state state;
	bool check, stop, ended;
};

/* Remembers whether the first sink works, and says so when that changes. */
static void
note(struct record *record, const char *failure)
{
	struct record_state *state = &record->state;
	bool changed;

	record_lock(&record->monitor);
	changed = state->degraded != (failure != NULL);
	state->degraded = failure != NULL;
	(void)snprintf(state->reason, sizeof state->reason, "%s", failure ? failure : "");
	record_unlock(&record->monitor);
	if (changed && failure)
		log_error(&record->log,
		          "record %s fails, what must be on record is refused: %s",
		          record->spec, failure);
	else if (changed)
		log_warning(&record->log, "record %s takes lines again", record->spec);
}

/* ---- the thread ---- */

static void
settle(struct record *record, const struct record_written *written, const char *failure)
{
	struct record_list good = {0}, bad = {0};

	record_lock(&record->monitor);
	record_queue_settle(&record->queue, written->taken, &good, &bad);
	record->state.written += written->lines;
	record->state.failed += bad.count;
	record_unlock(&record->monitor);
	/* Without a line and without a failure nothing is known that was not before. */
	if (failure || written->lines > 0)
		note(record, failure);
	record_list_call(&good, NULL);
	record_list_call(&bad, failure);
}

static void
write_group(struct record *record)
{
	struct record_written written;
	struct err err = {0};
	int failed = record_writer_write(&record->writer, &written, &err);

	settle(record, &written, failed ? err.text : NULL);
	for (size_t i = 0; i < record->follower_count; i++)
		record_follow(record->followers[i], written.bytes);
}

/* What nobody waits for. */
static void
tend(struct record *record, enum record_sync when)
{
	const struct record_writer *writer = &record->writer;
	struct err err = {0};

	if (record_writer_sync(&record->writer, when, &err))
		note(record, err.text);
	record_sink_warn(writer->kind, writer->sink, &record->log, record->spec,
	                 &record->warned);
}

static void *
run(void *argument)
{
	struct record *record = argument;

	record_lock(&record->monitor);
	for (;;) {
		while (!record->queue.head && !record->check && !record->stop &&
		       record_now_ms() < record->writer.due_ms)
			record_wait_wake(&record->monitor, record->writer.due_ms);
		if (!record->queue.head && !record->check && record->stop)
			break;
		record->check = false;
		record_queue_write(&record->queue, &record->writer);
		record_unlock(&record->monitor);
		write_group(record);
		tend(record, RECORD_SYNC_IDLE);
		record_lock(&record->monitor);
	}
	record_unlock(&record->monitor);
	tend(record, RECORD_SYNC_END);
	record_lock(&record->monitor);
	record->ended = true;
	(void)pthread_cond_signal(&record->monitor.end);
	record_unlock(&record->monitor);
	return NULL;
}

/* ---- from outside ---- */

/* Why a line can't be queued; NULL: it can. With the mutex held. */
static const char *
refusal_of(const struct record *record, const struct record_entry *entry)
{
	struct text line = buf_text(&entry->line);

	if (!buf_ok(&entry->line))
		return "no memory for the record";
	if (line.len + RECORD_SUFFIX_MAX > RECORD_LINE_MAX)
		return "the line for the record is too long";
	if (!text_has_prefix(line, "{") || text_find(line, '\n') < line.len)
		return "the line for the record is no object in one line";
	if (record->stop)
		return "the record is being closed";
	if (record->queue.waiting >= RECORD_QUEUE_MAX)
		return "too many lines wait for the record";
	return NULL;
}

void
record_submit(struct record *record, struct record_entry *entry)
{
	const char *refusal;

	record_lock(&record->monitor);
	refusal = refusal_of(record, entry);
	if (refusal) {
		record->state.failed++;
	} else {
		record_queue_put(&record->queue, entry);
		(void)pthread_cond_signal(&record->monitor.wake);
	}
	record_unlock(&record->monitor);
	if (refusal)
		entry->done(entry, refusal);
}

int
record_timer_fd(const struct record *record)
{
	return record->queue.timer;
}

void
record_expire(struct record *record)
{
	char reason[sizeof record->state.reason];
	struct record_list due = {0};
	uint64_t times;

	if (read(record->queue.timer, &times, sizeof times) < 0 && errno != EAGAIN)
		return;
	record_lock(&record->monitor);
	record_queue_due(&record->queue, record_now_ms(), &due);
	record->state.failed += due.count;
	record_unlock(&record->monitor);
	if (due.count == 0)
		return;
	(void)snprintf(reason, sizeof reason, "%.160s did not take the line in %lld ms",
	               record->spec, (long long)record->queue.wait_ms);
	note(record, reason);
	record_list_call(&due, reason);
}

void
record_reopen(struct record *record)
{
	record_lock(&record->monitor);
	record->check = true;
	(void)pthread_cond_signal(&record->monitor.wake);
	record_unlock(&record->monitor);
}

void
record_state(struct record *record, struct record_state *ret_state)
{
	record_lock(&record->monitor);
	*ret_state = record->state;
	ret_state->waiting = record->queue.waiting;
	record_unlock(&record->monitor);
	for (size_t i = 0; i < record->follower_count; i++)
		ret_state->lost += record_follow_lost(record->followers[i]);
}

/* ---- opening and closing ---- */

static int
start_followers(struct record *record, const struct record_options *options,
                struct err *err)
{
	const struct record_sink_kind *kind;
	const char *target = NULL;

	for (size_t i = 1; i < options->count; i++) {
		kind = record_sink_find(options->kinds, options->sinks[i], &target, err);
		if (!kind)
			return -1;
		record->followers[record->follower_count] =
		    record_follow_start(kind, options->sinks[i], target, &record->log);
		if (!record->followers[record->follower_count])
			return err_set(err, ERR_SYSTEM,
			               "record sink %s: no thread for it",
			               options->sinks[i]);
		record->follower_count++;
	}
	return 0;
}

/* Once the thread has ended, or before it was started. */
static void
destroy(struct record *record, int64_t deadline_ms)
{
	for (size_t i = 0; i < record->follower_count; i++)
		record_follow_stop(record->followers[i], deadline_ms);
	record_writer_close(&record->writer);
	record_queue_destroy(&record->queue);
	record_monitor_destroy(&record->monitor);
	free(record->spec);
	free(record);
}

static int
start(struct record *record, const struct record_options *options, struct err *err)
{
	const struct record_sink_kind *kind;
	const char *target = NULL;

	kind = record_sink_find(options->kinds, options->sinks[0], &target, err);
	if (!kind ||
	    record_queue_init(&record->queue,
	                      options->wait_ms > 0 ? options->wait_ms : RECORD_WAIT_MS,
	                      err) ||
	    record_writer_open(&record->writer, kind, target, options->host, err) ||
	    start_followers(record, options, err))
		return -1;
	record->state.last_time_us = record->writer.last_time_us;
	record->check = true; /* a torn line is closed at once */
	if (record_thread_start(&record->thread, run, record))
		return err_set(err, ERR_SYSTEM, "record: no thread for it");
	return 0;
}

int
record_open_with(const struct record_options *options, struct record **ret_record,
                 struct err *err)
{
	struct record *record;

	if (options->count == 0 || options->count > RECORD_SINKS_MAX)
		return err_set(err, ERR_LIMIT, "record: 1 to %d sinks, not %zu",
		               RECORD_SINKS_MAX, options->count);
	record = calloc(1, sizeof *record);
	if (!record)
		return err_set(err, ERR_MEMORY, "record: no memory");
	record->queue.timer = -1;
	record->log = *options->log;
	record->spec = strdup(options->sinks[0]);
	if (!record->spec || record_monitor_init(&record->monitor)) {
		free(record->spec);
		free(record);
		return err_set(err, ERR_MEMORY, "record: no memory");
	}
	if (start(record, options, err)) {
		destroy(record, record_now_ms());
		return -1;
	}
	*ret_record = record;
	return 0;
}

int
record_open(const char *const *sinks, size_t count, const char *host,
            const struct log *log, struct record **ret_record, struct err *err)
{
	struct record_options options = {
	    .sinks = sinks, .count = count, .host = host, .log = log};

	return record_open_with(&options, ret_record, err);
}

void
record_close(struct record *record)
{
	struct record_list left = {0};
	int64_t deadline;
	bool ended;

	if (!record)
		return;
	deadline = record_now_ms() + record->queue.wait_ms;
	record_lock(&record->monitor);
	record->stop = true;
	(void)pthread_cond_signal(&record->monitor.wake);
	ended = record_wait_end(&record->monitor, &record->ended, deadline);
	if (!ended)
		record_queue_due(&record->queue, INT64_MAX, &left);
	record_unlock(&record->monitor);
	record_list_call(&left, "the record was closed before it took the line");
	if (!ended) {
		(void)pthread_detach(record->thread);
		return;
	}
	(void)pthread_join(record->thread, NULL);
	destroy(record, deadline);
}
