/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_index.c - asking the candidates says what asking every exception says. */
#include "core/policy_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW          1000000

enum { POLICIES = 400, SUBJECTS = 150 };

/* xorshift: the same on every machine, and with SEED another */
struct random {
	uint64_t state;
};

static uint64_t
next(struct random *random)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return random->state * UINT64_C(0x2545f4914f6cdd1d);
}

static size_t
below(struct random *random, size_t limit)
{
	return (size_t)(next(random) >> 33) % limit;
}

static bool
once_in(struct random *random, size_t n)
{
	return below(random, n) == 0;
}

#define PICK(random, list) (list)[below(random, COUNT(list))]

#define HEX  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define LONG "a-very-long-name-that-is-longer-than-any-fine-prefix-of-the-index-"

/* Few facts and patterns that are near to each other, so that many fit and many almost. */
static const char *const facts[] = {
    "a",     "ab",       "abc",    "b",           "ci-1",
    "ci-12", "ci-2",     "*",      "a*",          "\\",
    "[a]",   "\xc3\xa9", LONG "x", LONG LONG "y", LONG "a",
    "ci-",   "",         "A",      "ab\xff",      LONG LONG LONG LONG LONG "z",
};
static const char *const globs[] = {
    "a",         "ab",     "a*",     "*",           "?b",
    "[ab]*",     "ci-*",   "ci-1*",  "ci-?",        "ci-1",
    "ci-12",     "\\\\*",  "a\\\\*", "\\\\[a]",     "\xc3\xa9",
    "\xc3\xa9*", LONG "*", LONG "a", LONG LONG "*", LONG LONG LONG LONG LONG "*",
    "b",         "*c",     "?",
};
static const char *const images[] = {
    "nginx",
    "nginx:1.25",
    "registry.example.com/team/app",
    "registry.example.com/team/app:1",
    "registry.example.com/team-2/app",
    "registry.example.com/app@sha256:" HEX,
    "docker.io/library/nginx@sha256:" HEX2,
    "sha256:" HEX,
    "abcdef",
    "ghcr.io/acme/tool:dev",
    "acme/tool",
    "Not/An/Image",
    "",
};
static const char *const image_globs[] = {
    "nginx",
    "nginx:*",
    "nginx:1.25",
    "ngin?",
    "*",
    "*/*",
    "library/nginx",
    "registry.example.com/team/*",
    "registry.example.com/team*/*",
    "registry.example.com/*/app",
    "registry.example.com/team/app:1",
    "*.example.com/team/app",
    "*@sha256:" HEX,
    "registry.example.com/app@sha256:" HEX,
    "registry.example.com/app@sha256:0123*",
    "registry.example.com/*@sha256:" HEX,
    "sha256:" HEX,
    HEX2,
    "ghcr.io/acme/*:dev",
    "acme/*",
    "[n]ginx",
};
static const char *const profiles[] = {"sha256:" HEX, "sha256:" HEX2, "localhost/a",
                                       "localhost/*", "localhost/ci-*"};
static const char *const allows[] = {"unconfined", "privileged", "weak", "guard:builds",
                                     "guard:runtimes"};

/* ---- random policies ---- */

static void
add_list(struct buf *buf, struct random *random, const char *key, const char *const *from,
         size_t count)
{
	size_t n = once_in(random, 40) ? INDEX_PATTERNS_MAX + 1 : 1 + below(random, 3);

	if (!once_in(random, 4))
		return;
	buf_printf(buf, "%s\"%s\":[", buf->at[buf->len - 1] == '{' ? "" : ",", key);
	for (size_t i = 0; i < n; i++)
		buf_printf(buf, "%s\"%s\"", i > 0 ? "," : "", from[below(random, count)]);
	buf_str(buf, "]");
}

static void
add_labels(struct buf *buf, struct random *random)
{
	if (!once_in(random, 4))
		return;
	buf_printf(buf, "%s\"label\":{\"team\":\"%s\"",
	           buf->at[buf->len - 1] == '{' ? "" : ",",
	           once_in(random, 4) ? "" : PICK(random, globs));
	if (once_in(random, 2))
		buf_printf(buf, ",\"a\":\"%s\"", PICK(random, globs));
	buf_str(buf, "}");
}

