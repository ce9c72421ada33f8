/* SPDX-License-Identifier: Apache-2.0 */
/* test_metrics.c - tests edge/metrics.h and edge/policy_uses.h. */
#include "edge/metrics.h"
#include "edge/policy_uses.h"
#include "watched.h"

#include <pthread.h>

#define POLICY(exceptions) "{\"version\":1,\"exceptions\":[" exceptions "]}"
#define EXCEPTION(id, more)                                                              \
	"{\"id\":\"" id "\",\"allow\":[\"unconfined\"],\"reason\":\"r\","                \
	"\"match\":{\"name\":[\"n\"]}" more "}"
#define UNTIL(time) ",\"expires\":\"" time "\""

enum { MS = 1000000 };

static const int64_t noon = 1795608000; /* 2026-11-25T12:00:00Z */

#define SERIES(door, posture, reason, decision)                                          \
	"seccomp_authz_decisions_total{door=\"" door "\",posture=\"" posture             \
	"\",reason=\"" reason "\",decision=\"" decision "\"}"

/* ---- decisions ---- */

static const struct counted_row {
	const char *series;
	enum verdict_decision decision;
	enum reason reason;
	enum posture posture;
	bool has_posture, on_record;
	enum door door;
} counted_rows[] = {
    {SERIES("docker", "none", "not-judged", "allow"), DECISION_ALLOW, REASON_NOT_JUDGED,
     POSTURE_UNREADABLE, false, true, DOOR_DOCKER},
    {SERIES("docker", "unconfined", "posture", "deny"), DECISION_DENY, REASON_POSTURE,
     POSTURE_UNCONFINED, true, true, DOOR_DOCKER},
    {SERIES("docker", "unconfined", "posture", "observe"), DECISION_OBSERVE,
     REASON_POSTURE, POSTURE_UNCONFINED, true, true, DOOR_DOCKER},
    {SERIES("docker", "unconfined", "posture", "error"), DECISION_DENY, REASON_POSTURE,
     POSTURE_UNCONFINED, true, false, DOOR_DOCKER},
    {SERIES("docker", "weak", "exception", "error"), DECISION_ALLOW, REASON_EXCEPTION,
     POSTURE_WEAK, true, false, DOOR_DOCKER},
    {SERIES("docker", "unreadable", "unreadable", "deny"), DECISION_DENY,
     REASON_UNREADABLE, POSTURE_UNREADABLE, true, true, DOOR_DOCKER},
    {SERIES("kubernetes", "unset", "posture", "deny"), DECISION_DENY, REASON_POSTURE,
     POSTURE_UNSET, true, true, DOOR_KUBERNETES},
    {SERIES("kubernetes", "default", "allowed", "allow"), DECISION_ALLOW, REASON_ALLOWED,
     POSTURE_DEFAULT, true, true, DOOR_KUBERNETES},
};

enum { COUNTED_ROWS = sizeof counted_rows / sizeof counted_rows[0] };

static void
count_row(struct metrics *metrics, const struct counted_row *row)
{
	struct decision decision = {
	    .workload.door = row->door,
	    .verdict = {.decision = row->decision,
	                .reason = row->reason,
	                .has_posture = row->has_posture,
	                .posture = row->posture},
	};

	metrics_decided(metrics, &decision, row->on_record, 0);
}

static void
each_decision_is_counted_in_its_own_series(void **state)
{
	struct watched watched;

	(void)state;
	watch(&watched, POLICY(""));
	for (size_t i = 0; i < COUNTED_ROWS; i++)
		for (size_t times = 0; times <= i; times++)
			count_row(&watched.metrics, &counted_rows[i]);
	cleanup_buf struct buf shown = shown_at(&watched, noon);
	for (size_t i = 0; i < COUNTED_ROWS; i++)
		assert_int_equal(atoi(value_in(&shown, counted_rows[i].series)), i + 1);
	unwatch(&watched);
}

