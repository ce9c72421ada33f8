/* SPDX-License-Identifier: Apache-2.0 */
/* policy_candidates.c - looks up which exceptions could concern a container. */
#include "core/policy_index.h"

/* The postings of `key` are candidates, if there are any. */
static void
hit(struct candidates *candidates, uint64_t key)
{
	const struct policy_index *index = candidates->policy->index;
	const struct index_slot *slot = index_find(index->slots, index->size, key);

	if (slot->count == 0)
		return;
	if (candidates->count == CANDIDATES_KEYS_MAX)
		candidates->all = true;
	else
		candidates->heads[candidates->count++] = slot->first;
}

/* Looks up `fact` behind what is in `key` already: each prefix in use, and all of it. */
static void
look_up_behind(struct candidates *candidates, enum index_kind kind, uint64_t key,
               struct text fact)
{
	const struct policy_index *index = candidates->policy->index;
	uint64_t lengths = index->lengths[kind];
	size_t at = 0;

	while (lengths) {
		size_t len = index_bit_length((unsigned)__builtin_ctzll(lengths));

		if (len > fact.len)
			break;
		lengths &= lengths - 1;
		key = index_key_add(key,
		                    (struct text){.at = fact.at + at, .len = len - at});
		at = len;
		hit(candidates, key);
	}
	if (!index->whole[kind])
		return;
	key = index_key_add(key, text_from(fact, at));
	hit(candidates, index_key_whole(key));
}

static void
look_up(struct candidates *candidates, enum index_kind kind, struct text fact)
{
	if (fact.len > 0)
		look_up_behind(candidates, kind, index_key_start(kind), fact);
}

static void
look_up_image(struct candidates *candidates, const struct image_ref *image)
{
	if (image->kind == IMAGE_REF_ID)
		look_up(candidates, INDEX_IMAGE_ID, image->text);
	if (image->kind != IMAGE_REF_NAME)
		return;
	look_up(candidates, INDEX_IMAGE, image->name);
	look_up(candidates, INDEX_IMAGE_DIGEST, image->digest);
}

static void
look_up_labels(struct candidates *candidates, const struct text_map *labels)
{
	const struct policy_index *index = candidates->policy->index;

	if (!index->lengths[INDEX_LABEL] && !index->whole[INDEX_LABEL])
		return;
	for (size_t i = 0; i < labels->count; i++) {
		uint64_t key =
		    index_key_add(index_key_start(INDEX_LABEL), labels->at[i].key);

		look_up_behind(candidates, INDEX_LABEL, index_key_whole(key),
		               labels->at[i].value);
	}
}

bool
candidates_want_digest(const struct policy *policy)
{
	return policy->index && policy->index->whole[INDEX_PROFILE];
}

void
candidates_start(struct candidates *candidates, const struct policy *policy,
                 const struct workload *workload, const struct container *container,
                 struct text digest)
{
	candidates->policy = policy;
	candidates->next = candidates->count = 0;
	candidates->all = policy->index == NULL;
	if (candidates->all)
		return;
	look_up(candidates, INDEX_PROFILE, digest);
	look_up(candidates, INDEX_LOCAL_PROFILE, container->local_profile);
	look_up_image(candidates, &container->image);
	look_up(candidates, INDEX_NAME, container->name);
	look_up(candidates, INDEX_RUNTIME, container->runtime);
	look_up(candidates, INDEX_USER, workload->user);
	look_up(candidates, INDEX_SPACE, workload->space);
	for (size_t i = 0; i < workload->groups.count; i++)
		look_up(candidates, INDEX_GROUP, workload->groups.at[i]);
	look_up_labels(candidates, &container->labels);
}

/* The least exception that is at the head of a list; policy->count: none. */
static size_t
least_head(const struct candidates *candidates)
{
	const struct policy_index *index = candidates->policy->index;
	size_t least = candidates->policy->count;

	if (candidates->next < index->rest_count)
		least = index->rest[candidates->next];
	for (size_t i = 0; i < candidates->count; i++) {
		size_t head = index->postings[candidates->heads[i] - 1].exception;

		if (head < least)
			least = head;
	}
	return least;
}

/* Passes over `exception` wherever it is at the head. */
static void
pass(struct candidates *candidates, size_t exception)
{
	const struct policy_index *index = candidates->policy->index;

	if (candidates->next < index->rest_count &&
	    index->rest[candidates->next] == exception)
		candidates->next++;
	for (size_t i = 0; i < candidates->count;) {
		const struct index_posting *posting =
		    &index->postings[candidates->heads[i] - 1];

		if (posting->exception == exception)
			candidates->heads[i] = posting->next;
		if (candidates->heads[i] == 0)
			candidates->heads[i] = candidates->heads[--candidates->count];
		else
			i++;
	}
}

const struct exception *
candidates_next(struct candidates *candidates)
{
	const struct policy *policy = candidates->policy;
	size_t next;

	if (candidates->all)
		return candidates->next < policy->count
		           ? &policy->exceptions[candidates->next++]
		           : NULL;
	next = least_head(candidates);
	if (next == policy->count)
		return NULL;
	pass(candidates, next);
	return &policy->exceptions[next];
}
