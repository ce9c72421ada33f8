/* SPDX-License-Identifier: Apache-2.0 */
/* policy_file.c - reads one policy file, and tells what is wrong with it. */
#include "edge/policy_file.h"
#include "edge/file.h"
#include "edge/policy_store.h"

#include <stdio.h>

void
policy_file_problem(struct policy_problems *problems, const char *text)
{
	if (problems->count < POLICY_PROBLEMS_MAX) {
		struct policy_problem *problem = &problems->at[problems->count];

		*problem = (struct policy_problem){0};
		(void)snprintf(problem->text, sizeof problem->text, "%.*s",
		               (int)sizeof problem->text - 1, text);
	}
	problems->count++;
}

struct policy *
policy_file_parse(struct text bytes, struct policy_problems *ret_problems)
{
	struct policy *policy = policy_parse(bytes, ret_problems);

	if (!policy && ret_problems->count == 0)
		policy_file_problem(ret_problems, "no memory to read it");
	return policy;
}

struct policy *
policy_file_read(const char *path, struct buf *ret_bytes,
                 struct policy_problems *ret_problems)
{
	struct err err = {0};

	ret_problems->count = 0;
	if (file_read(path, POLICY_FILE_MAX, ret_bytes, &err) == 0)
		return policy_file_parse(buf_text(ret_bytes), ret_problems);
	policy_file_problem(ret_problems, err.text);
	return NULL;
}

struct policy *
policy_load_file(const char *path, struct policy_problems *ret_problems)
{
	cleanup_buf struct buf bytes = {0};

	return policy_file_read(path, &bytes, ret_problems);
}

void
policy_file_log(const struct log *log, const char *path,
                const struct policy_problems *problems)
{
	size_t shown = problems->count;

	if (shown > POLICY_PROBLEMS_MAX)
		shown = POLICY_PROBLEMS_MAX;
	for (size_t i = 0; i < shown; i++) {
		cleanup_buf struct buf text = {0};

		policy_problem_write(&text, &problems->at[i]);
		log_error(log, "policy %s: %.*s", path, TEXT_ARG(buf_text(&text)));
	}
	if (problems->count > shown)
		log_error(log, "policy %s: %zu more problems", path,
		          problems->count - shown);
}

void
policy_file_reason(const char *path, const struct policy_problems *problems,
                   char *ret_reason, size_t size)
{
	cleanup_buf struct buf text = {0};

	policy_problem_write(&text, &problems->at[0]);
	if (problems->count > 1)
		buf_printf(&text, " (and %zu more)", problems->count - 1);
	(void)snprintf(ret_reason, size, "%s: %.*s", path, TEXT_ARG(buf_text(&text)));
}
