/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ship.c - sends a body to a collector.
 *
 * 1. Token and lines MUST NOT go to another host: redirects are not followed.
 * 2. Only a whole 2xx answer MUST count as taken.
 */
#include "edge/ship.h"
#include "edge/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ship_client {
	struct ship_target target;
	struct web web;
};

/* ---- how it is sent ---- */

/* What the collector says beside its status is not for us. */
static size_t
drop_answer(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

int
ship_client_open(const struct ship_target *target, struct ship_client **ret_client,
                 struct err *err)
{
	struct ship_client *client = calloc(1, sizeof *client);
	CURL *curl;

	if (!client)
		return err_set(err, ERR_MEMORY, "no memory");
	client->target = *target;
	if (web_open(&client->web, &target->web, err)) {
		ship_client_close(client);
		return -1;
	}
	curl = client->web.curl;
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_answer);
	*ret_client = client;
	return 0;
}

void
ship_client_close(struct ship_client *client)
{
	if (!client)
		return;
	web_close(&client->web);
	free(client);
}

const char *
ship_client_name(const struct ship_client *client)
{
	return client->web.name;
}

/* ---- one request ---- */

/* "Expect:" stops libcurl from asking first; one more round trip helps nobody here. */
static int
make_headers(const struct ship_client *client, struct curl_slist **list, struct err *err)
{
	const struct ship_target *target = &client->target;
	const char *type = target->array ? "Content-Type: application/json"
	                                 : "Content-Type: application/x-ndjson";

	if (web_add_header(list, type, err) || web_add_header(list, "Expect:", err) ||
	    (target->gzip && web_add_header(list, "Content-Encoding: gzip", err)))
		return -1;
	return web_add_token(&client->web, list, err);
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
	long status = 0;

	(void)curl_easy_getinfo(client->web.curl, CURLINFO_RESPONSE_CODE, &status);
	result->retry_after_ms = web_retry_after_ms(&client->web);
	if (status >= 200 && status < 300)
		result->answer = SHIP_TAKEN;
	else if (is_in(status, never))
		result->answer = SHIP_NEVER;
	(void)snprintf(
	    result->reason, sizeof result->reason, "it answered %ld%s", status,
	    status >= 300 && status < 400
		? ", a redirect, which is not followed; give the URL it leads to"
	    : status == 401 || status == 403 ? ": is the token right?"
	    : status == 415                  ? ": try without --gzip, or another --format"
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
	if (make_headers(client, &headers, &err) == 0) {
		CURL *curl = client->web.curl;

		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
		                       (curl_off_t)body.len);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.at);
		code = web_perform(&client->web, headers);
	}
	web_free_headers(headers);
	if (err.code != ERR_NONE)
		(void)snprintf(ret_result->reason, sizeof ret_result->reason, "%.300s",
		               err.text);
	else if (code != CURLE_OK)
		(void)snprintf(ret_result->reason, sizeof ret_result->reason, "%s",
		               web_reason(&client->web, code));
	else
		read_answer(client, ret_result);
}
