/* SPDX-License-Identifier: Apache-2.0 */
/* policy_parse.c - the bytes of a policy file -> struct policy, or all that is wrong. */
#include "core/policy_index.h"
#include "core/policy_read.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>

enum { VERSION_KNOWN = 1 };

/* ---- the top level ---- */

/* The value was looked at before anything else: version_is_known(). */
static void
read_version(struct policy_reader *reader, const struct policy_node *node,
             void *ret_value)
{
	(void)reader, (void)node, (void)ret_value;
}

/* For editors: where the JSON Schema of the file is. Nothing is made of it. */
static void
read_schema(struct policy_reader *reader, const struct policy_node *node, void *ret_value)
{
	(void)ret_value;
	(void)policy_string_or_empty(reader, node, POLICY_TEXT_MAX);
}

static void
add_posture(struct policy_reader *reader, const struct policy_node *node, void *context)
{
	policy_add_posture(reader, node, context);
}

static void
read_postures(struct policy_reader *reader, const struct policy_node *node,
              void *ret_value)
{
	static const struct policy_bounds bounds = {"postures", 0, POSTURE_COUNT};
	unsigned *ret_set = ret_value;

	*ret_set = 0;
	policy_read_list(reader, node, &bounds, add_posture, ret_set);
}

/* An entry of "guard" on its way. */
struct guard_entry {
	int guard; /* -1: not known yet */
	enum rule_mode mode;
};

static void
read_guard_name(struct policy_reader *reader, const struct policy_node *node,
                void *ret_value)
{
	int *ret_guard = ret_value;

	*ret_guard = policy_word(reader, node, &policy_guards);
}

static const struct policy_key guard_entry_keys[] = {
    {"name", true, read_guard_name, offsetof(struct guard_entry, guard)},
    {"mode", false, policy_read_mode, offsetof(struct guard_entry, mode)},
};

static const struct policy_keys guard_keys = {
    "a guard", guard_entry_keys, sizeof guard_entry_keys / sizeof guard_entry_keys[0]};

static void
add_guard(struct policy_reader *reader, const struct policy_node *node, void *context)
{
	enum rule_mode *guards = context;
	struct guard_entry entry = {.guard = -1, .mode = RULE_ENFORCE};

	if (node->value->kind == JSON_OBJECT)
		policy_read_object(reader, node, &guard_keys, &entry);
	else
		entry.guard = policy_word(reader, node, &policy_guards);
	if (entry.guard < 0)
		return;
	if (guards[entry.guard] != RULE_OFF)
		policy_complain(reader, node, "guard \"%s\" stands twice; drop one",
		                guard_name((enum guard)entry.guard));
	guards[entry.guard] = entry.mode;
}

static void
read_guards(struct policy_reader *reader, const struct policy_node *node, void *ret_value)
{
	static const struct policy_bounds bounds = {"guards", 0, GUARD_COUNT};
	enum rule_mode *guards = ret_value;

	for (int i = 0; i < GUARD_COUNT; i++)
		guards[i] = RULE_OFF;
	policy_read_list(reader, node, &bounds, add_guard, guards);
}

static void
add_runtime(struct policy_reader *reader, const struct policy_node *node, void *context)
{
	struct text t = policy_string(reader, node, POLICY_TEXT_MAX);

	if (t.at)
		policy_append(reader, node, t, context);
}

static void
read_runtimes(struct policy_reader *reader, const struct policy_node *node,
              void *ret_value)
{
	static const struct policy_bounds bounds = {"runtimes", 1, POLICY_LIST_MAX};
	struct text_list *ret_list = ret_value;

	*ret_list = (struct text_list){0};
	policy_read_list(reader, node, &bounds, add_runtime, ret_list);
}

static const char *
engine_default_word(int confined)
{
	return confined ? "confined" : "unconfined";
}

static void
read_engine_default(struct policy_reader *reader, const struct policy_node *node,
                    void *ret_value)
{
	static const struct policy_words words = {"engine default", engine_default_word,
	                                          2};
	bool *ret_confined = ret_value;
	int word = policy_word(reader, node, &words);

	*ret_confined = word == 1;
}

