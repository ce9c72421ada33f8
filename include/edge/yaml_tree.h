/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_tree - the nodes of a YAML document, under yaml_json.h; for that family only.
 *
 * Invariant: keys of a mapping are scalars, each once; an alias points to a node that is
 * complete, so a walk that follows aliases ends.
 */
#pragma once

#include "core/arena.h"
#include "edge/yaml_json.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP, YAML_ALIAS };

/* What a tag says of a scalar; YAML_TAG_NONE: its looks do. */
enum yaml_tag {
	YAML_TAG_NONE,
	YAML_TAG_TEXT,
	YAML_TAG_BOOL,
	YAML_TAG_NUMBER,
	YAML_TAG_NULL,
	YAML_TAG_MERGE,
};

/* Compose's own tags, of a node of any kind. */
enum yaml_compose_tag { YAML_COMPOSE_NONE, YAML_COMPOSE_RESET, YAML_COMPOSE_OVERRIDE };

struct yaml_node {
	enum yaml_kind kind;
	enum yaml_tag tag;
	enum yaml_compose_tag compose_tag;
	bool plain; /* a scalar without quotes */
	bool open;  /* its end is still to come */
	struct yaml_place place;
	struct text value;       /* of a scalar */
	struct yaml_node *first; /* of a list; of a mapping: key, value, key, value */
	struct yaml_node *next;
	const struct yaml_node *target; /* of an alias; no alias itself */
};

struct yaml_tree;

/* Borrows `input`. NULL when out of memory. */
struct yaml_tree *yaml_tree_open(struct text input, enum yaml_dialect dialect);

/* The next document's root, which lives until the next call; *ret_root is NULL at the end.
   -1 with err, and where. */
int yaml_tree_next(struct yaml_tree *tree, const struct yaml_node **ret_root,
                   struct yaml_place *ret_place, struct err *err);

void yaml_tree_close(struct yaml_tree *tree); /* NULL is fine */

/* A failure at `place`: "line L, column C: " and what is wrong. Returns -1. */
int yaml_fail(struct yaml_place place, struct yaml_place *ret_place, struct err *err,
              enum err_code code, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* An unquoted << (yaml.v3 decode.go, isMerge). */
bool yaml_is_merge(const struct yaml_node *key);

/* What an alias stands for; any other node itself. */
const struct yaml_node *yaml_target(const struct yaml_node *node);

/* Takes `tag`, as libyaml resolves it, for `node`; false if it is none that we read. */
bool yaml_tag_known(struct text tag, enum yaml_dialect dialect, struct yaml_node *node);

/* Appends a scalar as JSON. -1: its tag and its value disagree. */
int yaml_scalar_write(const struct yaml_node *node, enum yaml_dialect dialect,
                      struct buf *json, struct yaml_place *ret_place, struct err *err);
