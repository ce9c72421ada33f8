/* SPDX-License-Identifier: Apache-2.0 */
/* policy_lint.c - one function per thing that a policy's owner would want to know. */
#include "core/policy_lint.h"

#include "core/glob.h"
#include "core/kubernetes_accounts.h"

#include <stdarg.h>
#include <stdio.h>

enum { MINUTE = 60, HOUR = 3600 };

static const struct {
	const char *name;
	bool error;
} codes[LINT_CODES] = {
    [LINT_ALLOWS_UNFILTERED] = {"allows-unfiltered", true},
    [LINT_NEVER_MATCHES] = {"never-matches", true},
    [LINT_ALLOWS_WEAK] = {"allows-weak", false},
    [LINT_OBSERVES] = {"observes", false},
    [LINT_GUARD_OFF] = {"guard-off", false},
    [LINT_GUARD_OBSERVED] = {"guard-observed", false},
    [LINT_FORGEABLE] = {"forgeable", false},
    [LINT_NEVER_EXPIRES] = {"never-expires", false},
    [LINT_EXPIRES_SOON] = {"expires-soon", false},
    [LINT_EXPIRED] = {"expired", false},
    [LINT_SHADOWED] = {"shadowed", false},
    [LINT_NEEDLESS] = {"needless", false},
    [LINT_USER_WITHOUT_DOOR] = {"user-without-door", false},
    [LINT_CONTROLLER] = {"controller-account", true},
    [LINT_DEAD_PATTERN] = {"dead-pattern", false},
    [LINT_TOO_MANY] = {"too-many", false},
};

const char *
lint_code_name(enum lint_code code)
{
	return codes[code].name;
}

bool
lint_code_is_error(enum lint_code code)
{
	return codes[code].error;
}

/* A look at one policy. */
struct linter {
	const struct policy *policy;
	int64_t now;
	void (*report)(const struct lint_finding *finding, void *context);
	void *context;
	struct arena arena; /* scratch */
	size_t pairs;
};

static void __attribute__((format(printf, 5, 6)))
report(struct linter *linter, enum lint_code code, const struct exception *exception,
       const char *pointer, const char *format, ...)
{
	struct lint_finding finding = {.code = code, .exception = exception};
	va_list args;

	if (exception)
		(void)snprintf(finding.pointer, sizeof finding.pointer,
		               "/exceptions/%zu%s",
		               (size_t)(exception - linter->policy->exceptions), pointer);
	else
		(void)snprintf(finding.pointer, sizeof finding.pointer, "%s", pointer);
	va_start(args, format);
	(void)vsnprintf(finding.text, sizeof finding.text, format, args);
	va_end(args);
	linter->report(&finding, linter->context);
}

/* ---- the policy as a whole ---- */

static void
check_allow(struct linter *linter)
{
	static const struct {
		enum posture posture;
		enum lint_code code;
		const char *why;
	} rows[] = {
	    {POSTURE_PRIVILEGED, LINT_ALLOWS_UNFILTERED,
	     "every privileged container runs, without a filter; use an exception"},
	    {POSTURE_UNCONFINED, LINT_ALLOWS_UNFILTERED,
	     "every container may run without a filter; use an exception"},
	    {POSTURE_PERMISSIVE, LINT_ALLOWS_UNFILTERED,
	     "a filter that stops nothing is none; use an exception"},
	    {POSTURE_WEAK, LINT_ALLOWS_WEAK,
	     "profiles that let through what Docker's default blocks; except the ones "
	     "you know by their digest"},
	    {POSTURE_UNSET, LINT_ALLOWS_WEAK,
	     "without a filter unless every kubelet has seccompDefault"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (linter->policy->allow & POSTURE_BIT(rows[i].posture))
			report(linter, rows[i].code, NULL, "/allow",
			       "\"%s\" is allowed everywhere: %s",
			       posture_name(rows[i].posture), rows[i].why);
	}
}

static void
check_guards(struct linter *linter)
{
	static const enum guard usual[] = {GUARD_SELF, GUARD_PLUGINS, GUARD_LEGACY_START,
	                                   GUARD_RUNTIMES, GUARD_CHECKPOINT};

	for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
		const char *name = guard_name(usual[i]);

		if (linter->policy->guards[usual[i]] == RULE_OFF)
			report(linter, LINT_GUARD_OFF, NULL, "/guard",
			       "guard \"%s\" is off, and is on by default; name it, or "
			       "lift it for some with an exception that allows "
			       "\"guard:%s\"",
			       name, name);
		if (linter->policy->guards[usual[i]] == RULE_OBSERVE)
			report(linter, LINT_GUARD_OBSERVED, NULL, "/guard",
			       "guard \"%s\" only observes and refuses nothing", name);
	}
}

