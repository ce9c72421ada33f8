/* SPDX-License-Identifier: Apache-2.0 */
/* kubernetes_object.c - objects of Kubernetes: which hold a pod, where, and its fields. */
#include "core/kubernetes_pod.h"

#include "core/host_config.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* k8s.io/api core/v1 annotation_key_constants.go */
#define POD_ANNOTATION       "seccomp.security.alpha.kubernetes.io/pod"
#define CONTAINER_ANNOTATION "container.seccomp.security.alpha.kubernetes.io/"

/* ---- kinds ---- */

/* PSA's podSpecResources (admission/admission.go). */
static const struct pod_kind kinds[] = {
    {"Pod", "pods", POD_ITSELF},
    {"PodTemplate", "podtemplates", POD_TEMPLATE},
    {"ReplicationController", "replicationcontrollers", POD_SPEC_OR_NONE},
    {"ReplicaSet", "replicasets", POD_SPEC},
    {"Deployment", "deployments", POD_SPEC},
    {"StatefulSet", "statefulsets", POD_SPEC},
    {"DaemonSet", "daemonsets", POD_SPEC},
    {"Job", "jobs", POD_SPEC},
    {"CronJob", "cronjobs", POD_JOB},
};

/* Others have kinds of the same names (batch.volcano.sh: Job) that are no such objects. */
static bool
is_own_group(struct text group)
{
	static const char *const groups[] = {"", "apps", "batch", "extensions"};

	for (size_t i = 0; i < COUNT(groups); i++) {
		if (text_is(group, groups[i]))
			return true;
	}
	return false;
}

const struct pod_kind *
pod_kind_of(struct text group, struct text kind)
{
	for (size_t i = 0; i < COUNT(kinds) && is_own_group(group); i++) {
		if (text_is(kind, kinds[i].kind))
			return &kinds[i];
	}
	return NULL;
}

const struct pod_kind *
pod_kind_of_resource(struct text group, struct text resource)
{
	for (size_t i = 0; i < COUNT(kinds) && is_own_group(group); i++) {
		if (text_is(resource, kinds[i].resource))
			return &kinds[i];
	}
	return NULL;
}

struct text
api_group(struct text api_version)
{
	size_t slash = text_find(api_version, '/');

	return slash < api_version.len ? text_first(api_version, slash) : TEXT_LIT("");
}

/* ---- a pod's fields ---- */

/* Null stands for nothing given, as for Go. */
static int
read_part(struct json *json, const struct json_field *fields, size_t count, void *into)
{
	return json_read_null(json) ? 0 : json_read_struct(json, fields, count, into);
}

static int
read_profile(struct json *json, void *into)
{
	static const struct json_field fields[] = {
	    {"type", json_read_text, offsetof(struct pod_seccomp, type)},
	    {"localhostProfile", json_read_text, offsetof(struct pod_seccomp, local)},
	};
	struct pod_seccomp *seccomp = into;

	seccomp->given = json_peek(json) != JSON_NULL;
	return read_part(json, fields, COUNT(fields), into);
}

static int
read_container_context(struct json *json, void *into)
{
	static const struct json_field fields[] = {
	    {"privileged", json_read_bool, offsetof(struct pod_container, privileged)},
	    {"seccompProfile", read_profile, offsetof(struct pod_container, seccomp)},
	};

	return read_part(json, fields, COUNT(fields), into);
}

static const struct json_field container_fields[] = {
    {"name", json_read_text, offsetof(struct pod_container, name)},
    {"image", json_read_text, offsetof(struct pod_container, image)},
    {"securityContext", read_container_context, 0},
};

/* Room for one more: doubles at powers of two. */
static int
make_room(struct json *json, struct pod *pod)
{
	size_t count = pod->count;
	struct pod_container *wider;

	if (count >= WORKLOAD_CONTAINERS_MAX)
		return json_fail(json, ERR_LIMIT, "more than %d containers",
		                 WORKLOAD_CONTAINERS_MAX);
	if ((count & (count - 1)) != 0)
		return 0;
	wider = arena_array(json->arena, count ? count * 2 : 1, sizeof *wider);
	if (!wider)
		return json_fail(json, ERR_MEMORY, "out of memory");
	if (count > 0)
		memcpy(wider, pod->containers, count * sizeof *wider);
	pod->containers = wider;
	return 0;
}

