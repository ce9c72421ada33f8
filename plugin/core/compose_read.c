/* SPDX-License-Identifier: Apache-2.0 */
/* compose_read.c - a service of a Compose file, with what it extends -> container. */
#include "core/compose.h"

#include "core/compose_reading.h"
#include "core/host_config.h"
#include "core/seccomp.h"

static void
add_guard(struct compose_reading *reading, enum guard guard, const char *place)
{
	reading->container->guards |= GUARD_BIT(guard);
	if (!reading->service->places.guards[guard])
		reading->service->places.guards[guard] = place;
}

/* The layer that counts for a field of which there is one: the first that says it. */
static struct text
effective(const struct compose_reading *reading, size_t offset)
{
	for (size_t i = 0; i < reading->service->count; i++) {
		const char *definition = (const char *)&reading->layers[i];
		struct text raw;

		memcpy(&raw, definition + offset, sizeof raw);
		if (compose_says(raw))
			return raw;
	}
	return (struct text){0};
}

#define EFFECTIVE(reading, member)                                                       \
	effective(reading, offsetof(struct compose_definition, member))

/* Is what the layer says above all that is below it? docker-compose 1.29 merges files first,
   and puts what the outcome extends under it (config/config.py, load_services). */
static bool
is_above(const struct compose_service *service, size_t layer)
{
	for (size_t i = layer + 1; i < service->count && !service->own[layer]; i++) {
		if (service->own[i])
			return false;
	}
	return true;
}

/* Do all clients take the member from the same layer? */
static bool
is_settled(const struct compose_reading *reading, size_t offset)
{
	bool above = true;

	for (size_t i = 0; i < reading->service->count; i++) {
		const char *definition = (const char *)&reading->layers[i];
		struct text raw;

		memcpy(&raw, definition + offset, sizeof raw);
		if (!compose_says(raw))
			continue;
		if (!above)
			return false;
		above = is_above(reading->service, i);
	}
	return true;
}

#define SETTLED(reading, member)                                                         \
	is_settled(reading, offsetof(struct compose_definition, member))

/* A text, over which no variable and no !reset may decide: that would be no fact. */
static int
read_fact(struct compose_reading *reading, struct text raw, const char *field,
          struct text *ret_fact)
{
	enum compose_tag tag = compose_untag(&raw);
	struct json json = json_start(raw, reading->arena, reading->err);
	struct text text = {0};

	if (!raw.at || tag == COMPOSE_TAG_RESET)
		return 0;
	if (json_read_text(&json, &text) != 0) {
		reading->fault = raw.at;
		return err_wrap(reading->err, "%s", field);
	}
	if (text.len > 0 && !compose_has_variable(text))
		*ret_fact = text;
	return 0;
}

static int
read_facts(struct compose_reading *reading)
{
	struct container *container = reading->container;
	struct text image = {0}, runtime = EFFECTIVE(reading, runtime), value = runtime;

	if (read_fact(reading, EFFECTIVE(reading, image), "image", &image) != 0 ||
	    read_fact(reading, EFFECTIVE(reading, container_name), "container_name",
	              &container->name) != 0 ||
	    read_fact(reading, runtime, "runtime", &container->runtime) != 0)
		return -1;
	if (!SETTLED(reading, image))
		image = (struct text){0};
	if (!SETTLED(reading, container_name))
		container->name = (struct text){0};
	if (!SETTLED(reading, runtime))
		container->runtime = (struct text){0};
	container->image = image_ref_parse(image, reading->arena);
	if (runtime.at) {
		reading->service->places.guards[GUARD_RUNTIMES] = runtime.at;
		if (!container->runtime.at && !text_is(runtime, "\"\"")) {
			add_guard(reading, GUARD_RUNTIMES, runtime.at);
			container->setting =
			    compose_untag(&value) == COMPOSE_TAG_RESET
				? TEXT_LIT("runtime: !reset")
				: compose_undecided(value, "runtime: ", reading->arena);
		}
	}
	return 0;
}

static int
read_privileged(struct compose_reading *reading, struct text raw, const char *field,
                struct text setting)
{
	enum compose_truth truth = compose_truth(raw, reading->arena);

	if (!compose_says(raw) || truth == COMPOSE_NO)
		return 0;
	if (truth == COMPOSE_UNCLEAR) {
		reading->fault = raw.at;
		return err_set(reading->err, ERR_TYPE, "%s: should be true or false",
		               field);
	}
	if (truth == COMPOSE_VARIABLE)
		setting = compose_undecided(raw, "privileged: ", reading->arena);
	compose_add_posture(reading, POSTURE_PRIVILEGED, raw.at, setting);
	return 0;
}

/* ---- privileged ---- */

/* The uppermost layer that says it; under !reset, those below too, since it may not be
   known to the client. */
static int
judge_privileged(struct compose_reading *reading)
{
	for (size_t i = 0; i < reading->service->count; i++) {
		struct text raw = reading->layers[i].privileged;
		enum compose_tag tag = compose_untag(&raw);

		if (read_privileged(reading, raw, "privileged", TEXT_LIT("privileged")) !=
		    0)
			return -1;
		if (compose_says(raw) && tag != COMPOSE_TAG_RESET &&
		    is_above(reading->service, i))
			return 0;
	}
	return 0;
}

