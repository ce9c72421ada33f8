/* SPDX-License-Identifier: Apache-2.0 */
/* record_queue.c - keeps entries in order until they are written or due. */
#include "edge/record_queue.h"
#include "edge/record_thread.h"

#include <sys/timerfd.h>
#include <unistd.h>

int
record_queue_init(struct record_queue *queue, int64_t wait_ms, struct err *err)
{
	*queue = (struct record_queue){.wait_ms = wait_ms};
	queue->tail = &queue->head;
	queue->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	return queue->timer < 0 ? err_set(err, ERR_SYSTEM, "timerfd: %m") : 0;
}

void
record_queue_destroy(struct record_queue *queue)
{
	if (queue->timer >= 0)
		(void)close(queue->timer);
}

static void
list_add(struct record_list *list, struct record_entry *entry)
{
	if (!list->head)
		list->tail = &list->head;
	entry->next = NULL;
	*list->tail = entry;
	list->tail = &entry->next;
	list->count++;
}

void
record_list_call(const struct record_list *list, const char *failure)
{
	struct record_entry *next;

	for (struct record_entry *entry = list->head; entry; entry = next) {
		next = entry->next; /* `done` may free the entry */
		entry->done(entry, failure);
	}
}

static void
arm(struct record_queue *queue, int64_t deadline_ms)
{
	struct itimerspec when = {
	    .it_value = {.tv_sec = (time_t)(deadline_ms / 1000),
	                 .tv_nsec = (long)(deadline_ms % 1000) * 1000000},
	};

	queue->armed = true;
	(void)timerfd_settime(queue->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

void
record_queue_put(struct record_queue *queue, struct record_entry *entry)
{
	entry->next = NULL;
	entry->deadline_ms = record_now_ms() + queue->wait_ms;
	*queue->tail = entry;
	queue->tail = &entry->next;
	queue->waiting++;
	/* It is left to run when the queue is empty again: one needless wake-up every
	   `wait_ms` is cheaper than two system calls a line. */
	if (!queue->armed)
		arm(queue, entry->deadline_ms);
}

static struct record_entry *
dequeue(struct record_queue *queue)
{
	struct record_entry *entry = queue->head;

	queue->head = entry->next;
	if (!queue->head)
		queue->tail = &queue->head;
	queue->waiting--;
	return entry;
}

void
record_queue_write(struct record_queue *queue, struct record_writer *writer)
{
	record_writer_begin(writer);
	queue->writing_count = 0;
	while (queue->head && record_writer_add(writer, buf_text(&queue->head->line)))
		queue->writing[queue->writing_count++] = dequeue(queue);
}

void
record_queue_settle(struct record_queue *queue, size_t taken,
                    struct record_list *ret_good, struct record_list *ret_bad)
{
	for (size_t i = 0; i < queue->writing_count; i++) {
		if (queue->writing[i])
			list_add(i < taken ? ret_good : ret_bad, queue->writing[i]);
	}
	queue->writing_count = 0;
}

void
record_queue_due(struct record_queue *queue, int64_t now_ms, struct record_list *ret_due)
{
	int64_t next = INT64_MAX;

	queue->armed = false;
	for (size_t i = 0; i < queue->writing_count; i++) {
		struct record_entry *entry = queue->writing[i];

		if (entry && entry->deadline_ms <= now_ms) {
			list_add(ret_due, entry);
			queue->writing[i] = NULL;
		} else if (entry && entry->deadline_ms < next) {
			next = entry->deadline_ms;
		}
	}
	while (queue->head && queue->head->deadline_ms <= now_ms)
		list_add(ret_due, dequeue(queue));
	if (queue->head && queue->head->deadline_ms < next)
		next = queue->head->deadline_ms;
	if (next != INT64_MAX)
		arm(queue, next);
}
