/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_socket - the socket of a log daemon on this machine, as sinks use it.
 *
 * Invariant: a message was either handed over whole or it failed; one that failed is not
 * half in front of the next one, since the connection is closed with it. A daemon that
 * was started anew is connected to anew. One that does not read is waited for
 * RECORD_WAIT_MS. The owner closes it.
 */
#pragma once

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

struct record_socket {
	struct sockaddr_un address;
	bool may_stream; /* where there are no datagrams */
	bool stream;
	int fd; /* -1: not connected */
	/* the message and what it is made of, for who sends a line */
	struct buf message;
	struct arena arena;
};

/* `target` is the socket's path; empty: `otherwise`. `prefix` is for error texts. */
int record_socket_init(struct record_socket *socket, const char *prefix,
                       const char *target, const char *otherwise, struct err *err);

/* Connects, if it is not. */
int record_socket_connect(struct record_socket *socket, struct err *err);

/* Sends one message, with the file `fd` unless that is -1. Returns 1, without an error,
   if it is too large for a datagram. */
int record_socket_send(struct record_socket *socket, struct text message, int fd,
                       struct err *err);

/* Calls `send` with each of the lines, without its newline, until one fails. */
int record_socket_write(struct record_socket *socket, struct text lines,
                        int (*send)(struct record_socket *socket, struct text line,
                                    struct err *err),
                        size_t *ret_taken, struct err *err);

void record_socket_close(struct record_socket *socket);
