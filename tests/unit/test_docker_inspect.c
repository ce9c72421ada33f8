/* SPDX-License-Identifier: Apache-2.0 */
/* test_docker_inspect.c - what containers and services that are there already run with. */
#include "deciding.h"

#define BIT(posture) POSTURE_BIT(POSTURE_##posture)

#define CONTAINER(host_config)                                                           \
	"{\"Id\":\"0a1b\",\"Name\":\"/web\",\"State\":{\"Status\":\"running\",\"Pid\":"  \
	"42},\"Config\":{\"Image\":\"nginx\",\"Labels\":{\"team\":\"a\"}},\"HostConfig"  \
	"\":" host_config "}"
#define OPTION(text) CONTAINER("{\"SecurityOpt\":[\"" text "\"]}")
#define SPEC(seccomp)                                                                    \
	"{\"Name\":\"api\",\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"nginx\","    \
	"\"Privileges\":{\"Seccomp\":" seccomp "}}}}"
#define STRICT  TEXT_LIT("{\"defaultAction\":\"SCMP_ACT_ERRNO\"}")
#define LOG_ALL TEXT_LIT("{\"defaultAction\":\"SCMP_ACT_LOG\"}")
#define WEAK                                                                             \
	TEXT_LIT("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":["      \
	         "\"mount\"],\"action\":\"SCMP_ACT_ALLOW\"}]}")
#define LOOSE "{\"Mode\":\"unconfined\"}"
#define RULES "{\\\"defaultAction\\\":\\\"SCMP_ACT_ERRNO\\\"}"

/* The parts that a text falls into, each judged. */
struct seen {
	struct judge judge;
	struct inspect_context context;
	size_t count;
	enum inspect_kind kinds[8];
	unsigned postures[8];
	bool denied[8];
	enum reason reasons[8];
	char names[8][16];
};

static int
take(const struct inspect_part *part, void *context)
{
	struct seen *seen = context;
	struct decision *decision = &seen->judge.decision;
	const struct workload *workload = &decision->workload;
	size_t i = seen->count++;

	assert_true(i < COUNT(seen->kinds));
	decision_reset(decision);
	decide_inspect(part, &seen->context, &seen->judge.circumstances, decision);
	assert_int_equal(workload->count, 1);
	seen->kinds[i] = part->kind;
	seen->postures[i] = workload->containers[0].postures;
	seen->denied[i] = decision->verdict.decision == DECISION_DENY;
	seen->reasons[i] = decision->verdict.reason;
	(void)snprintf(seen->names[i], sizeof seen->names[i], "%.*s",
	               TEXT_ARG(workload->containers[0].name));
	return 0;
}

static int
look(struct seen *seen, const char *policy, const char *text)
{
	cleanup_arena struct arena arena = {0};
	struct err err = {0};
	int result;

	judge_start(&seen->judge, policy);
	result = docker_inspect_each(text_of(text), &arena, take, seen, &err);
	judge_stop(&seen->judge);
	assert_int_equal(result != 0, err.code != ERR_NONE);
	return result;
}

static const struct {
	const char *text;
	unsigned postures;
} documents[] = {
    {CONTAINER("{}"), BIT(DEFAULT)},
    {CONTAINER("{\"SecurityOpt\":null,\"Privileged\":false}"), BIT(DEFAULT)},
    {CONTAINER("{\"SecurityOpt\":[\"label=disable\"]}"), BIT(DEFAULT)},
    {OPTION("seccomp=builtin"), BIT(DEFAULT)},
    {OPTION("seccomp=" RULES), BIT(CUSTOM)},
    {OPTION("seccomp=unconfined"), BIT(UNCONFINED)},
    {OPTION("seccomp:unconfined"), BIT(UNCONFINED)},
    {OPTION("seccomp={}"), BIT(UNCONFINED)},
    {OPTION("seccomp={\\\"defaultAction\\\":\\\"SCMP_ACT_LOG\\\"}"), BIT(PERMISSIVE)},
    {CONTAINER("{\"Privileged\":true,\"SecurityOpt\":[\"seccomp=" RULES "\"]}"),
     BIT(PRIVILEGED) | BIT(CUSTOM)},
    {CONTAINER("{\"Annotations\":{\"run.oci.seccomp_bpf_data\":\"x\"}}"),
     BIT(UNCONFINED)},
    {OPTION("seccomp=nonsense"), BIT(UNREADABLE)},
    {OPTION("SECCOMP=unconfined"), BIT(UNREADABLE)},
    {CONTAINER("{\"Privileged\":\"no\"}"), BIT(UNREADABLE)},
    {CONTAINER("{\"Privileged\":false,\"privileged\":true}"), BIT(UNREADABLE)},
    {CONTAINER("{\"SecurityOpt\":[null]}"), BIT(UNREADABLE)},
    {CONTAINER("null"), BIT(UNREADABLE)},
    {CONTAINER("[]"), BIT(UNREADABLE)},
    {"{}", BIT(UNREADABLE)},
    {"{\"Id\":\"sha256:0a\",\"RepoTags\":[]}", BIT(UNREADABLE)},
    {"{\"Spec\":" SPEC("null") "}", BIT(DEFAULT)},
    {"{\"Spec\":" SPEC(LOOSE) "}", BIT(UNCONFINED)},
    {"{\"Spec\":" SPEC("{\"Mode\":\"custom\",\"Profile\":\"e30=\"}") "}",
     BIT(UNCONFINED)},
    {"{\"Spec\":[]}", BIT(UNREADABLE)},
};

static void
document_has_the_postures_of_its_settings(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(documents); i++) {
		struct seen seen = {.count = 0};
		unsigned got;

		assert_int_equal(look(&seen, NULL, documents[i].text), 0);
		assert_int_equal(seen.count, 1);
		got = seen.postures[0];
		if ((documents[i].postures & BIT(UNREADABLE)) != 0)
			got &= BIT(UNREADABLE);
		if (got != documents[i].postures)
			fail_msg("%s: %#x", documents[i].text, seen.postures[0]);
		assert_int_equal(seen.denied[0], (documents[i].postures &
		                                  ~(BIT(DEFAULT) | BIT(CUSTOM))) != 0);
	}
}

