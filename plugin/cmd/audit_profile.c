/* SPDX-License-Identifier: Apache-2.0 */
/* audit_profile.c - the engine's default profile: what it is, judged as at the door. */
#include "cmd_audit.h"
#include "core/seccomp.h"
#include "edge/file.h"

#include <jansson.h>
#include <string.h>

/* "weak: lets through mount, unshare and 3 more" */
static void
describe(const struct audit_engine *engine, struct buf *detail)
{
	const struct workload *workload = &engine->decision.workload;
	const struct container *container = &workload->containers[0];
	size_t shown = 0;

	if (container->postures & POSTURE_BIT(POSTURE_UNREADABLE)) {
		buf_str(detail, workload->unreadable.text);
		return;
	}
	buf_str(detail, posture_name(posture_worst(container->postures)));
	for (; container->weak_calls[shown]; shown++)
		buf_printf(detail, "%s%s", shown > 0 ? ", " : ": lets through ",
		           container->weak_calls[shown]);
	if (container->weak_count > shown)
		buf_printf(detail, " and %zu more", container->weak_count - shown);
}

/*
 * A file that we may be able to read: on this machine, and seen as the engine sees it. What
 * stands in it now is taken for what the engine read at its start. Its text is left in
 * `file`, which stays empty where it can't be seen.
 */
static void
judge_file(struct audit_engine *engine, const char *check, const char *path,
           struct buf *file)
{
	cleanup_buf struct buf detail = {0};
	enum audit_level level = AUDIT_ADVICE;
	struct err err = {0};

	buf_printf(&detail, "%s: ", path);
	if (!engine->target.socket) {
		buf_str(&detail, "can't be seen from here");
	} else if (file_read(path, SECCOMP_PROFILE_MAX, file, &err) != 0) {
		buf_clear(file);
		buf_printf(&detail, "can't be seen from here: %s", err.text);
	} else {
		audit_begin(engine);
		decide_profile(buf_text(file), &engine->circumstances, &engine->decision);
		describe(engine, &detail);
		if (engine->decision.verdict.decision == DECISION_DENY)
			level = AUDIT_FAIL;
	}
	audit_add_engine(engine, check, level, buf_ok(&detail) ? detail.at : path);
}

/* "name=seccomp,profile=builtin"; before API 1.25 "seccomp" (moby daemon/info.go). */
const char *
audit_look_at_seccomp(struct audit_engine *engine, const json_t *info)
{
	const json_t *options = json_object_get(info, "SecurityOptions"), *option;
	const char *profile = NULL;
	size_t i;

	json_array_foreach (options, i, option) {
		const char *text = json_string_value(option);
		const char *found = text ? strstr(text, "profile=") : NULL;

		if (!text || !strstr(text, "seccomp"))
			continue;
		profile = found ? found + strlen("profile=") : "default";
	}
	buf_clear(&engine->default_profile);
	engine->default_unconfined = !profile || strcmp(profile, "unconfined") == 0;
	if (!profile)
		audit_add_engine(
		    engine, "engine-seccomp", AUDIT_FAIL,
		    json_string_value(json_object_get(info, "KernelVersion")));
	else if (strcmp(profile, "unconfined") == 0)
		audit_add_engine(engine, "engine-default", AUDIT_FAIL, "seccomp-profile");
	else if (strcmp(profile, "builtin") != 0 && strcmp(profile, "default") != 0)
		judge_file(engine, "engine-profile", profile, &engine->default_profile);
	return profile;
}

void
audit_look_at_next_profile(struct audit_engine *engine, const char *next,
                           const char *profile)
{
	cleanup_buf struct buf file = {0};

	if (!next || next[0] == '\0' || !profile || strcmp(next, profile) == 0)
		return;
	if (next[0] == '/')
		judge_file(engine, "engine-next", next, &file);
	else
		audit_add_engine(
		    engine, "engine-next",
		    strcmp(next, "unconfined") == 0 ? AUDIT_FAIL : AUDIT_ADVICE, next);
}
