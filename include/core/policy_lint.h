/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_lint - what is wise and unwise about a policy that is correct.
 *
 * Invariant: nothing here decides about a request; a finding names one thing that the
 * policy's owner would want to know, with its place and what to do. Findings come in the
 * order of the file. Pure.
 */
#pragma once

#include "core/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LINT_SOON_S = 7 * 24 * 3600,      /* ends soon: within a week */
	LINT_PAIRS_MAX = 4 * 1000 * 1000, /* pairs of exceptions that are compared */
};

/* Codes are stable: lint_code_name(). The comment says what is found. */
enum lint_code {
	LINT_ALLOWS_UNFILTERED, /* `allow` of the whole policy lets run without a filter */
	LINT_NEVER_MATCHES,     /* an exception that can't hold for anything */
	LINT_ALLOWS_WEAK,       /* `allow` has what confines less than the default */
	LINT_OBSERVES,          /* the whole policy refuses nothing */
	LINT_GUARD_OFF,         /* one that is on by default */
	LINT_GUARD_OBSERVED,
	LINT_FORGEABLE, /* rests on what the caller chooses */
	LINT_NEVER_EXPIRES,
	LINT_EXPIRES_SOON,
	LINT_EXPIRED,
	LINT_SHADOWED, /* another exception lets through all that this one does */
	LINT_NEEDLESS, /* lets through only what needs no exception */
	LINT_USER_WITHOUT_DOOR, /* TLS names and Kubernetes names are different people */
	LINT_CONTROLLER,        /* fits the account that creates everybody's pods */
	LINT_DEAD_PATTERN,      /* one pattern of several matches nothing */
	LINT_TOO_MANY,          /* not all exceptions were compared */
	LINT_CODES
};

struct lint_finding {
	enum lint_code code;
	const struct exception *exception; /* NULL: of the policy as a whole */
	char pointer[128];                 /* JSON Pointer */
	char text[320];                    /* what is so; what to do */
};

/* "never-expires"; and whether it is an error or a warning. */
const char *lint_code_name(enum lint_code code);
bool lint_code_is_error(enum lint_code code);

/* Calls `report` with each finding, at `now` (seconds since the epoch). Without memory, no
   exception is seen to be shadowed. */
void policy_lint(const struct policy *policy, int64_t now,
                 void (*report)(const struct lint_finding *finding, void *context),
                 void *context);

/*
 * True if some criterion rests on what the caller does not choose: digests of images and
 * profiles, image IDs, the user and groups, the Kubernetes namespace; and is not only a
 * pattern that everything matches.
 */
bool exception_is_strong(const struct exception *exception);

/* ---- policy_shadow.c ---- */

/* True if everything that `narrow` matches, `wide` matches too, as far as can be seen. */
bool criteria_cover(const struct criteria *wide, const struct criteria *narrow);

/*
 * The first other exception that lets through (or observes) all that `exception` does, for
 * as long; of two that say the same, the later one has the earlier. NULL: none was seen.
 * *pairs counts what was compared.
 */
const struct exception *exception_shadow(const struct policy *policy,
                                         const struct exception *exception,
                                         struct arena *arena, size_t *pairs);

/* ---- policy_dead.c ---- */

/* True if no container's fact can match: for names, namespaces and images, as engines and
   Kubernetes allow them. */
bool name_pattern_is_dead(struct text pattern);
bool space_pattern_is_dead(struct text pattern);
bool image_pattern_is_dead(struct text pattern);
bool glob_is_dead(struct text pattern);
