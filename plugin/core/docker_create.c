/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker_create.c - create and start-with-HostConfig bodies -> workload.
 *
 * Engines up to 26.1 take the fields of a HostConfig from the root of the body when
 * "HostConfig" is absent or null (runconfig/config_unix.go, ContainerConfigWrapper; gone
 * in 27.0), so both places are read. With a HostConfig the root means nothing to any of
 * them; that is refused, so that nothing at the root can meet a criterion of an exception.
 */
#include "core/docker.h"

#include "core/host_config.h"
#include "core/seccomp.h"

struct create_body {
	struct host_config root, inner;
	bool has_inner; /* "HostConfig" is an object */
	struct text image;
	struct text_map labels;
};

/* Reads into the struct create_body itself: its row has the offset 0. */
static int
read_inner(struct json *json, void *ret_body)
{
	struct create_body *body = ret_body;

	body->has_inner = json_peek(json) != JSON_NULL;
	return host_config_read(json, &body->inner);
}

static const struct json_field create_body[] = {
    HOST_CONFIG_FIELDS(offsetof(struct create_body, root)),
    {"HostConfig", read_inner, 0},
    {"Image", json_read_text, offsetof(struct create_body, image)},
    {"Labels", json_read_text_map, offsetof(struct create_body, labels)},
};

static bool
says_something(const struct host_config *config)
{
	return config->privileged || config->security_opt.count > 0 ||
	       config->annotations.count > 0 || config->runtime.len > 0;
}

static int
check_places(const struct create_body *body, struct err *err)
{
	if (!body->has_inner || !says_something(&body->root))
		return 0;
	return err_set(
	    err, ERR_AMBIGUOUS,
	    "SecurityOpt, Privileged, Runtime or Annotations at the root, beside "
	    "a HostConfig");
}

static int
read_create(struct text body, struct arena *arena, struct container *container,
            struct err *err)
{
	struct create_body create = {0};
	struct json json = json_start(body, arena, err);

	if (json_read_struct(&json, create_body,
	                     sizeof create_body / sizeof create_body[0], &create) != 0 ||
	    json_finish(&json) != 0)
		return -1;
	container->image = image_ref_parse(create.image, arena);
	container->labels = create.labels;
	container->annotations = create.inner.annotations;
	if (check_places(&create, err) != 0 ||
	    host_config_judge(&create.inner, arena, container, err) != 0)
		return -1;
	if (container->postures == 0) { /* 27.0 and later see no more than this */
		container->postures = POSTURE_BIT(POSTURE_DEFAULT);
		container->asked_nothing = true;
	}
	return host_config_judge(&create.root, arena, container, err);
}

void
docker_create_read(struct text body, struct text name, struct arena *arena,
                   struct workload *workload)
{
	struct err err = {0};
	struct container *container = workload_add(workload, arena);

	if (!container)
		return; /* a workload without containers is denied */
	container->name = name;
	if (read_create(body, arena, container, &err) != 0)
		workload_set_unreadable(workload, container, &err);
}

/* Is this raw JSON value an empty list, or none? */
static bool
is_empty_list(struct text raw)
{
	if (raw.len == 0 || text_is(raw, "null"))
		return true;
	for (size_t i = 1; i + 1 < raw.len; i++) {
		if (!strchr(" \t\r\n", raw.at[i]))
			return false;
	}
	return raw.at[0] == '[' || text_is(raw, "\"\"");
}

/* Other capabilities, and no seccomp entry beside them: which of the two places counts
   depends on the other, so each must do for itself. */
static bool
has_unseen_effect(const struct host_config *config)
{
	struct seccomp_opt opt = {0};
	struct err ignored = {0};

	if (is_empty_list(config->cap_add) && is_empty_list(config->cap_drop))
		return false;
	return seccomp_opt_read(config->security_opt, &opt, &ignored) != 0 || !opt.given;
}

static const struct json_field start_body[] = {
    HOST_CONFIG_FIELDS(offsetof(struct create_body, root)),
    {"HostConfig", read_inner, 0},
};

/* A start replaces the whole HostConfig but for a seccomp entry that it doesn't have
   (daemon/start.go up to 24.0: the stored profile stays). */
static int
read_start(struct text body, struct arena *arena, struct container *container,
           struct err *err)
{
	struct create_body start = {0};
	struct json json = json_start(body, arena, err);

	if (json_read_null(&json))
		return json_finish(&json);
	if (json_read_struct(&json, start_body, sizeof start_body / sizeof start_body[0],
	                     &start) != 0 ||
	    json_finish(&json) != 0 || check_places(&start, err) != 0 ||
	    host_config_judge(&start.inner, arena, container, err) != 0 ||
	    host_config_judge(&start.root, arena, container, err) != 0)
		return -1;
	if (has_unseen_effect(&start.inner) || has_unseen_effect(&start.root))
		return err_set(err, ERR_AMBIGUOUS,
		               "CapAdd or CapDrop without a seccomp option: what the "
		               "stored profile does with them can't be seen");
	return 0;
}

void
docker_start_read(struct text body, struct text name, struct arena *arena,
                  struct workload *workload)
{
	struct err err = {0};
	struct container *container = workload_add(workload, arena);

	if (!container)
		return;
	container->name = name;
	container->guards |= GUARD_BIT(GUARD_LEGACY_START);
	if (read_start(body, arena, container, &err) != 0)
		workload_set_unreadable(workload, container, &err);
	if (container->postures == 0)
		container->postures = POSTURE_BIT(POSTURE_DEFAULT);
}
