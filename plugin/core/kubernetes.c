/* SPDX-License-Identifier: Apache-2.0 */
/* kubernetes.c - objects in reviews and manifests -> workload: which are judged at all. */
#include "core/kubernetes.h"

#include "core/json_go.h"
#include "core/kubernetes_pod.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

enum { LISTS_DEPTH_MAX = 8, WORD_SHOWN = 64 };

/* ---- which kind ---- */

/* Type and name of any object. */
struct outline {
	struct text api_version, kind, items;
};

static const struct json_field outline_fields[] = {
    {"apiVersion", json_read_text, offsetof(struct outline, api_version)},
    {"kind", json_read_text, offsetof(struct outline, kind)},
    {"items", json_read_raw, offsetof(struct outline, items)},
};

static int
read_outline(struct text object, struct arena *arena, struct outline *ret_outline,
             struct err *err)
{
	struct json json = json_start(object, arena, err);

	json.exact = true;
	if (json_read_struct(&json, outline_fields, COUNT(outline_fields), ret_outline) !=
	    0)
		return -1;
	return json_finish(&json);
}

/*
 * What kind the object is by the names that it goes by. NULL: none that we judge. -1: they
 * contradict each other.
 */
static int
find_kind(const struct admission *admission, struct arena *arena,
          const struct pod_kind **ret_kind, struct err *err)
{
	const struct pod_kind *by_kind = pod_kind_of(admission->group, admission->kind);
	const struct pod_kind *by_resource =
	    pod_kind_of_resource(admission->resource_group, admission->resource);
	struct outline outline = {0};

	*ret_kind = by_resource ? by_resource : by_kind;
	if (by_kind && by_resource && by_kind != by_resource)
		return err_set(err, ERR_AMBIGUOUS,
		               "request.kind and request.resource name two kinds");
	if (*ret_kind || !admission->object.at)
		return 0;
	if (read_outline(admission->object, arena, &outline, err) != 0)
		return err_wrap(err, "object");
	by_kind = pod_kind_of(api_group(outline.api_version), outline.kind);
	if (by_kind && (admission->kind.len > 0 || admission->resource.len > 0))
		return err_set(err, ERR_AMBIGUOUS,
		               "object.kind is another than request.kind");
	*ret_kind = by_kind;
	return 0;
}

/* ---- which requests ---- */

/* Those of pods that change nothing of what runs (PSA admission/admission.go,
   ignoredPodSubresources); any other, and a new one, is judged as a pod. */
static bool
is_idle_subresource(struct text subresource)
{
	static const char *const names[] = {"attach", "binding", "eviction",
	                                    "exec",   "log",     "portforward",
	                                    "proxy",  "status"};

	for (size_t i = 0; i < COUNT(names); i++) {
		if (text_is(subresource, names[i]))
			return true;
	}
	return false;
}

static bool
runs_nothing(const struct admission *admission, const struct pod_kind *kind)
{
	if (text_is(admission->operation, "DELETE") ||
	    text_is(admission->operation, "CONNECT"))
		return true;
	if (admission->subresource.len == 0)
		return false;
	/* of the others: scale, status */
	return kind->place != POD_ITSELF || is_idle_subresource(admission->subresource);
}

/* ---- what an object runs ---- */

/* Adds what `object` runs; false: nothing (no template where there needs to be none). */
static bool
read_pods(struct text bytes, const struct pod_kind *kind, struct arena *arena,
          struct pod_object *ret_object, struct workload *workload)
{
	struct err err = {0};

