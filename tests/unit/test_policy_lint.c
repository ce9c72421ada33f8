/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_lint.c - each thing that lint finds, and what it lets pass. */
#include "core/policy_lint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 2026-01-01T00:00:00Z */
#define NOW INT64_C(1767225600)

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* An exception that has nothing to be said of it, but for `match`. */
#define MATCHING(id, match)                                                              \
	"{\"id\":\"" id "\",\"allow\":[\"unconfined\"],\"reason\":\"r\","                \
	"\"expires\":\"2027-01-01T00:00:00Z\",\"match\":{" match "}}"
#define WITH(exceptions) "{\"version\":1,\"exceptions\":[" exceptions "]}"
#define ONE(match)       WITH(MATCHING("a", match))
#define STRONG           "\"user\":[\"ci\"],\"door\":[\"docker\"]"
#define ENDING(time)                                                                     \
	WITH("{\"id\":\"a\",\"allow\":[\"unconfined\"],\"reason\":\"r\",\"expires\":"    \
	     "\"" time "\",\"match\":{" STRONG "}}")

static const struct {
	const char *policy;
	const char *findings; /* "code pointer;" each, in order */
} rows[] = {
    {"{\"version\":1}", ""},
    {ONE(STRONG), ""},
    {"{\"version\":1,\"mode\":\"observe\"}", "observes /mode;"},
    {"{\"version\":1,\"allow\":[\"default\",\"unconfined\"]}",
     "allows-unfiltered /allow;"},
    {"{\"version\":1,\"allow\":[\"privileged\"]}", "allows-unfiltered /allow;"},
    {"{\"version\":1,\"allow\":[\"permissive\"]}", "allows-unfiltered /allow;"},
    {"{\"version\":1,\"allow\":[\"weak\",\"unset\"]}",
     "allows-weak /allow;allows-weak /allow;"},
    {"{\"version\":1,\"guard\":[\"self\",\"plugins\",\"legacy-start\",\"runtimes\"]}",
     "guard-off /guard;"},
    {"{\"version\":1,\"guard\":[{\"name\":\"self\",\"mode\":\"observe\"},\"plugins\","
     "\"legacy-start\",\"runtimes\",\"checkpoint\",\"builds\"]}",
     "guard-observed /guard;"},
    {"{\"version\":1,\"runtimes\":[\"runc\",\"*\",\"run?\",\"[a]\"]}",
     "dead-pattern /runtimes/1;dead-pattern /runtimes/2;dead-pattern /runtimes/3;"},

    /* what the caller chooses */
    {ONE("\"name\":[\"web\"]"), "forgeable /exceptions/0/match;"},
    {ONE("\"image\":[\"nginx\"],\"label\":{\"a\":\"b\"},\"runtime\":[\"runc\"]"),
     "forgeable /exceptions/0/match;"},
    {ONE("\"door\":[\"docker\"]"), "forgeable /exceptions/0/match;"},
    {ONE("\"image\":[\"nginx@sha256:" HEX "\"]"), ""},
    {ONE("\"image\":[\"nginx@sha256:*\"]"), "forgeable /exceptions/0/match;"},
    {ONE("\"image\":[\"nginx@sha256:" HEX "\",\"nginx\"]"),
     "forgeable /exceptions/0/match;"},
    {ONE("\"image\":[\"sha256:" HEX "\"]"), ""},
    {ONE("\"profile\":[\"sha256:" HEX "\"]"), ""},
    {ONE("\"profile\":[\"localhost/a\"]"), "forgeable /exceptions/0/match;"},
    {ONE("\"namespace\":[\"build\"]"), ""},
    {ONE("\"namespace\":[\"*\"]"), "forgeable /exceptions/0/match;"},
    {ONE("\"door\":[\"docker\"],\"user\":[\"**\"]"), "forgeable /exceptions/0/match;"},

    /* who */
    {ONE("\"user\":[\"ci\"]"), "user-without-door /exceptions/0/match/user;"},
    {ONE("\"door\":[\"kubernetes\"],\"user\":[\"system:serviceaccount:kube-system:*\"]"),
     "controller-account /exceptions/0/match;"},
    {ONE("\"door\":[\"kubernetes\"],\"namespace\":[\"a\"],"
         "\"user\":[\"system:serviceaccount:kube-system:*\"]"),
     ""},

    /* for how long */
    {WITH("{\"id\":\"a\",\"allow\":[\"unconfined\"],\"reason\":\"r\",\"match\":{" STRONG
          "}}"),
     "never-expires /exceptions/0;"},
    {ENDING("2026-01-08T00:00:00Z"), ""},
    {ENDING("2026-01-07T23:59:59Z"), "expires-soon /exceptions/0/expires;"},
    {ENDING("2026-01-01T00:00:01Z"), "expires-soon /exceptions/0/expires;"},
    {ENDING("2026-01-01T00:00:00Z"), "expired /exceptions/0/expires;"},

    /* what matches nothing */
    {ONE("\"image\":[\"abcdef\"],\"namespace\":[\"a\"]"),
     "never-matches /exceptions/0/match/image/0;"},
    {ONE("\"image\":[\"nginx\",\"sha256:abcdef\"],\"namespace\":[\"a\"]"),
     "dead-pattern /exceptions/0/match/image/1;"},
    {ONE("\"name\":[\"/web\"],\"namespace\":[\"a\"]"),
     "never-matches /exceptions/0/match/name/0;"},
    {ONE("\"name\":[\"w\xc3\xa9*\",\"web\"],\"namespace\":[\"a\"]"),
     "dead-pattern /exceptions/0/match/name/0;"},
    {ONE("\"name\":[\"[b-a]*\"],\"namespace\":[\"a\"]"),
     "never-matches /exceptions/0/match/name/0;"},
    {ONE("\"name\":[\"[!b-a]*\",\"[b-az]\"],\"namespace\":[\"a\"]"), ""},
    {ONE("\"namespace\":[\"Build\"]"), "never-matches /exceptions/0/match/namespace/0;"},
    {ONE("\"door\":[\"docker\"],\"namespace\":[\"a\"]"),
     "never-matches /exceptions/0/match/door;"},
    {ONE("\"door\":[\"docker\"],\"group\":[\"a\"]"),
     "never-matches /exceptions/0/match/door;"},
    {WITH("{\"id\":\"a\",\"allow\":[\"guard:self\"],\"reason\":\"r\",\"expires\":\"2027-"
          "01-01T00:00:00Z\",\"match\":{\"door\":[\"kubernetes\"],\"user\":[\"a\"]}}"),
     "never-matches /exceptions/0/allow;"},

    /* what does nothing */
    {WITH("{\"id\":\"a\",\"allow\":[\"custom\"],\"reason\":\"r\",\"expires\":\"2027-01-"
          "01T00:00:00Z\",\"match\":{" STRONG "}}"),
     "needless /exceptions/0/allow;"},
    {WITH("{\"id\":\"a\",\"allow\":[\"guard:builds\"],\"reason\":\"r\",\"expires\":"
          "\"2027-01-01T00:00:00Z\",\"match\":{" STRONG "}}"),
     "needless /exceptions/0/allow;"},
    {WITH("{\"id\":\"a\",\"allow\":[\"guard:self\"],\"reason\":\"r\",\"expires\":"
          "\"2027-01-01T00:00:00Z\",\"match\":{" STRONG "}}"),
     ""},
    {WITH(MATCHING("a", STRONG) "," MATCHING("b", STRONG)), "shadowed /exceptions/1;"},
    {WITH(MATCHING("a", STRONG ",\"image\":[\"nginx\"]") "," MATCHING("b", STRONG)),
     "shadowed /exceptions/0;"},
    {WITH(MATCHING("a", STRONG) "," MATCHING("b",
                                             "\"user\":[\"cj\"],\"door\":[\"docker\"]")),
     ""},
};

