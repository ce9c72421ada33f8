/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - counts decisions and how long they took. */
#include "edge/metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define MS 1000000LL /* nanoseconds */

/* The upper ends, as a number and as the label; the last bucket has none. */
static const struct {
	int64_t ns;
	const char *label;
} limits[METRICS_BUCKETS] = {
    {MS / 20, "5e-05"}, {MS / 10, "0.0001"},    {MS / 4, "0.00025"}, {MS / 2, "0.0005"},
    {MS, "0.001"},      {MS * 5 / 2, "0.0025"}, {MS * 5, "0.005"},   {MS * 10, "0.01"},
    {MS * 25, "0.025"}, {MS * 50, "0.05"},      {MS * 100, "0.1"},   {MS * 250, "0.25"},
    {MS * 500, "0.5"},  {MS * 1000, "1"},       {MS * 2500, "2.5"},  {INT64_MAX, "+Inf"},
};

static const char *const outcomes[OUTCOME_COUNT] = {
    [OUTCOME_DENY] = "deny",
    [OUTCOME_OBSERVE] = "observe",
    [OUTCOME_ALLOW] = "allow",
    [OUTCOME_ERROR] = "error",
};

/* ---- counting ---- */

static int64_t
read_clock(clockid_t clock, int64_t per_second)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * per_second + now.tv_nsec / (1000 * MS / per_second);
}

int64_t
metrics_clock(void)
{
	return read_clock(CLOCK_MONOTONIC, 1000 * MS);
}

void
metrics_start(struct metrics *metrics)
{
	metrics->started_us = read_clock(CLOCK_REALTIME, MS);
}

static void
add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t
get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static enum outcome
outcome_of(const struct verdict *verdict, bool on_record)
{
	static const enum outcome of[] = {
	    [DECISION_DENY] = OUTCOME_DENY,
	    [DECISION_OBSERVE] = OUTCOME_OBSERVE,
	    [DECISION_ALLOW] = OUTCOME_ALLOW,
	};

	return on_record ? of[verdict->decision] : OUTCOME_ERROR;
}

void
metrics_decided(struct metrics *metrics, const struct decision *decision, bool on_record,
                int64_t took_ns)
{
	const struct verdict *verdict = &decision->verdict;
	enum outcome outcome = outcome_of(verdict, on_record);
	int posture = verdict->has_posture ? (int)verdict->posture : POSTURE_COUNT;
	size_t bucket = 0;

	while (took_ns > limits[bucket].ns)
		bucket++;
	add(&metrics
	         ->decisions[decision->workload.door][verdict->reason][posture][outcome],
	    1);
	add(&metrics->buckets[outcome][bucket], 1);
	add(&metrics->sum_ns[outcome], (uint64_t)took_ns);
}

void
metrics_in_flight(struct metrics *metrics, int64_t requests, int64_t bytes)
{
	atomic_fetch_add_explicit(&metrics->requests, requests, memory_order_relaxed);
	atomic_fetch_add_explicit(&metrics->bytes, bytes, memory_order_relaxed);
}

void
metrics_reloaded(struct metrics *metrics, bool taken)
{
	add(&metrics->reloads, 1);
	add(&metrics->reload_failures, taken ? 0 : 1);
}

/* ---- showing decisions ---- */

/*
 * Whether a series is shown before it was counted. Prometheus takes the first value that
 * it sees for what was there before (rate() of it is 0), so a denial that makes its
 * series would raise no alert.
 */
static bool
is_expected(enum door door, enum reason reason, int posture, enum outcome outcome)
{
	int last = door == DOOR_KUBERNETES ? POSTURE_UNSET : POSTURE_WEAK;
	bool of_container =
	    reason == REASON_POSTURE && posture <= last && posture != POSTURE_UNREADABLE;

	if (outcome == OUTCOME_ALLOW)
		return (reason == REASON_NOT_JUDGED && posture == POSTURE_COUNT) ||
		       (reason == REASON_ALLOWED && posture == POSTURE_DEFAULT);
	if (outcome == OUTCOME_ERROR)
		return of_container;
	return of_container || (reason == REASON_UNREADABLE && posture == 0) ||
	       (reason == REASON_POLICY_BROKEN && posture == POSTURE_COUNT &&
	        outcome == OUTCOME_DENY);
}

/* One of the series, by its place in `decisions`. */
static void
write_decision(const struct metrics *metrics, bool webhook, size_t i, struct buf *buf)
{
	enum outcome outcome = i % OUTCOME_COUNT;
	int posture = (int)(i / OUTCOME_COUNT % (POSTURE_COUNT + 1));
	enum reason reason = i / OUTCOME_COUNT / (POSTURE_COUNT + 1) % REASON_COUNT;
	enum door door = i / OUTCOME_COUNT / (POSTURE_COUNT + 1) / REASON_COUNT;
	uint64_t n = get(&metrics->decisions[door][reason][posture][outcome]);

	if (n == 0 && ((door == DOOR_KUBERNETES && !webhook) ||
	               !is_expected(door, reason, posture, outcome)))
		return;
	buf_printf(buf,
	           "seccomp_authz_decisions_total{door=\"%s\",posture=\"%s\","
	           "reason=\"%s\",decision=\"%s\"} %llu\n",
	           door_name(door),
	           posture < POSTURE_COUNT ? posture_name((enum posture)posture) : "none",
	           reason_code(reason), outcomes[outcome], (unsigned long long)n);
}

static void
write_duration(const struct metrics *metrics, enum outcome outcome, struct buf *buf)
{
	static const char name[] = "seccomp_authz_decision_duration_seconds";
	uint64_t sum = get(&metrics->sum_ns[outcome]), so_far = 0;

	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		so_far += get(&metrics->buckets[outcome][i]);
		buf_printf(buf, "%s_bucket{decision=\"%s\",le=\"%s\"} %llu\n", name,
		           outcomes[outcome], limits[i].label,
		           (unsigned long long)so_far);
	}
	buf_printf(buf, "%s_sum{decision=\"%s\"} ", name, outcomes[outcome]);
	metrics_fraction(buf, sum, 1000 * MS);
	buf_printf(buf, "\n%s_count{decision=\"%s\"} %llu\n", name, outcomes[outcome],
	           (unsigned long long)so_far);
}

void
metrics_write_decisions(const struct metrics *metrics, bool webhook, struct buf *buf)
{
	static const struct metrics_family decisions = {
	    "seccomp_authz_decisions_total", "counter",
	    "Decisions by where the request came in, the worst posture, the reason, and "
	    "what the client was told (error: it could not be put on record, so it was "
	    "refused)."};
	static const struct metrics_family duration = {
	    "seccomp_authz_decision_duration_seconds", "histogram",
	    "Time from a complete request to its answer, with the wait for the record."};

	metrics_head(buf, &decisions);
	for (size_t i = 0; i < sizeof metrics->decisions / sizeof(uint64_t); i++)
		write_decision(metrics, webhook, i, buf);
	metrics_head(buf, &duration);
	for (enum outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		write_duration(metrics, outcome, buf);
}
