/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compose_value - the values of a Compose file, before variables are filled in; for the
 * compose_* readers only.
 *
 * Invariant: a value with a variable in it is never taken for a fact. Pure.
 */
#pragma once

#include "core/compose.h"
#include "core/json_go.h"
#include "core/seccomp.h"

enum { COMPOSE_QUOTED_MAX = 80 };

/* Would a client put something else in place of a part of it ("$NAME", "${NAME:-...}",
   "$$" for a dollar)? */
bool compose_has_variable(struct text value);

/*
 * Compose's own tags stand in the JSON as an object with this one key around the value.
 * !override puts the value in place of what is below, !reset takes both away; clients from
 * before the tags take the value as it is and merge it (compose-go loader/reset.go). What
 * these could differ in is no fact.
 */
#define COMPOSE_RESET    "!reset"
#define COMPOSE_OVERRIDE "!override"

enum compose_tag { COMPOSE_TAG_NONE, COMPOSE_TAG_RESET, COMPOSE_TAG_OVERRIDE };

/* Is this the key that stands for a tag? No service and no label is called so. */
bool compose_is_tag(struct text key);

/* The tag of a value, and in *raw the value itself. `raw` is JSON. */
enum compose_tag compose_untag(struct text *raw);

enum compose_truth { COMPOSE_NO, COMPOSE_YES, COMPOSE_VARIABLE, COMPOSE_UNCLEAR };

/* A truth value as clients take it (compose-go loader/interpolate.go, toBoolean): true or
   false, or text such as "yes" and "off" in any case. `raw` is JSON. */
enum compose_truth compose_truth(struct text raw, struct arena *arena);

/* "PREFIX VALUE (a variable decides)" for a message, in the arena; `raw` is JSON. */
struct text compose_undecided(struct text raw, const char *prefix, struct arena *arena);
struct text compose_undecided_text(struct text value, const char *prefix,
                                   struct arena *arena);

/* Adds labels or annotations: a mapping, or a list of KEY=VALUE; the last of a key wins.
   Variables stay as written. `raw` is JSON; missing or null adds nothing. */
int compose_read_pairs(struct text raw, struct arena *arena, struct text_map *map,
                       struct err *err);

/* Takes out the pairs that a variable or a tag decides; all of them if it decides a key. */
void compose_drop_undecided(struct text_map *map);

/* What one layer says, raw; missing or null: nothing. */
struct compose_definition {
	struct text image, container_name, runtime, privileged;
	struct text security_opt, labels, annotations, build;
};

/* -1: also if a tag decides over the whole. */
int compose_read_definition(struct json *json, struct compose_definition *ret_definition);

/* Neither missing nor null. */
bool compose_says(struct text raw);

/* What of the layers' `build` matters. */
struct compose_build {
	const char *place;      /* of the uppermost; NULL: there is none */
	struct text privileged; /* raw; the uppermost that says it */
	const char *insecure;   /* place of entitlements with security.insecure, in any */
	const char *fault;      /* what can't be read */
};

/* Builds are merged key by key (compose-go override/merge.go, mergeBuild). *ret_build is
   zero before the call. -1: one can't be read. */
int compose_read_build(const struct compose_definition *layers, size_t count,
                       struct arena *arena, struct compose_build *ret_build,
                       struct err *err);

/* Reads the list under `include`. */
int compose_read_includes(struct json *json, struct compose_includes *ret_includes);

/* What the layers' security_opt come to. */
struct compose_option {
	struct seccomp_opt opt;
	const char *place;    /* of the entry, in the bytes of its layer */
	struct text variable; /* an entry behind that, which a variable decides and which
				 could be about seccomp; missing: none */
	const char *variable_place;
	const char *fault;             /* of an entry that can't be read */
	struct compose_profiles files; /* that entries name, the last of them last */
};

/*
 * The last option of all layers, the lowest layer first: what a service says comes behind
 * what it extends (compose-go override/merge.go). *ret_option is zero before the call. -1:
 * an entry can't be read, or a tag makes clients differ.
 */
int compose_choose(const struct compose_definition *layers, size_t count,
                   struct arena *arena, struct compose_option *ret_option,
                   struct err *err);

/*
 * Does it name a file? Clients put its content in place of the name, but for the engine's
 * own words (docker compose pkg/compose/create.go, parseSecurityOpts); what looks like
 * JSON is taken for the profile itself.
 */
bool compose_names_file(const struct compose_option *option);

/* The files that could count, if that is one. */
void compose_rank_files(const struct compose_option *option,
                        const struct compose_service *service,
                        struct compose_profiles *ret_profiles);
