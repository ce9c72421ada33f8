/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_policy_diff - `seccomp-authz policy diff`: what its parts share.
 */
#pragma once

#include "cmd_policy.h"

/* What is known while the lines go by. */
struct policy_diff {
	struct circumstances before, after;
	bool json;
	const char *path;
	size_t line;
	const char *at; /* of that line's document, up to which lines are counted */
	size_t requests, changes, rules; /* `rules`: only the rule is another */
	int code;
};

/* ---- policy_diff_print.c ---- */

/* Prints a line for a decision that changes. */
void policy_diff_print(const struct policy_diff *diff, const struct decision *before,
                       const struct decision *after);
