/* SPDX-License-Identifier: Apache-2.0 */
/* test_docker_create.c - what a create body would run, as the worst of the engines sees it. */
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
#define PERMISSIVE POSTURE_BIT(POSTURE_PERMISSIVE)
#define WEAK       POSTURE_BIT(POSTURE_WEAK)
#define CUSTOM     POSTURE_BIT(POSTURE_CUSTOM)
#define DEFAULT    POSTURE_BIT(POSTURE_DEFAULT)

#define STRICT                                                                           \
	"{\\\"defaultAction\\\":\\\"SCMP_ACT_ERRNO\\\",\\\"syscalls\\\":[{"              \
	"\\\"names\\\":["                                                                \
	"\\\"read\\\"],\\\"action\\\":\\\"SCMP_ACT_ALLOW\\\"}]}"
#define OPEN    "{\\\"defaultAction\\\":\\\"SCMP_ACT_ALLOW\\\"}"
#define HOST(s) "{\"Image\":\"bb\",\"HostConfig\":{" s "}}"
#define OPT(s)  HOST("\"SecurityOpt\":[" s "]")

struct row {
	const char *body;
	unsigned postures;
};

static struct container
read_body(const char *body, struct arena *arena, struct workload *workload)
{
	*workload = (struct workload){0};
	docker_create_read(text_of(body), (struct text){0}, arena, workload);
	assert_int_equal(workload->count, 1);
	return workload->containers[0];
}

static void
check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cleanup_arena struct arena arena = {0};
		struct workload workload;
		struct container container = read_body(rows[i].body, &arena, &workload);

		if (container.postures != rows[i].postures)
			fail_msg("%s: postures %#x, not %#x (%s)", rows[i].body,
			         container.postures, rows[i].postures,
			         workload.unreadable.text);
		if (container.postures & UNREADABLE)
			assert_true(workload.unreadable.text[0] != '\0');
	}
}

static const struct row honest[] = {
    {"{}", DEFAULT},
    {"{\"Image\":\"bb\"}", DEFAULT},
    {HOST(""), DEFAULT},
    {"{\"HostConfig\":null}", DEFAULT},
    {HOST("\"SecurityOpt\":null,\"Privileged\":false,\"OomKillDisable\":null"), DEFAULT},
    {OPT(""), DEFAULT},
    {OPT("\"no-new-privileges\""), DEFAULT},
    {OPT("\"no-new-privileges=true\",\"label=disable\""), DEFAULT},
    {OPT("\"apparmor=unconfined\""), DEFAULT},
    {OPT("\"label:type:unconfined\""), DEFAULT},
    {OPT("\"seccomp=\""), DEFAULT},
    {OPT("\"seccomp=builtin\""), DEFAULT},
    {OPT("\"seccomp:builtin\""), DEFAULT},
    {OPT("\"seccomp=" STRICT "\""), CUSTOM},
    {HOST("\"Unheard\":{\"of\":[null,1e999]},\"Init\":true"), DEFAULT},
    {"{\"Cmd\":[\"seccomp=unconfined\"],\"Env\":[\"SecurityOpt=seccomp=unconfined\"],"
     "\"Labels\":{\"Privileged\":\"true\"}}",
     DEFAULT},
    {HOST("\"CapAdd\":[\"ALL\"],\"CapDrop\":null"), DEFAULT},
};

static const struct row unfiltered[] = {
    {OPT("\"seccomp=unconfined\""), UNCONFINED},
    {OPT("\"seccomp:unconfined\""), UNCONFINED},
    {OPT("\"no-new-privileges\",\"seccomp:unconfined\""), UNCONFINED},
    {OPT("\"seccomp=\",\"seccomp=unconfined\""), UNCONFINED},
    {OPT("\"seccomp=\\u0075nconfined\""), UNCONFINED},
    {OPT("\"seccomp={}\""), UNCONFINED},
    {OPT("\"seccomp:{}\""), UNCONFINED},
    {OPT("\"seccomp=null\""), UNCONFINED},
    {OPT("\"seccomp=  {}\""), UNCONFINED},
    {OPT("\"seccomp={\\\"x\\\":1}\""), UNCONFINED},
    {OPT("\"seccomp={\\\"defaultAction\\\":\\\"\\\"}\""), UNCONFINED},
    {OPT("\"seccomp={\\\"syscalls\\\":[]}\""), UNCONFINED},
    {OPT("\"seccomp=" OPEN "\""), PERMISSIVE},
    {HOST("\"Privileged\":true"), PRIVILEGED},
    {HOST("\"Privileged\":true,\"SecurityOpt\":[\"seccomp=" STRICT "\"]"),
     PRIVILEGED | CUSTOM},
    {HOST("\"Privileged\":true,\"SecurityOpt\":[\"seccomp=unconfined\"]"),
     PRIVILEGED | UNCONFINED},
};

