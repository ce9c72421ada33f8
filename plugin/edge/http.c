/* SPDX-License-Identifier: Apache-2.0 */
/* http.c - the authorization plugin protocol over libmicrohttpd. */
#include "edge/http_server.h"

#include "core/authz.h"
#include "edge/http_answer.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

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
	return (enum MHD_Result)http_answer(connection, status, HTTP_CONTENT_TYPE,
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
	else if (requests_left(&http->requests))
		http_loop_ring(&http->loop);
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

/* Behind a burst of many, or large bodies of a few, the allocator keeps what it had for them,
   since small blocks that stay lie between; engines keep two connections (net/http,
   MaxIdleConnsPerHost). */
static void
connection_closed(struct http *http)
{
	enum { BURST = 32, KEPT = 2, LARGE = 1024 * 1024 };
	bool many, large;

	http->connections--;
	many = http->most >= BURST && http->connections <= http->most / 4;
	large = http->requests.freed >= LARGE && http->connections <= KEPT;
	if (!many && !large)
		return;
	http->most = http->connections;
	http->requests.freed = 0;
	(void)malloc_trim(0);
}

void
http_on_connection(void *context, struct MHD_Connection *connection,
                   void **socket_context, enum MHD_ConnectionNotificationCode code)
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

enum MHD_Result
http_on_request(void *context, struct MHD_Connection *connection, const char *url,
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

void
http_on_completed(void *context, struct MHD_Connection *connection,
                  void **request_context, enum MHD_RequestTerminationCode code)
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
