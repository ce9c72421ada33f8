/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_index - which exceptions could concern a container, without asking them all.
 *
 * Private to plugin/core/policy_*.c. Each exception is filed under one of its criteria,
 * the one that fewest others share: under the whole text of a pattern without globs, or
 * under what stands in front of its first glob. A container is looked up by its own facts.
 * What can't be filed (only patterns that begin with a glob, or longer lists than
 * INDEX_PATTERNS_MAX) is asked always.
 *
 * Invariant: the candidates hold every exception whose match holds, in the order of the
 * file and each once; others among them are harmless. So asking the candidates gives what
 * asking all would give (tests/unit/test_policy_index.c). Immutable once built; any number
 * of threads may look up. Pure.
 */
#pragma once

#include "core/policy.h"
#include "core/workload.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	INDEX_PATTERNS_MAX = 64,      /* of a list; longer ones don't file an exception */
	INDEX_KEYS_MAX = 1024 * 1024, /* of all; what comes after these is asked always */
	CANDIDATES_KEYS_MAX = 32, /* keys that a container may hit; more: all are asked */
};

/* What an exception can be filed under. */
enum index_kind {
	INDEX_IMAGE, /* a name, registry included */
	INDEX_IMAGE_ID,
	INDEX_IMAGE_DIGEST,
	INDEX_USER,
	INDEX_NAME,
	INDEX_PROFILE, /* a digest */
	INDEX_LOCAL_PROFILE,
	INDEX_SPACE,
	INDEX_GROUP,
	INDEX_RUNTIME,
	INDEX_LABEL, /* key and value */
	INDEX_KINDS
};

/* An open-addressed table: key -> the first of its postings. */
struct index_slot {
	uint64_t key;
	uint32_t first; /* index of a posting + 1; 0: the slot is free */
	uint32_t count; /* postings of this key */
};

struct index_posting {
	uint32_t exception;
	uint32_t next; /* index of a posting + 1, of a later exception; 0: the last */
};

struct policy_index {
	struct index_slot *slots;
	size_t size; /* a power of two, more than there are keys */
	struct index_posting *postings;
	uint32_t *rest; /* exceptions that are asked always, ascending */
	size_t rest_count;
	uint64_t lengths[INDEX_KINDS]; /* bits: index_bit_length() of prefixes in use */
	bool whole[INDEX_KINDS];       /* there are whole texts of that kind */
};

/* ---- policy_key.c: what is filed and looked up ---- */

uint64_t index_key_start(enum index_kind kind);
uint64_t index_key_add(uint64_t key, struct text t);
uint64_t index_key_whole(uint64_t key);

/* The longest prefix that is filed and not longer than `len`: its length, and its bit. */
size_t index_prefix_length(size_t len, unsigned *ret_bit);

/* The length that a bit stands for. */
size_t index_bit_length(unsigned bit);

/* The slot of `key`, or the free one where it would stand. */
struct index_slot *index_find(struct index_slot *slots, size_t size, uint64_t key);

/* ---- policy_index.c ---- */

/* Builds policy->index in the policy's arena. -1: out of memory. */
int policy_index_build(struct policy *policy);

/* ---- policy_candidates.c ---- */

/* Exceptions to ask about one container, in the order of the file. */
struct candidates {
	const struct policy *policy;
	bool all;
	size_t next; /* of all, or of the rest */
	uint32_t heads[CANDIDATES_KEYS_MAX];
	size_t count;
};

/* Whether candidates_start() has a use for the digest of the container's profile. */
bool candidates_want_digest(const struct policy *policy);

/* `digest`: of the container's profile; missing: there is none. */
void candidates_start(struct candidates *candidates, const struct policy *policy,
                      const struct workload *workload, const struct container *container,
                      struct text digest);

/* The next one; NULL at the end. */
const struct exception *candidates_next(struct candidates *candidates);
