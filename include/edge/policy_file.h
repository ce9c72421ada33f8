/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_file - one policy file read and parsed, and its problems told.
 *
 * Invariant: where there is no policy there is at least one problem. Thread-safe.
 */
#pragma once

#include "core/buf.h"
#include "core/policy.h"
#include "edge/log.h"

#include <stddef.h>

/* As policy_parse(); out of memory is a problem too. */
struct policy *policy_file_parse(struct text bytes, struct policy_problems *ret_problems);

/* Reads and parses; *ret_bytes gets what was read. The caller frees both. */
struct policy *policy_file_read(const char *path, struct buf *ret_bytes,
                                struct policy_problems *ret_problems);

/* Adds a problem of the whole file. */
void policy_file_problem(struct policy_problems *problems, const char *text);

/* One line a problem: "policy FILE: PLACE: what is wrong". */
void policy_file_log(const struct log *log, const char *path,
                     const struct policy_problems *problems);

/* "FILE: PLACE: what is wrong", of the first problem. */
void policy_file_reason(const char *path, const struct policy_problems *problems,
                        char *ret_reason, size_t size);
