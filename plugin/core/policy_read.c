/* SPDX-License-Identifier: Apache-2.0 */
/* policy_read.c - reads one value of a policy file: objects, lists, strings, words. */
#include "core/policy_read.h"

#include <stdio.h>

static const char *
kind_of(const struct policy_node *node)
{
	static const char *const kinds[] = {
	    [JSON_OBJECT] = "an object", [JSON_LIST] = "a list",
	    [JSON_STRING] = "a string",  [JSON_NUMBER] = "a number",
	    [JSON_TRUE] = "true",        [JSON_FALSE] = "false",
	    [JSON_NULL] = "null",
	};

	return kinds[node->value->kind];
}

/* ---- objects ---- */

static void
unknown_key(struct policy_reader *reader, const struct policy_node *node,
            const struct policy_keys *keys)
{
	struct policy_guess guess = {.word = node->key};
	struct policy_quote quote;

	if (reader->problems->count < POLICY_PROBLEMS_MAX) { /* else nobody reads it */
		for (size_t i = 0; i < keys->count; i++)
			policy_guess(&guess, keys->at[i].name);
	}
	if (guess.best)
		policy_complain(reader, node, "unknown key %s; did you mean \"%s\"?",
		                policy_quote(&quote, node->key), guess.best);
	else
		policy_complain(reader, node, "unknown key %s; %s has no such key",
		                policy_quote(&quote, node->key), keys->what);
}

static void
read_member(struct policy_reader *reader, const struct policy_node *node,
            const struct policy_keys *keys, void *ret_struct)
{
	for (size_t i = 0; i < keys->count; i++) {
		if (text_is(node->key, keys->at[i].name)) {
			keys->at[i].read(reader, node,
			                 (char *)ret_struct + keys->at[i].offset);
			return;
		}
	}
	unknown_key(reader, node, keys);
}

void
policy_read_object(struct policy_reader *reader, const struct policy_node *node,
                   const struct policy_keys *keys, void *ret_struct)
{
	struct policy_node member = {.parent = node};

	if (node->value->kind != JSON_OBJECT) {
		policy_complain(reader, node, "%s must be an object, not %s", keys->what,
		                kind_of(node));
		return;
	}
	for (member.value = node->value->first; member.value;
	     member.value = member.value->next) {
		member.key = member.value->key;
		read_member(reader, &member, keys, ret_struct);
	}
	for (size_t i = 0; i < keys->count; i++) {
		if (keys->at[i].required &&
		    !policy_tree_member(node->value, keys->at[i].name))
			policy_complain(reader, node, "\"%s\" is missing; %s needs it",
			                keys->at[i].name, keys->what);
	}
}

/* ---- lists ---- */

void
policy_read_list(struct policy_reader *reader, const struct policy_node *node,
                 const struct policy_bounds *bounds,
                 void (*each)(struct policy_reader *reader,
                              const struct policy_node *node, void *context),
                 void *context)
{
	struct policy_node element = {.parent = node};
	size_t count = node->value->count;

	if (node->value->kind != JSON_LIST) {
		policy_complain(reader, node, "must be a list of %s, not %s; write [...]",
		                bounds->what, kind_of(node));
		return;
	}
	if (count < bounds->least) {
		policy_complain(reader, node, "an empty list; name %s, or drop the key",
		                bounds->what);
		return;
	}
	if (count > bounds->most) {
		policy_complain(reader, node, "a list of %zu %s; at most %zu can be read",
		                count, bounds->what, bounds->most);
		return;
	}
	for (element.value = node->value->first; element.value;
	     element.value = element.value->next) {
		each(reader, &element, context);
		element.index++;
	}
}

void
policy_append(struct policy_reader *reader, const struct policy_node *node, struct text t,
              struct text_list *list)
{
	size_t room = node->parent->value->count;

	if (!list->at)
		list->at = arena_array(&reader->policy->arena, room, sizeof *list->at);
	if (!list->at) {
		policy_no_memory(reader);
		return;
	}
	list->at[list->count++] = policy_keep(reader, t);
}

/* ---- strings ---- */

/* C0, DEL, and C1 as UTF-8. They have no business in names, and could garble a log. */
static bool
has_control(struct text t)
{
	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.at[i];

		if (c < 0x20 || c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < t.len && (unsigned char)t.at[i + 1] < 0xa0)
			return true;
	}
	return false;
}

