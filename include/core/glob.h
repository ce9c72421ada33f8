/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glob - the patterns of policies: '*' any run, '?' one character, '[...]' a set with
 * ranges and '!' or '^' for its opposite, '\' takes the next character literally.
 *
 * Invariant: linear in the length of text times pattern, no recursion. Characters are
 * UTF-8 characters; a malformed byte counts as one. Pure.
 */
#pragma once

#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Does the whole of `text` match `pattern`? '*', '?' and sets do not match `separator`
 * unless it is 0. An invalid pattern matches nothing.
 */
bool glob_matches(struct text pattern, struct text text, char separator);

/* False for an open '[' or a '\' at the end. */
bool glob_is_valid(struct text pattern);

/* True if `pattern` has a character with a meaning of its own. */
bool glob_is_pattern(struct text pattern);

/*
 * Length in bytes of the element at byte `at` (before the end) of `pattern`: a '*', a '?',
 * a set, an escape or a character. 0 if it is invalid. *ret_literal gets the one character
 * that it stands for, or UINT32_MAX if it stands for others as well.
 */
size_t glob_element(struct text pattern, size_t at, uint32_t *ret_literal);
