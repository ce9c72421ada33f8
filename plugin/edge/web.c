/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web.c - sets up requests to one HTTPS server.
 *
 * 1. The token and the URL's userinfo MUST NOT be logged.
 * 2. They MUST NOT go over plain http to another machine unless the operator says so.
 */
#include "edge/web.h"
#include "edge/file.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_MAX = 16 * 1024, CONNECT_MS = 10 * 1000 };

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
check_scheme(struct web *web, const char *scheme, const char *host, struct err *err)
{
	if (strcmp(scheme, "https") == 0)
		return 0;
	if (strcmp(scheme, "http") != 0)
		return err_set(err, ERR_TYPE, "the URL should begin with https://");
	web->plain_http = true;
	if (web->target.insecure_http || is_loopback(host))
		return 0;
	return err_set(err, ERR_TYPE,
	               "http:// to another host shows what is sent to the "
	               "network; use https:// (or --insecure-http)");
}

/* All its parts were asked for by name, so each is there or has a default. */
static int
check_parts(struct web *web, CURLU *url, struct err *err)
{
	char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
	int result = -1;

	if (curl_url_set(url, CURLUPART_URL, web->target.url, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK) {
		(void)err_set(err, ERR_SYNTAX,
		              "the URL can't be read; it should begin with https://");
	} else {
		(void)snprintf(web->name, sizeof web->name, "%s://%s:%s%s", scheme, host,
		               port, path);
		result = check_scheme(web, scheme, host, err);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(path);
	return result;
}

static int
check_url(struct web *web, struct err *err)
{
	CURLU *url = curl_url();
	int result;

	if (!url)
		return err_set(err, ERR_MEMORY, "no memory for the URL");
	result = check_parts(web, url, err);
	curl_url_cleanup(url);
	return result;
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
set_security(CURL *curl, const struct web *web)
{
	const struct web_target *target = &web->target;
	CURLcode code = set_protocols(curl, web->plain_http);

	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_SSLVERSION,
		                        (long)CURL_SSLVERSION_TLSv1_2);
	/* a proxy would read plain http; https goes through it unread (CONNECT) */
	if (!code && web->plain_http)
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
set_up(struct web *web, struct err *err)
{
	CURL *curl = web->curl;
	long timeout = (long)web->target.timeout_ms;
	CURLcode code = set_security(curl, web);

	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_URL, web->target.url);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (!code)
		code = curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, web->error);
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

int
web_add_header(struct curl_slist **list, const char *header, struct err *err)
{
	struct curl_slist *more = curl_slist_append(*list, header);

	if (!more)
		return err_set(err, ERR_MEMORY, "no memory for a request");
	*list = more;
	return 0;
}

int
web_add_token(const struct web *web, struct curl_slist **list, struct err *err)
{
	cleanup_buf struct buf token = {0}, header = {0};
	int result = 0;

	if (!web->target.token_file)
		return 0;
	if (read_token(web->target.token_file, &token, err))
		return -1;
	buf_str(&header, "Authorization: Bearer ");
	buf_add_text(&header, buf_text(&token));
	result = buf_ok(&header) ? web_add_header(list, header.at, err)
	                         : err_set(err, ERR_MEMORY, "no memory for a request");
	explicit_bzero(token.at, token.cap);
	if (header.at)
		explicit_bzero(header.at, header.cap);
	return result;
}

void
web_free_headers(struct curl_slist *list)
{
	for (struct curl_slist *at = list; at; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(list);
}

/* ---- one server ---- */

int
web_open(struct web *web, const struct web_target *target, struct err *err)
{
	web->target = *target;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == 0)
		web->curl = curl_easy_init();
	if (!web->curl)
		return err_set(err, ERR_MEMORY, "libcurl can't be started");
	return check_url(web, err) || set_up(web, err) ? -1 : 0;
}

void
web_close(struct web *web)
{
	if (!web->curl)
		return;
	curl_easy_cleanup(web->curl);
	curl_global_cleanup();
	web->curl = NULL;
}

CURLcode
web_perform(struct web *web, struct curl_slist *headers)
{
	CURLcode code;

	web->error[0] = '\0';
	(void)curl_easy_setopt(web->curl, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(web->curl);
	(void)curl_easy_setopt(web->curl, CURLOPT_HTTPHEADER, NULL);
	return code;
}

const char *
web_reason(const struct web *web, CURLcode code)
{
	return web->error[0] ? web->error : curl_easy_strerror(code);
}

int64_t
web_retry_after_ms(const struct web *web)
{
	curl_off_t seconds = 0;

	(void)curl_easy_getinfo(web->curl, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds > WEB_RETRY_AFTER_MAX_MS / 1000)
		seconds = WEB_RETRY_AFTER_MAX_MS / 1000;
	return seconds > 0 ? (int64_t)seconds * 1000 : 0;
}

char *
web_take_url(const char *url, char **argv)
{
	char *copy = strdup(url);

	for (; copy && *argv; argv++) {
		char *from = *argv == url ? strstr(*argv, "://") : NULL;
		char *to = from ? strrchr(*argv, '@') : NULL;

		if (to && to > from + 3)
			memset(from + 3, '*', (size_t)(to - from) - 3);
	}
	return copy;
}
