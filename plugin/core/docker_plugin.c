/* SPDX-License-Identifier: Apache-2.0 */
/* docker_plugin.c - calls of the managed-plugin API -> which guards they meet. */
#include "core/docker.h"

/*
 * The repository part of a plugin's name, normalised as Docker does and then as short as
 * it gets (FamiliarString), so that "abc" is "abc:latest" though it could be an ID.
 * Missing: no memory.
 */
static struct text
repository(struct text name, struct arena *arena)
{
	static const char official[] = "docker.io/library/";
	struct image_ref ref = image_ref_parse(name, arena);

	if (ref.kind == IMAGE_REF_INVALID && image_pattern_is_valid(name))
		return (struct text){0}; /* there is nothing else wrong with it */
	if (ref.kind != IMAGE_REF_NAME)
		return ref.text;
	return text_has_prefix(ref.name, official)
	           ? text_from(ref.name, sizeof official - 1)
	           : ref.name;
}

bool
docker_plugin_is(struct text name, struct text own, struct arena *arena)
{
	struct text a, b;

	if (name.len == 0 || own.len == 0)
		return false;
	a = repository(name, arena);
	b = repository(own, arena);
	return !a.at || !b.at || text_equal(a, b);
}

/* Could an engine take `name` for the start of a plugin's ID (moby plugin/store.go,
   resolvePluginID)? */
static bool
is_hex(struct text name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return name.len > 0;
}

static bool
touches_self(const struct docker_route *route, struct text name, struct text own,
             struct arena *arena)
{
	bool certain;
	struct text remote = docker_query(route, "remote", arena, &certain);

	if (docker_plugin_is(name, own, arena))
		return true;
	/* a pull without a name takes the remote's (moby api/server/router/plugin) */
	return (route->call == CALL_PLUGIN_PULL || route->call == CALL_PLUGIN_UPGRADE) &&
	       (!certain || docker_plugin_is(remote, own, arena));
}

void
docker_plugin_read(const struct docker_route *route, struct text own, bool managed,
                   struct arena *arena, struct workload *workload)
{
	bool in_query =
	    route->call == CALL_PLUGIN_CREATE || route->call == CALL_PLUGIN_PULL;
	bool certain = true;
	struct text name =
	    in_query ? docker_query(route, "name", arena, &certain) : route->subject;
	struct text remote = docker_query(route, "remote", arena, NULL);
	struct container *container = workload_add(workload, arena);

	if (!container)
		return; /* a workload without containers is denied */
	container->image = image_ref_parse(remote.len > 0 ? remote : name, arena);
	container->name = name;
	if (name.len == 0) /* a remote that is no reference may hold a password */
		container->name = container->image.kind == IMAGE_REF_NAME
		                      ? container->image.text
		                      : (struct text){0};
	if (route->call != CALL_PLUGIN_DISABLE && route->call != CALL_PLUGIN_REMOVE)
		container->guards |= GUARD_BIT(GUARD_PLUGINS);
	if (!certain || touches_self(route, name, own, arena) ||
	    (managed && !in_query && is_hex(name)))
		container->guards |= GUARD_BIT(GUARD_SELF);
}
