/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - the authorization plugin protocol over libmicrohttpd. */
#include "edge/http.h"

#include "core/authz.h"
#include "edge/http_answer.h"
#include "edge/http_loop.h"
#include "edge/listen.h"
#include "edge/request.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTENT_TYPE "application/vnd.docker.plugins.v1.2+json"

struct http {
	struct http_options options;
	struct MHD_Daemon *daemon;
	struct MHD_Response *activate, *allow, *forbidden, *not_found, *not_post,
	    *stopping;
	struct http_loop loop;
	struct requests requests; /* touched by who has the loop's turn */
	/* any thread */
	atomic_size_t waiting;
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
answer_buf(struct MHD_Connection *connection, unsigned status, struct buf *take_buf)
{
	return (enum MHD_Result)http_answer(connection, status, CONTENT_TYPE, take_buf);
}

static enum MHD_Result
answer_unrecorded(struct request *request)
{
	cleanup_buf struct buf why = {0};
	struct buf body = {0};

	buf_str(&why, "the decision could not be put on record, so the request is "
	              "refused: ");
	buf_str(&why, request->failure);
	authz_error(&body, buf_text(&why));
	body.failed |= why.failed;
	return answer_buf(request->connection, MHD_HTTP_INTERNAL_SERVER_ERROR, &body);
}

static enum MHD_Result
answer_verdict(const struct http *http, struct request *request)
{
	const struct verdict *verdict = &request->decision.verdict;
	struct buf body = {0};

	if (verdict->decision != DECISION_DENY)
		return MHD_queue_response(request->connection, MHD_HTTP_OK, http->allow);
	authz_deny(&body, text_of(verdict->message));
	return answer_buf(request->connection, MHD_HTTP_OK, &body);
}

static enum MHD_Result
answer(const struct http *http, struct request *request)
{
	bool on_record = request->failure[0] == '\0';
	enum MHD_Result result =
	    on_record ? answer_verdict(http, request) : answer_unrecorded(request);

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
		return MHD_queue_response(request->connection,
		                          MHD_HTTP_SERVICE_UNAVAILABLE, http->stopping);
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

/* What is kept for a connection or a request that needs no memory: only their addresses
   count. */
static const char stranger, drained;

static bool
may_ask(const struct http *http, int fd)
{
	uid_t uid;
	pid_t pid;

	if (listen_peer(fd, &uid, &pid) != 0)
		return false;
	if (uid == 0)
		return true;
	for (size_t i = 0; i < http->options.uid_count; i++) {
		if (http->options.uids[i] == uid)
			return true;
	}
	log_warning(http->options.log, "uid %u (pid %d) may not ask; see --allow-uid",
	            (unsigned)uid, (int)pid);
	return false;
}

/* libmicrohttpd's contexts are void *; these two are never written through. */
static void *
marker(const char *which)
{
	return (void *)(uintptr_t)which;
}

static void
on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
              enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;

	if (code != MHD_CONNECTION_NOTIFY_STARTED)
		return;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!info || !may_ask(context, info->connect_fd))
		*socket_context = marker(&stranger);
}

static bool
is_stranger(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return !info || info->socket_context == marker(&stranger);
}

/* Calls whose body nobody reads, and their answers. */
static enum MHD_Result
answer_fixed(struct http *http, struct MHD_Connection *connection, const char *url,
             const char *method)
{
	if (is_stranger(connection))
		return MHD_queue_response(connection, MHD_HTTP_FORBIDDEN,
		                          http->forbidden);
	if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
		return MHD_queue_response(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
		                          http->not_post);
	if (strcmp(url, "/AuthZPlugin.AuthZRes") == 0)
		return MHD_queue_response(connection, MHD_HTTP_OK, http->allow);
	if (strcmp(url, "/Plugin.Activate") == 0)
		return MHD_queue_response(connection, MHD_HTTP_OK, http->activate);
	return MHD_queue_response(connection, MHD_HTTP_NOT_FOUND, http->not_found);
}

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url,
           const char *method, const char *version, const char *bytes, size_t *len,
           void **request_context)
{
	struct http *http = context;
	struct request *request = *request_context;

	(void)version;
	if (!request) { /* the head is here */
		if (strcmp(url, "/AuthZPlugin.AuthZReq") != 0 ||
		    strcmp(method, MHD_HTTP_METHOD_POST) != 0 ||
		    is_stranger(connection)) {
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

	(void)context;
	(void)connection;
	(void)code;
	*request_context = NULL;
	if (!request || request == marker(&drained))
		return;
	request_leave(request);
}

/* ---- start and stop ---- */

static struct MHD_Response *
fixed_response(const char *body)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
	    strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_PERSISTENT);

	if (response)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
		                              CONTENT_TYPE);
	return response;
}

static int
make_responses(struct http *http)
{
	http->activate = fixed_response("{\"Implements\":[\"authz\"]}");
	http->allow = fixed_response(authz_allow);
	http->forbidden = fixed_response("{\"Err\":\"only root and the uids given with "
	                                 "--allow-uid may ask this plugin\"}");
	http->not_found =
	    fixed_response("{\"Err\":\"this plugin answers Plugin.Activate, "
	                   "AuthZPlugin.AuthZReq and "
	                   "AuthZPlugin.AuthZRes\"}");
	http->not_post = fixed_response("{\"Err\":\"use POST\"}");
	http->stopping =
	    fixed_response("{\"Err\":\"the plugin is stopping, so the request "
	                   "is refused; repeat it\"}");
	return http->activate && http->allow && http->forbidden && http->not_found &&
	               http->not_post && http->stopping
	           ? 0
	           : -1;
}

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
	http->requests = (struct requests){
	    .store = options->store,
	    .metrics = options->metrics,
	    .plugin_name = options->plugin_name,
	    .host = options->host,
	    .managed_plugin = options->managed_plugin,
	    .record_all = options->record_all,
	    .clock_us = options->clock_floor_us,
	};
	if (make_responses(http) != 0) {
		http_stop(http);
		return err_set(err, ERR_MEMORY, "out of memory");
	}
	http->daemon = MHD_start_daemon(
	    MHD_USE_EPOLL | MHD_USE_SUPPRESS_DATE_NO_CLOCK | MHD_ALLOW_SUSPEND_RESUME |
		MHD_USE_ERROR_LOG,
	    0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_log, http,
	    MHD_OPTION_LISTEN_SOCKET, options->fd, MHD_OPTION_NOTIFY_CONNECTION,
	    on_connection, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_END);
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
	struct MHD_Response *responses[] = {
	    http ? http->activate : NULL,  http ? http->allow : NULL,
	    http ? http->forbidden : NULL, http ? http->not_found : NULL,
	    http ? http->not_post : NULL,  http ? http->stopping : NULL,
	};

	bool hangs;

	if (!http)
		return;
	hangs = !http_loop_stop(&http->loop);
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	if (hangs) /* in the sink of the record, and comes back to all this */
		return;
	for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++) {
		if (responses[i])
			MHD_destroy_response(responses[i]);
	}
	requests_free(&http->requests);
	free(http);
}
