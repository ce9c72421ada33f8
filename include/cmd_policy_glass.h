/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_policy_glass - `seccomp-authz policy break-glass`: what its parts share.
 *
 * Invariant: the file is only changed under the lock of its folder, to what is a policy.
 */
#pragma once

#include "cmd_options.h"
#include "cmd_policy.h"

#include <limits.h>

/* What was asked for. */
struct policy_glass {
	const struct command *self;
	const char *path;    /* as given */
	char real[PATH_MAX]; /* where the file is, links followed */
	const char *duration, *reason, *allow, *state_dir, *record;
	struct cmd_values users;
	bool end, repair;
	int64_t seconds, until;
	char id[64];
};

/* ---- policy_glass.c ---- */

/* What is written must be a policy, or nothing is written. An exit code. */
int policy_glass_check(const struct buf *bytes);

/* Who does `what` to the exceptions `ids`, and why, for syslog's authpriv. `reason` may be
   NULL. */
void policy_glass_note(const char *what, const char *ids, const char *reason);

/* ---- policy_glass_end.c ---- */

/* Takes out the exceptions that the command has put in, as their ids tell. An exit code. */
int policy_glass_end(const struct policy_glass *glass);

/* ---- policy_glass_clock.c ---- */

/*
 * How many seconds the judge's clock is ahead of this machine's: it never shows less than
 * the time of the last line in the record. 0 where that is not known.
 */
int64_t policy_glass_ahead(const char *record);
