/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c - requests to an engine, over libcurl. */
#include "edge/engine_call.h"
#include "edge/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECT_MS = 10 * 1000,
	SILENCE_S = 60, /* an engine that says nothing for so long is taken for dead */
	POLL_MS = 250,
};

/* ---- a request ---- */

static size_t
keep(char *bytes, size_t size, size_t count, void *context)
{
	struct buf *body = context;

	(void)size; /* is 1 */
	buf_add(body, bytes, count);
	return buf_ok(body) ? count : 0;
}

static bool
set_security(CURL *curl, const struct engine_target *target)
{
	const struct {
		CURLoption option;
		const char *value;
	} options[] = {
	    {CURLOPT_UNIX_SOCKET_PATH, target->socket},
	    {CURLOPT_PROXY, target->socket ? "" : NULL},
	    {CURLOPT_CAINFO, target->ca},
	    {CURLOPT_SSLCERT, target->cert},
	    {CURLOPT_SSLKEY, target->key},
	};

	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
		if (options[i].value &&
		    curl_easy_setopt(curl, options[i].option, options[i].value))
			return false;
	}
	if (target->ca && curl_easy_setopt(curl, CURLOPT_CAPATH, NULL))
		return false;
	return !curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

/* Keepalive: an engine that vanished ends a stream, too. */
static bool
set_up(CURL *curl, struct call *call, const struct engine_target *target, const char *url)
{
	return set_security(curl, target) && !curl_easy_setopt(curl, CURLOPT_URL, url) &&
	       !curl_easy_setopt(curl, CURLOPT_PRIVATE, call) &&
	       !curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, call->error) &&
	       !curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep) &&
	       !curl_easy_setopt(curl, CURLOPT_WRITEDATA, &call->answer.body) &&
	       !curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L) &&
	       !curl_easy_setopt(curl, CURLOPT_USERAGENT, "seccomp-authz/" VERSION) &&
	       !curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
}

static int
watch_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total,
               curl_off_t up_now)
{
	const struct engine *engine = context;

	(void)total, (void)now, (void)up_total, (void)up_now;
	return engine->stop(engine->stop_context);
}

static bool
set_stop(CURL *curl, struct engine *engine)
{
	return !engine->stop ||
	       (!curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) &&
	        !curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch_progress) &&
	        !curl_easy_setopt(curl, CURLOPT_XFERINFODATA, engine));
}

CURLcode
engine_prepare(struct engine *engine, struct call *call, const char *path, size_t max)
{
	cleanup_buf struct buf url = {0};

	buf_clear(&call->answer.body);
	call->answer.body.limit = max;
	call->error[0] = '\0';
	if (!call->curl)
		call->curl = curl_easy_init();
	else
		curl_easy_reset(call->curl); /* keeps the connection */
	buf_printf(&url, "%s%s", engine->target->url, path);
	return call->curl && buf_ok(&url) &&
	               set_up(call->curl, call, engine->target, url.at) &&
	               set_stop(call->curl, engine)
	           ? CURLE_OK
	           : CURLE_OUT_OF_MEMORY;
}

static CURLcode
expect_answer(struct call *call)
{
	CURLcode code = curl_easy_setopt(call->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);

	return code ? code
	            : curl_easy_setopt(call->curl, CURLOPT_LOW_SPEED_TIME,
	                               (long)SILENCE_S);
}

/* Of a failure that a certificate may be the reason for. */
static const char *
certificate_hint(const struct engine_target *target, CURLcode code)
{
	static const CURLcode codes[] = {CURLE_RECV_ERROR, CURLE_SEND_ERROR,
	                                 CURLE_GOT_NOTHING, CURLE_SSL_CONNECT_ERROR,
	                                 CURLE_SSL_CERTPROBLEM};

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		if (codes[i] == code)
			return engine_certificate_hint(target);
	}
	return "";
}

int
engine_explain(const struct engine *engine, const struct call *call, CURLcode code,
               struct err *err)
{
	const char *what = call->error[0] ? call->error : curl_easy_strerror(code);
	const char *fault = NULL;
	long number = 0;

	if (!buf_ok(&call->answer.body))
		return err_set(err, ERR_LIMIT, "%s: an answer of more than %zu bytes",
		               engine->target->host, call->answer.body.limit);
	if (call->curl)
		(void)curl_easy_getinfo(call->curl, CURLINFO_OS_ERRNO, &number);
	if (code == CURLE_COULDNT_CONNECT && number != 0)
		return err_set(err, ERR_SYSTEM, "%s: %s%s", engine->target->host,
		               strerror((int)number),
		               number == EACCES
		                   ? "; run as root or in the group that may use it"
		                   : "; is an engine running there?");
	if (code == CURLE_PEER_FAILED_VERIFICATION) {
		(void)curl_easy_getinfo(call->curl, CURLINFO_SSL_VERIFYRESULT, &number);
		fault = tls_fault(number);
	}
	return err_set(err, ERR_SYSTEM, "%s: %s%s", engine->target->host,
	               fault ? fault : what, certificate_hint(engine->target, code));
}

int
engine_finish(const struct engine *engine, struct call *call, CURLcode code,
              struct err *err)
{
	if (code)
		return engine_explain(engine, call, code, err);
	(void)curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &call->answer.status);
	return 0;
}