	if (pod_object_read(bytes, kind->place, arena, ret_object, &err) != 0) {
		workload_add_unseen(workload, arena, &err);
		return true;
	}
	if (ret_object->kind.len > 0 && !text_is(ret_object->kind, kind->kind)) {
		(void)err_set(&err, ERR_AMBIGUOUS, "a %.*s where a %s should be",
		              ret_object->kind.len < WORD_SHOWN
		                  ? (int)ret_object->kind.len
		                  : WORD_SHOWN,
		              ret_object->kind.at, kind->kind);
		workload_add_unseen(workload, arena, &err);
		return true;
	}
	if (kind->place == POD_SPEC_OR_NONE && !ret_object->pod.given)
		return false;
	if (pod_judge(&ret_object->pod, arena, workload, &err) != 0)
		workload_add_unseen(workload, arena, &err);
	return true;
}

static bool
maps_equal(const struct text_map *a, const struct text_map *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!text_equal(a->at[i].key, b->at[i].key) ||
		    !text_equal(a->at[i].value, b->at[i].value))
			return false;
	}
	return true;
}

/* All that a posture, a guard or a criterion of a policy depends on. */
static bool
containers_equal(const struct container *a, const struct container *b)
{
	return a->postures == b->postures && a->guards == b->guards &&
	       text_equal(a->name, b->name) && a->image.kind == b->image.kind &&
	       text_equal(a->image.text, b->image.text) &&
	       text_equal(a->runtime, b->runtime) &&
	       text_equal(a->local_profile, b->local_profile);
}

/* Containers of one pod have the labels of the pod, so one comparison does for all. */
static bool
changes_nothing(const struct workload *now, const struct workload *before)
{
	if (now->count != before->count || now->count == 0 || now->unreadable.code ||
	    before->unreadable.code)
		return false;
	for (size_t i = 0; i < now->count; i++) {
		if (!containers_equal(&now->containers[i], &before->containers[i]))
			return false;
	}
	return maps_equal(&now->containers[0].labels, &before->containers[0].labels);
}

static bool
is_same_as_before(const struct admission *admission, const struct pod_kind *kind,
                  struct arena *arena, const struct workload *workload)
{
	struct workload before = {.door = workload->door};
	struct pod_object object = {0};

	if (!text_is(admission->operation, "UPDATE") || !admission->old.at)
		return false;
	return read_pods(admission->old, kind, arena, &object, &before) &&
	       changes_nothing(workload, &before);
}

bool
admission_workload(const struct admission *admission, struct arena *arena,
                   struct workload *workload)
{
	const struct pod_kind *kind;
	struct pod_object object = {0};
	struct err err = {0};

	if (find_kind(admission, arena, &kind, &err) != 0) {
		workload_add_unseen(workload, arena, &err);
		return true;
	}
	if (!kind || runs_nothing(admission, kind))
		return false;
	if (!admission->object.at) {
		(void)err_set(&err, ERR_TYPE, "request.object is missing");
		workload_add_unseen(workload, arena, &err);
		return true;
	}
	if (!read_pods(admission->object, kind, arena, &object, workload))
		return false;
	if (!is_same_as_before(admission, kind, arena, workload))
		return true;
	workload->count = 0; /* not judged, so it runs nothing new */
	return false;
}

/* ---- manifests ---- */

bool
manifest_workload(const struct manifest_part *part, struct arena *arena,
                  struct admission *ret_admission, struct workload *workload)
{
	struct outline outline = {0};
	struct pod_object object = {0};
	const struct pod_kind *kind;
	struct err err = {0};
	bool judged;

	if (read_outline(part->object, arena, &outline, &err) != 0) {
		workload_add_unseen(workload, arena, &err);
		return true;
	}
	if (outline.kind.len == 0) {
		outline.kind = part->kind;
		outline.api_version = part->api_version;
	}
	if (outline.kind.len == 0) {
		(void)err_set(&err, ERR_TYPE, "kind is missing");
		workload_add_unseen(workload, arena, &err);
		return true;
	}
	ret_admission->group = api_group(outline.api_version);
	ret_admission->kind = outline.kind;
	kind = pod_kind_of(ret_admission->group, outline.kind);
	if (!kind)
		return false;
	judged = read_pods(part->object, kind, arena, &object, workload);
	ret_admission->name = object.name;
	workload->space = object.space.len > 0 ? object.space : (struct text){0};
	return judged;
}

