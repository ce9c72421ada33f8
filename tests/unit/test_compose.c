/* SPDX-License-Identifier: Apache-2.0 */
/* test_compose.c - what the services of a Compose file would run. */
#include "deciding.h"

#include "core/compose_value.h"

#define BIT(posture)    POSTURE_BIT(POSTURE_##posture)
#define STRICT          "{\"defaultAction\":\"SCMP_ACT_ERRNO\"}"
#define OPEN            "{\"defaultAction\":\"SCMP_ACT_LOG\"}"
#define SERVICE(fields) "{\"services\":{\"web\":{" fields "}}}"

/* One service, with all that it extends in the same document. */
struct seen {
	const char *document, *wanted;
	const char *profile, *rival; /* what the files hold; NULL: not read */
	struct judge judge;
	unsigned postures, guards;
	bool denied, found;
	struct compose_service service;
	struct compose_profiles named;
	struct arena arena;
};

static int
take(struct text name, struct text object, void *context)
{
	struct seen *seen = context;
	struct compose_extends elsewhere;

	if (!text_is(name, seen->wanted))
		return 0;
	seen->found = true;
	seen->service =
	    (struct compose_service){.name = name, .layers = {object}, .count = 1};
	if (compose_extend(&seen->service, text_of(seen->document), &seen->arena,
	                   &elsewhere, &seen->service.unseen) == 0 &&
	    elsewhere.service.at)
		(void)err_set(&seen->service.unseen, ERR_SYSTEM, "in another file");
	compose_profiles_of(&seen->service, &seen->arena, &seen->named);
	seen->service.profiles[0] = text_of(seen->profile);
	seen->service.profiles[1] = text_of(seen->rival);
	decide_compose(&seen->service, &seen->judge.circumstances, &seen->judge.decision);
	assert_int_equal(seen->judge.decision.workload.count, 1);
	seen->postures = seen->judge.decision.workload.containers[0].postures;
	seen->guards = seen->judge.decision.workload.containers[0].guards;
	seen->denied = seen->judge.decision.verdict.decision == DECISION_DENY;
	return 0;
}

static void
look_start(struct seen *seen, const char *document, const char *wanted)
{
	struct compose_includes includes = {0};
	struct err err = {0};

	seen->document = document;
	seen->wanted = wanted;
	judge_start(&seen->judge, NULL);
	if (compose_each(text_of(document), &seen->arena, take, seen, &includes, &err) !=
	    0)
		fail_msg("%s: %s", document, err.text);
	if (!seen->found)
		fail_msg("%s: no %s", document, wanted);
}

static void
look_stop(struct seen *seen)
{
	judge_stop(&seen->judge);
	arena_free(&seen->arena);
}

#define cleanup_look __attribute__((cleanup(look_stop)))

