/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_profile.c - what a seccomp profile does, for all machines at once. */
#include "core/seccomp.h"

#include "core/seccomp_spec.h"

#include <seccomp.h>

enum { NAME_MAX_BYTES = 64 }; /* more than the longest name of a call */

/* What a container can be cloned into: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER,
   NEWPID and NEWNET (include/uapi/linux/sched.h); Docker's default masks the same bits. */
static const uint64_t clone_namespaces = 0x7e020000;

static bool
has_conditions(const struct seccomp_filter *filter)
{
	return filter->caps.count > 0 || filter->arches.count > 0 || filter->has_kernel;
}

/* True if the rule is in the filter whatever the machine and the container. */
static bool
is_unconditional(const struct seccomp_rule *rule)
{
	return !has_conditions(&rule->includes) && !has_conditions(&rule->excludes);
}

static bool
lists(struct text_list list, const char *word)
{
	for (size_t i = 0; i < list.count; i++) {
		if (text_is(list.at[i], word))
			return true;
	}
	return false;
}

/* True if the rule can be in the filter of a machine of Docker's architecture `arch`. */
static bool
applies_on(const struct seccomp_rule *rule, const char *arch)
{
	return (rule->includes.arches.count == 0 || lists(rule->includes.arches, arch)) &&
	       !lists(rule->excludes.arches, arch);
}

static bool
applies_on_s390_only(const struct seccomp_rule *rule)
{
	struct text_list arches = rule->includes.arches;

	for (size_t i = 0; i < arches.count; i++) {
		if (!text_is(arches.at[i], "s390") && !text_is(arches.at[i], "s390x"))
			return false;
	}
	return arches.count > 0;
}

/* True if no s390 machine starts a container with the profile: its byte order is not that
   of an architecture in the list, and libseccomp refuses to have both (db.c,
   db_col_db_add). */
static bool
is_little_endian(const struct seccomp_spec *spec)
{
	static const char *const little[] = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86",
	                                     "SCMP_ARCH_X32",    "SCMP_ARCH_AARCH64",
	                                     "SCMP_ARCH_ARM",    "SCMP_ARCH_PPC64LE"};

	for (size_t i = 0; i < sizeof little / sizeof little[0]; i++) {
		if (lists(spec->architectures, little[i]))
			return true;
	}
	return false;
}

/* The flags of clone(2) are its first argument, on s390 the second (CLONE_BACKWARDS2):
   true if `index` is the flags wherever the rule applies. */
static bool
is_flags_index(const struct seccomp_spec *spec, const struct seccomp_rule *rule,
               uint64_t index)
{
	if (index == 1)
		return applies_on_s390_only(rule);
	return index == 0 && (is_little_endian(spec) ||
	                      (!applies_on(rule, "s390") && !applies_on(rule, "s390x")));
}

/*
 * True if an allow rule for clone lets no namespace flag through. With two conditions on
 * one argument runtimes make two rules of them, either of which lets through (runc
 * libcontainer/seccomp/seccomp_linux.go, matchCall), so there must be one alone.
 */
static bool
excludes_namespaces(const struct seccomp_spec *spec, const struct seccomp_rule *rule)
{
	const struct seccomp_arg *arg = rule->args.at;

	return rule->args.count == 1 && is_flags_index(spec, rule, arg->index) &&
	       text_is(arg->op, "SCMP_CMP_MASKED_EQ") &&
	       (arg->value & clone_namespaces) == clone_namespaces &&
	       (arg->value_two & clone_namespaces) == 0;
}

/*
 * The weak calls that an allow rule opens. Conditions count as met, but for those that
 * keep it within Docker's default: a required capability that opens the call there too,
 * and clone without namespaces.
 */
static uint64_t
opened_by(const struct seccomp_spec *spec, const struct seccomp_rule *rule)
{
	const uint64_t clone = seccomp_call_bit(TEXT_LIT("clone"));
	uint64_t open = rule->weak;

	for (size_t i = 0; i < rule->includes.caps.count; i++)
		open &= ~seccomp_capability_bits(rule->includes.caps.at[i]);
	if (open & clone && excludes_namespaces(spec, rule))
		open &= ~clone;
	return open;
}

/* Under a default action that blocks, what is not allowed by a rule is blocked. */
static uint64_t
opened_by_rules(const struct seccomp_spec *spec)
{
	uint64_t open = 0;

	for (const struct seccomp_rule *rule = spec->rules.first; rule;
	     rule = rule->next) {
		if (rule->action.effect == SECCOMP_LETS && rule->weak != 0)
			open |= opened_by(spec, rule);
	}
	return open;
}

/* True if libseccomp knows the name on some architecture: it gives calls of others
   negative numbers. Runtimes skip the names that it doesn't know. */
static bool
is_call(struct text name)
{
	char copy[NAME_MAX_BYTES];

	if (name.len == 0 || name.len >= sizeof copy)
		return false;
	memcpy(copy, name.at, name.len);
	copy[name.len] = '\0';
	return seccomp_syscall_resolve_name(copy) != __NR_SCMP_ERROR;
}

static bool
names_a_call(const struct seccomp_rule *rule)
{
	for (size_t i = 0; i < rule->names.count; i++) {
		if (is_call(rule->names.at[i]))
			return true;
	}
	return false;
}

