/* SPDX-License-Identifier: Apache-2.0 */
/* record_thread.c - threads without signals, waits by a clock that nobody sets. */
#include "edge/record_thread.h"

#include <signal.h>
#include <time.h>

enum { MS = 1000, NS_OF_MS = 1000000 };

int64_t
record_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * MS + now.tv_nsec / NS_OF_MS;
}

int
record_monitor_init(struct record_monitor *monitor)
{
	pthread_condattr_t monotonic;

	if (pthread_condattr_init(&monotonic))
		return -1;
	if (pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) ||
	    pthread_mutex_init(&monitor->mutex, NULL) ||
	    pthread_cond_init(&monitor->wake, &monotonic) ||
	    pthread_cond_init(&monitor->end, &monotonic)) {
		(void)pthread_condattr_destroy(&monotonic);
		return -1;
	}
	(void)pthread_condattr_destroy(&monotonic);
	return 0;
}

void
record_monitor_destroy(struct record_monitor *monitor)
{
	(void)pthread_cond_destroy(&monitor->end);
	(void)pthread_cond_destroy(&monitor->wake);
	(void)pthread_mutex_destroy(&monitor->mutex);
}

void
record_lock(struct record_monitor *monitor)
{
	(void)pthread_mutex_lock(&monitor->mutex);
}

void
record_unlock(struct record_monitor *monitor)
{
	(void)pthread_mutex_unlock(&monitor->mutex);
}

static struct timespec
time_of(int64_t ms)
{
	return (struct timespec){.tv_sec = (time_t)(ms / MS),
	                         .tv_nsec = (long)(ms % MS) * NS_OF_MS};
}

void
record_wait_wake(struct record_monitor *monitor, int64_t deadline_ms)
{
	struct timespec until = time_of(deadline_ms);

	if (deadline_ms == INT64_MAX)
		(void)pthread_cond_wait(&monitor->wake, &monitor->mutex);
	else
		(void)pthread_cond_timedwait(&monitor->wake, &monitor->mutex, &until);
}

bool
record_wait_end(struct record_monitor *monitor, const bool *flag, int64_t deadline_ms)
{
	struct timespec until = time_of(deadline_ms);

	while (!*flag && record_now_ms() < deadline_ms)
		(void)pthread_cond_timedwait(&monitor->end, &monitor->mutex, &until);
	return *flag;
}

int
record_thread_start(pthread_t *ret_thread, void *(*run)(void *), void *argument)
{
	sigset_t all, before;
	int failed;

	(void)sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before))
		return -1;
	failed = pthread_create(ret_thread, NULL, run, argument);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed ? -1 : 0;
}
