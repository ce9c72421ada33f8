/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide.c - THE SPINE: bytes -> facts -> verdict, one function per door.
 *
 * The only file that assigns DECISION_ALLOW and DECISION_OBSERVE. Places, all of them:
 *  1. let_through(), for a call that is none of ours to judge, or a document that runs
 *     nothing;
 *  2. settle(), for a workload of which the policy refuses nothing;
 *  3. settle(), for one that the policy would refuse but only observes.
 */
#include "core/decide.h"

#include "core/policy.h"
#include "core/rulings.h"
#include "core/seccomp.h"

#include <string.h>

enum { SECOND_US = 1000000 };

/* A denial until somebody says otherwise. */
static void
start(struct decision *decision, const struct circumstances *circumstances)
{
	struct verdict *verdict = &decision->verdict;

	verdict->guard = -1;
	verdict->on_record = true;
	decision->now_us = circumstances->now_us;
}

/* What a message and a line of the record name it by; most calls have neither. */
static void
identify(struct decision *decision, const struct circumstances *circumstances)
{
	struct verdict *verdict = &decision->verdict;
	const char *policy =
	    circumstances->policy ? circumstances->policy->digest : "none";

	verdict_id(circumstances->now_us, circumstances->entropy, verdict->id);
	memcpy(verdict->policy, policy, strnlen(policy, sizeof verdict->policy - 1));
}

static void
deny(struct decision *decision, enum reason reason, struct text detail)
{
	struct verdict *verdict = &decision->verdict;

	verdict->decision = DECISION_DENY;
	verdict->reason = reason;
	verdict_explain(verdict, &decision->workload, detail);
}

/* The same for what no policy is asked about. */
static void
refuse(struct decision *decision, const struct circumstances *circumstances,
       enum reason reason, struct text detail)
{
	identify(decision, circumstances);
	deny(decision, reason, detail);
}

/* What can't be read, with the reason that its reader gave. */
static void
refuse_bytes(struct decision *decision, const struct circumstances *circumstances,
             struct text bytes, const struct err *err)
{
	enum reason reason = REASON_BAD_ENVELOPE;

	if (bytes.len == 0)
		reason = REASON_EMPTY_ENVELOPE;
	else if (err->code == ERR_MEMORY)
		reason = REASON_NO_MEMORY;
	refuse(decision, circumstances, reason, text_of(err->text));
}

/* Place 1. */
static void
let_through(struct decision *decision)
{
	decision->verdict.decision = DECISION_ALLOW;
	decision->verdict.reason = REASON_NOT_JUDGED;
	decision->verdict.on_record = false;
}

/* Takes over what the policy said of container `index`. */
static void
adopt(struct decision *decision, size_t index, const struct ruling *ruling)
{
	const struct container *container = &decision->workload.containers[index];
	struct verdict *verdict = &decision->verdict;
	unsigned set = ruling->refused ? ruling->refused : container->postures;

	verdict->container = index;
	verdict->guard = ruling->guard;
	verdict->exception = ruling->exception;
	verdict->would = ruling->would;
	verdict->has_posture = set != 0;
	verdict->posture = posture_worst(set);
}

static enum reason
why_refused(const struct decision *decision, const struct ruling *ruling,
            enum reason unreadable)
{
	const struct container *container =
	    &decision->workload.containers[decision->verdict.container];

	if (ruling->guard >= 0)
		return REASON_GUARD;
	if ((container->postures | ruling->refused) & POSTURE_BIT(POSTURE_UNREADABLE))
		return unreadable;
	return REASON_POSTURE;
}

/* Asks the policy about each container. */
static int
judge_each(struct decision *decision, const struct circumstances *circumstances)
{
	struct workload *workload = &decision->workload;
	struct ruling *rulings =
	    arena_array(&decision->arena, workload->count, sizeof *rulings);

	if (!rulings || workload->count == 0) /* no room for even one container */
		return -1;
	for (size_t i = 0; i < workload->count; i++)
		rulings[i] =
		    policy_judge(circumstances->policy, workload, i,
		                 circumstances->now_us / SECOND_US, &decision->arena);
	decision->rulings = rulings;
	return 0;
}

/* Places 2 and 3, for the container that was adopted. `unreadable` is the reason to give
   if it is that something can't be read. */
