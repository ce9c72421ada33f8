/* SPDX-License-Identifier: Apache-2.0 */
/* stop.c - waits, unless it is time to end. */
#include "edge/stop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static sigset_t
stop_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	return set;
}

void
stop_block(void)
{
	sigset_t set = stop_signals();

	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

int64_t
stop_clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool
stop_wait(int64_t ms)
{
	sigset_t set = stop_signals();
	int64_t deadline = stop_clock_ms() + ms;

	for (;;) {
		struct timespec left = {.tv_sec = ms / 1000,
		                        .tv_nsec = (long)(ms % 1000) * 1000000};

		if (sigtimedwait(&set, NULL, &left) > 0)
			return true;
		if (errno != EINTR)
			return false;
		ms = deadline > stop_clock_ms() ? deadline - stop_clock_ms() : 0;
	}
}
