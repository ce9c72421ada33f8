/* SPDX-License-Identifier: Apache-2.0 */
/* docker_call.c - one Engine API call -> the facts to judge it by. */
#include "core/docker.h"

/* postContainersStart reads no body of so few bytes (moby v20.10.24 to v25). */
enum { START_BODY_IGNORED = 7 };

/* An empty name is none: the engine makes one up. A leading '/' is dropped. */
static struct text
query_name(const struct docker_route *route, struct arena *arena)
{
	bool certain;
	struct text name = docker_query(route, "name", arena, &certain);

	if (name.len > 0 && name.at[0] == '/')
		name = text_from(name, 1);
	return certain && name.len > 0 ? name : (struct text){0};
}

/* The name of an existing container in a path; what may be an ID is no name. */
static struct text
path_name(struct text subject)
{
	if (subject.len > 0 && subject.at[0] == '/')
		subject = text_from(subject, 1);
	for (size_t i = 0; i < subject.len; i++) {
		if (!memchr("0123456789abcdef", subject.at[i], 16))
			return subject;
	}
	return (struct text){0};
}

/* Missing if there is none, or if the headers can't be read: for messages alone. */
static struct text
header(const struct docker_request *request, const char *name, struct arena *arena)
{
	struct text value = {0};

	if (request->envelope)
		(void)authz_header(request->envelope, name, arena, &value);
	return value;
}

/* What can have hidden the body (moby pkg/authorization/authz.go, sendBody). */
static const char *
what_hides_it(const struct docker_request *request, struct arena *arena)
{
	struct text length = header(request, "Content-Length", arena);
	struct text type = header(request, "Content-Type", arena);

	if (!request->envelope)
		return "none was given";
	if (length.len > 6)
		return "engines withhold bodies of 1 MiB or more from plugins "
		       "(CVE-2026-34040; fixed in 25.0.16 and 29.3.1)";
	if (length.len == 0 && type.len > 0)
		return "it was sent chunked, and engines without the fix for "
		       "CVE-2024-41110 withhold that (fixed in 23.0.15, 25.0.6, 26.1.5 "
		       "and "
		       "27.1.1)";
	if (text_is(length, "0"))
		return "it was sent with Content-Length: 0";
	if (type.len == 0)
		return "it was sent without a Content-Type";
	return "its Content-Type or its request target hides it from plugins";
}

/* A container whose settings are in a body that was not to be seen. */
static void
add_without_body(const struct docker_request *request, struct text name,
                 struct arena *arena, struct workload *workload)
{
	struct err why = {0};

	(void)err_set(&why, ERR_LIMIT, "%s", what_hides_it(request, arena));
	workload->no_body = true;
	workload_add_unseen(workload, arena, &why);
	if (workload->count > 0)
		workload->containers[0].name = name;
}

/* Guards that a call meets besides those of its body. */
static void
add_guards(struct workload *workload, unsigned guards)
{
	if (workload->count > 0)
		workload->containers[0].guards |= guards;
}

/* A call that is only about guards. */
static bool
read_guarded(struct workload *workload, struct arena *arena, enum operation operation,
             unsigned guards)
{
	workload->operation = operation;
	(void)workload_add(workload, arena);
	add_guards(workload, guards);
	return true;
}

static bool
read_create(const struct docker_request *request, struct arena *arena,
            struct workload *workload)
{
	struct text name = query_name(request->route, arena);

	workload->operation = OPERATION_CREATE;
	if (request->body.len == 0)
		add_without_body(request, name, arena, workload);
	else
		docker_create_read(request->body, name, arena, workload);
	return true;
}

/*
 * Could there be a body that the engine acts on and did not show us? Engines up to 24 read
 * one on API < 1.24 if it is chunked or long enough; a client that sends none has a
 * Content-Length of 0, or neither length nor type (net/http).
 */
static bool
start_may_hide_body(const struct docker_request *request, struct arena *arena)
{
	struct text length, type;

	if (!request->envelope || !docker_version_below(request->route->version, 1, 24))
		return false;
	if (authz_header(request->envelope, "Content-Length", arena, &length) != 0 ||
	    authz_header(request->envelope, "Content-Type", arena, &type) != 0)
		return true;
	return length.at ? !text_is(length, "0") : type.at != NULL;
}

