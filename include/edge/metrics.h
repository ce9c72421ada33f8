/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics - what the judge counts about itself, and how Prometheus reads it.
 *
 * Invariant: counting is a few atomic additions to memory of a fixed size; it neither
 * locks nor allocates nor fails. Whoever reads pays for the reading: sums, percentages
 * and texts are made then. A reader may see a decision in one counter and not yet in
 * another. Thread-safe.
 */
#pragma once

#include "core/buf.h"
#include "core/decide.h"
#include "core/verdict.h"
#include "core/workload.h"
#include "edge/policy_store.h"
#include "edge/record.h"
#include "edge/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	METRICS_BUCKETS = 16,                /* of the histogram, the endless one too */
	METRICS_EXCEPTIONS_SHOWN_MAX = 1000, /* the rest is shown as id="other" */
	METRICS_SOON_S = 7 * 86400,          /* an exception is expiring */
};

/* What became of a decision, as its client saw it. */
enum outcome {
	OUTCOME_DENY,
	OUTCOME_OBSERVE,
	OUTCOME_ALLOW,
	OUTCOME_ERROR, /* refused with an HTTP error: it could not be put on record */
	OUTCOME_COUNT
};

/* Zero-initialised, then metrics_start(). The members are metrics*.c's alone. */
struct metrics {
	int64_t started_us; /* since the epoch */
	_Atomic uint64_t decisions[DOOR_COUNT][REASON_COUNT][POSTURE_COUNT + 1]
				  [OUTCOME_COUNT]; /* last posture: none */
	_Atomic uint64_t buckets[OUTCOME_COUNT][METRICS_BUCKETS];
	_Atomic uint64_t sum_ns[OUTCOME_COUNT];
	_Atomic uint64_t reloads, reload_failures;
	_Atomic int64_t requests, bytes; /* in flight */
};

void metrics_start(struct metrics *metrics);

/* Nanoseconds of a clock that only runs forward. */
int64_t metrics_clock(void);

/* A decision was answered, `took_ns` after its request was complete. */
void metrics_decided(struct metrics *metrics, const struct decision *decision,
                     bool on_record, int64_t took_ns);

/* That many more requests, or bytes of them, are in flight. */
void metrics_in_flight(struct metrics *metrics, int64_t requests, int64_t bytes);

/* The policy was read again; `taken`: it is in force now. */
void metrics_reloaded(struct metrics *metrics, bool taken);

/* What is shown besides the counters. Borrowed for the call. */
struct metrics_sources {
	struct policy_store *store;
	struct record *record;
	struct tls_store *tls; /* NULL: there is no webhook */
	int64_t now;           /* seconds since the epoch */
};

/* Appends everything in Prometheus' text format, version 0.0.4. */
void metrics_write(const struct metrics *metrics, const struct metrics_sources *sources,
                   struct buf *buf);

/* ---- metrics_text.c: the format; private to metrics_*.c ---- */

/* A family of series: all of one name. */
struct metrics_family {
	const char *name; /* "seccomp_authz_decisions_total" */
	const char *type; /* "counter", "gauge", "histogram" */
	const char *help;
};

/* # HELP and # TYPE. */
void metrics_head(struct buf *buf, const struct metrics_family *family);

/* A family of one series without labels. */
void metrics_number(struct buf *buf, const struct metrics_family *family, uint64_t value);

/* A label's value, escaped, in quotes. */
void metrics_label(struct buf *buf, struct text value);

/* `value` / `scale` with as many decimals as `scale` (a power of ten) has zeros. */
void metrics_fraction(struct buf *buf, uint64_t value, uint64_t scale);

/* ---- the parts; private to metrics_*.c ---- */

void metrics_write_decisions(const struct metrics *metrics, bool webhook,
                             struct buf *buf);
void metrics_write_tls(struct tls_store *tls, struct buf *buf);
void metrics_write_policy(const struct metrics_sources *sources, struct buf *buf);
void metrics_write_process(const struct metrics *metrics, struct buf *buf);
