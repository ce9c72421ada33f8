/* SPDX-License-Identifier: Apache-2.0 */
/* compose_option.c - which seccomp option the layers of a Compose service come to. */
#include "core/compose_value.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

#define ROW(member)                                                                      \
	{                                                                                \
#member, json_read_raw, offsetof(struct compose_definition, member)      \
	}

static const struct json_field definition_fields[] = {
    ROW(image),        ROW(container_name), ROW(runtime),     ROW(privileged),
    ROW(security_opt), ROW(labels),         ROW(annotations), ROW(build),
};

int
compose_read_definition(struct json *json, struct compose_definition *ret_definition)
{
	struct text raw = {.at = json->at, .len = (size_t)(json->end - json->at)};
	enum compose_tag tag = compose_untag(&raw);

	if (tag != COMPOSE_TAG_NONE)
		return json_fail(
		    json, ERR_AMBIGUOUS,
		    "the tag %s of a whole service can't be judged; write it "
		    "without",
		    tag == COMPOSE_TAG_RESET ? COMPOSE_RESET : COMPOSE_OVERRIDE);
	return json_read_struct(json, definition_fields, COUNT(definition_fields),
	                        ret_definition);
}

bool
compose_says(struct text raw)
{
	return raw.len > 0 && !text_is(raw, "null");
}

/* Engines cut at the first '=', else at the first ':'; what stands in front of a variable
   may settle already that the key is another. */
static bool
could_be_seccomp(struct text entry)
{
	struct text known = text_first(entry, text_find(entry, '$'));
	size_t cut = text_find(known, '=');

	if (cut == known.len)
		cut = text_find(known, ':');
	return cut == known.len || text_is(text_first(known, cut), "seccomp");
}

static bool
is_file(struct text value)
{
	return value.len > 0 && !text_is(value, "unconfined") &&
	       !text_is(value, "builtin") && value.at[0] != '{';
}

/* Adds the file at the end; it is taken from where it was before. */
static int
add_file(struct compose_profiles *files, struct text path, const char *place,
         struct err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < files->count; i++) {
		if (!text_equal(files->at[i].path, path))
			files->at[kept++] = files->at[i];
	}
	files->count = kept;
	if (files->count == COMPOSE_PROFILES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d profiles",
		               COMPOSE_PROFILES_MAX);
	files->at[files->count++] =
	    (struct compose_profile){.path = path, .place = place};
	return 0;
}

static int
choose(struct json *json, size_t index, void *context)
{
	struct compose_option *option = context;
	struct seccomp_opt opt = {0};
	struct text entry = {0};
	struct text_list one = {.at = &entry, .count = 1};
	const char *place;

	if (json_peek(json) != JSON_STRING)
		return json_fail(json, ERR_TYPE,
		                 "entry %zu should be text such as "
		                 "seccomp:profile.json, without a space",
		                 index + 1);
	place = json->at;
	if (json_read_text(json, &entry) != 0)
		return -1;
	if (compose_has_variable(entry)) {
		if (could_be_seccomp(entry)) {
			option->variable = entry;
			option->variable_place = place;
		}
		return 0;
	}
	if (seccomp_opt_read(one, &opt, json->err) != 0) {
		option->fault = place;
		return -1;
	}
	if (!opt.given)
		return 0;
	option->opt = opt;
	option->place = place;
	option->variable = (struct text){0};
	if (!is_file(opt.value))
		return 0;
	option->fault = place;
	if (add_file(&option->files, opt.value, place, json->err) != 0)
		return -1;
	option->fault = NULL;
	return 0;
}

static bool
is_empty(struct text raw)
{
	return raw.len == 0 || text_is(raw, "null") || text_is(raw, "[]");
}

/* Is there anything that clients with the tag and those without would differ in? */
static bool
is_unclear(enum compose_tag tag, struct text raw, bool something_below)
{
	if (tag == COMPOSE_TAG_NONE)
		return false;
	return something_below || (tag == COMPOSE_TAG_RESET && !is_empty(raw));
}

int
compose_choose(const struct compose_definition *layers, size_t count, struct arena *arena,
               struct compose_option *ret_option, struct err *err)
{
	bool below = false;

	for (size_t i = count; i-- > 0;) {
		struct text raw = layers[i].security_opt;
		enum compose_tag tag = compose_untag(&raw);
		struct json json = json_start(raw, arena, err);

		if (is_unclear(tag, raw, below)) {
			ret_option->fault = raw.at;
			return err_set(err, ERR_AMBIGUOUS,
			               "security_opt: versions of Compose differ in what "
			               "%s does; write what is meant without it",
			               tag == COMPOSE_TAG_RESET ? COMPOSE_RESET
			                                        : COMPOSE_OVERRIDE);
		}
		below = below || !is_empty(raw);
		if (!compose_says(raw) || json_read_list(&json, choose, ret_option) == 0)
			continue;
		if (!ret_option->fault)
			ret_option->fault = raw.at + (err->byte ? err->byte - 1 : 0);
		return err_wrap(err, "security_opt");
	}
	return 0;
}

bool
compose_names_file(const struct compose_option *option)
{
	return option->opt.given && !option->variable.at && is_file(option->opt.value);
}

void
compose_rank_files(const struct compose_option *option,
                   const struct compose_service *service,
                   struct compose_profiles *ret_profiles)
{
	bool any = service->merged || service->count > 1;

	*ret_profiles = (struct compose_profiles){0};
	if (!compose_names_file(option))
		return;
	for (size_t i = option->files.count; i-- > 0;) {
		if (any || ret_profiles->count == 0)
			ret_profiles->at[ret_profiles->count++] = option->files.at[i];
	}
}

void
compose_profiles_of(const struct compose_service *service, struct arena *arena,
                    struct compose_profiles *ret_profiles)
{
	struct compose_definition layers[COMPOSE_LAYERS_MAX] = {0};
	struct compose_option option = {.fault = NULL};
	struct err ignored = {0};

	*ret_profiles = (struct compose_profiles){0};
	for (size_t i = 0; i < service->count; i++) {
		struct json json = json_start(service->layers[i], arena, &ignored);

		if (!json_read_null(&json) &&
		    compose_read_definition(&json, &layers[i]) != 0)
			return;
	}
	if (compose_choose(layers, service->count, arena, &option, &ignored) == 0)
		compose_rank_files(&option, service, ret_profiles);
}
