/* SPDX-License-Identifier: Apache-2.0 */
/* policy_say.c - says in the log what the policy guards. */
#include "edge/policy_say.h"

#include "core/buf.h"

static void
name_guards(const struct log *log, const struct policy *policy)
{
	cleanup_buf struct buf off = {0};

	for (enum guard guard = 0; guard < GUARD_COUNT; guard++) {
		if (policy->guards[guard] == RULE_OFF)
			buf_printf(&off, "%s%s", off.len ? ", " : "", guard_name(guard));
	}
	if (buf_ok(&off))
		log_info(log, "guards off: %s", off.len ? off.at : "none");
}

void
policy_say(struct policy_store *store, const struct log *log)
{
	const struct policy_snapshot *snapshot = policy_store_acquire(store);

	if (snapshot->policy) {
		log_info(log, "policy: %s (%s), mode %s", snapshot->source,
		         snapshot->policy->digest,
		         snapshot->policy->mode == RULE_OBSERVE ? "observe" : "enforce");
		name_guards(log, snapshot->policy);
	} else {
		log_error(log, "policy broken: %s; every workload is denied",
		          snapshot->broken);
	}
	policy_store_release(store, snapshot);
}