static int
add_container(struct json *json, size_t index, void *context)
{
	struct pod *pod = context;

	(void)index;
	if (json_peek(json) == JSON_NULL)
		return json_fail(json, ERR_AMBIGUOUS, "null as a container");
	if (make_room(json, pod) != 0)
		return -1;
	return json_read_struct(json, container_fields, COUNT(container_fields),
	                        &pod->containers[pod->count++]);
}

static int
read_containers(struct json *json, void *into)
{
	return json_read_list(json, add_container, into);
}

static int
read_pod_context(struct json *json, void *into)
{
	static const struct json_field fields[] = {
	    {"seccompProfile", read_profile, offsetof(struct pod, seccomp)},
	};

	return read_part(json, fields, COUNT(fields), into);
}

static int
read_os(struct json *json, void *into)
{
	static const struct json_field fields[] = {
	    {"name", json_read_text, offsetof(struct pod, os)},
	};

	return read_part(json, fields, COUNT(fields), into);
}

static int
read_pod_spec(struct json *json, void *into)
{
	static const struct json_field fields[] = {
	    {"initContainers", read_containers, 0},
	    {"containers", read_containers, 0},
	    {"ephemeralContainers", read_containers, 0},
	    {"securityContext", read_pod_context, 0},
	    {"runtimeClassName", json_read_text, offsetof(struct pod, runtime_class)},
	    {"os", read_os, 0},
	};
	struct pod *pod = into;

	pod->spec_given = json_peek(json) != JSON_NULL;
	return read_part(json, fields, COUNT(fields), into);
}

/* A profile of an annotation; one that is given twice may be read either way. */
static int
add_annotation(struct json *json, struct text key, struct text *ret_value)
{
	if (ret_value->at)
		return json_fail(json, ERR_AMBIGUOUS, "%.*s is given twice",
		                 key.len < 128 ? (int)key.len : 128, key.at);
	*ret_value = TEXT_LIT(""); /* what null gives to Go */
	return json_read_text(json, ret_value);
}

static int
add_container_annotation(struct json *json, struct text key, struct pod *pod)
{
	struct text_map *map = &pod->annotations;
	struct text name = text_from(key, strlen(CONTAINER_ANNOTATION));
	struct text_pair *wider;

	for (size_t i = 0; i < map->count; i++) {
		if (text_equal(map->at[i].key, name))
			return add_annotation(json, key, &map->at[i].value);
	}
	if (map->count >= JSON_MAP_MAX)
		return json_fail(json, ERR_LIMIT, "more than %d seccomp annotations",
		                 JSON_MAP_MAX);
	if ((map->count & (map->count - 1)) == 0) {
		wider = arena_array(json->arena, map->count ? map->count * 2 : 1,
		                    sizeof *wider);
		if (!wider)
			return json_fail(json, ERR_MEMORY, "out of memory");
		if (map->count > 0)
			memcpy(wider, map->at, map->count * sizeof *wider);
		map->at = wider;
	}
	map->at[map->count].key = name;
	return add_annotation(json, key, &map->at[map->count++].value);
}

/* Only what is judged is kept: the others may be large (last-applied-configuration). */
static int
look_at_annotation(struct json *json, struct text key, void *context)
{
	struct pod *pod = context;

	if (annotation_replaces_filter(key) && !pod->filter_annotation.at)
		pod->filter_annotation = key;
	if (text_is(key, POD_ANNOTATION))
		return add_annotation(json, key, &pod->annotation);
	if (text_has_prefix(key, CONTAINER_ANNOTATION))
		return add_container_annotation(json, key, pod);
	return json_skip(json);
}

static int
read_annotations(struct json *json, void *into)
{
	if (json_read_null(json))
		return 0;
	return json_read_members(json, look_at_annotation, into);
}

