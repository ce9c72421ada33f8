/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict - the answer to a request, as a value, and the sentence the user reads.
 *
 * Invariant: a zeroed verdict is a denial. DECISION_ALLOW and DECISION_OBSERVE are
 * assigned in decide.c only.
 */
#pragma once

#include "core/buf.h"
#include "core/policy.h"
#include "core/text.h"
#include "core/workload.h"

#include <stdbool.h>
#include <stdint.h>

enum verdict_decision {
	DECISION_DENY = 0,
	DECISION_OBSERVE, /* let through; enforcing would have refused it */
	DECISION_ALLOW,
};

/* Why. Codes are stable (record field `reason`): reason_code(). */
enum reason {
	REASON_UNDECIDED = 0,  /* a verdict nobody filled in: denied */
	REASON_NOT_JUDGED,     /* no workload: allowed */
	REASON_ALLOWED,        /* by the policy's `allow` */
	REASON_EXCEPTION,      /* let through by an exception */
	REASON_EMPTY_ENVELOPE, /* the engine's retry after we went away */
	REASON_BAD_ENVELOPE,   /* no envelope of an engine */
	REASON_TOO_LARGE,      /* more than an engine forwards */
	REASON_BUSY,           /* too many bytes in flight */
	REASON_NO_MEMORY,
	REASON_POLICY_BROKEN, /* no policy could be read */
	REASON_BAD_TARGET,    /* a request target that can't be read */
	REASON_NO_BODY,       /* no visible body where one decides */
	REASON_UNREADABLE,    /* a body that can't be read with certainty */
	REASON_GUARD,         /* refused by a guard */
	REASON_POSTURE,       /* refused for a posture */
	REASON_STRANGER,      /* without the client certificate that is asked for */
	REASON_COUNT
};

enum { VERDICT_MESSAGE_MAX = 1200, VERDICT_ID_MAX = 27, VERDICT_OTHERS_MAX = 8 };

/* A container that is refused besides the one that decided. */
struct verdict_other {
	size_t container; /* index */
	enum posture posture;
	int guard; /* enum guard, or -1: for the posture */
};

struct verdict {
	enum verdict_decision decision;
	enum reason reason;
	enum posture posture; /* worst of the container that decided */
	bool has_posture;
	int guard;                         /* enum guard, or -1 */
	const struct exception *exception; /* that let it through */
	const struct exception *would;     /* observed exception that would have */
	size_t container;                  /* index of the container that decided */
	struct verdict_other others[VERDICT_OTHERS_MAX]; /* the first of them */
	size_t other_count;                              /* of all */
	bool user_unknown;       /* exceptions ask for a user, and the request has none */
	bool on_record;          /* must be on record before it is told */
	char id[VERDICT_ID_MAX]; /* ULID, NUL-terminated; "" if none of ours to judge */
	char policy[72];         /* digest of the policy that judged; "" likewise */
	char
	    message[VERDICT_MESSAGE_MAX]; /* what the user reads; never empty if denied */
};

/* Stable codes: "no-body", "guard"... */
const char *reason_code(enum reason reason);
const char *decision_name(enum verdict_decision decision);

/* The rule that decided: an exception's id, a guard's name, or "default". */
struct text verdict_rule(const struct verdict *verdict);

/*
 * A ULID: 48 bits of `now_us` in milliseconds, 80 bits of `entropy`, Crockford base32.
 * Writes 26 characters and a NUL.
 */
void verdict_id(int64_t now_us, const uint8_t entropy[10], char out[VERDICT_ID_MAX]);

/*
 * Writes verdict->message for a denial: what would run, why it is refused, what to do.
 * `detail` says more for reasons that need it (why a body is unreadable, what is wrong
 * with the policy); may be missing. Values of the request are quoted and bounded.
 */
void verdict_explain(struct verdict *verdict, const struct workload *workload,
                     struct text detail);
