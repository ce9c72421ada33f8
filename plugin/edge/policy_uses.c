/* SPDX-License-Identifier: Apache-2.0 */
/* policy_uses.c - one counter for each exception, carried over from policy to policy. */
#include "edge/policy_uses.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct policy_uses {
	size_t count;
	_Atomic uint64_t at[];
};

/* ---- states ---- */

enum exception_state
exception_state(const struct exception *exception, int64_t now)
{
	if (now >= exception->expires)
		return EXCEPTION_EXPIRED;
	return exception->mode == RULE_OBSERVE ? EXCEPTION_OBSERVED : EXCEPTION_ACTIVE;
}

const char *
exception_state_name(enum exception_state state)
{
	static const char *const names[EXCEPTION_STATE_COUNT] = {
	    [EXCEPTION_ACTIVE] = "active",
	    [EXCEPTION_EXPIRED] = "expired",
	    [EXCEPTION_OBSERVED] = "observed",
	};

	return names[state];
}

/* ---- counting ---- */

struct policy_uses *
policy_uses_new(const struct policy *policy)
{
	struct policy_uses *uses =
	    calloc(1, sizeof *uses + policy->count * sizeof uses->at[0]);

	if (uses)
		uses->count = policy->count;
	return uses;
}

void
policy_uses_count(struct policy_uses *uses, const struct policy *policy,
                  const struct exception *exception)
{
	atomic_fetch_add_explicit(&uses->at[exception - policy->exceptions], 1,
	                          memory_order_relaxed);
}

uint64_t
policy_uses_get(const struct policy_uses *uses, size_t index)
{
	return atomic_load_explicit(&uses->at[index], memory_order_relaxed);
}

/* ---- carrying over ---- */

/* An exception that was used. */
struct used {
	struct text id;
	uint64_t times;
};

static int
compare(const void *left, const void *right)
{
	const struct used *a = left, *b = right;
	size_t common = a->id.len < b->id.len ? a->id.len : b->id.len;
	int order = common > 0 ? memcmp(a->id.at, b->id.at, common) : 0;

	if (order != 0)
		return order;
	return (a->id.len > b->id.len) - (a->id.len < b->id.len);
}

/* Those that were used, by id; NULL: none, or no memory. */
static struct used *
list_used(const struct policy_used *of, size_t *ret_count)
{
	struct used *list;
	size_t count = 0;

	for (size_t i = 0; i < of->policy->count; i++)
		count += policy_uses_get(of->uses, i) > 0;
	list = count > 0 ? calloc(count, sizeof *list) : NULL;
	if (!list)
		return NULL;
	*ret_count = 0;
	for (size_t i = 0; i < of->policy->count && *ret_count < count; i++) {
		uint64_t times = policy_uses_get(of->uses, i);

		if (times > 0)
			list[(*ret_count)++] = (struct used){
			    .id = of->policy->exceptions[i].id, .times = times};
	}
	qsort(list, *ret_count, sizeof *list, compare);
	return list;
}

void
policy_uses_carry(const struct policy_used *earlier, const struct policy_used *later)
{
	size_t count = 0;
	struct used *list;

	if (!earlier->policy || !later->policy)
		return;
	list = list_used(earlier, &count);
	for (size_t i = 0; list && i < later->policy->count; i++) {
		struct used key = {.id = later->policy->exceptions[i].id};
		const struct used *used =
		    bsearch(&key, list, count, sizeof *list, compare);

		if (used)
			atomic_fetch_add(&later->uses->at[i], used->times);
	}
	free(list);
}
