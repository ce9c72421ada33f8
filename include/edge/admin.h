/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin - what the judge tells about itself: a path -> an answer.
 *
 * Invariant: nothing here changes anything or waits for anything, so that whoever asks
 * can't hold up a decision. Paths: /metrics (metrics.h); /healthz, 200 as long as somebody
 * answers; /readyz, 200, or 503 with a reason a line while the policy is degraded or
 * broken, the record is degraded, the webhook has no certificate or one that is not what
 * its files say, or the judge is stopping; /policy, a JSON object, for those only who may
 * know the policy. Thread-safe.
 */
#pragma once

#include "core/buf.h"
#include "edge/metrics.h"
#include "edge/policy_store.h"
#include "edge/record.h"
#include "edge/tls.h"

#include <stdatomic.h>
#include <stdbool.h>

/* What is told about. All but `stopping` is borrowed and set before the first question. */
struct admin {
	const struct metrics *metrics;
	struct policy_store *store;
	struct record *record;
	struct tls_store *tls; /* NULL: there is no webhook */
	atomic_bool stopping;
};

struct admin_answer {
	unsigned status;  /* of HTTP */
	const char *type; /* of the body */
	struct buf body;  /* the caller frees it; may have failed */
};

/*
 * The same on the webhook's port, for the kubelet: /healthz, and a /readyz that is 503 only
 * while the judge is stopping. A pod that is not ready gets no reviews, so that whatever
 * makes others look after the judge (above) must not take it out of service: it goes on to
 * deny what it must. `known`: may see /metrics.
 */
void admin_ask_cluster(const struct admin *admin, const char *path, bool known,
                       struct admin_answer *ret_answer);

/* `trusted`: may see the policy. */
void admin_ask(const struct admin *admin, const char *path, bool trusted,
               struct admin_answer *ret_answer);
