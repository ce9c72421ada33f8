/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ship - carries a record to a collector by HTTP.
 *
 * Invariant: at least once, in order: a batch is sent again until the collector answers
 * 2xx to it, whatever happens in between, and only then is the next one looked at; how far
 * it got is on disk (ship_state.h). So the collector may see lines twice (their `id` and
 * `seq` tell), never a gap without a word about it. What it will never take (400, 413,
 * 422) is sent in halves; a single line that it refuses holds up the rest, loudly, until
 * it takes it.
 *
 * The token and what stands before the '@' of the URL are never logged, and go to the host
 * of the URL only: redirects are not followed. One thread; SIGTERM and SIGINT are blocked
 * and looked at between requests.
 */
#pragma once

#include "core/buf.h"
#include "core/err.h"
#include "edge/log.h"
#include "edge/ship_batch.h"
#include "edge/ship_follow.h"
#include "edge/web.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- ship.c: one request ---- */

struct ship_target {
	struct web_target web;
	bool array, gzip; /* how the body is written */
};

enum ship_answer {
	SHIP_TAKEN, /* 2xx */
	SHIP_NEVER, /* the body as it is will never be taken */
	SHIP_LATER, /* anything else */
};

struct ship_result {
	enum ship_answer answer;
	int64_t retry_after_ms; /* as the collector asks; 0: it does not */
	char reason[320];       /* what happened, for the log */
};

struct ship_client; /* private */

/* Checks the target. The texts it points to are borrowed until the close. */
int ship_client_open(const struct ship_target *target, struct ship_client **ret_client,
                     struct err *err);

void ship_client_post(struct ship_client *client, struct text body,
                      struct ship_result *ret_result);

void ship_client_close(struct ship_client *client);

/* What is shown of the target: scheme, host and path. */
const char *ship_client_name(const struct ship_client *client);

/* ---- ship_run.c: all of them ---- */

struct ship_options {
	const char *record, *state;
	struct ship_target target;
	struct ship_limits limits;
	int64_t interval_ms;  /* how often it looks for lines */
	int64_t retry_max_ms; /* longest wait between two tries */
	bool once;            /* ends when all was carried */
	int64_t give_up_ms;   /* with `once`: or after so long without progress */
};

/* Carries until SIGTERM or SIGINT. 0: it ended as asked; 1: so, but lines are missing or
   unreadable; -1: it could not. */
int ship_run(const struct ship_options *options, const struct log *log, struct err *err);
