/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kubernetes_pod - pods and the objects that hold a template of one; for the kubernetes*
 * files only.
 *
 * Invariant: a pod's JSON is walked once and nothing but what is judged is kept; what it
 * means is told afterwards, since its members come in any order. Pure.
 */
#pragma once

#include "core/json_go.h"
#include "core/workload.h"

#include <stdbool.h>
#include <stddef.h>

/* Where in an object the pod stands. */
enum pod_place {
	POD_ITSELF,       /* Pod */
	POD_TEMPLATE,     /* .template: PodTemplate */
	POD_SPEC,         /* .spec.template */
	POD_SPEC_OR_NONE, /* the same, but there may be none: ReplicationController */
	POD_JOB,          /* .spec.jobTemplate.spec.template: CronJob */
};

/* A kind that runs pods. */
struct pod_kind {
	const char *kind, *resource;
	enum pod_place place;
};

/* The kind of that name in an API group of Kubernetes' own; NULL: none that we judge. */
const struct pod_kind *pod_kind_of(struct text group, struct text kind);
const struct pod_kind *pod_kind_of_resource(struct text group, struct text resource);

/* "apps" of "apps/v1", "" of "v1". */
struct text api_group(struct text api_version);

/* A seccompProfile as it stands there. */
struct pod_seccomp {
	bool given; /* an object, also an empty one */
	struct text type, local;
};

struct pod_container {
	struct text name, image;
	bool privileged;
	struct pod_seccomp seccomp;
};

struct pod {
	bool given, spec_given;
	struct text_map labels;
	struct text annotation;        /* seccomp.security.alpha.kubernetes.io/pod */
	struct text_map annotations;   /* container.seccomp...: container -> profile */
	struct text filter_annotation; /* a key that makes a runtime replace the filter */
	struct pod_seccomp seccomp;
	struct text runtime_class, os;
	struct pod_container *containers; /* in the arena */
	size_t count;
};

/* An object, as far as it is judged. */
struct pod_object {
	struct text api_version, kind;
	struct text name, space;
	struct pod pod;
};

/* Reads an object whose pod stands at `place`. */
int pod_object_read(struct text bytes, enum pod_place place, struct arena *arena,
                    struct pod_object *ret_object, struct err *err);

/* Adds the pod's containers to `workload`. */
int pod_judge(const struct pod *pod, struct arena *arena, struct workload *workload,
              struct err *err);
