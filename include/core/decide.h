/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide - THE SPINE: bytes -> facts -> verdict, one function per door.
 *
 * Invariant: it cannot fail. Whatever can't be read, judged or held in memory comes out
 * as a denial with a reason. No I/O, no clock, no log: the circumstances are handed in.
 * The judge, the offline commands, the tests and the fuzzers all call these functions.
 */
#pragma once

#include "core/arena.h"
#include "core/authz.h"
#include "core/compose.h"
#include "core/docker.h"
#include "core/docker_inspect.h"
#include "core/kubernetes.h"
#include "core/policy.h"
#include "core/text.h"
#include "core/verdict.h"
#include "core/workload.h"

#include <stdbool.h>
#include <stdint.h>

/* What a decision rests on besides the request. Borrowed for the call. */
struct circumstances {
	const struct policy *policy; /* NULL: broken, see `broken` */
	struct text broken;          /* "FILE: PLACE: what", when there is no policy */
	struct text plugin_name;     /* our own, for the guard `self` */
	bool managed_plugin;         /* we run as a managed plugin of the engine */
	int64_t now_us;              /* microseconds since the epoch */
	uint8_t entropy[10];         /* for the decision's id */
};

/* One owner per request; zero-initialised before first use. */
struct decision {
	struct arena arena; /* holds everything below */
	struct authz authz;
	struct docker_route route;
	struct admission admission; /* Kubernetes only */
	struct workload workload;
	struct ruling *rulings; /* what the policy said of each container of `workload`;
				   NULL: it was not asked */
	int64_t now_us;         /* when it was decided */
	struct verdict verdict; /* last, see decision_reset() */
};

/*
 * Judges an AuthZ envelope (AuthZPlugin.AuthZReq). `bytes` is borrowed until
 * decision_reset(). The verdict's exception pointers borrow from the policy.
 */
void decide_authz(struct text bytes, const struct circumstances *circumstances,
                  struct decision *decision);

/*
 * Judges a request as an engine would route it, without an envelope: for the offline
 * commands. `body` missing means no visible body.
 */
void decide_request(struct text method, struct text target, struct text body,
                    const struct circumstances *circumstances, struct decision *decision);

/*
 * Judges what is there already: one thing that `docker inspect` shows. Criteria over who
 * asked for it never hold.
 */
void decide_inspect(const struct inspect_part *part,
                    const struct inspect_context *context,
                    const struct circumstances *circumstances, struct decision *decision);

/*
 * Judges an AdmissionReview (kubernetes.h). `bytes` is borrowed until decision_reset().
 * A review that can't be read is denied; its uid is in decision->admission if it could be
 * found. Holds at most ADMISSION_MEMORY_MAX besides the bytes.
 */
void decide_admission(struct text bytes, const struct circumstances *circumstances,
                      struct decision *decision);

/*
 * A denial of a review that is not read as a whole (too large, busy, no memory). `prefix`
 * is what is there of it, from its first byte; ADMISSION_HEAD_MAX bytes are enough. What
 * it says of itself, its uid above all, is taken from there. Borrowed as above.
 */
void decide_admission_refusal(enum reason reason, struct text prefix,
                              const struct circumstances *circumstances,
                              struct decision *decision);

/*
 * Judges one object of a manifest, as manifest_each() hands it out: as if it were created
 * by nobody in particular. Criteria over who asked for it never hold.
 */
void decide_manifest(const struct manifest_part *part,
                     const struct circumstances *circumstances,
                     struct decision *decision);

/*
 * Judges a service of a Compose file: compose.h says what the caller adds before. Criteria
 * over who asks for it never hold. Fills service->places.
 */
void decide_compose(struct compose_service *service,
                    const struct circumstances *circumstances, struct decision *decision);

/* Judges a seccomp profile's file as if a container ran under it. */
void decide_profile(struct text json, const struct circumstances *circumstances,
                    struct decision *decision);

/* Judges what can't be read at all, and why. */
void decide_unseen(const struct err *why, const struct circumstances *circumstances,
                   struct decision *decision);

/*
 * Makes the verdict the one that container `index` of the workload would get alone, for
 * reports of each. It stays as it is where the policy was not asked.
 */
void decide_alone(struct decision *decision, size_t index);

/* A document of which it is certain that it runs nothing. */
void decide_nothing(const struct circumstances *circumstances, struct decision *decision);

/* A denial that is made before anything could be read (too large, busy). */
void decide_refusal(enum reason reason, const struct circumstances *circumstances,
                    struct decision *decision);

/* Ready for the next request; keeps a block of memory. */
void decision_reset(struct decision *decision);

/* Gives everything back. NULL is fine. */
void decision_free(struct decision *decision);

#define cleanup_decision __attribute__((cleanup(decision_free)))
