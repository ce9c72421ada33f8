/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_no_memory.c - when the n-th allocation fails, for every n, no verdict is milder.
 *
 * Linked with --wrap for malloc, calloc and realloc, so that those of the core pass here.
 */
#include "core/record_line.h"

#include "deciding.h"

#include <glob.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *at, size_t size);

/* ---- allocations that fail ---- */

#define NEVER SIZE_MAX

static size_t until_failure = NEVER;
static bool has_failed;
static size_t allocations; /* so far */

static bool
fails_now(void)
{
	allocations++;
	if (until_failure == NEVER)
		return false;
	if (until_failure-- > 0)
		return false;
	until_failure = NEVER;
	has_failed = true;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *at, size_t size)
{
	return fails_now() ? NULL : __real_realloc(at, size);
}

/* ---- requests ---- */

#define LEGACY    "/v1.23/containers/%61bc/start"
#define HEADERS   "{\"\\u0041\":\"b\",\"Content-Type\":\"application/json\"}"
#define OPTION(s) "{\"HostConfig\":{\"SecurityOpt\":[\"label=disable\",\"" s "\"]}}"

static const struct request {
	const char *method, *target, *headers, *body;
} requests[] = {
    {"GET", "/v1.41/info", "{}", NULL},
    {"GET", "/a%20b?c=d", "{}", NULL},
    {"POST", "/%63ontainers/create?n%61me=w%65b", HEADERS, "{\"Image\":\"nginx\"}"},
    {"POST", CREATE, HEADERS, UNCONFINED},
    {"POST", CREATE "?name=web", HEADERS, OPTION("seccomp={\\\"\\\\u0041\\\":1}")},
    {"POST", CREATE, HEADERS,
     OPTION("seccomp={\\\"defaultAction\\\":\\\"SCMP_ACT_ALLOW\\\",\\\"syscalls\\\":[{"
            "\\\"names\\\":[\\\"mkdir\\\",\\\"\\\\u0062pf\\\"],\\\"action\\\":"
            "\\\"SCMP_ACT_ERRNO\\\"}]}")},
    {"POST", CREATE, HEADERS,
     OPTION(
	 "seccomp={\\\"defaultAction\\\":\\\"SCMP_ACT_ERRNO\\\",\\\"syscalls\\\":[{"
	 "\\\"names\\\":[\\\"read\\\",\\\"clone\\\"],\\\"action\\\":"
	 "\\\"SCMP_ACT_ALLOW\\\",\\\"args\\\":[{\\\"index\\\":0,\\\"value\\\":2114060288,"
	 "\\\"op\\\":\\\"SCMP_CMP_MASKED_EQ\\\"}]}]}")},
    {"POST", CREATE, NULL, OPTION("SECCOMP=x")},
    {"POST", CREATE, NULL, "{\"Labels\":{\"\\u0061\":\"\\u0062\"},\"Privileged\":true}"},
    {"POST", CREATE, NULL, "{\"HostConfig\":{\"R\\u0075ntime\":\"k\\u0061ta\"}}"},
    {"POST", CREATE, NULL,
     "{\"HostConfig\":{\"Annotations\":{\"a\":\"\",\"run.oci.h\\u0061ndler\":\"\"}}}"},
    {"POST", CREATE, NULL, "{\"HostConfig\":{\"\\u0050rivileged\":true}}"},
    {"POST", CREATE, HEADERS, NULL},
    {"POST", CREATE, NULL, "[]"},
    {"POST", LEGACY, HEADERS, NULL},
    {"POST", LEGACY, "{\"\\u0041\":\"b\",\"Content-Length\":\"9\"}", NULL},
    {"POST", LEGACY, "{}", "{\"SecurityOpt\":[\"seccomp\\u003aunconfined\"]}"},
    {"POST", LEGACY, "{}", "{\"C\\u0061pAdd\":[\"ALL\"]}"},
    {"POST", LEGACY "?checkpoin%74=c", "{}", NULL},
    {"POST", "/services/create", "{}",
     "{\"Name\":\"w\\u0065b\",\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"x/y\","
     "\"Privileges\":{\"Seccomp\":{\"Mode\":\"custom\",\"Profile\":\"e30=\"}}}}}"},
    {"POST", "/services/x/update?%72ollback=previous", "{}", "{}"},
    {"POST", "/plugins/%73eccomp-authz/disable", "{}", NULL},
    {"DELETE", "/plugins/docker.io/library/seccomp-authz:latest", "{}", NULL},
    {"POST", "/plugins/docker.io/library/other/disable", "{}", NULL},
    {"POST", "/plugins/pull?remote=docker.io%2Fseccomp-authz&name=", "{}", NULL},
    {"POST", "/plugins/x/upgrade?remote=library%2Fseccomp-authz", "{}", NULL},
    {"POST", "/plugins/create?name=%6cibrary/seccomp-authz", "{}", NULL},
    {"POST", "/build", "{}", NULL},
    {"POST", "/swarm/join", "{}", "{}"},
    {"POST", "c:%6fntainers/create", "{}", NULL},
};

