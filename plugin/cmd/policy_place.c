/* SPDX-License-Identifier: Apache-2.0 */
/* policy_place.c - a JSON Pointer of ours -> line and column of a policy file. */
#include "cmd_policy_place.h"

#include "core/policy_read.h"

#include <stdlib.h>

static const char exceptions_key[] = "/exceptions/";

/* The value that `pointer` names below `value`, or as near as it gets. Our own pointers
   need no escapes. */
static const struct policy_value *
descend(const struct policy_value *value, const char *pointer)
{
	while (*pointer == '/') {
		size_t len = strcspn(++pointer, "/");
		const struct policy_value *child = value->first;
		unsigned long index = strtoul(pointer, NULL, 10);

		while (child &&
		       (value->kind == JSON_LIST
		            ? index-- > 0
		            : !text_equal(child->key, (struct text){pointer, len})))
			child = child->next;
		if (!child)
			return value;
		value = child;
		pointer += len;
	}
	return value;
}

static int
lines_between(const char *from, const char *to)
{
	int lines = 0;

	while (from < to && (from = memchr(from, '\n', (size_t)(to - from)))) {
		from++;
		lines++;
	}
	return lines;
}

/* Moves to exception `index`, on from where it is if that is before. */
static bool
go_to(struct policy_places *places, size_t index)
{
	const struct policy_value *list = policy_tree_member(places->root, "exceptions");

	if (!places->exception || index < places->index) {
		if (!list || !list->first)
			return false;
		places->exception = list->first;
		places->index = 0;
		places->line = 1 + lines_between(places->bytes.at, places->exception->at);
	}
	for (; places->index < index && places->exception->next; places->index++) {
		const struct policy_value *next = places->exception->next;

		places->line += lines_between(places->exception->at, next->at);
		places->exception = next;
	}
	return places->index == index;
}

static int
column_of(struct text bytes, const char *at)
{
	int column = 1;

	for (; at > bytes.at && at[-1] != '\n'; at--)
		column += ((unsigned char)at[-1] & 0xc0) != 0x80;
	return column;
}

void
policy_place(struct policy_places *places, const char *pointer, int *ret_line,
             int *ret_column)
{
	const struct policy_value *value;
	const char *at;
	char *rest;
	size_t index;

	*ret_line = *ret_column = 0;
	if (!places->root) {
		places->arena.limit = POLICY_TREE_MAX;
		places->root = policy_tree_read(places->bytes, &places->arena, &at, NULL);
	}
	if (!places->root)
		return;
	if (strncmp(pointer, exceptions_key, strlen(exceptions_key)) != 0) {
		value = descend(places->root, pointer);
		policy_tree_place(places->bytes, value->at, ret_line, ret_column);
		return;
	}
	index = strtoul(pointer + strlen(exceptions_key), &rest, 10);
	if (!go_to(places, index))
		return;
	value = descend(places->exception, rest);
	*ret_line = places->line + lines_between(places->exception->at, value->at);
	*ret_column = column_of(places->bytes, value->at);
}

void
policy_places_free(struct policy_places *places)
{
	arena_free(&places->arena);
	places->root = places->exception = NULL;
}