/* ---- objects around a pod ---- */

#define OBJECT(member) offsetof(struct pod_object, member)

#define METADATA_OF_POD                                                                  \
	{"labels", json_read_text_map, OBJECT(pod) + offsetof(struct pod, labels)},      \
	{                                                                                \
		"annotations", read_annotations, OBJECT(pod)                             \
	}

#define METADATA_OF_OBJECT                                                               \
	{"name", json_read_text, OBJECT(name)},                                          \
	{                                                                                \
		"namespace", json_read_text, OBJECT(space)                               \
	}

static int
read_pod_metadata(struct json *json, void *into)
{
	static const struct json_field fields[] = {METADATA_OF_OBJECT, METADATA_OF_POD};

	return read_part(json, fields, COUNT(fields), into);
}

static int
read_template_metadata(struct json *json, void *into)
{
	static const struct json_field fields[] = {METADATA_OF_POD};

	return read_part(json, fields, COUNT(fields), into);
}

static int
read_object_metadata(struct json *json, void *into)
{
	static const struct json_field fields[] = {METADATA_OF_OBJECT};

	return read_part(json, fields, COUNT(fields), into);
}

static int
read_template(struct json *json, void *into)
{
	static const struct json_field fields[] = {
	    {"metadata", read_template_metadata, 0},
	    {"spec", read_pod_spec, OBJECT(pod)},
	};
	struct pod_object *object = into;

	object->pod.given = json_peek(json) != JSON_NULL;
	return read_part(json, fields, COUNT(fields), into);
}

static int
read_spec(struct json *json, void *into)
{
	static const struct json_field fields[] = {{"template", read_template, 0}};

	return read_part(json, fields, COUNT(fields), into);
}

static int
read_job_template(struct json *json, void *into)
{
	static const struct json_field fields[] = {{"spec", read_spec, 0}};

	return read_part(json, fields, COUNT(fields), into);
}

static int
read_cron_spec(struct json *json, void *into)
{
	static const struct json_field fields[] = {{"jobTemplate", read_job_template, 0}};

	return read_part(json, fields, COUNT(fields), into);
}

#define TYPE_META                                                                        \
	{"apiVersion", json_read_text, OBJECT(api_version)},                             \
	{                                                                                \
		"kind", json_read_text, OBJECT(kind)                                     \
	}

static const struct json_field pod_fields[] = {
    TYPE_META,
    {"metadata", read_pod_metadata, 0},
    {"spec", read_pod_spec, OBJECT(pod)},
};

static const struct json_field pod_template_fields[] = {
    TYPE_META,
    {"metadata", read_object_metadata, 0},
    {"template", read_template, 0},
};

static const struct json_field workload_fields[] = {
    TYPE_META,
    {"metadata", read_object_metadata, 0},
    {"spec", read_spec, 0},
};

static const struct json_field cron_fields[] = {
    TYPE_META,
    {"metadata", read_object_metadata, 0},
    {"spec", read_cron_spec, 0},
};

#define FIELDS(table)                                                                    \
	{                                                                                \
		table, COUNT(table)                                                      \
	}

int
pod_object_read(struct text bytes, enum pod_place place, struct arena *arena,
                struct pod_object *ret_object, struct err *err)
{
	static const struct {
		const struct json_field *fields;
		size_t count;
	} tables[] = {
	    [POD_ITSELF] = FIELDS(pod_fields),
	    [POD_TEMPLATE] = FIELDS(pod_template_fields),
	    [POD_SPEC] = FIELDS(workload_fields),
	    [POD_SPEC_OR_NONE] = FIELDS(workload_fields),
	    [POD_JOB] = FIELDS(cron_fields),
	};
	struct json json = json_start(bytes, arena, err);

	json.exact = true;
	ret_object->pod.given = place == POD_ITSELF;
	if (json_read_struct(&json, tables[place].fields, tables[place].count,
	                     ret_object) != 0)
		return -1;
	return json_finish(&json);
}