/* Spellings that Go takes for the same fields (measured on 20.10, 26.1 and 28.5). */
static const struct row spellings[] = {
    {"{\"hostconfig\":{\"securityopt\":[\"seccomp=unconfined\"]}}", UNCONFINED},
    {"{\"HOSTCONFIG\":{\"SECURITYOPT\":[\"seccomp=unconfined\"]}}", UNCONFINED},
    {"{\"Ho\xc5\xbftConfig\":{\"\xc5\xbf"
     "ecurityOpt\":[\"seccomp=unconfined\"]}}",
     UNCONFINED},
    {"{\"Ho\\u017ftConfig\":{\"\\u0053ecurityOpt\":[\"seccomp=unconfined\"]}}",
     UNCONFINED},
    {"{\"\\u0048ostConfig\":{\"pRIVILEGED\":true}}", PRIVILEGED},
    {" \n\t{\"HostConfig\" : {\"Privileged\":true} }\r\n", PRIVILEGED},
    {"{\"HostConfi\xc9\xa1\":{\"Privileged\":true}}", DEFAULT},
    {HOST("\"SecurityOpt\\u0000\":[\"seccomp=unconfined\"]"), DEFAULT},
    {HOST("\"Security_Opt\":[\"seccomp=unconfined\"]"), DEFAULT},
    {HOST("\"Resources\":{\"Privileged\":true}"), DEFAULT},
};

/* Up to 26.1 the fields of a HostConfig count at the root when there is no HostConfig. */
static const struct row flat[] = {
    {"{\"SecurityOpt\":[\"seccomp=unconfined\"]}", DEFAULT | UNCONFINED},
    {"{\"SecurityOpt\":[\"seccomp=unconfined\"],\"HostConfig\":null}",
     DEFAULT | UNCONFINED},
    {"{\"securityopt\":[\"seccomp:unconfined\"]}", DEFAULT | UNCONFINED},
    {"{\"Privileged\":true}", DEFAULT | PRIVILEGED},
    {"{\"SecurityOpt\":[\"seccomp=" STRICT "\"]}", DEFAULT | CUSTOM},
    {"{\"SecurityOpt\":[],\"Privileged\":false,\"Runtime\":\"\",\"HostConfig\":{}}",
     DEFAULT},
    {"{\"Annotations\":{\"run.oci.handler\":\"x\"}}", DEFAULT | UNCONFINED},
};