#define FIELD(field) offsetof(struct policy, field)

static const struct policy_key policy_key_table[] = {
    {"$schema", false, read_schema, 0},
    {"version", true, read_version, 0},
    {"mode", false, policy_read_mode, FIELD(mode)},
    {"allow", false, read_postures, FIELD(allow)},
    {"observe", false, read_postures, FIELD(observe)},
    {"guard", false, read_guards, FIELD(guards)},
    {"runtimes", false, read_runtimes, FIELD(runtimes)},
    {"engine_default", false, read_engine_default, FIELD(engine_default_confined)},
    {"exceptions", false, policy_read_exceptions, 0}, /* the whole policy */
};

static const struct policy_keys policy_keys = {
    "a policy", policy_key_table, sizeof policy_key_table / sizeof policy_key_table[0]};

/* ---- the whole ---- */

/* What a file does not say is as in the built-in policy (policy_builtin.c). */
static void
set_defaults(struct policy_reader *reader)
{
	static const char *const runtimes[] = {"runc", "crun", "youki",
	                                       "io.containerd.runc.v2", "nvidia"};
	const size_t count = sizeof runtimes / sizeof runtimes[0];
	struct policy *policy = reader->policy;

	policy->mode = RULE_ENFORCE;
	policy->allow = POSTURE_BIT(POSTURE_DEFAULT) | POSTURE_BIT(POSTURE_CUSTOM) |
	                POSTURE_BIT(POSTURE_LOCALHOST);
	policy->guards[GUARD_SELF] = RULE_ENFORCE;
	policy->guards[GUARD_PLUGINS] = RULE_ENFORCE;
	policy->guards[GUARD_LEGACY_START] = RULE_ENFORCE;
	policy->guards[GUARD_RUNTIMES] = RULE_ENFORCE;
	policy->guards[GUARD_CHECKPOINT] = RULE_ENFORCE;
	policy->engine_default_confined = true;
	policy->runtimes.at =
	    arena_array(&policy->arena, count, sizeof *policy->runtimes.at);
	if (!policy->runtimes.at) {
		policy_no_memory(reader);
		return;
	}
	for (size_t i = 0; i < count; i++)
		policy->runtimes.at[policy->runtimes.count++] = text_of(runtimes[i]);
}

/* 1 in any of the ways in which JSON writes it, 1.0 and 10e-1 too: for JSON Schema they
   are the same number. */
static bool
is_one(struct text number)
{
	size_t end = 0, digits = 0, zeros = 0;
	long point = -1, exponent;

	for (; end < number.len && !memchr("eE", number.at[end], 2); end++) {
		if (number.at[end] == '.') {
			point = (long)digits;
		} else if (digits == 0 && number.at[end] == '0') {
			zeros += point >= 0; /* between the point and the 1 */
		} else if (number.at[end] != (digits++ == 0 ? '1' : '0')) {
			return false;
		}
	}
	if (digits == 0 || number.len - end > 8) /* no exponent so long leads to 1 */
		return false;
	exponent = end < number.len ? strtol(number.at + end + 1, NULL, 10) : 0;
	if (point < 0)
		point = (long)digits;
	return point - (long)zeros + exponent == 1;
}

/* Another version may mean anything by the rest, so nothing else is said of it then. */
static bool
version_is_known(struct policy_reader *reader, const struct policy_node *root)
{
	struct policy_node node = {.value = policy_tree_member(root->value, "version"),
	                           .parent = root,
	                           .key = TEXT_LIT("version")};

	if (!node.value) /* not an object, or without: policy_read_object() says so */
		return true;
	if (node.value->kind == JSON_NUMBER && is_one(node.value->text))
		return true;
	policy_complain(reader, &node,
	                "unknown version; this program reads version %d, write %d",
	                VERSION_KNOWN, VERSION_KNOWN);
	return false;
}

