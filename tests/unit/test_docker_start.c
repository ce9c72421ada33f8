/* SPDX-License-Identifier: Apache-2.0 */
/* test_docker_start.c - starts: plain ones are nothing, bodies and checkpoints are judged. */
#include "core/docker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define UNREADABLE POSTURE_BIT(POSTURE_UNREADABLE)
#define PRIVILEGED POSTURE_BIT(POSTURE_PRIVILEGED)
#define UNCONFINED POSTURE_BIT(POSTURE_UNCONFINED)
#define CUSTOM     POSTURE_BIT(POSTURE_CUSTOM)
#define DEFAULT    POSTURE_BIT(POSTURE_DEFAULT)
#define STRICT     "{\\\"defaultAction\\\":\\\"SCMP_ACT_ERRNO\\\"}"

/* ---- bodies ---- */

static const struct {
	const char *body;
	unsigned postures;
} bodies[] = {
    {"{\"SecurityOpt\":[\"seccomp=unconfined\"]}", UNCONFINED},
    {"{\"SecurityOpt\":[\"seccomp:unconfined\"]}", UNCONFINED},
    {"{\"HostConfig\":{\"SecurityOpt\":[\"seccomp=unconfined\"]}}", UNCONFINED},
    {"{\"hostconfig\":{\"\\u0053ecurityopt\":[\"seccomp=unconfined\"]}}", UNCONFINED},
    {"{\"HostConfig\":{},\"SecurityOpt\":[\"seccomp={}\"]}", UNREADABLE},
    {"{\"Privileged\":true}", PRIVILEGED},
    {"{\"HostConfig\":{\"Privileged\":true}}", PRIVILEGED},
    {"{\"SecurityOpt\":[\"seccomp=\"]}", DEFAULT},
    {"{\"SecurityOpt\":[\"seccomp=" STRICT "\"]}", CUSTOM},
    {"{\"SecurityOpt\":[\"seccomp=" STRICT "\"],\"CapAdd\":[\"SYS_ADMIN\"]}", CUSTOM},
    /* without an entry of its own the stored profile stays */
    {"{\"Memory\":0,\"Binds\":[]}", DEFAULT},
    {"{\"SecurityOpt\":[\"label=disable\"]}", DEFAULT},
    {"   null   ", DEFAULT},
    {"{\"CapAdd\":[],\"CapDrop\":null}", DEFAULT},
    {"{\"CapAdd\":[ \t\r\n],\"CapDrop\":\"\"}", DEFAULT},
    /* ... but what it does with other capabilities can't be seen */
    {"{\"CapAdd\":[\"SYS_ADMIN\"]}", DEFAULT | UNREADABLE},
    {"{\"CapDrop\":[\"CHOWN\"]}", DEFAULT | UNREADABLE},
    {"{\"CapAdd\":\"ALL\"}", DEFAULT | UNREADABLE},
    {"{\"CapAdd\":\" \"}", DEFAULT | UNREADABLE},
    {"{\"CapAdd\":[null]}", DEFAULT | UNREADABLE},
    {"{\"CapAdd\":[[]]}", DEFAULT | UNREADABLE},
    {"{\"HostConfig\":{\"CapAdd\":[\"ALL\"]}}", DEFAULT | UNREADABLE},
    {"{\"Privileged\":true,\"CapAdd\":[\"ALL\"]}", PRIVILEGED | UNREADABLE},
    {"{\"HostConfig\":{\"CapAdd\":[\"ALL\"]},\"SecurityOpt\":[\"seccomp=builtin\"]}",
     UNREADABLE},
    {"{\"HostConfig\":{\"SecurityOpt\":[\"seccomp=\"]},\"CapDrop\":[\"ALL\"]}",
     DEFAULT | UNREADABLE},
    {"{\"HostConfig\":{\"CapAdd\":[\"ALL\"],\"Annotations\":{\"run.oci.handler\":"
     "\"\"}}}",
     UNCONFINED | UNREADABLE},
    /* what can't be read */
    {"{\"SecurityOpt\":[],\"SecurityOpt\":[]}", UNREADABLE},
    {"{\"SecurityOpt\":[null]}", UNREADABLE},
    {"{\"CapAdd\":[],\"capadd\":[]}", UNREADABLE},
    {"{} {\"Privileged\":true}", UNREADABLE},
    {"null {\"Privileged\":true}", UNREADABLE},
    {"[\"Privileged\"]", UNREADABLE},
    {"12345678", UNREADABLE},
};