static void
series_that_an_alert_waits_for_are_there_from_the_start(void **state)
{
	struct watched watched;

	(void)state;
	watch(&watched, POLICY(EXCEPTION("a", "")));
	cleanup_buf struct buf shown = shown_at(&watched, noon);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(value_in(&shown, counted_rows[i].series), "0");
	assert_string_equal(
	    value_in(&shown, "seccomp_authz_exception_uses_total{id=\"a\"}"), "0");
	assert_string_equal(value_in(&shown, "seccomp_authz_decision_duration_seconds_"
	                                     "count{decision=\"deny\"}"),
	                    "0");
	unwatch(&watched);
}

static const struct {
	int64_t ns;
	const char *first;  /* bucket that counts it */
	const char *before; /* bucket that does not; NULL: there is none */
} bucket_rows[] = {
    {0, "5e-05", NULL},
    {50000, "5e-05", NULL},
    {50001, "0.0001", "5e-05"},
    {1 * MS, "0.001", "0.0005"},
    {1 * MS + 1, "0.0025", "0.001"},
    {2500LL * MS, "2.5", "1"},
    {2500LL * MS + 1, "+Inf", "2.5"},
    {1000000LL * MS, "+Inf", "2.5"},
};

static const char *
bucket(const struct buf *shown, const char *limit)
{
	char series[128];

	(void)snprintf(series, sizeof series,
	               "seccomp_authz_decision_duration_seconds_bucket{decision=\"deny\","
	               "le=\"%s\"}",
	               limit);
	return value_in(shown, series);
}

static void
duration_is_in_the_first_bucket_that_it_fits_and_all_later_ones(void **state)
{
	struct decision decision = {.verdict.reason = REASON_POSTURE};

	(void)state;
	for (size_t i = 0; i < sizeof bucket_rows / sizeof bucket_rows[0]; i++) {
		struct watched watched;

		watch(&watched, POLICY(""));
		metrics_decided(&watched.metrics, &decision, true, bucket_rows[i].ns);
		cleanup_buf struct buf shown = shown_at(&watched, noon);
		assert_string_equal(bucket(&shown, bucket_rows[i].first), "1");
		if (bucket_rows[i].before)
			assert_string_equal(bucket(&shown, bucket_rows[i].before), "0");
		assert_string_equal(bucket(&shown, "+Inf"), "1");
		unwatch(&watched);
	}
}

static void
sum_of_durations_is_in_seconds(void **state)
{
	struct decision decision = {.verdict.reason = REASON_POSTURE};
	struct watched watched;

	(void)state;
	watch(&watched, POLICY(""));
	metrics_decided(&watched.metrics, &decision, true, 1500LL * MS);
	metrics_decided(&watched.metrics, &decision, true, 7);
	cleanup_buf struct buf shown = shown_at(&watched, noon);
	assert_string_equal(value_in(&shown, "seccomp_authz_decision_duration_seconds_"
	                                     "sum{decision=\"deny\"}"),
	                    "1.500000007");
	unwatch(&watched);
}

enum { THREADS = 4, EACH = 20000 };

static void *
count_much(void *argument)
{
	struct watched *watched = argument;

	for (int i = 0; i < EACH; i++) {
		const struct policy_snapshot *snapshot =
		    policy_store_acquire(watched->store);

		count_row(&watched->metrics, &counted_rows[1]);
		policy_uses_count(snapshot->uses, snapshot->policy,
		                  &snapshot->policy->exceptions[0]);
		metrics_in_flight(&watched->metrics, i % 2 ? -1 : 1, i % 2 ? -10 : 10);
		policy_store_release(watched->store, snapshot);
	}
	return NULL;
}

