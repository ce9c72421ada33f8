/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_judge.c - from the value of a seccomp option to the postures of a container. */
#include "core/seccomp.h"

#include "core/buf.h"

enum { QUOTED_MAX = 32 }; /* longer values may be a profile: never shown */

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c);
}

/* True for text that was meant as JSON: the reader's complaint says more than ours. */
static bool
looks_like_json(struct text value)
{
	size_t i = 0;

	while (i < value.len && is_one_of(value.at[i], " \t\r\n"))
		i++;
	return i < value.len && is_one_of(value.at[i], "{[\"");
}

static int
unreadable(struct text value, const struct err *why, struct err *err)
{
	cleanup_buf struct buf quoted = {0};

	if (looks_like_json(value) || why->code == ERR_MEMORY)
		return err_set(err, why->code, "seccomp profile: %s", why->text);
	if (value.len > QUOTED_MAX)
		buf_printf(&quoted, "(%zu bytes)", value.len);
	else
		buf_quoted(&quoted, value, 0);
	return err_set(
	    err, ERR_TYPE,
	    "seccomp=%s is neither \"unconfined\", \"builtin\" nor the JSON of "
	    "a profile",
	    buf_ok(&quoted) ? quoted.at : "");
}

/* Where old engines take one of two places, both are judged: two profiles that differ
   would share one name in an exception, so that is refused. */
static int
add_profile(struct container *container, struct text json,
            const struct seccomp_profile *profile, struct err *err)
{
	size_t room = sizeof container->weak_calls / sizeof container->weak_calls[0] - 1;

	if (container->profile.at && !text_equal(container->profile, json)) {
		container->postures |= POSTURE_BIT(POSTURE_UNREADABLE);
		return err_set(err, ERR_AMBIGUOUS, "two different seccomp profiles");
	}
	container->postures |= POSTURE_BIT(profile->posture);
	container->profile = json;
	if (profile->posture != POSTURE_WEAK)
		return 0;
	container->weak_count = profile->open_count;
	for (size_t i = 0; i < room && i < profile->open_count; i++)
		container->weak_calls[i] = profile->open[i];
	return 0;
}

int
seccomp_judge_profile(struct text json, struct arena *arena, struct container *container,
                      struct err *err)
{
	struct seccomp_profile profile;
	struct err why = {0};

	if (seccomp_profile_read(json, arena, &profile, &why) != 0) {
		container->postures |= POSTURE_BIT(POSTURE_UNREADABLE);
		return err_set(err, why.code, "seccomp profile: %s", why.text);
	}
	return add_profile(container, json, &profile, err);
}

int
seccomp_judge(struct text value, struct arena *arena, struct container *container,
              struct err *err)
{
	struct seccomp_profile profile;
	struct err why = {0};

	if (value.len == 0 || text_is(value, "builtin")) {
		container->postures |= POSTURE_BIT(POSTURE_DEFAULT);
		container->asked_nothing = container->asked_nothing || value.len == 0;
		return 0;
	}
	if (text_is(value, "unconfined")) {
		container->postures |= POSTURE_BIT(POSTURE_UNCONFINED);
		return 0;
	}
	if (seccomp_profile_read(value, arena, &profile, &why) != 0) {
		container->postures |= POSTURE_BIT(POSTURE_UNREADABLE);
		return unreadable(value, &why, err);
	}
	return add_profile(container, value, &profile, err);
}