/* The guard compares names; who writes a pattern believes that it fits more. */
static void
check_runtimes(struct linter *linter)
{
	const struct text_list *runtimes = &linter->policy->runtimes;

	for (size_t i = 0; i < runtimes->count; i++) {
		struct text name = runtimes->at[i];
		char pointer[32];

		if (text_find(name, '*') == name.len &&
		    text_find(name, '?') == name.len && text_find(name, '[') == name.len)
			continue;
		(void)snprintf(pointer, sizeof pointer, "/runtimes/%zu", i);
		report(linter, LINT_DEAD_PATTERN, NULL, pointer,
		       "names of runtimes are no patterns, so this lets none through; "
		       "name each, or lift the guard with an exception that allows "
		       "\"guard:runtimes\"");
	}
}

static void
check_whole(struct linter *linter)
{
	if (linter->policy->mode == RULE_OBSERVE)
		report(linter, LINT_OBSERVES, NULL, "/mode",
		       "the policy only observes and refuses nothing; drop \"mode\" when "
		       "the record shows nothing that surprises");
	check_allow(linter);
	check_guards(linter);
	check_runtimes(linter);
}

/* ---- what an exception rests on ---- */

static bool
says_nothing(struct text pattern)
{
	for (size_t i = 0; i < pattern.len; i++) {
		if (pattern.at[i] != '*' && pattern.at[i] != '?')
			return false;
	}
	return true;
}

static bool
is_image_digest(struct text pattern)
{
	char room[IMAGE_PATTERN_MAX];
	struct image_pattern image;

	image_pattern_read(pattern, room, &image);
	return image.kind == IMAGE_REF_ID ||
	       (image.digest.at && !glob_is_pattern(image.digest));
}

static bool
is_profile_digest(struct text pattern)
{
	return text_has_prefix(pattern, "sha256:");
}

static bool
says_something(struct text pattern)
{
	return !says_nothing(pattern);
}

/* Any of the list may match, so all have to be strong. */
static bool
all_are(struct text_list patterns, bool (*is_strong)(struct text pattern))
{
	for (size_t i = 0; i < patterns.count; i++) {
		if (!is_strong(patterns.at[i]))
			return false;
	}
	return patterns.count > 0;
}

bool
exception_is_strong(const struct exception *exception)
{
	const struct criteria *match = &exception->match;

	return all_are(match->image, is_image_digest) ||
	       all_are(match->profile, is_profile_digest) ||
	       all_are(match->user, says_something) ||
	       all_are(match->group, says_something) ||
	       all_are(match->space, says_something);
}

static void
check_strength(struct linter *linter, const struct exception *exception)
{
	if (!exception_is_strong(exception))
		report(linter, LINT_FORGEABLE, exception, "/match",
		       "rests only on what the caller chooses (name, label, tag, "
		       "repository, runtime, door); add \"user\", \"namespace\", or the "
		       "digest of an image or profile");
}

/* ---- who ---- */

static void
check_who(struct linter *linter, const struct exception *exception)
{
	const struct criteria *match = &exception->match;
	struct text controller = criteria_controller(match);

	if (match->user.at && match->doors == 0)
		report(linter, LINT_USER_WITHOUT_DOOR, exception, "/match/user",
		       "a TLS client of Docker and a user of Kubernetes may have the "
		       "same name and not be the same; add \"door\"");
	if (controller.at)
		report(linter, LINT_CONTROLLER, exception, "/match",
		       "fits %.*s, which creates pods for whoever may create a workload, "
		       "so everybody is excepted; add \"namespace\"",
		       TEXT_ARG(controller));
}

/* ---- for how long ---- */

static void
check_end(struct linter *linter, const struct exception *exception)
{
	int64_t left = exception->expires - linter->now;

	if (exception->expires == POLICY_NEVER)
		report(linter, LINT_NEVER_EXPIRES, exception, "",
		       "never expires; give it \"expires\", so that somebody asks again");
	else if (left <= 0)
		report(linter, LINT_EXPIRED, exception, "/expires",
		       "has expired and lets nothing through; drop it, or renew it");
	else if (left < LINT_SOON_S)
		report(linter, LINT_EXPIRES_SOON, exception, "/expires",
		       "expires in %lld %s; renew it if it is still needed",
		       (long long)(left < 2 * HOUR ? left / MINUTE : left / HOUR),
		       left < 2 * HOUR ? "minutes" : "hours");
}

/* ---- whether it does anything ---- */

