/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webhook - the door of Kubernetes as a whole: its port, its certificate, its server.
 *
 * Invariant: a judge that is asked for a webhook listens, whatever the certificate is
 * worth: it is looked for every second, and until there is one nobody is answered. On
 * SIGTERM it goes on to answer for WEBHOOK_GOODBYE_MS, while its /readyz says no, so that
 * the API servers hear of it before it is gone. One thread: the judge's main loop.
 */
#pragma once

#include "core/err.h"
#include "core/text.h"
#include "edge/admin.h"
#include "edge/log.h"
#include "edge/metrics.h"
#include "edge/policy_store.h"
#include "edge/record.h"
#include "edge/tls.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	WEBHOOK_GOODBYE_MS = 5000,
	WEBHOOK_FDS = 2, /* that the main loop polls for it */
};

/* Everything is borrowed until webhook_close(). */
struct webhook_options {
	int fd; /* a listening socket; the caller closes it after webhook_close() */
	const char *name; /* of its address, for messages; borrowed until then */
	const struct tls_files *tls;
	struct policy_store *store;
	struct record *record;
	const struct log *log;
	struct metrics *metrics;
	struct admin *admin; /* gets .tls */
	struct text host;
	bool record_all;
	int64_t clock_floor_us;
};

struct webhook; /* private */

/* Listens and serves. The caller closes it. */
int webhook_open(const struct webhook_options *options, struct webhook **ret_webhook,
                 struct err *err);

/* Logs where it is served, and to whom. */
void webhook_say(const struct webhook *webhook, const struct log *log);

/* What to poll, and what to do after it. */
void webhook_poll(const struct webhook *webhook, struct pollfd ret_fds[WEBHOOK_FDS]);
void webhook_polled(struct webhook *webhook, const struct pollfd fds[WEBHOOK_FDS]);

/* The certificate's files are read again if they have changed. */
void webhook_reload(struct webhook *webhook);

/* No new connections, no new waiting. */
void webhook_quiesce(struct webhook *webhook);

/* Whether reviews are on their way. */
bool webhook_busy(const struct webhook *webhook);

/* The record must be closed already. NULL is fine. */
void webhook_close(struct webhook *webhook);