static int
perform(struct engine *engine, CURLcode code, struct engine_answer *ret_answer,
        struct err *err)
{
	struct call *call = &engine->single;

	if (!code)
		code = expect_answer(call);
	if (!code)
		code = curl_easy_perform(call->curl);
	if (engine_finish(engine, call, code, err) != 0)
		return -1;
	*ret_answer = call->answer;
	call->answer = (struct engine_answer){0};
	return 0;
}

int
engine_get(struct engine *engine, const char *path, size_t max,
           struct engine_answer *ret_answer, struct err *err)
{
	return perform(engine, engine_prepare(engine, &engine->single, path, max),
	               ret_answer, err);
}

int
engine_post(struct engine *engine, const char *path, const char *body,
            struct engine_answer *ret_answer, struct err *err)
{
	CURLcode code = engine_prepare(engine, &engine->single, path, ENGINE_ANSWER_MAX);

	if (!code)
		code = curl_easy_setopt(engine->single.curl, CURLOPT_HTTPHEADER,
		                        engine->json);
	if (!code)
		code = curl_easy_setopt(engine->single.curl, CURLOPT_POSTFIELDS, body);
	return perform(engine, code, ret_answer, err);
}

/* ---- a batch ---- */

static int
begin(struct engine *engine, struct call *call, const struct engine_batch *batch,
      size_t index, struct err *err)
{
	char path[ENGINE_PATH_MAX];
	CURLcode code;

	batch->path(batch->context, index, path);
	call->index = index;
	code = engine_prepare(engine, call, path, ENGINE_ANSWER_MAX);
	if (!code)
		code = expect_answer(call);
	if (code)
		return engine_explain(engine, call, code, err);
	return curl_multi_add_handle(engine->multi, call->curl) == CURLM_OK
	           ? 0
	           : err_set(err, ERR_MEMORY, "no memory for a request");
}

/* Hands out what has come back; begins the next in its place. */
static int
collect(struct engine *engine, const struct engine_batch *batch, size_t *begun,
        size_t *done, struct err *err)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(engine->multi, &left))) {
		CURLcode code = message->data.result;
		CURL *curl = message->easy_handle;
		struct call *call = NULL;

		(void)curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&call);
		(void)curl_multi_remove_handle(engine->multi, curl);
		if (!call || engine_finish(engine, call, code, err) != 0)
			return -1;
		batch->done(batch->context, call->index, &call->answer);
		(*done)++;
		if (*begun < batch->count &&
		    begin(engine, call, batch, (*begun)++, err) != 0)
			return -1;
	}
	return 0;
}

static int
run_batch(struct engine *engine, const struct engine_batch *batch, struct err *err)
{
	size_t begun = 0, done = 0;
	int running;

	for (; begun < ENGINE_PARALLEL && begun < batch->count; begun++) {
		if (begin(engine, &engine->batch[begun], batch, begun, err) != 0)
			return -1;
	}
	while (done < batch->count) {
		if (curl_multi_perform(engine->multi, &running) != CURLM_OK)
			return err_set(err, ERR_SYSTEM, "libcurl failed");
		if (collect(engine, batch, &begun, &done, err) != 0)
			return -1;
		if (running > 0)
			(void)curl_multi_poll(engine->multi, NULL, 0, POLL_MS, NULL);
	}
	return 0;
}

int
engine_get_all(struct engine *engine, const struct engine_batch *batch, struct err *err)
{
	int result = run_batch(engine, batch, err);

	for (size_t i = 0; i < ENGINE_PARALLEL; i++) {
		if (engine->batch[i].curl)
			(void)curl_multi_remove_handle(engine->multi,
			                               engine->batch[i].curl);
	}
	return result;
}

/* ---- life ---- */

int
engine_open(const struct engine_target *target, struct engine **ret_engine,
            struct err *err)
{
	struct engine *engine = calloc(1, sizeof *engine);

	if (!engine)
		return err_set(err, ERR_MEMORY, "no memory");
	engine->target = target;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == 0) {
		engine->multi = curl_multi_init();
		engine->events = curl_multi_init();
		engine->json = curl_slist_append(NULL, "Content-Type: application/json");
	}
	if (!engine->multi || !engine->events || !engine->json) {
		engine_close(engine);
		return err_set(err, ERR_MEMORY, "libcurl can't be started");
	}
	*ret_engine = engine;
	return 0;
}

void
engine_stop_when(struct engine *engine, bool (*stop)(void *context), void *context)
{
	engine->stop = stop;
	engine->stop_context = context;
}

static void
free_call(struct call *call)
{
	curl_easy_cleanup(call->curl);
	buf_free(&call->answer.body);
}

void
engine_close(struct engine *engine)
{
	if (!engine)
		return;
	for (size_t i = 0; i < ENGINE_PARALLEL; i++)
		free_call(&engine->batch[i]);
	free_call(&engine->single);
	free_call(&engine->stream);
	curl_slist_free_all(engine->json);
	if (engine->multi)
		(void)curl_multi_cleanup(engine->multi);
	if (engine->events)
		(void)curl_multi_cleanup(engine->events);
	curl_global_cleanup();
	free(engine);
}