static void
add_match(struct buf *buf, struct random *random)
{
	buf_str(buf, "{");
	add_list(buf, random, "image", image_globs, COUNT(image_globs));
	add_list(buf, random, "user", globs, COUNT(globs));
	add_list(buf, random, "name", globs, COUNT(globs));
	add_list(buf, random, "namespace", globs, COUNT(globs));
	add_list(buf, random, "group", globs, COUNT(globs));
	add_list(buf, random, "runtime", globs, COUNT(globs));
	add_list(buf, random, "profile", profiles, COUNT(profiles));
	add_labels(buf, random);
	if (buf->at[buf->len - 1] == '{')
		buf_str(buf, "\"door\":[\"docker\"]");
	buf_str(buf, "}");
}

static void
write_policy(struct buf *buf, struct random *random)
{
	size_t count = below(random, 60);

	buf_clear(buf);
	buf_str(buf,
	        "{\"version\":1,\"guard\":[\"runtimes\",\"builds\"],\"exceptions\":[");
	for (size_t i = 0; i < count; i++) {
		size_t allow = below(random, COUNT(allows));

		buf_printf(buf, "%s{\"id\":\"e%zu\",\"reason\":\"r\",\"allow\":[\"%s\"",
		           i > 0 ? "," : "", i, allows[allow]);
		if (once_in(random, 3))
			buf_printf(buf, ",\"%s\"", allows[(allow + 1) % COUNT(allows)]);
		buf_printf(buf, "],\"mode\":\"%s\",\"match\":",
		           once_in(random, 3) ? "observe" : "enforce");
		add_match(buf, random);
		buf_str(buf, once_in(random, 8) ? ",\"expires\":\"1970-01-01T00:00:01Z\"}"
		                                : "}");
	}
	buf_str(buf, "]}");
	assert_true(buf_ok(buf));
}

/* ---- random containers ---- */

struct scene {
	struct arena arena;
	struct workload workload;
	struct container container;
	struct text groups[3];
	struct text_pair labels[3];
};

static struct text
some_fact(struct random *random)
{
	return once_in(random, 4) ? (struct text){0} : text_of(PICK(random, facts));
}

static void
make_scene(struct scene *scene, struct random *random)
{
	static const unsigned sets[] = {POSTURE_BIT(POSTURE_UNCONFINED),
	                                POSTURE_BIT(POSTURE_PRIVILEGED),
	                                POSTURE_BIT(POSTURE_WEAK),
	                                POSTURE_BIT(POSTURE_UNCONFINED) |
	                                    POSTURE_BIT(POSTURE_PRIVILEGED),
	                                POSTURE_BIT(POSTURE_DEFAULT),
	                                POSTURE_BIT(POSTURE_UNREADABLE)};
	static const char *const digests[] = {"sha256:" HEX, "sha256:" HEX2, ""};
	struct container *container = &scene->container;

	arena_reset(&scene->arena);
	scene->workload = (struct workload){.user = some_fact(random),
	                                    .space = some_fact(random),
	                                    .containers = container,
	                                    .count = 1};
	scene->workload.groups =
	    (struct text_list){.at = scene->groups, .count = below(random, 4)};
	*container =
	    (struct container){.name = some_fact(random), .postures = PICK(random, sets)};
	if (once_in(random, 2))
		container->runtime = some_fact(random);
	if (once_in(random, 4))
		container->guards = GUARD_BIT(GUARD_BUILDS);
	container->image = image_ref_parse(text_of(PICK(random, images)), &scene->arena);
	(void)snprintf(container->digest, sizeof container->digest, "%s",
	               PICK(random, digests));
	if (once_in(random, 3))
		container->local_profile = TEXT_LIT("localhost/a");
	container->labels =
	    (struct text_map){.at = scene->labels, .count = below(random, 4)};
	for (size_t i = 0; i < 3; i++) {
		scene->groups[i] = text_of(PICK(random, facts));
		scene->labels[i] = (struct text_pair){
		    once_in(random, 2) ? TEXT_LIT("team") : TEXT_LIT("a"),
		    text_of(PICK(random, facts))};
	}
}

