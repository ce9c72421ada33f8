/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_run - what a record is made of, and who writes it. Private to record*.c.
 *
 * Invariant: the sink, the writer and the group in the queue are touched by one thread at a
 * time, the one that made the record busy. Nothing that waits for a sink is done with the
 * mutex held.
 */
#pragma once

#include "edge/record.h"
#include "edge/record_follow.h"
#include "edge/record_queue.h"
#include "edge/record_thread.h"
#include "edge/record_writer.h"

struct record {
	char *spec; /* of the first sink, for messages */
	struct log log;
	struct record_follower *followers[RECORD_SINKS_MAX];
	size_t follower_count;
	pthread_t thread;
	struct record_writer writer; /* whose made it busy, but for adding lines */
	bool warned;                 /* the thread's alone */
	struct record_monitor monitor;
	/* under the mutex */
	struct record_queue queue;
	struct record_state state;
	int64_t due_ms;    /* when the thread looks again */
	int64_t probe_ms;  /* when it asks a sink that fails, not before */
	unsigned left_out; /* writes that are the thread's alone */
	bool busy;         /* somebody writes */
	bool check, stop, ended;
};

/* Remembers whether the first sink works (`failure` NULL) or not; true if that changed and
   is to be told. */
bool record_mark(struct record *record, const char *failure);

/* Says so in the log. That MUST come after the answer of whoever waits: the log may hang. */
void record_tell(const struct record *record, const char *failure);

/* The thread. */
void *record_run(void *record);