static const struct {
	const char *fields;
	unsigned postures;
} services[] = {
    {"", BIT(DEFAULT)},
    {"\"image\":null,\"security_opt\":null,\"privileged\":null", BIT(DEFAULT)},
    {"\"security_opt\":[]", BIT(DEFAULT)},
    {"\"security_opt\":[\"no-new-privileges\",\"label:disable\"]", BIT(DEFAULT)},
    {"\"security_opt\":[\"systempaths=unconfined\"]", BIT(DEFAULT)},
    {"\"security_opt\":[\"apparmor:unconfined\"]", BIT(DEFAULT)},
    {"\"security_opt\":[\"seccomp=builtin\"]", BIT(DEFAULT)},
    {"\"security_opt\":[\"seccomp=\"]", BIT(DEFAULT)},
    {"\"security_opt\":[\"seccomp=unconfined\"]", BIT(UNCONFINED)},
    {"\"security_opt\":[\"seccomp:unconfined\"]", BIT(UNCONFINED)},
    {"\"security_opt\":[\"seccomp=unconfined\",\"seccomp=\"]", BIT(DEFAULT)},
    {"\"security_opt\":[\"seccomp={}\"]", BIT(UNCONFINED)},
    {"\"security_opt\":[\"seccomp={\\\"defaultAction\\\":\\\"SCMP_ACT_ERRNO\\\"}\"]",
     BIT(CUSTOM)},
    {"\"security_opt\":[\"seccomp=p.json\"]", BIT(UNREADABLE)},
    {"\"security_opt\":[\"seccomp=unconfined \"]", BIT(UNREADABLE)},
    {"\"security_opt\":[\"Seccomp=unconfined\"]", BIT(UNREADABLE)},
    {"\"security_opt\":[\"seccomp\"]", BIT(UNREADABLE)},
    {"\"security_opt\":[1]", BIT(UNREADABLE)},
    {"\"security_opt\":[null]", BIT(UNREADABLE)},
    {"\"security_opt\":[{\"seccomp\":\"unconfined\"}]", BIT(UNREADABLE)},
    {"\"security_opt\":\"seccomp=unconfined\"", BIT(UNREADABLE)},
    {"\"security_opt\":{\"seccomp\":\"unconfined\"}", BIT(UNREADABLE)},
    {"\"security_opt\":[],\"security_opt\":[\"seccomp=unconfined\"]", BIT(UNREADABLE)},
    {"\"security_opt\":[\"$A\"]", BIT(UNCONFINED)},
    {"\"security_opt\":[\"sec${A}\"]", BIT(UNCONFINED)},
    {"\"security_opt\":[\"seccomp:$$\"]", BIT(UNCONFINED)},
    {"\"security_opt\":[\"seccomp=unconfined\",\"label:$A\"]", BIT(UNCONFINED)},
    {"\"security_opt\":[\"label:$A\"]", BIT(DEFAULT)},
    {"\"security_opt\":[\"seccomp:$A\",\"seccomp=\"]", BIT(DEFAULT)},
    {"\"security_opt\":[\"seccomp=\",\"$A\"]", BIT(UNCONFINED)},
    {"\"security_opt\":{\"!override\":[\"seccomp=unconfined\"]}", BIT(UNCONFINED)},
    {"\"security_opt\":{\"!override\":[]}", BIT(DEFAULT)},
    {"\"security_opt\":{\"!reset\":[]}", BIT(DEFAULT)},
    {"\"security_opt\":{\"!reset\":null}", BIT(DEFAULT)},
    {"\"security_opt\":{\"!reset\":[\"seccomp=unconfined\"]}", BIT(UNREADABLE)},
    {"\"security_opt\":{\"!reset\":[],\"x\":1}", BIT(DEFAULT)},
    {"\"security_opt\":{\"x\":1,\"!reset\":[]}", BIT(UNREADABLE)},
    {"\"privileged\":{\"!reset\":true}", BIT(PRIVILEGED)},
    {"\"privileged\":{\"!reset\":null}", BIT(DEFAULT)},
    {"\"privileged\":{\"!override\":false}", BIT(DEFAULT)},
    {"\"labels\":{\"!reset\":{}}", BIT(DEFAULT)},
    {"\"labels\":{\"a\":{\"!reset\":null}}", BIT(DEFAULT)},
    {"\"labels\":{\"a\":{\"b\":null}}", BIT(UNREADABLE)},
    {"\"annotations\":{\"!reset\":{\"run.oci.handler\":\"\"}}", BIT(UNCONFINED)},
    {"\"!reset\":{\"image\":\"nginx\"}", BIT(UNREADABLE)},
    {"\"extends\":{\"!reset\":null}", BIT(UNREADABLE)},
    {"\"build\":{\"!reset\":{\"privileged\":true}}", BIT(PRIVILEGED)},
    {"\"privileged\":true", BIT(PRIVILEGED)},
    {"\"privileged\":\"YES\"", BIT(PRIVILEGED)},
    {"\"privileged\":1", BIT(PRIVILEGED)},
    {"\"privileged\":false", BIT(DEFAULT)},
    {"\"privileged\":\"off\"", BIT(DEFAULT)},
    {"\"privileged\":\"$A\"", BIT(PRIVILEGED)},
    {"\"privileged\":\"\"", BIT(UNREADABLE)},
    {"\"privileged\":[]", BIT(UNREADABLE)},
    {"\"privileged\":true,\"security_opt\":[\"seccomp=unconfined\"]",
     BIT(PRIVILEGED) | BIT(UNCONFINED)},
    {"\"annotations\":{\"run.oci.seccomp_bpf_data\":null}", BIT(UNCONFINED)},
    {"\"annotations\":[\"run.oci.handler=x\"]", BIT(UNCONFINED)},
    {"\"annotations\":[\"a=run.oci.handler\"]", BIT(DEFAULT)},
    {"\"annotations\":[\"$A=x\"]", BIT(UNCONFINED)},
    {"\"annotations\":{\"run.oci.handler\":\"$A\"}", BIT(UNCONFINED)},
    {"\"annotations\":{\"a\":[]}", BIT(UNREADABLE)},
    {"\"labels\":{\"a\":1,\"b\":true,\"c\":null}", BIT(DEFAULT)},
    {"\"labels\":[\"a=b\",\"c\"]", BIT(DEFAULT)},
    {"\"labels\":\"a=b\"", BIT(UNREADABLE)},
    {"\"image\":1", BIT(UNREADABLE)},
    {"\"container_name\":[]", BIT(UNREADABLE)},
    {"\"build\":{\"privileged\":true}", BIT(PRIVILEGED)},
    {"\"build\":{\"entitlements\":[\"security.insecure\"]}", BIT(PRIVILEGED)},
    {"\"build\":{\"entitlements\":[\"$A\"]}", BIT(PRIVILEGED)},
    {"\"build\":{\"entitlements\":[\"network.host\"]}", BIT(DEFAULT)},
    {"\"build\":{\"privileged\":\"x\"}", BIT(UNREADABLE)},
    {"\"build\":[]", BIT(UNREADABLE)},
    {"\"extends\":\"nobody\"", BIT(UNREADABLE)},
    {"\"extends\":\"web\"", BIT(UNREADABLE)},
    {"\"extends\":{\"service\":\"$A\"}", BIT(UNREADABLE)},
    {"\"extends\":{\"file\":\"a.yml\"}", BIT(UNREADABLE)},
    {"\"extends\":{\"file\":\"a.yml\",\"service\":\"x\"}", BIT(UNREADABLE)},
    {"\"extends\":[]", BIT(UNREADABLE)},
};

