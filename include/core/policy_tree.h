/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_tree - the values of a policy file and where they stand, for its parser.
 *
 * Private to plugin/core/policy_*.c. Read by our own reader (json_lex.h) into one arena:
 * a general library's tree costs more than everything else in a load, keeps no places, and
 * lets NUL bytes stand between tokens. Invariant: what comes out was RFC 8259's JSON in
 * UTF-8, no object has a key twice, no text holds a NUL, nothing is nested deeper than
 * POLICY_TREE_DEPTH_MAX.
 */
#pragma once

#include "core/arena.h"
#include "core/err.h"
#include "core/json_go.h"
#include "core/text.h"

#include <stddef.h>

enum { POLICY_TREE_DEPTH_MAX = 32 }; /* a policy has 6 */

struct policy_value {
	enum json_kind kind;
	unsigned count;   /* members or elements */
	struct text key;  /* of a member; missing elsewhere */
	struct text text; /* a string's, decoded; a number's bytes */
	const char *at;   /* first byte, in the file */
	struct policy_value *first, *next;
};

/*
 * Reads `bytes`. Borrows them and `arena`, as the tree does. NULL: *err says why and
 * *ret_at where, as a place in `bytes`.
 */
const struct policy_value *policy_tree_read(struct text bytes, struct arena *arena,
                                            const char **ret_at, struct err *err);

/* The member `key` of an object; NULL: there is none, or it is no object. */
const struct policy_value *policy_tree_member(const struct policy_value *object,
                                              const char *key);

/* Line and column (both from 1, the column in characters) of the place `at` in `bytes`. */
void policy_tree_place(struct text bytes, const char *at, int *ret_line, int *ret_column);
