/* SPDX-License-Identifier: Apache-2.0 */
/* policy_tree.c - the bytes of a policy file -> its values, or where it is no JSON. */
#include "core/policy_tree.h"

#include "core/json_lex.h"

#include <stdlib.h>

enum { FEW = 16 }; /* members that are compared each with each */

/* An object or list on its way. */
struct parent {
	struct policy_value *value;
	struct policy_value **end; /* where the next child is hung */
};

static struct policy_value *read_value(struct json *json);

/* ---- children ---- */

static int
add_child(struct json *json, struct parent *parent, struct text key)
{
	struct policy_value *child = read_value(json);

	if (!child)
		return -1;
	child->key = key;
	*parent->end = child;
	parent->end = &child->next;
	parent->value->count++;
	return 0;
}

static int
add_element(struct json *json, size_t index, void *context)
{
	(void)index;
	return add_child(json, context, (struct text){0});
}

static int
add_member(struct json *json, struct text key, void *context)
{
	if (memchr(key.at, '\0', key.len))
		return json_fail(json, ERR_TYPE, "a key holds \\u0000; write it without");
	return add_child(json, context, key);
}

/* ---- keys that stand twice ---- */

static int
compare_keys(const void *left, const void *right)
{
	const struct policy_value *a = *(const struct policy_value *const *)left,
				  *b = *(const struct policy_value *const *)right;
	size_t common = a->key.len < b->key.len ? a->key.len : b->key.len;
	int order = common > 0 ? memcmp(a->key.at, b->key.at, common) : 0;

	if (order != 0)
		return order;
	if (a->key.len != b->key.len)
		return a->key.len < b->key.len ? -1 : 1;
	return (a->at > b->at) - (a->at < b->at);
}

static int
fail_twice(struct json *json, const struct policy_value *second)
{
	json->at = second->at;
	return json_fail(json, ERR_AMBIGUOUS,
	                 "the key before this stands twice; drop one");
}

static int
check_few(struct json *json, const struct policy_value *object)
{
	for (const struct policy_value *a = object->first; a; a = a->next) {
		for (const struct policy_value *b = a->next; b; b = b->next) {
			if (text_equal(a->key, b->key))
				return fail_twice(json, b);
		}
	}
	return 0;
}

static int
check_many(struct json *json, const struct policy_value *object)
{
	const struct policy_value **sorted =
	    arena_array(json->arena, object->count, sizeof(const struct policy_value *));
	size_t count = 0;

	if (!sorted)
		return json_fail(json, ERR_MEMORY, "out of memory");
	for (const struct policy_value *member = object->first; member;
	     member = member->next)
		sorted[count++] = member;
	qsort(sorted, count, sizeof(const struct policy_value *), compare_keys);
	for (size_t i = 1; i < count; i++) {
		if (text_equal(sorted[i - 1]->key, sorted[i]->key))
			return fail_twice(json, sorted[i]);
	}
	return 0;
}

/* ---- values ---- */

static int
read_children(struct json *json, struct policy_value *value)
{
	struct parent parent = {.value = value, .end = &value->first};

	if (json->depth >= POLICY_TREE_DEPTH_MAX)
		return json_fail(json, ERR_LIMIT, "nested deeper than any policy");
	if (value->kind == JSON_LIST)
		return json_read_list(json, add_element, &parent);
	if (json_read_members(json, add_member, &parent) != 0)
		return -1;
	return value->count <= FEW ? check_few(json, value) : check_many(json, value);
}

static int
read_text(struct json *json, struct policy_value *value)
{
	const char *from = json->at;

	if (json_read_string(json, &value->text) != 0)
		return -1;
	if (value->text.len == 0 || !memchr(value->text.at, '\0', value->text.len))
		return 0;
	json->at = from;
	return json_fail(json, ERR_TYPE, "a string holds \\u0000; write it without");
}

static int
read_number(struct json *json, struct policy_value *value)
{
	if (json_skip_number(json) != 0)
		return -1;
	value->text =
	    (struct text){.at = value->at, .len = (size_t)(json->at - value->at)};
	return 0;
}

static int
read_content(struct json *json, struct policy_value *value)
{
	switch (value->kind) {
	case JSON_OBJECT:
	case JSON_LIST:
		return read_children(json, value);
	case JSON_STRING:
		return read_text(json, value);
	case JSON_NUMBER:
		return read_number(json, value);
	case JSON_TRUE:
		return json_skip_word(json, "true");
	case JSON_FALSE:
		return json_skip_word(json, "false");
	case JSON_NULL:
		return json_skip_word(json, "null");
	case JSON_BAD:
	default:
		return json_fail_syntax(json, "a value");
	}
}

/* At the next value. NULL after json_fail(). */
static struct policy_value *
read_value(struct json *json)
{
	enum json_kind kind = json_peek(json);
	struct policy_value *value = arena_alloc(json->arena, sizeof *value);

	if (!value) {
		(void)json_fail(json, ERR_MEMORY, "out of memory");
		return NULL;
	}
	*value = (struct policy_value){.kind = kind, .at = json->at};
	return read_content(json, value) == 0 ? value : NULL;
}

const struct policy_value *
policy_tree_read(struct text bytes, struct arena *arena, const char **ret_at,
                 struct err *err)
{
	struct json json = json_start(bytes, arena, err);
	const struct policy_value *root = read_value(&json);

	if (root) {
		json_skip_space(&json);
		if (json.at == json.end)
			return root;
		(void)json_fail(&json, ERR_SYNTAX,
		                "more follows the policy; a file holds one");
	}
	*ret_at = json.at;
	return NULL;
}

const struct policy_value *
policy_tree_member(const struct policy_value *object, const char *key)
{
	const struct policy_value *member =
	    object->kind == JSON_OBJECT ? object->first : NULL;

	while (member && !text_is(member->key, key))
		member = member->next;
	return member;
}

void
policy_tree_place(struct text bytes, const char *at, int *ret_line, int *ret_column)
{
	*ret_line = *ret_column = 1;
	for (const char *p = bytes.at; p < at; p++) {
		if (*p == '\n') {
			++*ret_line;
			*ret_column = 1;
		} else if (((unsigned char)*p & 0xc0) != 0x80) {
			++*ret_column;
		}
	}
}