static bool
read_start(const struct docker_request *request, struct arena *arena,
           struct workload *workload)
{
	struct text name = path_name(request->route->subject);
	bool certain;
	struct text checkpoint =
	    docker_query(request->route, "checkpoint", arena, &certain);
	unsigned guards =
	    checkpoint.len > 0 || !certain ? GUARD_BIT(GUARD_CHECKPOINT) : 0;

	if (request->body.len > START_BODY_IGNORED) {
		docker_start_read(request->body, name, arena, workload);
	} else if (request->body.len == 0 && start_may_hide_body(request, arena)) {
		add_without_body(request, name, arena, workload);
		guards |= GUARD_BIT(GUARD_LEGACY_START);
	} else if (guards != 0) {
		return read_guarded(workload, arena, OPERATION_START, guards);
	} else {
		return false;
	}
	workload->operation = OPERATION_START;
	add_guards(workload, guards);
	return true;
}

static bool
read_service(const struct docker_request *request, struct arena *arena,
             struct workload *workload)
{
	bool update = request->route->call == CALL_SERVICE_UPDATE, certain;
	struct text rollback = docker_query(request->route, "rollback", arena, &certain);

	workload->operation =
	    update ? OPERATION_SERVICE_UPDATE : OPERATION_SERVICE_CREATE;
	if (request->body.len == 0)
		add_without_body(request, (struct text){0}, arena, workload);
	else
		docker_service_read(request->body, arena, workload);
	if (update && (rollback.len > 0 || !certain))
		add_guards(workload, GUARD_BIT(GUARD_ROLLBACK));
	return true;
}

/*
 * Could the name of a new plugin stand where we don't see it? FormValue (net/http) takes
 * what the query lacks from a multipart body, and reads no form from the JSON bodies that
 * engines show us.
 */
static bool
may_hide_plugin_name(const struct docker_request *request, struct arena *arena)
{
	enum docker_call call = request->route->call;
	struct text name = docker_query(request->route, "name", arena, NULL);
	struct text remote = docker_query(request->route, "remote", arena, NULL);

	if (call != CALL_PLUGIN_CREATE && call != CALL_PLUGIN_PULL)
		return false;
	if (!request->envelope || request->envelope->encoded_body.len > 0)
		return false;
	return !name.at || (name.len == 0 && !remote.at);
}

static bool
read_plugin(const struct docker_request *request, struct arena *arena,
            struct workload *workload)
{
	workload->operation = OPERATION_PLUGIN;
	docker_plugin_read(request->route, request->own_name, request->managed_plugin,
	                   arena, workload);
	if (may_hide_plugin_name(request, arena))
		add_guards(workload, GUARD_BIT(GUARD_SELF));
	return workload->count == 0 || workload->containers[0].guards != 0;
}

bool
docker_call_read(const struct docker_request *request, struct arena *arena,
                 struct workload *workload)
{
	switch (request->route->call) {
	case CALL_OTHER:
		return false;
	case CALL_CONTAINER_CREATE:
		return read_create(request, arena, workload);
	case CALL_CONTAINER_START:
		return read_start(request, arena, workload);
	case CALL_SERVICE_CREATE:
	case CALL_SERVICE_UPDATE:
		return read_service(request, arena, workload);
	case CALL_SWARM_INIT:
	case CALL_SWARM_JOIN:
	case CALL_SWARM_MANAGE:
		return read_guarded(workload, arena, OPERATION_SWARM,
		                    GUARD_BIT(GUARD_SWARM_MEMBERSHIP));
	case CALL_BUILD:
		return read_guarded(workload, arena, OPERATION_BUILD,
		                    GUARD_BIT(GUARD_BUILDS));
	case CALL_PLUGIN_CREATE:
	case CALL_PLUGIN_PULL:
	case CALL_PLUGIN_ENABLE:
	case CALL_PLUGIN_DISABLE:
	case CALL_PLUGIN_UPGRADE:
	case CALL_PLUGIN_SET:
	case CALL_PLUGIN_REMOVE:
		return read_plugin(request, arena, workload);
	case CALL_COUNT:
	default:
		return true; /* an unknown call has no containers: denied */
	}
}
