/* SPDX-License-Identifier: Apache-2.0 */
/* host_config.c - what a HostConfig means for the filter of a process. */
#include "core/host_config.h"

#include "core/seccomp.h"

static const struct json_field host_config[] = {HOST_CONFIG_FIELDS(0)};

int
host_config_read(struct json *json, void *ret_value)
{
	if (json_read_null(json))
		return 0;
	return json_read_struct(json, host_config,
	                        sizeof host_config / sizeof host_config[0], ret_value);
}

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

bool
annotation_replaces_filter(struct text annotation)
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
int
host_config_judge(const struct host_config *config, struct arena *arena,
                  struct container *container, struct err *err)
{
	if (config->privileged)
		add_posture(container, POSTURE_PRIVILEGED, TEXT_LIT("Privileged"));
	for (size_t i = 0; i < config->annotations.count; i++) {
		struct text key = config->annotations.at[i].key;

		if (annotation_replaces_filter(key))
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
