/* SPDX-License-Identifier: Apache-2.0 */
/* test_admin.c - tests edge/admin.h. */
#include "edge/admin.h"
#include "edge/policy_uses.h"
#include "watched.h"

#include <jansson.h>

#define PLAIN "{\"version\":1}"

/* Asks and checks the status; the caller frees the body. */
static struct buf
asked(struct watched *watched, const char *path, bool trusted, unsigned status)
{
	struct admin_answer answer;

	admin_ask(&watched->admin, path, trusted, &answer);
	assert_true(buf_ok(&answer.body));
	if (answer.status != status)
		fail_msg("%s: %u: %s", path, answer.status, answer.body.at);
	assert_true(answer.body.len > 0);
	assert_non_null(answer.type);
	return answer.body;
}

static void
assert_answer(struct watched *watched, const char *path, unsigned status,
              const char *text)
{
	cleanup_buf struct buf body = asked(watched, path, true, status);

	assert_string_equal(body.at, text);
}

static void
healthy_judge_is_ready(void **state)
{
	struct watched watched;

	(void)state;
	watch(&watched, PLAIN);
	assert_answer(&watched, "/healthz", 200, "ok\n");
	assert_answer(&watched, "/readyz", 200, "ready\n");
	unwatch(&watched);
}

static void
broken_policy_is_not_ready_until_it_is_repaired(void **state)
{
	struct watched watched;

	(void)state;
	watch(&watched, "{");
	cleanup_buf struct buf body = asked(&watched, "/readyz", false, 503);
	assert_non_null(strstr(body.at, "policy broken: "));
	assert_non_null(strstr(body.at, "policy.json: "));
	assert_answer(&watched, "/healthz", 200, "ok\n");
	put_policy(PLAIN);
	assert_int_equal(policy_store_reload(watched.store), 0);
	assert_answer(&watched, "/readyz", 200, "ready\n");
	unwatch(&watched);
}

static void
policy_that_is_not_the_files_is_not_ready(void **state)
{
	struct watched watched;

	(void)state;
	watch(&watched, PLAIN);
	put_policy("{");
	assert_int_equal(policy_store_reload(watched.store), -1);
	cleanup_buf struct buf body = asked(&watched, "/readyz", false, 503);
	assert_non_null(strstr(body.at, "policy degraded: "));
	put_policy(PLAIN);
	assert_int_equal(policy_store_reload(watched.store), 0);
	assert_answer(&watched, "/readyz", 200, "ready\n");
	unwatch(&watched);
}

static void
record_that_fails_is_not_ready_until_it_takes_a_line(void **state)
{
	struct watched watched;

	(void)state;
	watch(&watched, PLAIN);
	atomic_store(&sink_fails, true);
	record_one(watched.record);
	assert_answer(&watched, "/readyz", 503, "record degraded: fake: it is full\n");
	atomic_store(&sink_fails, false);
	record_one(watched.record);
	assert_answer(&watched, "/readyz", 200, "ready\n");
	unwatch(&watched);
}

static void
every_reason_is_a_line(void **state)
{
	struct watched watched;
	size_t lines = 0;

	(void)state;
	watch(&watched, "{");
	atomic_store(&sink_fails, true);
	record_one(watched.record);
	atomic_store(&watched.admin.stopping, true);
	cleanup_buf struct buf body = asked(&watched, "/readyz", false, 503);
	for (const char *at = body.at; *at; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 3);
	assert_non_null(strstr(body.at, "\nstopping\n"));
	unwatch(&watched);
}

