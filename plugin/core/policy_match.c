/* SPDX-License-Identifier: Apache-2.0 */
/* policy_match.c - what a policy says of a container: one function per criterion. */
#include "core/policy.h"

#include "core/glob.h"
#include "core/policy_index.h"
#include "core/seccomp.h"

#define ALL_POSTURES (POSTURE_BIT(POSTURE_COUNT) - 1)
#define ALL_GUARDS   (GUARD_BIT(GUARD_COUNT) - 1)

/* Who is asked about. */
struct subject {
	const struct workload *workload;
	struct container *container;
	struct arena *arena;
	bool digest_failed;
};

/* ---- criteria ---- */

enum fit { FIT_UNASKED, FIT_NO, FIT_YES };

static enum fit
fit_if(bool holds)
{
	return holds ? FIT_YES : FIT_NO;
}

/* A fact that the request lacks fits no pattern, not even '*'. */
static bool
any_matches(struct text_list patterns, struct text fact)
{
	if (fact.len == 0)
		return false;
	for (size_t i = 0; i < patterns.count; i++) {
		if (glob_matches(patterns.at[i], fact, 0))
			return true;
	}
	return false;
}

static enum fit
list_fits(struct text_list patterns, struct text fact)
{
	if (!patterns.at)
		return FIT_UNASKED;
	return fit_if(any_matches(patterns, fact));
}

static enum fit
door_fits(const struct criteria *criteria, struct subject *subject)
{
	if (criteria->doors == 0)
		return FIT_UNASKED;
	return fit_if(criteria->doors >> subject->workload->door & 1);
}

static enum fit
space_fits(const struct criteria *criteria, struct subject *subject)
{
	return list_fits(criteria->space, subject->workload->space);
}

static enum fit
user_fits(const struct criteria *criteria, struct subject *subject)
{
	return list_fits(criteria->user, subject->workload->user);
}

static enum fit
group_fits(const struct criteria *criteria, struct subject *subject)
{
	const struct text_list *groups = &subject->workload->groups;

	if (!criteria->group.at)
		return FIT_UNASKED;
	for (size_t i = 0; i < groups->count; i++) {
		if (any_matches(criteria->group, groups->at[i]))
			return FIT_YES;
	}
	return FIT_NO;
}

static enum fit
name_fits(const struct criteria *criteria, struct subject *subject)
{
	return list_fits(criteria->name, subject->container->name);
}

/* The engine's default runtime is one that the request does not name. */
static enum fit
runtime_fits(const struct criteria *criteria, struct subject *subject)
{
	return list_fits(criteria->runtime, subject->container->runtime);
}

static enum fit
image_fits(const struct criteria *criteria, struct subject *subject)
{
	const struct text_list *patterns = &criteria->image;

	if (!patterns->at)
		return FIT_UNASKED;
	for (size_t i = 0; i < patterns->count; i++) {
		if (image_ref_matches(&subject->container->image, patterns->at[i]))
			return FIT_YES;
	}
	return FIT_NO;
}

/* The last of equal keys is the one that engines keep. */
static bool
label_matches(const struct text_map *labels, const struct text_pair *wanted)
{
	for (size_t i = labels->count; i > 0; i--) {
		const struct text_pair *label = &labels->at[i - 1];

		if (text_equal(label->key, wanted->key))
			return label->value.at &&
			       glob_matches(wanted->value, label->value, 0);
	}
	return false;
}

/* All labels of the criterion, unlike the lists. */
static enum fit
label_fits(const struct criteria *criteria, struct subject *subject)
{
	if (!criteria->label.at)
		return FIT_UNASKED;
	for (size_t i = 0; i < criteria->label.count; i++) {
		if (!label_matches(&subject->container->labels, &criteria->label.at[i]))
			return FIT_NO;
	}
	return FIT_YES;
}

/* Computed once per container, and only if an exception asks for it. */
static struct text
digest_of(struct subject *subject)
{
	struct container *container = subject->container;

	if (!subject->digest_failed && seccomp_name_profile(container, subject->arena))
		return text_of(container->digest);
	subject->digest_failed = true;
	return (struct text){0};
}

