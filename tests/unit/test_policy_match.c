/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_match.c - what policies say of containers. */
#include "core/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define BIT(posture) POSTURE_BIT(POSTURE_##posture)
#define NOW          1800000000 /* 2027-01-15T08:00:00Z */

/* The bytes after "version" of a policy; one exception for unconfined around a match. */
#define EXCEPTION(id, rest)                                                              \
	"{\"id\":\"" id "\",\"reason\":\"r\",\"match\":{\"user\":[\"ci\"]}," rest "}"
#define EXCEPTIONS(list) ",\"exceptions\":[" list "]"

static struct policy *
parse(const char *rest)
{
	cleanup_buf struct buf buf = {0};
	struct policy_problems problems;
	struct policy *policy;

	buf_printf(&buf, "{\"version\":1%s}", rest);
	policy = policy_parse(buf_text(&buf), &problems);
	if (!policy)
		fail_msg("%s: %s: %s", buf.at, problems.at[0].pointer,
		         problems.at[0].text);
	return policy;
}

/* A container of user "ci" about which little is known. */
struct question {
	struct container container;
	struct workload workload;
	struct arena arena;
};

static void
ask_about(struct question *question, unsigned postures, unsigned guards)
{
	*question = (struct question){
	    .container = {.postures = postures, .guards = guards},
	    .workload = {.user = TEXT_LIT("ci"), .count = 1},
	};
	question->workload.containers = &question->container;
}

static struct ruling
judge(const struct policy *policy, struct question *question)
{
	struct ruling ruling =
	    policy_judge(policy, &question->workload, 0, NOW, &question->arena);

	arena_free(&question->arena);
	return ruling;
}

/* ---- modes ---- */

