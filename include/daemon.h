/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon - the judge as a process: what it holds, how it starts and how it ends.
 *
 * Invariant: it is started in the order of the members below and stopped backwards, and
 * nothing but main() has one. Main thread only.
 */
#pragma once

#include "core/err.h"
#include "edge/admin_doors.h"
#include "edge/http.h"
#include "edge/keeper.h"
#include "edge/listen.h"
#include "edge/log.h"
#include "edge/metrics.h"
#include "edge/options.h"
#include "edge/policy_store.h"
#include "edge/policy_watch.h"
#include "edge/record.h"
#include "edge/sandbox.h"
#include "edge/tcp.h"
#include "edge/watchdog.h"
#include "edge/webhook.h"

enum { DAEMON_HOST_MAX = 256 };

struct judge {
	struct options options;
	struct log log;
	char host[DAEMON_HOST_MAX];
	int signals;  /* signalfd */
	bool at_once; /* somebody at a keyboard wants the end */
	struct metrics metrics;
	struct policy_store *store;
	struct policy_watch *policy_watch; /* NULL: reloaded by SIGHUP only */
	struct record *record;
	const char *sink; /* the first one, for messages */
	struct listener listener;
	struct http *http;       /* NULL: no plugin socket is served */
	struct webhook *webhook; /* NULL: no webhook is served */
	struct keeper keeper;
	struct watchdog watchdog;
	struct admin admin;
	struct admin_doors doors;
	int webhook_fd;
	char webhook_name[TCP_NAME_MAX];
	struct sandbox_done sandbox;
};

/* What judge_stop() takes before anything is open. */
#define JUDGE_CLOSED                                                                     \
	{                                                                                \
		.signals = -1, .listener = {.fd = -1}, .doors = ADMIN_DOORS_CLOSED,      \
		.webhook_fd = -1, .keeper = {.again = {.fd = -1}},                       \
		.watchdog = {.fd = -1},                                                  \
	}

/* ---- daemon_start.c ---- */

/* Opens, confines and serves by judge->options; -1 leaves what is open to judge_stop(). */
int judge_start(struct judge *judge, struct err *err);

/* Logs what guards what, when it starts and after a policy was taken. */
void judge_say(const struct judge *judge);

/* ---- daemon_loop.c ---- */

/* Waits for a signal and whatever else there is to do. Returns true when it is time to
   stop. */
bool judge_wait(struct judge *judge, int timeout_ms);

/* Returns when it is time to stop. */
void judge_serve(struct judge *judge);

/* ---- daemon_stop.c ---- */

/* Answers those who ask now, and waits for the records that are under way; bounded. */
void judge_drain(struct judge *judge);

/* Closes whatever is open. */
void judge_stop(struct judge *judge);