static void
service_has_the_postures_of_its_settings(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(services); i++) {
		cleanup_buf struct buf document = {0};
		cleanup_look struct seen seen = {.found = false};
		unsigned got;

		buf_printf(&document, SERVICE("%s"), services[i].fields);
		look_start(&seen, document.at, "web");
		got = seen.postures;
		if (services[i].postures & BIT(UNREADABLE))
			got &= BIT(UNREADABLE);
		if (got != services[i].postures)
			fail_msg("%s: %#x", services[i].fields, seen.postures);
		assert_int_equal(seen.denied, (services[i].postures &
		                               ~(BIT(DEFAULT) | BIT(CUSTOM))) != 0);
		if (seen.denied && seen.service.unseen.code == ERR_NONE)
			assert_non_null(
			    seen.service.places
				.postures[seen.judge.decision.verdict.posture]);
	}
}

/* `base` and `web`, which extends it. */
static const struct {
	const char *base, *own;
	unsigned postures;
} pairs[] = {
    {"\"security_opt\":[\"seccomp=unconfined\"]", "", BIT(UNCONFINED)},
    {"\"security_opt\":[\"seccomp=unconfined\"]", "\"security_opt\":[\"label:disable\"]",
     BIT(UNCONFINED)},
    {"\"security_opt\":[\"seccomp=unconfined\"]", "\"security_opt\":[\"seccomp=\"]",
     BIT(DEFAULT)},
    {"\"security_opt\":[\"seccomp=\"]", "\"security_opt\":[\"seccomp=unconfined\"]",
     BIT(UNCONFINED)},
    {"\"security_opt\":[\"seccomp=unconfined\"]", "\"security_opt\":null",
     BIT(UNCONFINED)},
    {"\"privileged\":true", "", BIT(PRIVILEGED)},
    {"\"privileged\":true", "\"privileged\":null", BIT(PRIVILEGED)},
    {"\"privileged\":true", "\"privileged\":false", BIT(DEFAULT)},
    {"\"annotations\":[\"run.oci.handler=x\"]", "\"annotations\":{\"a\":\"b\"}",
     BIT(UNCONFINED)},
    {"\"build\":{\"privileged\":true}", "", BIT(PRIVILEGED)},
    {"\"security_opt\":1", "", BIT(UNREADABLE)},
    {"\"extends\":\"web\"", "", BIT(UNREADABLE)},
};

static void
service_has_what_it_extends_under_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		cleanup_buf struct buf document = {0};
		cleanup_look struct seen seen = {.found = false};
		unsigned got;

		buf_printf(
		    &document,
		    "{\"services\":{\"web\":{\"extends\":{\"service\":\"base\"}%s%s},"
		    "\"base\":{%s}}}",
		    pairs[i].own[0] ? "," : "", pairs[i].own, pairs[i].base);
		look_start(&seen, document.at, "web");
		got = seen.postures;
		if (pairs[i].postures & BIT(UNREADABLE))
			got &= BIT(UNREADABLE);
		if (got != pairs[i].postures)
			fail_msg("%s: %#x", document.at, seen.postures);
	}
}

static void
base_without_content_adds_nothing(void **state)
{
	cleanup_look struct seen seen = {.found = false};

	(void)state;
	look_start(&seen, "{\"services\":{\"web\":{\"extends\":\"base\"},\"base\":null}}",
	           "web");
	assert_int_equal(seen.postures, BIT(DEFAULT));
}

