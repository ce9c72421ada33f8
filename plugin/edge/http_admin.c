/* SPDX-License-Identifier: Apache-2.0 */
/* http_admin.c - questions about the judge itself over libmicrohttpd. */
#include "edge/http_admin.h"

#include "edge/http_answer.h"

#include <microhttpd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct http_admin {
	struct http_admin_options options;
	struct MHD_Daemon *daemon;
};

/* What is kept for a request: only that its head was seen. */
static const char seen;

static enum MHD_Result
answer_not_get(struct MHD_Connection *connection)
{
	struct buf body = {0};

	buf_str(&body, "use GET\n");
	return (enum MHD_Result)http_answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
	                                    "text/plain", false, &body);
}

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url,
           const char *method, const char *version, const char *bytes, size_t *len,
           void **request_context)
{
	const struct http_admin *http = context;
	struct admin_answer answer;

	(void)version;
	(void)bytes;
	if (!*request_context) { /* the head is here */
		*request_context = (void *)(uintptr_t)&seen;
		return MHD_YES;
	}
	if (*len > 0) {
		*len = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_not_get(connection);
	admin_ask(http->options.admin, url, http->options.trusted, &answer);
	return (enum MHD_Result)http_answer(connection, answer.status, answer.type, false,
	                                    &answer.body);
}

int
http_admin_start(const struct http_admin_options *options, struct http_admin **ret_http,
                 struct err *err)
{
	struct http_admin *http = calloc(1, sizeof *http);

	if (!http)
		return err_set(err, ERR_MEMORY, "out of memory");
	http->options = *options;
	http->daemon = MHD_start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, http,
	    MHD_OPTION_LISTEN_SOCKET, options->fd, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)HTTP_ADMIN_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)HTTP_ADMIN_IDLE_S, MHD_OPTION_END);
	if (!http->daemon) {
		free(http);
		return err_set(err, ERR_SYSTEM, "libmicrohttpd did not start: %m");
	}
	*ret_http = http;
	return 0;
}

void
http_admin_stop(struct http_admin *http)
{
	if (!http)
		return;
	(void)MHD_quiesce_daemon(http->daemon); /* else it closes the caller's socket */
	MHD_stop_daemon(http->daemon);
	free(http);
}
