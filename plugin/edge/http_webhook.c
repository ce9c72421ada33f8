/* SPDX-License-Identifier: Apache-2.0 */
/* http_webhook.c - the validating admission webhook over libmicrohttpd and TLS. */
#include "edge/http_webhook.h"

#include "edge/http_review.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_TEXT "text/plain; charset=utf-8"

struct http_webhook {
	struct http_webhook_options options;
	struct MHD_Daemon *daemon;
	struct http_reviews reviews;
};

/* What is kept for a connection. */
struct caller {
	struct tls_peer peer;
	gnutls_session_t session;
};

/* What is kept for a request that is no review: only its address counts. */
static const char other;

static void *
marker(const char *which)
{
	return (void *)(uintptr_t)which;
}

/* ---- who calls ---- */

static struct caller *
caller_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static bool
may_call(struct MHD_Connection *connection)
{
	struct caller *caller = caller_of(connection);

	return caller && tls_peer_may_call(&caller->peer, caller->session);
}

/* ---- what is no review ---- */

static int
answer_text(const struct http_webhook *http, struct MHD_Connection *connection,
            unsigned status, const char *text)
{
	return http_review_answer(&http->reviews, connection, status, TYPE_TEXT,
	                          text_of(text));
}

static int
answer_known_page(struct http_webhook *http, struct MHD_Connection *connection,
                  const char *url, const char *method)
{
	struct admin_answer answer;
	int result = MHD_NO;

	if (strcmp(url, WEBHOOK_PATH) == 0)
		return answer_text(http, connection, MHD_HTTP_METHOD_NOT_ALLOWED,
		                   "use POST\n");
	admin_ask_cluster(http->options.admin, url, may_call(connection), &answer);
	if (answer.status == MHD_HTTP_NOT_FOUND)
		result = answer_text(http, connection, MHD_HTTP_NOT_FOUND,
		                     "reviews go to POST " WEBHOOK_PATH "\n");
	else if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	         strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		result = answer_text(http, connection, MHD_HTTP_METHOD_NOT_ALLOWED,
		                     "use GET\n");
	else if (buf_ok(&answer.body))
		result = http_review_answer(&http->reviews, connection, answer.status,
		                            answer.type, buf_text(&answer.body));
	buf_free(&answer.body);
	return result;
}

/* Pages look at the record, which may be closed once it is quiet: whoever quiesces waits
   until nothing is pending. */
static int
answer_page(struct http_webhook *http, struct MHD_Connection *connection, const char *url,
            const char *method)
{
	int result;

	atomic_fetch_add(&http->reviews.pending, 1);
	if (atomic_load(&http->reviews.quiet))
		result = answer_text(http, connection, MHD_HTTP_SERVICE_UNAVAILABLE,
		                     "stopping\n");
	else
		result = answer_known_page(http, connection, url, method);
	atomic_fetch_sub(&http->reviews.pending, 1);
	return result;
}

/* ---- libmicrohttpd's callbacks ---- */

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url,
           const char *method, const char *version, const char *bytes, size_t *len,
           void **request_context)
{
	struct http_webhook *http = context;

	(void)version;
	if (!*request_context) { /* the head is here */
		if (strcmp(url, WEBHOOK_PATH) == 0 &&
		    strcmp(method, MHD_HTTP_METHOD_POST) == 0)
			return (enum MHD_Result)http_review_begin(
			    &http->reviews, connection, may_call(connection),
			    request_context);
		*request_context = marker(&other);
		return MHD_YES;
	}
	if (*request_context != marker(&other))
		return (enum MHD_Result)http_review_go_on(&http->reviews,
		                                          *request_context, bytes, len);
	if (*len == 0)
		return (enum MHD_Result)answer_page(http, connection, url, method);
	*len = 0;
	return MHD_YES;
}

static void
on_completed(void *context, struct MHD_Connection *connection, void **request_context,
             enum MHD_RequestTerminationCode code)
{
	struct http_webhook *http = context;
	struct review *review = *request_context;

	(void)connection;
	(void)code;
	*request_context = NULL;
	if (review && review != marker(&other))
		http_review_end(&http->reviews, review);
}

static void
on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
              enum MHD_ConnectionNotificationCode code)
{
	struct http_webhook *http = context;
	const union MHD_ConnectionInfo *info;
	struct caller *caller = *socket_context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (caller)
			tls_peer_end(&caller->peer);
		free(caller);
		*socket_context = NULL;
		return;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	caller = info ? calloc(1, sizeof *caller) : NULL;
	if (!caller)
		return; /* the handshake finds no certificate and fails */
	caller->session = info->tls_session;
	tls_peer_begin(&caller->peer, http->options.tls, caller->session);
	*socket_context = caller;
}

__attribute__((format(printf, 2, 0))) static void
on_log(void *context, const char *format, va_list args)
{
	const struct http_webhook *http = context;
	char text[256];

	(void)vsnprintf(text, sizeof text, format, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug(http->options.log, "libmicrohttpd: %s", text);
}

/* ---- start and stop ---- */

static struct MHD_Daemon *
start_daemon(struct http_webhook *http)
{
	return MHD_start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME |
		MHD_USE_SUPPRESS_DATE_NO_CLOCK | MHD_USE_ERROR_LOG,
	    0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_log, http,
	    MHD_OPTION_LISTEN_SOCKET, http->options.fd, MHD_OPTION_NOTIFY_CONNECTION,
	    on_connection, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)WEBHOOK_CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)WEBHOOK_BUSY_S,
	    MHD_OPTION_HTTPS_PRIORITIES, tls_priorities, MHD_OPTION_HTTPS_CERT_CALLBACK2,
	    tls_retrieve, MHD_OPTION_END);
}

int
http_webhook_start(const struct http_webhook_options *options,
                   struct http_webhook **ret_http, struct err *err)
{
	struct http_webhook *http = calloc(1, sizeof *http);

	if (!http)
		return err_set(err, ERR_MEMORY, "out of memory");
	http->options = *options;
	http->reviews.record = options->record;
	http->reviews.stopping = &options->admin->stopping;
	http->reviews.reviews.judging = (struct judging){
	    .store = options->store,
	    .metrics = options->metrics,
	    .host = options->host,
	    .record_all = options->record_all,
	    .clock_us = options->clock_floor_us,
	};
	if (http_reviews_open(&http->reviews) != 0) {
		free(http);
		return err_set(err, ERR_SYSTEM, "no timer: %m");
	}
	http->daemon = start_daemon(http);
	if (!http->daemon) {
		http_webhook_stop(http);
		return err_set(err, ERR_SYSTEM, "libmicrohttpd did not start: %m");
	}
	*ret_http = http;
	return 0;
}

int
http_webhook_timer_fd(const struct http_webhook *http)
{
	return http->reviews.reviews.room.timer;
}

void
http_webhook_expire(struct http_webhook *http)
{
	http_reviews_expire(&http->reviews);
}

void
http_webhook_quiesce(struct http_webhook *http)
{
	atomic_store(&http->reviews.quiet, true);
	(void)MHD_quiesce_daemon(http->daemon);
	http_webhook_expire(http);
}

size_t
http_webhook_pending(const struct http_webhook *http)
{
	return atomic_load(&http->reviews.pending);
}

void
http_webhook_stop(struct http_webhook *http)
{
	if (!http)
		return;
	atomic_store(&http->reviews.quiet, true);
	http_reviews_expire(&http->reviews); /* it wants nobody suspended */
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	http_reviews_close(&http->reviews);
	free(http);
}
