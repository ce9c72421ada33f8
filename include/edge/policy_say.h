/* SPDX-License-Identifier: Apache-2.0 */
/* policy_say - the start-up lines about the policy: what is in force, and what it leaves
   unguarded. */
#pragma once

#include "edge/log.h"
#include "edge/policy_store.h"

/* Logs source, digest and mode of the policy in force, and the guards that are off; or
   that there is none. */
void policy_say(struct policy_store *store, const struct log *log);
