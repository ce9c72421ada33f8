/* SPDX-License-Identifier: Apache-2.0 */
/* test_record_line.c - a line of the record: JSON, bounded, without what is not ours. */
#include "core/record_line.h"

#include "deciding.h"

#include <jansson.h>

/* The line as a JSON object; the caller gives it back. */
static json_t *
parse_line(const struct judge *judge, struct text host)
{
	cleanup_buf struct buf buf = {0};
	json_error_t error;
	json_t *object;

	record_line(&buf, &judge->decision, &judge->circumstances, host);
	assert_true(buf_ok(&buf));
	if (buf.len > RECORD_LINE_ROOM)
		fail_msg("a line of %zu bytes", buf.len);
	for (size_t i = 0; i < buf.len; i++)
		assert_true((unsigned char)buf.at[i] >= 0x20);
	buf_char(&buf, '}');
	object = json_loadb(buf.at, buf.len, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		fail_msg("%s: %s", error.text, buf.at);
	return object;
}

static const char *
string_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void
a_denial_has_all_its_fields(void **state)
{
	cleanup_judge struct judge judge;
	cleanup_buf struct buf envelope = {0};
	json_t *line, *container;

	(void)state;
	judge_start(&judge, NULL);
	write_envelope(&envelope, "POST", CREATE "?platform=x&name=web", "{}",
	               text_of(UNCONFINED));
	(void)judge_envelope(&judge, buf_text(&envelope));
	judge.decision.workload.user = TEXT_LIT("alice");
	judge.decision.workload.auth = TEXT_LIT("TLS");
	line = parse_line(&judge, TEXT_LIT("node-1"));
	assert_string_equal(string_of(line, "time"), "2024-02-29T12:34:56.789012Z");
	assert_string_equal(string_of(line, "id"), judge.decision.verdict.id);
	assert_string_equal(string_of(line, "decision"), "deny");
	assert_string_equal(string_of(line, "reason"), "posture");
	assert_string_equal(string_of(line, "message"), judge.decision.verdict.message);
	assert_string_equal(string_of(line, "posture"), "unconfined");
	assert_string_equal(string_of(line, "door"), "docker");
	assert_string_equal(string_of(line, "operation"), "create");
	assert_string_equal(string_of(line, "user"), "alice");
	assert_string_equal(string_of(line, "auth"), "TLS");
	assert_string_equal(string_of(line, "method"), "POST");
	assert_string_equal(string_of(line, "uri"), CREATE "?name=web");
	assert_string_equal(string_of(line, "rule"), "default");
	assert_string_equal(string_of(line, "policy"), "built-in");
	assert_string_equal(string_of(line, "host"), "node-1");
	container = json_array_get(json_object_get(line, "containers"), 0);
	assert_string_equal(string_of(container, "name"), "web");
	assert_string_equal(string_of(container, "image"),
	                    "docker.io/library/nginx:latest");
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(container, "postures"), 0)),
	    "unconfined");
	json_decref(line);
}

static void
what_is_not_known_is_left_out(void **state)
{
	static const char *const keys[] = {"user",    "auth",       "method",
	                                   "uri",     "containers", "omitted",
	                                   "posture", "would_match"};
	cleanup_judge struct judge judge;
	json_t *line;

	(void)state;
	judge_start(&judge, NULL);
	decide_refusal(REASON_BUSY, &judge.circumstances, &judge.decision);
	line = parse_line(&judge, TEXT_LIT("h"));
	assert_string_equal(string_of(line, "reason"), "busy");
	for (size_t i = 0; i < COUNT(keys); i++)
		assert_null(json_object_get(line, keys[i]));
	json_decref(line);
}

static void
a_use_of_an_exception_names_it(void **state)
{
	cleanup_judge struct judge judge;
	json_t *line;

	(void)state;
	judge_start(&judge,
	            "{\"version\":1,\"exceptions\":[{\"id\":\"ex\",\"allow\":["
	            "\"unconfined\"],\"match\":{\"door\":[\"docker\"]},\"reason\":"
	            "\"r\"}]}");
	(void)judge_request(&judge, "POST", CREATE, UNCONFINED);
	line = parse_line(&judge, TEXT_LIT("h"));
	assert_string_equal(string_of(line, "decision"), "allow");
	assert_string_equal(string_of(line, "reason"), "exception");
	assert_string_equal(string_of(line, "rule"), "ex");
	assert_null(json_object_get(line, "message"));
	json_decref(line);
}

static void
an_observed_exception_would_match(void **state)
{
	cleanup_judge struct judge judge;
	json_t *line;

	(void)state;
	judge_start(&judge, "{\"version\":1,\"exceptions\":[{\"id\":\"ex\",\"mode\":"
	                    "\"observe\",\"allow\":[\"unconfined\"],\"match\":{\"door\":["
	                    "\"docker\"]},\"reason\":\"r\"}]}");
	(void)judge_request(&judge, "POST", CREATE, UNCONFINED);
	line = parse_line(&judge, TEXT_LIT("h"));
	assert_string_equal(string_of(line, "decision"), "deny");
	assert_string_equal(string_of(line, "would_match"), "ex");
	json_decref(line);
}

