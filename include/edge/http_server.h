/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server - the server of the plugin protocol, seen from inside. Private to http.c,
 * which answers, and http_serve.c, which starts and stops it.
 */
#pragma once

#include "edge/http.h"
#include "edge/http_door.h"
#include "edge/http_fixed.h"
#include "edge/http_loop.h"
#include "edge/request.h"

#include <microhttpd.h>
#include <stdatomic.h>

#define HTTP_CONTENT_TYPE "application/vnd.docker.plugins.v1.2+json"

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

/* What libmicrohttpd calls: a connection comes or goes, a part of a request is here, and
   an answer was sent or can't be. `context` is the struct http. */
void http_on_connection(void *context, struct MHD_Connection *connection,
                        void **socket_context, enum MHD_ConnectionNotificationCode code);
enum MHD_Result http_on_request(void *context, struct MHD_Connection *connection,
                                const char *url, const char *method, const char *version,
                                const char *bytes, size_t *len, void **request_context);
void http_on_completed(void *context, struct MHD_Connection *connection,
                       void **request_context, enum MHD_RequestTerminationCode code);