/* ---- labels, annotations, builds ---- */

static int
read_map(struct compose_reading *reading, struct text raw, const char *field,
         struct text_map *ret_map)
{
	if (compose_read_pairs(raw, reading->arena, ret_map, reading->err) == 0)
		return 0;
	reading->fault = raw.at;
	return err_wrap(reading->err, "%s", field);
}

static int
read_maps(struct compose_reading *reading)
{
	struct container *container = reading->container;
	bool tagged = false;

	for (size_t i = reading->service->count; i-- > 0;) { /* the last of a key wins */
		const struct compose_definition *layer = &reading->layers[i];
		struct text labels = layer->labels, annotations = layer->annotations;

		tagged = compose_untag(&labels) != COMPOSE_TAG_NONE || tagged;
		(void)compose_untag(&annotations); /* all of them could be there */
		if (read_map(reading, labels, "labels", &container->labels) != 0 ||
		    read_map(reading, annotations, "annotations",
		             &container->annotations) != 0)
			return -1;
	}
	compose_drop_undecided(&container->labels);
	/* which of them are there depends on the client */
	if (tagged || !SETTLED(reading, labels))
		container->labels.count = 0;
	return 0;
}

/* Where an annotation stands: its whole block if its key can't be found as it is. */
static const char *
place_of_annotation(const struct compose_reading *reading, struct text key)
{
	for (size_t i = 0; i < reading->service->count; i++) {
		struct text raw = reading->layers[i].annotations;
		const char *hit =
		    raw.len > 0 ? memmem(raw.at, raw.len, key.at, key.len) : NULL;

		if (hit)
			return hit - 1; /* the quote in front */
	}
	return EFFECTIVE(reading, annotations).at;
}

static void
judge_annotations(struct compose_reading *reading)
{
	const struct text_map *annotations = &reading->container->annotations;

	for (size_t i = 0; i < annotations->count; i++) {
		struct text key = annotations->at[i].key;

		if (compose_has_variable(key) || annotation_replaces_filter(key))
			compose_add_posture(reading, POSTURE_UNCONFINED,
			                    place_of_annotation(reading, key), key);
	}
}

/*
 * A build passes by the guard `builds` alone when it is asked of the engine; here it can
 * be seen that its steps would run privileged.
 */
static int
judge_build(struct compose_reading *reading)
{
	struct compose_build build = {.place = NULL};

	if (compose_read_build(reading->layers, reading->service->count, reading->arena,
	                       &build, reading->err) != 0) {
		reading->fault = build.fault;
		return -1;
	}
	if (build.place)
		add_guard(reading, GUARD_BUILDS, build.place);
	if (build.insecure)
		compose_add_posture(reading, POSTURE_PRIVILEGED, build.insecure,
		                    TEXT_LIT("build.entitlements security.insecure"));
	return read_privileged(reading, build.privileged, "build.privileged",
	                       TEXT_LIT("build.privileged"));
}

/* ---- the whole ---- */

static int
read_layers(struct compose_reading *reading)
{
	struct compose_service *service = reading->service;

	for (size_t i = 0; i < service->count; i++) {
		struct json json =
		    json_start(service->layers[i], reading->arena, reading->err);

		reading->fault = service->layers[i].at;
		if (i > 0 && json_read_null(&json))
			continue;
		if (compose_read_definition(&json, &reading->layers[i]) != 0) {
			if (reading->err->byte)
				reading->fault += reading->err->byte - 1;
			return -1;
		}
	}
	reading->fault = NULL;
	return 0;
}

static int
read_service(struct compose_reading *reading)
{
	struct container *container = reading->container;

	if (read_layers(reading) != 0 || read_facts(reading) != 0 ||
	    judge_privileged(reading) != 0 || compose_judge_options(reading) != 0 ||
	    read_maps(reading) != 0)
		return -1;
	judge_annotations(reading);
	if (judge_build(reading) != 0)
		return -1;
	if (container->postures == 0) {
		container->postures = POSTURE_BIT(POSTURE_DEFAULT);
		container->asked_nothing = true;
	}
	return 0;
}

void
compose_read(struct compose_service *service, struct arena *arena,
             struct workload *workload)
{
	struct err err = {0};
	struct container *container = workload_add(workload, arena);
	struct compose_reading reading = {
	    .service = service, .arena = arena, .container = container, .err = &err};

	workload->operation = OPERATION_COMPOSE;
	service->places = (struct compose_places){0};
	if (!container)
		return; /* a workload without containers is denied */
	container->title = service->name;
	if (read_service(&reading) != 0) {
		service->places.postures[POSTURE_UNREADABLE] = reading.fault;
		workload_set_unreadable(workload, container, &err);
	}
	if (service->unseen.code != ERR_NONE)
		workload_set_unreadable(workload, container, &service->unseen);
}