static void
profile_is_the_file_of_the_last_option(void **state)
{
	cleanup_look struct seen seen = {.profile = STRICT};

	(void)state;
	look_start(&seen,
	           SERVICE("\"security_opt\":[\"seccomp:a.json\",\"seccomp=./b.json\"]"),
	           "web");
	assert_int_equal(seen.named.count, 1);
	assert_true(text_is(seen.named.at[0].path, "./b.json"));
	assert_int_equal(strncmp(seen.named.at[0].place, "\"seccomp=./b.json\"", 18), 0);
	assert_int_equal(seen.postures, BIT(CUSTOM));
}

/* docker-compose 1.29 sorts the options of definitions that it merges. */
static void
profiles_that_are_merged_count_as_the_worst_of_them(void **state)
{
	static const char document[] =
	    "{\"services\":{"
	    "\"web\":{\"extends\":\"base\",\"security_opt\":[\"seccomp:b.json\"]},"
	    "\"base\":{\"security_opt\":[\"seccomp:b.json\",\"seccomp:a.json\"]}}}";
	static const struct {
		const char *profile, *rival;
		unsigned postures;
		bool one; /* the profile is a fact */
	} rows[] = {
	    {STRICT, STRICT, BIT(CUSTOM), true},
	    {STRICT, OPEN, BIT(CUSTOM) | BIT(PERMISSIVE), false},
	    {OPEN, STRICT, BIT(CUSTOM) | BIT(PERMISSIVE), false},
	    {STRICT, STRICT " ", BIT(CUSTOM), false},
	    {STRICT, NULL, BIT(CUSTOM) | BIT(UNREADABLE), true},
	    {STRICT, "x", BIT(CUSTOM) | BIT(UNREADABLE), true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_look struct seen seen = {.profile = rows[i].profile,
		                                 .rival = rows[i].rival};

		look_start(&seen, document, "web");
		assert_int_equal(seen.named.count, 2);
		assert_true(text_is(seen.named.at[0].path, "b.json"));
		assert_true(text_is(seen.named.at[1].path, "a.json"));
		assert_int_equal(seen.postures, rows[i].postures);
		assert_int_equal(seen.denied, rows[i].postures != BIT(CUSTOM));
		assert_int_equal(seen.judge.decision.workload.containers[0].profile.at !=
		                     NULL,
		                 rows[i].one);
	}
}

static void
words_and_what_a_variable_decides_name_no_file(void **state)
{
	static const char *const options[] = {"unconfined", "builtin", "", "$A", "{}"};

	(void)state;
	for (size_t i = 0; i < COUNT(options); i++) {
		cleanup_buf struct buf document = {0};
		cleanup_look struct seen seen = {.profile = STRICT};

		buf_printf(&document, SERVICE("\"security_opt\":[\"seccomp=%s\"]"),
		           options[i]);
		look_start(&seen, document.at, "web");
		assert_int_equal(seen.named.count, 0);
		assert_int_equal(seen.postures & BIT(CUSTOM), 0);
	}
}

/* The words that mean something as an option are no profile as a file's content. */
static void
file_of_a_word_is_no_profile(void **state)
{
	static const char *const contents[] = {"", "builtin", "unconfined", " ", "[]"};

	(void)state;
	for (size_t i = 0; i < COUNT(contents); i++) {
		cleanup_look struct seen seen = {.profile = contents[i]};

		look_start(&seen, SERVICE("\"security_opt\":[\"seccomp:p.json\"]"),
		           "web");
		assert_true(seen.postures & BIT(UNREADABLE));
	}
}

static void
facts_are_what_no_variable_decides(void **state)
{
	cleanup_look struct seen seen = {.found = false};
	const struct container *container;

	(void)state;
	look_start(&seen,
	           SERVICE("\"image\":\"nginx\",\"container_name\":\"w\",\"labels\":["
	                   "\"a=1\",\"b=$B\"],\"runtime\":\"runc\""),
	           "web");
	container = &seen.judge.decision.workload.containers[0];
	assert_true(text_is(container->title, "web"));
	assert_true(text_is(container->name, "w"));
	assert_true(text_is(container->image.text, "docker.io/library/nginx:latest"));
	assert_true(text_is(container->runtime, "runc"));
	assert_int_equal(container->labels.count, 1);
	assert_true(text_is(container->labels.at[0].key, "a"));
}

static void
variable_leaves_no_fact(void **state)
{
	cleanup_look struct seen seen = {.found = false};
	const struct container *container;

	(void)state;
	look_start(&seen,
	           SERVICE("\"image\":\"nginx:$T\",\"container_name\":\"$N\",\"labels\":["
	                   "\"a=1\",\"$L=1\"],\"runtime\":\"$R\",\"build\":\".\""),
	           "web");
	container = &seen.judge.decision.workload.containers[0];
	assert_null(container->name.at);
	assert_null(container->image.text.at);
	assert_null(container->runtime.at);
	assert_int_equal(container->labels.count, 0);
	assert_int_equal(seen.guards,
	                 GUARD_BIT(GUARD_RUNTIMES) | GUARD_BIT(GUARD_BUILDS));
	assert_true(seen.denied);
}

static int
count_service(struct text name, struct text object, void *context)
{
	(void)name, (void)object;
	++*(size_t *)context;
	return 0;
}

static const struct {
	const char *document;
	bool recognised;
	int services; /* -1: it can't be read */
} shapes[] = {
    {"{\"services\":{\"a\":{},\"b\":{}}}", true, 2},
    {"{\"services\":{\"a\":{},\"x-b\":{}},\"x-c\":1}", true, 2},
    {"{\"services\":{}}", true, 0},
    {"{\"services\":null}", false, 0},
    {"{\"services\":[]}", false, -1},
    {"{\"services\":{\"a\":{}},\"services\":{}}", false, -1},
    {"{\"include\":[\"a.yml\"]}", true, 0},
    {"{\"include\":\"a.yml\"}", false, -1},
    {"{\"networks\":{}}", false, 0},
    {"{\"version\":\"3\"}", false, 0},
    {"{\"web\":{\"image\":\"nginx\"},\"db\":{}}", true, 2},
    {"{\"web\":{\"build\":\".\"},\"x-a\":[]}", true, 1},
    {"{\"web\":{}}", false, 1},
    {"{\"web\":{\"image\":\"nginx\"},\"name\":{}}", false, 0},
    {"{\"web\":{\"image\":\"nginx\"},\"on\":[]}", false, 2},
    {"{}", false, 0},
    {"null", false, -1},
    {"[]", false, -1},
    {"{\"services\":{}} x", false, -1},
};

static void
services_are_told_from_the_shape(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(shapes); i++) {
		cleanup_arena struct arena arena = {0};
		struct text document = text_of(shapes[i].document);
		struct compose_includes includes = {0};
		struct err err = {0};
		size_t count = 0;
		int result = compose_each(document, &arena, count_service, &count,
		                          &includes, &err);

		if ((result == 0 ? (int)count : -1) != shapes[i].services)
			fail_msg("%s: %d, %zu", shapes[i].document, result, count);
		if (compose_recognise(document, &arena) != shapes[i].recognised)
			fail_msg("%s is recognised, or not", shapes[i].document);
	}
}

