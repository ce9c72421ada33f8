/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker_create.c - create and start-with-HostConfig bodies -> workload.
 *
 * Engines up to 26.1 take the fields of a HostConfig from the root of the body when
 * "HostConfig" is absent or null (runconfig/config_unix.go, ContainerConfigWrapper; gone
 * in 27.0), so both places are read and both count.
 */
#include "core/docker.h"

#include "core/json_go.h"
#include "core/seccomp.h"

/* The fields of a HostConfig that decide whether a process gets a filter. */
struct host_config {
	struct text_list security_opt;
	struct text_map annotations;
	struct text runtime;
	struct text cap_add, cap_drop; /* raw: a string or a list (strslice.StrSlice) */
	bool privileged;
};

struct create_body {
	struct host_config root, inner;
	struct text image;
	struct text_map labels;
};

#define HOST_CONFIG_FIELDS(base)                                                         \
	{"SecurityOpt", json_read_text_list,                                             \
	 (base) + offsetof(struct host_config, security_opt)},                           \
	    {"Privileged", json_read_bool,                                               \
	     (base) + offsetof(struct host_config, privileged)},                         \
	    {"Runtime", json_read_text, (base) + offsetof(struct host_config, runtime)}, \
	    {"Annotations", json_read_text_map,                                          \
	     (base) + offsetof(struct host_config, annotations)},                        \
	    {"CapAdd", json_read_raw, (base) + offsetof(struct host_config, cap_add)},   \
	{                                                                                \
		"CapDrop", json_read_raw,                                                \
		    (base) + offsetof(struct host_config, cap_drop)                      \
	}

static const struct json_field host_config[] = {HOST_CONFIG_FIELDS(0)};

static int
read_host_config(struct json *json, void *ret_value)
{
	if (json_read_null(json))
		return 0;
	return json_read_struct(json, host_config,
	                        sizeof host_config / sizeof host_config[0], ret_value);
}

static const struct json_field create_body[] = {
    HOST_CONFIG_FIELDS(offsetof(struct create_body, root)),
    {"HostConfig", read_host_config, offsetof(struct create_body, inner)},
    {"Image", json_read_text, offsetof(struct create_body, image)},
    {"Labels", json_read_text_map, offsetof(struct create_body, labels)},
};

/*
 * Annotations that make a runtime replace or drop the filter: crun's (crun.1, "run.oci.*";
 * src/libcrun/container.c), Kata's and gVisor's. A '*' at the end stands for any rest.
 */
static const char *const filter_annotations[] = {
    "run.oci.seccomp*",
    "run.oci.handler",
    "io.katacontainers.config_path",
    "io.katacontainers.config.runtime.disable_guest_seccomp",
    "io.katacontainers.config.agent.*",
    "dev.gvisor.flag.*",
};

static bool
replaces_filter(struct text annotation)
{
	for (size_t i = 0; i < sizeof filter_annotations / sizeof filter_annotations[0];
	     i++) {
		const char *name = filter_annotations[i];
		size_t stem = strcspn(name, "*");

		if (name[stem] == '*'
		        ? annotation.len >= stem && memcmp(annotation.at, name, stem) == 0
		        : text_is(annotation, name))
			return true;
	}
	return false;
}

/* Remembers what decided, for the message: the first thing that is worse than default. */
static void
add_posture(struct container *container, enum posture posture, struct text setting)
{
	container->postures |= POSTURE_BIT(posture);
	if (!container->setting.at)
		container->setting = setting;
}

/* The last SecurityOpt entry for seccomp, judged. */
static int
judge_security_opt(const struct host_config *config, struct arena *arena,
                   struct container *container, struct err *err)
{
	struct seccomp_opt opt = {0};

	if (seccomp_opt_read(config->security_opt, &opt, err) != 0)
		return err_wrap(err, "SecurityOpt");
	if (!opt.given)
		return 0;
	if (seccomp_judge(opt.value, arena, container, err) != 0)
		return err_wrap(err, "SecurityOpt");
	if (text_is(opt.value, "unconfined") && !container->setting.at)
		container->setting = opt.entry;
	return 0;
}

/* One place where a HostConfig can stand. -1: it can't be read with certainty. */
static int
judge_host_config(const struct host_config *config, struct arena *arena,
                  struct container *container, struct err *err)
{
	if (config->privileged)
		add_posture(container, POSTURE_PRIVILEGED, TEXT_LIT("Privileged"));
	for (size_t i = 0; i < config->annotations.count; i++) {
		struct text key = config->annotations.at[i].key;

		if (replaces_filter(key))
			add_posture(container, POSTURE_UNCONFINED, key);
	}
	if (config->runtime.len > 0) {
		if (container->runtime.len > 0 &&
		    !text_equal(container->runtime, config->runtime))
			return err_set(err, ERR_AMBIGUOUS,
			               "Runtime: one at the root, another in HostConfig");
		container->runtime = config->runtime;
	}
	return judge_security_opt(config, arena, container, err);
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
	if (judge_host_config(&create.inner, arena, container, err) != 0)
		return -1;
	if (container->postures == 0) { /* 27.0 and later see no more than this */
		container->postures = POSTURE_BIT(POSTURE_DEFAULT);
		container->asked_nothing = true;
	}
	return judge_host_config(&create.root, arena, container, err);
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

static const struct json_field start_body[] = {
    HOST_CONFIG_FIELDS(offsetof(struct create_body, root)),
    {"HostConfig", read_host_config, offsetof(struct create_body, inner)},
};

/* A start replaces the whole HostConfig but for a seccomp entry that it doesn't have
   (daemon/start.go up to 24.0: the stored profile stays). */
static int
read_start(struct text body, struct arena *arena, struct container *container,
           struct err *err)
{
	struct create_body start = {0};
	struct json json = json_start(body, arena, err);
	bool given;

	if (json_read_null(&json))
		return json_finish(&json);
	if (json_read_struct(&json, start_body, sizeof start_body / sizeof start_body[0],
	                     &start) != 0 ||
	    json_finish(&json) != 0 ||
	    judge_host_config(&start.inner, arena, container, err) != 0 ||
	    judge_host_config(&start.root, arena, container, err) != 0)
		return -1;
	given = container->postures & ~POSTURE_BIT(POSTURE_PRIVILEGED);
	if (given ||
	    (is_empty_list(start.inner.cap_add) && is_empty_list(start.inner.cap_drop) &&
	     is_empty_list(start.root.cap_add) && is_empty_list(start.root.cap_drop)))
		return 0;
	return err_set(err, ERR_AMBIGUOUS,
	               "CapAdd or CapDrop without a seccomp option: what the stored "
	               "profile does with them can't be seen");
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
