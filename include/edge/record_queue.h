/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_queue - the entries that wait for the record, and those that it is writing.
 *
 * Invariant: an entry that was put in comes out exactly once: settled, or due. Not
 * thread-safe: all but record_list_call() are called with the record's mutex held, and
 * that one without it.
 */
#pragma once

#include "core/err.h"
#include "edge/record.h"
#include "edge/record_writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record_queue {
	struct record_entry *head, **tail; /* in the order of their deadlines */
	size_t waiting;
	struct record_entry *writing[RECORD_GROUP_LINES]; /* NULL: it was due meanwhile */
	size_t writing_count;
	int timer; /* a timerfd */
	bool armed;
	int64_t wait_ms;
};

/* Entries that go back to their owners. Zero-initialised is empty. */
struct record_list {
	struct record_entry *head, **tail;
	size_t count;
};

int record_queue_init(struct record_queue *queue, int64_t wait_ms, struct err *err);
void record_queue_destroy(struct record_queue *queue);

/* Its deadline is in `wait_ms`. The timer is armed. */
void record_queue_put(struct record_queue *queue, struct record_entry *entry);

/* Moves entries to a new group of `writer`, as many as it takes. */
void record_queue_write(struct record_queue *queue, struct record_writer *writer);

/* Ends that group: its first `taken` entries are on record, the rest is not. */
void record_queue_settle(struct record_queue *queue, size_t taken,
                         struct record_list *ret_good, struct record_list *ret_bad);

/* Takes out all that are due at `now_ms`; the timer is armed for the next. */
void record_queue_due(struct record_queue *queue, int64_t now_ms,
                      struct record_list *ret_due);

/* Calls `done` of each. */
void record_list_call(const struct record_list *list, const char *failure);
