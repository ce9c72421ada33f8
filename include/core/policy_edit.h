/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_edit - puts exceptions into the text of a policy file, and takes them out.
 *
 * Invariant: every other byte of the file stays, so that what people wrote (order, spaces)
 * is theirs. The caller parses the result: an edit of a file that is no policy may be none
 * either. Pure.
 */
#pragma once

#include "core/buf.h"
#include "core/err.h"
#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends `bytes` with the exception, a JSON object, as the first of its list. */
int policy_edit_add(struct text bytes, struct text exception, struct buf *ret_bytes,
                    struct err *err);

/* Appends `bytes` without the exceptions whose ids are meant (asked once for each, in
   order); *ret_count is how many there were. */
int policy_edit_drop(struct text bytes, bool (*is_meant)(struct text id, void *context),
                     void *context, struct buf *ret_bytes, size_t *ret_count,
                     struct err *err);