/* True if the rule blocks its calls on every machine, whatever their arguments. */
static bool
blocks_surely(const struct seccomp_rule *rule)
{
	return rule->action.effect == SECCOMP_BLOCKS && rule->args.count == 0 &&
	       is_unconditional(rule);
}

/* Names as bits under a hash: two names may share one, which only makes us stricter. */
struct name_set {
	uint64_t bits[64];
};

static unsigned
name_hash(struct text name)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (unsigned char)name.at[i]) * 16777619U;
	return (hash >> 12 ^ hash) & 4095U;
}

/*
 * Calls for which a rule under a permissive default says something else that lets
 * through. Which of two rules for one call wins depends on their order and form (libseccomp
 * db.c, db_rule_add), so such a call is not surely blocked. Rules that repeat the default
 * are skipped by runtimes; TRACE is told apart by its number too.
 */
static struct name_set
disputed_names(const struct seccomp_spec *spec)
{
	struct text same = spec->default_action.name;
	struct name_set set = {0};

	for (const struct seccomp_rule *rule = spec->rules.first; rule;
	     rule = rule->next) {
		if (rule->action.effect != SECCOMP_LETS ||
		    (text_equal(rule->action.name, same) &&
		     !text_is(same, "SCMP_ACT_TRACE")))
			continue;
		for (size_t i = 0; i < rule->names.count; i++) {
			unsigned hash = name_hash(rule->names.at[i]);

			set.bits[hash / 64] |= UINT64_C(1) << hash % 64;
		}
	}
	return set;
}

/* Adds the weak calls that the rule surely blocks to `blocked`. Returns whether it blocks
   any call at all. */
static bool
add_blocked(const struct seccomp_rule *rule, const struct name_set *disputed,
            uint64_t *blocked)
{
	const uint64_t young = seccomp_call_bits_young();
	bool any = false;

	for (size_t i = 0; i < rule->names.count; i++) {
		struct text name = rule->names.at[i];
		unsigned hash = name_hash(name);
		uint64_t bit = seccomp_call_bit(name);

		if ((disputed->bits[hash / 64] >> hash % 64 & 1) || (bit & young))
			continue;
		*blocked |= bit;
		any = any || bit != 0 || is_call(name);
	}
	return any;
}

/* Under a default action that lets through: the weak calls that are surely blocked, and
   whether any call is. */
static uint64_t
blocked_by_rules(const struct seccomp_spec *spec, bool *ret_any)
{
	struct name_set disputed = disputed_names(spec);
	uint64_t blocked = 0;

	*ret_any = false;
	for (const struct seccomp_rule *rule = spec->rules.first; rule;
	     rule = rule->next) {
		if (blocks_surely(rule) && add_blocked(rule, &disputed, &blocked))
			*ret_any = true;
	}
	return blocked;
}

/* True if a machine or container can leave every rule out of the filter. */
static bool
can_lose_all_rules(const struct seccomp_rules *rules)
{
	for (const struct seccomp_rule *rule = rules->first; rule; rule = rule->next) {
		if (is_unconditional(rule) && names_a_call(rule))
			return false;
	}
	return true;
}

static int
list_open(uint64_t open, struct arena *arena, struct seccomp_profile *profile)
{
	if (open == 0)
		return 0;
	profile->open = arena_alloc(arena, seccomp_weak_calls_count * sizeof(char *));
	if (!profile->open)
		return -1;
	for (size_t i = 0; i < seccomp_weak_calls_count; i++) {
		if (open >> i & 1)
			profile->open[profile->open_count++] = seccomp_weak_calls[i];
	}
	return 0;
}

static uint64_t
judge_spec(const struct seccomp_spec *spec, struct seccomp_profile *profile)
{
	uint64_t open;
	bool any;

	switch (spec->default_action.effect) {
	case SECCOMP_BLOCKS:
		open = opened_by_rules(spec);
		profile->posture = open ? POSTURE_WEAK : POSTURE_CUSTOM;
		return open;
	case SECCOMP_LETS:
		open = seccomp_call_bits() & ~blocked_by_rules(spec, &any);
		profile->posture = any ? POSTURE_WEAK : POSTURE_PERMISSIVE;
		return open;
	case SECCOMP_NONE:
	default:
		profile->posture = POSTURE_UNCONFINED;
		profile->may_be_empty = spec->rules.count > 0;
		return seccomp_call_bits();
	}
}

int
seccomp_profile_read(struct text json, struct arena *arena,
                     struct seccomp_profile *ret_profile, struct err *err)
{
	struct seccomp_profile profile = {0};
	struct seccomp_spec spec;
	uint64_t open;

	if (seccomp_spec_read(json, arena, &spec, err) != 0)
		return -1;
	if (spec.default_action.effect == SECCOMP_NONE &&
	    !can_lose_all_rules(&spec.rules))
		return err_set(err, ERR_TYPE,
		               "the profile has rules but no defaultAction: no engine "
		               "starts a container with it");
	profile.default_action = spec.default_action.name;
	profile.rules = spec.rules.count;
	open = judge_spec(&spec, &profile);
	if (list_open(open, arena, &profile) != 0)
		return err_set(err, ERR_MEMORY, "out of memory");
	*ret_profile = profile;
	return 0;
}
