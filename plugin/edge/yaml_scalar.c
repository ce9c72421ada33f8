/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_scalar.c - what a node of a YAML document means: its tag, its looks, its place. */
#include "edge/yaml_tree.h"

#include "core/json_go.h"

#include <stdarg.h>
#include <stdio.h>

int
yaml_fail(struct yaml_place place, struct yaml_place *ret_place, struct err *err,
          enum err_code code, const char *format, ...)
{
	char what[ERR_TEXT_MAX - 64];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof what, format, args);
	va_end(args);
	*ret_place = place;
	return err_set(err, code, "line %u, column %u: %s", place.line, place.column,
	               what);
}

bool
yaml_is_merge(const struct yaml_node *key)
{
	return key->kind == YAML_SCALAR && text_is(key->value, "<<") &&
	       (key->tag == YAML_TAG_MERGE || (key->tag == YAML_TAG_NONE && key->plain));
}

const struct yaml_node *
yaml_target(const struct yaml_node *node)
{
	return node->kind == YAML_ALIAS ? node->target : node;
}

/* ---- tags ---- */

#define CORE_TAG "tag:yaml.org,2002:"

static const struct known_tag {
	const char *name;
	enum yaml_kind kind;
	enum yaml_tag tag;
} known_tags[] = {
    {"!", YAML_SCALAR, YAML_TAG_TEXT},
    {"!", YAML_LIST, YAML_TAG_NONE},
    {"!", YAML_MAP, YAML_TAG_NONE},
    {CORE_TAG "str", YAML_SCALAR, YAML_TAG_TEXT},
    {CORE_TAG "timestamp", YAML_SCALAR, YAML_TAG_TEXT},
    {CORE_TAG "bool", YAML_SCALAR, YAML_TAG_BOOL},
    {CORE_TAG "int", YAML_SCALAR, YAML_TAG_NUMBER},
    {CORE_TAG "float", YAML_SCALAR, YAML_TAG_NUMBER},
    {CORE_TAG "null", YAML_SCALAR, YAML_TAG_NULL},
    {CORE_TAG "merge", YAML_SCALAR, YAML_TAG_MERGE},
    {CORE_TAG "seq", YAML_LIST, YAML_TAG_NONE},
    {CORE_TAG "map", YAML_MAP, YAML_TAG_NONE},
};

bool
yaml_tag_known(struct text tag, enum yaml_dialect dialect, struct yaml_node *node)
{
	for (size_t i = 0; i < sizeof known_tags / sizeof known_tags[0]; i++) {
		const struct known_tag *known = &known_tags[i];

		if (!text_is(tag, known->name) || node->kind != known->kind)
			continue;
		node->tag = known->tag;
		return true;
	}
	if (dialect == YAML_COMPOSE && text_is(tag, "!reset"))
		node->compose_tag = YAML_COMPOSE_RESET;
	else if (dialect == YAML_COMPOSE && text_is(tag, "!override"))
		node->compose_tag = YAML_COMPOSE_OVERRIDE;
	return node->compose_tag != YAML_COMPOSE_NONE;
}

/* ---- scalars ---- */

static bool
is_one_of(struct text t, const char *const *words)
{
	for (; *words; words++) {
		if (text_is(t, *words))
			return true;
	}
	return false;
}

/* yaml.v3 resolve.go; the second row of each yaml.v2's besides. */
static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const yes[] = {"true", "True", "TRUE", NULL};
static const char *const yes_1_1[] = {"y",  "Y",  "yes", "Yes", "YES",
                                      "on", "On", "ON",  NULL};
static const char *const no[] = {"false", "False", "FALSE", NULL};
static const char *const no_1_1[] = {"n",   "N",   "no",  "No", "NO",
                                     "off", "Off", "OFF", NULL};

/* A number as JSON writes it. */
static bool
is_json_number(struct text t)
{
	struct err ignored = {0};
	struct json json = json_start(t, NULL, &ignored);

	return t.len > 0 && (t.at[0] == '-' || (t.at[0] >= '0' && t.at[0] <= '9')) &&
	       json_skip(&json) == 0 && json.at == json.end;
}

/* The JSON word that an unquoted scalar is, or NULL for text and numbers. */
static const char *
word_of(const struct yaml_node *node, bool v1_1)
{
	if (is_one_of(node->value, nulls))
		return "null";
	if (is_one_of(node->value, yes) || (v1_1 && is_one_of(node->value, yes_1_1)))
		return "true";
	if (is_one_of(node->value, no) || (v1_1 && is_one_of(node->value, no_1_1)))
		return "false";
	return NULL;
}

int
yaml_scalar_write(const struct yaml_node *node, enum yaml_dialect dialect,
                  struct buf *json, struct yaml_place *ret_place, struct err *err)
{
	bool looks = node->tag == YAML_TAG_NONE && node->plain;
	bool v1_1 = dialect == YAML_KUBERNETES || node->tag == YAML_TAG_BOOL;
	const char *word = word_of(node, v1_1);

	if (node->tag == YAML_TAG_NULL) {
		buf_str(json, "null");
		return 0;
	}
	if (node->tag == YAML_TAG_BOOL && (!word || word[0] == 'n'))
		return yaml_fail(node->place, ret_place, err, ERR_TYPE,
		                 "should be true or false, since its tag says !!bool");
	if (word && (looks || node->tag == YAML_TAG_BOOL))
		buf_str(json, word);
	else if ((looks || node->tag == YAML_TAG_NUMBER) && is_json_number(node->value))
		buf_add_text(json, node->value);
	else
		buf_json(json, node->value, 0);
	return 0;
}