/* What engines merge, resurrect or read one way today and another tomorrow. */
static const struct row ambiguous[] = {
    /* what stands at the root beside a HostConfig must not meet a criterion either */
    {"{\"SecurityOpt\":[\"seccomp=unconfined\"],\"HostConfig\":{}}", UNREADABLE},
    {"{\"SecurityOpt\":[\"seccomp=builtin\"],\"HostConfig\":{}}", UNREADABLE},
    {"{\"Privileged\":true,\"HostConfig\":{\"Privileged\":false}}", UNREADABLE},
    {"{\"HostConfig\":{\"Privileged\":true},\"Runtime\":\"crun\"}", UNREADABLE},
    {"{\"HostConfig\":{},\"Annotations\":{\"a\":\"b\"}}", UNREADABLE},
    {"{\"Runtime\":\"crun\",\"HostConfig\":{\"Runtime\":\"crun\"}}", UNREADABLE},
    {HOST("\"SecurityOpt\":[],\"SecurityOpt\":[\"seccomp=unconfined\"]"), UNREADABLE},
    {HOST("\"SecurityOpt\":[\"seccomp=unconfined\"],\"securityopt\":[]"), UNREADABLE},
    {HOST("\"SecurityOpt\":[\"seccomp=unconfined\"],\"SecurityOpt\":[null]"), UNREADABLE},
    {HOST("\"SecurityOpt\":[null]"), UNREADABLE},
    {HOST("\"Privileged\":true,\"Privileged\":null"), UNREADABLE},
    {HOST("\"Privileged\":true,\"privileged\":false"), UNREADABLE},
    {"{\"HostConfig\":{\"SecurityOpt\":[\"seccomp=unconfined\"]},\"HostConfig\":{}}",
     UNREADABLE},
    {"{\"HostConfig\":{},\"hostconfig\":null,\"SecurityOpt\":[\"seccomp=unconfined\"]}",
     UNREADABLE},
    {"{\"Image\":\"a\",\"image\":\"b\"}", UNREADABLE},
    {"{\"Labels\":{},\"labels\":{}}", UNREADABLE},
    {"{} trailing", UNREADABLE},
    {"{}{\"HostConfig\":{\"Privileged\":true}}", UNREADABLE},
    {"{}}", UNREADABLE},
    {"\xef\xbb\xbf{}", UNREADABLE},
    {"[]", UNREADABLE},
    {"null", UNREADABLE},
    {"\"x\"", UNREADABLE},
    {" ", UNREADABLE},
    {HOST("\"SecurityOpt\":\"seccomp=unconfined\""), UNREADABLE},
    {HOST("\"SecurityOpt\":[[\"seccomp=unconfined\"]]"), UNREADABLE},
    {HOST("\"SecurityOpt\":{\"0\":\"seccomp=unconfined\"}"), UNREADABLE},
    {HOST("\"Privileged\":\"true\""), UNREADABLE},
    {HOST("\"Privileged\":1"), UNREADABLE},
    {"{\"HostConfig\":[]}", UNREADABLE},
    {OPT("\"SECCOMP=unconfined\""), UNREADABLE},
    {OPT("\" seccomp=unconfined\""), UNREADABLE},
    {OPT("\"seccomp\""), UNREADABLE},
    {OPT("\"seccomp=Unconfined\""), UNREADABLE},
    {OPT("\"seccomp=unconfined \""), UNREADABLE},
    {OPT("\"seccomp=/etc/profile.json\""), UNREADABLE},
    {OPT("\"seccomp={}x\""), UNREADABLE},
    {HOST("\"Env\":[\"\xff\"]"), UNREADABLE},
};

static void
what_asks_for_nothing_bad_is_default_or_custom(void **state)
{
	(void)state;
	check(honest, COUNT(honest));
}

static void
what_runs_without_a_filter_is_called_so(void **state)
{
	(void)state;
	check(unfiltered, COUNT(unfiltered));
}

static void
keys_count_in_each_spelling_that_go_takes(void **state)
{
	(void)state;
	check(spellings, COUNT(spellings));
}

static void
the_root_counts_where_there_is_no_host_config(void **state)
{
	(void)state;
	check(flat, COUNT(flat));
}

static void
what_engines_could_differ_about_is_unreadable(void **state)
{
	(void)state;
	check(ambiguous, COUNT(ambiguous));
}

static void
annotations_that_replace_the_filter_are_unconfined(void **state)
{
	static const struct {
		const char *key;
		unsigned postures;
	} rows[] = {
	    {"run.oci.seccomp_bpf_data", UNCONFINED},
	    {"run.oci.seccomp.plugins", UNCONFINED},
	    {"run.oci.seccomp.receiver", UNCONFINED},
	    {"run.oci.seccomp", UNCONFINED},
	    {"run.oci.handler", UNCONFINED},
	    {"run.oci.\\u0068andler", UNCONFINED},
	    {"dev.gvisor.flag.oci-seccomp", UNCONFINED},
	    {"io.katacontainers.config_path", UNCONFINED},
	    {"run.oci.handlers", DEFAULT},
	    {"run.oci.hooks.stdout", DEFAULT},
	    {"RUN.OCI.HANDLER", DEFAULT},
	    {"xrun.oci.seccomp", DEFAULT},
	    {"team", DEFAULT},
	    {"", DEFAULT},
	};
	char body[160];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row row = {body, rows[i].postures};

		(void)snprintf(
		    body, sizeof body,
		    "{\"HostConfig\":{\"Annotations\":{\"a\":\"b\",\"%s\":null}}}",
		    rows[i].key);
		check(&row, 1);
	}
}

