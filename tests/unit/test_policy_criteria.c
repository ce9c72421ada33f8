/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_criteria.c - to whom the match of an exception applies. */
#include "core/policy.h"

#include "core/seccomp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define BIT(posture) POSTURE_BIT(POSTURE_##posture)
#define NOW          1800000000 /* 2027-01-15T08:00:00Z */

/* A policy with one exception; `match` is the inside of its match. */
#define EXCEPTING                                                                        \
	"{\"version\":1,\"exceptions\":[{\"id\":\"a\",\"reason\":\"r\",\"match\":{%s},"  \
	"\"allow\":[\"unconfined\"]}]}"

static struct policy *
parse(const char *match)
{
	cleanup_buf struct buf buf = {0};
	struct policy_problems problems;
	struct policy *policy;

	buf_printf(&buf, EXCEPTING, match);
	policy = policy_parse(buf_text(&buf), &problems);
	if (!policy)
		fail_msg("%s: %s: %s", buf.at, problems.at[0].pointer,
		         problems.at[0].text);
	return policy;
}

/* An unconfined container of user "ci" about which little is known. */
struct question {
	struct container container;
	struct workload workload;
	struct arena arena;
};

static void
ask(struct question *question)
{
	*question = (struct question){
	    .container = {.postures = BIT(UNCONFINED)},
	    .workload = {.user = TEXT_LIT("ci"), .count = 1},
	};
	question->workload.containers = &question->container;
}

/* The container of the question, in full. */
static struct text_pair labels[] = {
    {TEXT_LIT("team"), TEXT_LIT("tools")},
    {TEXT_LIT("empty"), TEXT_LIT("")},
    {TEXT_LIT("twice"), TEXT_LIT("first")},
    {TEXT_LIT("twice"), TEXT_LIT("last")},
};
static struct text groups[] = {TEXT_LIT("system:authenticated"), TEXT_LIT("dev")};

static void
fill(struct question *question)
{
	ask(question);
	question->workload.user = TEXT_LIT("ci/7");
	question->workload.space = TEXT_LIT("build");
	question->workload.groups = (struct text_list){groups, COUNT(groups)};
	question->container.name = TEXT_LIT("dbg-1");
	question->container.runtime = TEXT_LIT("runc");
	question->container.labels = (struct text_map){labels, COUNT(labels)};
	question->container.local_profile = TEXT_LIT("localhost/profiles/a.json");
	question->container.image = image_ref_parse(
	    TEXT_LIT("registry.example.com/debug/gdb:12"), &question->arena);
}

#define SHA "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *match;
	bool holds;
} criteria[] = {
    {"\"door\":[\"docker\"]", true},
    {"\"door\":[\"kubernetes\"]", false},
    {"\"door\":[\"kubernetes\",\"docker\"]", true},
    {"\"image\":[\"registry.example.com/debug/*\"]", true},
    {"\"image\":[\"debug/*\",\"registry.example.com/debug/gdb:12\"]", true},
    {"\"image\":[\"registry.example.com/*\"]", false},
    {"\"user\":[\"ci/7\"]", true},
    {"\"user\":[\"ci*\"]", true}, /* '/' means something in images only */
    {"\"user\":[\"ci\"]", false},
    {"\"user\":[\"CI/7\"]", false},
    {"\"name\":[\"dbg-?\"]", true},
    {"\"name\":[\"dbg\"]", false},
    {"\"namespace\":[\"build\"]", true},
    {"\"namespace\":[\"b\"]", false},
    {"\"group\":[\"dev\"]", true},
    {"\"group\":[\"ops\",\"system:*\"]", true},
    {"\"group\":[\"ops\"]", false},
    {"\"runtime\":[\"runc\"]", true},
    {"\"runtime\":[\"crun\"]", false},
    {"\"label\":{\"team\":\"tools\"}", true},
    {"\"label\":{\"team\":\"t*\"}", true},
    {"\"label\":{\"team\":\"*\",\"empty\":\"*\"}", true},
    {"\"label\":{\"team\":\"tools\",\"tier\":\"*\"}", false},
    {"\"label\":{\"team\":\"web\"}", false},
    {"\"label\":{\"Team\":\"tools\"}", false},
    {"\"label\":{\"te*\":\"tools\"}", false},
    {"\"label\":{\"empty\":\"\"}", true},
    {"\"label\":{\"team\":\"\"}", false},
    {"\"label\":{\"none\":\"\"}", false},
    {"\"label\":{\"twice\":\"last\"}", true},
    {"\"label\":{\"twice\":\"first\"}", false},
    {"\"profile\":[\"localhost/profiles/a.json\"]", true},
    {"\"profile\":[\"localhost/*\"]", true},
    {"\"profile\":[\"localhost/b*\"]", false},
    {"\"profile\":[\"" SHA "\"]", false},
    /* all must hold */
    {"\"door\":[\"docker\"],\"user\":[\"ci*\"],\"name\":[\"dbg*\"],\"namespace\":[\"*\"],"
     "\"group\":[\"dev\"],\"runtime\":[\"*\"],\"label\":{\"team\":\"*\"},"
     "\"image\":[\"registry.example.com/*/*\"],\"profile\":[\"localhost/*\"]",
     true},
    {"\"door\":[\"docker\"],\"user\":[\"ci*\"],\"name\":[\"web*\"]", false},
    {"\"door\":[\"kubernetes\"],\"user\":[\"ci*\"]", false},
};