struct walk {
	int (*each)(const struct manifest_part *part, void *context);
	void *context;
	size_t count;
	unsigned depth;
	struct text kind, api_version; /* of the items */
};

static int walk_value(struct json *json, size_t index, void *context);

/* A List, or one of items of a kind, which need not say it. */
static bool
is_list(struct text kind, struct text *ret_item_kind)
{
	size_t tail = strlen("List");

	*ret_item_kind = kind;
	if (kind.len < tail || memcmp(kind.at + kind.len - tail, "List", tail) != 0)
		return false;
	*ret_item_kind = text_first(kind, kind.len - tail);
	if (kind.len == tail)
		*ret_item_kind = (struct text){0};
	return true;
}

static int
walk_items(struct json *json, const struct outline *outline, struct text item_kind,
           struct walk *walk)
{
	const struct walk outer = *walk;
	struct json items = json_start(outline->items, json->arena, json->err);

	items.begin = json->begin; /* complaints count bytes of the whole */
	if (++walk->depth > LISTS_DEPTH_MAX)
		return json_fail(json, ERR_LIMIT, "lists nested deeper than %d",
		                 LISTS_DEPTH_MAX);
	walk->kind = item_kind;
	walk->api_version = outline->api_version;
	if (outline->items.at && json_read_list(&items, walk_value, walk) != 0)
		return -1;
	walk->kind = outer.kind;
	walk->api_version = outer.api_version;
	walk->depth--;
	return 0;
}

/*
 * An object, or what is in it: whatever has `items` is a list to kubectl, a ConfigMap too
 * (apimachinery unstructured/helpers.go, unstructuredJSONScheme.decode).
 */
static int
walk_object(struct json *json, struct walk *walk)
{
	struct manifest_part part = {.kind = walk->kind,
	                             .api_version = walk->api_version};
	struct outline outline = {0};
	struct err ignored = {0};
	struct text item_kind;
	bool list;

	if (++walk->count > MANIFEST_PARTS_MAX)
		return json_fail(json, ERR_LIMIT, "more than %d objects",
		                 MANIFEST_PARTS_MAX);
	if (json_read_raw(json, &part.object) != 0)
		return -1;
	if (read_outline(part.object, json->arena, &outline, &ignored) != 0)
		return walk->each(&part, walk->context);
	list = is_list(outline.kind, &item_kind);
	if (!list && walk->each(&part, walk->context) != 0)
		return -1;
	if (!list && (outline.items.len == 0 || outline.items.at[0] != '['))
		return 0;
	return walk_items(json, &outline, item_kind, walk);
}

static int
walk_value(struct json *json, size_t index, void *context)
{
	struct walk *walk = context;

	(void)index;
	if (json_peek(json) == JSON_OBJECT)
		return walk_object(json, walk);
	/* items of what is no list of workloads may be anything */
	if (walk->kind.len > 0 && !pod_kind_of(api_group(walk->api_version), walk->kind))
		return json_skip(json);
	if (json_peek(json) != JSON_LIST)
		return json_fail(json, ERR_TYPE, "should be an object of a manifest");
	if (++walk->depth > LISTS_DEPTH_MAX)
		return json_fail(json, ERR_LIMIT, "lists nested deeper than %d",
		                 LISTS_DEPTH_MAX);
	if (json_read_list(json, walk_value, walk) != 0)
		return -1;
	walk->depth--;
	return 0;
}

int
manifest_each(struct text bytes, struct arena *arena,
              int (*each)(const struct manifest_part *part, void *context), void *context,
              struct err *err)
{
	struct walk walk = {.each = each, .context = context};
	struct json json = json_start(bytes, arena, err);

	return walk_value(&json, 0, &walk) == 0 ? json_finish(&json) : -1;
}
