/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compose_value - the values of a Compose file, before variables are filled in; for the
 * compose_* readers only.
 *
 * Invariant: a value with a variable in it is never taken for a fact. Pure.
 */
#pragma once

#include "core/json_go.h"
#include "core/seccomp.h"

enum { COMPOSE_QUOTED_MAX = 80 };

/* Would a client put something else in place of a part of it ("$NAME", "${NAME:-...}",
   "$$" for a dollar)? */
bool compose_has_variable(struct text value);

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

/* Takes out the pairs that a variable decides; all of them if it decides a key. */
void compose_drop_undecided(struct text_map *map);

/* What one layer says, raw; missing or null: nothing. */
struct compose_definition {
	struct text image, container_name, runtime, privileged;
	struct text security_opt, labels, annotations, build;
};

int compose_read_definition(struct json *json, struct compose_definition *ret_definition);

/* Neither missing nor null. */
bool compose_says(struct text raw);

/* What the layers' security_opt come to. */
struct compose_option {
	struct seccomp_opt opt;
	const char *place;    /* of the entry, in the bytes of its layer */
	struct text variable; /* an entry behind that, which a variable decides and which
				 could be about seccomp; missing: none */
	const char *variable_place;
	const char *fault; /* of an entry that can't be read */
};

/*
 * The last option of all layers, the lowest layer first: what a service says comes behind
 * what it extends (compose-go override/merge.go). *ret_option is zero before the call. -1:
 * an entry can't be read.
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
