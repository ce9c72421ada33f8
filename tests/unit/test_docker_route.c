/* SPDX-License-Identifier: Apache-2.0 */
/* test_docker_route.c - every spelling that engines route to a judged call is that call. */
#include "core/docker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CREATE       CALL_CONTAINER_CREATE
#define REFUSED      CALL_COUNT /* no engine could have routed it */

struct row {
	const char *method, *target;
	enum docker_call call;
	const char *version, *subject; /* NULL: missing */
};

static void
check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		cleanup_arena struct arena arena = {0};
		struct docker_route route = {.call = REFUSED};
		struct err err = {0};
		int result = docker_route(text_of(row->method), text_of(row->target),
		                          &arena, &route, &err);

		if ((result == 0) != (row->call != REFUSED) || route.call != row->call)
			fail_msg("%s %s: call %d", row->method, row->target, route.call);
		if (result != 0) {
			assert_int_equal(err.code, ERR_SYNTAX);
			continue;
		}
		if (!text_is(route.version, row->version ? row->version : ""))
			fail_msg("%s: version %.*s", row->target,
			         TEXT_ARG(route.version));
		assert_int_equal(!route.version.at, !row->version);
		if (row->call != CALL_OTHER &&
		    (!text_is(route.subject, row->subject ? row->subject : "") ||
		     !route.subject.at != !row->subject))
			fail_msg("%s: subject %.*s", row->target,
			         TEXT_ARG(route.subject));
	}
}

/* Measured on 20.10.24, 26.1.5 and 28.5.2: all of these reach the create handler. */
static const struct row reach_create[] = {
    {"POST", "/containers/create", CREATE, NULL, NULL},
    {"POST", "/v1.41/containers/create", CREATE, "1.41", NULL},
    {"POST", "/v1.41/containers/create?name=x", CREATE, "1.41", NULL},
    {"POST", "/containers/create?#%zz", CREATE, NULL, NULL},
    {"POST", "/containers/create?", CREATE, NULL, NULL},
    {"POST", "/containers/%63reate", CREATE, NULL, NULL},
    {"POST", "/%63ontainers/create", CREATE, NULL, NULL},
    {"POST", "/v1.41/containers%2Fcreate", CREATE, "1.41", NULL},
    {"POST", "/v1.41%2Fcontainers%2fcreate", CREATE, "1.41", NULL},
    {"POST", "%2Fcontainers/create", REFUSED, NULL, NULL},
    {"POST", "/v1%2E41/containers/create", CREATE, "1.41", NULL},
    {"POST", "/%76%31.41/containers/create", CREATE, "1.41", NULL},
    {"POST", "/%63%6f%6E%74%61%69%6e%65%72%73/%63%72%65%61%74%65", CREATE, NULL, NULL},
    {"POST", "http://x/v1.41/containers/create", CREATE, "1.41", NULL},
    {"POST", "HTTP://x:99/containers/create", CREATE, NULL, NULL},
    {"POST", "http://u:p@x:1/v1.41/containers/create?name=x", CREATE, "1.41", NULL},
    {"POST", "unix:///v1.41/containers/create", CREATE, "1.41", NULL},
    {"POST", "http:///containers/create", CREATE, NULL, NULL},
    {"POST", "foo://bar/containers/create", CREATE, NULL, NULL},
    {"POST", "a+b-c.9://bar/containers/create", CREATE, NULL, NULL},
    {"POST", "http:/containers/create", CREATE, NULL, NULL},
    {"POST", "x:/containers/create", CREATE, NULL, NULL},
    {"POST", "x:/containers%2Fcreate?a:b", CREATE, NULL, NULL},
};

/* Odd versions: which of them an engine takes is the engine's business. */
static const struct row versions[] = {
    {"POST", "/v1.41.0/containers/create", CREATE, "1.41.0", NULL},
    {"POST", "/v1.41./containers/create", CREATE, "1.41.", NULL},
    {"POST", "/v01.041/containers/create", CREATE, "01.041", NULL},
    {"POST", "/v1..41/containers/create", CREATE, "1..41", NULL},
    {"POST", "/v./containers/create", CREATE, ".", NULL},
    {"POST", "/v9/containers/create", CREATE, "9", NULL},
    {"POST", "/v1.99999999999999999999/containers/create", CREATE,
     "1.99999999999999999999", NULL},
    {"POST", "/v/containers/create", CALL_OTHER, NULL, NULL},
    {"POST", "/v1.41a/containers/create", CALL_OTHER, NULL, NULL},
    {"POST", "/V1.41/containers/create", CALL_OTHER, NULL, NULL},
    {"POST", "/v-1/containers/create", CALL_OTHER, NULL, NULL},
    {"POST", "/1.41/containers/create", CALL_OTHER, NULL, NULL},
    {"POST", "/v1.41/v1.41/containers/create", CALL_OTHER, "1.41", NULL},
};

