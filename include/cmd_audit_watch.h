/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_audit_watch - what the threads of `seccomp-authz audit --watch` share.
 *
 * Invariant: each judging takes the policy that is in force at its time, and what has to be
 * on record is handed over before the next is judged.
 */
#pragma once

#include "cmd_audit.h"
#include "edge/policy_watch.h"
#include "edge/record.h"

#include <pthread.h>

struct watch {
	struct audit *audit;
	struct record *record;
	struct policy_store *store;
	struct policy_watch *policy_watch; /* NULL: SIGHUP only */
	int signals;                       /* signalfd */
	struct log log;
	char host[256];
	pthread_mutex_t output; /* lines of several engines */
	atomic_bool stop;
};

struct watcher {
	struct watch *watch;
	struct audit_engine *engine;
	unsigned failures; /* to connect, in a row */
};

/* Follows one engine until `stop`; `context` is its struct watcher. Returns NULL. */
void *audit_follow(void *context);
