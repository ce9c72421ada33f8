/* SPDX-License-Identifier: Apache-2.0 */
/* compose_judge.c - what the security_opt of a Compose service would run it under. */
#include "core/compose_reading.h"

#include "core/buf.h"
#include "core/seccomp.h"

void
compose_add_posture(struct compose_reading *reading, enum posture posture,
                    const char *place, struct text setting)
{
	struct container *container = reading->container;

	container->postures |= POSTURE_BIT(posture);
	if (!reading->service->places.postures[posture])
		reading->service->places.postures[posture] = place;
	if (!container->setting.at)
		container->setting = setting;
}

/* What was found since `before` is due to what stands there. */
static void
set_places(struct compose_reading *reading, unsigned before, const char *place)
{
	for (size_t i = 0; i < POSTURE_COUNT; i++) {
		if (reading->container->postures & ~before & POSTURE_BIT(i))
			reading->service->places.postures[i] = place;
	}
}

static int
judge_file(struct compose_reading *reading, const struct compose_profile *profile,
           struct text content, struct container *container)
{
	const struct err *unseen = &reading->service->unseen;
	cleanup_buf struct buf quoted = {0};

	if (content.at) {
		if (seccomp_judge_profile(content, reading->arena, container,
		                          reading->err) == 0)
			return 0;
	} else if (unseen->code == ERR_NONE) {
		(void)err_set(reading->err, ERR_LIMIT, "was not read");
	} else {
		return err_set(reading->err, unseen->code, "%s", unseen->text);
	}
	buf_quoted(&quoted, profile->path, COMPOSE_QUOTED_MAX);
	return err_wrap(reading->err, "%s", buf_ok(&quoted) ? quoted.at : "");
}

/* A profile that another client would take in place of the first. Which of them it is then
   is no fact, so no exception for the one fits. */
static int
judge_rival(struct compose_reading *reading, const struct compose_profile *profile,
            struct text content)
{
	struct container *container = reading->container, rival = {0};
	unsigned before = container->postures;

	if (judge_file(reading, profile, content, &rival) != 0) {
		reading->fault = profile->place;
		return -1;
	}
	if (!text_equal(content, reading->service->profiles[0]))
		container->profile = (struct text){0};
	if (rival.postures & ~before & POSTURE_BIT(POSTURE_WEAK)) {
		container->weak_count = rival.weak_count;
		memcpy(container->weak_calls, rival.weak_calls, sizeof rival.weak_calls);
	}
	container->postures |= rival.postures;
	set_places(reading, before, profile->place);
	return 0;
}

static int
judge_files(struct compose_reading *reading, const struct compose_profiles *profiles)
{
	const struct text *contents = reading->service->profiles;
	struct container *container = reading->container;
	unsigned before = container->postures;
	int result = judge_file(reading, &profiles->at[0], contents[0], container);

	set_places(reading, before, profiles->at[0].place);
	if (result != 0)
		reading->fault = profiles->at[0].place;
	for (size_t i = 1; i < profiles->count && result == 0; i++)
		result = judge_rival(reading, &profiles->at[i], contents[i]);
	return result;
}

int
compose_judge_options(struct compose_reading *reading)
{
	struct compose_option choice = {.fault = NULL};
	struct compose_profiles files;
	struct container *container = reading->container;
	unsigned before = container->postures;
	int result;

	if (compose_choose(reading->layers, reading->service->count, reading->arena,
	                   &choice, reading->err) != 0) {
		reading->fault = choice.fault;
		return -1;
	}
	if (choice.variable.at) {
		compose_add_posture(
		    reading, POSTURE_UNCONFINED, choice.variable_place,
		    compose_undecided_text(choice.variable, "", reading->arena));
		return 0;
	}
	if (!choice.opt.given)
		return 0;
	if (text_is(choice.opt.value, "unconfined")) {
		compose_add_posture(reading, POSTURE_UNCONFINED, choice.place,
		                    choice.opt.entry);
		return 0;
	}
	compose_rank_files(&choice, reading->service, &files);
	if (files.count > 0)
		return judge_files(reading, &files);
	result = seccomp_judge(choice.opt.value, reading->arena, container, reading->err);
	if (result != 0)
		reading->fault = choice.place;
	set_places(reading, before, choice.place);
	return result;
}
