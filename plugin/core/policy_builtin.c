/* SPDX-License-Identifier: Apache-2.0 */
/* policy_builtin.c - the policy that is in force where there is no file. */
#include "core/policy.h"

#include <stdio.h>

const char policy_builtin_text[] =
    "{\n"
    "  \"version\": 1,\n"
    "  \"mode\": \"enforce\",\n"
    "  \"allow\": [\"default\", \"custom\", \"localhost\"],\n"
    "  \"observe\": [],\n"
    "  \"guard\": [\"self\", \"plugins\", \"legacy-start\", \"runtimes\", "
    "\"checkpoint\"],\n"
    "  \"runtimes\": [\"runc\", \"crun\", \"youki\", \"io.containerd.runc.v2\", "
    "\"nvidia\"],\n"
    "  \"engine_default\": \"confined\",\n"
    "  \"exceptions\": []\n"
    "}\n";

struct policy *
policy_builtin(void)
{
	struct policy_problems problems;
	struct policy *policy = policy_parse(text_of(policy_builtin_text), &problems);

	if (policy)
		(void)snprintf(policy->digest, sizeof policy->digest, "built-in");
	return policy;
}