static void
policy_is_told_as_json_with_the_uses_of_each_exception(void **state)
{
	struct watched watched;
	const struct policy_snapshot *snapshot;
	json_t *told, *exceptions;
	const char *id, *exception_state, *expires;
	int used;

	(void)state;
	watch(&watched,
	      "{\"version\":1,\"exceptions\":["
	      "{\"id\":\"q\\\"\",\"allow\":[\"weak\"],\"reason\":\"r\","
	      "\"match\":{\"name\":[\"n\"]},\"expires\":\"2020-02-29T23:59:59+01:00\"},"
	      "{\"id\":\"b\",\"allow\":[\"weak\"],\"reason\":\"r\","
	      "\"match\":{\"name\":[\"n\"]}}]}");
	snapshot = policy_store_acquire(watched.store);
	policy_uses_count(snapshot->uses, snapshot->policy,
	                  &snapshot->policy->exceptions[1]);
	cleanup_buf struct buf body = asked(&watched, "/policy", true, 200);
	told = json_loads(body.at, 0, NULL);
	assert_non_null(told);
	assert_string_equal(json_string_value(json_object_get(told, "source")),
	                    watched_policy());
	assert_string_equal(json_string_value(json_object_get(told, "digest")),
	                    snapshot->policy->digest);
	assert_true(json_is_false(json_object_get(told, "degraded")));
	exceptions = json_object_get(told, "exceptions");
	assert_int_equal(json_array_size(exceptions), 2);
	assert_int_equal(
	    json_unpack(json_array_get(exceptions, 0), "{s:s, s:s, s:s, s:i}", "id", &id,
	                "state", &exception_state, "expires", &expires, "used", &used),
	    0);
	assert_string_equal(id, "q\"");
	assert_string_equal(exception_state, "expired");
	assert_string_equal(expires, "2020-02-29T22:59:59Z");
	assert_int_equal(used, 0);
	assert_int_equal(json_unpack(json_array_get(exceptions, 1),
	                             "{s:s, s:s, s:n, s:i}", "id", &id, "state",
	                             &exception_state, "expires", "used", &used),
	                 0);
	assert_string_equal(exception_state, "active");
	assert_int_equal(used, 1);
	json_decref(told);
	policy_store_release(watched.store, snapshot);
	unwatch(&watched);
}

static void
policy_that_is_broken_is_told_with_the_reason(void **state)
{
	struct watched watched;
	json_t *told;

	(void)state;
	watch(&watched, "{");
	cleanup_buf struct buf body = asked(&watched, "/policy", true, 200);
	told = json_loads(body.at, 0, NULL);
	assert_non_null(told);
	assert_true(json_is_null(json_object_get(told, "digest")));
	assert_true(json_is_true(json_object_get(told, "degraded")));
	assert_non_null(
	    strstr(json_string_value(json_object_get(told, "reason")), "policy.json: "));
	json_decref(told);
	unwatch(&watched);
}

static void
policy_is_told_to_the_trusted_only(void **state)
{
	struct watched watched;

	(void)state;
	watch(&watched, PLAIN);
	cleanup_buf struct buf body = asked(&watched, "/policy", false, 404);
	assert_null(strstr(body.at, "/policy"));
	assert_non_null(strstr(body.at, "/metrics"));
	unwatch(&watched);
}

static const char *const no_pages[] = {
    "",        "/",        "/metrics/",  "/Metrics", "/policy.json",
    "metrics", "/readyz?", "/../metrics"};

static void
what_is_no_page_is_not_found(void **state)
{
	struct watched watched;

	(void)state;
	watch(&watched, PLAIN);
	for (size_t i = 0; i < sizeof no_pages / sizeof no_pages[0]; i++) {
		cleanup_buf struct buf body = asked(&watched, no_pages[i], true, 404);

		assert_non_null(strstr(body.at, "/policy"));
	}
	unwatch(&watched);
}

#define in_a_folder(test)                                                                \
	cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_folder(healthy_judge_is_ready),
	    in_a_folder(broken_policy_is_not_ready_until_it_is_repaired),
	    in_a_folder(policy_that_is_not_the_files_is_not_ready),
	    in_a_folder(record_that_fails_is_not_ready_until_it_takes_a_line),
	    in_a_folder(every_reason_is_a_line),
	    in_a_folder(policy_is_told_as_json_with_the_uses_of_each_exception),
	    in_a_folder(policy_that_is_broken_is_told_with_the_reason),
	    in_a_folder(policy_is_told_to_the_trusted_only),
	    in_a_folder(what_is_no_page_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