static void
nothing_is_lost_between_threads_that_count_and_one_that_looks(void **state)
{
	pthread_t threads[THREADS];
	struct watched watched;

	(void)state;
	watch(&watched, POLICY(EXCEPTION("a", "")));
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_much, &watched),
		                 0);
	for (int i = 0; i < 20; i++) {
		cleanup_buf struct buf passing = shown_at(&watched, noon);

		assert_true(passing.len > 0);
	}
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	cleanup_buf struct buf shown = shown_at(&watched, noon);
	assert_int_equal(atoi(value_in(&shown, counted_rows[1].series)), THREADS * EACH);
	assert_int_equal(atoi(bucket(&shown, "+Inf")), THREADS * EACH);
	assert_int_equal(
	    atoi(value_in(&shown, "seccomp_authz_exception_uses_total{id=\"a\"}")),
	    THREADS * EACH);
	assert_string_equal(value_in(&shown, "seccomp_authz_requests_in_flight"), "0");
	assert_string_equal(value_in(&shown, "seccomp_authz_in_flight_bytes"), "0");
	unwatch(&watched);
}

/* ---- exceptions ---- */

static void
use(struct watched *watched, size_t index, int times)
{
	const struct policy_snapshot *snapshot = policy_store_acquire(watched->store);

	assert_true(index < snapshot->policy->count);
	while (times-- > 0)
		policy_uses_count(snapshot->uses, snapshot->policy,
		                  &snapshot->policy->exceptions[index]);
	policy_store_release(watched->store, snapshot);
}

static const struct {
	const char *exceptions;
	const char *active, *expired, *observed, *expiring, *next;
} expiry_rows[] = {
    {POLICY(""), "0", "0", "0", "0", "+Inf"},
    {POLICY(EXCEPTION("a", "")), "1", "0", "0", "0", "+Inf"},
    {POLICY(EXCEPTION("a", UNTIL("2026-11-25T12:00:01Z"))), "1", "0", "0", "1", "1"},
    {POLICY(EXCEPTION("a", UNTIL("2026-11-25T12:00:00Z"))), "0", "1", "0", "0", "+Inf"},
    {POLICY(EXCEPTION("a", UNTIL("2026-12-02T11:59:59Z"))), "1", "0", "0", "1", "604799"},
    {POLICY(EXCEPTION("a", UNTIL("2026-12-02T12:00:00Z"))), "1", "0", "0", "0", "604800"},
    {POLICY(EXCEPTION("a", UNTIL("2026-11-26T12:00:00Z") ",\"mode\":\"observe\"")), "0",
     "0", "1", "0", "+Inf"},
    {POLICY(EXCEPTION("a", UNTIL("2020-01-01T00:00:00Z") ",\"mode\":\"observe\"")), "0",
     "1", "0", "0", "+Inf"},
    {POLICY(EXCEPTION("a", UNTIL("2026-11-25T12:01:00Z")) "," EXCEPTION(
	 "b", UNTIL("2026-11-25T12:00:30Z")) "," EXCEPTION("c", "") "," //
            EXCEPTION("d", UNTIL("2026-11-25T11:00:00Z"))),
     "3", "1", "0", "2", "30"},
};

static void
exceptions_are_counted_by_state_and_by_when_they_expire(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof expiry_rows / sizeof expiry_rows[0]; i++) {
		struct watched watched;

		watch(&watched, expiry_rows[i].exceptions);
		cleanup_buf struct buf shown = shown_at(&watched, noon);
		assert_string_equal(
		    value_in(&shown, "seccomp_authz_exceptions{state=\"active\"}"),
		    expiry_rows[i].active);
		assert_string_equal(
		    value_in(&shown, "seccomp_authz_exceptions{state=\"expired\"}"),
		    expiry_rows[i].expired);
		assert_string_equal(
		    value_in(&shown, "seccomp_authz_exceptions{state=\"observed\"}"),
		    expiry_rows[i].observed);
		assert_string_equal(value_in(&shown, "seccomp_authz_exceptions_expiring"),
		                    expiry_rows[i].expiring);
		assert_string_equal(
		    value_in(&shown, "seccomp_authz_exception_next_expiry_seconds"),
		    expiry_rows[i].next);
		unwatch(&watched);
	}
}

