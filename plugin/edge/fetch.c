/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch.c - asks a URL for its policy.
 *
 * 1. Only a whole 200 MUST count as a policy's bytes, and 304 only as an answer to an ETag.
 * 2. A redirect MUST NOT lead from https to anything else.
 */
#include "edge/fetch.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct sink {
	struct fetch_result *result;
	size_t max;
	bool too_large;
};

static size_t
take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct sink *sink = context;
	struct buf *body = &sink->result->body;

	if (size * count > sink->max - body->len) {
		sink->too_large = true;
		return 0;
	}
	buf_add(body, bytes, size * count);
	return buf_ok(body) ? size * count : 0;
}

static size_t
take_header(char *bytes, size_t size, size_t count, void *context)
{
	static const char name[] = "etag:";
	struct fetch_result *result = ((struct sink *)context)->result;
	struct text line = {bytes, size * count};

	if (line.len >= 5 && strncasecmp(line.at, "HTTP/", 5) == 0)
		result->etag[0] = '\0'; /* of the answer before, a redirect */
	if (line.len < sizeof name || strncasecmp(line.at, name, sizeof name - 1) != 0)
		return size * count;
	line = text_from(line, sizeof name - 1);
	while (line.len > 0 && strchr(" \t", line.at[0]))
		line = text_from(line, 1);
	while (line.len > 0 && strchr(" \t\r\n", line.at[line.len - 1]))
		line.len--;
	if (fetch_is_etag(line))
		(void)snprintf(result->etag, sizeof result->etag, "%.*s", (int)line.len,
		               line.at);
	return size * count;
}

static CURLcode
allow_redirects(CURL *curl)
{
	CURLcode code = curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);

	if (!code)
		code =
		    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)FETCH_REDIRECTS_MAX);
	if (!code)
#if LIBCURL_VERSION_NUM >= 0x075500
		code = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
		code = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS,
		                        (long)CURLPROTO_HTTPS);
#endif
	return code;
}

static CURLcode
set_up(struct web *web, struct sink *sink)
{
	CURL *curl = web->curl;
	CURLcode code = curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);

	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_WRITEDATA, sink);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_HEADERDATA, sink);
	/* http is for a server on this machine: it has nowhere to send us */
	if (!code && !web->plain_http)
		code = allow_redirects(curl);
	return code;
}

static int
make_headers(const struct web *web, const char *etag, struct curl_slist **list,
             struct err *err)
{
	char header[FETCH_ETAG_MAX + 32];

	(void)snprintf(header, sizeof header, "If-None-Match: %s", etag);
	if (web_add_header(list, "Accept: application/json", err) ||
	    (etag[0] != '\0' && web_add_header(list, header, err)))
		return -1;
	return web_add_token(web, list, err);
}

static void
explain_status(struct fetch_result *result, long status)
{
	const char *hint = status >= 300 && status < 400
	                       ? ", which is not followed; give the URL it leads to"
	                   : status == 401 || status == 403 ? ": may we read it?"
	                   : status == 404                  ? ": is the path right?"
	                                                    : "";

	(void)snprintf(result->reason, sizeof result->reason, "it answered %ld%s", status,
	               hint);
}

static void
explain_failure(const struct web *web, const struct sink *sink, CURLcode code)
{
	struct fetch_result *result = sink->result;

	if (sink->too_large)
		(void)snprintf(result->reason, sizeof result->reason,
		               "what it sends is larger than %zu bytes (--max-bytes)",
		               sink->max);
	else if (code == CURLE_UNSUPPORTED_PROTOCOL)
		(void)snprintf(
		    result->reason, sizeof result->reason,
		    "it redirects to something that is not https, which is not "
		    "followed");
	else
		(void)snprintf(result->reason, sizeof result->reason, "%s",
		               web_reason(web, code));
}

void
fetch_get(struct web *web, const char *etag, size_t max_bytes,
          struct fetch_result *ret_result)
{
	struct sink sink = {.result = ret_result, .max = max_bytes};
	struct curl_slist *headers = NULL;
	struct err err = {0};
	CURLcode code;
	long status = 0;

	*ret_result = (struct fetch_result){.answer = FETCH_FAILED};
	code = set_up(web, &sink);
	if (make_headers(web, etag, &headers, &err) == 0 && !code)
		code = web_perform(web, headers);
	web_free_headers(headers);
	if (err.code != ERR_NONE) {
		(void)snprintf(ret_result->reason, sizeof ret_result->reason, "%.300s",
		               err.text);
		return;
	}
	if (code != CURLE_OK) {
		explain_failure(web, &sink, code);
		return;
	}
	(void)curl_easy_getinfo(web->curl, CURLINFO_RESPONSE_CODE, &status);
	ret_result->retry_after_ms = web_retry_after_ms(web);
	if (status == 200)
		ret_result->answer = FETCH_NEW;
	else if (status == 304 && etag[0] != '\0')
		ret_result->answer = FETCH_SAME;
	else
		explain_status(ret_result, status);
}