static bool
profile_matches(struct text pattern, struct subject *subject)
{
	struct text name = subject->container->local_profile, digest;

	if (text_has_prefix(pattern, "localhost/"))
		return name.len > 0 && glob_matches(pattern, name, 0);
	digest = digest_of(subject);
	return digest.len > 0 && text_equal(pattern, digest);
}

static enum fit
profile_fits(const struct criteria *criteria, struct subject *subject)
{
	if (!criteria->profile.at)
		return FIT_UNASKED;
	for (size_t i = 0; i < criteria->profile.count; i++) {
		if (profile_matches(criteria->profile.at[i], subject))
			return FIT_YES;
	}
	return FIT_NO;
}

/* The dearest last. */
static enum fit (*const all_criteria[])(const struct criteria *, struct subject *) = {
    door_fits,    space_fits, user_fits,  group_fits,   name_fits,
    runtime_fits, image_fits, label_fits, profile_fits,
};

/* A match without any criterion, which the parser refuses, holds for nobody. */
static bool
match_holds(const struct criteria *criteria, struct subject *subject)
{
	bool asked = false;

	for (size_t i = 0; i < sizeof all_criteria / sizeof all_criteria[0]; i++) {
		enum fit fit = all_criteria[i](criteria, subject);

		if (fit == FIT_NO)
			return false;
		asked = asked || fit == FIT_YES;
	}
	return asked;
}

/* ---- the question ---- */

/* What stands against a container, and what exceptions have taken away of it. */
struct charge {
	unsigned guards;                /* GUARD_BIT: tripped, not off, not lifted */
	unsigned postures;              /* POSTURE_BIT: not allowed, not covered */
	unsigned lifted;                /* GUARD_BIT: tripped, but lifted */
	const struct exception *lifter; /* of the first guard that was lifted */
	const struct exception *cover;  /* of the postures */
};

static bool
runtime_is_listed(const struct policy *policy, struct text runtime)
{
	for (size_t i = 0; i < policy->runtimes.count; i++) {
		if (text_equal(policy->runtimes.at[i], runtime))
			return true;
	}
	return false;
}

static unsigned
tripped_guards(const struct policy *policy, const struct container *container)
{
	unsigned tripped = container->guards & ALL_GUARDS, on = 0;

	if (container->runtime.len > 0 && !runtime_is_listed(policy, container->runtime))
		tripped |= GUARD_BIT(GUARD_RUNTIMES);
	for (int guard = 0; guard < GUARD_COUNT; guard++) {
		if (policy->guards[guard] != RULE_OFF)
			on |= GUARD_BIT(guard);
	}
	return tripped & on;
}

/* A reader that says nothing, or something we don't know, was not understood. */
static unsigned
refused_postures(const struct policy *policy, const struct container *container)
{
	unsigned postures = container->postures;

	if ((postures == 0 && container->guards == 0) || (postures & ~ALL_POSTURES) ||
	    (container->guards & ~ALL_GUARDS))
		return POSTURE_BIT(POSTURE_UNREADABLE);
	if (container->asked_nothing && !policy->engine_default_confined &&
	    (postures & POSTURE_BIT(POSTURE_DEFAULT))) {
		postures &= ~POSTURE_BIT(POSTURE_DEFAULT);
		postures |= POSTURE_BIT(POSTURE_UNCONFINED);
	}
	return postures & ~policy->allow;
}

static bool
is_active(const struct exception *exception, enum rule_mode mode, int64_t now)
{
	return exception->mode == mode && now < exception->expires;
}

/* Does it cover all the postures that are refused? One must cover the set. */
static bool
covers(const struct exception *exception, unsigned postures)
{
	return (postures & ~exception->allow) == 0;
}

/* Those that may be about the subject. */
static struct candidates
find_candidates(const struct policy *policy, struct subject *subject)
{
	struct candidates candidates;
	struct text digest = {0};

	if (candidates_want_digest(policy))
		digest = digest_of(subject);
	candidates_start(&candidates, policy, subject->workload, subject->container,
	                 digest);
	return candidates;
}

