/* SPDX-License-Identifier: Apache-2.0 */
/* http_serve.c - starts and stops the server of the plugin protocol; its connections. */
#include "edge/http_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A connection reads into half of its 32 KiB, and with this into an eighth more of the rest
 * each time while less than this is free (0.9.75 connection.c, MHD_connection_handle_read;
 * 1.0 takes no more than a quarter): a create with the engine's default profile comes in one
 * read and is answered in one round, not in three. A larger pool would be mapped and unmapped
 * for each connection (memorypool.c, MHD_pool_create).
 */
static const size_t read_room = 24 * (size_t)1024;

__attribute__((format(printf, 2, 0))) static void
on_log(void *context, const char *format, va_list args)
{
	const struct http *http = context;
	char text[256];

	(void)vsnprintf(text, sizeof text, format, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug(http->options.log, "libmicrohttpd: %s", text);
}

int
http_start(const struct http_options *options, struct http **ret_http, struct err *err)
{
	struct http *http = calloc(1, sizeof *http);

	if (!http)
		return err_set(err, ERR_MEMORY, "out of memory");
	http->options = *options;
	http->requests.judging = (struct judging){
	    .store = options->store,
	    .metrics = options->metrics,
	    .plugin_name = options->plugin_name,
	    .host = options->host,
	    .managed_plugin = options->managed_plugin,
	    .record_all = options->record_all,
	    .clock_us = options->clock_floor_us,
	};
	http->door.log = options->log;
	http->door.uids = options->uids;
	http->door.uid_count = options->uid_count;
	if (http_door_open(&http->door, NULL) != 0 ||
	    http_fixed_make(&http->fixed, HTTP_CONTENT_TYPE) != 0) {
		http_stop(http);
		return err_set(err, ERR_MEMORY, "out of memory");
	}
	http->daemon = MHD_start_daemon(
	    MHD_USE_EPOLL | MHD_USE_SUPPRESS_DATE_NO_CLOCK | MHD_ALLOW_SUSPEND_RESUME |
		MHD_USE_ERROR_LOG,
	    0, NULL, NULL, http_on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_log,
	    http, MHD_OPTION_LISTEN_SOCKET, options->fd, MHD_OPTION_NOTIFY_CONNECTION,
	    http_on_connection, http, MHD_OPTION_NOTIFY_COMPLETED, http_on_completed,
	    http, MHD_OPTION_CONNECTION_LIMIT, (unsigned)http->door.peers.max,
	    MHD_OPTION_CONNECTION_MEMORY_INCREMENT, read_room, MHD_OPTION_END);
	if (!http->daemon) {
		http_stop(http);
		return err_set(err, ERR_SYSTEM, "libmicrohttpd did not start: %s",
		               strerror(errno));
	}
	http->loop.daemon = http->daemon;
	http->loop.record = options->record;
	http->loop.requests = &http->requests;
	if (http_loop_start(&http->loop, err) != 0) {
		http_stop(http);
		return -1;
	}
	*ret_http = http;
	return 0;
}

int
http_take(struct http *http, int fd)
{
	return http_loop_take(&http->loop, fd);
}

int
http_connect(struct http *http)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
		return -1;
	if (http_take(http, fds[1]) == 0)
		return fds[0];
	(void)close(fds[0]);
	return -1;
}

void
http_nudge(struct http *http)
{
	int fd = http_connect(http);

	if (fd >= 0)
		(void)close(fd);
}

void
http_close_door(struct http *http)
{
	(void)MHD_quiesce_daemon(http->daemon);
}

void
http_leave(struct http *http)
{
	atomic_store(&http->leaving, true);
}

size_t
http_hang_up(struct http *http)
{
	peers_hang_up(&http->door.peers);
	return peers_count(&http->door.peers);
}

size_t
http_connections(struct http *http)
{
	return peers_count(&http->door.peers);
}

void
http_quiesce(struct http *http)
{
	atomic_store(&http->quiet, true);
	(void)MHD_quiesce_daemon(http->daemon);
}

size_t
http_waiting(const struct http *http)
{
	return atomic_load(&http->waiting);
}

void
http_stop(struct http *http)
{
	bool hangs;

	if (!http)
		return;
	hangs = !http_loop_stop(&http->loop);
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	if (hangs) /* in the sink of the record, and comes back to all this */
		return;
	http_fixed_free(&http->fixed);
	http_door_close(&http->door);
	requests_free(&http->requests);
	free(http);
}
