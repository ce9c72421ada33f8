/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp - from the words of a request to what the kernel would be told.
 *
 * Invariant: the answer is the same on every machine, and never milder than what any
 * supported engine makes of the same words. Pure.
 */
#pragma once

#include "core/arena.h"
#include "core/err.h"
#include "core/text.h"
#include "core/workload.h"

#include <stdbool.h>
#include <stddef.h>

enum { SECCOMP_PROFILE_MAX = 4 * 1024 * 1024 }; /* bytes of a profile */

/*
 * What a list of SecurityOpt entries asks for, as parseSecurityOpt reads it (moby
 * daemon/daemon_unix.go, v20.10.24 to HEAD): per entry the exact words first, else cut at
 * the first '=', else at the first ':'; the key is exact; the last seccomp entry wins.
 */
struct seccomp_opt {
	bool given;        /* some entry sets seccomp */
	struct text entry; /* the entry that wins, as written */
	struct text value; /* its value: "", "unconfined", "builtin" or profile JSON */
};

/*
 * Reads `entries`. An entry that engines refuse but that could be meant for seccomp
 * (" seccomp=...", "SECCOMP:...", "seccomp") is ERR_TYPE: who wrote it believes in a
 * setting that no engine applies. Entries for other keys pass.
 */
int seccomp_opt_read(struct text_list entries, struct seccomp_opt *ret_opt,
                     struct err *err);

/*
 * Judges `value` (of a seccomp option, or of a Swarm profile) and adds to `container` its
 * postures, `profile`, `asked_nothing` and, for a weak profile, the calls. What can't be
 * read adds POSTURE_UNREADABLE and returns -1 with err set; so does a second profile that
 * differs from the first, since an exception could name only one of them.
 */
int seccomp_judge(struct text value, struct arena *arena, struct container *container,
                  struct err *err);

/*
 * The same for the content of a profile's file, as clients put it in place of the file's
 * name. The words that an option may have are no profile.
 */
int seccomp_judge_profile(struct text json, struct arena *arena,
                          struct container *container, struct err *err);

/* What a profile does, for all machines at once (design: conditions both ways). */
struct seccomp_profile {
	enum posture posture; /* UNCONFINED, PERMISSIVE, WEAK or CUSTOM */
	bool may_be_empty;    /* without default action, all its rules can fall away */
	const char **open;    /* calls that it lets through and Docker's default blocks:
				    names in static storage; array in the arena */
	size_t open_count;
	struct text default_action; /* as written; missing if none */
	size_t rules;               /* entries of "syscalls" */
};

/*
 * Reads profile JSON as LoadProfile does (moby profiles/seccomp, v20.10.24 to HEAD) and
 * says what it does. -1: it is no profile that an engine loads, or readers could differ.
 */
int seccomp_profile_read(struct text json, struct arena *arena,
                         struct seccomp_profile *ret_profile, struct err *err);

/*
 * "sha256:<64 hex>" over a canonical form of the profile: white space, the order of keys,
 * the spelling of keys under folding and the order of names within a rule make no
 * difference; everything that an engine acts on does. `out` has 72 bytes. -1 as above.
 */
int seccomp_profile_digest(struct text json, struct arena *arena, char *out,
                           struct err *err);

/* Sees to it that a container with a profile of its own has its digest. False: it has none, or
   one that can't be read. */
bool seccomp_name_profile(struct container *container, struct arena *arena);

/* The calls whose opening makes a profile weak, sorted, and how many there are. `clone`
   among them stands for clone with namespace flags. */
extern const char *const seccomp_weak_calls[];
extern const size_t seccomp_weak_calls_count;