static const struct {
	const char *policy;
	unsigned postures, guards;
	enum rule_mode mode;
	unsigned refused;
	int guard;
	const char *exception, *would;
} rulings[] = {
    /* postures */
    {"", BIT(DEFAULT), 0, RULE_OFF, 0, -1, NULL, NULL},
    {"", BIT(DEFAULT) | BIT(CUSTOM), 0, RULE_OFF, 0, -1, NULL, NULL},
    {"", BIT(UNCONFINED), 0, RULE_ENFORCE, BIT(UNCONFINED), -1, NULL, NULL},
    {"", BIT(DEFAULT) | BIT(WEAK), 0, RULE_ENFORCE, BIT(WEAK), -1, NULL, NULL},
    {"", BIT(UNREADABLE), 0, RULE_ENFORCE, BIT(UNREADABLE), -1, NULL, NULL},
    {",\"allow\":[]", BIT(DEFAULT), 0, RULE_ENFORCE, BIT(DEFAULT), -1, NULL, NULL},
    {",\"allow\":[\"unconfined\"]", BIT(UNCONFINED), 0, RULE_OFF, 0, -1, NULL, NULL},
    /* a set without a posture and without a guard, or one that nobody knows */
    {"", 0, 0, RULE_ENFORCE, BIT(UNREADABLE), -1, NULL, NULL},
    {",\"guard\":[]", 0, 0, RULE_ENFORCE, BIT(UNREADABLE), -1, NULL, NULL},
    {"", BIT(COUNT), 0, RULE_ENFORCE, BIT(UNREADABLE), -1, NULL, NULL},
    {"", BIT(DEFAULT), GUARD_BIT(GUARD_COUNT), RULE_ENFORCE, BIT(UNREADABLE), -1, NULL,
     NULL},
    {"", 0, GUARD_BIT(GUARD_COUNT), RULE_ENFORCE, BIT(UNREADABLE), -1, NULL, NULL},
    /* observed postures */
    {",\"observe\":[\"weak\"]", BIT(WEAK), 0, RULE_OBSERVE, BIT(WEAK), -1, NULL, NULL},
    {",\"observe\":[\"weak\"]", BIT(WEAK) | BIT(UNCONFINED), 0, RULE_ENFORCE,
     BIT(WEAK) | BIT(UNCONFINED), -1, NULL, NULL},
    {",\"mode\":\"observe\"", BIT(UNCONFINED), 0, RULE_OBSERVE, BIT(UNCONFINED), -1, NULL,
     NULL},
    {",\"mode\":\"observe\"", BIT(UNREADABLE), 0, RULE_OBSERVE, BIT(UNREADABLE), -1, NULL,
     NULL},
    {",\"mode\":\"observe\"", BIT(DEFAULT), 0, RULE_OFF, 0, -1, NULL, NULL},
    /* guards */
    {"", 0, GUARD_BIT(GUARD_SELF), RULE_ENFORCE, 0, GUARD_SELF, NULL, NULL},
    {"", 0, GUARD_BIT(GUARD_BUILDS), RULE_OFF, 0, -1, NULL, NULL},
    {",\"guard\":[\"builds\"]", 0, GUARD_BIT(GUARD_BUILDS), RULE_ENFORCE, 0, GUARD_BUILDS,
     NULL, NULL},
    {",\"guard\":[\"builds\"]", 0, GUARD_BIT(GUARD_SELF), RULE_OFF, 0, -1, NULL, NULL},
    {",\"guard\":[{\"name\":\"self\",\"mode\":\"observe\"}]", 0, GUARD_BIT(GUARD_SELF),
     RULE_OBSERVE, 0, GUARD_SELF, NULL, NULL},
    {",\"mode\":\"observe\"", 0, GUARD_BIT(GUARD_SELF), RULE_OBSERVE, 0, GUARD_SELF, NULL,
     NULL},
    /* the worst decides, guards are named first */
    {"", BIT(UNCONFINED), GUARD_BIT(GUARD_LEGACY_START), RULE_ENFORCE, BIT(UNCONFINED),
     GUARD_LEGACY_START, NULL, NULL},
    {"", BIT(DEFAULT), GUARD_BIT(GUARD_LEGACY_START), RULE_ENFORCE, 0, GUARD_LEGACY_START,
     NULL, NULL},
    {"", BIT(UNREADABLE), GUARD_BIT(GUARD_LEGACY_START), RULE_ENFORCE, BIT(UNREADABLE),
     GUARD_LEGACY_START, NULL, NULL},
    {"", 0, GUARD_BIT(GUARD_CHECKPOINT) | GUARD_BIT(GUARD_PLUGINS), RULE_ENFORCE, 0,
     GUARD_PLUGINS, NULL, NULL},
    {",\"guard\":[{\"name\":\"self\",\"mode\":\"observe\"},\"plugins\"]", 0,
     GUARD_BIT(GUARD_SELF) | GUARD_BIT(GUARD_PLUGINS), RULE_ENFORCE, 0, GUARD_PLUGINS,
     NULL, NULL},
    {",\"guard\":[{\"name\":\"self\",\"mode\":\"observe\"}]", BIT(UNCONFINED),
     GUARD_BIT(GUARD_SELF), RULE_ENFORCE, BIT(UNCONFINED), -1, NULL, NULL},
    {",\"observe\":[\"weak\"]", BIT(WEAK), GUARD_BIT(GUARD_SELF), RULE_ENFORCE, BIT(WEAK),
     GUARD_SELF, NULL, NULL},
    {",\"observe\":[\"weak\"],\"guard\":[{\"name\":\"self\",\"mode\":\"observe\"}]",
     BIT(WEAK), GUARD_BIT(GUARD_SELF), RULE_OBSERVE, BIT(WEAK), GUARD_SELF, NULL, NULL},
    /* exceptions for postures: one has to cover the set */
    {EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"unconfined\"]")), BIT(UNCONFINED), 0,
     RULE_OFF, 0, -1, "a", NULL},
    {EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"unconfined\"]")),
     BIT(UNCONFINED) | BIT(CUSTOM), 0, RULE_OFF, 0, -1, "a", NULL},
    {EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"unconfined\"]")),
     BIT(UNCONFINED) | BIT(PRIVILEGED), 0, RULE_ENFORCE,
     BIT(UNCONFINED) | BIT(PRIVILEGED), -1, NULL, NULL},
    {EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"unconfined\"]") "," EXCEPTION(
	 "b", "\"allow\":[\"privileged\"]")),
     BIT(UNCONFINED) | BIT(PRIVILEGED), 0, RULE_ENFORCE,
     BIT(UNCONFINED) | BIT(PRIVILEGED), -1, NULL, NULL},
    {EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"unconfined\"]") "," EXCEPTION(
	 "b", "\"allow\":[\"privileged\",\"unconfined\"]")),
     BIT(UNCONFINED) | BIT(PRIVILEGED), 0, RULE_OFF, 0, -1, "b", NULL},
    {",\"observe\":[\"weak\"]" EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"unconfined\"]")),
     BIT(UNCONFINED) | BIT(WEAK), 0, RULE_ENFORCE, BIT(UNCONFINED) | BIT(WEAK), -1, NULL,
     NULL},
    {",\"observe\":[\"weak\"]" EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"weak\"]")),
     BIT(WEAK), 0, RULE_OFF, 0, -1, "a", NULL},
    {EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"unconfined\"]")), BIT(DEFAULT), 0, RULE_OFF,
     0, -1, NULL, NULL},
    {EXCEPTIONS("{\"id\":\"a\",\"reason\":\"r\",\"match\":{\"user\":[\"dba\"]},"
                "\"allow\":[\"unconfined\"]}"),
     BIT(UNCONFINED), 0, RULE_ENFORCE, BIT(UNCONFINED), -1, NULL, NULL},
    /* no exception covers what is unreadable, though guards are lifted of it */
    {EXCEPTIONS(EXCEPTION("a",
                          "\"allow\":[\"privileged\",\"unconfined\",\"permissive\","
                          "\"weak\",\"unset\",\"localhost\",\"custom\",\"default\"]")),
     BIT(UNREADABLE), 0, RULE_ENFORCE, BIT(UNREADABLE), -1, NULL, NULL},
    {EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"guard:self\"]")), BIT(UNREADABLE),
     GUARD_BIT(GUARD_SELF), RULE_ENFORCE, BIT(UNREADABLE), -1, NULL, NULL},
    /* exceptions for guards */
    {EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"guard:self\"]")), 0, GUARD_BIT(GUARD_SELF),
     RULE_OFF, 0, GUARD_SELF, "a", NULL},
    {EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"guard:self\"]")), 0,
     GUARD_BIT(GUARD_SELF) | GUARD_BIT(GUARD_PLUGINS), RULE_ENFORCE, 0, GUARD_PLUGINS,
     NULL, NULL},
    {EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"guard:plugins\"]") "," EXCEPTION(
	 "b", "\"allow\":[\"guard:self\"]")),
     0, GUARD_BIT(GUARD_SELF) | GUARD_BIT(GUARD_PLUGINS), RULE_OFF, 0, GUARD_SELF, "a",
     NULL},
    {EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"guard:legacy-start\"]")), BIT(UNCONFINED),
     GUARD_BIT(GUARD_LEGACY_START), RULE_ENFORCE, BIT(UNCONFINED), -1, NULL, NULL},
    {EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"guard:legacy-start\"]") "," EXCEPTION(
	 "b", "\"allow\":[\"unconfined\"]")),
     BIT(UNCONFINED), GUARD_BIT(GUARD_LEGACY_START), RULE_OFF, 0, GUARD_LEGACY_START, "b",
     NULL},
    {EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"unconfined\"]")), BIT(UNCONFINED),
     GUARD_BIT(GUARD_LEGACY_START), RULE_ENFORCE, 0, GUARD_LEGACY_START, NULL, NULL},
    {",\"guard\":[{\"name\":\"self\",\"mode\":\"observe\"}]" EXCEPTIONS(
	 EXCEPTION("a", "\"allow\":[\"guard:self\"]")),
     0, GUARD_BIT(GUARD_SELF), RULE_OFF, 0, GUARD_SELF, "a", NULL},
    /* an observed exception never allows */
    {EXCEPTIONS(EXCEPTION("a", "\"mode\":\"observe\",\"allow\":[\"unconfined\"]")),
     BIT(UNCONFINED), 0, RULE_ENFORCE, BIT(UNCONFINED), -1, NULL, "a"},
    {EXCEPTIONS(EXCEPTION("a", "\"mode\":\"observe\",\"allow\":[\"unconfined\"]")),
     BIT(DEFAULT), 0, RULE_OFF, 0, -1, NULL, NULL},
    {EXCEPTIONS(EXCEPTION("a", "\"mode\":\"observe\",\"allow\":[\"guard:self\"]")), 0,
     GUARD_BIT(GUARD_SELF), RULE_ENFORCE, 0, GUARD_SELF, NULL, "a"},
    {EXCEPTIONS(
	 EXCEPTION("a", "\"mode\":\"observe\",\"allow\":[\"unconfined\"]") "," EXCEPTION(
	     "b", "\"allow\":[\"unconfined\"]")),
     BIT(UNCONFINED), 0, RULE_OFF, 0, -1, "b", NULL},
    {EXCEPTIONS(EXCEPTION("a", "\"mode\":\"observe\",\"allow\":[\"weak\"]") "," EXCEPTION(
	 "b", "\"mode\":\"observe\",\"allow\":[\"unconfined\"]")),
     BIT(UNCONFINED), 0, RULE_ENFORCE, BIT(UNCONFINED), -1, NULL, "b"},
    {EXCEPTIONS(EXCEPTION("a", "\"mode\":\"observe\",\"allow\":[\"guard:self\"]")),
     BIT(UNCONFINED), GUARD_BIT(GUARD_SELF), RULE_ENFORCE, BIT(UNCONFINED), GUARD_SELF,
     NULL, NULL},
    {",\"mode\":\"observe\"" EXCEPTIONS(
	 EXCEPTION("a", "\"mode\":\"observe\",\"allow\":[\"unconfined\"]")),
     BIT(UNCONFINED), 0, RULE_OBSERVE, BIT(UNCONFINED), -1, NULL, "a"},
    {",\"guard\":[{\"name\":\"self\",\"mode\":\"observe\"}]" EXCEPTIONS(
	 EXCEPTION("a", "\"mode\":\"observe\",\"allow\":[\"unconfined\"]")),
     BIT(UNCONFINED), GUARD_BIT(GUARD_SELF), RULE_ENFORCE, BIT(UNCONFINED), -1, NULL,
     "a"},
    {EXCEPTIONS(EXCEPTION("a", "\"mode\":\"observe\",\"allow\":[\"unconfined\"]")),
     BIT(UNREADABLE), 0, RULE_ENFORCE, BIT(UNREADABLE), -1, NULL, NULL},
    /* expired means gone, to the second */
    {EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"unconfined\"],"
                               "\"expires\":\"2027-01-15T08:00:01Z\"")),
     BIT(UNCONFINED), 0, RULE_OFF, 0, -1, "a", NULL},
    {EXCEPTIONS(EXCEPTION("a", "\"allow\":[\"unconfined\"],"
                               "\"expires\":\"2027-01-15T08:00:00Z\"")),
     BIT(UNCONFINED), 0, RULE_ENFORCE, BIT(UNCONFINED), -1, NULL, NULL},
    {EXCEPTIONS(EXCEPTION("a", "\"mode\":\"observe\",\"allow\":[\"unconfined\"],"
                               "\"expires\":\"2027-01-15T08:00:00Z\"")),
     BIT(UNCONFINED), 0, RULE_ENFORCE, BIT(UNCONFINED), -1, NULL, NULL},
};

