/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch - keeps a policy file what a URL says it is.
 *
 * Invariant: the file is replaced in one rename, and only by bytes that came whole, over a
 * connection whose other end was verified, and that a judge would take for a policy. With
 * anything else it stays as it was. How current it is stands in the state file beside it,
 * whose time of change is when the server last said so: the judge shows it as a metric.
 * One thread; SIGTERM and SIGINT are blocked and looked at between requests.
 */
#pragma once

#include "core/buf.h"
#include "core/err.h"
#include "edge/log.h"
#include "edge/web.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FETCH_ETAG_MAX = 1024, FETCH_REDIRECTS_MAX = 5 };

/* ---- fetch.c: one request ---- */

enum fetch_answer {
	FETCH_NEW,    /* 200: a body */
	FETCH_SAME,   /* 304, to an ETag that was asked about */
	FETCH_FAILED, /* anything else */
};

struct fetch_result {
	enum fetch_answer answer;
	int64_t retry_after_ms;        /* as the server asks; 0: it does not */
	struct buf body;               /* buf_free() it */
	char etag[FETCH_ETAG_MAX + 1]; /* "": none that can be used */
	char reason[320];              /* what failed, for the log */
};

/* GET, of at most `max_bytes`; `etag` "": whatever is there. Redirects are followed from
   https to https only. `web` was opened with web_open(). */
void fetch_get(struct web *web, const char *etag, size_t max_bytes,
               struct fetch_result *ret_result);

/* ---- fetch_state.c: what is remembered ---- */

struct fetch_state {
	char url[65];                  /* SHA-256 of the URL, hex */
	char digest[65];               /* SHA-256 of the policy file's bytes, hex */
	char etag[FETCH_ETAG_MAX + 1]; /* of these bytes; "": none */
};

/* Reads the state; one that is missing, unreadable or of another URL is an empty one,
   which costs a transfer and nothing else. */
void fetch_state_load(const char *path, const char *url, struct fetch_state *ret_state);
int fetch_state_save(const char *path, const struct fetch_state *state, struct err *err);

/* Whether it may be sent back in a header: nothing in it could end one (RFC 9110, 8.8.3). */
bool fetch_is_etag(struct text value);

/* SHA-256 in hex. */
void fetch_hash(struct text bytes, char ret_hex[65]);

/* ---- fetch_run.c: all of them ---- */

struct fetch_options {
	struct web_target target;
	const char *file, *state;
	size_t max_bytes;
	int64_t interval_ms;  /* between two requests, give or take a tenth */
	int64_t retry_max_ms; /* longest wait after failures, but for Retry-After */
	bool once;            /* ends after one request */
};

/* Fetches until SIGTERM or SIGINT. 0: it ended as asked; 1: so, with `once`, but what is
   there is no policy; -1: it could not. */
int fetch_run(const struct fetch_options *options, const struct log *log,
              struct err *err);
