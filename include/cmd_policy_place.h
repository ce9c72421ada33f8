/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy_place - where in a policy file a JSON Pointer leads. */
#pragma once

#include "core/arena.h"
#include "core/policy_tree.h"
#include "core/text.h"

#include <stddef.h>

/* Finds lines of a file, fast where the places ascend. Zeroed but for `bytes`. */
struct policy_places {
	struct text bytes;
	struct arena arena;
	const struct policy_value *root, *exception;
	size_t index;     /* of `exception` */
	int line, column; /* at which it begins */
};

/* Line and column of the value at `pointer`, or of the nearest around it; 0, 0 where the
   file is no JSON. */
void policy_place(struct policy_places *places, const char *pointer, int *ret_line,
                  int *ret_column);
void policy_places_free(struct policy_places *places);
