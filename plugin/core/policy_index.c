/* SPDX-License-Identifier: Apache-2.0 */
/* policy_index.c - files each exception under the criterion that fewest others share. */
#include "core/policy_index.h"

#include "core/policy_read.h"

#include <stdlib.h>

/* ---- keys of one criterion ---- */

/* Where the keys of a criterion come to lie: its patterns' prefixes or whole texts. */
struct keys {
	uint64_t at[INDEX_PATTERNS_MAX];
	enum index_kind kind[INDEX_PATTERNS_MAX];
	unsigned bit[INDEX_PATTERNS_MAX]; /* of the prefix; WHOLE: the whole text */
	size_t count;                     /* 0: nothing can be filed under it */
	char room[IMAGE_PATTERN_MAX];     /* for the pattern at hand */
};

enum { WHOLE = 64 };

/* Bytes in front of the first glob. */
static size_t
literal_length(struct text pattern)
{
	size_t len = 0;

	while (len < pattern.len && !memchr("*?[\\", pattern.at[len], 4))
		len++;
	return len;
}

/* `key` is that of what stands in front. False: the pattern begins with a glob. */
static bool
add_key(struct keys *keys, enum index_kind kind, uint64_t key, struct text pattern)
{
	size_t len = literal_length(pattern), i = keys->count++;

	keys->kind[i] = kind;
	keys->bit[i] = WHOLE;
	if (len < pattern.len)
		len = index_prefix_length(len, &keys->bit[i]);
	key = index_key_add(key, text_first(pattern, len));
	keys->at[i] = keys->bit[i] == WHOLE ? index_key_whole(key) : key;
	return len > 0 || kind == INDEX_LABEL; /* a label has its key */
}

static bool
add_image(struct keys *keys, struct text pattern)
{
	struct image_pattern image;

	image_pattern_read(pattern, keys->room, &image);
	if (image.kind == IMAGE_REF_ID)
		return add_key(keys, INDEX_IMAGE_ID, index_key_start(INDEX_IMAGE_ID),
		               image.text);
	if (image.kind != IMAGE_REF_NAME)
		return false;
	if (image.digest.at && literal_length(image.digest) == image.digest.len)
		return add_key(keys, INDEX_IMAGE_DIGEST,
		               index_key_start(INDEX_IMAGE_DIGEST), image.digest);
	return add_key(keys, INDEX_IMAGE, index_key_start(INDEX_IMAGE), image.text);
}

static bool
add_pattern(struct keys *keys, enum index_kind kind, struct text pattern)
{
	if (kind == INDEX_IMAGE)
		return add_image(keys, pattern);
	if (kind == INDEX_PROFILE && text_has_prefix(pattern, "localhost/"))
		kind = INDEX_LOCAL_PROFILE;
	return add_key(keys, kind, index_key_start(kind), pattern);
}

static void
read_list(struct keys *keys, enum index_kind kind, struct text_list patterns)
{
	bool good = patterns.count <= INDEX_PATTERNS_MAX;

	keys->count = 0;
	for (size_t i = 0; good && i < patterns.count; i++)
		good = add_pattern(keys, kind, patterns.at[i]);
	if (!good)
		keys->count = 0;
}

static void
read_label(struct keys *keys, const struct text_pair *label)
{
	uint64_t key = index_key_add(index_key_start(INDEX_LABEL), label->key);

	keys->count = 0;
	(void)add_key(keys, INDEX_LABEL, index_key_whole(key), label->value);
}

/* The ways in which an exception can be filed are numbered: its lists, then its labels. */
static const struct {
	enum index_kind kind;
	size_t offset;
} lists[] = {
    {INDEX_PROFILE, offsetof(struct criteria, profile)},
    {INDEX_IMAGE, offsetof(struct criteria, image)},
    {INDEX_NAME, offsetof(struct criteria, name)},
    {INDEX_USER, offsetof(struct criteria, user)},
    {INDEX_SPACE, offsetof(struct criteria, space)},
    {INDEX_GROUP, offsetof(struct criteria, group)},
    {INDEX_RUNTIME, offsetof(struct criteria, runtime)},
};

enum { LISTS = sizeof lists / sizeof lists[0] };

/* The keys of way `way`; false: there are no more ways. */
static bool
read_way(const struct criteria *match, size_t way, struct keys *keys)
{
	if (way < LISTS) {
		const void *at = (const char *)match + lists[way].offset;

		read_list(keys, lists[way].kind, *(const struct text_list *)at);
		return true;
	}
	if (way - LISTS >= match->label.count || way - LISTS >= INDEX_PATTERNS_MAX)
		return false;
	read_label(keys, &match->label.at[way - LISTS]);
	return true;
}

/* ---- building ---- */

struct builder {
	struct policy *policy;
	struct policy_index *index;
	struct arena scratch;
	struct index_slot *shared; /* how many patterns have which key */
	size_t shared_size;
	uint32_t *ways; /* way + 1 in which each exception is filed; 0: it is not */
};

