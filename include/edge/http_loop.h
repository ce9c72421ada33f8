/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_loop - who runs libmicrohttpd, and who writes the record in between.
 * Private to http*.c, the files that know libmicrohttpd.
 *
 * One round: libmicrohttpd serves what there is; then the lines that were put meanwhile are
 * written, all at once, outside of it, so that another thread can go on with it if that
 * takes long (turns.h). In the next round those who asked have their answers. Whose line is
 * not there by then is suspended and resumed once it is.
 *
 * Invariant: libmicrohttpd is run by one thread at a time, and waits without a limit; who
 * wants something else of that thread rings the bell, which libmicrohttpd has only in
 * threads of its own.
 */
#pragma once

#include "core/err.h"
#include "edge/record.h"
#include "edge/request.h"
#include "edge/turns.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct MHD_Daemon;
struct MHD_Connection;

struct http_loop {
	/* set by the owner */
	struct MHD_Daemon *daemon;
	struct record *record;
	struct requests *requests;
	/* private: touched by who has the turn */
	bool to_write; /* lines were put */
	/* any thread */
	struct turns *turns;
	int bell;          /* an eventfd */
	int doors[2];      /* a pipe of connections that were accepted elsewhere */
	atomic_bool waits; /* there may be some in it */
};

/* Starts it. -1: it could not be had. */
int http_loop_start(struct http_loop *loop, struct err *err);

/* Ends it. False if one of its threads still hangs in the record and is left behind: what
   the loop was given must stay. Fine if it never started. */
bool http_loop_stop(struct http_loop *loop);

/* Any thread: serves a connection that was accepted elsewhere, and takes over `fd`. -1:
   there are too many, and it is closed. */
int http_loop_take(struct http_loop *loop, int fd);

/* A line was put: it is written after this round. */
void http_loop_put(struct http_loop *loop, struct record_entry *entry);

/* The answer must wait: its connection is suspended until the record has done with it. */
void http_loop_suspend(struct http_loop *loop, struct request *request);

/* Any thread: request_finish() said that a connection has to be resumed. */
void http_loop_resume(struct http_loop *loop, struct MHD_Connection *connection);

/* Any thread: it looks round once more, for what was left (request.h) and the like. */
void http_loop_ring(const struct http_loop *loop);
