/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.c - the record as it is handed lines, opened and closed.
 *
 * 1. Each entry MUST come back exactly once: whoever takes it out of the queue, under the
 *    mutex, calls its `done`.
 * 2. `done` MUST NOT be called with the mutex held.
 * 3. Nothing that waits for a sink MUST happen with the mutex held.
 */
#include "edge/record.h"
#include "edge/record_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static void
put(struct record *record, struct record_entry *entry, bool wake)
{
	const char *refusal;

	record_lock(&record->monitor);
	refusal = refusal_of(record, entry);
	if (refusal)
		record->state.failed++;
	else
		record_queue_put(&record->queue, entry);
	if (!refusal && wake)
		(void)pthread_cond_signal(&record->monitor.wake);
	record_unlock(&record->monitor);
	if (refusal)
		entry->done(entry, refusal);
}

void
record_submit(struct record *record, struct record_entry *entry)
{
	put(record, entry, true);
}

void
record_put(struct record *record, struct record_entry *entry)
{
	put(record, entry, false);
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
	bool changed;

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
	changed = record_mark(record, reason);
	record_list_call(&due, reason);
	if (changed) /* after who waits, since the log may hang too */
		record_tell(record, reason);
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
		record_follow_state(record->followers[i], &ret_state->lost,
		                    &ret_state->behind);
}

/* ---- opening and closing ---- */

/* A file has one writer: a second sink would find it locked and lose every line. */
static int
check_sinks(const struct record_options *options, struct err *err)
{
	for (size_t i = 1; i < options->count; i++) {
		const char *sink = options->sinks[i];
		size_t len = strcspn(sink, ",");

		for (size_t k = 0; k < i; k++) {
			if (strncmp(sink, "file:", 5) == 0 &&
			    strcspn(options->sinks[k], ",") == len &&
			    strncmp(sink, options->sinks[k], len) == 0)
				return err_set(err, ERR_TYPE,
				               "record sink %.*s: is given twice",
				               (int)len, sink);
		}
	}
	return 0;
}

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

/* Nothing in the new chain says that there was one before it. */
static void
warn_of_older(const struct record *record)
{
	const struct record_writer *writer = &record->writer;
	const char *older =
	    writer->kind->older ? writer->kind->older(writer->sink) : NULL;

	if (older)
		log_warning(
		    &record->log,
		    "record %s begins anew at seq 1: it can't go on from %s; leave "
		    "the newest file plain (logrotate: delaycompress), and verify "
		    "the two on their own",
		    record->spec, older);
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
	if (!kind || check_sinks(options, err) ||
	    record_queue_init(&record->queue,
	                      options->wait_ms > 0 ? options->wait_ms : RECORD_WAIT_MS,
	                      err) ||
	    record_writer_open(&record->writer, kind, target, options->host, err) ||
	    start_followers(record, options, err))
		return -1;
	warn_of_older(record);
	record->state.last_time_us = record->writer.last_time_us;
	record->check = true; /* a torn line is closed at once */
	if (record_thread_start(&record->thread, record_run, record))
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
record_stop(struct record *record)
{
	struct record_list left = {0};
	int64_t deadline = record_now_ms() + record->queue.wait_ms;

	record_lock(&record->monitor);
	record->stop = true;
	(void)pthread_cond_signal(&record->monitor.wake);
	if (!record_wait_end(&record->monitor, &record->ended, deadline))
		record_queue_due(&record->queue, INT64_MAX, &left);
	record_unlock(&record->monitor);
	record_list_call(&left, "the record was closed before it took the line");
}

void
record_close(struct record *record)
{
	bool ended;

	if (!record)
		return;
	if (!record->stop) /* this thread's to set */
		record_stop(record);
	record_lock(&record->monitor);
	ended = record->ended;
	record_unlock(&record->monitor);
	if (!ended) {
		(void)pthread_detach(record->thread);
		return;
	}
	(void)pthread_join(record->thread, NULL);
	destroy(record, record_now_ms() + record->queue.wait_ms);
}