static void
settle(struct decision *decision, enum reason unreadable)
{
	struct verdict *verdict = &decision->verdict;
	const struct ruling *ruling = &decision->rulings[verdict->container];

	if (ruling->mode == RULE_OFF) {
		verdict->decision = DECISION_ALLOW;
		verdict->reason = ruling->exception ? REASON_EXCEPTION : REASON_ALLOWED;
		verdict->on_record = ruling->exception != NULL;
		return;
	}
	/* so that the policy's owner can accept a weak profile in one line */
	(void)seccomp_name_profile(&decision->workload.containers[verdict->container],
	                           &decision->arena);
	deny(decision, why_refused(decision, ruling, unreadable),
	     text_of(decision->workload.unreadable.text));
	if (ruling->mode == RULE_OBSERVE)
		verdict->decision = DECISION_OBSERVE;
}

/* The worst that the policy says of a container decides. */
static void
conclude(struct decision *decision, const struct circumstances *circumstances,
         enum reason unreadable)
{
	size_t index;

	identify(decision, circumstances);
	if (!circumstances->policy) {
		deny(decision, REASON_POLICY_BROKEN, circumstances->broken);
		return;
	}
	if (judge_each(decision, circumstances) != 0) {
		deny(decision, REASON_NO_MEMORY, (struct text){0});
		return;
	}
	index = rulings_heaviest(decision->rulings, decision->workload.count);
	adopt(decision, index, &decision->rulings[index]);
	rulings_note_others(decision->rulings, decision->workload.count,
	                    &decision->verdict);
	decision->verdict.user_unknown = circumstances->policy->names_users &&
	                                 decision->workload.user.len == 0 &&
	                                 decision->workload.door == DOOR_DOCKER;
	settle(decision, unreadable);
}

static enum reason
why_unreadable(const struct workload *workload)
{
	if (workload->no_body)
		return REASON_NO_BODY;
	return workload->unreadable.code == ERR_MEMORY ? REASON_NO_MEMORY
	                                               : REASON_UNREADABLE;
}

/* Behind the route: the facts of the call, then the policy. */
static void
decide_call(struct decision *decision, struct text body,
            const struct circumstances *circumstances)
{
	struct workload *workload = &decision->workload;
	const struct docker_request request = {
	    .route = &decision->route,
	    .body = body,
	    .envelope = decision->authz.method.at ? &decision->authz : NULL,
	    .own_name = circumstances->plugin_name,
	    .managed_plugin = circumstances->managed_plugin,
	};

	if (!docker_call_read(&request, &decision->arena, workload)) {
		let_through(decision);
		return;
	}
	conclude(decision, circumstances, why_unreadable(workload));
}

/* `err` is the caller's, who has none yet: a large thing to make twice. */
static bool
route_or_refuse(struct decision *decision, struct text method, struct text target,
                const struct circumstances *circumstances, struct err *err)
{
	if (docker_route(method, target, &decision->arena, &decision->route, err) == 0)
		return true;
	workload_add_unseen(&decision->workload, &decision->arena, err);
	conclude(decision, circumstances,
	         err->code == ERR_MEMORY ? REASON_NO_MEMORY : REASON_BAD_TARGET);
	return false;
}

void
decide_authz(struct text bytes, const struct circumstances *circumstances,
             struct decision *decision)
{
	struct authz *authz = &decision->authz;
	struct err err = {0};
	struct text body = {0};

	start(decision, circumstances);
	if (bytes.len == 0 || authz_read(bytes, &decision->arena, authz, &err) != 0) {
		refuse_bytes(decision, circumstances, bytes, &err);
		return;
	}
	decision->workload.user = authz->user;
	decision->workload.auth = authz->auth;
	if (!route_or_refuse(decision, authz->method, authz->uri, circumstances, &err))
		return;
	/* only where the body decides: others may hold anything */
	if (decision->route.call >= CALL_CONTAINER_CREATE &&
	    decision->route.call <= CALL_SERVICE_UPDATE &&
	    authz_body(authz, &decision->arena, &body, &err) != 0) {
		refuse_bytes(decision, circumstances, bytes, &err);
		return;
	}
	decide_call(decision, body, circumstances);
}

