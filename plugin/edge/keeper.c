/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.c - makes the plugin socket again when it was lost. */
#include "edge/keeper.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPTED_MAX = 64 }; /* at once; the rest next time round */

void
keeper_open(struct keeper *keeper, const struct listener *first)
{
	*keeper = (struct keeper){.first = first, .again = {.fd = -1}};
}

/* What is wrong is said when it changes, not each second. */
static void
complain(struct keeper *keeper, const struct log *log, const char *what)
{
	if (strncmp(keeper->said, what, 250) == 0)
		return;
	(void)snprintf(keeper->said, sizeof keeper->said, "%.250s", what);
	log_error(log, "the plugin socket is gone: %s", what);
}

static void
make_again(struct keeper *keeper, const struct log *log)
{
	struct err err = {0};

	listen_close(&keeper->again);
	if (listen_make(keeper->first->path, &keeper->again, &err) != 0) {
		complain(keeper, log, err.text);
		return;
	}
	keeper->said[0] = '\0';
	log_warning(log, "the plugin socket was gone; it was made again at %s",
	            keeper->first->path);
}

/*
 * When files run out, libmicrohttpd stops to accept until one of its connections ends
 * (daemon.c, MHD_accept_connection), which those of an engine may not do for days. So
 * where somebody has waited for a second, we end one.
 */
static void
look_for_waiting(struct keeper *keeper, struct http *http)
{
	struct pollfd queue = {.fd = keeper->first->fd, .events = POLLIN};
	bool waits = poll(&queue, 1, 0) == 1 && (queue.revents & POLLIN);

	if (waits && keeper->waited)
		http_nudge(http);
	keeper->waited = waits;
}

void
keeper_look(struct keeper *keeper, struct http *http, int64_t now_ms,
            const struct log *log)
{
	const struct listener *first = keeper->first;
	bool lost;

	if (!first || now_ms < keeper->due_ms)
		return;
	keeper->due_ms = now_ms + KEEPER_MS;
	look_for_waiting(keeper, http);
	lost = listen_is_lost(keeper->again.fd >= 0 ? &keeper->again : first);
	if (lost && first->made)
		make_again(keeper, log);
	else if (lost)
		complain(keeper, log,
		         "it was handed over, so whoever made it has to make it again "
		         "(systemctl restart seccomp-authz.socket)");
	else if (!first->made)
		keeper->said[0] = '\0';
}

int
keeper_fd(const struct keeper *keeper)
{
	return keeper->again.fd;
}

void
keeper_accept(struct keeper *keeper, struct http *http)
{
	for (int i = 0; i < ACCEPTED_MAX; i++) {
		int fd =
		    accept4(keeper->again.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		(void)http_take(http, fd);
	}
}

void
keeper_close(struct keeper *keeper)
{
	listen_close(&keeper->again);
}