static void
list_is_judged_one_by_one(void **state)
{
	struct seen seen = {.count = 0};

	(void)state;
	assert_int_equal(
	    look(&seen, NULL,
	         "[" CONTAINER("{}") ", " OPTION("seccomp=unconfined") ",{}]"),
	    0);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.kinds[1], INSPECT_CONTAINER);
	assert_int_equal(seen.kinds[2], INSPECT_OTHER);
	assert_false(seen.denied[0]);
	assert_true(seen.denied[1]);
	assert_true(seen.denied[2]);
}

static void
empty_list_has_nothing_to_judge(void **state)
{
	struct seen seen = {.count = 0};

	(void)state;
	assert_int_equal(look(&seen, NULL, " [ ] "), 0);
	assert_int_equal(seen.count, 0);
}

static void
what_is_no_list_of_objects_is_an_error(void **state)
{
	static const char *const texts[] = {"",     "null",  "\"x\"",  "[null]",
	                                    "[[]]", "{} {}", "[{}] 1", "[{},"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct seen seen = {.count = 0};

		if (look(&seen, NULL, texts[i]) == 0)
			fail_msg("%s", texts[i]);
	}
}

static void
previous_spec_of_a_service_is_judged_on_its_own(void **state)
{
	struct seen seen = {.count = 0};

	(void)state;
	assert_int_equal(
	    look(&seen, NULL,
	         "{\"ID\":\"x1\",\"Spec\":" SPEC("null") ",\"PreviousSpec\":" SPEC(
		     LOOSE) ",\"Endpoint\":{}}"),
	    0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.kinds[0], INSPECT_SERVICE);
	assert_int_equal(seen.kinds[1], INSPECT_PREVIOUS);
	assert_false(seen.denied[0]);
	assert_true(seen.denied[1]);
	assert_string_equal(seen.names[1], "api");
}

#define EXCEPTION(match)                                                                 \
	"{\"version\":1,\"exceptions\":[{\"id\":\"e\",\"reason\":\"r\",\"allow\":[\""    \
	"unconfined\"],\"match\":{" match "}}]}"

