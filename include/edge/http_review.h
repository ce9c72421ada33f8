/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_review - one AdmissionReview between libmicrohttpd, review.h and record.h. Private
 * to http*.c.
 *
 * Invariant: a review that waits, for room or for its record, has its connection suspended
 * and is resumed exactly once; a review with a uid is always answered with HTTP 200. All
 * but the atomics is touched by libmicrohttpd's thread only.
 */
#pragma once

#include "core/text.h"
#include "edge/record.h"
#include "edge/review.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

/* The first part is set by the owner, who zeroes the rest. */
struct http_reviews {
	struct reviews reviews; /* .judging; the rest is http_reviews_open()'s */
	struct record *record;
	const atomic_bool *stopping; /* connections end with the next answer */

	/* any thread */
	atomic_size_t pending;
	atomic_bool quiet; /* nothing may wait any more */
};

/* -1: no timer to be had (errno). */
int http_reviews_open(struct http_reviews *all);

/* Denies what has waited too long for room; once it is quiet, whatever waits. Any
   thread. */
void http_reviews_expire(struct http_reviews *all);

/* No connection is left. */
void http_reviews_close(struct http_reviews *all);

/* The functions of connections return enum MHD_Result: MHD_NO breaks the connection. */

/* The head of a review is here, from one who may call or not. */
int http_review_begin(struct http_reviews *all, struct MHD_Connection *connection,
                      bool known, void **ret_context);

/* libmicrohttpd's turn with it: bytes of the body, its end, or the end of a wait. */
int http_review_go_on(struct http_reviews *all, struct review *review, const char *bytes,
                      size_t *len);

/* The request is over, however it ended. */
void http_review_end(struct http_reviews *all, struct review *review);

/* Queues an answer; `bytes` is copied. */
int http_review_answer(const struct http_reviews *all, struct MHD_Connection *connection,
                       unsigned status, const char *type, struct text bytes);