/* Redirected, not found or no request: no handler runs. */
static const struct row reach_nothing[] = {
    {"POST", "//containers/create", CALL_OTHER, NULL, NULL},
    {"POST", "/v1.41//containers/create", CALL_OTHER, "1.41", NULL},
    {"POST", "/./containers/create", CALL_OTHER, NULL, NULL},
    {"POST", "/x/../containers/create", CALL_OTHER, NULL, NULL},
    {"POST", "/%2e/containers/create", CALL_OTHER, NULL, NULL},
    {"POST", "/%2Fcontainers/create", CALL_OTHER, NULL, NULL},
    {"POST", "http://x//containers/create", CALL_OTHER, NULL, NULL},
    {"POST", "/containers/create/", CALL_OTHER, NULL, NULL},
    {"POST", "/containers/create;x=1", CALL_OTHER, NULL, NULL},
    {"POST", "/containers/create%00", CALL_OTHER, NULL, NULL},
    {"POST", "/containers/create%20", CALL_OTHER, NULL, NULL},
    {"POST", "/containers/create%3Fx", CALL_OTHER, NULL, NULL},
    {"POST", "/containers/create%253F", CALL_OTHER, NULL, NULL},
    {"POST", "/containers/%2563reate", CALL_OTHER, NULL, NULL},
    {"POST", "/containers\\create", CALL_OTHER, NULL, NULL},
    {"POST", "/containers/create#frag", CALL_OTHER, NULL, NULL},
    {"POST", "/Containers/create", CALL_OTHER, NULL, NULL},
    {"POST", "/containers/create+", CALL_OTHER, NULL, NULL},
    {"POST", "/containers/creat", CALL_OTHER, NULL, NULL},
    {"POST", "/", CALL_OTHER, NULL, NULL},
    {"OPTIONS", "*", CALL_OTHER, NULL, NULL},
    {"POST", "*", CALL_OTHER, NULL, NULL},
    {"POST", "containers/create", REFUSED, NULL, NULL},
    {"POST", "http:containers/create", REFUSED, NULL, NULL},
    {"POST", "http://x", REFUSED, NULL, NULL},
    {"POST", "http://x?/containers/create", REFUSED, NULL, NULL},
    {"POST", ":/containers/create", REFUSED, NULL, NULL},
    {"POST", "1http:/containers/create", REFUSED, NULL, NULL},
    {"POST", "ht_tp:/containers/create", REFUSED, NULL, NULL},
    {"POST", "?/containers/create", REFUSED, NULL, NULL},
    {"POST", "", REFUSED, NULL, NULL},
    {"POST", "/containers/create%", REFUSED, NULL, NULL},
    {"POST", "/containers/create%2", REFUSED, NULL, NULL},
    {"POST", "/containers/create%zz", REFUSED, NULL, NULL},
    {"POST", "/containers/%6", REFUSED, NULL, NULL},
};

static const struct row methods[] = {
    {"post", "/containers/create", CALL_OTHER, NULL, NULL},
    {"Post", "/containers/create", CALL_OTHER, NULL, NULL},
    {"POSTX", "/containers/create", CALL_OTHER, NULL, NULL},
    {"PUT", "/containers/create", CALL_OTHER, NULL, NULL},
    {"GET", "/containers/create", CALL_OTHER, NULL, NULL},
    {"HEAD", "/containers/create", CALL_OTHER, NULL, NULL},
    {"", "/containers/create", CALL_OTHER, NULL, NULL},
    {"DELETE", "/containers/create", CALL_OTHER, NULL, NULL},
    {"POST", "/plugins/x", CALL_OTHER, NULL, NULL},
    {"GET", "/plugins/x", CALL_OTHER, NULL, NULL},
    {"HEAD", "/_ping", CALL_OTHER, NULL, NULL},
    {"GET", "/v1.44/info", CALL_OTHER, "1.44", NULL},
};

