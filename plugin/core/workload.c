/* SPDX-License-Identifier: Apache-2.0 */
/* workload.c - names of the facts, and room for containers. */
#include "core/workload.h"

static const char *const doors[DOOR_COUNT] = {
    [DOOR_DOCKER] = "docker",
    [DOOR_KUBERNETES] = "kubernetes",
};

static const char *const postures[POSTURE_COUNT] = {
    [POSTURE_UNREADABLE] = "unreadable",
    [POSTURE_PRIVILEGED] = "privileged",
    [POSTURE_UNCONFINED] = "unconfined",
    [POSTURE_PERMISSIVE] = "permissive",
    [POSTURE_WEAK] = "weak",
    [POSTURE_UNSET] = "unset",
    [POSTURE_LOCALHOST] = "localhost",
    [POSTURE_CUSTOM] = "custom",
    [POSTURE_DEFAULT] = "default",
};

static const char *const guards[GUARD_COUNT] = {
    [GUARD_SELF] = "self",
    [GUARD_PLUGINS] = "plugins",
    [GUARD_LEGACY_START] = "legacy-start",
    [GUARD_RUNTIMES] = "runtimes",
    [GUARD_CHECKPOINT] = "checkpoint",
    [GUARD_BUILDS] = "builds",
    [GUARD_ROLLBACK] = "rollback",
    [GUARD_SWARM_MEMBERSHIP] = "swarm-membership",
};

static const char *const operations[OPERATION_COUNT] = {
    [OPERATION_NONE] = "none",
    [OPERATION_CREATE] = "create",
    [OPERATION_START] = "start",
    [OPERATION_SERVICE_CREATE] = "service-create",
    [OPERATION_SERVICE_UPDATE] = "service-update",
    [OPERATION_PLUGIN] = "plugin",
    [OPERATION_BUILD] = "build",
    [OPERATION_SWARM] = "swarm",
    [OPERATION_ADMISSION] = "admission",
    [OPERATION_INSPECT] = "inspect",
    [OPERATION_COMPOSE] = "compose",
    [OPERATION_PROFILE] = "profile",
    [OPERATION_INSPECT_SERVICE] = "inspect-service",
};

static int
index_of(const char *const *names, int count, struct text name)
{
	for (int i = 0; i < count; i++) {
		if (text_is(name, names[i]))
			return i;
	}
	return -1;
}

const char *
door_name(enum door door)
{
	return door < DOOR_COUNT ? doors[door] : NULL;
}

const char *
posture_name(enum posture posture)
{
	return posture < POSTURE_COUNT ? postures[posture] : NULL;
}

const char *
guard_name(enum guard guard)
{
	return guard < GUARD_COUNT ? guards[guard] : NULL;
}

const char *
operation_name(enum operation operation)
{
	return operation < OPERATION_COUNT ? operations[operation] : NULL;
}

int
door_from_name(struct text name)
{
	return index_of(doors, DOOR_COUNT, name);
}

int
posture_from_name(struct text name)
{
	return index_of(postures, POSTURE_COUNT, name);
}

int
guard_from_name(struct text name)
{
	return index_of(guards, GUARD_COUNT, name);
}

enum posture
posture_worst(unsigned set)
{
	for (enum posture posture = 0; posture < POSTURE_COUNT; posture++) {
		if (set & POSTURE_BIT(posture))
			return posture;
	}
	return POSTURE_UNREADABLE;
}

struct container *
workload_add(struct workload *workload, struct arena *arena)
{
	size_t count = workload->count;
	struct container *containers;

	if (count >= WORKLOAD_CONTAINERS_MAX)
		return NULL;
	/* room doubles at powers of two; arena_array() zeroes it */
	if ((count & (count - 1)) == 0) {
		containers =
		    arena_array(arena, count ? count * 2 : 1, sizeof *containers);
		if (!containers)
			return NULL;
		if (count > 0)
			memcpy(containers, workload->containers,
			       count * sizeof *containers);
		workload->containers = containers;
	}
	return &workload->containers[workload->count++];
}

void
workload_set_unreadable(struct workload *workload, struct container *container,
                        const struct err *why)
{
	if (!container && workload->count > 0)
		container = &workload->containers[0];
	if (container)
		container->postures |= POSTURE_BIT(POSTURE_UNREADABLE);
	if (workload->unreadable.code == ERR_NONE)
		workload->unreadable = *why;
}

void
workload_add_unseen(struct workload *workload, struct arena *arena, const struct err *why)
{
	workload_set_unreadable(workload, workload_add(workload, arena), why);
}