static void
runtimes_are_taken_from_either_place(void **state)
{
	static const struct {
		const char *body, *runtime;
	} rows[] = {
	    {"{}", NULL},
	    {HOST("\"Runtime\":\"\""), NULL},
	    {HOST("\"Runtime\":null"), NULL},
	    {HOST("\"Runtime\":\"crun\""), "crun"},
	    {"{\"Runtime\":\"crun\"}", "crun"},
	    {"{\"Runtime\":\"\",\"HostConfig\":{\"runtime\":\"a/b\"}}", "a/b"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_arena struct arena arena = {0};
		struct workload workload;
		struct container container = read_body(rows[i].body, &arena, &workload);

		assert_true(
		    text_is(container.runtime, rows[i].runtime ? rows[i].runtime : ""));
		assert_int_equal(!container.runtime.at, !rows[i].runtime);
	}
}

static void
facts_for_exceptions_are_read(void **state)
{
	cleanup_arena struct arena arena = {0};
	struct workload workload = {0};
	const struct container *container;

	(void)state;
	docker_create_read(
	    TEXT_LIT("{\"Image\":\"nginx\",\"Labels\":{\"team\":\"a\",\"team\":\"b\"},"
	             "\"HostConfig\":{\"Annotations\":{\"x\":\"y\"}}}"),
	    TEXT_LIT("web"), &arena, &workload);
	container = workload.containers;
	assert_true(text_is(container->name, "web"));
	assert_true(text_is(container->image.text, "docker.io/library/nginx:latest"));
	assert_int_equal(container->labels.count, 1);
	assert_true(text_is(container->labels.at[0].value, "b"));
	assert_int_equal(container->annotations.count, 1);
	assert_int_equal(container->guards, 0);
}

static void
facts_that_are_missing_stay_missing(void **state)
{
	cleanup_arena struct arena arena = {0};
	struct workload workload;
	struct container container = read_body("{}", &arena, &workload);

	(void)state;
	assert_null(container.name.at);
	assert_int_equal(container.image.kind, IMAGE_REF_NONE);
	assert_int_equal(container.labels.count, 0);
	assert_null(container.profile.at);
}

static void
a_name_is_what_every_engine_will_use_or_missing(void **state)
{
	static const struct {
		const char *query;
		const char *name; /* NULL: missing */
	} rows[] = {
	    {"name=web", "web"},
	    {"platform=x&n%61me=w%65b", "web"},
	    {"name=%2Fweb", "web"},
	    {"name=/web", "web"},
	    {"name=web&name=other", "web"},
	    {"", NULL},
	    {"name=", NULL},
	    {"name=/", NULL},
	    {"x;name=web", NULL},
	    {"name=%zz&name=web", NULL},
	    {"NAME=web", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_arena struct arena arena = {0};
		struct workload workload = {0};
		const struct docker_route route = {.call = CALL_CONTAINER_CREATE,
		                                   .query = text_of(rows[i].query)};
		const struct docker_request request = {.route = &route,
		                                       .body = TEXT_LIT("{}")};
		struct text name;

		assert_true(docker_call_read(&request, &arena, &workload));
		name = workload.containers[0].name;
		if (!name.at != !rows[i].name ||
		    !text_is(name, rows[i].name ? rows[i].name : ""))
			fail_msg("%s: %.*s", rows[i].query, TEXT_ARG(name));
	}
}

static void
only_a_default_that_nobody_asked_for_depends_on_the_engine(void **state)
{
	static const struct {
		const char *body;
		bool asked_nothing;
	} rows[] = {
	    {"{}", true},
	    {OPT(""), true},
	    {OPT("\"seccomp=\""), true},
	    {OPT("\"label=disable\""), true},
	    {OPT("\"seccomp=builtin\""), false},
	    {OPT("\"seccomp=" STRICT "\""), false},
	    {"{\"SecurityOpt\":[\"seccomp=" STRICT "\"]}", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_arena struct arena arena = {0};
		struct workload workload;

		if (read_body(rows[i].body, &arena, &workload).asked_nothing !=
		    rows[i].asked_nothing)
			fail_msg("%s", rows[i].body);
	}
}

static void
the_setting_that_decided_is_named(void **state)
{
	static const struct {
		const char *body, *setting;
	} rows[] = {
	    {OPT("\"seccomp:unconfined\""), "seccomp:unconfined"},
	    {HOST("\"Privileged\":true"), "Privileged"},
	    {HOST("\"Annotations\":{\"run.oci.handler\":\"wasm\"}"), "run.oci.handler"},
	    {OPT("\"seccomp={}\""), ""},
	    {"{}", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_arena struct arena arena = {0};
		struct workload workload;

		assert_true(text_is(read_body(rows[i].body, &arena, &workload).setting,
		                    rows[i].setting));
	}
}

static void
a_reason_names_the_field_and_never_a_value(void **state)
{
	static const struct {
		const char *body, *why;
	} rows[] = {
	    {HOST("\"SecurityOpt\":[\"x\"],\"securityopt\":[\"S3CRET\"]"),
	     "HostConfig: SecurityOpt is given twice"},
	    {HOST("\"Privileged\":\"S3CRET\""),
	     "HostConfig: Privileged: should be true or false"},
	    {"{\"Labels\":{\"S3CRET\":0}}", "Labels: should be a string"},
	    {"{\"Image\":S3CRET}", "Image: not JSON: a value should be here"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_arena struct arena arena = {0};
		struct workload workload;

		(void)read_body(rows[i].body, &arena, &workload);
		if (!strstr(workload.unreadable.text, rows[i].why) ||
		    strstr(workload.unreadable.text, "S3CRET"))
			fail_msg("%s", workload.unreadable.text);
	}
}

static void
without_memory_there_is_no_container(void **state)
{
	struct arena arena = {.limit = 1};
	struct workload workload = {0};

	(void)state;
	docker_create_read(TEXT_LIT("{}"), (struct text){0}, &arena, &workload);
	assert_int_equal(workload.count, 0);
}

/* 1.2 MB of white space, as somebody would send who wants a body not to be seen. */
static void
padding_hides_nothing(void **state)
{
	static const char tail[] = "{\"HostConfig\":{\"Privileged\":true}}";
	enum { PADDING = 1200000 };
	char *body = malloc(PADDING + sizeof tail);
	const struct row row = {body, PRIVILEGED};

	(void)state;
	assert_non_null(body);
	memset(body, ' ', PADDING);
	memcpy(body + PADDING, tail, sizeof tail);
	check(&row, 1);
	free(body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_asks_for_nothing_bad_is_default_or_custom),
	    cmocka_unit_test(what_runs_without_a_filter_is_called_so),
	    cmocka_unit_test(keys_count_in_each_spelling_that_go_takes),
	    cmocka_unit_test(the_root_counts_where_there_is_no_host_config),
	    cmocka_unit_test(what_engines_could_differ_about_is_unreadable),
	    cmocka_unit_test(annotations_that_replace_the_filter_are_unconfined),
	    cmocka_unit_test(runtimes_are_taken_from_either_place),
	    cmocka_unit_test(facts_for_exceptions_are_read),
	    cmocka_unit_test(facts_that_are_missing_stay_missing),
	    cmocka_unit_test(a_name_is_what_every_engine_will_use_or_missing),
	    cmocka_unit_test(only_a_default_that_nobody_asked_for_depends_on_the_engine),
	    cmocka_unit_test(the_setting_that_decided_is_named),
	    cmocka_unit_test(a_reason_names_the_field_and_never_a_value),
	    cmocka_unit_test(without_memory_there_is_no_container),
	    cmocka_unit_test(padding_hides_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
