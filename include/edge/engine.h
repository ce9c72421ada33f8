/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine - asks Docker engines by their API.
 *
 * Invariant: an answer that is handed out is whole, and none is larger than its caller
 * allows; what goes over TLS comes from an engine whose certificate was checked. Nothing
 * but GET is sent, but for engine_post(). An engine belongs to one thread.
 */
#pragma once

#include "core/buf.h"
#include "core/err.h"
#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	ENGINE_PARALLEL = 4,   /* requests of one batch at a time */
	ENGINE_PATH_MAX = 256, /* bytes of a request target */
	ENGINE_ANSWER_MAX = 16 * 1024 * 1024,
	ENGINE_LIST_MAX = 128 * 1024 * 1024, /* a list of all containers */
	ENGINE_LINE_MAX = 1024 * 1024,       /* one event */
};

/* ---- engine_target.c: which engine ---- */

struct engine_target {
	char *host;            /* as it is shown: "unix:///var/run/docker.sock" */
	char *socket;          /* path of a Unix socket: this machine; NULL: TCP */
	char *url;             /* what request targets are appended to */
	char *ca, *cert, *key; /* files; NULL: as the system has it, none */
	bool plain_tcp;        /* anybody on the way can read and change it */
};

/*
 * The engine at `host` ("unix://PATH", "tcp://HOST[:PORT]"), or with NULL the one that
 * the docker client would take: DOCKER_HOST, else the current context (DOCKER_CONTEXT,
 * currentContext of its config.json), else /var/run/docker.sock. DOCKER_TLS_VERIFY and
 * DOCKER_CERT_PATH hold for all but contexts, which bring their own. The caller frees it.
 */
int engine_target_find(const char *host, struct engine_target *ret_target,
                       struct err *err);

void engine_target_free(struct engine_target *target);

/* ---- engine.c: requests ---- */

struct engine; /* private */

struct engine_answer {
	long status;
	struct buf body;
};

/* Borrows `target` until the close. Connects to nothing yet. Not thread-safe. */
int engine_open(const struct engine_target *target, struct engine **ret_engine,
                struct err *err);

/* What is under way is given up, with an error, once `stop` says so; it is asked about once
   a second. Else a request takes as long as its engine says something now and then. */
void engine_stop_when(struct engine *engine, bool (*stop)(void *context), void *context);

/* NULL is fine. */
void engine_close(struct engine *engine);

/* One request; any status is an answer. The caller frees the body. */
int engine_get(struct engine *engine, const char *path, size_t max,
               struct engine_answer *ret_answer, struct err *err);
int engine_post(struct engine *engine, const char *path, const char *body,
                struct engine_answer *ret_answer, struct err *err);

/* Many requests, some at a time. */
struct engine_batch {
	size_t count;
	/* Writes the target of request `index`. */
	void (*path)(void *context, size_t index, char room[ENGINE_PATH_MAX]);
	/* Takes its answer, borrowed for the call; in any order. */
	void (*done)(void *context, size_t index, const struct engine_answer *answer);
	void *context;
};

/* -1 when one got no answer: those after it are not asked. */
int engine_get_all(struct engine *engine, const struct engine_batch *batch,
                   struct err *err);

/* An answer that has no end: a line for each event. */
struct engine_listener {
	void (*open)(void *context); /* from now on nothing is missed */
	void (*line)(void *context, struct text line);
	bool (*stop)(void *context); /* asked several times a second */
	void *context;
};

/* 0 when asked to stop, -1 when it ended for another reason. `listener` may make requests
   of its own meanwhile. */
int engine_follow(struct engine *engine, const char *path,
                  const struct engine_listener *listener, struct err *err);

/* ---- engine_refusal.c: why not ---- */

/* What to look at when a connection with TLS broke; "" without TLS. Static text. */
const char *engine_certificate_hint(const struct engine_target *target);

/* The reason of an answer that is no success, for a message: status and what it says. */
void engine_refusal(const struct engine_answer *answer, struct err *ret_err);