/* A power of two that leaves half of the table free. */
static size_t
table_size(size_t keys)
{
	size_t size = 16;

	while (size < keys * 2)
		size *= 2;
	return size;
}

static size_t
count_keys(const struct policy *policy)
{
	size_t total = 0;
	struct keys keys;

	for (size_t i = 0; i < policy->count; i++) {
		for (size_t way = 0; read_way(&policy->exceptions[i].match, way, &keys);
		     way++)
			total += keys.count;
	}
	return total < INDEX_KEYS_MAX ? total : INDEX_KEYS_MAX;
}

/* Notes which keys are shared by how many. */
static int
count_shared(struct builder *builder)
{
	const struct policy *policy = builder->policy;
	size_t left = count_keys(policy);
	struct keys keys;

	builder->shared_size = table_size(left);
	builder->shared =
	    arena_array(&builder->scratch, builder->shared_size, sizeof *builder->shared);
	if (!builder->shared)
		return -1;
	for (size_t i = 0; i < policy->count; i++) {
		for (size_t way = 0; read_way(&policy->exceptions[i].match, way, &keys);
		     way++) {
			for (size_t k = 0; k < keys.count && left > 0; k++, left--) {
				struct index_slot *slot = index_find(
				    builder->shared, builder->shared_size, keys.at[k]);

				slot->key = keys.at[k];
				slot->count++;
			}
		}
	}
	return 0;
}

/* How many share the keys of a way; 0: it can't be filed so. */
static size_t
cost(const struct builder *builder, const struct keys *keys)
{
	size_t sum = 0;

	for (size_t i = 0; i < keys->count; i++) {
		const struct index_slot *slot =
		    index_find(builder->shared, builder->shared_size, keys->at[i]);

		if (slot->count == 0) /* it was one too many to be counted */
			return 0;
		sum += slot->count;
	}
	return sum;
}

/* Chooses a way for each exception; *ret_keys is how many keys that makes. */
static int
choose_ways(struct builder *builder, size_t *ret_keys)
{
	const struct policy *policy = builder->policy;
	struct keys keys;

	builder->ways =
	    arena_array(&builder->scratch, policy->count, sizeof *builder->ways);
	if (!builder->ways)
		return -1;
	*ret_keys = 0;
	for (size_t i = 0; i < policy->count; i++) {
		size_t best = 0, count = 0;

		for (size_t way = 0; read_way(&policy->exceptions[i].match, way, &keys);
		     way++) {
			size_t now = cost(builder, &keys);

			if (now == 0 || (best > 0 && now >= best))
				continue;
			best = now;
			count = keys.count;
			builder->ways[i] = (uint32_t)way + 1;
		}
		*ret_keys += count;
	}
	return 0;
}

/* From the last exception to the first, so that each key's postings ascend. */
static void
file_all(struct builder *builder)
{
	const struct policy *policy = builder->policy;
	struct policy_index *index = builder->index;
	uint32_t used = 0;
	struct keys keys; /* once: it is large, and zeroed where it is declared */

	keys.count = 0;
	for (size_t i = policy->count; i > 0; i--) {
		if (builder->ways[i - 1] == 0)
			continue;
		(void)read_way(&policy->exceptions[i - 1].match, builder->ways[i - 1] - 1,
		               &keys);
		for (size_t k = 0; k < keys.count; k++) {
			struct index_slot *slot =
			    index_find(index->slots, index->size, keys.at[k]);

			index->postings[used] = (struct index_posting){
			    .exception = (uint32_t)(i - 1), .next = slot->first};
			slot->key = keys.at[k];
			slot->first = ++used;
			slot->count++;
			if (keys.bit[k] == WHOLE)
				index->whole[keys.kind[k]] = true;
			else
				index->lengths[keys.kind[k]] |= UINT64_C(1)
				                                << keys.bit[k];
		}
	}
	for (size_t i = 0; i < policy->count; i++) {
		if (builder->ways[i] == 0)
			index->rest[index->rest_count++] = (uint32_t)i;
	}
}

static int
build(struct builder *builder)
{
	struct policy *policy = builder->policy;
	struct policy_index *index = arena_array(&policy->arena, 1, sizeof *index);
	size_t keys = 0;

	if (!index || count_shared(builder) != 0 || choose_ways(builder, &keys) != 0)
		return -1;
	builder->index = index;
	index->size = table_size(keys);
	index->slots = arena_array(&policy->arena, index->size, sizeof *index->slots);
	index->postings = arena_array(&policy->arena, keys, sizeof *index->postings);
	index->rest = arena_array(&policy->arena, policy->count, sizeof *index->rest);
	if (!index->slots || !index->postings || !index->rest)
		return -1;
	file_all(builder);
	policy->index = index;
	return 0;
}

int
policy_index_build(struct policy *policy)
{
	struct builder builder = {.policy = policy,
	                          .scratch = {.limit = POLICY_ARENA_MAX}};
	int failed = build(&builder);

	arena_free(&builder.scratch);
	return failed;
}
