/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd - the subcommands of seccomp-authz, one file each in plugin/cmd/.
 *
 * Invariant: results on stdout, messages on stderr as "seccomp-authz: FILE: PLACE: what
 * is wrong; what to do". Exit codes of every command: EXIT_CLEAN, EXIT_FOUND, EXIT_UNSURE.
 */
#pragma once

#include "core/buf.h"
#include "core/err.h"
#include "core/policy.h"
#include "core/text.h"

enum {
	EXIT_CLEAN = 0,  /* allowed, nothing found */
	EXIT_FOUND = 1,  /* denied, found something (in any of several files) */
	EXIT_UNSURE = 2, /* could not tell: usage, unreadable policy, no engine */
};

/* A row of the command table; usage texts are made from it. */
struct command {
	const char *name;    /* "check" */
	const char *summary; /* one line for the list of commands */
	const char *usage;   /* what follows "seccomp-authz NAME " */
	const char *help;    /* the options and what the output means, whole lines */
	/* argv[0] is the command's name; returns an exit code. */
	int (*run)(const struct command *self, int argc, char **argv);
};

extern const struct command command_serve;
extern const struct command command_check;
extern const struct command command_profile;
extern const struct command command_log;
extern const struct command command_ship;
extern const struct command command_fetch;
extern const struct command command_audit;
extern const struct command command_policy;

/* "seccomp-authz: ..." on stderr, one line. Returns EXIT_UNSURE. */
int cmd_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes out what stdout holds back. False if anything of what was printed is lost: an
   earlier write may have failed, too. */
bool cmd_flush(void);

/* A mistake on the command line: one line that ends with "see seccomp-authz NAME --help".
   Returns EXIT_UNSURE. */
int cmd_usage_error(const struct command *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints the command's --help on stdout. Returns EXIT_CLEAN. */
int cmd_help(const struct command *self);

/* The policy in the file `path`; NULL: the one that a judge without --policy would take.
   Returns EXIT_CLEAN (the caller frees it), or EXIT_UNSURE after a line for each problem. */
int cmd_load_policy(const char *path, struct policy **ret_policy);

/* Reads FILE, or stdin for "-", into `buf` (the caller frees it); at most `limit` bytes:
   more, a folder, or a file that can't be read is an error. */
int cmd_read_file(const char *path, size_t limit, struct buf *buf, struct err *err);
