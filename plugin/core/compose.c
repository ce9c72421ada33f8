/* SPDX-License-Identifier: Apache-2.0 */
/* compose.c - the shape of a Compose file: its services, and what they extend. */
#include "core/compose.h"

#include "core/compose_value.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* Keys at the root of a file that has `services`, or could have (compose-spec.json). A
   file of version 1 has services there instead. */
static const char *const root_keys[] = {
    "services", "version", "name",    "networks", "volumes",
    "secrets",  "configs", "include", "models",
};

static bool
is_root_key(struct text key)
{
	for (size_t i = 0; i < COUNT(root_keys); i++) {
		if (text_is(key, root_keys[i]))
			return true;
	}
	return false;
}

/* ---- the root ---- */

/* What stands at the root, raw. */
struct root {
	struct text services, include;
	bool modern;            /* some key that no file of version 1 has */
	const char *kubernetes; /* what no Compose file has, in none of its versions */
};

static int
read_root_member(struct json *json, struct text key, void *context)
{
	struct root *root = context;
	struct text *into = text_is(key, "services")  ? &root->services
	                    : text_is(key, "include") ? &root->include
	                                              : NULL;

	root->modern = root->modern || is_root_key(key);
	if ((text_is(key, "apiVersion") || text_is(key, "kind")) &&
	    json_peek(json) == JSON_STRING)
		root->kubernetes = json->at;
	if (!into)
		return json_skip(json);
	if (into->at)
		return json_fail(json, ERR_AMBIGUOUS, "%.*s is given twice",
		                 TEXT_ARG(key));
	return json_read_raw(json, into);
}

static int
read_root(struct text document, struct arena *arena, struct root *root, struct err *err)
{
	struct json json = json_start(document, arena, err);

	if (json_read_members(&json, read_root_member, root) != 0)
		return -1;
	return json_finish(&json);
}

/* Reads a value of the document; complaints count bytes of the whole. */
static struct json
read_within(struct text document, struct text raw, struct arena *arena, struct err *err)
{
	struct json json = json_start(raw, arena, err);

	json.begin = document.at;
	return json;
}

/* ---- services ---- */

struct walk {
	int (*each)(struct text name, struct text object, void *context);
	void *context;
	bool version_1; /* services stand at the root */
	size_t count;
};

static int
walk_service(struct json *json, struct text key, void *context)
{
	struct walk *walk = context;
	struct text object;

	if (compose_is_tag(key))
		return json_fail(json, ERR_AMBIGUOUS,
		                 "the tag %.*s of all services can't be judged; write "
		                 "them without it",
		                 TEXT_ARG(key));
	/* under `services` it would be a service of that name (compose-spec.json) */
	if (walk->version_1 && text_has_prefix(key, "x-") &&
	    json_peek(json) != JSON_OBJECT)
		return json_skip(json);
	if (++walk->count > COMPOSE_SERVICES_MAX)
		return json_fail(json, ERR_LIMIT, "more than %d services",
		                 COMPOSE_SERVICES_MAX);
	if (json_read_raw(json, &object) != 0)
		return -1;
	return walk->each(key, object, walk->context);
}

int
compose_each(struct text document, struct arena *arena,
             int (*each)(struct text name, struct text object, void *context),
             void *context, struct compose_includes *ret_includes, struct err *err)
{
	struct walk walk = {.each = each, .context = context};
	struct root root = {0};
	struct json json;

	*ret_includes = (struct compose_includes){0};
	if (read_root(document, arena, &root, err) != 0)
		return -1;
	if (root.kubernetes) {
		json = read_within(document, document, arena, err);
		json.at = root.kubernetes;
		return json_fail(
		    &json, ERR_TYPE,
		    "apiVersion and kind stand in objects of Kubernetes, not "
		    "in a Compose file; check it as manifest");
	}
	json = read_within(document, root.include, arena, err);
	if (root.include.at && compose_read_includes(&json, ret_includes) != 0)
		return -1;
	if (root.modern && !root.services.at)
		return 0;
	walk.version_1 = !root.modern;
	json = read_within(document, root.modern ? root.services : document, arena, err);
	if (json_read_null(&json))
		return 0;
	return json_read_members(&json, walk_service, &walk);
}

