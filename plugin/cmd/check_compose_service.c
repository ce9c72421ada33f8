/* SPDX-License-Identifier: Apache-2.0 */
/* check_compose_service.c - the services of a Compose project, put together and judged. */
#include "cmd_check_compose.h"

#include "core/seccomp.h"

#include <stdlib.h>

/* A service as it grows, and in which document its last layer is. */
struct climb {
	struct compose_service service;
	const struct check_document *document;
	const char *folder;                        /* where its relative paths begin */
	const char *fault;                         /* where `unseen` was found */
	struct buf profiles[COMPOSE_PROFILES_MAX]; /* behind those of the service */
};

static void
climb_cleanup(struct climb *climb)
{
	for (size_t i = 0; i < COMPOSE_PROFILES_MAX; i++)
		buf_free(&climb->profiles[i]);
}

#define cleanup_climb __attribute__((cleanup(climb_cleanup)))

static int
fail_extend(struct climb *climb, const struct compose_extends *extends,
            const struct err *why)
{
	cleanup_buf struct buf quoted = {0};

	climb->fault = extends->place;
	buf_quoted(&quoted, extends->file, 128);
	return err_set(&climb->service.unseen, why->code, "extends: %s: %s",
	               buf_ok(&quoted) ? quoted.at : "", why->text);
}

/* Over to the file that `extends` names. */
static int
climb_over(struct compose_check *compose, struct climb *climb,
           const struct compose_extends *extends)
{
	struct compose_service *service = &climb->service;
	char *path = compose_path(climb->folder, extends->file);
	const struct compose_file *other =
	    path ? compose_open(&compose->files, path) : NULL;
	struct err why = {0};

	free(path);
	if (!other)
		(void)err_set(&why, ERR_LIMIT, "more than %d files", COMPOSE_FILES_MAX);
	else if (!other->had)
		why = other->err;
	else if (other->err.code != ERR_NONE || other->count != 1)
		(void)err_set(&why, ERR_TYPE,
		              "should be a single document with services");
	else if (service->count >= COMPOSE_LAYERS_MAX)
		(void)err_set(&why, ERR_LIMIT, "in a circle, or more than %d deep",
		              COMPOSE_LAYERS_MAX);
	else if (compose_find(other->documents[0].text, extends->service, &compose->arena,
	                      &service->layers[service->count], &why) == 0)
		service->count++;
	if (!other || why.code != ERR_NONE)
		return fail_extend(climb, extends, &why);
	climb->document = &other->documents[0];
	climb->folder = compose_folder(other->path, &compose->arena);
	return climb->folder ? 0 : err_set(&service->unseen, ERR_MEMORY, "out of memory");
}

/* All that the service extends, wherever it is. */
static void
climb_up(struct compose_check *compose, struct climb *climb)
{
	struct compose_service *service = &climb->service;
	struct compose_extends elsewhere = {.place = NULL};

	for (;;) {
		if (compose_extend(service, climb->document->text, &compose->arena,
		                   &elsewhere, &service->unseen) != 0) {
			climb->fault = elsewhere.place;
			return;
		}
		if (!elsewhere.service.at || climb_over(compose, climb, &elsewhere) != 0)
			return;
	}
}

/* A profile's file is sought beside the first file, wherever the option stands, in what
   it includes too (docker compose: p.RelativePath). */
static void
read_profile(struct compose_check *compose, struct climb *climb,
             const struct compose_profile *profile, size_t index)
{
	struct compose_service *service = &climb->service;
	struct buf *content = &climb->profiles[index];
	struct err why = {0};
	cleanup_buf struct buf quoted = {0};
	char *path = compose_path(compose->folder, profile->path);

	if (!path)
		(void)err_set(&why, ERR_MEMORY, "out of memory");
	else if (compose_read_named(path, SECCOMP_PROFILE_MAX, content, &why) == 0)
		service->profiles[index] = buf_text(content);
	free(path);
	if (why.code == ERR_NONE)
		return;
	climb->fault = profile->place;
	service->unseen = why;
	buf_quoted(&quoted, profile->path, 128);
	(void)err_wrap(&service->unseen, "security_opt: the profile %s",
	               buf_ok(&quoted) ? quoted.at : "");
}

