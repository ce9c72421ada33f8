/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_admin - serves admin.h on a listening socket, by a thread of its own, so that
 * whoever asks here holds up nobody there.
 *
 * Invariant: it takes at most HTTP_ADMIN_CONNECTIONS_MAX connections and closes those
 * that are idle for HTTP_ADMIN_IDLE_S; whatever is sent to it is thrown away.
 */
#pragma once

#include "core/err.h"
#include "edge/admin.h"

#include <stdbool.h>

enum {
	HTTP_ADMIN_CONNECTIONS_MAX = 32,
	HTTP_ADMIN_IDLE_S = 120, /* longer than what lies between two scrapes */
};

/* Borrowed until http_admin_stop(). */
struct http_admin_options {
	int fd; /* listening; stays the caller's */
	const struct admin *admin;
	bool trusted; /* who connects here may see the policy */
};

struct http_admin; /* private */

int http_admin_start(const struct http_admin_options *options,
                     struct http_admin **ret_http, struct err *err);

/* Closes all connections. NULL is fine. */
void http_admin_stop(struct http_admin *http);
