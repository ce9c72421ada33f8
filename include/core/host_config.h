/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_config - the part of create bodies and inspect documents that decides whether a
 * process gets a filter; for the docker_* readers only.
 *
 * Invariant: what engines read of it for that is in these fields. Pure.
 */
#pragma once

#include "core/json_go.h"
#include "core/workload.h"

#include <stdbool.h>
#include <stddef.h>

struct host_config {
	struct text_list security_opt;
	struct text_map annotations;
	struct text runtime;
	struct text cap_add, cap_drop; /* raw: a string or a list (strslice.StrSlice) */
	bool privileged;
};

/* Rows for a table of a struct that has a struct host_config at offset `base`. */
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

/* Reads an object, or null, into a struct host_config; a row's `read`. */
int host_config_read(struct json *json, void *ret_value);

/* Adds to `container` what one place where a HostConfig can stand says. -1: it can't be
   read with certainty. */
int host_config_judge(const struct host_config *config, struct arena *arena,
                      struct container *container, struct err *err);

/* Does an annotation of this key make some runtime replace or drop the filter? */
bool annotation_replaces_filter(struct text annotation);
