/* SPDX-License-Identifier: Apache-2.0 */
/* policy_criteria.c - reads the "match" of an exception. */
#include "core/policy_read.h"

#include "core/glob.h"

enum { PROFILE_HEX = 64 }; /* SHA-256 */

static const struct policy_bounds pattern_list = {"patterns", 1, POLICY_LIST_MAX};

/* ---- kinds of patterns ---- */

static bool
is_glob(struct policy_reader *reader, const struct policy_node *node, struct text t)
{
	if (glob_is_valid(t))
		return true;
	policy_complain(
	    reader, node,
	    "no valid pattern: a '[' without its ']', or a '\\' at the end; put "
	    "a '\\' in front of a character that stands for itself");
	return false;
}

static void
add_glob(struct policy_reader *reader, const struct policy_node *node, void *context)
{
	struct text t = policy_string(reader, node, POLICY_TEXT_MAX);

	if (t.at && is_glob(reader, node, t))
		policy_append(reader, node, t, context);
}

static void
add_image(struct policy_reader *reader, const struct policy_node *node, void *context)
{
	struct text t = policy_string(reader, node, IMAGE_REF_MAX);

	if (!t.at || !is_glob(reader, node, t))
		return;
	if (image_pattern_is_valid(t))
		policy_append(reader, node, t, context);
	else
		policy_complain(
		    reader, node,
		    "no image has such a name; write registry/path, "
		    "registry/path:tag, registry/path@sha256:... (lower case, "
		    "'*' within a part), or a whole image ID");
}

static void
add_profile(struct policy_reader *reader, const struct policy_node *node, void *context)
{
	struct text t = policy_string(reader, node, POLICY_TEXT_MAX);
	bool good;

	if (!t.at)
		return;
	if (text_has_prefix(t, "localhost/") && t.len > strlen("localhost/")) {
		if (is_glob(reader, node, t))
			policy_append(reader, node, t, context);
		return;
	}
	good = text_has_prefix(t, "sha256:") && t.len == strlen("sha256:") + PROFILE_HEX;
	for (size_t i = strlen("sha256:"); good && i < t.len; i++)
		good = memchr("0123456789abcdef", t.at[i], 16) != NULL;
	if (good)
		policy_append(reader, node, t, context);
	else
		policy_complain(
		    reader, node,
		    "names no profile; write \"sha256:\" and 64 lower-case hex "
		    "digits, or \"localhost/\" and a name");
}

/* ---- criteria ---- */

static void
read_globs(struct policy_reader *reader, const struct policy_node *node, void *ret_value)
{
	policy_read_list(reader, node, &pattern_list, add_glob, ret_value);
}

static void
read_images(struct policy_reader *reader, const struct policy_node *node, void *ret_value)
{
	policy_read_list(reader, node, &pattern_list, add_image, ret_value);
}

static void
read_profiles(struct policy_reader *reader, const struct policy_node *node,
              void *ret_value)
{
	policy_read_list(reader, node, &pattern_list, add_profile, ret_value);
}

static void
add_door(struct policy_reader *reader, const struct policy_node *node, void *context)
{
	int door = policy_word(reader, node, &policy_doors);

	if (door >= 0)
		policy_add_bit(reader, node, door, context);
}

static void
read_doors(struct policy_reader *reader, const struct policy_node *node, void *ret_value)
{
	static const struct policy_bounds doors = {"doors", 1, DOOR_COUNT};

	policy_read_list(reader, node, &doors, add_door, ret_value);
}

/* The key as it must stand in a label: not empty, bounded, no control characters. */
static struct text
label_key(struct policy_reader *reader, const struct policy_node *node)
{
	struct policy_value key = *node->value;
	struct policy_node place = {
	    .value = &key, .parent = node->parent, .key = node->key};
	struct text t;

	key.kind = JSON_STRING;
	key.text = node->key;
	t = policy_string(reader, &place, POLICY_TEXT_MAX);
	return t.at ? policy_keep(reader, t) : t;
}

static void
add_label(struct policy_reader *reader, const struct policy_node *node,
          struct text_map *labels)
{
	struct text key = label_key(reader, node);
	struct text value = policy_string_or_empty(reader, node, POLICY_TEXT_MAX);

	if (!key.at || !value.at || !is_glob(reader, node, value))
		return;
	labels->at[labels->count++] = (struct text_pair){
	    .key = key,
	    .value = policy_keep(reader, value),
	};
}

static void
read_labels(struct policy_reader *reader, const struct policy_node *node, void *ret_value)
{
	struct text_map *labels = ret_value;
	struct policy_node member = {.parent = node};
	size_t count = node->value->count;

	if (node->value->kind != JSON_OBJECT || count == 0 || count > POLICY_LIST_MAX) {
		policy_complain(reader, node,
		                "must be an object of 1 to %d labels; write {\"key\": "
		                "\"pattern\"}",
		                POLICY_LIST_MAX);
		return;
	}
	labels->at = arena_array(&reader->policy->arena, count, sizeof *labels->at);
	if (!labels->at) {
		policy_no_memory(reader);
		return;
	}
	for (member.value = node->value->first; member.value;
	     member.value = member.value->next) {
		member.key = member.value->key;
		add_label(reader, &member, labels);
	}
}

#define CRITERION(field) offsetof(struct criteria, field)

static const struct policy_key keys[] = {
    {"door", false, read_doors, CRITERION(doors)},
    {"image", false, read_images, CRITERION(image)},
    {"user", false, read_globs, CRITERION(user)},
    {"name", false, read_globs, CRITERION(name)},
    {"label", false, read_labels, CRITERION(label)},
    {"namespace", false, read_globs, CRITERION(space)},
    {"group", false, read_globs, CRITERION(group)},
    {"runtime", false, read_globs, CRITERION(runtime)},
    {"profile", false, read_profiles, CRITERION(profile)},
};

static const struct policy_keys criteria = {"a match", keys,
                                            sizeof keys / sizeof keys[0]};

void
policy_read_criteria(struct policy_reader *reader, const struct policy_node *node,
                     void *ret_value)
{
	policy_read_object(reader, node, &criteria, ret_value);
	if (node->value->kind == JSON_OBJECT && node->value->count == 0)
		policy_complain(reader, node,
		                "an empty match; name at least one criterion, for "
		                "nothing is excepted everywhere");
}
