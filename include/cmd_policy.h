/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_policy - `seccomp-authz policy`: what its subcommands share.
 *
 * Invariant: they read policies through the judge's parser and decide through the judge's
 * decide_*(), so that none of them can say what a judge would not.
 */
#pragma once

#include "cmd.h"
#include "core/buf.h"
#include "core/decide.h"
#include "core/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const struct command command_policy_lint;
extern const struct command command_policy_show;
extern const struct command command_policy_default;
extern const struct command command_policy_test;
extern const struct command command_policy_diff;
extern const struct command command_policy_break_glass;

/* ---- policy.c ---- */

/* A policy file and its bytes. */
struct policy_text {
	const char *path;
	struct buf bytes;
	struct policy *policy; /* NULL: see the problems */
	struct policy_problems problems;
};

/* Reads and parses `path` ("-": standard input). EXIT_CLEAN also where it is no policy;
   EXIT_UNSURE, after a line, where it can't be read. The caller frees it
   (policy_text_free). */
int policy_text_read(struct policy_text *text, const char *path);
void policy_text_free(struct policy_text *text);

#define cleanup_policy_text __attribute__((cleanup(policy_text_free)))

/* A line on stderr for each problem. Returns EXIT_UNSURE. */
int policy_text_complain(const struct policy_text *text);

/* Seconds since the epoch. */
int64_t policy_now(void);

/* "2027-01-31T00:00:00Z". */
void policy_write_time(struct buf *buf, int64_t seconds);

/* What a judge that runs now under `policy` would be told of. */
struct circumstances policy_circumstances(const struct policy *policy);

/* True if `format` is "json", false for NULL and "text"; *ret_code is not CMD_GO_ON after a
   complaint about any other. */
bool policy_is_json(const struct command *self, const char *format, int *ret_code);

/* ---- policy_replace.c ---- */

/*
 * Puts `bytes` in the place of the file `path` (no link), whole and in one rename, with its
 * owner and mode; a new file is root's alone. What was there stays as PATH.`backup`.
 * EXIT_CLEAN, or EXIT_UNSURE after a complaint, with everything as it was.
 */
int policy_replace(const char *path, struct text bytes, const char *backup);