static void
check_overlap(struct policy_reader *reader, const struct policy_node *root)
{
	const struct policy_node node = {
	    .value = policy_tree_member(root->value, "observe"),
	    .parent = root,
	    .key = TEXT_LIT("observe"),
	};
	unsigned both = reader->policy->allow & reader->policy->observe;

	for (int i = 0; i < POSTURE_COUNT; i++) {
		if (both & POSTURE_BIT(i))
			policy_complain(reader, &node,
			                "\"%s\" is allowed already (by \"allow\", or by "
			                "its default); name it in one of the two",
			                posture_name((enum posture)i));
	}
}

static void
read_policy(struct policy_reader *reader, const struct policy_value *value)
{
	const struct policy_node root = {.value = value};

	set_defaults(reader);
	if (!version_is_known(reader, &root))
		return;
	policy_read_object(reader, &root, &policy_keys, reader->policy);
	check_overlap(reader, &root);
	if (reader->problems->count == 0 && policy_index_build(reader->policy) != 0)
		policy_no_memory(reader);
}

/* "sha256:<hex>" of the bytes as they stand. */
static void
set_digest(struct policy *policy, struct text bytes)
{
	struct sha256_ctx context;
	uint8_t sum[SHA256_DIGEST_SIZE];
	size_t len;

	sha256_init(&context);
	sha256_update(&context, bytes.len, (const uint8_t *)bytes.at);
	sha256_digest(&context, sizeof sum, sum);
	len = (size_t)snprintf(policy->digest, sizeof policy->digest, "sha256:");
	for (size_t i = 0; i < sizeof sum; i++)
		len += (size_t)snprintf(policy->digest + len, sizeof policy->digest - len,
		                        "%02x", sum[i]);
}

static bool
is_blank(struct text bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (!memchr(" \t\r\n", bytes.at[i], 4))
			return false;
	}
	return true;
}

/* The tree of the file; NULL after a complaint. */
static const struct policy_value *
load(struct policy_reader *reader, struct arena *arena)
{
	static const struct policy_node whole = {0};
	struct text bytes = reader->bytes;
	const struct policy_value *root;
	const char *at = bytes.at;
	struct err err = {0};

	if (is_blank(bytes)) {
		policy_complain(reader, &whole,
		                "is empty; the shortest policy is {\"version\": 1}");
		return NULL;
	}
	if (bytes.len > POLICY_FILE_MAX) {
		policy_complain(reader, &whole, "%zu bytes; at most %d can be read",
		                bytes.len, POLICY_FILE_MAX);
		return NULL;
	}
	if (text_has_prefix(bytes, "\xef\xbb\xbf")) {
		policy_complain(
		    reader, &whole,
		    "starts with a byte order mark; save it as UTF-8 without");
		return NULL;
	}
	root = policy_tree_read(bytes, arena, &at, &err);
	if (root)
		return root;
	if (err.code == ERR_MEMORY)
		policy_no_memory(reader);
	else
		policy_complain_syntax(reader, &err, at);
	return NULL;
}

struct policy *
policy_parse(struct text bytes, struct policy_problems *ret_problems)
{
	cleanup_arena struct arena tree = {.limit = POLICY_TREE_MAX};
	struct policy_reader reader = {.problems = ret_problems, .bytes = bytes};
	const struct policy_value *root;

	ret_problems->count = 0;
	root = load(&reader, &tree);
	if (!root)
		return NULL;
	reader.policy = calloc(1, sizeof *reader.policy);
	if (reader.policy) {
		reader.policy->arena.limit = POLICY_ARENA_MAX;
		set_digest(reader.policy, bytes);
		read_policy(&reader, root);
	} else {
		policy_no_memory(&reader);
	}
	if (ret_problems->count == 0)
		return reader.policy;
	policy_free(reader.policy);
	return NULL;
}

void
policy_free(struct policy *policy)
{
	if (!policy)
		return;
	arena_free(&policy->arena);
	free(policy);
}
