/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - the authorization plugin protocol over libmicrohttpd. */
#include "edge/http.h"

#include "core/authz.h"
#include "edge/http_answer.h"
#include "edge/http_door.h"
#include "edge/http_fixed.h"
#include "edge/http_loop.h"
#include "edge/request.h"

#include <errno.h>
#include <malloc.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONTENT_TYPE "application/vnd.docker.plugins.v1.2+json"

struct http {
	struct http_options options;
	struct MHD_Daemon *daemon;
	struct http_fixed fixed;
	struct http_loop loop;
	/* touched by who has the loop's turn */
	struct requests requests;
	size_t connections, most; /* open, and the most since memory was given back */
	/* any thread */
	struct http_door door;
	atomic_size_t waiting;
	atomic_bool leaving; /* each answer is the last one of its connection */
	atomic_bool quiet;
};

/* The announced length, so that the body is allocated once. */
static void
read_head(struct request *request)
{
	const char *length = MHD_lookup_connection_value(
	    request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	if (length)
		request_expect(request, strtoull(length, NULL, 10));
}

static enum MHD_Result
answer_buf(const struct http *http, struct MHD_Connection *connection, unsigned status,
           struct buf *take_buf)
{
	return (enum MHD_Result)http_answer(connection, status, CONTENT_TYPE,
	                                    atomic_load(&http->leaving), take_buf);
}

static enum MHD_Result
answer_same(const struct http *http, struct MHD_Connection *connection,
            enum http_fixed_kind kind)
{
	return (enum MHD_Result)http_fixed_queue(&http->fixed, connection, kind,
	                                         atomic_load(&http->leaving));
}

static enum MHD_Result
answer_unrecorded(const struct http *http, struct request *request)
{
	cleanup_buf struct buf why = {0};
	struct buf body = {0};

	buf_str(&why, "the decision could not be put on record, so the request is "
	              "refused: ");
	buf_str(&why, request->failure);
	authz_error(&body, buf_text(&why));
	body.failed |= why.failed;
	return answer_buf(http, request->connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
	                  &body);
}

static enum MHD_Result
answer_verdict(const struct http *http, struct request *request)
{
	const struct verdict *verdict = &request->decision.verdict;
	struct buf body = {0};

	if (verdict->decision != DECISION_DENY)
		return answer_same(http, request->connection, HTTP_FIXED_ALLOW);
	authz_deny(&body, text_of(verdict->message));
	return answer_buf(http, request->connection, MHD_HTTP_OK, &body);
}

static enum MHD_Result
answer(const struct http *http, struct request *request)
{
	bool on_record = request->failure[0] == '\0';
	enum MHD_Result result =
	    on_record ? answer_verdict(http, request) : answer_unrecorded(http, request);

	request_answered(request, on_record);
	return result;
}

/* The server that a request belongs to. */
static struct http *
http_of(const struct request *request)
{
	return (struct http *)((char *)request->all - offsetof(struct http, requests));
}

/* From whoever writes the record, or from whoever expires. */
static void
recorded(struct record_entry *entry, const char *failure)
{
	struct request *request = (struct request *)entry;
	struct http *http = http_of(request);
	struct MHD_Connection *connection = request->connection;

	if (request_finish(request, failure))
		http_loop_resume(&http->loop, connection);
	atomic_fetch_sub(&http->waiting, 1);
}

/* The whole request is here. Without an answer and not suspended, the connection is asked
   again the next time round; the record is written in between. */
static enum MHD_Result
decide_and_answer(struct http *http, struct request *request)
{
	if (!request_judge(request))
		return answer(http, request);
	if (atomic_load(&http->quiet)) {
		request_answered(request, false);
		return answer_same(http, request->connection, HTTP_FIXED_STOPPING);
	}
	request->state = REQUEST_RECORDING;
	request->entry.done = recorded;
	atomic_store(&request->handover, HANDOVER_WAITING);
	atomic_fetch_add(&http->waiting, 1);
	http_loop_put(&http->loop, &request->entry);
	return MHD_YES;
}

/* Its line was put; is it there now? */
static enum MHD_Result
answer_later(struct http *http, struct request *request)
{
	if (atomic_load(&request->handover) != HANDOVER_DONE) {
		request->state = REQUEST_SUSPENDED;
		http_loop_suspend(&http->loop, request);
		return MHD_YES;
	}
	if (request->state == REQUEST_SUSPENDED)
		http_loop_resumed(&http->loop);
	return answer(http, request);
}

/* ---- libmicrohttpd's callbacks ---- */

/* What is kept for a request that needs no memory: only its address counts. */
static const char drained;

/* libmicrohttpd's contexts are void *; this one is never written through. */
static void *
marker(const char *which)
{
	return (void *)(uintptr_t)which;
}

/* Behind a burst of many the allocator keeps what it had for them, since small blocks that
   stay lie between; engines keep two connections (net/http, MaxIdleConnsPerHost). */
static void
connection_closed(struct http *http)
{
	enum { BURST = 16 };

	http->connections--;
	if (http->most < BURST || http->connections > http->most / 4)
		return;
	http->most = http->connections;
	(void)malloc_trim(0);
}

static void
on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
              enum MHD_ConnectionNotificationCode code)
{
	struct http *http = context;