struct found {
	char text[1024];
	size_t len;
};

static void
note(const struct lint_finding *finding, void *context)
{
	struct found *found = context;

	assert_string_not_equal(finding->text, "");
	found->len +=
	    (size_t)snprintf(found->text + found->len, sizeof found->text - found->len,
	                     "%s %s;", lint_code_name(finding->code), finding->pointer);
}

static struct policy *
parse(const char *text)
{
	struct policy_problems problems;
	struct policy *policy = policy_parse(text_of(text), &problems);

	if (!policy)
		fail_msg("%s: %s: %s", text, problems.at[0].pointer, problems.at[0].text);
	return policy;
}

static void
each_thing_is_found_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct policy *policy = parse(rows[i].policy);
		struct found found = {.len = 0};

		policy_lint(policy, NOW, note, &found);
		if (strcmp(found.text, rows[i].findings) != 0)
			fail_msg("%s\n  found: %s\n  wanted: %s", rows[i].policy,
			         found.text, rows[i].findings);
		policy_free(policy);
	}
}

/* ---- what covers what ---- */

static const struct {
	const char *wide, *narrow;
	bool covers;
} pairs[] = {
    {"\"user\":[\"*\"]", "\"user\":[\"a\"]", true},
    {"\"user\":[\"ci-*\"]", "\"user\":[\"ci-1\",\"ci-*-x\"]", true},
    {"\"user\":[\"ci-*\"]", "\"user\":[\"ci-1\",\"dev\"]", false},
    {"\"user\":[\"ci-*\",\"dev\"]", "\"user\":[\"ci-1\",\"dev\"]", true},
    {"\"user\":[\"ci-1\"]", "\"user\":[\"ci-*\"]", false},
    {"\"user\":[\"ci-?\"]", "\"user\":[\"ci-*\"]", false},
    {"\"user\":[\"a\"]", "\"name\":[\"a\"]", false},
    {"\"user\":[\"a\"]", "\"user\":[\"a\"],\"name\":[\"b\"]", true},
    {"\"user\":[\"a\"],\"name\":[\"b\"]", "\"user\":[\"a\"]", false},
    {"\"door\":[\"docker\",\"kubernetes\"]", "\"door\":[\"docker\"]", true},
    {"\"door\":[\"docker\"]", "\"door\":[\"docker\",\"kubernetes\"]", false},
    {"\"door\":[\"docker\"]", "\"user\":[\"a\"]", false},
    {"\"label\":{\"a\":\"*\"}", "\"label\":{\"a\":\"b\",\"c\":\"d\"}", true},
    {"\"label\":{\"a\":\"b\",\"c\":\"d\"}", "\"label\":{\"a\":\"b\"}", false},
    {"\"image\":[\"nginx\"]", "\"image\":[\"docker.io/library/nginx:1.25\"]", true},
    {"\"image\":[\"nginx:1.25\"]", "\"image\":[\"nginx\"]", false},
    {"\"image\":[\"nginx:1.*\"]", "\"image\":[\"nginx:1.25\"]", true},
    {"\"image\":[\"a.io/x/*\"]", "\"image\":[\"a.io/x/y\",\"a.io/x/y-*\"]", true},
    {"\"image\":[\"a.io/x/*\"]", "\"image\":[\"a.io/x/y/z\"]", false},
    {"\"image\":[\"a.io/x*\"]", "\"image\":[\"a.io/x/*\"]", false},
    {"\"image\":[\"nginx\"]", "\"image\":[\"nginx@sha256:" HEX "\"]", true},
    {"\"image\":[\"nginx:1\"]", "\"image\":[\"nginx@sha256:" HEX "\"]", false},
    {"\"image\":[\"" HEX "\"]", "\"image\":[\"" HEX "\"]", true},
    {"\"image\":[\"*\"]", "\"image\":[\"" HEX "\"]", false},
};

