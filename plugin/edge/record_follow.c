/* SPDX-License-Identifier: Apache-2.0 */
/* record_follow.c - feeds one of the other sinks from a bounded queue, by a thread. */
#include "edge/record_follow.h"
#include "edge/record_thread.h"

#include <stdlib.h>
#include <string.h>

enum { KEEP = 256 * 1024 }; /* a buffer that a burst made larger goes back */

struct record_follower {
	const struct record_sink_kind *kind;
	char *spec;         /* "file:/x" */
	const char *target; /* in `spec` */
	struct log log;
	pthread_t thread;
	struct record_monitor monitor;
	/* the thread's alone */
	struct record_sink *sink; /* NULL: is to be opened */
	struct buf writing;
	int64_t due_ms; /* of its next sync */
	bool warned;
	/* under the mutex */
	struct buf pending;
	uint64_t behind; /* lines that wait or are being written */
	uint64_t lost;
	bool degraded;
	bool stop, ended;
};

static uint64_t
count_lines(struct text lines)
{
	uint64_t count = 0;

	while (lines.len > 0) {
		count++;
		lines = text_from(lines, text_find(lines, '\n') + 1);
	}
	return count;
}

/* Counts what was lost for `reason`; NULL: all was taken. Logs changes only. */
static void
note(struct record_follower *follower, uint64_t lost, const char *reason)
{
	bool degraded = reason != NULL, changed;
	uint64_t total;

	record_lock(&follower->monitor);
	changed = follower->degraded != degraded;
	follower->degraded = degraded;
	follower->lost += lost;
	total = follower->lost;
	record_unlock(&follower->monitor);
	if (changed && degraded)
		log_warning(&follower->log, "record sink %s loses lines: %s",
		            follower->spec, reason);
	else if (changed)
		log_warning(&follower->log, "record sink %s takes lines again, %llu lost",
		            follower->spec, (unsigned long long)total);
}

static int
write_lines(struct record_follower *follower, size_t *ret_taken, struct err *err)
{
	const struct record_sink_kind *kind = follower->kind;
	cleanup_buf struct buf torn = {0};

	if (!follower->sink && kind->open(follower->target, NULL, &follower->sink, err))
		return -1;
	if (kind->prepare(follower->sink, &torn, err))
		return -1;
	return kind->write(follower->sink, buf_text(&follower->writing), ret_taken, err);
}

/* Writes what was taken out of the queue, if anything was. */
static void
write_and_sync(struct record_follower *follower, enum record_sync when)
{
	struct text lines = buf_text(&follower->writing);
	struct err err = {0};
	size_t taken = 0;

	if (lines.len > 0 && write_lines(follower, &taken, &err))
		note(follower, count_lines(text_from(lines, taken)), err.text);
	else if (record_sink_sync(follower->kind, follower->sink, when, &follower->due_ms,
	                          &err))
		note(follower, 0, err.text);
	else if (lines.len > 0)
		note(follower, 0, NULL);
	record_sink_warn(follower->kind, follower->sink, &follower->log, follower->spec,
	                 &follower->warned);
}

static void *
run(void *argument)
{
	struct record_follower *follower = argument;
	struct buf *writing = &follower->writing;

	record_lock(&follower->monitor);
	for (;;) {
		struct buf empty = *writing;
		uint64_t lines;

		while (follower->pending.len == 0 && !follower->stop &&
		       record_now_ms() < follower->due_ms)
			record_wait_wake(&follower->monitor, follower->due_ms);
		if (follower->pending.len == 0 && follower->stop)
			break;
		*writing = follower->pending;
		follower->pending = empty;
		lines = follower->behind; /* all that wait */
		record_unlock(&follower->monitor);
		write_and_sync(follower, RECORD_SYNC_IDLE);
		buf_clear(writing);
		if (writing->cap > KEEP)
			buf_free(writing);
		record_lock(&follower->monitor);
		follower->behind -= lines;
	}
	record_unlock(&follower->monitor);
	write_and_sync(follower, RECORD_SYNC_END);
	record_lock(&follower->monitor);
	follower->ended = true;
	(void)pthread_cond_signal(&follower->monitor.end);
	record_unlock(&follower->monitor);
	return NULL;
}

static void
destroy(struct record_follower *follower)
{
	follower->kind->close(follower->sink);
	buf_free(&follower->writing);
	buf_free(&follower->pending);
	free(follower->spec);
	free(follower);
}

struct record_follower *
record_follow_start(const struct record_sink_kind *kind, const char *spec,
                    const char *target, const struct log *log)
{
	struct record_follower *follower = calloc(1, sizeof *follower);

	if (!follower)
		return NULL;
	follower->kind = kind;
	follower->due_ms = INT64_MAX;
	follower->log = *log;
	follower->pending.limit = follower->writing.limit = RECORD_FOLLOW_MAX;
	follower->spec = strdup(spec);
	if (!follower->spec || record_monitor_init(&follower->monitor)) {
		destroy(follower);
		return NULL;
	}
	follower->target = follower->spec + (target - spec);
	if (record_thread_start(&follower->thread, run, follower)) {
		record_monitor_destroy(&follower->monitor);
		destroy(follower);
		return NULL;
	}
	return follower;
}

void
record_follow(struct record_follower *follower, struct text lines)
{
	uint64_t count = count_lines(lines);
	bool full;

	if (!follower || lines.len == 0)
		return;
	record_lock(&follower->monitor);
	buf_add_text(&follower->pending, lines);
	full = !buf_ok(&follower->pending);
	follower->behind += full ? 0 : count;
	follower->pending.failed = false; /* what is in it is whole and goes out */
	(void)pthread_cond_signal(&follower->monitor.wake);
	record_unlock(&follower->monitor);
	if (full)
		note(follower, count, "it is too slow");
}

void
record_follow_state(struct record_follower *follower, uint64_t *lost, uint64_t *behind)
{
	record_lock(&follower->monitor);
	*lost += follower->lost;
	*behind += follower->behind;
	record_unlock(&follower->monitor);
}

void
record_follow_stop(struct record_follower *follower, int64_t deadline_ms)
{
	bool ended;

	if (!follower)
		return;
	record_lock(&follower->monitor);
	follower->stop = true;
	(void)pthread_cond_signal(&follower->monitor.wake);
	ended = record_wait_end(&follower->monitor, &follower->ended, deadline_ms);
	record_unlock(&follower->monitor);
	if (!ended) {
		(void)pthread_detach(follower->thread);
		return;
	}
	(void)pthread_join(follower->thread, NULL);
	record_monitor_destroy(&follower->monitor);
	destroy(follower);
}