static void
a_body_is_judged_like_a_create(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		cleanup_arena struct arena arena = {0};
		struct workload workload = {0};
		unsigned postures;

		docker_start_read(text_of(bodies[i].body), TEXT_LIT("web"), &arena,
		                  &workload);
		assert_int_equal(workload.count, 1);
		postures = workload.containers[0].postures;
		/* what can't be read needs no second posture */
		if (postures != bodies[i].postures &&
		    postures != (bodies[i].postures & ~DEFAULT))
			fail_msg("%s: %#x, not %#x", bodies[i].body, postures,
			         bodies[i].postures);
		assert_int_equal(workload.containers[0].guards,
		                 GUARD_BIT(GUARD_LEGACY_START));
		assert_true(text_is(workload.containers[0].name, "web"));
	}
}

/* ---- whole calls ---- */

#define JSON_TYPE "\"Content-Type\":\"application/json\""

enum outcome { NOTHING, GUARDED, WITHOUT_BODY, JUDGED };

static const struct call {
	const char *target, *headers; /* NULL: offline, no envelope */
	const char *body;
	enum outcome outcome;
	unsigned guards;
} calls[] = {
    /* what clients send */
    {"/v1.41/containers/abc/start", "{}", NULL, NOTHING, 0},
    {"/v1.41/containers/abc/start", "{\"Content-Length\":\"0\"}", NULL, NOTHING, 0},
    {"/v1.23/containers/abc/start", "{\"Content-Length\":\"0\"}", NULL, NOTHING, 0},
    {"/v1.23/containers/abc/start",
     "{\"Content-Length\":\"0\",\"Content-Type\":\"text/plain\"}", NULL, NOTHING, 0},
    {"/v1.23/containers/abc/start", "{}", NULL, NOTHING, 0},
    {"/v1.23/containers/abc/start", "null", NULL, NOTHING, 0},
    {"/containers/abc/start", "{" JSON_TYPE "}", NULL, NOTHING, 0},
    {"/v1.24/containers/abc/start", "{" JSON_TYPE "}", NULL, NOTHING, 0},
    {"/v1.41/containers/abc/start?detachKeys=ctrl-c", "{}", NULL, NOTHING, 0},
    {"/v1.23/containers/abc/start", NULL, NULL, NOTHING, 0},
    /* a body that is too short to count */
    {"/v1.23/containers/abc/start", "{" JSON_TYPE "}", "{}", NOTHING, 0},
    {"/v1.23/containers/abc/start", "{" JSON_TYPE "}", "{     }", NOTHING, 0},
    /* a body to be seen */
    {"/v1.23/containers/abc/start", "{" JSON_TYPE "}", "{      }", JUDGED,
     GUARD_BIT(GUARD_LEGACY_START)},
    {"/v1.41/containers/abc/start", "{}", "{\"Privileged\":true}", JUDGED,
     GUARD_BIT(GUARD_LEGACY_START)},
    {"/v1.23/containers/abc/start", NULL, "{\"Privileged\":true}", JUDGED,
     GUARD_BIT(GUARD_LEGACY_START)},
    /* a body that engines of old act on and don't show */
    {"/v1.23/containers/abc/start", "{" JSON_TYPE "}", NULL, WITHOUT_BODY,
     GUARD_BIT(GUARD_LEGACY_START)},
    {"/v1.23.5/containers/abc/start", "{" JSON_TYPE "}", NULL, WITHOUT_BODY,
     GUARD_BIT(GUARD_LEGACY_START)},
    {"/v1.023/containers/abc/start", "{" JSON_TYPE "}", NULL, WITHOUT_BODY,
     GUARD_BIT(GUARD_LEGACY_START)},
    {"/v01.12/containers%2Fabc/start", "{" JSON_TYPE "}", NULL, WITHOUT_BODY,
     GUARD_BIT(GUARD_LEGACY_START)},
    {"/v1.23/containers/abc/start", "{" JSON_TYPE ",\"Content-Length\":\"1048576\"}",
     NULL, WITHOUT_BODY, GUARD_BIT(GUARD_LEGACY_START)},
    {"/v1.23/containers/abc/start", "{\"Content-Length\":\"00\"}", NULL, WITHOUT_BODY,
     GUARD_BIT(GUARD_LEGACY_START)},
    {"/v1.23/containers/abc/start", "{\"Content-Type\":\"\"}", NULL, WITHOUT_BODY,
     GUARD_BIT(GUARD_LEGACY_START)},
    {"/v1.23/containers/abc/start", "{\"C\\u006fntent-Type\":null}", NULL, WITHOUT_BODY,
     GUARD_BIT(GUARD_LEGACY_START)},
    /* headers that can't be read may hold anything */
    {"/v1.23/containers/abc/start", "[]", NULL, WITHOUT_BODY,
     GUARD_BIT(GUARD_LEGACY_START)},
    {"/v1.23/containers/abc/start", "{\"Content-Type\":1}", NULL, WITHOUT_BODY,
     GUARD_BIT(GUARD_LEGACY_START)},
    /* checkpoints */
    {"/v1.41/containers/abc/start?checkpoint=c", "{}", NULL, GUARDED,
     GUARD_BIT(GUARD_CHECKPOINT)},
    {"/v1.41/containers/abc/start?x=1&%63heckpoint=c", "{}", NULL, GUARDED,
     GUARD_BIT(GUARD_CHECKPOINT)},
    {"/v1.41/containers/abc/start?x=1;checkpoint=c", "{}", NULL, GUARDED,
     GUARD_BIT(GUARD_CHECKPOINT)},
    {"/v1.41/containers/abc/start?checkpoint=%zz", "{}", NULL, GUARDED,
     GUARD_BIT(GUARD_CHECKPOINT)},
    {"/v1.41/containers/abc/start?checkpoint=", "{}", NULL, NOTHING, 0},
    {"/v1.41/containers/abc/start?checkpoint=&checkpoint=c", "{}", NULL, NOTHING, 0},
    {"/v1.41/containers/abc/start?checkpoint-dir=c", "{}", NULL, NOTHING, 0},
    {"/v1.23/containers/abc/start?checkpoint=c", "{" JSON_TYPE "}", NULL, WITHOUT_BODY,
     GUARD_BIT(GUARD_CHECKPOINT) | GUARD_BIT(GUARD_LEGACY_START)},
    {"/v1.23/containers/abc/start?checkpoint=c", "{}", "{\"Memory\":1}", JUDGED,
     GUARD_BIT(GUARD_CHECKPOINT) | GUARD_BIT(GUARD_LEGACY_START)},
};

