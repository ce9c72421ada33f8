/* SPDX-License-Identifier: Apache-2.0 */
/* test_docker_plugin.c - which calls of the plugin API touch us, which any plugin. */
#include "core/docker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SELF         GUARD_BIT(GUARD_SELF)
#define PLUGINS      GUARD_BIT(GUARD_PLUGINS)

/* ---- names ---- */

static const struct {
	const char *name, *own;
	bool is;
} names[] = {
    {"seccomp-authz", "seccomp-authz", true},
    {"seccomp-authz:latest", "seccomp-authz", true},
    {"seccomp-authz:1.0", "seccomp-authz", true},
    {"library/seccomp-authz", "seccomp-authz", true},
    {"docker.io/seccomp-authz", "seccomp-authz", true},
    {"docker.io/library/seccomp-authz:latest", "seccomp-authz", true},
    {"index.docker.io/library/seccomp-authz", "seccomp-authz", true},
    {"seccomp-authz", "docker.io/library/seccomp-authz:latest", true},
    {"acme/seccomp-authz", "acme/seccomp-authz:2", true},
    {"docker.io/acme/seccomp-authz", "acme/seccomp-authz", true},
    {"cafe", "cafe", true},
    {"cafe:latest", "cafe", true},
    {"docker.io/library/cafe", "cafe", true},
    {"cafe", "cafe:latest", true},
    {"seccomp-authz2", "seccomp-authz", false},
    {"acme/seccomp-authz", "seccomp-authz", false},
    {"registry.example.com/library/seccomp-authz", "seccomp-authz", false},
    {"seccomp", "seccomp-authz", false},
    {"cafe", "beef", false},
    {"Seccomp-Authz", "seccomp-authz", false}, /* no name that engines take */
    {"", "seccomp-authz", false},
    {"seccomp-authz", "", false},
};

static void
a_name_is_ours_in_every_spelling(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		cleanup_arena struct arena arena = {0};

		if (docker_plugin_is(text_of(names[i].name), text_of(names[i].own),
		                     &arena) != names[i].is)
			fail_msg("%s and %s", names[i].name, names[i].own);
	}
}

static void
without_memory_a_name_may_be_ours(void **state)
{
	struct arena arena = {.limit = 1};

	(void)state;
	assert_true(docker_plugin_is(TEXT_LIT("docker.io/seccomp-authz"),
	                             TEXT_LIT("seccomp-authz"), &arena));
}

/* ---- calls ---- */

#define NO_BODY "{\"Content-Type\":\"multipart/form-data; boundary=b\"}"

static const struct call {
	const char *method, *target;
	unsigned guards;
	bool managed;
	bool shows_body; /* the envelope carries one */
} calls[] = {
    /* the plugins guard */
    {"POST", "/plugins/create?name=x", PLUGINS, false, false},
    {"POST", "/plugins/pull?remote=x&name=", PLUGINS, false, true},
    {"POST", "/plugins/pull?remote=x&name=y", PLUGINS, false, false},
    {"POST", "/plugins/pull?remote=x", PLUGINS, false, true},
    {"POST", "/plugins/x/enable?timeout=30", PLUGINS, false, false},
    {"POST", "/plugins/x/upgrade?remote=y", PLUGINS, false, true},
    {"POST", "/plugins/x/set", PLUGINS, false, true},
    {"POST", "/plugins/x/disable", 0, false, false},
    {"DELETE", "/plugins/x?force=1", 0, false, false},
    /* ourselves */
    {"POST", "/plugins/own/disable", SELF, false, false},
    {"POST", "/v1.41/plugins/%6fwn/disable", SELF, false, false},
    {"POST", "/plugins/docker.io/library/own:latest/disable", SELF, false, false},
    {"POST", "/plugins/docker.io%2Flibrary%2Fown/disable?force=1", SELF, false, false},
    {"DELETE", "/plugins/own", SELF, false, false},
    {"DELETE", "/plugins/own:latest?force=1", SELF, false, false},
    {"POST", "/plugins/own/set", PLUGINS | SELF, false, true},
    {"POST", "/plugins/own/enable", PLUGINS | SELF, false, false},
    {"POST", "/plugins/own/upgrade?remote=x", PLUGINS | SELF, false, true},
    {"POST", "/plugins/x/upgrade?remote=own", PLUGINS | SELF, false, true},
    {"POST", "/plugins/create?name=own", PLUGINS | SELF, false, false},
    {"POST", "/plugins/create?na%6de=o%77n", PLUGINS | SELF, false, false},
    {"POST", "/plugins/pull?remote=x&name=own", PLUGINS | SELF, false, true},
    {"POST", "/plugins/pull?remote=own", PLUGINS | SELF, false, true},
    {"POST", "/plugins/pull?remote=own&name=", PLUGINS | SELF, false, true},
    /* engines differ about the query */
    {"POST", "/plugins/create?a;name=own&name=x", PLUGINS | SELF, false, false},
    {"POST", "/plugins/create?name=%zz&name=x", PLUGINS | SELF, false, false},
    {"POST", "/plugins/pull?name=&remote=%zz", PLUGINS | SELF, false, true},
    /* what the query lacks, engines take from a multipart body */
    {"POST", "/plugins/create", PLUGINS | SELF, false, false},
    {"POST", "/plugins/create?x=1", PLUGINS | SELF, false, false},
    {"POST", "/plugins/pull?remote=x", PLUGINS | SELF, false, false},
    {"POST", "/plugins/pull?name=", PLUGINS | SELF, false, false},
    {"POST", "/plugins/pull?name=y", PLUGINS, false, false},
    /* where we are managed ourselves, a name can be the start of our ID */
    {"POST", "/plugins/0af/disable", 0, false, false},
    {"POST", "/plugins/0af/disable", SELF, true, false},
    {"DELETE", "/plugins/f", SELF, true, false},
    {"POST", "/plugins/0AF/disable", 0, true, false},
    {"POST", "/plugins/0af:x/disable", 0, true, false},
    {"POST", "/plugins/create?name=0af", PLUGINS, true, false},
};

