/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workload - the facts: what one request wants to run.
 *
 * Readers (docker_create.c and its like) fill it, policy_match.c judges it, nobody else
 * writes to it. Invariant: every posture that any supported engine (20.10 to current)
 * could give a container is in its set; a fact that the request lacks is a missing text,
 * never an invented one. Everything it points to lives in the request or in the arena of
 * its decision.
 */
#pragma once

#include "core/arena.h"
#include "core/err.h"
#include "core/image_ref.h"
#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a request came in. Names: door_name(). */
enum door {
	DOOR_DOCKER,     /* the AuthZ plugin API of dockerd, Swarm services included */
	DOOR_KUBERNETES, /* the validating admission webhook */
	DOOR_COUNT
};

/*
 * What the kernel would be told, worst first. A container has a set of them, as bits
 * (POSTURE_BIT); it is let through only if each is allowed.
 */
enum posture {
	POSTURE_UNREADABLE, /* it can't be known */
	POSTURE_PRIVILEGED, /* the engine drops the filter */
	POSTURE_UNCONFINED, /* no filter */
	POSTURE_PERMISSIVE, /* a filter that stops nothing */
	POSTURE_WEAK,       /* lets through calls that Docker's default blocks */
	POSTURE_UNSET,      /* Kubernetes: nothing asked */
	POSTURE_LOCALHOST,  /* Kubernetes: a profile of the node, known by its name */
	POSTURE_CUSTOM,     /* the client's profile, confines at least as the default */
	POSTURE_DEFAULT,    /* the engine's default profile */
	POSTURE_COUNT
};

#define POSTURE_BIT(posture) (1U << (posture))

/* What ends without a filter though it isn't a container create. Bits: GUARD_BIT. */
enum guard {
	GUARD_SELF,             /* changing or shadowing this plugin */
	GUARD_PLUGINS,          /* managed plugins, which run without seccomp */
	GUARD_LEGACY_START,     /* a start that carries a HostConfig (API < 1.24) */
	GUARD_RUNTIMES,         /* a runtime that the policy does not list */
	GUARD_CHECKPOINT,       /* a start from a checkpoint */
	GUARD_BUILDS,           /* builds: what runs inside can't be seen */
	GUARD_ROLLBACK,         /* a service update that restores the previous spec */
	GUARD_SWARM_MEMBERSHIP, /* swarm init and join */
	GUARD_COUNT
};

#define GUARD_BIT(guard) (1U << (guard))

enum { WORKLOAD_CONTAINERS_MAX = 1024 };

struct container {
	struct text name;  /* as the engine will call it; missing: it picks one */
	struct text title; /* what messages call it where that is not known: the service
				   of a Compose file; may be missing, and meets no criterion */
	struct image_ref image; /* .text missing: the request names none */
	struct text_map labels;
	struct text_map annotations;
	struct text runtime; /* missing: the engine's default */

	unsigned postures;   /* set of POSTURE_BIT */
	bool asked_nothing;  /* POSTURE_DEFAULT because no seccomp setting was given, so
				it depends on the engine's own default */
	unsigned guards;     /* GUARD_BIT of the guards whose case this is; RUNTIMES is
				decided by the policy, from `runtime` */
	struct text setting; /* what in the request decided, for the message: "seccomp=
				unconfined", "HostConfig.Privileged"; may be missing */
	struct text profile; /* JSON text of the client's profile; missing: none */
	struct text local_profile; /* Kubernetes: "localhost/NAME", prefix included */
	char digest[72]; /* "sha256:<hex>" of the profile; "" until it is asked for */
	const char *weak_calls[8]; /* first calls that make it weak, names from static
				      storage, NULL-terminated */
	size_t weak_count;         /* how many there are in all */
};

/* What the request is about. Names: operation_name(). */
enum operation {
	OPERATION_NONE, /* nothing that we judge */
	OPERATION_CREATE,
	OPERATION_START,
	OPERATION_SERVICE_CREATE,
	OPERATION_SERVICE_UPDATE,
	OPERATION_PLUGIN,
	OPERATION_BUILD,
	OPERATION_SWARM,
	OPERATION_ADMISSION,
	OPERATION_INSPECT, /* no request: it is there already */
	OPERATION_INSPECT_SERVICE,
	OPERATION_COMPOSE, /* no request: a file, from which a client would make one */
	OPERATION_PROFILE, /* neither: a profile, as if somebody ran a container under it */
	OPERATION_COUNT
};

struct workload {
	enum door door;
	enum operation operation;
	struct text user; /* TLS common name, Kubernetes user name; missing: unknown */
	struct text auth; /* how the engine knows the user ("TLS"); may be missing */
	struct text_list groups; /* Kubernetes */
	struct text space;       /* Kubernetes namespace; missing elsewhere */

	struct container *containers; /* in the arena */
	size_t count;

	struct err unreadable; /* why a container is POSTURE_UNREADABLE */
	bool no_body;          /* ... namely that no body was to be seen */
};

/* Static names, as they stand in policies, records and reports; NULL for no such one. */
const char *door_name(enum door door);
const char *posture_name(enum posture posture);
const char *guard_name(enum guard guard);
const char *operation_name(enum operation operation);

/* The value of a name, or -1. */
int door_from_name(struct text name);
int posture_from_name(struct text name);
int guard_from_name(struct text name);

/* The worst posture of a set that is not empty. */
enum posture posture_worst(unsigned postures);

/*
 * Adds a zeroed container to `workload` and returns it; NULL when out of memory or past
 * WORKLOAD_CONTAINERS_MAX. Earlier containers may move: hold no pointer across calls.
 */
struct container *workload_add(struct workload *workload, struct arena *arena);

/*
 * Notes that what `container` would run can't be known, and why (the first reason stays).
 * `container` NULL: there was no room for it; then another stands for it, for a workload
 * must not fare better for what it lost. One without containers is denied.
 */
void workload_set_unreadable(struct workload *workload, struct container *container,
                             const struct err *why);

/* Adds a container of which nothing can be known, and says why. */
void workload_add_unseen(struct workload *workload, struct arena *arena,
                         const struct err *why);