/* ---- the comparison ---- */

static const char *
id_of(const struct exception *exception)
{
	return exception ? exception->id.at : "none";
}

static bool
is_same(const struct ruling *a, const struct ruling *b)
{
	return a->mode == b->mode && a->refused == b->refused && a->guard == b->guard &&
	       strcmp(id_of(a->exception), id_of(b->exception)) == 0 &&
	       strcmp(id_of(a->would), id_of(b->would)) == 0;
}

static struct policy *
parse(const struct buf *text)
{
	struct policy_problems problems;
	struct policy *policy = policy_parse(buf_text(text), &problems);

	if (!policy)
		fail_msg("%s: %s", problems.at[0].pointer, problems.at[0].text);
	return policy;
}

static void
candidates_say_what_all_exceptions_say(void **state)
{
	const char *seed = getenv("SEED");
	struct random random = {seed ? strtoull(seed, NULL, 10) : 20260101};
	cleanup_buf struct buf text = {0};
	struct scene scene = {0};
	size_t excepted = 0, would = 0, refused = 0;

	(void)state;
	for (int i = 0; i < POLICIES; i++) {
		struct policy *indexed, *linear;

		write_policy(&text, &random);
		indexed = parse(&text);
		linear = parse(&text);
		assert_non_null(indexed->index);
		linear->index = NULL;
		for (int k = 0; k < SUBJECTS; k++) {
			struct ruling fast, slow;

			make_scene(&scene, &random);
			fast =
			    policy_judge(indexed, &scene.workload, 0, NOW, &scene.arena);
			slow =
			    policy_judge(linear, &scene.workload, 0, NOW, &scene.arena);
			if (!is_same(&fast, &slow))
				fail_msg("%s: %s and %s, would %s and %s", text.at,
				         id_of(fast.exception), id_of(slow.exception),
				         id_of(fast.would), id_of(slow.would));
			excepted += slow.exception != NULL;
			would += slow.would != NULL;
			refused += slow.mode == RULE_ENFORCE;
		}
		policy_free(indexed);
		policy_free(linear);
	}
	arena_free(&scene.arena);
	/* else nothing was compared */
	assert_true(excepted > POLICIES * SUBJECTS / 100);
	assert_true(would > POLICIES * SUBJECTS / 100);
	assert_true(refused > POLICIES * SUBJECTS / 100);
}

/* ---- what it is for ---- */

static void
write_many(struct buf *buf, size_t count, const char *match)
{
	buf_clear(buf);
	buf_str(buf, "{\"version\":1,\"exceptions\":[");
	for (size_t i = 0; i < count; i++) {
		buf_printf(buf,
		           "%s{\"id\":\"e%zu\",\"reason\":\"r\",\"allow\":["
		           "\"unconfined\"],\"match\":{",
		           i > 0 ? "," : "", i);
		for (const char *p = match; *p; p++) { /* '#' is the number */
			if (*p == '#')
				buf_printf(buf, "%zu", i);
			else
				buf_char(buf, *p);
		}
		buf_str(buf, "}}");
	}
	buf_str(buf, "]}");
	assert_true(buf_ok(buf));
}

static size_t
count_candidates(const struct policy *policy, const struct scene *scene,
                 const struct exception **ret_last)
{
	struct candidates candidates;
	const struct exception *one;
	size_t count = 0;

	*ret_last = NULL;
	candidates_start(&candidates, policy, &scene->workload, &scene->container,
	                 TEXT_LIT("sha256:" HEX));
	assert_false(candidates.all);
	while ((one = candidates_next(&candidates))) {
		*ret_last = one;
		count++;
	}
	return count;
}