static void
assert_id(size_t row, const char *what, const struct exception *got, const char *want)
{
	if ((got == NULL) != (want == NULL) || (got && !text_is(got->id, want)))
		fail_msg("row %zu: %s is %.*s", row, what,
		         TEXT_ARG(got ? got->id : (struct text){0}));
}

static void
each_case_is_ruled_as_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rulings); i++) {
		struct policy *policy = parse(rulings[i].policy);
		struct question question;
		struct ruling ruling;

		ask_about(&question, rulings[i].postures, rulings[i].guards);
		ruling = judge(policy, &question);
		if (ruling.mode != rulings[i].mode ||
		    ruling.refused != rulings[i].refused ||
		    ruling.guard != rulings[i].guard)
			fail_msg("row %zu: mode %d, refused %x, guard %d", i, ruling.mode,
			         ruling.refused, ruling.guard);
		assert_id(i, "exception", ruling.exception, rulings[i].exception);
		assert_id(i, "would", ruling.would, rulings[i].would);
		policy_free(policy);
	}
}

static void
asking_for_nothing_is_unconfined_where_the_engine_is(void **state)
{
	struct policy *policy = parse(",\"engine_default\":\"unconfined\"");
	struct question question;
	struct ruling ruling;

	(void)state;
	ask_about(&question, BIT(DEFAULT), 0);
	assert_int_equal(judge(policy, &question).mode, RULE_OFF);
	question.container.asked_nothing = true;
	ruling = judge(policy, &question);
	assert_int_equal(ruling.mode, RULE_ENFORCE);
	assert_int_equal(ruling.refused, BIT(UNCONFINED));
	policy_free(policy);
	policy = parse("");
	assert_int_equal(judge(policy, &question).mode, RULE_OFF);
	policy_free(policy);
}

