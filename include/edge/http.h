/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http - serves the authorization plugin protocol on a listening socket. http*.c are the
 * only files that know libmicrohttpd.
 *
 * Invariant: every complete AuthZReq gets exactly one answer; a denial (and whatever else
 * must be on record) is answered only after record.h took its line, and with HTTP 500 if
 * it did not. One thread of libmicrohttpd's (epoll) serves all connections and never
 * waits: recording suspends the connection, not the loop. Engines keep connections open
 * without end, so idle ones are never closed (moby pkg/plugins/client.go).
 */
#pragma once

#include "core/err.h"
#include "core/text.h"
#include "edge/log.h"
#include "edge/metrics.h"
#include "edge/policy_store.h"
#include "edge/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	HTTP_CONNECTIONS_MAX = 16384, /* fewer where files are fewer (RLIMIT_NOFILE) */
	HTTP_FILES_KEPT = 128,        /* for the record, the policy and others */
	HTTP_UIDS_MAX = 16,
};

/* Everything is borrowed until http_stop(). */
struct http_options {
	int fd; /* listening; stays the caller's */
	struct policy_store *store;
	struct record *record;
	const struct log *log;
	struct metrics *metrics;
	struct text plugin_name;
	bool managed_plugin;
	bool record_all;   /* also what is allowed without an exception */
	const uid_t *uids; /* who may ask besides root */
	size_t uid_count;
	struct text host;
	int64_t clock_floor_us; /* the clock never shows less */
};

struct http; /* private */

int http_start(const struct http_options *options, struct http **ret_http,
               struct err *err);

/* Serves a connection that was accepted elsewhere, and takes over fd. -1: it is closed. */
int http_take(struct http *http, int fd);

/* A connection to the server, from ourselves: the other end of one that http_take() has.
   The caller closes it. -1: none can be had now. */
int http_connect(struct http *http);

/* Has it accept again what it had no files for. */
void http_nudge(struct http *http);

/* ---- the end, so that nobody who asks is lost ---- */

/* Takes no new connections: the listening socket is for whoever comes after us. */
void http_close_door(struct http *http);

/* From now on each answer is the last one of its connection, and says so. */
void http_leave(struct http *http);

/* Hangs up connections that are idle, as peers.h does; call it again until there are
   none. Returns how many there are. */
size_t http_hang_up(struct http *http);

/* Connections that are open. */
size_t http_connections(struct http *http);

/* Takes no new connections, and refuses what would have to be recorded. */
void http_quiesce(struct http *http);

/* Requests that wait for their record. Thread-safe. */
size_t http_waiting(const struct http *http);

/* Closes all connections. Nothing may be waiting for its record any more. NULL is fine. */
void http_stop(struct http *http);