/* From date(1). */
static void
times_are_right_also_around_leap_days(void **state)
{
	static const struct {
		int64_t seconds;
		const char *time;
	} rows[] = {
	    {0, "1970-01-01T00:00:00.000000Z"},
	    {86399, "1970-01-01T23:59:59.000000Z"},
	    {68169600, "1972-02-29T00:00:00.000000Z"},
	    {951782399, "2000-02-28T23:59:59.000000Z"},
	    {951782400, "2000-02-29T00:00:00.000000Z"},
	    {951868800, "2000-03-01T00:00:00.000000Z"},
	    {978307199, "2000-12-31T23:59:59.000000Z"},
	    {1677628799, "2023-02-28T23:59:59.000000Z"},
	    {1677628800, "2023-03-01T00:00:00.000000Z"},
	    {1709164800, "2024-02-29T00:00:00.000000Z"},
	    {1709251200, "2024-03-01T00:00:00.000000Z"},
	    {1735689599, "2024-12-31T23:59:59.000000Z"},
	    {4107542399, "2100-02-28T23:59:59.000000Z"},
	    {4107542400, "2100-03-01T00:00:00.000000Z"},
	    {253402300799, "9999-12-31T23:59:59.000000Z"},
	};
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *line;

		judge.circumstances.now_us = rows[i].seconds * 1000000;
		line = parse_line(&judge, TEXT_LIT("h"));
		assert_string_equal(string_of(line, "time"), rows[i].time);
		json_decref(line);
	}
}

/* ---- bounds ---- */

/* A text of `len` copies of `unit`. */
static struct text
filled(struct arena *arena, const char *unit, size_t len)
{
	size_t size = strlen(unit);
	char *at = arena_alloc(arena, size * len);

	assert_non_null(at);
	for (size_t i = 0; i < len; i++)
		memcpy(at + i * size, unit, size);
	return (struct text){at, size * len};
}

static void
fill(struct judge *judge, const char *unit, size_t containers)
{
	struct decision *decision = &judge->decision;
	struct workload *workload = &decision->workload;
	struct arena *arena = &decision->arena;
	struct text value;

	decision_reset(decision);
	value = filled(arena, unit, 5000);
	decision->route.path = value;
	decision->route.query = filled(arena, "name=%01%02&version=&rollback=%ff;", 3000);
	decision->authz.method = workload->user = workload->auth = value;
	for (size_t i = 0; i < containers; i++) {
		struct container *container = workload_add(workload, arena);

		assert_non_null(container);
		container->name = container->image.text = container->runtime = value;
		container->setting = value;
		container->postures = ~0U;
		memset(container->digest, 'd', sizeof container->digest - 1);
	}
	decision->verdict.reason = REASON_POSTURE;
	decision->verdict.posture = POSTURE_PRIVILEGED;
	decision->verdict.guard = -1;
	decision->verdict.container = containers ? containers - 1 : 0;
	verdict_explain(&decision->verdict, workload, value);
}

static void
a_line_has_room_whatever_the_request_held(void **state)
{
	static const char *const units[] = {
	    "x",           "\x01", "\x7f",         "\"",
	    "\\",          "\xff", "\xe2\x82\xac", "\xf0\x9f\x90\xb3",
	    "\xe2\x80\xae"};
	static const size_t counts[] = {0, 1, 2, 3, 65, WORKLOAD_CONTAINERS_MAX};
	struct judge judge;

	(void)state;
	for (size_t i = 0; i < COUNT(units) * COUNT(counts); i++) {
		size_t count = counts[i / COUNT(units)];
		struct text host;
		json_t *line;

		judge_start(&judge, NULL);
		judge.decision.arena.limit = SIZE_MAX;
		fill(&judge, units[i % COUNT(units)], count);
		host = filled(&judge.decision.arena, units[i % COUNT(units)], 300);
		line = parse_line(&judge, host);
		if (count > 0) {
			size_t shown =
			    json_array_size(json_object_get(line, "containers"));
			json_int_t omitted =
			    json_integer_value(json_object_get(line, "omitted"));

			assert_true(shown > 0);
			assert_int_equal(shown + (size_t)omitted, count);
		}
		json_decref(line);
		judge_stop(&judge);
	}
}

