/* SPDX-License-Identifier: Apache-2.0 */
/* test_docker_service.c - what a Swarm service would run. */
#include "core/docker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define UNREADABLE POSTURE_BIT(POSTURE_UNREADABLE)
#define UNCONFINED POSTURE_BIT(POSTURE_UNCONFINED)
#define PERMISSIVE POSTURE_BIT(POSTURE_PERMISSIVE)
#define CUSTOM     POSTURE_BIT(POSTURE_CUSTOM)
#define DEFAULT    POSTURE_BIT(POSTURE_DEFAULT)

#define TASK(s)           "{\"Name\":\"web\",\"TaskTemplate\":{" s "}}"
#define SPEC(s)           TASK("\"ContainerSpec\":{\"Image\":\"nginx\"," s "}")
#define SECCOMP(s)        SPEC("\"Privileges\":{\"Seccomp\":{" s "}}")
#define CUSTOM_OF(base64) SECCOMP("\"Mode\":\"custom\",\"Profile\":\"" base64 "\"")

static const struct {
	const char *body;
	unsigned postures, guards;
} bodies[] = {
    /* the default */
    {"{}", DEFAULT, 0},
    {TASK(""), DEFAULT, 0},
    {TASK("\"ContainerSpec\":null"), DEFAULT, 0},
    {SPEC("\"Privileges\":null"), DEFAULT, 0},
    {SPEC("\"Privileges\":{\"SELinuxContext\":null,\"NoNewPrivileges\":true}"), DEFAULT,
     0},
    {SPEC("\"Privileges\":{\"Seccomp\":null}"), DEFAULT, 0},
    {SECCOMP(""), DEFAULT, 0},
    {SECCOMP("\"Mode\":\"default\""), DEFAULT, 0},
    {SECCOMP("\"Mode\":\"default\",\"Profile\":\"e30=\""), DEFAULT, 0},
    {SECCOMP("\"Mode\":\"\""), DEFAULT, 0},
    {SECCOMP("\"Mode\":null"), DEFAULT, 0},
    {SECCOMP("\"Mode\":\"custom\""), DEFAULT, 0},
    {CUSTOM_OF(""), DEFAULT, 0},
    {CUSTOM_OF("YnVpbHRpbg=="), DEFAULT, 0}, /* builtin */
    /* no filter */
    {SECCOMP("\"Mode\":\"unconfined\""), UNCONFINED, 0},
    {SECCOMP("\"Mode\":\"unconfined\",\"Profile\":\"YnVpbHRpbg==\""), UNCONFINED, 0},
    {SECCOMP("\"mode\":\"\\u0075nconfined\""), UNCONFINED, 0},
    {"{\"ta\xc5\xbf\xe2\x84\xaatemplate\":{\"CONTAINERSPEC\":{\"privileges\":{"
     "\"\\u0073eccomp\":{\"MODE\":\"unconfined\"}}}}}",
     UNCONFINED, 0},
    {CUSTOM_OF("dW5jb25maW5lZA=="), UNCONFINED, 0}, /* unconfined */
    {CUSTOM_OF("e30="), UNCONFINED, 0},             /* {} */
    {CUSTOM_OF("bnVsbA=="), UNCONFINED, 0},         /* null */
    {CUSTOM_OF("eyJkZWZhdWx0QWN0aW9uIjoiU0NNUF9BQ1RfQUxMT1cifQ=="), PERMISSIVE, 0},
    {CUSTOM_OF("eyJkZWZhdWx0QWN0aW9uIjoiU0NNUF9BQ1RfRVJSTk8ifQ=="), CUSTOM, 0},
    /* what engines of today take for the default, by accident */
    {SECCOMP("\"Mode\":\"Unconfined\""), UNREADABLE, 0},
    {SECCOMP("\"Mode\":\"bogus\""), UNREADABLE, 0},
    {SECCOMP("\"Mode\":\"unconfined \""), UNREADABLE, 0},
    /* what can't be read */
    {SECCOMP("\"Mode\":\"default\",\"mode\":\"unconfined\""), UNREADABLE, 0},
    {SECCOMP("\"Mode\":1"), UNREADABLE, 0},
    {SPEC("\"Privileges\":{\"Seccomp\":{},\"SECCOMP\":{\"Mode\":\"unconfined\"}}"),
     UNREADABLE, 0},
    {TASK("\"ContainerSpec\":{},\"containerspec\":{}"), UNREADABLE, 0},
    {"{\"TaskTemplate\":{},\"TaskTemplate\":{}}", UNREADABLE, 0},
    {CUSTOM_OF("e30"), UNREADABLE, 0},
    {CUSTOM_OF("e3\\n0="), UNREADABLE, 0}, /* Go skips the line feed */
    {CUSTOM_OF("e31="), UNREADABLE, 0},
    {CUSTOM_OF("!!!!"), UNREADABLE, 0},
    {SECCOMP("\"Mode\":\"custom\",\"Profile\":[123,125]"), UNREADABLE, 0}, /* Go: {} */
    {CUSTOM_OF("bm90IGpzb24="), UNREADABLE, 0},
    {"{} {}", UNREADABLE, 0},
    {"[]", UNREADABLE, 0},
    {"null", UNREADABLE, 0},
    {" ", UNREADABLE, 0},
    /* managed plugins */
    {TASK("\"Runtime\":\"plugin\""), DEFAULT, GUARD_BIT(GUARD_PLUGINS)},
    {TASK("\"Runtime\":\"plugin\",\"PluginSpec\":{\"name\":\"x\"}"), DEFAULT,
     GUARD_BIT(GUARD_PLUGINS)},
    {TASK("\"PluginSpec\":{}"), DEFAULT, GUARD_BIT(GUARD_PLUGINS)},
    {TASK("\"PluginSpec\":null,\"Runtime\":\"container\""), DEFAULT, 0},
    {TASK("\"Runtime\":\"\""), DEFAULT, 0},
    {TASK("\"Runtime\":\"Plugin\""), UNREADABLE, 0},
    {TASK("\"Runtime\":\"attachment\""), UNREADABLE, 0},
};