static const char *const policies[] = {
    NULL,
    "{\"version\":1,\"guard\":[\"self\",\"builds\",\"rollback\",\"swarm-membership\"],"
    "\"exceptions\":[{\"id\":\"ex\",\"allow\":[\"unconfined\",\"weak\",\"privileged\"],"
    "\"match\":{\"image\":[\"nginx\"],\"name\":[\"web\"]},\"reason\":\"r\"},"
    "{\"id\":\"profile\",\"allow\":[\"weak\",\"unconfined\"],\"match\":{\"profile\":["
    "\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"]},"
    "\"reason\":\"r\"}]}",
    "{\"version\":1,\"mode\":\"observe\"}",
    "{\"version\":1,\"guard\":[],\"engine_default\":\"unconfined\"}",
};

/* ---- the same question again and again ---- */

/* The door that is asked: decide_authz() or decide_admission(). */
static void (*decide)(struct text bytes, const struct circumstances *circumstances,
                      struct decision *decision) = decide_authz;

static const struct verdict *
judge_bytes(struct judge *judge, struct text envelope, struct arena arena)
{
	judge->decision = (struct decision){.arena = arena};
	decide(envelope, &judge->circumstances, &judge->decision);
	return &judge->decision.verdict;
}

static void
check_not_milder(const struct verdict *verdict, const struct verdict *clean,
                 const char *envelope)
{
	if (verdict->decision > clean->decision)
		fail_msg("%s: %s becomes %s", envelope, decision_name(clean->decision),
		         decision_name(verdict->decision));
	if (verdict->decision != DECISION_ALLOW && verdict->message[0] == '\0')
		fail_msg("%s: a denial without a message", envelope);
	if (verdict->decision != DECISION_ALLOW && !verdict->on_record)
		fail_msg("%s: a denial off the record", envelope);
	/* an exception that is used must not lose its record */
	if (verdict->decision == clean->decision && verdict->on_record < clean->on_record)
		fail_msg("%s: off the record", envelope);
}

/* Returns how many allocations there are, up to the first run that needs no more. */
static size_t
fail_each_allocation(struct judge *judge, struct text envelope,
                     const struct verdict *clean)
{
	size_t n = 0;

	for (;; n++) {
		cleanup_buf struct buf line = {0};
		const struct verdict *verdict;

		has_failed = false;
		until_failure = n;
		verdict = judge_bytes(judge, envelope, (struct arena){0});
		record_line(&line, &judge->decision, &judge->circumstances,
		            TEXT_LIT("h"));
		until_failure = NEVER;
		check_not_milder(verdict, clean, envelope.at);
		decision_free(&judge->decision);
		if (!has_failed)
			return n;
	}
}

/* An arena that has `room` bytes left and gets no more. */
static struct arena
small_arena(size_t room)
{
	struct arena arena = {.limit = ARENA_BLOCK};

	/* at least an empty allocation, so that the block is there */
	assert_non_null(arena_alloc(&arena, room < ARENA_BLOCK ? ARENA_BLOCK - room : 0));
	return arena;
}

/* Bytes that one block of an arena must hold for the whole decision. */
static size_t
bytes_needed(struct judge *judge, struct text envelope)
{
	struct arena *arena = &judge->decision.arena;
	size_t left = 0;

	(void)judge_bytes(judge, envelope, small_arena(ARENA_BLOCK));
	while (arena_alloc(arena, 16))
		left += 16;
	decision_free(&judge->decision);
	return ARENA_BLOCK - left;
}

/* Also allocations that the arena serves from a block it has. */
static void
run_out_of_arena(struct judge *judge, struct text envelope, const struct verdict *clean)
{
	size_t needed = bytes_needed(judge, envelope);

	for (size_t room = 0; room <= needed && room < ARENA_BLOCK; room += 16) {
		check_not_milder(judge_bytes(judge, envelope, small_arena(room)), clean,
		                 envelope.at);
		decision_free(&judge->decision);
	}
}

/* Returns how many allocations were made to fail. */
static size_t
check_request(struct judge *judge, struct text envelope)
{
	struct verdict clean = *judge_bytes(judge, envelope, (struct arena){0});

	decision_free(&judge->decision);
	run_out_of_arena(judge, envelope, &clean);
	return fail_each_allocation(judge, envelope, &clean);
}