	http_door_notify(&http->door, connection, socket_context, (int)code);
	if (code != MHD_CONNECTION_NOTIFY_STARTED)
		connection_closed(http);
	else if (++http->connections > http->most)
		http->most = http->connections;
}

/* Calls whose body nobody reads, and their answers. */
static enum MHD_Result
answer_fixed(struct http *http, struct MHD_Connection *connection, const char *url,
             const char *method)
{
	const struct peer *peer = http_door_peer(connection);
	enum http_fixed_kind kind = HTTP_FIXED_NOT_FOUND;

	if (!peer || peer->stranger)
		kind = HTTP_FIXED_FORBIDDEN;
	else if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
		kind = HTTP_FIXED_NOT_POST;
	else if (strcmp(url, "/AuthZPlugin.AuthZRes") == 0)
		kind = HTTP_FIXED_ALLOW;
	else if (strcmp(url, "/Plugin.Activate") == 0)
		kind = HTTP_FIXED_ACTIVATE;
	return answer_same(http, connection, kind);
}

/* The head of a request is here. */
static enum MHD_Result
begin(struct http *http, struct MHD_Connection *connection, const char *url,
      const char *method, void **request_context)
{
	struct peer *peer = http_door_peer(connection);
	struct request *request;

	if (peer)
		peer_begin(peer);
	if (strcmp(url, "/AuthZPlugin.AuthZReq") != 0 ||
	    strcmp(method, MHD_HTTP_METHOD_POST) != 0 || !peer || peer->stranger) {
		*request_context = marker(&drained);
		return MHD_YES;
	}
	request = request_take(&http->requests, connection);
	*request_context = request;
	if (!request)
		return MHD_NO;
	read_head(request);
	return MHD_YES;
}

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url,
           const char *method, const char *version, const char *bytes, size_t *len,
           void **request_context)
{
	struct http *http = context;
	struct request *request = *request_context;

	(void)version;
	if (!request)
		return begin(http, connection, url, method, request_context);
	if (*request_context == marker(&drained)) {
		if (*len == 0)
			return answer_fixed(http, connection, url, method);
		*len = 0;
		return MHD_YES;
	}
	if (*len > 0) {
		request_read(request, bytes, *len);
		*len = 0;
		return MHD_YES;
	}
	return request->state >= REQUEST_RECORDING ? answer_later(http, request)
	                                           : decide_and_answer(http, request);
}

static void
on_completed(void *context, struct MHD_Connection *connection, void **request_context,
             enum MHD_RequestTerminationCode code)
{
	struct request *request = *request_context;
	struct peer *peer = http_door_peer(connection);

	(void)context;
	(void)code;
	*request_context = NULL;
	if (peer)
		peer_end(peer);
	if (!request || request == marker(&drained))
		return;
	request_leave(request);
}

/* ---- start and stop ---- */

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
	    http_fixed_make(&http->fixed, CONTENT_TYPE) != 0) {
		http_stop(http);
		return err_set(err, ERR_MEMORY, "out of memory");
	}
	http->daemon = MHD_start_daemon(
	    MHD_USE_EPOLL | MHD_USE_SUPPRESS_DATE_NO_CLOCK | MHD_ALLOW_SUSPEND_RESUME |
		MHD_USE_ERROR_LOG,
	    0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_log, http,
	    MHD_OPTION_LISTEN_SOCKET, options->fd, MHD_OPTION_NOTIFY_CONNECTION,
	    on_connection, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)http->door.peers.max, MHD_OPTION_END);
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
