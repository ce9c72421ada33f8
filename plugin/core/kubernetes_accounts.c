/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kubernetes_accounts.c - would an exception except a controller, and so everybody?
 *
 * Accounts: kube-controller-manager's controllers with --use-service-account-credentials
 * (kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go), the
 * manager itself without it, and the API server's own (system:apiserver), which control
 * planes in one process use. Groups: apiserver pkg/authentication/serviceaccount/util.go
 * and user/user.go.
 */
#include "core/kubernetes_accounts.h"

#include "core/glob.h"

#define COUNT(table)         (sizeof(table) / sizeof(table)[0])
#define OF_KUBE_SYSTEM(name) "system:serviceaccount:kube-system:" name

enum { ACCOUNT_GROUPS_MAX = 3 };

struct account {
	const char *user;
	const char *groups[ACCOUNT_GROUPS_MAX];
};

#define CONTROLLER(name)                                                                 \
	{                                                                                \
		OF_KUBE_SYSTEM(name),                                                    \
		{                                                                        \
			"system:serviceaccounts", "system:serviceaccounts:kube-system",  \
			    "system:authenticated"                                       \
		}                                                                        \
	}

/* Those that create pods, or the objects that others create pods from. */
static const struct account accounts[] = {
    CONTROLLER("replicaset-controller"),
    CONTROLLER("deployment-controller"),
    CONTROLLER("statefulset-controller"),
    CONTROLLER("daemon-set-controller"),
    CONTROLLER("job-controller"),
    CONTROLLER("cronjob-controller"),
    CONTROLLER("replication-controller"),
    {"system:kube-controller-manager", {"system:authenticated"}},
    {"system:apiserver", {"system:masters", "system:authenticated"}},
};

static bool
any_matches(struct text_list patterns, const char *fact)
{
	for (size_t i = 0; i < patterns.count; i++) {
		if (glob_matches(patterns.at[i], text_of(fact), 0))
			return true;
	}
	return false;
}

static bool
fits(const struct criteria *criteria, const struct account *account)
{
	bool user = !criteria->user.at || any_matches(criteria->user, account->user);
	bool group = !criteria->group.at;

	for (size_t i = 0; i < ACCOUNT_GROUPS_MAX && account->groups[i] && !group; i++)
		group = any_matches(criteria->group, account->groups[i]);
	return user && group;
}

/* A pattern that these have in common is one for any namespace. */
static bool
names_namespaces(const struct criteria *criteria)
{
	return criteria->space.at && !(any_matches(criteria->space, "default") &&
	                               any_matches(criteria->space, "q0-7z"));
}

struct text
criteria_controller(const struct criteria *criteria)
{
	bool kubernetes =
	    criteria->doors == 0 || (criteria->doors >> DOOR_KUBERNETES & 1);

	if ((!criteria->user.at && !criteria->group.at) || !kubernetes ||
	    names_namespaces(criteria))
		return (struct text){0};
	for (size_t i = 0; i < COUNT(accounts); i++) {
		if (fits(criteria, &accounts[i]))
			return text_of(accounts[i].user);
	}
	return (struct text){0};
}