static void
postures_and_guards_follow_from_the_body(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		cleanup_arena struct arena arena = {0};
		struct workload workload = {0};
		const struct container *container;

		docker_service_read(text_of(bodies[i].body), &arena, &workload);
		assert_int_equal(workload.count, 1);
		container = workload.containers;
		if (container->postures != bodies[i].postures ||
		    container->guards != bodies[i].guards)
			fail_msg("%s: postures %#x, guards %#x (%s)", bodies[i].body,
			         container->postures, container->guards,
			         workload.unreadable.text);
	}
}

static void
facts_for_exceptions_are_read(void **state)
{
	cleanup_arena struct arena arena = {0};
	struct workload workload = {0};
	const struct container *container;

	(void)state;
	docker_service_read(
	    TEXT_LIT("{\"Name\":\"web\",\"Labels\":{\"of\":\"service\"},"
	             "\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"nginx\","
	             "\"Labels\":{\"team\":\"a\"}}}}"),
	    &arena, &workload);
	container = workload.containers;
	assert_true(text_is(container->name, "web"));
	assert_true(text_is(container->image.text, "docker.io/library/nginx:latest"));
	assert_int_equal(container->labels.count, 1);
	assert_true(text_is(container->labels.at[0].key, "team"));
	assert_true(container->asked_nothing);
}

/* ---- whole calls ---- */

static const struct {
	const char *target, *body;
	unsigned postures, guards;
} calls[] = {
    {"/services/create", "{}", DEFAULT, 0},
    {"/services/create", NULL, UNREADABLE, 0},
    {"/v1.44/services/create?#%zz", NULL, UNREADABLE, 0},
    {"/services/create?rollback=previous", "{}", DEFAULT, 0},
    {"/services/web/update?version=1", "{}", DEFAULT, 0},
    {"/services/web/update?version=1", NULL, UNREADABLE, 0},
    {"/services/web/update?version=1&rollback=", "{}", DEFAULT, 0},
    {"/services/web/update?version=1&rollback=previous", "{}", DEFAULT,
     GUARD_BIT(GUARD_ROLLBACK)},
    {"/services/web/update?version=1&%72ollback=previous", "{}", DEFAULT,
     GUARD_BIT(GUARD_ROLLBACK)},
    {"/services/web/update?rollback=previous", NULL, UNREADABLE,
     GUARD_BIT(GUARD_ROLLBACK)},
    {"/services/web/update?version=1;rollback=previous", "{}", DEFAULT,
     GUARD_BIT(GUARD_ROLLBACK)},
    {"/services/web/update?version=1&#%zz", "{}", DEFAULT, GUARD_BIT(GUARD_ROLLBACK)},
};

static void
calls_meet_the_rollback_guard_and_need_a_body(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(calls); i++) {
		cleanup_arena struct arena arena = {0};
		struct workload workload = {0};
		struct docker_route route;
		struct docker_request request = {.route = &route,
		                                 .body = text_of(calls[i].body)};

		assert_int_equal(docker_route(TEXT_LIT("POST"), text_of(calls[i].target),
		                              &arena, &route, NULL),
		                 0);
		assert_true(docker_call_read(&request, &arena, &workload));
		assert_int_equal(workload.count, 1);
		if (workload.containers[0].postures != calls[i].postures ||
		    workload.containers[0].guards != calls[i].guards)
			fail_msg("%s: postures %#x, guards %#x", calls[i].target,
			         workload.containers[0].postures,
			         workload.containers[0].guards);
		assert_int_equal(workload.no_body, !calls[i].body);
	}
}

static void
without_memory_there_is_no_container(void **state)
{
	struct arena arena = {.limit = 1};
	struct workload workload = {0};

	(void)state;
	docker_service_read(TEXT_LIT("{}"), &arena, &workload);
	assert_int_equal(workload.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(postures_and_guards_follow_from_the_body),
	    cmocka_unit_test(facts_for_exceptions_are_read),
	    cmocka_unit_test(calls_meet_the_rollback_guard_and_need_a_body),
	    cmocka_unit_test(without_memory_there_is_no_container),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
