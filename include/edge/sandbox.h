/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox - what the judge gives up of its own: a program that holds others to seccomp
 * runs under it.
 *
 * Invariant: nothing that is given up comes back, and a part that this kernel lacks is
 * named in the start-up line and costs no other part. Two steps, since Landlock and
 * capabilities are of a thread and its children, and a system call filter can be put on
 * all threads:
 *
 *   sandbox_confine()  while there is one thread, before a byte of policy, record or
 *                      request is read: no core dumps, no capabilities, no new
 *                      privileges, and of the file system the folders that are named.
 *   sandbox_filter()   when all threads run: the calls that serving takes (listed in
 *                      sandbox_calls.c), and death for whoever makes another one.
 *
 * A build with -DSANDBOX_OFF does neither (both say so): sanitizers, coverage and
 * valgrind make calls of their own. There is no option for it.
 *
 * The folder of a file stands for what is below it, so that files may be renamed,
 * replaced and made anew. It may be replaced itself where the folder above it is open to us too; that one
 * is, unless it lies less than SANDBOX_OWN_DEPTH below the root, as /etc and /var/log,
 * which hold others' secrets and logs (to a user that is not root, those are open for
 * reading policies). Where it is not, a replaced folder needs a restart of the judge.
 */
#pragma once

#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	SANDBOX_PATHS_MAX = 24,
	SANDBOX_OWN_DEPTH = 3, /* of /srv/team/judge; /etc has 1 */
};

enum sandbox_use {
	SANDBOX_READ,   /* read, and again after it or a link to it was replaced */
	SANDBOX_WRITE,  /* made, written, renamed, removed, like others beside it */
	SANDBOX_SOCKET, /* a Unix socket, made and removed, and made again when it was
	                   lost: folders and sockets may be made anywhere */
	SANDBOX_SELF,   /* a file of /proc about ourselves */
};

struct sandbox_path {
	enum sandbox_use use;
	mode_t mode; /* folders that are missing are made with it; 0: they are not */
	char *path;  /* of the file; what is open to us is its folder */
};

/* What to leave open; freed with sandbox_plan_free(). */
struct sandbox_plan {
	struct sandbox_path paths[SANDBOX_PATHS_MAX];
	size_t count;
	bool
	    abstract_sockets; /* an abstract Unix socket must be reached (NOTIFY_SOCKET) */
	bool failed;          /* no memory, or too many paths */
};

/* Adds a copy of `path`. */
void sandbox_plan_add(struct sandbox_plan *plan, enum sandbox_use use, mode_t mode,
                      const char *path);

void sandbox_plan_free(struct sandbox_plan *plan);

/* What was done, for the start-up line. */
struct sandbox_done {
	struct buf said; /* "no capabilities, ..."; freed by the caller */
	bool less;       /* something that should be there is not */
};

/* The first step. What can't be given up is said in *done. */
void sandbox_confine(const struct sandbox_plan *plan, struct sandbox_done *done);

/* The second step. */
void sandbox_filter(struct sandbox_done *done);

/* ---- parts ---- */

/* Restricts this thread and its children to the plan by Landlock. Returns the version of
   it that the kernel has, or -1 with errno. */
int sandbox_restrict_files(const struct sandbox_plan *plan);

/* One call that serving takes. */
struct sandbox_call {
	const char *name;
	const char *why;
	enum sandbox_condition {
		SANDBOX_ALWAYS,
		SANDBOX_NO_EXEC, /* the third argument has no PROT_EXEC */
		SANDBOX_NO_SET,  /* the third argument, what to set, is NULL */
		SANDBOX_NAME,    /* the first argument is PR_SET_NAME */
		SANDBOX_UNIX,    /* the first argument is AF_UNIX */
		SANDBOX_OURSELF, /* the first argument is our process */
	} condition;
};

extern const struct sandbox_call sandbox_calls[];
extern const size_t sandbox_call_count;

/* Puts the filter on all threads. Returns how many calls it lets through, or -1 with
   errno. */
int sandbox_restrict_calls(void);
