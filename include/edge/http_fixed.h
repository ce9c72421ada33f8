/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_fixed - answers that are the same each time, made once. Private to http*.c, the
 * files that know libmicrohttpd.
 */
#pragma once

#include <stdbool.h>

struct MHD_Connection;
struct MHD_Response;

enum http_fixed_kind {
	HTTP_FIXED_ACTIVATE,
	HTTP_FIXED_ALLOW,
	HTTP_FIXED_FORBIDDEN,
	HTTP_FIXED_NOT_FOUND,
	HTTP_FIXED_NOT_POST,
	HTTP_FIXED_STOPPING,
	HTTP_FIXED_COUNT,
};

struct http_fixed {
	/* and those after which the connection is closed */
	struct MHD_Response *open[HTTP_FIXED_COUNT], *closing[HTTP_FIXED_COUNT];
};

/* -1: out of memory; http_fixed_free() is due all the same. */
int http_fixed_make(struct http_fixed *fixed, const char *content_type);
void http_fixed_free(struct http_fixed *fixed);

/* Queues one with its status; `close`: the last one of this connection. Returns MHD_YES
   or MHD_NO. */
int http_fixed_queue(const struct http_fixed *fixed, struct MHD_Connection *connection,
                     enum http_fixed_kind kind, bool close);
