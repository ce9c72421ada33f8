/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker - from an Engine API call to a workload.
 *
 * Invariant: a request that any supported engine (20.10 to current) routes to one of the
 * judged handlers is seen as that call, whatever its spelling, and its body is read as
 * that handler reads it. Pure.
 */
#pragma once

#include "core/arena.h"
#include "core/authz.h"
#include "core/err.h"
#include "core/text.h"
#include "core/workload.h"

#include <stdbool.h>
#include <stddef.h>

/* The calls that decide whether a process gets a filter; all others are CALL_OTHER. */
enum docker_call {
	CALL_OTHER,
	CALL_CONTAINER_CREATE, /* POST /containers/create */
	CALL_CONTAINER_START,  /* POST /containers/{name}/start */
	CALL_SERVICE_CREATE,   /* POST /services/create */
	CALL_SERVICE_UPDATE,   /* POST /services/{id}/update */
	CALL_SWARM_INIT,       /* POST /swarm/init */
	CALL_SWARM_JOIN,       /* POST /swarm/join */
	CALL_SWARM_MANAGE,   /* GET /swarm (it tells the join tokens), POST /swarm/update
	                          (new tokens), /nodes/{id}/update (promotes) */
	CALL_BUILD,          /* POST /build, /session, /grpc */
	CALL_PLUGIN_CREATE,  /* POST /plugins/create */
	CALL_PLUGIN_PULL,    /* POST /plugins/pull */
	CALL_PLUGIN_ENABLE,  /* POST /plugins/{name}/enable */
	CALL_PLUGIN_DISABLE, /* POST /plugins/{name}/disable */
	CALL_PLUGIN_UPGRADE, /* POST /plugins/{name}/upgrade */
	CALL_PLUGIN_SET,     /* POST /plugins/{name}/set */
	CALL_PLUGIN_REMOVE,  /* DELETE /plugins/{name} */
	CALL_COUNT
};

struct docker_route {
	enum docker_call call;
	struct text path;    /* percent-decoded, without query, authority and scheme */
	struct text version; /* digits and dots of /v{version}; missing: unversioned */
	struct text subject; /* {name} or {id}, decoded; missing where there is none */
	struct text query;   /* what follows the first '?', raw; missing: none */
};

/*
 * Which call is `method` on `target` (RequestUri, raw)? As gorilla/mux on the path that
 * net/url's ParseRequestURI decodes (facts: identical on 20.10, 26.1 and 28.5). -1 with
 * ERR_SYNTAX for a target that no engine could have routed: it can't be read with
 * certainty.
 */
int docker_route(struct text method, struct text target, struct arena *arena,
                 struct docker_route *ret_route, struct err *err);

/*
 * The first value of `key` in the query, key and values decoded as net/url does; missing
 * if there is none. A pair with a bad escape is dropped. ';' ends a pair as '&' does
 * (engines built with Go before 1.17); *ret_certain is false if that made a difference
 * between engines, or if a pair was dropped. `ret_certain` may be NULL.
 */
struct text docker_query(const struct docker_route *route, const char *key,
                         struct arena *arena, bool *ret_certain);

/* Is `version` (as in the route; missing: no) below major.minor, as moby's
   versions.LessThan compares: split at dots, each part by Atoi, bad parts as 0? */
bool docker_version_below(struct text version, unsigned major, unsigned minor);

/*
 * POST /containers/create: adds the container with name, image, labels, runtime,
 * annotations and postures; sets workload->unreadable and POSTURE_UNREADABLE if the body
 * can't be read with certainty. `name` is the query's (may be missing).
 */
void docker_create_read(struct text body, struct text name, struct arena *arena,
                        struct workload *workload);

/*
 * POST /containers/{name}/start with a HostConfig body, flat or wrapped (API < 1.24).
 * `name` is the path's. A body without a seccomp entry of its own keeps the stored
 * setting, which can't be seen: POSTURE_DEFAULT, or POSTURE_UNREADABLE if it changes
 * capabilities.
 */
void docker_start_read(struct text body, struct text name, struct arena *arena,
                       struct workload *workload);

/*
 * POST /services/create and /services/{id}/update: a swarm ServiceSpec. Adds one
 * container with postures from TaskTemplate.ContainerSpec.Privileges.Seccomp, and
 * GUARD_PLUGINS for TaskTemplate.Runtime "plugin".
 */
void docker_service_read(struct text body, struct arena *arena,
                         struct workload *workload);

/* Is `name` (of the plugins API, decoded) a spelling of the plugin called `own`? Tag and
   registry are normalised as Docker does; any tag counts. */
bool docker_plugin_is(struct text name, struct text own, struct arena *arena);

/*
 * A call of the managed-plugin API: adds a container without postures, with the plugin's
 * name and reference as its name and image, and the guards that the call meets. `own` is
 * our name; `managed`: the engine runs us as a managed plugin, so a hex-only name may be
 * the start of our ID.
 */
void docker_plugin_read(const struct docker_route *route, struct text own, bool managed,
                        struct arena *arena, struct workload *workload);

/* One call, as it came in. Borrowed for the call. */
struct docker_request {
	const struct docker_route *route;
	struct text body;             /* missing or empty: none was to be seen */
	const struct authz *envelope; /* for the headers; NULL: there is none (offline) */
	struct text own_name;         /* our own, as a plugin */
	bool managed_plugin;          /* we run as a managed plugin */
};

/*
 * The facts of a call: fills `workload` and returns true, or returns false if the call
 * runs nothing and meets no guard. Out of memory is a workload without containers, which
 * is denied.
 */
bool docker_call_read(const struct docker_request *request, struct arena *arena,
                      struct workload *workload);