static void
what_covers_what_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		char text[1024];
		struct policy *policy;
		bool covers;

		(void)snprintf(text, sizeof text,
		               "{\"version\":1,\"exceptions\":[{\"id\":\"w\",\"reason\":"
		               "\"r\",\"allow\":[\"weak\"],\"match\":{%s}},{\"id\":\"n\","
		               "\"reason\":\"r\",\"allow\":[\"weak\"],\"match\":{%s}}]}",
		               pairs[i].wide, pairs[i].narrow);
		policy = parse(text);
		covers = criteria_cover(&policy->exceptions[0].match,
		                        &policy->exceptions[1].match);
		if (covers != pairs[i].covers)
			fail_msg("%s and %s: %d", pairs[i].wide, pairs[i].narrow, covers);
		if (covers) { /* and it is found among many */
			struct arena arena = {0};
			size_t count = 0;
			const struct exception *shadow = exception_shadow(
			    policy, &policy->exceptions[1], &arena, &count);

			if (shadow != &policy->exceptions[0])
				fail_msg("%s and %s: not compared", pairs[i].wide,
				         pairs[i].narrow);
			arena_free(&arena);
		}
		policy_free(policy);
	}
}

static const struct {
	const char *first, *second; /* of one match */
	const char *shadow;         /* "" none, "0" or "1": of which there is one */
} orders[] = {
    {"\"allow\":[\"weak\",\"unconfined\"]", "\"allow\":[\"weak\"]", "1"},
    {"\"allow\":[\"weak\"]", "\"allow\":[\"weak\",\"unconfined\"]", "0"},
    {"\"allow\":[\"weak\"]", "\"allow\":[\"unconfined\"]", ""},
    {"\"allow\":[\"weak\"]", "\"allow\":[\"guard:self\"]", ""},
    {"\"allow\":[\"weak\"],\"mode\":\"observe\"", "\"allow\":[\"weak\"]", ""},
    {"\"allow\":[\"weak\"],\"expires\":\"2026-02-01T00:00:00Z\"", "\"allow\":[\"weak\"]",
     "0"},
    {"\"allow\":[\"weak\"]", "\"allow\":[\"weak\"],\"expires\":\"2026-02-01T00:00:00Z\"",
     "1"},
};