static void
read_profiles(struct compose_check *compose, struct climb *climb)
{
	struct compose_service *service = &climb->service;
	struct compose_profiles profiles;

	compose_profiles_of(service, &compose->arena, &profiles);
	for (size_t i = 0; i < profiles.count && service->unseen.code == ERR_NONE; i++)
		read_profile(compose, climb, &profiles.at[i], i);
}

static bool
is_inside(const char *at, struct text text)
{
	return at && at >= text.at && at < text.at + text.len;
}

/* Which document holds that byte; what stands nowhere is in `otherwise`. */
static const struct check_document *
document_of(const struct compose_check *compose, const char *at,
            const struct check_document *otherwise)
{
	for (size_t i = 0; i < compose->files.count; i++) {
		const struct compose_file *file = compose->files.at[i];

		for (size_t k = 0; k < file->count; k++) {
			if (is_inside(at, file->documents[k].text))
				return &file->documents[k];
		}
	}
	return otherwise;
}

static const char *
place_of(const struct climb *climb, const struct verdict *verdict)
{
	const struct compose_places *places = &climb->service.places;
	/* the byte in front of a definition belongs to its key */
	const char *key = climb->service.layers[0].at - 1, *at = NULL;

	if (verdict->reason == REASON_GUARD && verdict->guard >= 0)
		at = places->guards[verdict->guard];
	else if (verdict->has_posture && verdict->posture == POSTURE_UNREADABLE &&
	         climb->fault)
		at = climb->fault;
	else if (verdict->has_posture && verdict->posture != POSTURE_DEFAULT)
		at = places->postures[verdict->posture];
	return at ? at : key;
}

/* What the parts of that name say, the last of them first, each with what it extends. */
static void
put_together(struct compose_check *compose, struct text name, struct climb *climb)
{
	struct compose_service *service = &climb->service;

	service->name = name;
	service->merged = compose->overridden || compose->gathered > 1;
	for (size_t i = compose->count; i-- > 0;) {
		const struct compose_part *part = &compose->parts[i];

		if (part->err || part->again || !text_equal(part->name, name))
			continue;
		if (service->count >= COMPOSE_LAYERS_MAX) {
			(void)err_set(&service->unseen, ERR_LIMIT,
			              "merged from more than %d definitions",
			              COMPOSE_LAYERS_MAX);
			return;
		}
		service->own[service->count] = true;
		service->layers[service->count++] = part->object;
		climb->document = part->document;
		climb->folder = part->folder;
		if (part->conflict && service->unseen.code == ERR_NONE) {
			climb->fault = part->object.at - 1;
			(void)err_set(&service->unseen, ERR_AMBIGUOUS,
			              "another of the files that are included has a "
			              "service of that name; Compose refuses that");
		}
		if (service->unseen.code == ERR_NONE)
			climb_up(compose, climb);
	}
}

static void
add_worst(struct compose_check *compose, int found)
{
	compose->reported++;
	compose->worst = found > compose->worst ? found : compose->worst;
}

static void
judge_service(struct compose_check *compose, const struct compose_part *part)
{
	struct circumstances circumstances = check_circumstances(compose->check);
	cleanup_climb struct climb climb = {.fault = NULL};
	cleanup_decision struct decision decision = {0};
	const char *at;

	put_together(compose, part->name, &climb);
	read_profiles(compose, &climb);
	decide_compose(&climb.service, &circumstances, &decision);
	at = place_of(&climb, &decision.verdict);
	add_worst(compose,
	          check_report(compose->check, document_of(compose, at, part->document),
	                       at, &decision));
}

/* Is it the first, of those that are reported, of its name? */
static bool
is_first(const struct compose_check *compose, size_t index)
{
	const struct compose_part *parts = compose->parts;

	if (index < compose->report_from)
		return false;
	for (size_t i = compose->report_from; i < index; i++) {
		if (!parts[i].err && text_equal(parts[i].name, parts[index].name))
			return false;
	}
	return true;
}

void
compose_judge(struct compose_check *compose)
{
	for (size_t i = 0; i < compose->count; i++) {
		const struct compose_part *part = &compose->parts[i];

		if (part->err)
			add_worst(compose,
			          check_report_unread(compose->check, part->document,
			                              part->place, part->err));
		else if (is_first(compose, i))
			judge_service(compose, part);
	}
}
