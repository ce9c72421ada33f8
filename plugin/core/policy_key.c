/* SPDX-License-Identifier: Apache-2.0 */
/* policy_key.c - keys of the index of exceptions. */
#include "core/policy_index.h"

/* FNV-1a, 64 bits. The policy's owner chooses what is filed, so it needs no secret. */
#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

/* Prefixes of each length up to FINE are told apart, longer ones in steps of STEP. */
enum { FINE = 32, STEP = 8, STEPS = 31 };

static uint64_t
add_byte(uint64_t key, unsigned char byte)
{
	return (key ^ byte) * FNV_PRIME;
}

uint64_t
index_key_start(enum index_kind kind)
{
	return add_byte(FNV_BASIS, (unsigned char)kind);
}

uint64_t
index_key_add(uint64_t key, struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		key = add_byte(key, (unsigned char)t.at[i]);
	return key;
}

/* 0xff is in no UTF-8. */
uint64_t
index_key_whole(uint64_t key)
{
	return add_byte(key, 0xff);
}

size_t
index_prefix_length(size_t len, unsigned *ret_bit)
{
	size_t steps;

	if (len <= FINE) {
		*ret_bit = (unsigned)len;
		return len;
	}
	steps = (len - FINE) / STEP;
	if (steps > STEPS)
		steps = STEPS;
	*ret_bit = (unsigned)(FINE + steps);
	return FINE + steps * STEP;
}

size_t
index_bit_length(unsigned bit)
{
	return bit <= FINE ? bit : FINE + (size_t)(bit - FINE) * STEP;
}

struct index_slot *
index_find(struct index_slot *slots, size_t size, uint64_t key)
{
	size_t at = (size_t)(key ^ key >> 32) & (size - 1);

	while (slots[at].count > 0 && slots[at].key != key)
		at = (at + 1) & (size - 1);
	return &slots[at];
}
