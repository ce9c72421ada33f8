/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instructions.c - one decision, for callgrind to count: see instructions.sh.
 *
 *   instructions ENVELOPE [line]   `line`: with its line of the record
 *
 * Counted is what follows the first decisions, when memory is there and symbols are
 * bound. The clock and the entropy are constants, so each run counts the same.
 */
#include "core/decide.h"
#include "core/policy.h"
#include "core/record_line.h"

#include <stdio.h>
#include <string.h>
#include <valgrind/callgrind.h>

enum { WARM_UP = 3, BYTES_MAX = 1 << 20 };

/* What the judge keeps for a request from one to the next. */
struct kept {
	struct decision decision;
	struct buf line;
};

static enum verdict_decision
decide_once(struct text bytes, const struct circumstances *circumstances, bool with_line,
            struct kept *kept)
{
	enum verdict_decision verdict;

	decide_authz(bytes, circumstances, &kept->decision);
	verdict = kept->decision.verdict.decision;
	if (with_line) {
		record_line(&kept->line, &kept->decision, circumstances,
		            TEXT_LIT("host"));
		buf_clear(&kept->line);
	}
	decision_reset(&kept->decision);
	return verdict;
}

static int
count(struct text bytes, bool with_line)
{
	struct policy *policy = policy_builtin();
	struct kept kept = {0};
	struct circumstances circumstances = {
	    .policy = policy,
	    .plugin_name = TEXT_LIT("seccomp-authz"),
	    .now_us = 1750000000000000,
	};

	if (!policy)
		return 2;
	for (int i = 0; i < WARM_UP; i++)
		(void)printf("%s\n", decision_name(decide_once(bytes, &circumstances,
		                                               with_line, &kept)));
	CALLGRIND_TOGGLE_COLLECT;
	(void)decide_once(bytes, &circumstances, with_line, &kept);
	CALLGRIND_TOGGLE_COLLECT;
	decision_free(&kept.decision);
	buf_free(&kept.line);
	policy_free(policy);
	return 0;
}

int
main(int argc, char **argv)
{
	static char bytes[BYTES_MAX];
	bool with_line = argc == 3 && strcmp(argv[2], "line") == 0;
	FILE *file = argc >= 2 ? fopen(argv[1], "r") : NULL;
	size_t len;

	if (!file) {
		(void)fprintf(stderr, "usage: instructions ENVELOPE [line]\n");
		return 2;
	}
	len = fread(bytes, 1, sizeof bytes, file);
	(void)fclose(file);
	return count((struct text){.at = bytes, .len = len}, with_line);
}
