/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_webhook - serves the validating admission webhook over HTTPS.
 *
 *   POST /validate            an AdmissionReview -> the AdmissionReview that answers it
 *   GET  /healthz, /readyz    for the kubelet's probes, which have no client certificate
 *   GET  /metrics             metrics.h
 *
 * Invariant: whatever can be told from a review's uid gets HTTP 200 and, unless it was
 * allowed, a denial by that uid: an API server takes any other status for a webhook that
 * failed, and lets the object in where failurePolicy is Ignore. So a review that is too
 * large, that found no room, that comes without the client certificate that is asked for
 * or whose denial can't be put on record is denied, and never an error. A denial is
 * answered only after record.h took its line.
 *
 * One thread of libmicrohttpd's (epoll) serves all connections and never waits: what waits
 * for room or for the record suspends its connection.
 */
#pragma once

#include "core/err.h"
#include "core/text.h"
#include "edge/admin.h"
#include "edge/log.h"
#include "edge/metrics.h"
#include "edge/policy_store.h"
#include "edge/record.h"
#include "edge/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEBHOOK_PATH "/validate"

enum {
	WEBHOOK_CONNECTIONS_MAX = 512,
	WEBHOOK_BUSY_S = 10,  /* without a byte, where one is waited for */
	WEBHOOK_IDLE_S = 180, /* between two reviews; API servers close after 90
	                         (apimachinery util/net, IdleConnTimeout) */
};

/* Everything is borrowed until http_webhook_stop(). */
struct http_webhook_options {
	int fd; /* listening; stays the caller's */
	struct tls_store *tls;
	struct policy_store *store;
	struct record *record;
	const struct log *log;
	struct metrics *metrics;
	const struct admin *admin;
	struct text host;
	bool record_all;
	int64_t clock_floor_us; /* the clock never shows less */
};

struct http_webhook; /* private */

int http_webhook_start(const struct http_webhook_options *options,
                       struct http_webhook **ret_http, struct err *err);

/* A file descriptor (timerfd) that is readable when http_webhook_expire() should be
   called. */
int http_webhook_timer_fd(const struct http_webhook *http);

/* Denies what has waited too long for room. */
void http_webhook_expire(struct http_webhook *http);

/* Takes no new connections, and denies whatever waits for room. */
void http_webhook_quiesce(struct http_webhook *http);

/* Reviews that are read, decided or recorded, and pages that are made. Thread-safe. */
size_t http_webhook_pending(const struct http_webhook *http);

/* Closes all connections. Nothing may be waiting for its record any more. NULL is fine. */
void http_webhook_stop(struct http_webhook *http);
