/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_door - who comes in: each connection is a peer (peers.h) that may ask or not.
 * Private to http*.c, the files that know libmicrohttpd.
 */
#pragma once

#include "core/err.h"
#include "edge/log.h"
#include "edge/peers.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct MHD_Connection;

enum { HTTP_STRANGER_S = 2 }; /* who may not ask is hung up after that */

struct http_door {
	struct peers peers;
	bool open;             /* http_door_close() is due */
	const struct log *log; /* borrowed, as the next */
	const uid_t *uids;     /* who may ask besides root */
	size_t uid_count;
};

/* For as many connections as there are files, but for HTTP_FILES_KEPT. */
int http_door_open(struct http_door *door, struct err *err);
void http_door_close(struct http_door *door);

/* MHD_NotifyConnectionCallback with a door for context (`code` is libmicrohttpd's). */
void http_door_notify(void *door, struct MHD_Connection *connection,
                      void **socket_context, int code);

/* NULL: it was hung up already. */
struct peer *http_door_peer(struct MHD_Connection *connection);
