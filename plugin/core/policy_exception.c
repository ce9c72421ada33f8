/* SPDX-License-Identifier: Apache-2.0 */
/* policy_exception.c - reads the "exceptions" of a policy file. */
#include "core/policy_read.h"

static void
read_id(struct policy_reader *reader, const struct policy_node *node, void *ret_value)
{
	struct text *ret_id = ret_value, id = policy_string(reader, node, POLICY_ID_MAX);
	const json_t *taken;
	struct policy_quote quote;

	if (!id.at)
		return;
	taken = json_object_get(reader->ids, id.at);
	if (taken) {
		policy_complain(
		    reader, node,
		    "%s is the id of /exceptions/%lld already; ids are unique",
		    policy_quote(&quote, id.at), (long long)json_integer_value(taken));
		return;
	}
	if (json_object_set_new(reader->ids, id.at,
	                        json_integer((json_int_t)node->parent->index)) < 0)
		policy_no_memory(reader);
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
	const char *word = json_string_value(node->value);
	int index;

	if (word && strncmp(word, "guard:", strlen("guard:")) == 0) {
		index = policy_find_word(reader, node, &policy_guards,
		                         word + strlen("guard:"));
		if (index >= 0)
			policy_add_bit(reader, node, index, &exception->allow_guards);
	} else if (word && guard_from_name(text_of(word)) >= 0) {
		policy_complain(reader, node, "\"%s\" is a guard; write \"guard:%s\"",
		                word, word);
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
		    arena_array(&policy->arena, json_array_size(node->parent->value),
		                sizeof *policy->exceptions);
	if (!policy->exceptions) {
		policy_no_memory(reader);
		return;
	}
	exception = &policy->exceptions[policy->count++];
	exception->mode = RULE_ENFORCE;
	exception->expires = POLICY_NEVER;
	policy_read_object(reader, node, &exception_keys, exception);
}

void
policy_read_exceptions(struct policy_reader *reader, const struct policy_node *node,
                       void *ret_value)
{
	static const struct policy_bounds bounds = {"exceptions", 0,
	                                            POLICY_EXCEPTIONS_MAX};

	policy_read_list(reader, node, &bounds, add_exception, ret_value);
}