static void
uses_are_carried_over_by_id_when_the_policy_is_reloaded(void **state)
{
	struct watched watched;

	(void)state;
	watch(&watched, POLICY(EXCEPTION("a", "") "," EXCEPTION("b", "")));
	use(&watched, 0, 3);
	use(&watched, 1, 5);
	put_policy(
	    POLICY(EXCEPTION("b", "") "," EXCEPTION("c", "") "," EXCEPTION("a", "")));
	assert_int_equal(policy_store_reload(watched.store), 0);
	use(&watched, 2, 1);
	cleanup_buf struct buf shown = shown_at(&watched, noon);
	assert_string_equal(
	    value_in(&shown, "seccomp_authz_exception_uses_total{id=\"a\"}"), "4");
	assert_string_equal(
	    value_in(&shown, "seccomp_authz_exception_uses_total{id=\"b\"}"), "5");
	assert_string_equal(
	    value_in(&shown, "seccomp_authz_exception_uses_total{id=\"c\"}"), "0");
	unwatch(&watched);
}

static void
uses_stay_when_the_policy_is_not_taken(void **state)
{
	struct watched watched;

	(void)state;
	watch(&watched, POLICY(EXCEPTION("a", "")));
	use(&watched, 0, 2);
	put_policy("{");
	assert_int_equal(policy_store_reload(watched.store), -1);
	use(&watched, 0, 1);
	put_policy(POLICY(EXCEPTION("a", "")));
	assert_int_equal(policy_store_reload(watched.store), 0);
	cleanup_buf struct buf shown = shown_at(&watched, noon);
	assert_string_equal(
	    value_in(&shown, "seccomp_authz_exception_uses_total{id=\"a\"}"), "3");
	unwatch(&watched);
}

/* A policy of `count` exceptions "e0"... with one called "other" in front. */
static void
put_many(size_t count)
{
	cleanup_buf struct buf policy = {0};

	buf_str(&policy, "{\"version\":1,\"exceptions\":[" EXCEPTION("other", ""));
	for (size_t i = 0; i < count; i++)
		buf_printf(
		    &policy,
		    ",{\"id\":\"e%zu\",\"allow\":[\"unconfined\"],\"reason\":\"r\","
		    "\"match\":{\"name\":[\"n\"]}}",
		    i);
	buf_str(&policy, "]}");
	put_policy(policy.at);
}

static void
exceptions_beyond_the_limit_share_one_series(void **state)
{
	struct watched watched;
	size_t series = 0;

	(void)state;
	put_many(METRICS_EXCEPTIONS_SHOWN_MAX + 500);
	watch(&watched, NULL);
	use(&watched, 0, 1);
	use(&watched, METRICS_EXCEPTIONS_SHOWN_MAX - 1, 10);
	use(&watched, METRICS_EXCEPTIONS_SHOWN_MAX, 100);
	use(&watched, METRICS_EXCEPTIONS_SHOWN_MAX + 400, 1000);
	cleanup_buf struct buf shown = shown_at(&watched, noon);
	assert_string_equal(
	    value_in(&shown, "seccomp_authz_exception_uses_total{id=\"e998\"}"), "10");
	assert_string_equal(
	    value_in(&shown, "seccomp_authz_exception_uses_total{id=\"e999\"}"), "");
	assert_string_equal(
	    value_in(&shown, "seccomp_authz_exception_uses_total{id=\"other\"}"), "1101");
	for (const char *at = shown.at;
	     (at = strstr(at, "\nseccomp_authz_exception_uses_")); at++)
		series++;
	assert_int_equal(series, METRICS_EXCEPTIONS_SHOWN_MAX);
	unwatch(&watched);
}

/* ---- the rest ---- */

static void
values_of_labels_are_escaped(void **state)
{
	cleanup_buf struct buf buf = {0};

	(void)state;
	metrics_label(&buf, TEXT_LIT("a\"b\\c\nd\xc3\xa9"));
	assert_string_equal(buf.at, "\"a\\\"b\\\\c\\nd\xc3\xa9\"");
}