static const struct row calls[] = {
    {"POST", "/v1.41/containers/abc/start", CALL_CONTAINER_START, "1.41", "abc"},
    {"POST", "/containers/a/b/start", CALL_CONTAINER_START, NULL, "a/b"},
    {"POST", "/containers/a%2Fb/start", CALL_CONTAINER_START, NULL, "a/b"},
    {"POST", "/containers/create/start", CALL_CONTAINER_START, NULL, "create"},
    {"POST", "/containers/start/start", CALL_CONTAINER_START, NULL, "start"},
    {"POST", "/containers/abc/%73tart?checkpoint=c", CALL_CONTAINER_START, NULL, "abc"},
    {"POST", "/containers/start", CALL_OTHER, NULL, NULL},
    {"POST", "/containers/abc/restart", CALL_OTHER, NULL, NULL},
    {"POST", "/containers/abc/exec", CALL_OTHER, NULL, NULL},
    {"POST", "/exec/abc/start", CALL_OTHER, NULL, NULL},
    {"POST", "/services/create", CALL_SERVICE_CREATE, NULL, NULL},
    {"POST", "/v1.44/services/web/update?version=3", CALL_SERVICE_UPDATE, "1.44", "web"},
    {"POST", "/services/create/update", CALL_SERVICE_UPDATE, NULL, "create"},
    {"DELETE", "/services/web", CALL_OTHER, NULL, NULL},
    {"POST", "/swarm/init", CALL_SWARM_INIT, NULL, NULL},
    {"POST", "/swarm/join", CALL_SWARM_JOIN, NULL, NULL},
    {"POST", "/swarm/leave", CALL_OTHER, NULL, NULL},
    {"POST", "/build", CALL_BUILD, NULL, NULL},
    {"POST", "/v1.41/build?t=x", CALL_BUILD, "1.41", NULL},
    {"POST", "/session", CALL_BUILD, NULL, NULL},
    {"POST", "/grpc", CALL_BUILD, NULL, NULL},
    {"POST", "/build/prune", CALL_OTHER, NULL, NULL},
    {"POST", "/plugins/create", CALL_PLUGIN_CREATE, NULL, NULL},
    {"POST", "/plugins/pull", CALL_PLUGIN_PULL, NULL, NULL},
    {"POST", "/plugins/a/b:c/enable", CALL_PLUGIN_ENABLE, NULL, "a/b:c"},
    {"POST", "/plugins/x/disable", CALL_PLUGIN_DISABLE, NULL, "x"},
    {"POST", "/plugins/x/upgrade", CALL_PLUGIN_UPGRADE, NULL, "x"},
    {"POST", "/plugins/x/set", CALL_PLUGIN_SET, NULL, "x"},
    {"POST", "/plugins/create/set", CALL_PLUGIN_SET, NULL, "create"},
    {"POST", "/plugins/x/push", CALL_OTHER, NULL, NULL},
    {"DELETE", "/plugins/x", CALL_PLUGIN_REMOVE, NULL, "x"},
    {"DELETE", "/v1.41/plugins/registry:5000/a/b:c", CALL_PLUGIN_REMOVE, "1.41",
     "registry:5000/a/b:c"},
    {"POST", "/images/create?fromImage=x", CALL_OTHER, NULL, NULL},
    {"POST", "/networks/create", CALL_OTHER, NULL, NULL},
    {"POST", "/volumes/create", CALL_OTHER, NULL, NULL},
    {"POST", "/auth", CALL_OTHER, NULL, NULL},
    {"POST", "/commit", CALL_OTHER, NULL, NULL},
};

static void
what_engines_route_to_create_is_create(void **state)
{
	(void)state;
	check(reach_create, COUNT(reach_create));
}

static void
odd_versions_hide_nothing(void **state)
{
	(void)state;
	check(versions, COUNT(versions));
}

static void
what_reaches_no_handler_is_no_call_or_refused(void **state)
{
	(void)state;
	check(reach_nothing, COUNT(reach_nothing));
}

static void
methods_are_exact(void **state)
{
	(void)state;
	check(methods, COUNT(methods));
}

static void
each_judged_call_is_told_from_its_neighbours(void **state)
{
	(void)state;
	check(calls, COUNT(calls));
}

static void
the_path_is_decoded_and_bare(void **state)
{
	cleanup_arena struct arena arena = {0};
	struct docker_route route;

	(void)state;
	assert_int_equal(
	    docker_route(TEXT_LIT("GET"),
	                 TEXT_LIT("http://u:secret@h:1/v1.41/a%20b?token=c#d"), &arena,
	                 &route, NULL),
	    0);
	assert_true(text_is(route.path, "/v1.41/a b"));
	assert_true(text_is(route.query, "token=c#d"));
}

static void
without_memory_there_is_no_route(void **state)
{
	struct arena arena = {.limit = 1};
	struct docker_route route;
	struct err err = {0};

	(void)state;
	assert_int_equal(docker_route(TEXT_LIT("POST"), TEXT_LIT("/containers/%63reate"),
	                              &arena, &route, &err),
	                 -1);
	assert_int_equal(err.code, ERR_MEMORY);
}