/* Takes away what enforcing exceptions lift. Cheap questions first: there may be many. */
static void
apply_exceptions(struct candidates candidates, struct subject *subject, int64_t now,
                 struct charge *charge)
{
	const struct exception *exception;

	while ((exception = candidates_next(&candidates))) {
		unsigned lifts = charge->guards & exception->allow_guards;
		bool covered = charge->postures && covers(exception, charge->postures);

		if (!charge->guards && !charge->postures)
			return;
		if ((!lifts && !covered) || !is_active(exception, RULE_ENFORCE, now) ||
		    !match_holds(&exception->match, subject))
			continue;
		if (lifts && !charge->lifter)
			charge->lifter = exception;
		charge->guards &= ~lifts;
		charge->lifted |= lifts;
		if (covered) {
			charge->postures = 0;
			charge->cover = exception;
		}
	}
}

/* The first observed exception that would lift all of `charge`. */
static const struct exception *
find_would(struct candidates candidates, struct subject *subject, int64_t now,
           const struct charge *charge)
{
	const struct exception *exception;

	while ((exception = candidates_next(&candidates))) {
		if ((charge->guards & ~exception->allow_guards) == 0 &&
		    covers(exception, charge->postures) &&
		    is_active(exception, RULE_OBSERVE, now) &&
		    match_holds(&exception->match, subject))
			return exception;
	}
	return NULL;
}

static int
first_guard(unsigned guards)
{
	for (int guard = 0; guard < GUARD_COUNT; guard++) {
		if (guards & GUARD_BIT(guard))
			return guard;
	}
	return -1;
}

/*
 * What decides: all that enforces if anything does, else all that is observed. Refused
 * postures go together, since one exception has to cover them all.
 */
static enum rule_mode
press(const struct policy *policy, const struct charge *charge,
      struct charge *ret_pressing)
{
	unsigned enforced = 0;

	*ret_pressing = *charge;
	if (!charge->guards && !charge->postures)
		return RULE_OFF;
	for (int guard = 0; guard < GUARD_COUNT; guard++) {
		if (policy->guards[guard] != RULE_OBSERVE)
			enforced |= GUARD_BIT(guard);
	}
	enforced &= charge->guards;
	if (!enforced && (charge->postures & ~policy->observe) == 0)
		return RULE_OBSERVE;
	ret_pressing->guards = enforced;
	if ((charge->postures & ~policy->observe) == 0)
		ret_pressing->postures = 0;
	return RULE_ENFORCE;
}

struct ruling
policy_judge(const struct policy *policy, struct workload *workload, size_t index,
             int64_t now, struct arena *arena)
{
	struct ruling ruling = {.mode = RULE_ENFORCE,
	                        .guard = -1,
	                        .refused = POSTURE_BIT(POSTURE_UNREADABLE)};
	struct subject subject = {.workload = workload, .arena = arena};
	struct charge charge = {0}, pressing;
	struct candidates candidates = {0};

	if (!policy || index >= workload->count)
		return ruling;
	subject.container = &workload->containers[index];
	charge.guards = tripped_guards(policy, subject.container);
	charge.postures = refused_postures(policy, subject.container);
	/* guards can be lifted of what is unreadable; no exception covers the posture */
	if (charge.guards || charge.postures) {
		candidates = find_candidates(policy, &subject);
		apply_exceptions(candidates, &subject, now, &charge);
	}
	ruling.refused = charge.postures;
	ruling.mode = press(policy, &charge, &pressing);
	if (ruling.mode == RULE_OFF) {
		ruling.guard = first_guard(charge.lifted);
		ruling.exception = charge.cover ? charge.cover : charge.lifter;
		return ruling;
	}
	ruling.guard = first_guard(pressing.guards);
	ruling.would = find_would(candidates, &subject, now, &pressing);
	if (policy->mode == RULE_OBSERVE)
		ruling.mode = RULE_OBSERVE;
	return ruling;
}
