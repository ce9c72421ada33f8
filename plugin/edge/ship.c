/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ship.c - sends a body to a collector.
 *
 * 1. The token and the URL's userinfo MUST NOT be logged.
 * 2. They MUST NOT go to another host, nor over plain http unless the operator says so:
 *    redirects are not followed, other schemes are off.
 * 3. Only a whole 2xx answer MUST count as taken.
 */
#include "edge/ship.h"
#include "edge/file.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_MAX = 16 * 1024, CONNECT_MS = 10 * 1000, NAME_MAX_LEN = 256 };

struct ship_client {
	struct ship_target target;
	CURL *curl;
	char name[NAME_MAX_LEN];
	char error[CURL_ERROR_SIZE];
	bool plain_http;
};

/* ---- the URL ---- */

static bool
is_loopback(const char *host)
{
	struct in_addr address;

	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 &&
	       ntohl(address.s_addr) >> 24 == 127;
}

static int
check_scheme(struct ship_client *client, const char *scheme, const char *host,
             struct err *err)
{
	if (strcmp(scheme, "https") == 0)
		return 0;
	if (strcmp(scheme, "http") != 0)
		return err_set(err, ERR_TYPE, "the URL should begin with https://");
	client->plain_http = true;
	if (client->target.insecure_http || is_loopback(host))
		return 0;
	return err_set(err, ERR_TYPE,
	               "http:// to another host shows the record and the token to the "
	               "network; use https:// (or --insecure-http)");
}

/* All its parts were asked for by name, so each is there or has a default. */
static int
check_parts(struct ship_client *client, CURLU *url, struct err *err)
{
	char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
	int result = -1;

	if (curl_url_set(url, CURLUPART_URL, client->target.url, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK) {
		(void)err_set(err, ERR_SYNTAX, "the URL can't be read");
	} else {
		(void)snprintf(client->name, sizeof client->name, "%s://%s:%s%s", scheme,
		               host, port, path);
		result = check_scheme(client, scheme, host, err);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(path);
	return result;
}

static int
check_url(struct ship_client *client, struct err *err)
{
	CURLU *url = curl_url();
	int result;

	if (!url)
		return err_set(err, ERR_MEMORY, "no memory for the URL");
	result = check_parts(client, url, err);
	curl_url_cleanup(url);
	return result;
}

/* ---- how it is sent ---- */

/* What the collector says beside its status is not for us. */
static size_t
drop_answer(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

static CURLcode
set_protocols(CURL *curl, bool plain_http)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR,
	                        plain_http ? "http" : "https");
#else
	return curl_easy_setopt(curl, CURLOPT_PROTOCOLS,
	                        (long)(plain_http ? CURLPROTO_HTTP : CURLPROTO_HTTPS));
#endif
}

static CURLcode
set_security(CURL *curl, const struct ship_client *client)
{
	const struct ship_target *target = &client->target;
	CURLcode code = set_protocols(curl, client->plain_http);

	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_SSLVERSION,
		                        (long)CURL_SSLVERSION_TLSv1_2);
	/* a proxy would read plain http; https goes through it unread (CONNECT) */
	if (!code && client->plain_http)
		code = curl_easy_setopt(curl, CURLOPT_PROXY, "");
	if (!code && target->cacert)
		code = curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	if (!code && target->cacert)
		code = curl_easy_setopt(curl, CURLOPT_CAINFO, target->cacert);
	if (!code && target->cert)
		code = curl_easy_setopt(curl, CURLOPT_SSLCERT, target->cert);
	if (!code && target->key)
		code = curl_easy_setopt(curl, CURLOPT_SSLKEY, target->key);
	return code;
}

static int
set_up(struct ship_client *client, struct err *err)
{
	CURL *curl = client->curl;
	long timeout = (long)client->target.timeout_ms;
	CURLcode code = set_security(curl, client);

	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_URL, client->target.url);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->error);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_answer);
	if (!code)
		code =
		    curl_easy_setopt(curl, CURLOPT_USERAGENT, "seccomp-authz/" VERSION);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout);
	if (!code)
		code =
		    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
		                     timeout < CONNECT_MS ? timeout : (long)CONNECT_MS);
	return code ? err_set(err, ERR_SYSTEM, "%s", curl_easy_strerror(code)) : 0;
}

int
ship_client_open(const struct ship_target *target, struct ship_client **ret_client,
                 struct err *err)
{
	struct ship_client *client = calloc(1, sizeof *client);

	if (!client)
		return err_set(err, ERR_MEMORY, "no memory");
	client->target = *target;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == 0)
		client->curl = curl_easy_init();
	if (!client->curl)
		(void)err_set(err, ERR_MEMORY, "libcurl can't be started");
	if (!client->curl || check_url(client, err) || set_up(client, err)) {
		ship_client_close(client);
		return -1;
	}
	*ret_client = client;
	return 0;
}