static void
what_lets_through_less_or_for_shorter_is_shadowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(orders); i++) {
		char text[1024], found[3] = "";
		struct policy *policy;

		(void)snprintf(text, sizeof text,
		               "{\"version\":1,\"exceptions\":[{\"id\":\"a\",\"reason\":"
		               "\"r\",%s,\"match\":{" STRONG
		               "}},{\"id\":\"b\",\"reason\":"
		               "\"r\",%s,\"match\":{" STRONG "}}]}",
		               orders[i].first, orders[i].second);
		policy = parse(text);
		for (size_t k = 0; k < 2; k++) {
			struct arena arena = {0};
			size_t count = 0;

			if (exception_shadow(policy, &policy->exceptions[k], &arena,
			                     &count))
				found[strlen(found)] = (char)('0' + k);
			arena_free(&arena);
		}
		if (strcmp(found, orders[i].shadow) != 0)
			fail_msg("%s and %s: %s", orders[i].first, orders[i].second,
			         found);
		policy_free(policy);
	}
}

static void
errors_are_what_opens_for_all_or_does_nothing(void **state)
{
	(void)state;
	for (enum lint_code code = 0; code < LINT_CODES; code++) {
		assert_non_null(lint_code_name(code));
		assert_int_equal(lint_code_is_error(code),
		                 code == LINT_ALLOWS_UNFILTERED ||
		                     code == LINT_NEVER_MATCHES ||
		                     code == LINT_CONTROLLER);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_thing_is_found_and_no_other),
	    cmocka_unit_test(what_covers_what_is_seen),
	    cmocka_unit_test(what_lets_through_less_or_for_shorter_is_shadowed),
	    cmocka_unit_test(errors_are_what_opens_for_all_or_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