static unsigned
read_guards(const struct call *call, struct arena *arena, struct workload *workload)
{
	struct docker_route route;
	struct authz authz = {.headers = TEXT_LIT(NO_BODY)};
	struct docker_request request = {.route = &route,
	                                 .envelope = &authz,
	                                 .own_name = TEXT_LIT("own"),
	                                 .managed_plugin = call->managed};

	if (call->shows_body)
		authz.encoded_body = TEXT_LIT("W10=");
	assert_int_equal(docker_route(text_of(call->method), text_of(call->target), arena,
	                              &route, NULL),
	                 0);
	if (!docker_call_read(&request, arena, workload))
		return 0;
	assert_int_equal(workload->operation, OPERATION_PLUGIN);
	assert_int_equal(workload->count, 1);
	assert_int_equal(workload->containers[0].postures, 0);
	assert_int_not_equal(workload->containers[0].guards, 0);
	return workload->containers[0].guards;
}

static void
each_call_meets_its_guards(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(calls); i++) {
		cleanup_arena struct arena arena = {0};
		struct workload workload = {0};
		unsigned guards = read_guards(&calls[i], &arena, &workload);

		if (guards != calls[i].guards)
			fail_msg("%s %s: guards %#x, not %#x", calls[i].method,
			         calls[i].target, guards, calls[i].guards);
	}
}

static void
name_and_reference_are_facts_for_exceptions(void **state)
{
	static const struct call pull = {
	    "POST", "/plugins/pull?remote=acme/log:2&name=log", 0, false, true};
	cleanup_arena struct arena arena = {0};
	struct workload workload = {0};

	(void)state;
	(void)read_guards(&pull, &arena, &workload);
	assert_true(text_is(workload.containers[0].name, "log"));
	assert_true(text_is(workload.containers[0].image.text, "docker.io/acme/log:2"));
}

static void
without_memory_no_call_is_harmless(void **state)
{
	static const struct docker_route routes[] = {
	    {.call = CALL_PLUGIN_DISABLE, .subject = {"x", 1}},
	    {.call = CALL_PLUGIN_REMOVE, .subject = {"x", 1}}};

	(void)state;
	for (size_t i = 0; i < COUNT(routes); i++) {
		struct arena arena = {.limit = 1};
		struct workload workload = {0};
		struct docker_request request = {.route = &routes[i],
		                                 .own_name = TEXT_LIT("own")};

		assert_true(docker_call_read(&request, &arena, &workload));
		assert_int_equal(workload.count, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_name_is_ours_in_every_spelling),
	    cmocka_unit_test(without_memory_a_name_may_be_ours),
	    cmocka_unit_test(each_call_meets_its_guards),
	    cmocka_unit_test(name_and_reference_are_facts_for_exceptions),
	    cmocka_unit_test(without_memory_no_call_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