static int
look_at_service_member(struct json *json, struct text key, void *context)
{
	bool *found = context;

	*found = *found || text_is(key, "image") || text_is(key, "build");
	return json_skip(json);
}

/* Is each member of the root an object, and one of them a service? */
static int
look_at_root_member(struct json *json, struct text key, void *context)
{
	if (text_has_prefix(key, "x-"))
		return json_skip(json);
	return json_read_members(json, look_at_service_member, context);
}

static bool
is_container(struct text raw)
{
	return raw.len > 0 && (raw.at[0] == '{' || raw.at[0] == '[');
}

bool
compose_recognise(struct text document, struct arena *arena)
{
	struct err ignored = {0};
	struct root root = {0};
	struct json json = json_start(document, arena, &ignored);
	bool found = false;

	if (read_root(document, arena, &root, &ignored) != 0)
		return false;
	if (root.modern)
		return (root.services.len > 0 && root.services.at[0] == '{') ||
		       (!root.services.at && is_container(root.include));
	return json_read_members(&json, look_at_root_member, &found) == 0 && found;
}

/* ---- extends ---- */

static const struct json_field extends_fields[] = {
    {"service", json_read_text, offsetof(struct compose_extends, service)},
    {"file", json_read_text, offsetof(struct compose_extends, file)},
};

static int
read_extends_value(struct json *json, void *ret_extends)
{
	struct compose_extends *extends = ret_extends;

	if (json_read_null(json))
		return 0;
	extends->place = json->at;
	if (json_peek(json) == JSON_STRING)
		return json_read_text(json, &extends->service);
	return json_read_struct(json, extends_fields, COUNT(extends_fields), extends);
}

static const struct json_field layer_fields[] = {{"extends", read_extends_value, 0}};

static int
read_extends(struct text layer, struct arena *arena, struct compose_extends *extends,
             struct err *err)
{
	struct json json = json_start(layer, arena, err);

	*extends = (struct compose_extends){0};
	if (json_read_null(&json)) /* compose-go: a base without content adds nothing */
		return 0;
	if (json_read_struct(&json, layer_fields, COUNT(layer_fields), extends) != 0)
		return -1;
	if (extends->place && !extends->service.at)
		return err_set(err, ERR_TYPE, "extends: which service?");
	if (text_find(extends->service, '$') < extends->service.len ||
	    text_find(extends->file, '$') < extends->file.len)
		return err_set(err, ERR_AMBIGUOUS, "extends: a variable decides what");
	return 0;
}

struct search {
	struct text name, object;
	size_t found;
};

static int
match_service(struct text name, struct text object, void *context)
{
	struct search *search = context;

	if (text_equal(name, search->name)) {
		search->object = object;
		search->found++;
	}
	return 0;
}

int
compose_find(struct text document, struct text name, struct arena *arena,
             struct text *ret_object, struct err *err)
{
	struct search search = {.name = name};
	struct compose_includes includes;

	if (compose_each(document, arena, match_service, &search, &includes, err) != 0)
		return -1;
	if (search.found != 1)
		return err_set(err, search.found ? ERR_AMBIGUOUS : ERR_TYPE,
		               "extends: %s service of that name",
		               search.found ? "more than one" : "there is no");
	*ret_object = search.object;
	return 0;
}

int
compose_extend(struct compose_service *service, struct text document, struct arena *arena,
               struct compose_extends *ret_elsewhere, struct err *err)
{
	for (;;) {
		struct text *last = &service->layers[service->count - 1];

		if (read_extends(*last, arena, ret_elsewhere, err) != 0)
			return -1;
		if (!ret_elsewhere->service.at || ret_elsewhere->file.at)
			return 0;
		if (service->count >= COMPOSE_LAYERS_MAX) {
			ret_elsewhere->place = NULL; /* no one of them is at fault */
			return err_set(err, ERR_LIMIT,
			               "extends: in a circle, or more than %d deep",
			               COMPOSE_LAYERS_MAX);
		}
		if (compose_find(document, ret_elsewhere->service, arena, last + 1,
		                 err) != 0)
			return -1;
		service->count++;
	}
}
