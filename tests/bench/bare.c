/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare.c - the practical limit: a server that reads each body, and answers a constant.
 *
 *   bare SOCKET           libmicrohttpd, one epoll thread: what `serve` is made of, less us
 *   bare SOCKET pool      the same with a pool of two such threads
 *   bare SOCKET threads   the same with a thread for each connection
 *   bare SOCKET raw       no HTTP library: looks for the end of the head and its length, no
 *                         more
 */
#include <microhttpd.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONTENT_TYPE "application/vnd.docker.plugins.v1.2+json"

static const char allow[] = "{\"Allow\":true}";
static const char activate[] = "{\"Implements\":[\"authz\"]}";

static int
listen_at(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)unlink(path);
	(void)snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&name, sizeof name) != 0 ||
	    listen(fd, SOMAXCONN) != 0) {
		perror(path);
		exit(1);
	}
	return fd;
}

/* ---- libmicrohttpd ---- */

struct body {
	char *at;
	size_t len, cap;
};

struct server {
	struct MHD_Response *allow, *activate;
};

/* The announced length at once, as any server with care would. */
static int
add(struct body *body, struct MHD_Connection *connection, const char *bytes, size_t len)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
	                                                 MHD_HTTP_HEADER_CONTENT_LENGTH);

	if (!body->at) {
		body->cap = length ? strtoul(length, NULL, 10) : 0;
		body->at = body->cap < 1U << 24 ? malloc(body->cap) : NULL;
	}
	if (!body->at || len > body->cap - body->len)
		return -1;
	memcpy(body->at + body->len, bytes, len);
	body->len += len;
	return 0;
}

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url,
           const char *method, const char *version, const char *bytes, size_t *len,
           void **request_context)
{
	const struct server *server = context;
	struct body *body = *request_context;

	(void)method;
	(void)version;
	if (!body) {
		*request_context = calloc(1, sizeof *body);
		return *request_context ? MHD_YES : MHD_NO;
	}
	if (*len > 0) {
		if (add(body, connection, bytes, *len) != 0)
			return MHD_NO;
		*len = 0;
		return MHD_YES;
	}
	return MHD_queue_response(connection, MHD_HTTP_OK,
	                          strcmp(url, "/Plugin.Activate") == 0 ? server->activate
	                                                               : server->allow);
}

static void
on_completed(void *context, struct MHD_Connection *connection, void **request_context,
             enum MHD_RequestTerminationCode code)
{
	struct body *body = *request_context;

	(void)context;
	(void)connection;
	(void)code;
	*request_context = NULL;
	if (!body)
		return;
	free(body->at);
	free(body);
}

static struct MHD_Response *
make_response(const char *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
	    strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);

	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
	                              CONTENT_TYPE);
	return response;
}

/* How libmicrohttpd serves; the first is what the judge does. */
static const struct mode {
	const char *name;
	unsigned flags, pool;
} modes[] = {
    {"epoll", MHD_USE_EPOLL_INTERNAL_THREAD, 0},
    {"pool", MHD_USE_EPOLL_INTERNAL_THREAD, 2},
    {"threads", MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL_INTERNAL_THREAD, 0},
};

static int
serve_http(int fd, const struct mode *mode)
{
	struct server server = {.allow = make_response(allow),
	                        .activate = make_response(activate)};
	struct MHD_OptionItem pool[] = {
	    {mode->pool ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, mode->pool, NULL},
	    {MHD_OPTION_END, 0, NULL}};
	struct MHD_Daemon *daemon = MHD_start_daemon(
	    mode->flags, 0, NULL, NULL, on_request, &server, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT,
	    4096U, MHD_OPTION_ARRAY, pool, MHD_OPTION_END);

	if (!daemon)
		return 1;
	for (;;)
		(void)pause();
}

/* ---- no library ---- */

struct connection {
	int fd;
	size_t len, need; /* bytes of the request so far, and in all once known */
	char head[16384]; /* the head must fit; what follows it is counted only */
};

static const char raw_answer[] = "HTTP/1.1 200 OK\r\nContent-Type: " CONTENT_TYPE
				 "\r\nContent-Length: 14\r\n\r\n{\"Allow\":true}";
static const char raw_activate[] =
    "HTTP/1.1 200 OK\r\nContent-Type: " CONTENT_TYPE "\r\nContent-Length: 24\r\n\r\n"
    "{\"Implements\":[\"authz\"]}";

static void
hang_up(struct connection *connection)
{
	(void)close(connection->fd);
	free(connection);
}

static void
accept_one(int epoll, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct connection *connection = fd < 0 ? NULL : calloc(1, sizeof *connection);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

	if (!connection)
		return;
	connection->fd = fd;
	(void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void
measure(struct connection *connection)
{
	const char *end = memmem(connection->head, connection->len, "\r\n\r\n", 4);
	const char *length;

	if (!end)
		return;
	length = memmem(connection->head, (size_t)(end - connection->head),
	                "Content-Length: ", 16);
	connection->need = (size_t)(end + 4 - connection->head) +
	                   (length ? strtoul(length + 16, NULL, 10) : 0);
}

static void
read_some(struct connection *connection)
{
	char rest[65536], *into = rest;
	size_t room = sizeof rest;
	bool activates;
	ssize_t got;

	if (connection->need == 0) {
		into = connection->head + connection->len;
		room = sizeof connection->head - connection->len;
	}
	got = recv(connection->fd, into, room, 0);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		hang_up(connection);
		return;
	}
	connection->len += (size_t)got;
	if (connection->need == 0)
		measure(connection);
	if (connection->need == 0 || connection->len < connection->need)
		return;
	activates = strncmp(connection->head, "POST /Plugin.Activate", 21) == 0;
	connection->len = connection->need = 0;
	if (send(connection->fd, activates ? raw_activate : raw_answer,
	         activates ? sizeof raw_activate - 1 : sizeof raw_answer - 1,
	         MSG_NOSIGNAL) < 0)
		hang_up(connection);
}

_Noreturn static void
serve_raw(int listener)
{
	struct epoll_event event = {.events = EPOLLIN}, ready[64];
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	(void)epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int count = epoll_wait(epoll, ready, 64, -1);

		for (int i = 0; i < count; i++) {
			if (ready[i].data.ptr)
				read_some(ready[i].data.ptr);
			else
				accept_one(epoll, listener);
		}
	}
}

int
main(int argc, char **argv)
{
	const char *name = argc == 3 ? argv[2] : "epoll";
	bool raw = strcmp(name, "raw") == 0;
	size_t count = sizeof modes / sizeof modes[0], i = 0;
	int fd;

	while (i < count && strcmp(name, modes[i].name) != 0)
		i++;
	if (argc < 2 || argc > 3 || (i == count && !raw)) {
		(void)fprintf(stderr, "usage: bare SOCKET [pool | threads | raw]\n");
		return 2;
	}
	fd = listen_at(argv[1]);
	if (raw)
		serve_raw(fd);
	return serve_http(fd, &modes[i]);
}