/* Is the question let through by an exception with that match? */
static bool
holds(const char *match, struct question *question)
{
	struct policy *policy = parse(match);
	struct ruling ruling;

	ruling = policy_judge(policy, &question->workload, 0, NOW, &question->arena);
	assert_int_equal(ruling.mode, ruling.exception ? RULE_OFF : RULE_ENFORCE);
	policy_free(policy);
	return ruling.mode == RULE_OFF;
}

static void
each_criterion_holds_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(criteria); i++) {
		struct question question;

		fill(&question);
		if (holds(criteria[i].match, &question) != criteria[i].holds)
			fail_msg("row %zu: %s", i, criteria[i].match);
		arena_free(&question.arena);
	}
}

/* What matches any fact, if there is one. */
static const char *const any_fact[] = {
    "\"image\":[\"*\",\"*/*\",\"*.*/*\"]",
    "\"user\":[\"*\"]",
    "\"name\":[\"*\"]",
    "\"namespace\":[\"*\"]",
    "\"group\":[\"*\"]",
    "\"runtime\":[\"*\"]",
    "\"label\":{\"team\":\"*\"}",
    "\"profile\":[\"localhost/*\"]",
};

static void
a_fact_that_is_missing_or_empty_fits_nothing(void **state)
{
	static struct text_pair no_value[] = {{TEXT_LIT("team"), {0}}};
	static struct text no_group[] = {TEXT_LIT("")};

	(void)state;
	for (size_t i = 0; i < COUNT(any_fact); i++) {
		struct question question;

		ask(&question);
		question.workload.user = (struct text){0};
		if (holds(any_fact[i], &question))
			fail_msg("missing: %s", any_fact[i]);

		question.workload.user = question.workload.space = TEXT_LIT("");
		question.workload.groups = (struct text_list){no_group, 1};
		question.container.name = question.container.runtime = TEXT_LIT("");
		question.container.local_profile = TEXT_LIT("");
		question.container.labels = (struct text_map){no_value, 1};
		question.container.image = image_ref_parse(TEXT_LIT(""), &question.arena);
		if (holds(any_fact[i], &question))
			fail_msg("empty: %s", any_fact[i]);
		arena_free(&question.arena);
	}
}

static void
a_match_without_criteria_holds_for_nobody(void **state)
{
	struct exception everything = {
	    .mode = RULE_ENFORCE, .allow = BIT(UNCONFINED), .expires = POLICY_NEVER};
	struct policy policy = {
	    .mode = RULE_ENFORCE, .exceptions = &everything, .count = 1};
	struct question question;

	(void)state;
	fill(&question);
	assert_int_equal(
	    policy_judge(&policy, &question.workload, 0, NOW, &question.arena).mode,
	    RULE_ENFORCE);
	arena_free(&question.arena);
}

/* ---- profiles ---- */

static const char profile[] = "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
			      "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";

static void
a_profile_matches_by_its_digest_computed_on_demand(void **state)
{
	char digest[72], match[100];
	struct question question;

	(void)state;
	ask(&question);
	assert_int_equal(
	    seccomp_profile_digest(text_of(profile), &question.arena, digest, NULL), 0);
	(void)snprintf(match, sizeof match, "\"profile\":[\"%s\"]", digest);
	assert_false(holds(match, &question)); /* no profile */

	question.container.profile = text_of(profile);
	assert_false(holds("\"user\":[\"dba\"]", &question));
	assert_string_equal(question.container.digest, ""); /* nobody asked */
	assert_false(holds("\"profile\":[\"localhost/*\"]", &question));
	assert_string_equal(question.container.digest, "");
	assert_false(holds("\"profile\":[\"" SHA "\"]", &question));
	assert_string_equal(question.container.digest, digest);
	question.container.digest[0] = '\0';
	assert_true(holds(match, &question));
	arena_free(&question.arena);
}

static void
a_digest_that_cannot_be_computed_matches_nothing(void **state)
{
	struct question question;

	(void)state;
	ask(&question);
	question.container.profile = TEXT_LIT("{\"defaultAction\":");
	assert_false(holds("\"profile\":[\"" SHA "\"]", &question));
	assert_string_equal(question.container.digest, "");

	question.container.profile = text_of(profile);
	question.arena.limit = 1;
	assert_false(holds("\"profile\":[\"" SHA "\"]", &question));
	arena_free(&question.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_criterion_holds_or_not),
	    cmocka_unit_test(a_fact_that_is_missing_or_empty_fits_nothing),
	    cmocka_unit_test(a_match_without_criteria_holds_for_nobody),
	    cmocka_unit_test(a_profile_matches_by_its_digest_computed_on_demand),
	    cmocka_unit_test(a_digest_that_cannot_be_computed_matches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