static void
policy_that_is_broken_has_no_digest_and_is_degraded(void **state)
{
	struct watched watched;

	(void)state;
	watch(&watched, "{");
	cleanup_buf struct buf shown = shown_at(&watched, noon);
	assert_null(strstr(shown.at, "policy_info"));
	assert_null(strstr(shown.at, "policy_loaded"));
	assert_string_equal(value_in(&shown, "seccomp_authz_policy_broken"), "1");
	assert_string_equal(value_in(&shown, "seccomp_authz_degraded{part=\"policy\"}"),
	                    "1");
	unwatch(&watched);
}

static void
reloads_are_counted_with_their_failures(void **state)
{
	struct watched watched;

	(void)state;
	watch(&watched, POLICY(""));
	metrics_reloaded(&watched.metrics, true);
	metrics_reloaded(&watched.metrics, false);
	metrics_reloaded(&watched.metrics, true);
	cleanup_buf struct buf shown = shown_at(&watched, noon);
	assert_string_equal(value_in(&shown, "seccomp_authz_policy_reloads_total"), "3");
	assert_string_equal(
	    value_in(&shown, "seccomp_authz_policy_reload_failures_total"), "1");
	unwatch(&watched);
}

static void
record_is_shown_with_what_it_took_and_what_not(void **state)
{
	struct watched watched;

	(void)state;
	watch(&watched, POLICY(""));
	record_one(watched.record);
	record_one(watched.record);
	atomic_store(&sink_fails, true);
	record_one(watched.record);
	cleanup_buf struct buf shown = shown_at(&watched, noon);
	assert_string_equal(value_in(&shown, "seccomp_authz_record_lines_total"), "2");
	assert_string_equal(value_in(&shown, "seccomp_authz_record_failed_lines_total"),
	                    "1");
	assert_string_equal(value_in(&shown, "seccomp_authz_record_waiting_lines"), "0");
	assert_string_equal(value_in(&shown, "seccomp_authz_record_behind_lines"), "0");
	assert_string_equal(value_in(&shown, "seccomp_authz_degraded{part=\"record\"}"),
	                    "1");
	unwatch(&watched);
}

static void
every_family_is_there_once_with_help_and_type(void **state)
{
	struct watched watched;
	char last[64] = "";

	(void)state;
	watch(&watched, POLICY(EXCEPTION("a", "")));
	cleanup_buf struct buf shown = shown_at(&watched, noon);
	for (char *line = shown.at, *end; *line; line = end + 1) {
		char name[64], type[16];
		size_t len;

		end = strchr(line, '\n');
		assert_non_null(end);
		*end = '\0';
		if (sscanf(line, "# HELP %63s", name) == 1) {
			(void)snprintf(last, sizeof last, "%s", name);
			continue;
		}
		if (sscanf(line, "# TYPE %63s %15s", name, type) == 2) {
			assert_string_equal(name, last);
			continue;
		}
		len = strlen(last);
		assert_true(len > 0 && strncmp(line, last, len) == 0);
	}
	unwatch(&watched);
}

#define in_a_folder(test)                                                                \
	cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_folder(each_decision_is_counted_in_its_own_series),
	    in_a_folder(series_that_an_alert_waits_for_are_there_from_the_start),
	    in_a_folder(duration_is_in_the_first_bucket_that_it_fits_and_all_later_ones),
	    in_a_folder(sum_of_durations_is_in_seconds),
	    in_a_folder(nothing_is_lost_between_threads_that_count_and_one_that_looks),
	    in_a_folder(exceptions_are_counted_by_state_and_by_when_they_expire),
	    in_a_folder(uses_are_carried_over_by_id_when_the_policy_is_reloaded),
	    in_a_folder(uses_stay_when_the_policy_is_not_taken),
	    in_a_folder(exceptions_beyond_the_limit_share_one_series),
	    cmocka_unit_test(values_of_labels_are_escaped),
	    in_a_folder(policy_that_is_broken_has_no_digest_and_is_degraded),
	    in_a_folder(reloads_are_counted_with_their_failures),
	    in_a_folder(record_is_shown_with_what_it_took_and_what_not),
	    in_a_folder(every_family_is_there_once_with_help_and_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
