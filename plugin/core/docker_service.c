/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker_service.c - Swarm service create and update -> workload.
 *
 * The engine turns TaskTemplate.ContainerSpec.Privileges.Seccomp into a seccomp option
 * (moby daemon/cluster/executor/container/container.go, 25.0 to HEAD): "unconfined" as it
 * is, "custom" with the profile's bytes behind "seccomp=", anything else as the default.
 */
#include "core/docker.h"

#include "core/base64.h"
#include "core/json_go.h"
#include "core/seccomp.h"

struct service_body {
	struct text name, image, runtime;
	struct text mode, profile; /* of Privileges.Seccomp; profile in base64 */
	struct text_map labels;
	bool plugin_spec;
};

#define FIELD(member) offsetof(struct service_body, member)
#define COUNT(table)  (sizeof(table) / sizeof(table)[0])

static const struct json_field seccomp_fields[] = {
    {"Mode", json_read_text, FIELD(mode)},
    {"Profile", json_read_text, FIELD(profile)},
};

/* The objects on the way; each reads into the one struct, so offsets start at its base. */
static int
read_seccomp(struct json *json, void *body)
{
	if (json_read_null(json))
		return 0;
	return json_read_struct(json, seccomp_fields, COUNT(seccomp_fields), body);
}

static const struct json_field privileges_fields[] = {{"Seccomp", read_seccomp, 0}};

static int
read_privileges(struct json *json, void *body)
{
	if (json_read_null(json))
		return 0;
	return json_read_struct(json, privileges_fields, COUNT(privileges_fields), body);
}

static const struct json_field container_fields[] = {
    {"Image", json_read_text, FIELD(image)},
    {"Labels", json_read_text_map, FIELD(labels)},
    {"Privileges", read_privileges, 0},
};

static int
read_container_spec(struct json *json, void *body)
{
	if (json_read_null(json))
		return 0;
	return json_read_struct(json, container_fields, COUNT(container_fields), body);
}

static const struct json_field task_fields[] = {
    {"ContainerSpec", read_container_spec, 0},
    {"Runtime", json_read_text, FIELD(runtime)},
    {"PluginSpec", json_read_present, FIELD(plugin_spec)},
};

static int
read_task_template(struct json *json, void *body)
{
	if (json_read_null(json))
		return 0;
	return json_read_struct(json, task_fields, COUNT(task_fields), body);
}

static const struct json_field service_fields[] = {
    {"Name", json_read_text, FIELD(name)},
    {"TaskTemplate", read_task_template, 0},
};

static int
judge_custom(const struct service_body *service, struct arena *arena,
             struct container *container, struct err *err)
{
	char *profile = arena_alloc(arena, BASE64_ROOM(service->profile.len));
	long len;

	if (!profile)
		return err_set(err, ERR_MEMORY, "out of memory");
	len = base64_decode(service->profile, profile);
	if (len < 0)
		return err_set(err, ERR_TYPE, "Profile is not base64");
	if (text_is((struct text){.at = profile, .len = (size_t)len}, "unconfined"))
		container->setting = TEXT_LIT("Privileges.Seccomp.Profile unconfined");
	return seccomp_judge((struct text){.at = profile, .len = (size_t)len}, arena,
	                     container, err);
}

static int
judge_mode(const struct service_body *service, struct arena *arena,
           struct container *container, struct err *err)
{
	if (text_is(service->mode, "unconfined")) {
		container->setting = TEXT_LIT("Privileges.Seccomp.Mode unconfined");
		container->postures |= POSTURE_BIT(POSTURE_UNCONFINED);
		return 0;
	}
	if (text_is(service->mode, "custom"))
		return judge_custom(service, arena, container, err);
	if (service->mode.len > 0 && !text_is(service->mode, "default"))
		return err_set(err, ERR_TYPE,
		               "Privileges.Seccomp.Mode is none of default, unconfined, "
		               "custom");
	container->postures |= POSTURE_BIT(POSTURE_DEFAULT);
	container->asked_nothing = true;
	return 0;
}

static int
read_service(struct text body, struct arena *arena, struct container *container,
             struct err *err)
{
	struct service_body service = {0};
	struct json json = json_start(body, arena, err);

	if (json_read_struct(&json, service_fields, COUNT(service_fields), &service) !=
	        0 ||
	    json_finish(&json) != 0)
		return -1;
	container->name = service.name.len > 0 ? service.name : (struct text){0};
	container->image = image_ref_parse(service.image, arena);
	container->labels = service.labels;
	if (text_is(service.runtime, "plugin") || service.plugin_spec)
		container->guards |= GUARD_BIT(GUARD_PLUGINS);
	else if (service.runtime.len > 0 && !text_is(service.runtime, "container"))
		return err_set(err, ERR_TYPE,
		               "TaskTemplate.Runtime is neither container nor plugin");
	return judge_mode(&service, arena, container, err);
}

void
docker_service_read(struct text body, struct arena *arena, struct workload *workload)
{
	struct err err = {0};
	struct container *container = workload_add(workload, arena);

	if (!container)
		return; /* a workload without containers is denied */
	if (read_service(body, arena, container, &err) != 0)
		workload_set_unreadable(workload, container, &err);
}