void
ship_client_close(struct ship_client *client)
{
	if (!client)
		return;
	curl_easy_cleanup(client->curl);
	curl_global_cleanup();
	free(client);
}

const char *
ship_client_name(const struct ship_client *client)
{
	return client->name;
}

/* ---- one request ---- */

/* The token of its file, white space at its end cut off; nothing in it may end a header
   (RFC 6750 section 2.1 allows less). */
static int
read_token(const char *path, struct buf *ret_token, struct err *err)
{
	if (file_read(path, TOKEN_MAX, ret_token, err))
		return err_wrap(err, "%s", path);
	while (ret_token->len > 0 && strchr(" \t\r\n", ret_token->at[ret_token->len - 1]))
		ret_token->at[--ret_token->len] = '\0';
	for (size_t i = 0; i < ret_token->len; i++) {
		if (ret_token->at[i] <= ' ' || ret_token->at[i] > '~')
			return err_set(err, ERR_SYNTAX, "%s: is no token", path);
	}
	return ret_token->len > 0 ? 0 : err_set(err, ERR_SYNTAX, "%s: is empty", path);
}

static int
add_header(struct curl_slist **list, const char *header, struct err *err)
{
	struct curl_slist *more = curl_slist_append(*list, header);

	if (!more)
		return err_set(err, ERR_MEMORY, "no memory for a request");
	*list = more;
	return 0;
}

static int
add_token(const struct ship_target *target, struct curl_slist **list, struct err *err)
{
	cleanup_buf struct buf token = {0}, header = {0};
	int result = 0;

	if (!target->token_file)
		return 0;
	if (read_token(target->token_file, &token, err))
		return -1;
	buf_str(&header, "Authorization: Bearer ");
	buf_add_text(&header, buf_text(&token));
	result = buf_ok(&header) ? add_header(list, header.at, err)
	                         : err_set(err, ERR_MEMORY, "no memory for a request");
	explicit_bzero(token.at, token.cap);
	if (header.at)
		explicit_bzero(header.at, header.cap);
	return result;
}

/* "Expect:" stops libcurl from asking first; one more round trip helps nobody here. */
static int
make_headers(const struct ship_target *target, struct curl_slist **list, struct err *err)
{
	const char *type = target->array ? "Content-Type: application/json"
	                                 : "Content-Type: application/x-ndjson";

	if (add_header(list, type, err) || add_header(list, "Expect:", err) ||
	    (target->gzip && add_header(list, "Content-Encoding: gzip", err)))
		return -1;
	return add_token(target, list, err);
}

static bool
is_in(long status, const long *list)
{
	for (; *list; list++) {
		if (*list == status)
			return true;
	}
	return false;
}

static void
read_answer(struct ship_client *client, struct ship_result *result)
{
	static const long never[] = {400, 413, 422, 0};
	curl_off_t seconds = 0;
	long status = 0;

	(void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds > SHIP_RETRY_AFTER_MAX_MS / 1000)
		seconds = SHIP_RETRY_AFTER_MAX_MS / 1000;
	result->retry_after_ms = seconds > 0 ? (int64_t)seconds * 1000 : 0;
	if (status >= 200 && status < 300)
		result->answer = SHIP_TAKEN;
	else if (is_in(status, never))
		result->answer = SHIP_NEVER;
	(void)snprintf(
	    result->reason, sizeof result->reason, "it answered %ld%s", status,
	    status >= 300 && status < 400
		? ", a redirect, which is not followed; give the URL it leads to"
	    : status == 401 || status == 403 ? ": is the token right?"
					     : "");
}

void
ship_client_post(struct ship_client *client, struct text body,
                 struct ship_result *ret_result)
{
	struct curl_slist *headers = NULL;
	struct err err = {0};
	CURLcode code = CURLE_OK;

	*ret_result = (struct ship_result){.answer = SHIP_LATER};
	client->error[0] = '\0';
	if (make_headers(&client->target, &headers, &err) == 0) {
		(void)curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
		(void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE,
		                       (curl_off_t)body.len);
		(void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, body.at);
		code = curl_easy_perform(client->curl);
		(void)curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
	}
	for (struct curl_slist *at = headers; at; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(headers);
	if (err.code != ERR_NONE)
		(void)snprintf(ret_result->reason, sizeof ret_result->reason, "%.300s",
		               err.text);
	else if (code != CURLE_OK)
		(void)snprintf(ret_result->reason, sizeof ret_result->reason, "%s",
		               client->error[0] ? client->error
		                                : curl_easy_strerror(code));
	else
		read_answer(client, ret_result);
}
