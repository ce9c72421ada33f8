/* SPDX-License-Identifier: Apache-2.0 */
/* docker_inspect.c - `docker inspect` and `docker service inspect` -> workload. */
#include "core/docker_inspect.h"

#include "core/docker.h"
#include "core/host_config.h"
#include "core/seccomp.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* ---- the shape: a list, containers, services ---- */

struct outline {
	bool host_config, spec, previous;
};

static const struct json_field outline[] = {
    {"HostConfig", json_read_present, offsetof(struct outline, host_config)},
    {"Spec", json_read_present, offsetof(struct outline, spec)},
    {"PreviousSpec", json_read_present, offsetof(struct outline, previous)},
};

struct walk {
	int (*each)(const struct inspect_part *part, void *context);
	void *context;
};

static int
walk_object(struct json *json, size_t index, void *context)
{
	const struct walk *walk = context;
	struct inspect_part part = {.kind = INSPECT_OTHER};
	struct outline found = {0};
	struct err ignored = {0};
	struct json object;

	if (index >= INSPECT_PARTS_MAX)
		return json_fail(json, ERR_LIMIT, "more than %d objects",
		                 INSPECT_PARTS_MAX);
	if (json_peek(json) != JSON_OBJECT)
		return json_fail(json, ERR_TYPE, "should be what docker inspect prints");
	if (json_read_raw(json, &part.object) != 0)
		return -1;
	object = json_start(part.object, json->arena, &ignored);
	if (json_read_struct(&object, outline, COUNT(outline), &found) == 0)
		part.kind = found.host_config ? INSPECT_CONTAINER
		            : found.spec      ? INSPECT_SERVICE
		                              : INSPECT_OTHER;
	if (walk->each(&part, walk->context) != 0)
		return -1;
	part.kind = INSPECT_PREVIOUS;
	return found.previous ? walk->each(&part, walk->context) : 0;
}

int
docker_inspect_each(struct text bytes, struct arena *arena,
                    int (*each)(const struct inspect_part *part, void *context),
                    void *context, struct err *err)
{
	struct walk walk = {.each = each, .context = context};
	struct json json = json_start(bytes, arena, err);
	int result = json_peek(&json) == JSON_LIST
	                 ? json_read_list(&json, walk_object, &walk)
	                 : walk_object(&json, 0, &walk);

	return result == 0 ? json_finish(&json) : -1;
}

/* ---- the document ---- */

struct document {
	struct inspected about;
	struct text pid; /* raw */
	struct text name, service_name, spec, previous;
	struct text_map labels;
	struct host_config host;
	bool has_host;
};

#define FIELD(member) offsetof(struct document, member)

/* The objects on the way; each reads into the one struct, so offsets start at its base. */
static int
read_part(struct json *json, const struct json_field *fields, size_t count, void *into)
{
	return json_read_null(json) ? 0 : json_read_struct(json, fields, count, into);
}

static int
read_config(struct json *json, void *into)
{
	static const struct json_field fields[] = {
	    {"Image", json_read_text, FIELD(about.image)},
	    {"Labels", json_read_text_map, FIELD(labels)},
	};

	return read_part(json, fields, COUNT(fields), into);
}

static int
read_state(struct json *json, void *into)
{
	static const struct json_field fields[] = {
	    {"Status", json_read_text, FIELD(about.status)},
	    {"Pid", json_read_raw, FIELD(pid)},
	};

	return read_part(json, fields, COUNT(fields), into);
}

static int
read_host(struct json *json, void *into)
{
	struct document *document = into;

	document->has_host = json_peek(json) == JSON_OBJECT;
	return host_config_read(json, &document->host);
}

static const struct json_field container_fields[] = {
    {"Id", json_read_text, FIELD(about.id)},
    {"Name", json_read_text, FIELD(name)},
    {"Config", read_config, 0},
    {"State", read_state, 0},
    {"HostConfig", read_host, 0},
};

static const struct json_field service_fields[] = {
    {"ID", json_read_text, FIELD(about.id)},
    {"Spec", json_read_raw, FIELD(spec)},
    {"PreviousSpec", json_read_raw, FIELD(previous)},
};

static int
read_document(const struct inspect_part *part, struct arena *arena,
              struct document *document, struct err *err)
{
	struct json json = json_start(part->object, arena, err);

	if (part->kind == INSPECT_OTHER)
		return err_set(
		    err, ERR_TYPE,
		    "neither a container nor a service: no HostConfig, no Spec");
	if (part->kind == INSPECT_CONTAINER
	        ? json_read_struct(&json, container_fields, COUNT(container_fields),
	                           document)
	        : json_read_struct(&json, service_fields, COUNT(service_fields),
	                           document))
		return -1;
	return json_finish(&json);
}

/* Names have a '/' in front (moby container.Name). */
static struct text
plain_name(struct text name)
{
	if (name.len > 0 && name.at[0] == '/')
		name = text_from(name, 1);
	return name.len > 0 ? name : (struct text){0};
}