static enum outcome
read_call(const struct call *call, struct arena *arena, struct workload *workload)
{
	struct docker_route route;
	struct authz authz = {.headers = text_of(call->headers)};
	struct docker_request request = {.route = &route,
	                                 .body = text_of(call->body),
	                                 .envelope = call->headers ? &authz : NULL};

	*workload = (struct workload){0};
	assert_int_equal(
	    docker_route(TEXT_LIT("POST"), text_of(call->target), arena, &route, NULL),
	    0);
	assert_int_equal(route.call, CALL_CONTAINER_START);
	if (!docker_call_read(&request, arena, workload))
		return NOTHING;
	assert_int_equal(workload->operation, OPERATION_START);
	if (workload->no_body)
		return WITHOUT_BODY;
	return workload->containers[0].postures ? JUDGED : GUARDED;
}

static void
only_a_start_that_can_change_something_is_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(calls); i++) {
		cleanup_arena struct arena arena = {0};
		struct workload workload;
		enum outcome outcome = read_call(&calls[i], &arena, &workload);

		if (outcome != calls[i].outcome)
			fail_msg("%s %s: %d, not %d", calls[i].target, calls[i].headers,
			         outcome, calls[i].outcome);
		if (workload.count > 0)
			assert_int_equal(workload.containers[0].guards, calls[i].guards);
		if (outcome == WITHOUT_BODY)
			assert_int_equal(workload.containers[0].postures, UNREADABLE);
	}
}