static void
includes_are_paths_however_they_are_written(void **state)
{
	static const char document[] =
	    "{\"include\":[\"a\",{\"path\":\"b\"},{\"path\":[\"c\",\"d\"],"
	    "\"project_directory\":\"e\"}]}";
	cleanup_arena struct arena arena = {0};
	struct compose_includes includes = {0};
	struct err err = {0};
	size_t count = 0;

	(void)state;
	assert_int_equal(compose_each(text_of(document), &arena, count_service, &count,
	                              &includes, &err),
	                 0);
	assert_int_equal(includes.count, 3);
	assert_int_equal(includes.at[0].paths.count, 1);
	assert_true(text_is(includes.at[0].paths.at[0], "a"));
	assert_null(includes.at[1].folder.at);
	assert_int_equal(includes.at[2].paths.count, 2);
	assert_true(text_is(includes.at[2].paths.at[1], "d"));
	assert_true(text_is(includes.at[2].folder, "e"));
	assert_ptr_equal(includes.at[2].place, strstr(document, "{\"path\":[\"c\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(service_has_the_postures_of_its_settings),
	    cmocka_unit_test(service_has_what_it_extends_under_its_own),
	    cmocka_unit_test(base_without_content_adds_nothing),
	    cmocka_unit_test(profile_is_the_file_of_the_last_option),
	    cmocka_unit_test(profiles_that_are_merged_count_as_the_worst_of_them),
	    cmocka_unit_test(words_and_what_a_variable_decides_name_no_file),
	    cmocka_unit_test(file_of_a_word_is_no_profile),
	    cmocka_unit_test(facts_are_what_no_variable_decides),
	    cmocka_unit_test(variable_leaves_no_fact),
	    cmocka_unit_test(services_are_told_from_the_shape),
	    cmocka_unit_test(includes_are_paths_however_they_are_written),
	};

	return cmocka_run_group_tests_name("compose", tests, NULL, NULL);
}
