/* SPDX-License-Identifier: Apache-2.0 */
/* policy_exception.c - reads the "exceptions" of a policy file. */
#include "core/policy_read.h"

#include <stdlib.h>

static void
read_id(struct policy_reader *reader, const struct policy_node *node, void *ret_value)
{
	struct text *ret_id = ret_value, id = policy_string(reader, node, POLICY_ID_MAX);

	if (id.at)
		*ret_id = policy_keep(reader, id);
}

static void
read_reason(struct policy_reader *reader, const struct policy_node *node, void *ret_value)
{
	struct text *ret_reason = ret_value;
	struct text reason = policy_string(reader, node, POLICY_TEXT_MAX);

	if (reason.at)
		*ret_reason = policy_keep(reader, reason);
}

/* "unconfined" or "guard:self". */
static void
add_allowed(struct policy_reader *reader, const struct policy_node *node, void *context)
{
	struct exception *exception = context;
	struct text word = node->value->text;
	bool is_word = node->value->kind == JSON_STRING;
	int index;

	if (is_word && text_has_prefix(word, "guard:")) {
		index = policy_find_word(reader, node, &policy_guards,
		                         text_from(word, strlen("guard:")));
		if (index >= 0)
			policy_add_bit(reader, node, index, &exception->allow_guards);
	} else if (is_word && guard_from_name(word) >= 0) {
		policy_complain(reader, node, "\"%.*s\" is a guard; write \"guard:%.*s\"",
		                TEXT_ARG(word), TEXT_ARG(word));
	} else {
		policy_add_posture(reader, node, &exception->allow);
	}
}

static void
read_allow(struct policy_reader *reader, const struct policy_node *node, void *ret_value)
{
	static const struct policy_bounds bounds = {"postures and guards", 1,
	                                            POSTURE_COUNT + GUARD_COUNT};

	policy_read_list(reader, node, &bounds, add_allowed, ret_value);
}

static void
read_expires(struct policy_reader *reader, const struct policy_node *node,
             void *ret_value)
{
	struct text t = policy_string(reader, node, POLICY_TEXT_MAX);

	if (t.at && !policy_time_read(t, ret_value))
		policy_complain(
		    reader, node,
		    "no date and time of RFC 3339; write \"2027-01-31T00:00:00Z\" "
		    "or with an offset like +02:00");
}

static const struct policy_key keys[] = {
    {"id", true, read_id, offsetof(struct exception, id)},
    {"mode", false, policy_read_mode, offsetof(struct exception, mode)},
    {"allow", true, read_allow, 0}, /* the whole exception: two of its sets */
    {"match", true, policy_read_criteria, offsetof(struct exception, match)},
    {"expires", false, read_expires, offsetof(struct exception, expires)},
    {"reason", true, read_reason, offsetof(struct exception, reason)},
};

static const struct policy_keys exception_keys = {"an exception", keys,
                                                  sizeof keys / sizeof keys[0]};

static void
add_exception(struct policy_reader *reader, const struct policy_node *node, void *context)
{
	struct policy *policy = context;
	struct exception *exception;

	if (!policy->exceptions)
		policy->exceptions =
		    arena_array(&policy->arena, node->parent->value->count,
		                sizeof *policy->exceptions);
	if (!policy->exceptions) {
		policy_no_memory(reader);
		return;
	}
	exception = &policy->exceptions[policy->count++];
	exception->mode = RULE_ENFORCE;
	exception->expires = POLICY_NEVER;
	exception->offset = (size_t)(node->value->at - reader->bytes.at);
	policy_read_object(reader, node, &exception_keys, exception);
	policy->names_users |= exception->match.user.count > 0;
}

/* ---- ids ---- */

/* An exception's id and where it stands. */
struct named {
	struct text id;
	size_t index;
};

static int
compare_names(const void *left, const void *right)
{
	const struct named *a = left, *b = right;
	size_t common = a->id.len < b->id.len ? a->id.len : b->id.len;
	int order = common > 0 ? memcmp(a->id.at, b->id.at, common) : 0;

	if (order != 0)
		return order;
	if (a->id.len != b->id.len)
		return a->id.len < b->id.len ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

/* Says of exception `index` that its id is that of `first`. */
static void
complain_twice(struct policy_reader *reader, const struct policy_node *list,
               const struct named *twice, size_t first)
{
	struct policy_node exception = {
	    .value = list->value->first, .parent = list, .index = twice->index};
	struct policy_node node = {.parent = &exception, .key = TEXT_LIT("id")};
	struct policy_quote quote;

	for (size_t i = 0; i < twice->index; i++)
		exception.value = exception.value->next;
	node.value = policy_tree_member(exception.value, "id");
	policy_complain(reader, &node,
	                "%s is the id of /exceptions/%zu already; ids are unique",
	                policy_quote(&quote, twice->id), first);
}

/* Sorted rather than hashed: whoever writes the ids should not choose the time it takes. */
static void
check_ids(struct policy_reader *reader, const struct policy_node *list)
{
	const struct policy *policy = reader->policy;
	cleanup_arena struct arena scratch = {.limit = POLICY_ARENA_MAX};
	struct named *sorted = arena_array(&scratch, policy->count, sizeof *sorted);
	size_t count = 0, first = 0;

	if (!sorted) {
		policy_no_memory(reader);
		return;
	}
	for (size_t i = 0; i < policy->count; i++) {
		if (policy->exceptions[i].id.at)
			sorted[count++] = (struct named){policy->exceptions[i].id, i};
	}
	qsort(sorted, count, sizeof *sorted, compare_names);
	for (size_t i = 1; i < count; i++) {
		if (!text_equal(sorted[first].id, sorted[i].id))
			first = i;
		else if (reader->problems->count < POLICY_PROBLEMS_MAX)
			complain_twice(reader, list, &sorted[i], sorted[first].index);
		else
			reader->problems->count++;
	}
}

void
policy_read_exceptions(struct policy_reader *reader, const struct policy_node *node,
                       void *ret_value)
{
	static const struct policy_bounds bounds = {"exceptions", 0,
	                                            POLICY_EXCEPTIONS_MAX};

	policy_read_list(reader, node, &bounds, add_exception, ret_value);
	check_ids(reader, node);
}
