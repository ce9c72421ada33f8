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

/* Line and column go along from one byte to a later one. */
static void
move(const char *from, const char *to, int *line, int *column)
{
	for (; from < to; from++) {
		if (*from == '\n') {
			++*line;
			*column = 1;
		} else {
			*column += ((unsigned char)from[0] & 0xc0) != 0x80;
		}
	}
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
		places->line = places->column = 1;
		move(places->bytes.at, places->exception->at, &places->line,
		     &places->column);
	}
	for (; places->index < index && places->exception->next; places->index++) {
		const struct policy_value *next = places->exception->next;

		move(places->exception->at, next->at, &places->line, &places->column);
		places->exception = next;
	}
	return places->index == index;
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
	*ret_line = places->line;
	*ret_column = places->column;
	move(places->exception->at, value->at, ret_line, ret_column);
}

void
policy_places_free(struct policy_places *places)
{
	arena_free(&places->arena);
	places->root = places->exception = NULL;
}
