/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compose - Compose files, as JSON, to workloads: one container for each service.
 *
 * A Compose file is no request: the client reads it, fills in variables, puts what a
 * service extends under it, reads the profiles that it names, and asks the engine. What
 * of that needs the world (other files) is the caller's; the rest is here. Invariant: a
 * service is judged as the worst of what the clients (docker compose v2, docker-compose
 * 1.29) could ask for; what depends on a variable counts as what it would be at worst.
 * Pure.
 *
 * Sources: compose-go loader (extends.go, interpolate.go), override/merge.go; docker
 * compose pkg/compose/create.go, parseSecurityOpts; docker-compose 1.29 config/config.py.
 */
#pragma once

#include "core/arena.h"
#include "core/err.h"
#include "core/text.h"
#include "core/workload.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	COMPOSE_SERVICES_MAX = 4096,
	COMPOSE_LAYERS_MAX = 32, /* a service and what it extends, one behind the other */
	COMPOSE_INCLUDES_MAX = 256, /* members, and paths of them all */
	COMPOSE_PROFILES_MAX = 8,   /* of a service, each once */
};

/* What in a layer made for which verdict, for line numbers; NULL: nothing did. */
struct compose_places {
	const char *postures[POSTURE_COUNT];
	const char *guards[GUARD_COUNT];
};

/*
 * One member of `include`. Several paths are one definition: each file is merged over
 * those before it (compose-go loader/include.go, ApplyInclude).
 */
struct compose_include {
	struct text_list paths; /* as written; none is no include */
	struct text
	    folder; /* project_directory, where relative paths in those files begin;
				missing: the folder of the first */
	const char *place; /* in the document's bytes */
};

struct compose_includes {
	struct compose_include *at;
	size_t count;
};

/*
 * A service: what counts most first. Its own definition, then the one that it extends, and
 * so on; and where files are merged, the same behind it for each file below, since
 * `extends` is followed in each before they are merged (compose-go loader/loader.go,
 * loadYamlFile).
 */
struct compose_service {
	struct text name;                       /* its key */
	struct text layers[COMPOSE_LAYERS_MAX]; /* JSON of each; borrowed */
	size_t count;
	/* what the caller adds */
	bool own[COMPOSE_LAYERS_MAX]; /* the layer was not extended; of files that are
					 merged only */
	bool merged; /* the file is one of several; more than one layer says so too */
	struct text profiles[COMPOSE_PROFILES_MAX]; /* bytes of the files that
						       compose_profiles_of() names */
	struct err unseen; /* a layer or a profile can't be had, and why */
	/* what compose_read() adds */
	struct compose_places places;
};

/* What a definition extends; `service` missing: nothing. */
struct compose_extends {
	struct text service;
	struct text file;  /* missing: in the same file */
	const char *place; /* in the definition's bytes; NULL: not known */
};

/* A file that a client would read as the seccomp profile. */
struct compose_profile {
	struct text path;  /* as written */
	const char *place; /* of the option, in the bytes of its layer */
};

/*
 * All that could count. The first is that of the last option, which docker compose takes.
 * Where definitions are merged, docker-compose 1.29 sorts their options by what is in the
 * files (config/config.py, merge_sequence), so it could be any of them.
 */
struct compose_profiles {
	struct compose_profile at[COMPOSE_PROFILES_MAX];
	size_t count; /* 0: no file is needed */
};

/*
 * Calls `each` for every service of the document: members of `services`, or of the root
 * in a file of version 1. *ret_includes gets what stands under `include`. -1: no document
 * of that shape, or `each` said so.
 */
int compose_each(struct text document, struct arena *arena,
                 int (*each)(struct text name, struct text object, void *context),
                 void *context, struct compose_includes *ret_includes, struct err *err);

/* Is it one at all: `services` or `include` with an object or list, or version 1 with a
   service that has an image or a build? For documents that nobody told us about. */
bool compose_recognise(struct text document, struct arena *arena);

/* The definition of a service of the document. -1: there is none, or more than one. */
int compose_find(struct text document, struct text name, struct arena *arena,
                 struct text *ret_object, struct err *err);

/*
 * Adds what the last layer extends, and what that extends, as long as it is in
 * `document`. *ret_elsewhere is what is in another file; its service missing: all is
 * there. -1: it can't be followed; ret_elsewhere->place then is what can't be, if known.
 */
int compose_extend(struct compose_service *service, struct text document,
                   struct arena *arena, struct compose_extends *ret_elsewhere,
                   struct err *err);

/* Which files these are. What can't be read is left to compose_read(). */
void compose_profiles_of(const struct compose_service *service, struct arena *arena,
                         struct compose_profiles *ret_profiles);

/* Adds the container to judge; one that can't be read is POSTURE_UNREADABLE. Fills
   service->places. */
void compose_read(struct compose_service *service, struct arena *arena,
                  struct workload *workload);