static void
the_container_that_decided_comes_first(void **state)
{
	static char names[5][2] = {"0", "1", "2", "3", "4"};
	static const char *const expected = "20134";
	cleanup_judge struct judge judge;
	json_t *line, *containers;

	(void)state;
	judge_start(&judge, NULL);
	for (size_t i = 0; i < COUNT(names); i++)
		workload_add(&judge.decision.workload, &judge.decision.arena)->name =
		    text_of(names[i]);
	judge.decision.verdict.container = 2;
	line = parse_line(&judge, TEXT_LIT("h"));
	containers = json_object_get(line, "containers");
	assert_int_equal(json_array_size(containers), COUNT(names));
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(string_of(json_array_get(containers, i), "name")[0],
		                 expected[i]);
	json_decref(line);
}

static void
without_memory_the_line_is_not_ok(void **state)
{
	cleanup_judge struct judge judge;
	cleanup_buf struct buf buf = {.limit = 100};

	(void)state;
	judge_start(&judge, NULL);
	(void)judge_request(&judge, "POST", CREATE, UNCONFINED);
	record_line(&buf, &judge.decision, &judge.circumstances, TEXT_LIT("h"));
	assert_false(buf_ok(&buf));
}

/* ---- secrets ---- */

#define HEADERS                                                                          \
	"{\"X-Token\":\"S3CRET\",\"Content-Type\":\"S3CRET\",\"S3CRET\":\"\","           \
	"\"Content-Length\":\"S3CRET\"}"

static const struct {
	const char *target, *body;
} secretive[] = {
    {CREATE "?token=S3CRET&name=x&S3CRET", UNCONFINED},
    {"http://user:S3CRET@S3CRET/containers/create?a=S3CRET#S3CRET", "{}"},
    {CREATE, NULL},
    {CREATE, "S3CRET"},
    {CREATE, "{\"Env\":[\"P=S3CRET\"],\"Cmd\":[\"S3CRET\"],\"Entrypoint\":\"S3CRET\","
             "\"Labels\":{\"S3CRET\":\"S3CRET\"},\"HostConfig\":{\"Privileged\":true,"
             "\"Binds\":[\"S3CRET\"],\"Annotations\":{\"a\":\"S3CRET\"}}}"},
    {CREATE, "{\"HostConfig\":{\"SecurityOpt\":[\"seccomp={\\\"S3CRET\\\":[]}\"]}}"},
    {CREATE, "{\"HostConfig\":{\"SecurityOpt\":[\"seccomp={\\\"defaultAction\\\":"
             "\\\"SCMP_ACT_ALLOW\\\",\\\"S3CRET\\\":[]}\",\"S3CRET\"]}}"},
    {CREATE, "{\"HostConfig\":{\"Annotations\":{\"run.oci.handler\":\"S3CRET\"}}}"},
    {"/v1.23/containers/x/start?detachKeys=S3CRET", "{\"Env\":[\"S3CRET\"]}"},
    {"/services/create",
     "{\"Labels\":{\"S3CRET\":\"S3CRET\"},\"TaskTemplate\":{"
     "\"ContainerSpec\":{\"Env\":[\"S3CRET\"],\"Privileges\":{"
     "\"Seccomp\":{\"Mode\":\"unconfined\",\"Profile\":\"S3CRET\"}}}}}"},
    {"/swarm/join?x=S3CRET", "{\"JoinToken\":\"S3CRET\"}"},
    {"/build?buildargs=S3CRET", "S3CRET"},
    {"/plugins/x/set?S3CRET", "[\"S3CRET\"]"},
    {"/secrets/create", "{\"Data\":\"S3CRET\"}"},
    {"S3CRET", "S3CRET"},
};

static void
no_line_holds_a_secret(void **state)
{
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, "{\"version\":1,\"guard\":[\"self\",\"plugins\",\"builds\","
	                    "\"legacy-start\",\"swarm-membership\"]}");
	for (size_t i = 0; i < COUNT(secretive); i++) {
		cleanup_buf struct buf envelope = {0}, line = {0};

		write_envelope(&envelope, "POST", secretive[i].target, HEADERS,
		               text_of(secretive[i].body));
		(void)judge_envelope(&judge, buf_text(&envelope));
		record_line(&line, &judge.decision, &judge.circumstances, TEXT_LIT("h"));
		assert_true(buf_ok(&line));
		if (strstr(line.at, "S3CRET") || strstr(line.at, "UzNDUkVU"))
			fail_msg("%s", line.at);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_denial_has_all_its_fields),
	    cmocka_unit_test(what_is_not_known_is_left_out),
	    cmocka_unit_test(a_use_of_an_exception_names_it),
	    cmocka_unit_test(an_observed_exception_would_match),
	    cmocka_unit_test(times_are_right_also_around_leap_days),
	    cmocka_unit_test(a_line_has_room_whatever_the_request_held),
	    cmocka_unit_test(the_container_that_decided_comes_first),
	    cmocka_unit_test(without_memory_the_line_is_not_ok),
	    cmocka_unit_test(no_line_holds_a_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