void
decide_request(struct text method, struct text target, struct text body,
               const struct circumstances *circumstances, struct decision *decision)
{
	struct err err = {0};

	start(decision, circumstances);
	if (route_or_refuse(decision, method, target, circumstances, &err))
		decide_call(decision, body, circumstances);
}

void
decide_inspect(const struct inspect_part *part, const struct inspect_context *context,
               const struct circumstances *circumstances, struct decision *decision)
{
	start(decision, circumstances);
	docker_inspect_read(part, context, &decision->arena, &decision->workload);
	conclude(decision, circumstances, why_unreadable(&decision->workload));
}

void
decide_compose(struct compose_service *service, const struct circumstances *circumstances,
               struct decision *decision)
{
	start(decision, circumstances);
	compose_read(service, &decision->arena, &decision->workload);
	conclude(decision, circumstances, why_unreadable(&decision->workload));
}

void
decide_profile(struct text json, const struct circumstances *circumstances,
               struct decision *decision)
{
	struct workload *workload = &decision->workload;
	struct container *container;
	struct err err = {0};

	start(decision, circumstances);
	workload->operation = OPERATION_PROFILE;
	container = workload_add(workload, &decision->arena);
	if (container &&
	    seccomp_judge_profile(json, &decision->arena, container, &err) != 0)
		workload_set_unreadable(workload, container, &err);
	conclude(decision, circumstances, why_unreadable(workload));
}

void
decide_alone(struct decision *decision, size_t index)
{
	struct verdict *verdict = &decision->verdict;

	if (!decision->rulings || index >= decision->workload.count)
		return;
	verdict->message[0] = '\0';
	verdict->other_count = 0;
	adopt(decision, index, &decision->rulings[index]);
	settle(decision, why_unreadable(&decision->workload));
}

void
decide_unseen(const struct err *why, const struct circumstances *circumstances,
              struct decision *decision)
{
	start(decision, circumstances);
	workload_add_unseen(&decision->workload, &decision->arena, why);
	conclude(decision, circumstances, why_unreadable(&decision->workload));
}

void
decide_nothing(const struct circumstances *circumstances, struct decision *decision)
{
	start(decision, circumstances);
	let_through(decision);
}

void
decide_refusal(enum reason reason, const struct circumstances *circumstances,
               struct decision *decision)
{
	start(decision, circumstances);
	refuse(decision, circumstances, reason, (struct text){0});
}

/* ---- Kubernetes ---- */

static void
start_kubernetes(struct decision *decision, const struct circumstances *circumstances)
{
	struct arena *arena = &decision->arena;

	start(decision, circumstances);
	identify(decision, circumstances); /* answers have it, whatever they say */
	if (arena->limit == 0 || arena->limit > ADMISSION_MEMORY_MAX)
		arena->limit = ADMISSION_MEMORY_MAX;
	decision->workload.door = DOOR_KUBERNETES;
	decision->workload.operation = OPERATION_ADMISSION;
}

void
decide_admission(struct text bytes, const struct circumstances *circumstances,
                 struct decision *decision)
{
	struct admission *admission = &decision->admission;
	struct workload *workload = &decision->workload;
	struct err err = {0};

	start_kubernetes(decision, circumstances);
	if (bytes.len == 0 ||
	    admission_read(bytes, &decision->arena, admission, workload, &err) != 0) {
		refuse_bytes(decision, circumstances, bytes, &err);
		return;
	}
	if (!admission_workload(admission, &decision->arena, workload))
		let_through(decision);
	else
		conclude(decision, circumstances, why_unreadable(workload));
}

void
decide_admission_refusal(enum reason reason, struct text prefix,
                         const struct circumstances *circumstances,
                         struct decision *decision)
{
	start_kubernetes(decision, circumstances);
	admission_read_head(prefix, &decision->arena, &decision->admission,
	                    &decision->workload);
	refuse(decision, circumstances, reason, (struct text){0});
}

void
decide_manifest(const struct manifest_part *part,
                const struct circumstances *circumstances, struct decision *decision)
{
	struct workload *workload = &decision->workload;

	start_kubernetes(decision, circumstances);
	if (!manifest_workload(part, &decision->arena, &decision->admission, workload))
		let_through(decision);
	else
		conclude(decision, circumstances, why_unreadable(workload));
}
