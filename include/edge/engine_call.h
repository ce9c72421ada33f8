/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_call - one request to an engine over libcurl; for engine.c and engine_follow.c.
 *
 * Invariant: a call keeps its handle, and so its connection, for the next; what it holds of
 * an answer belongs to it until it is handed out.
 */
#pragma once

#include "edge/engine.h"

#include <curl/curl.h>

/* One request under way. */
struct call {
	CURL *curl; /* kept, with its connection, for the next */
	struct engine_answer answer;
	size_t index;
	char error[CURL_ERROR_SIZE];
};

struct engine {
	const struct engine_target *target;
	CURLM *multi, *events;   /* apart: a listener may make requests */
	struct curl_slist *json; /* headers of a POST */
	bool (*stop)(void *context);
	void *stop_context;
	struct call single, stream, batch[ENGINE_PARALLEL];
};

/* Makes `call` ready for `path`; an answer has at most `max` bytes. */
CURLcode engine_prepare(struct engine *engine, struct call *call, const char *path,
                        size_t max);

/* Why a request failed, in one line. Returns -1. */
int engine_explain(const struct engine *engine, const struct call *call, CURLcode code,
                   struct err *err);

/* Sets the status of what came back; -1 with `err` if nothing did. */
int engine_finish(const struct engine *engine, struct call *call, CURLcode code,
                  struct err *err);
