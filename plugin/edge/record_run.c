/* SPDX-License-Identifier: Apache-2.0 */
/* record_run.c - the thread of a record, and whoever writes in its place. */
#include "edge/record_run.h"

#include <stdio.h>

enum {
	SLOW_MS = 2,     /* a write by another thread than ours should not take longer */
	LEFT_OUT = 64,   /* so many are ours after one that did */
	PROBE_MS = 1000, /* a sink that fails is asked so often, while no line comes */
};

bool
record_mark(struct record *record, const char *failure)
{
	struct record_state *state = &record->state;
	bool changed;

	record_lock(&record->monitor);
	changed = state->degraded != (failure != NULL);
	state->degraded = failure != NULL;
	(void)snprintf(state->reason, sizeof state->reason, "%s", failure ? failure : "");
	if (changed && failure) {
		record->probe_ms = record_now_ms() + PROBE_MS;
		(void)pthread_cond_signal(&record->monitor.wake);
	}
	record_unlock(&record->monitor);
	return changed;
}

void
record_tell(const struct record *record, const char *failure)
{
	if (failure)
		log_error(&record->log,
		          "record %s fails, what must be on record is refused: %s",
		          record->spec, failure);
	else
		log_warning(&record->log, "record %s takes lines again", record->spec);
}

static void
note(struct record *record, const char *failure)
{
	if (record_mark(record, failure))
		record_tell(record, failure);
}

static void
settle(struct record *record, const struct record_written *written, const char *failure)
{
	struct record_list good = {0}, bad = {0};
	bool changed;

	record_lock(&record->monitor);
	record_queue_settle(&record->queue, written->taken, &good, &bad);
	record->state.written += written->lines;
	record->state.failed += bad.count;
	record_unlock(&record->monitor);
	/* Without a line and without a failure nothing is known that was not before. */
	changed = (failure || written->lines > 0) && record_mark(record, failure);
	record_list_call(&good, NULL);
	record_list_call(&bad, failure);
	if (changed) /* after who waits: the log may be on the same full disk */
		record_tell(record, failure);
}

/* Returns whether all was taken, or there was nothing and the sink is ready. */
static bool
write_group(struct record *record)
{
	struct record_written written;
	struct err err = {0};
	int failed = record_writer_write(&record->writer, &written, &err);

	settle(record, &written, failed ? err.text : NULL);
	if (written.torn > 0)
		log_warning(
		    &record->log,
		    "record %s: a crash tore its end, a recovery record closes it "
		    "(torn lines: %zu); see seccomp-authz log verify",
		    record->spec, written.torn);
	for (size_t i = 0; i < record->follower_count; i++)
		record_follow(record->followers[i], written.bytes);
	return !failed;
}

/* Under the mutex: when the thread is to ask a sink that fails. */
static int64_t
probe_due(const struct record *record)
{
	return record->state.degraded && record->writer.kind->probe ? record->probe_ms
	                                                            : INT64_MAX;
}

/* A disk that was full may have room by now: nobody has to be refused to find out. */
static void
probe(struct record *record)
{
	const struct record_writer *writer = &record->writer;
	struct err err = {0};
	bool due;

	record_lock(&record->monitor);
	due = record_now_ms() >= probe_due(record);
	if (due)
		record->probe_ms = record_now_ms() + PROBE_MS;
	record_unlock(&record->monitor);
	if (due)
		note(record, writer->kind->probe(writer->sink, &err) ? err.text : NULL);
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

/* Under the mutex: makes the record the caller's, with what waits for its group. */
static void
begin(struct record *record)
{
	record->busy = true;
	record->check = false;
	record_queue_write(&record->queue, &record->writer);
}

/* Under the mutex: is there anything for the thread to do now? */
static bool
is_due(const struct record *record)
{
	if (record->busy)
		return false;
	return record->queue.head || record->check || record->stop ||
	       record_now_ms() >= record->writer.due_ms ||
	       record_now_ms() >= probe_due(record);
}

/* Under the mutex. */
static void
wait_until_due(struct record *record)
{
	while (!is_due(record)) {
		record->due_ms = record->busy ? INT64_MAX : record->writer.due_ms;
		if (!record->busy && probe_due(record) < record->due_ms)
			record->due_ms = probe_due(record);
		record_wait_wake(&record->monitor, record->due_ms);
	}
	record->due_ms = 0;
}

void *
record_run(void *argument)
{
	struct record *record = argument;

	record_lock(&record->monitor);
	for (;;) {
		wait_until_due(record);
		if (!record->queue.head && !record->check && record->stop)
			break;
		begin(record);
		record_unlock(&record->monitor);
		if (write_group(record))
			probe(record);
		tend(record, RECORD_SYNC_IDLE);
		record_lock(&record->monitor);
		record->busy = false;
	}
	record->busy = true; /* for good */
	record_unlock(&record->monitor);
	tend(record, RECORD_SYNC_END);
	record_lock(&record->monitor);
	record->ended = true;
	(void)pthread_cond_signal(&record->monitor.end);
	record_unlock(&record->monitor);
	return NULL;
}

/* Under the mutex: may another thread than ours write now? */
static bool
may_write(struct record *record)
{
	const struct record_writer *writer = &record->writer;

	if (!record->queue.head || record->busy || record->check || record->stop)
		return false;
	if (record->left_out == 0)
		return writer->kind->is_quick && writer->kind->is_quick(writer->sink);
	record->left_out--;
	return false;
}

void
record_write(struct record *record, bool may_wait)
{
	int64_t begun;

	record_lock(&record->monitor);
	if (!may_wait || !may_write(record)) {
		if (record->queue.head)
			(void)pthread_cond_signal(&record->monitor.wake);
		record_unlock(&record->monitor);
		return;
	}
	begin(record);
	record_unlock(&record->monitor);
	begun = record_now_ms();
	(void)write_group(record);
	record_lock(&record->monitor);
	record->busy = false;
	if (record_now_ms() - begun > SLOW_MS)
		record->left_out = LEFT_OUT;
	if (record->queue.head || record->check || record->stop ||
	    record->writer.due_ms < record->due_ms || probe_due(record) < record->due_ms)
		(void)pthread_cond_signal(&record->monitor.wake);
	record_unlock(&record->monitor);
}
