/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web - one HTTPS server that a companion of the judge speaks to.
 *
 * Invariant: a secret (the token, what stands before the '@' of the URL) is never logged
 * and never goes over plain http to another machine unless the operator says so; the
 * server's certificate is verified, always, with TLS 1.2 at least. One thread each.
 */
#pragma once

#include "core/err.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	WEB_NAME_MAX = 256,
	WEB_RETRY_MIN_MS = 500,
	WEB_RETRY_AFTER_MAX_MS = 60 * 60 * 1000, /* a server can't ask for more */
};

struct web_target {
	const char *url;        /* https, or http to a loopback host */
	const char *token_file; /* read before each request; these may be NULL */
	const char *cert, *key, *cacert;
	bool insecure_http; /* http to any host */
	int64_t timeout_ms; /* of one request, connecting included */
};

/* Zero-initialised before web_open(). */
struct web {
	struct web_target target;
	CURL *curl;
	char name[WEB_NAME_MAX]; /* what is shown of it: scheme, host and path */
	char error[CURL_ERROR_SIZE];
	bool plain_http;
};

/* Checks the target and sets up the handle. The texts that `target` points to are borrowed
   until web_close(), which is due after a failure, too. */
int web_open(struct web *web, const struct web_target *target, struct err *err);
void web_close(struct web *web);

/* Adds a header, or "Authorization: Bearer" with what is in the target's token file (it
   may have none). web_free_headers() wipes and frees them. */
int web_add_header(struct curl_slist **list, const char *header, struct err *err);
int web_add_token(const struct web *web, struct curl_slist **list, struct err *err);
void web_free_headers(struct curl_slist *list);

/* curl_easy_perform() with these headers. */
CURLcode web_perform(struct web *web, struct curl_slist *headers);

/* Why web_perform() failed, in words. Borrowed from `web` until the next request. */
const char *web_reason(const struct web *web, CURLcode code);

/* Retry-After of the last answer, at most WEB_RETRY_AFTER_MAX_MS; 0: none. */
int64_t web_retry_after_ms(const struct web *web);

/* A copy of argv's `url`, whose userinfo is wiped from argv: any user of the machine can
   read it in the list of processes. NULL: no memory. The caller frees it. */
char *web_take_url(const char *url, char **argv);

/* ---- web_backoff.c ---- */

/* How long to wait after `failures` in a row: exponential with full jitter, from `random`
   (any number), at most `max_ms`, and at least `asked_ms`. */
int64_t web_backoff_ms(unsigned failures, int64_t max_ms, int64_t asked_ms,
                       uint64_t random);
