/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instructions.c - decides the same requests again and again, for callgrind to count.
 *
 * What is counted is decide_once() and all below it, and nothing else: see
 * instructions.sh. The clock and the entropy are constants, so two runs count the same.
 */
#include "core/decide.h"

#include "core/policy.h"

#include <stdio.h>
#include <stdlib.h>

enum { WARM_UP = 3, BYTES_MAX = 1 << 20 };

/* Callgrind toggles collection at it: its name is part of the interface. */
__attribute__((noipa)) static void
decide_once(struct text bytes, const struct circumstances *circumstances,
            struct decision *decision)
{
	decide_authz(bytes, circumstances, decision);
	decision_reset(decision);
}

/* decide_once() outside what is counted: memory is there, symbols are bound. */
__attribute__((noipa)) static enum verdict_decision
warm_up(struct text bytes, const struct circumstances *circumstances,
        struct decision *decision)
{
	enum verdict_decision verdict = DECISION_DENY;

	for (int i = 0; i < WARM_UP; i++) {
		decide_authz(bytes, circumstances, decision);
		verdict = decision->verdict.decision;
		decision_reset(decision);
	}
	return verdict;
}

int
main(int argc, char **argv)
{
	static char bytes[BYTES_MAX];
	cleanup_decision struct decision decision = {0};
	struct policy *policy = policy_builtin();
	struct circumstances circumstances = {
	    .policy = policy,
	    .plugin_name = TEXT_LIT("seccomp-authz"),
	    .now_us = 1750000000000000,
	};
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
	struct text text = {.at = bytes};

	if (!file || !policy) {
		(void)fprintf(stderr, "usage: instructions ENVELOPE\n");
		return 2;
	}
	text.len = fread(bytes, 1, sizeof bytes, file);
	(void)fclose(file);
	(void)printf("%s\n", decision_name(warm_up(text, &circumstances, &decision)));
	decide_once(text, &circumstances, &decision);
	policy_free(policy);
	return 0;
}
