/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_thread - what the threads of the record have in common: a monotonic clock to
 * wait by, and no signals (these are the main thread's, signalfd(2)).
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t record_now_ms(void);

/* A mutex and two conditions whose timed waits go by that clock: `wake` for the thread,
   `end` for who waits for its end. -1 when the system has none to give. */
struct record_monitor {
	pthread_mutex_t mutex;
	pthread_cond_t wake, end;
};

int record_monitor_init(struct record_monitor *monitor);
void record_monitor_destroy(struct record_monitor *monitor);
void record_lock(struct record_monitor *monitor);
void record_unlock(struct record_monitor *monitor);

/* With the mutex held: waits for `wake`, until `deadline_ms` (INT64_MAX: for ever); may
   come back without either. */
void record_wait_wake(struct record_monitor *monitor, int64_t deadline_ms);

/* With the mutex held: waits for *flag until `deadline_ms`; returns *flag. */
bool record_wait_end(struct record_monitor *monitor, const bool *flag,
                     int64_t deadline_ms);

/* Starts `run` with all signals blocked; -1 if it can't be started. */
int record_thread_start(pthread_t *ret_thread, void *(*run)(void *), void *argument);
