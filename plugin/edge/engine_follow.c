/* SPDX-License-Identifier: Apache-2.0 */
/* engine_follow.c - an answer without an end: the events of an engine. */
#include "edge/engine_call.h"

#include <string.h>

enum { POLL_MS = 250 };

/* Hands out the lines that are whole. */
static void
split_lines(struct buf *body, const struct engine_listener *listener)
{
	size_t from = 0;

	for (;;) {
		struct text rest = text_from(buf_text(body), from);
		size_t len = text_find(rest, '\n');

		if (len == rest.len)
			break;
		if (len > 0)
			listener->line(listener->context, text_first(rest, len));
		from += len + 1;
	}
	if (from == 0)
		return;
	memmove(body->at, body->at + from, body->len - from);
	body->len -= from;
}

static int
listen_on(struct engine *engine, const struct engine_listener *listener, struct err *err)
{
	struct call *call = &engine->stream;
	bool open = false;
	int running = 1, left;

	while (running > 0 && !listener->stop(listener->context)) {
		long status = 0;
		CURLMsg *message;

		(void)curl_multi_perform(engine->events, &running);
		(void)curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
		if (!open && status == 200) {
			open = true;
			listener->open(listener->context);
		}
		if (open)
			split_lines(&call->answer.body, listener);
		message = curl_multi_info_read(engine->events, &left);
		if (message &&
		    engine_finish(engine, call, message->data.result, err) != 0)
			return -1;
		if (message && status != 200)
			engine_refusal(&call->answer, err);
		(void)curl_multi_poll(engine->events, NULL, 0, POLL_MS, NULL);
	}
	return running > 0 ? 0
	                   : err_set(err, ERR_SYSTEM, "%s: the engine ended the stream",
	                             engine->target->host);
}

int
engine_follow(struct engine *engine, const char *path,
              const struct engine_listener *listener, struct err *err)
{
	struct call *call = &engine->stream;
	CURLcode code = engine_prepare(engine, call, path, ENGINE_LINE_MAX);
	int result;

	if (code)
		return engine_explain(engine, call, code, err);
	if (curl_multi_add_handle(engine->events, call->curl) != CURLM_OK)
		return err_set(err, ERR_MEMORY, "no memory for a request");
	result = listen_on(engine, listener, err);
	(void)curl_multi_remove_handle(engine->events, call->curl);
	return result;
}
