/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_answer - a status, a type and a body -> an answer of libmicrohttpd's. Private to
 * http*.c, the files that know it.
 */
#pragma once

#include "core/buf.h"

struct MHD_Connection;

/* Queues it and takes the body; `close`: the last one of this connection. Returns MHD_YES, or MHD_NO: the connection is to be
   broken (no memory), so that an engine refuses. */
int http_answer(struct MHD_Connection *connection, unsigned status, const char *type,
                bool close, struct buf *take_body);