static void
exceptions_hold_as_at_the_door_but_for_who_asked(void **state)
{
	static const struct {
		const char *policy;
		bool denied;
	} rows[] = {
	    {EXCEPTION("\"name\":[\"web\"]"), false},
	    {EXCEPTION("\"image\":[\"nginx\"]"), false},
	    {EXCEPTION("\"label\":{\"team\":\"a\"}"), false},
	    {EXCEPTION("\"door\":[\"docker\"],\"name\":[\"w*\"]"), false},
	    {EXCEPTION("\"name\":[\"/web\"]"), true},
	    {EXCEPTION("\"label\":{\"team\":\"b\"}"), true},
	    {EXCEPTION("\"user\":[\"*\"]"), true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct seen seen = {.count = 0};

		assert_int_equal(
		    look(&seen, rows[i].policy, OPTION("seccomp=unconfined")), 0);
		if (seen.denied[0] != rows[i].denied)
			fail_msg("%s", rows[i].policy);
	}
}

static void
runtime_that_is_the_engines_default_was_not_asked_for(void **state)
{
	const char *text = CONTAINER("{\"Runtime\":\"narrow\"}");
	struct seen seen = {.count = 0};

	(void)state;
	assert_int_equal(look(&seen, NULL, text), 0);
	assert_int_equal(seen.reasons[0], REASON_GUARD);
	seen = (struct seen){.context.default_runtime = TEXT_LIT("narrow")};
	assert_int_equal(look(&seen, NULL, text), 0);
	assert_false(seen.denied[0]);
	seen = (struct seen){.context.default_runtime = TEXT_LIT("other")};
	assert_int_equal(look(&seen, NULL, text), 0);
	assert_true(seen.denied[0]);
}

static void
what_is_known_besides_makes_things_worse_only(void **state)
{
	static const struct {
		const char *text;
		struct inspect_context context;
		unsigned postures;
	} rows[] = {
	    {CONTAINER("{}"), {.default_unconfined = true}, BIT(UNCONFINED)},
	    {OPTION("seccomp="), {.default_unconfined = true}, BIT(UNCONFINED)},
	    {"{\"Spec\":" SPEC("null") "}",
	     {.default_unconfined = true},
	     BIT(UNCONFINED)},
	    {OPTION("seccomp=builtin"), {.default_unconfined = true}, BIT(DEFAULT)},
	    {OPTION("seccomp=" RULES), {.default_unconfined = true}, BIT(CUSTOM)},
	    {CONTAINER("{}"), {.default_profile = WEAK}, BIT(WEAK)},
	    {OPTION("seccomp="), {.default_profile = WEAK}, BIT(WEAK)},
	    {"{\"Spec\":" SPEC("null") "}", {.default_profile = WEAK}, BIT(WEAK)},
	    {OPTION("seccomp=builtin"), {.default_profile = WEAK}, BIT(DEFAULT)},
	    {OPTION("seccomp=" RULES), {.default_profile = WEAK}, BIT(CUSTOM)},
	    {CONTAINER("{}"), {.default_profile = TEXT_LIT("{}")}, BIT(UNCONFINED)},
	    {CONTAINER("{}"), {.default_profile = LOG_ALL}, BIT(PERMISSIVE)},
	    {CONTAINER("{}"), {.default_profile = TEXT_LIT("x")}, BIT(UNREADABLE)},
	    {CONTAINER("{}"), {.default_profile = STRICT}, BIT(DEFAULT)},
	    {CONTAINER("{}"), {.unfiltered = true}, BIT(DEFAULT) | BIT(UNCONFINED)},
	    {OPTION("seccomp=" RULES),
	     {.unfiltered = true},
	     BIT(CUSTOM) | BIT(UNCONFINED)},
	    /* no surprise, so an exception for what it asked still covers it */
	    {CONTAINER("{\"Privileged\":true}"),
	     {.unfiltered = true},
	     BIT(PRIVILEGED) | BIT(DEFAULT)},
	    {OPTION("seccomp=unconfined"), {.unfiltered = true}, BIT(UNCONFINED)},
	    {OPTION("seccomp=unconfined"), {.unfiltered = false}, BIT(UNCONFINED)},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct seen seen = {.context = rows[i].context};

		assert_int_equal(look(&seen, NULL, rows[i].text), 0);
		if ((seen.postures[0] | BIT(DEFAULT)) !=
		    (rows[i].postures | BIT(DEFAULT)))
			fail_msg("%s: %#x", rows[i].text, seen.postures[0]);
		if (seen.denied[0] !=
		    ((rows[i].postures & ~(BIT(DEFAULT) | BIT(CUSTOM))) != 0))
			fail_msg("%s", rows[i].text);
	}
}

static void
what_is_not_judged_is_read_too(void **state)
{
	cleanup_arena struct arena arena = {0};
	const struct inspect_part part = {INSPECT_CONTAINER,
	                                  text_of(OPTION("seccomp=unconfined"))};
	struct inspected about;

	(void)state;
	docker_inspect_about(&part, &arena, &about);
	assert_true(text_is(about.id, "0a1b"));
	assert_true(text_is(about.name, "web"));
	assert_true(text_is(about.image, "nginx"));
	assert_true(text_is(about.status, "running"));
	assert_int_equal(about.pid, 42);
	assert_int_equal(about.security_opt.count, 1);
}

static void
pid_that_is_no_number_is_none(void **state)
{
	static const char *const pids[] = {"-1",   "1e3",         "\"7\"",
	                                   "null", "99999999999", "{}"};

	(void)state;
	for (size_t i = 0; i < COUNT(pids); i++) {
		cleanup_arena struct arena arena = {0};
		cleanup_buf struct buf text = {0};
		struct inspect_part part = {.kind = INSPECT_CONTAINER};
		struct inspected about;

		buf_printf(&text, "{\"State\":{\"Pid\":%s},\"HostConfig\":{}}", pids[i]);
		part.object = buf_text(&text);
		docker_inspect_about(&part, &arena, &about);
		if (about.pid != 0)
			fail_msg("%s: %ld", pids[i], about.pid);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(document_has_the_postures_of_its_settings),
	    cmocka_unit_test(list_is_judged_one_by_one),
	    cmocka_unit_test(empty_list_has_nothing_to_judge),
	    cmocka_unit_test(what_is_no_list_of_objects_is_an_error),
	    cmocka_unit_test(previous_spec_of_a_service_is_judged_on_its_own),
	    cmocka_unit_test(exceptions_hold_as_at_the_door_but_for_who_asked),
	    cmocka_unit_test(runtime_that_is_the_engines_default_was_not_asked_for),
	    cmocka_unit_test(what_is_known_besides_makes_things_worse_only),
	    cmocka_unit_test(what_is_not_judged_is_read_too),
	    cmocka_unit_test(pid_that_is_no_number_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