static void
a_runtime_that_is_not_listed_trips_its_guard(void **state)
{
	static const struct {
		const char *policy;
		struct text runtime;
		int guard;
	} rows[] = {
	    {"", TEXT_LIT("runc"), -1},
	    {"", TEXT_LIT("io.containerd.runc.v2"), -1},
	    {"", {0}, -1},
	    {"", TEXT_LIT(""), -1},
	    {"", TEXT_LIT("kata"), GUARD_RUNTIMES},
	    {"", TEXT_LIT("runc "), GUARD_RUNTIMES},
	    {"", TEXT_LIT("RUNC"), GUARD_RUNTIMES},
	    {",\"runtimes\":[\"run*\"]", TEXT_LIT("runc"), GUARD_RUNTIMES},
	    {",\"runtimes\":[\"kata\"]", TEXT_LIT("kata"), -1},
	    {",\"guard\":[]", TEXT_LIT("kata"), -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *policy = parse(rows[i].policy);
		struct question question;
		struct ruling ruling;

		ask_about(&question, BIT(DEFAULT), 0);
		question.container.runtime = rows[i].runtime;
		ruling = judge(policy, &question);
		assert_int_equal(ruling.guard, rows[i].guard);
		assert_int_equal(ruling.mode,
		                 rows[i].guard < 0 ? RULE_OFF : RULE_ENFORCE);
		policy_free(policy);
	}
}

static void
without_a_policy_or_a_container_all_is_refused(void **state)
{
	struct policy *policy = parse(",\"allow\":[\"unconfined\",\"default\"]");
	struct question question;

	(void)state;
	ask_about(&question, BIT(DEFAULT), 0);
	assert_int_equal(judge(NULL, &question).mode, RULE_ENFORCE);
	question.workload.count = 0;
	assert_int_equal(judge(policy, &question).mode, RULE_ENFORCE);
	policy_free(policy);
}

static void
a_sibling_is_judged_on_its_own(void **state)
{
	struct policy *policy = parse(
	    EXCEPTIONS("{\"id\":\"a\",\"reason\":\"r\",\"match\":{\"name\":[\"dbg\"]},"
	               "\"allow\":[\"unconfined\"]}"));
	struct container both[2] = {
	    {.name = TEXT_LIT("dbg"), .postures = BIT(UNCONFINED)},
	    {.name = TEXT_LIT("web"), .postures = BIT(UNCONFINED)},
	};
	struct workload workload = {.containers = both, .count = 2};
	cleanup_arena struct arena arena = {0};

	(void)state;
	assert_int_equal(policy_judge(policy, &workload, 0, NOW, &arena).mode, RULE_OFF);
	assert_int_equal(policy_judge(policy, &workload, 1, NOW, &arena).mode,
	                 RULE_ENFORCE);
	policy_free(policy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_case_is_ruled_as_the_table_says),
	    cmocka_unit_test(asking_for_nothing_is_unconfined_where_the_engine_is),
	    cmocka_unit_test(a_runtime_that_is_not_listed_trips_its_guard),
	    cmocka_unit_test(without_a_policy_or_a_container_all_is_refused),
	    cmocka_unit_test(a_sibling_is_judged_on_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