/* Digits; anything else is no pid. */
static long
read_pid(struct text raw)
{
	long pid = 0;

	if (raw.len > 9)
		return 0;
	for (size_t i = 0; i < raw.len; i++) {
		if (raw.at[i] < '0' || raw.at[i] > '9')
			return 0;
		pid = pid * 10 + (raw.at[i] - '0');
	}
	return pid;
}

void
docker_inspect_about(const struct inspect_part *part, struct arena *arena,
                     struct inspected *ret_inspected)
{
	struct document document = {.pid = {0}};
	struct workload workload = {0};
	struct err ignored = {0};

	(void)read_document(part, arena, &document, &ignored);
	*ret_inspected = document.about;
	ret_inspected->name = plain_name(document.name);
	ret_inspected->pid = read_pid(document.pid);
	ret_inspected->security_opt = document.host.security_opt;
	if (part->kind != INSPECT_SERVICE && part->kind != INSPECT_PREVIOUS)
		return;
	docker_service_read(part->kind == INSPECT_SERVICE ? document.spec
	                                                  : document.previous,
	                    arena, &workload);
	if (workload.count > 0) {
		ret_inspected->name = workload.containers[0].name;
		ret_inspected->image = workload.containers[0].image.text;
	}
}

/* ---- what it would run ---- */

/* The engine's default in place of its built-in one. At least as strict as that, it is a
   default like any other. */
static void
add_default_profile(struct text profile, struct arena *arena, struct workload *workload)
{
	struct container *container = &workload->containers[0], alone = {0};
	struct err err = {0};

	if (seccomp_judge_profile(profile, arena, &alone, &err) != 0) {
		workload_set_unreadable(workload, container, &err);
		return;
	}
	if (alone.postures == POSTURE_BIT(POSTURE_CUSTOM))
		return;
	container->postures &= ~POSTURE_BIT(POSTURE_DEFAULT);
	container->postures |= alone.postures;
	if (!container->profile.at) {
		container->profile = profile;
		memcpy(container->weak_calls, alone.weak_calls, sizeof alone.weak_calls);
		container->weak_count = alone.weak_count;
	}
	container->setting =
	    TEXT_LIT("no profile of its own, and the engine's default is a file");
}

/* What the engine and the kernel add to it: postures only get worse. */
static void
add_context(const struct inspect_context *context, struct arena *arena,
            struct workload *workload)
{
	struct container *container = &workload->containers[0];
	unsigned none = POSTURE_BIT(POSTURE_PRIVILEGED) | POSTURE_BIT(POSTURE_UNCONFINED);

	if (text_equal(container->runtime, context->default_runtime))
		container->runtime = (struct text){0};
	if (context->default_unconfined && container->asked_nothing) {
		container->asked_nothing = false;
		container->postures &= ~POSTURE_BIT(POSTURE_DEFAULT);
		container->postures |= POSTURE_BIT(POSTURE_UNCONFINED);
		container->setting =
		    TEXT_LIT("no profile of its own, and the engine's default is none");
	}
	if (context->default_profile.at && container->asked_nothing)
		add_default_profile(context->default_profile, arena, workload);
	if (context->unfiltered && !(container->postures & none)) {
		container->postures |= POSTURE_BIT(POSTURE_UNCONFINED);
		container->setting = TEXT_LIT("the kernel says Seccomp: 0");
	}
}

static int
read_container(const struct inspect_part *part, struct arena *arena,
               struct container *container, struct err *err)
{
	struct document document = {.pid = {0}};

	if (read_document(part, arena, &document, err) != 0)
		return -1;
	if (!document.has_host)
		return err_set(err, ERR_TYPE, "HostConfig: is missing");
	container->name = plain_name(document.name);
	container->image = image_ref_parse(document.about.image, arena);
	container->labels = document.labels;
	container->annotations = document.host.annotations;
	if (host_config_judge(&document.host, arena, container, err) != 0)
		return -1;
	if (container->postures == 0) {
		container->postures = POSTURE_BIT(POSTURE_DEFAULT);
		container->asked_nothing = true;
	}
	return 0;
}

static void
read_service(const struct inspect_part *part, struct arena *arena,
             struct workload *workload)
{
	struct document document = {.pid = {0}};
	struct err err = {0};

	if (read_document(part, arena, &document, &err) != 0)
		workload_add_unseen(workload, arena, &err);
	else
		docker_service_read(part->kind == INSPECT_SERVICE ? document.spec
		                                                  : document.previous,
		                    arena, workload);
}

void
docker_inspect_read(const struct inspect_part *part,
                    const struct inspect_context *context, struct arena *arena,
                    struct workload *workload)
{
	struct container *container;
	struct err err = {0};

	if (part->kind == INSPECT_SERVICE || part->kind == INSPECT_PREVIOUS) {
		workload->operation = OPERATION_INSPECT_SERVICE;
		read_service(part, arena, workload);
	} else {
		workload->operation = OPERATION_INSPECT;
		container = workload_add(workload, arena);
		if (container && read_container(part, arena, container, &err) != 0)
			workload_set_unreadable(workload, container, &err);
	}
	if (workload->count > 0)
		add_context(context, arena, workload);
}