/* One criterion in a form that people write; container 7777 is asked about. */
static const char *const usual[] = {
    "\"image\":[\"registry.example.com/team-#/*\"]",
    "\"image\":[\"registry.example.com/team-#/app\"]",
    "\"image\":[\"registry.example.com/team-#/app:1\"],\"user\":[\"*\"]",
    "\"user\":[\"ci-#\"],\"image\":[\"registry.example.com/team-7777/*\"]",
    "\"user\":[\"ci-#\",\"dev-#\"],\"door\":[\"docker\"]",
    "\"name\":[\"dbg-#-*\"],\"label\":{\"env\":\"ci\"}",
    "\"label\":{\"env\":\"ci\",\"team\":\"tools-#\"}",
    "\"label\":{\"env\":\"ci\",\"team\":\"tools-#-*\"},\"name\":[\"*\"]",
    "\"namespace\":[\"build-#\"],\"runtime\":[\"runc\"]",
    "\"group\":[\"team-#\"],\"namespace\":[\"build-*\"]",
};

static void
few_of_many_exceptions_are_asked(void **state)
{
	cleanup_buf struct buf text = {0};
	struct scene scene = {0};
	struct container *container = &scene.container;
	const struct exception *last;

	(void)state;
	scene.labels[0] = (struct text_pair){TEXT_LIT("env"), TEXT_LIT("ci")};
	scene.labels[1] = (struct text_pair){TEXT_LIT("team"), TEXT_LIT("tools-7777")};
	scene.labels[2] = (struct text_pair){TEXT_LIT("team"), TEXT_LIT("tools-7777-a")};
	scene.groups[0] = TEXT_LIT("team-7777");
	scene.workload = (struct workload){.user = TEXT_LIT("ci-7777"),
	                                   .space = TEXT_LIT("build-7777"),
	                                   .groups = {scene.groups, 1}};
	container->name = TEXT_LIT("dbg-7777-x");
	container->labels = (struct text_map){scene.labels, 3};
	container->runtime = TEXT_LIT("runc");
	container->image = image_ref_parse(
	    TEXT_LIT("registry.example.com/team-7777/app:1"), &scene.arena);
	for (size_t i = 0; i < COUNT(usual); i++) {
		struct policy *policy;
		size_t count;

		write_many(&text, 10000, usual[i]);
		policy = parse(&text);
		count = count_candidates(policy, &scene, &last);
		if (count < 1 || count > 8)
			fail_msg("%s: %zu candidates", usual[i], count);
		assert_string_equal(id_of(last), "e7777");
		policy_free(policy);
	}
	arena_free(&scene.arena);
}

static void
a_container_that_hits_too_many_keys_is_asked_about_all(void **state)
{
	struct text groups[CANDIDATES_KEYS_MAX + 1];
	char names[CANDIDATES_KEYS_MAX + 1][16];
	cleanup_buf struct buf text = {0};
	struct scene scene = {0};
	struct candidates candidates;
	struct policy *policy;
	size_t count = 0;

	(void)state;
	write_many(&text, 100, "\"group\":[\"g#\"]");
	policy = parse(&text);
	for (size_t i = 0; i <= CANDIDATES_KEYS_MAX; i++) {
		(void)snprintf(names[i], sizeof names[i], "g%zu", i);
		groups[i] = text_of(names[i]);
	}
	scene.workload.groups = (struct text_list){groups, CANDIDATES_KEYS_MAX};
	candidates_start(&candidates, policy, &scene.workload, &scene.container,
	                 (struct text){0});
	while (candidates_next(&candidates))
		count++;
	assert_int_equal(count, CANDIDATES_KEYS_MAX);
	scene.workload.groups.count++;
	candidates_start(&candidates, policy, &scene.workload, &scene.container,
	                 (struct text){0});
	assert_true(candidates.all);
	for (count = 0; candidates_next(&candidates); count++)
		;
	assert_int_equal(count, 100);
	policy_free(policy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(candidates_say_what_all_exceptions_say),
	    cmocka_unit_test(few_of_many_exceptions_are_asked),
	    cmocka_unit_test(a_container_that_hits_too_many_keys_is_asked_about_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
