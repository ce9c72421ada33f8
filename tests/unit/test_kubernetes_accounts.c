/* SPDX-License-Identifier: Apache-2.0 */
/* test_kubernetes_accounts.c - which exceptions fit a controller, and so everybody. */
#include "core/kubernetes_accounts.h"

#include "deciding.h"

static const struct {
	const char *match;
	bool excepts;
} matches[] = {
    /* accounts */
    {"\"user\":[\"system:serviceaccount:kube-system:replicaset-controller\"]", true},
    {"\"user\":[\"system:serviceaccount:kube-system:daemon-set-controller\"]", true},
    {"\"user\":[\"system:serviceaccount:kube-system:statefulset-controller\"]", true},
    {"\"user\":[\"system:serviceaccount:kube-system:job-controller\"]", true},
    {"\"user\":[\"system:serviceaccount:kube-system:cronjob-controller\"]", true},
    {"\"user\":[\"system:serviceaccount:kube-system:deployment-controller\"]", true},
    {"\"user\":[\"system:serviceaccount:kube-system:replication-controller\"]", true},
    {"\"user\":[\"system:kube-controller-manager\"]", true},
    {"\"user\":[\"alice\",\"system:kube-controller-manager\"]", true},
    /* globs */
    {"\"user\":[\"*\"]", true},
    {"\"user\":[\"system:*\"]", true},
    {"\"user\":[\"system:serviceaccount:*\"]", true},
    {"\"user\":[\"system:serviceaccount:kube-system:*\"]", true},
    {"\"user\":[\"system:serviceaccount:kube-system:*-controller\"]", true},
    {"\"user\":[\"*[rz]\"]", true},
    {"\"user\":[\"system:serviceaccount:ci:*\"]", false},
    {"\"user\":[\"system:node:*\"]", false},
    {"\"user\":[\"ci-*\",\"alice\"]", false},
    {"\"user\":[\"system:serviceaccount:kube-system:replicaset-controller2\"]", false},
    /* groups */
    {"\"group\":[\"system:serviceaccounts\"]", true},
    {"\"group\":[\"system:serviceaccounts:kube-system\"]", true},
    {"\"group\":[\"system:authenticated\"]", true},
    {"\"group\":[\"system:masters\"]", true},
    {"\"group\":[\"system:*\"]", true},
    {"\"group\":[\"ops\"]", false},
    {"\"group\":[\"system:serviceaccounts:ci\"]", false},
    {"\"group\":[\"system:nodes\"]", false},
    /* both must hold of one account */
    {"\"user\":[\"alice\"],\"group\":[\"system:authenticated\"]", false},
    {"\"user\":[\"*\"],\"group\":[\"ops\"]", false},
    {"\"user\":[\"system:kube-*\"],\"group\":[\"system:authenticated\"]", true},
    {"\"user\":[\"system:kube-*\"],\"group\":[\"system:serviceaccounts\"]", false},
    /* namespaces keep it narrow, unless they are all */
    {"\"user\":[\"system:serviceaccount:kube-system:*\"],\"namespace\":[\"kube-system\"]",
     false},
    {"\"group\":[\"system:authenticated\"],\"namespace\":[\"team-*\"]", false},
    {"\"user\":[\"system:*\"],\"namespace\":[\"*\"]", true},
    {"\"user\":[\"system:*\"],\"namespace\":[\"kube-system\",\"?*\"]", true},
    {"\"namespace\":[\"*\"]", false},
    /* the door */
    {"\"door\":[\"docker\"],\"user\":[\"*\"]", false},
    {"\"door\":[\"kubernetes\"],\"user\":[\"*\"]", true},
    {"\"door\":[\"docker\",\"kubernetes\"],\"user\":[\"*\"]", true},
    /* what narrows the thing and not the person */
    {"\"user\":[\"system:*\"],\"image\":[\"nginx\"],\"name\":[\"web\"]", true},
    {"\"image\":[\"nginx\"]", false},
};

static void
an_exception_for_a_controller_is_one_for_everybody(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(matches); i++) {
		cleanup_judge struct judge judge;
		char policy[1024];
		struct text account;

		(void)snprintf(policy, sizeof policy,
		               "{\"version\":1,\"exceptions\":[{\"id\":\"x\",\"allow\":["
		               "\"unconfined\"],\"reason\":\"r\",\"match\":{%s}}]}",
		               matches[i].match);
		judge_start(&judge, policy);
		account = criteria_controller(&judge.policy->exceptions[0].match);
		if ((account.at != NULL) != matches[i].excepts)
			fail_msg("%s: \"%.*s\"", matches[i].match, TEXT_ARG(account));
	}
}

/* The predicate against the judge itself: an account that it names is let through. */
static void
an_account_that_is_named_is_let_through(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(matches); i++) {
		cleanup_judge struct judge judge;
		cleanup_buf struct buf review = {0};
		char policy[1024];
		struct text account;

		if (strstr(matches[i].match, "image") ||
		    strstr(matches[i].match, "group"))
			continue;
		(void)snprintf(policy, sizeof policy,
		               "{\"version\":1,\"exceptions\":[{\"id\":\"x\",\"allow\":["
		               "\"unconfined\"],\"reason\":\"r\",\"match\":{%s}}]}",
		               matches[i].match);
		judge_start(&judge, policy);
		account = criteria_controller(&judge.policy->exceptions[0].match);
		if (!account.at)
			continue;
		buf_printf(
		    &review,
		    "{\"kind\":\"AdmissionReview\",\"apiVersion\":"
		    "\"admission.k8s.io/v1\",\"request\":{\"uid\":\"u\",\"namespace\":"
		    "\"any\",\"operation\":\"CREATE\",\"userInfo\":{\"username\":"
		    "\"%.*s\"},\"object\":{\"kind\":\"Pod\",\"spec\":{\"containers\":"
		    "[{\"name\":\"c\",\"securityContext\":{\"seccompProfile\":"
		    "{\"type\":\"Unconfined\"}}}]}}}}",
		    TEXT_ARG(account));
		decide_admission(buf_text(&review), &judge.circumstances,
		                 &judge.decision);
		if (judge.decision.verdict.reason != REASON_EXCEPTION)
			fail_msg("%s: %.*s: %s", matches[i].match, TEXT_ARG(account),
			         judge.decision.verdict.message);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_exception_for_a_controller_is_one_for_everybody),
	    cmocka_unit_test(an_account_that_is_named_is_let_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