static void
no_verdict_is_milder_when_an_allocation_fails(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(requests) * COUNT(policies); i++) {
		const struct request *request = &requests[i / COUNT(policies)];
		cleanup_judge struct judge judge;
		cleanup_buf struct buf envelope = {0};

		judge_start(&judge, policies[i % COUNT(policies)]);
		write_envelope(&envelope, request->method, request->target,
		               request->headers, text_of(request->body));
		failed += check_request(&judge, buf_text(&envelope));
	}
	assert_true(failed > COUNT(requests)); /* the core's allocations do pass here */
}

/* ---- the cases of tests/cases ---- */

/* FORMAT.json in the folder of a case, and how a client would send it. */
static const struct {
	const char *format, *target; /* NULL: it is the envelope */
} formats[] = {
    {"create.json", CREATE "?name=web"},
    {"start.json", "/v1.23/containers/web/start"},
    {"service.json", "/v1.44/services/create"},
    {"envelope.json", NULL},
    {"admission.json", NULL},
};

/* Empty if there is no such file. */
static void
read_file(struct buf *buf, const char *folder, const char *name)
{
	char path[512], chunk[4096];
	FILE *file;
	size_t len;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	file = fopen(path, "r");
	if (!file)
		return;
	while ((len = fread(chunk, 1, sizeof chunk, file)) > 0)
		buf_add(buf, chunk, len);
	(void)fclose(file);
}

/* Returns whether there was one. */
static bool
check_case(const char *folder)
{
	cleanup_buf struct buf policy = {0}, envelope = {0}, input = {0};
	cleanup_judge struct judge judge;
	size_t i = 0;

	for (; i < COUNT(formats) && input.len == 0; i++)
		read_file(&input, folder, formats[i].format);
	read_file(&policy, folder, "policy.json");
	judge_start(&judge, policy.len > 0 ? policy.at : NULL);
	if (input.len == 0)
		return false;
	decide = strcmp(formats[i - 1].format, "admission.json") == 0 ? decide_admission
	                                                              : decide_authz;
	if (formats[i - 1].target)
		write_envelope(&envelope, "POST", formats[i - 1].target, "{}",
		               buf_text(&input));
	else
		buf_add_text(&envelope, buf_text(&input));
	(void)check_request(&judge, buf_text(&envelope));
	return true;
}

static void
no_case_is_milder_when_an_allocation_fails(void **state)
{
	glob_t folders = {0};
	size_t checked = 0;

	(void)state;
	/* run from the top of the tree */
	assert_int_equal(glob("tests/cases/*/*", 0, NULL, &folders), 0);
	for (size_t i = 0; i < folders.gl_pathc; i++)
		checked += check_case(folders.gl_pathv[i]);
	globfree(&folders);
	assert_true(checked > 100);
}

static void
a_policy_without_memory_is_none(void **state)
{
	struct policy_problems problems;
	size_t n = 0;

	(void)state;
	for (;; n++) {
		struct policy *policy;

		problems = (struct policy_problems){0};
		has_failed = false;
		until_failure = n;
		policy = policy_parse(text_of(policies[1]), &problems);
		until_failure = NEVER;
		assert_true(policy ? !has_failed : problems.count > 0);
		policy_free(policy);
		if (!has_failed)
			break;
	}
	assert_true(n > 0);
}

/* The steady state: the first decisions have taken what is kept. */
static void
what_is_let_through_allocates_nothing_after_the_first_time(void **state)
{
	static const char *const files[] = {"ps.json", "create_plain.json",
	                                    "create_profile.json"};
	cleanup_judge struct judge judge;

	(void)state;
	judge_start(&judge, NULL);
	for (size_t i = 0; i < COUNT(files); i++) {
		cleanup_buf struct buf envelope = {0};
		const struct verdict *verdict;
		size_t before;

		read_file(&envelope, "tests/bench/requests", files[i]);
		assert_true(envelope.len > 0);
		(void)judge_envelope(&judge, buf_text(&envelope));
		before = allocations;
		verdict = judge_envelope(&judge, buf_text(&envelope));
		assert_int_equal(verdict->decision, DECISION_ALLOW);
		assert_int_equal(allocations, before);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_verdict_is_milder_when_an_allocation_fails),
	    cmocka_unit_test(no_case_is_milder_when_an_allocation_fails),
	    cmocka_unit_test(a_policy_without_memory_is_none),
	    cmocka_unit_test(what_is_let_through_allocates_nothing_after_the_first_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
