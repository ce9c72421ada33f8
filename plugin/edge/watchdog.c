/* SPDX-License-Identifier: Apache-2.0 */
/* watchdog.c - asks the server what an engine would, and passes on that it answers. */
#include "edge/watchdog.h"

#include "edge/file.h"
#include "edge/listen.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	STEPS = 3, /* questions in WATCHDOG_USEC */
	STEP_MS_MIN = 10,
	US_OF_MS = 1000,
};

static const char question[] =
    "POST /Plugin.Activate HTTP/1.1\r\nHost: watchdog\r\nContent-Length: 0\r\n\r\n";

/* The variable as a number, and out of the environment; 0: it is none. */
static int64_t
take_number(const char *name)
{
	const char *text = getenv(name);
	long long value = text ? strtoll(text, NULL, 10) : 0;

	(void)unsetenv(name);
	return value > 0 ? value : 0;
}

void
watchdog_open(struct watchdog *watchdog)
{
	int64_t us = take_number("WATCHDOG_USEC"), pid = take_number("WATCHDOG_PID");

	*watchdog = (struct watchdog){.fd = -1};
	if (us == 0 || (pid != 0 && pid != getpid()))
		return;
	watchdog->step_ms = us / US_OF_MS / STEPS;
	if (watchdog->step_ms < STEP_MS_MIN)
		watchdog->step_ms = STEP_MS_MIN;
}

void
watchdog_ask(struct watchdog *watchdog, struct http *http, int64_t now_ms)
{
	if (watchdog->step_ms == 0 || now_ms < watchdog->due_ms)
		return;
	watchdog->due_ms = now_ms + watchdog->step_ms;
	if (!http) { /* the webhook's probes tell about its server */
		listen_notify("WATCHDOG=1");
		return;
	}
	if (watchdog->fd < 0)
		watchdog->fd = http_connect(http);
	if (watchdog->fd >= 0 && !watchdog->asked)
		watchdog->asked = send(watchdog->fd, question, sizeof question - 1,
		                       MSG_NOSIGNAL) == sizeof question - 1;
}

void
watchdog_answer(struct watchdog *watchdog)
{
	char answer[512];
	ssize_t len = recv(watchdog->fd, answer, sizeof answer, MSG_DONTWAIT);

	if (len > 0 && watchdog->asked) {
		watchdog->asked = false;
		listen_notify("WATCHDOG=1");
		return;
	}
	if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR)) {
		file_close(&watchdog->fd); /* the next question goes over a new one */
		watchdog->asked = false;
	}
}

void
watchdog_close(struct watchdog *watchdog)
{
	file_close(&watchdog->fd);
	watchdog->step_ms = 0;
}
