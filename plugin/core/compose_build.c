/* SPDX-License-Identifier: Apache-2.0 */
/* compose_build.c - what the layers' `build` of a Compose service would run privileged. */
#include "core/compose_value.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

struct build {
	struct text privileged, entitlements;
};

static const struct json_field build_fields[] = {
    {"privileged", json_read_raw, offsetof(struct build, privileged)},
    {"entitlements", json_read_raw, offsetof(struct build, entitlements)},
};

static int
read_entitlements(struct text raw, struct arena *arena, bool *ret_insecure,
                  struct err *err)
{
	struct json json = json_start(raw, arena, err);
	struct text_list entitlements = {0};

	if (!compose_says(raw))
		return 0;
	if (json_read_text_list(&json, &entitlements) != 0)
		return err_wrap(err, "build.entitlements");
	for (size_t i = 0; i < entitlements.count; i++)
		*ret_insecure = *ret_insecure ||
		                text_is(entitlements.at[i], "security.insecure") ||
		                compose_has_variable(entitlements.at[i]);
	return 0;
}

int
compose_read_build(const struct compose_definition *layers, size_t count,
                   struct arena *arena, struct compose_build *ret_build, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct text raw = layers[i].build;
		struct build build = {0};
		bool insecure = false;
		struct json json;

		(void)compose_untag(&raw); /* what is below it counts too */
		if (!compose_says(raw))
			continue;
		if (!ret_build->place)
			ret_build->place = raw.at;
		json = json_start(raw, arena, err);
		if (json_peek(&json) == JSON_STRING)
			continue;
		ret_build->fault = raw.at;
		if (json_read_struct(&json, build_fields, COUNT(build_fields), &build) !=
		    0)
			return err_wrap(err, "build");
		if (read_entitlements(build.entitlements, arena, &insecure, err) != 0)
			return -1;
		if (!compose_says(ret_build->privileged))
			ret_build->privileged = build.privileged;
		if (insecure && !ret_build->insecure)
			ret_build->insecure = build.entitlements.at;
	}
	ret_build->fault = NULL;
	return 0;
}