/* More headers than anybody would keep in a list: the one that counts is the last. */
static void
no_number_of_headers_hides_the_one_that_counts(void **state)
{
	enum { HEADERS = 20000, ROOM = HEADERS * 16 + 64 };
	char *headers = malloc(ROOM), *at = headers;
	cleanup_arena struct arena arena = {0};
	struct workload workload;
	struct call call = {.target = "/v1.23/containers/abc/start", .headers = headers};

	(void)state;
	assert_non_null(headers);
	at += snprintf(at, ROOM, "{");
	for (int i = 0; i < HEADERS; i++)
		at += snprintf(at, (size_t)(headers + ROOM - at), "\"X-%d\":\"\",", i);
	(void)snprintf(at, (size_t)(headers + ROOM - at), JSON_TYPE "}");
	assert_int_equal(read_call(&call, &arena, &workload), WITHOUT_BODY);
	free(headers);
}

/* A call is judged if docker_call_read() says so; without containers it is denied. */
static bool
is_judged_without_memory(const struct docker_route *route, const char *headers)
{
	struct arena arena = {.limit = 1};
	struct workload workload = {0};
	struct authz authz = {.headers = text_of(headers)};
	struct docker_request request = {.route = route, .envelope = &authz};
	bool judged = docker_call_read(&request, &arena, &workload);

	assert_int_equal(workload.count, 0);
	return judged;
}

static void
without_memory_nothing_is_a_plain_start(void **state)
{
	static const struct docker_route hidden = {.call = CALL_CONTAINER_START,
	                                           .version = {"1.23", 4}};
	static const struct docker_route checkpoint = {.call = CALL_CONTAINER_START,
	                                               .query = {"c%68eckpoint=c", 14}};

	(void)state;
	assert_true(
	    is_judged_without_memory(&hidden, "{\"\\u0041\":\"\"," JSON_TYPE "}"));
	assert_true(is_judged_without_memory(&checkpoint, "{}"));
}

static void
what_may_be_an_id_is_no_name(void **state)
{
	static const struct {
		const char *target, *name;
	} rows[] = {
	    {"/containers/web/start", "web"},
	    {"/containers/%2Fweb/start", "web"},
	    {"/containers/abc/start", NULL},
	    {"/containers/0123456789/start", NULL},
	    {"/containers/beef-1/start", "beef-1"},
	    {"/containers/ABC/start", "ABC"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_arena struct arena arena = {0};
		struct workload workload;
		struct call call = {.target = rows[i].target, .body = "{\"Memory\":1}"};

		assert_int_equal(read_call(&call, &arena, &workload), JUDGED);
		assert_true(text_is(workload.containers[0].name,
		                    rows[i].name ? rows[i].name : ""));
		assert_int_equal(!workload.containers[0].name.at, !rows[i].name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_body_is_judged_like_a_create),
	    cmocka_unit_test(only_a_start_that_can_change_something_is_judged),
	    cmocka_unit_test(no_number_of_headers_hides_the_one_that_counts),
	    cmocka_unit_test(without_memory_nothing_is_a_plain_start),
	    cmocka_unit_test(what_may_be_an_id_is_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