struct text
policy_string_or_empty(struct policy_reader *reader, const struct policy_node *node,
                       size_t most)
{
	struct text t = node->value->text;

	if (node->value->kind != JSON_STRING) {
		policy_complain(reader, node, "must be a string, not %s", kind_of(node));
		return (struct text){0};
	}
	if (t.len > most) {
		policy_complain(reader, node, "%zu bytes long; at most %zu can be read",
		                t.len, most);
		return (struct text){0};
	}
	if (has_control(t)) {
		policy_complain(reader, node,
		                "has a control character; write it without");
		return (struct text){0};
	}
	return t;
}

struct text
policy_string(struct policy_reader *reader, const struct policy_node *node, size_t most)
{
	struct text t = policy_string_or_empty(reader, node, most);

	if (!t.at || t.len > 0)
		return t;
	policy_complain(reader, node, "must not be empty");
	return (struct text){0};
}

struct text
policy_keep(struct policy_reader *reader, struct text t)
{
	struct text copy = arena_text(&reader->policy->arena, t);

	if (!copy.at)
		policy_no_memory(reader);
	return copy;
}

/* ---- words ---- */

static const char *
posture_word(int index)
{
	return index == POSTURE_UNREADABLE ? NULL : posture_name((enum posture)index);
}

static const char *
guard_word(int index)
{
	return guard_name((enum guard)index);
}

static const char *
door_word(int index)
{
	return door_name((enum door)index);
}

static const char *
mode_word(int index)
{
	static const char *const words[] = {
	    [RULE_OFF] = NULL, [RULE_OBSERVE] = "observe", [RULE_ENFORCE] = "enforce"};

	return words[index];
}

const struct policy_words policy_postures = {"posture", posture_word, POSTURE_COUNT};
const struct policy_words policy_guards = {"guard", guard_word, GUARD_COUNT};
const struct policy_words policy_doors = {"door", door_word, DOOR_COUNT};
static const struct policy_words modes = {"mode", mode_word, RULE_ENFORCE + 1};

/* "a, b, c" */
static void
list_words(const struct policy_words *words, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (int i = 0; i < words->count && len < size; i++) {
		const char *word = words->name(i);

		if (word)
			len += (size_t)snprintf(out + len, size - len, "%s%s",
			                        len > 0 ? ", " : "", word);
	}
}

static void
unknown_word(struct policy_reader *reader, const struct policy_node *node,
             const struct policy_words *words, struct text word)
{
	struct policy_guess guess = {.word = word};
	struct policy_quote quote;
	char known[160];

	for (int i = 0; i < words->count; i++) {
		if (words->name(i) && reader->problems->count < POLICY_PROBLEMS_MAX)
			policy_guess(&guess, words->name(i));
	}
	if (guess.best) {
		policy_complain(reader, node, "unknown %s %s; did you mean \"%s\"?",
		                words->what, policy_quote(&quote, word), guess.best);
		return;
	}
	list_words(words, known, sizeof known);
	policy_complain(reader, node, "unknown %s %s; there are %s", words->what,
	                policy_quote(&quote, word), known);
}

int
policy_find_word(struct policy_reader *reader, const struct policy_node *node,
                 const struct policy_words *words, struct text word)
{
	for (int i = 0; i < words->count; i++) {
		if (words->name(i) && text_is(word, words->name(i)))
			return i;
	}
	unknown_word(reader, node, words, word);
	return -1;
}

int
policy_word(struct policy_reader *reader, const struct policy_node *node,
            const struct policy_words *words)
{
	if (node->value->kind == JSON_STRING)
		return policy_find_word(reader, node, words, node->value->text);
	policy_complain(reader, node, "must be the name of a %s, not %s", words->what,
	                kind_of(node));
	return -1;
}

void
policy_add_bit(struct policy_reader *reader, const struct policy_node *node, int index,
               unsigned *set)
{
	if (*set & 1U << index)
		policy_complain(reader, node, "stands twice in this list; drop one");
	*set |= 1U << index;
}

void
policy_add_posture(struct policy_reader *reader, const struct policy_node *node,
                   unsigned *set)
{
	int posture;

	if (node->value->kind == JSON_STRING &&
	    text_is(node->value->text, posture_name(POSTURE_UNREADABLE))) {
		policy_complain(
		    reader, node,
		    "what is unreadable can't be let through by its name; only "
		    "\"mode\": \"observe\" of the whole policy does");
		return;
	}
	posture = policy_word(reader, node, &policy_postures);
	if (posture >= 0)
		policy_add_bit(reader, node, posture, set);
}

void
policy_read_mode(struct policy_reader *reader, const struct policy_node *node,
                 void *ret_value)
{
	enum rule_mode *ret_mode = ret_value;
	int mode = policy_word(reader, node, &modes);

	if (mode >= 0)
		*ret_mode = (enum rule_mode)mode;
}
