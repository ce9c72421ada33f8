/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_policy_test - an author's own cases for a policy: a request, and what is expected.
 *
 * Invariant: a case that is not understood in full is an error of its file, never a pass.
 * Format: policy-tests.schema.json, seccomp-authz-policy(5).
 */
#pragma once

#include "cmd_policy.h"

#include <jansson.h>

enum { CASES_FILE_MAX = 16 * 1024 * 1024 };

/* What a case expects; texts are NULL where it expects nothing of it. */
struct expectation {
	const char *decision, *rule, *posture, *would_match, *says;
};

/* One case and what came of it; borrows from its file. */
struct policy_case {
	const char *file, *name;
	const char *user;
	const char *method, *target_base; /* of a request without envelope */
	struct buf target, body;
	bool has_body;
	/* judges `body` where it says itself who asks for what: an envelope, a review; NULL:
	   it is a request without envelope */
	void (*decide)(struct text bytes, const struct circumstances *circumstances,
	               struct decision *decision);
	int64_t at; /* seconds; when it is decided */
	struct expectation expected;

	bool passed;
	char why[1600]; /* if not */
};

/* All cases of a run. */
struct policy_cases {
	json_t *files; /* their trees */
	struct policy_case *at;
	size_t count;
};

/* policy_cases.c: reads a file, or the *.json of a folder. EXIT_UNSURE after a complaint. */
int policy_cases_read(struct policy_cases *cases, const char *path);
void policy_cases_free(struct policy_cases *cases);

#define cleanup_policy_cases __attribute__((cleanup(policy_cases_free)))

/* policy_junit.c: JUnit XML of cases that were decided. */
void policy_cases_write_junit(const struct policy_cases *cases, struct buf *xml);