/* ---- queries ---- */

static const struct {
	const char *query; /* NULL: none */
	const char *value; /* of "name"; NULL: missing */
	bool certain;
} queries[] = {
    {NULL, NULL, true},
    {"", NULL, true},
    {"name=x", "x", true},
    {"name=", "", true},
    {"name", "", true},
    {"=x", NULL, true},
    {"a=b&name=x", "x", true},
    {"&&name=x&", "x", true},
    {"name=x&name=y", "x", true},
    {"name=&name=y", "", true},
    {"NAME=x", NULL, true},
    {"xname=x", NULL, true},
    {"names=x", NULL, true},
    {"name=a=b", "a=b", true},
    {"name=a+b%20c%2Bd", "a b c+d", true},
    {"n%61me=x", "x", true},
    {"%6eame=x&name=y", "x", true},
    {"na+me=x", NULL, true},
    {"name%00=x", NULL, true},
    {"name=%2Fx", "/x", true},
    {"name=%26a", "&a", true},
    {"a?name=x", NULL, true},
    {"#&name=x", "x", true},
    /* engines differ: since Go 1.17 a pair with ';' or a bad escape is dropped */
    {"a=b;name=x", "x", false},
    {"name=x;y", "x", false},
    {"a;b&name=x", "x", false},
    {"name=%zz&name=y", "y", false},
    {"name=%&name=y", "y", false},
    {"name=%4&name=y", "y", false},
    {"%zz=1", NULL, false},
    {"#%zz", NULL, false},
    {"version=1&#%zz&name=x", "x", false},
};

static void
the_first_value_of_a_key_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++) {
		cleanup_arena struct arena arena = {0};
		struct docker_route route = {.query = text_of(queries[i].query)};
		bool certain = !queries[i].certain;
		struct text value = docker_query(&route, "name", &arena, &certain);

		if (!text_is(value, queries[i].value ? queries[i].value : "") ||
		    !value.at != !queries[i].value || certain != queries[i].certain)
			fail_msg("%s: %.*s, certain %d", queries[i].query,
			         TEXT_ARG(value), certain);
		assert_true(
		    text_equal(docker_query(&route, "name", &arena, NULL), value));
	}
}

static void
without_memory_a_query_is_uncertain(void **state)
{
	struct arena arena = {.limit = 1};
	struct docker_route route = {.query = TEXT_LIT("nam%65=x")};
	bool certain = true;

	(void)state;
	assert_null(docker_query(&route, "name", &arena, &certain).at);
	assert_false(certain);
}

/* ---- versions ---- */

/* moby's versions.LessThan(version, "1.24") for each. */
static const struct {
	const char *version;
	bool below;
} compared[] = {
    {"1.23", true},
    {"1.24", false},
    {"1.25", false},
    {"1.23.5", true},
    {"1.24.0", false},
    {"1.24.", false},
    {"1.023", true},
    {"01.23", true},
    {"01.024", false},
    {"1.12", true},
    {"1", true},
    {"1.", true},
    {"1..24", true},
    {".", true},
    {"", true},
    {"0.99", true},
    {"2", false},
    {"2.0", false},
    {"1.9", true},
    {"1.100", false},
    {"..", true},
    {".24", true},
    {"1.24.999", false},
    {"1.9223372036854775807", false},
    {"1.9223372036854775808", false},
    {"1.99999999999999999999999", false},
    {"99999999999999999999999", false},
    {"1.18446744073709551617", false},
    {"18446744073709551617.0", false},
    {"1.000000000000000000000000023", true},
};

static void
versions_compare_as_the_engine_compares_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(compared); i++) {
		if (docker_version_below(text_of(compared[i].version), 1, 24) !=
		    compared[i].below)
			fail_msg("%s", compared[i].version);
	}
}

static void
no_version_is_the_newest(void **state)
{
	(void)state;
	assert_false(docker_version_below((struct text){0}, 1, 24));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_engines_route_to_create_is_create),
	    cmocka_unit_test(odd_versions_hide_nothing),
	    cmocka_unit_test(what_reaches_no_handler_is_no_call_or_refused),
	    cmocka_unit_test(methods_are_exact),
	    cmocka_unit_test(each_judged_call_is_told_from_its_neighbours),
	    cmocka_unit_test(the_path_is_decoded_and_bare),
	    cmocka_unit_test(without_memory_there_is_no_route),
	    cmocka_unit_test(the_first_value_of_a_key_counts),
	    cmocka_unit_test(without_memory_a_query_is_uncertain),
	    cmocka_unit_test(versions_compare_as_the_engine_compares_them),
	    cmocka_unit_test(no_version_is_the_newest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