static const struct {
	const char *name;
	size_t offset;
	bool (*is_dead)(struct text pattern);
	const char *why;
} patterns[] = {
    {"image", offsetof(struct criteria, image), image_pattern_is_dead,
     "matches no image: a hex-only name can be an ID or anybody's name, so only a whole "
     "ID of 64 digits counts, and a set must not be empty"},
    {"name", offsetof(struct criteria, name), name_pattern_is_dead,
     "matches no name: containers are called by letters, digits, '_', '.' and '-'"},
    {"namespace", offsetof(struct criteria, space), space_pattern_is_dead,
     "matches no namespace: they are called by lower-case letters, digits and '-'"},
    {"user", offsetof(struct criteria, user), glob_is_dead, "matches nothing"},
    {"group", offsetof(struct criteria, group), glob_is_dead, "matches nothing"},
    {"runtime", offsetof(struct criteria, runtime), glob_is_dead, "matches nothing"},
};

static struct text_list
list_at(const struct criteria *match, size_t offset)
{
	const void *at = (const char *)match + offset;

	return *(const struct text_list *)at;
}

static void
check_patterns(struct linter *linter, const struct exception *exception)
{
	for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
		struct text_list list = list_at(&exception->match, patterns[i].offset);
		size_t dead = 0;

		for (size_t k = 0; k < list.count; k++)
			dead += patterns[i].is_dead(list.at[k]);
		for (size_t k = 0; k < list.count && dead > 0; k++) {
			char pointer[64];

			if (!patterns[i].is_dead(list.at[k]))
				continue;
			(void)snprintf(pointer, sizeof pointer, "/match/%s/%zu",
			               patterns[i].name, k);
			report(linter,
			       dead == list.count ? LINT_NEVER_MATCHES
			                          : LINT_DEAD_PATTERN,
			       exception, pointer, "%s", patterns[i].why);
		}
	}
}

/* Docker's requests have no namespace, groups or profiles of a node; its guards are its
   own. */
static void
check_doors(struct linter *linter, const struct exception *exception)
{
	const struct criteria *match = &exception->match;

	if (match->doors == 1U << DOOR_DOCKER && (match->space.at || match->group.at))
		report(linter, LINT_NEVER_MATCHES, exception, "/match/door",
		       "asks for a namespace or group, which requests of Docker don't "
		       "have; write \"door\": [\"kubernetes\"]");
	if (match->doors == 1U << DOOR_KUBERNETES && exception->allow == 0)
		report(linter, LINT_NEVER_MATCHES, exception, "/allow",
		       "guards are of the door \"docker\"; Kubernetes has none to lift");
}

static void
check_need(struct linter *linter, const struct exception *exception)
{
	unsigned guards = 0;

	for (int guard = 0; guard < GUARD_COUNT; guard++) {
		if (linter->policy->guards[guard] != RULE_OFF)
			guards |= GUARD_BIT(guard);
	}
	if ((exception->allow & ~linter->policy->allow) == 0 &&
	    (exception->allow_guards & guards) == 0)
		report(linter, LINT_NEEDLESS, exception, "/allow",
		       "allows only what nothing refuses; drop the exception");
}

static void
check_shadow(struct linter *linter, const struct exception *exception)
{
	const struct exception *other =
	    exception_shadow(linter->policy, exception, &linter->arena, &linter->pairs);
	cleanup_buf struct buf id = {0};

	if (!other || other->expires <= linter->now)
		return;
	buf_quoted(&id, other->id, 100);
	report(linter, LINT_SHADOWED, exception, "",
	       "exception %.*s (/exceptions/%zu) lets through all that this one does; "
	       "drop one",
	       TEXT_ARG(buf_text(&id)), (size_t)(other - linter->policy->exceptions));
}

void
policy_lint(const struct policy *policy, int64_t now,
            void (*report_one)(const struct lint_finding *finding, void *context),
            void *context)
{
	struct linter linter = {
	    .policy = policy, .now = now, .report = report_one, .context = context};

	check_whole(&linter);
	for (size_t i = 0; i < policy->count; i++) {
		const struct exception *exception = &policy->exceptions[i];

		check_strength(&linter, exception);
		check_who(&linter, exception);
		check_end(&linter, exception);
		check_patterns(&linter, exception);
		check_doors(&linter, exception);
		check_need(&linter, exception);
		check_shadow(&linter, exception);
	}
	if (linter.pairs >= LINT_PAIRS_MAX)
		report(&linter, LINT_TOO_MANY, NULL, "/exceptions",
		       "many exceptions match the same; not all of them were compared");
	arena_free(&linter.arena);
}
