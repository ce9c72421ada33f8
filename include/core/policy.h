/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy - who may run what without a filter: the file, parsed, and the question to it.
 *
 * Invariant: a struct policy is immutable once parsed, so any number of threads may ask
 * it; what it does not allow in so many words is denied. Format: design section "Policy
 * file", plugin-spec/policy.schema.json.
 */
#pragma once

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/text.h"
#include "core/workload.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	POLICY_FILE_MAX = 16 * 1024 * 1024, /* bytes */
	POLICY_EXCEPTIONS_MAX = 100000,
	POLICY_LIST_MAX = 1024,  /* entries of one criterion */
	POLICY_TEXT_MAX = 1024,  /* bytes of an id, reason or pattern */
	POLICY_PROBLEMS_MAX = 50 /* problems that one parse reports */
};

/* How a rule acts. RULE_OFF: the guard is not listed. */
enum rule_mode { RULE_OFF, RULE_OBSERVE, RULE_ENFORCE };

/* How the ids of the exceptions of `policy break-glass` begin. */
#define POLICY_BREAK_GLASS_PREFIX "break-glass-"

#define POLICY_NEVER INT64_MAX /* an exception without `expires` */

/* What an exception asks of a request. A missing list is no criterion. */
struct criteria {
	unsigned doors; /* bits 1U << door; 0: any */
	struct text_list image, user, name, profile, space, group, runtime;
	struct text_map label; /* key exact, value a glob */
};

struct exception {
	struct text id, reason;
	enum rule_mode mode;   /* RULE_OBSERVE: never allows, only `would_match` */
	unsigned allow;        /* POSTURE_BIT */
	unsigned allow_guards; /* GUARD_BIT */
	int64_t expires;       /* seconds since the epoch; gone from that second on */
	size_t offset;         /* byte of the file at which it begins */
	struct criteria match;
};

struct policy_index; /* policy_index.h */

struct policy {
	enum rule_mode mode; /* RULE_ENFORCE or RULE_OBSERVE, for everything */
	unsigned allow;      /* POSTURE_BIT */
	unsigned observe;    /* POSTURE_BIT */
	enum rule_mode guards[GUARD_COUNT];
	struct text_list runtimes;    /* exact names */
	bool engine_default_confined; /* false: asking for nothing counts as unconfined */
	bool names_users;             /* some exception asks for a user */
	struct exception *exceptions;
	size_t count;
	const struct policy_index *index; /* of the exceptions; NULL: all are asked */
	char digest[72];    /* "sha256:<hex>" of the file's bytes; "built-in" */
	struct arena arena; /* owns everything above */
};

/* One thing that is wrong with a policy file. */
struct policy_problem {
	int line, column; /* of the value or syntax error, from 1; 0: of the whole file */
	char pointer[128]; /* JSON Pointer (RFC 6901) to the value; "": the whole file, or
			      no JSON */
	char text[256];    /* what is wrong; what would be right */
};

struct policy_problems {
	struct policy_problem at[POLICY_PROBLEMS_MAX];
	size_t count; /* all that were found, also beyond POLICY_PROBLEMS_MAX */
};

/*
 * Parses the bytes of a policy file. NULL if anything is wrong: then *ret_problems lists
 * it all. The caller owns the policy (policy_free). Thread-safe.
 */
struct policy *policy_parse(struct text bytes, struct policy_problems *ret_problems);

/* The built-in policy; NULL only when out of memory. */
struct policy *policy_builtin(void);

/* The built-in policy as the text of a file to start from. */
extern const char policy_builtin_text[];

void policy_free(struct policy *policy);

/* Writes "PLACE: what is wrong; what to do" of one problem. */
void policy_problem_write(struct buf *buf, const struct policy_problem *problem);

/* What the policy says of one container. */
struct ruling {
	enum rule_mode mode; /* RULE_OFF: let through; RULE_OBSERVE: let through and put
				  on record; RULE_ENFORCE: refused */
	unsigned refused;    /* POSTURE_BIT of what neither `allow` nor the exception
				  covers; 0 if none */
	int guard;           /* enum guard that refuses or was lifted; -1: none */
	const struct exception *exception; /* that lets it through; NULL: none did */
	const struct exception *would;     /* first observed one that would; NULL */
};

/*
 * Judges container `index` of `workload` at `now` (seconds since the epoch): guards,
 * then postures, then exceptions. May compute the container's profile digest, if some
 * exception asks for it; `arena` is scratch. RULE_ENFORCE is what is left over.
 */
struct ruling policy_judge(const struct policy *policy, struct workload *workload,
                           size_t index, int64_t now, struct arena *arena);
