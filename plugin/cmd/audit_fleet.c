/* SPDX-License-Identifier: Apache-2.0 */
/* audit_fleet.c - all containers and services of an engine, a few at a time. */
#include "cmd_audit.h"
#include "core/json_go.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

/* A list that has to be there. The caller frees the body. */
static int
ask_list(struct audit_engine *engine, const char *path, struct engine_answer *ret_answer)
{
	if (engine_get(engine->engine, path, ENGINE_LIST_MAX, ret_answer, &engine->err) !=
	    0)
		return -1;
	if (ret_answer->status == 200)
		return 0;
	engine_refusal(ret_answer, &engine->err);
	return err_wrap(&engine->err, "%s: %s", engine->host, path);
}

struct listing {
	int (*each)(struct text id, void *context);
	void *context;
};

static const struct json_field entry_fields[] = {{"Id", json_read_text, 0}};

/* IDs become part of a request target, so they are what they should be. */
static int
read_entry(struct json *json, size_t index, void *context)
{
	const struct listing *listing = context;
	struct text id = {0};

	if (json_read_struct(json, entry_fields, 1, &id) != 0)
		return -1;
	if (id.len != PROC_ID_LEN || index >= AUDIT_FINDINGS_MAX)
		return json_fail(json, ERR_TYPE, "Id: should be one");
	for (size_t i = 0; i < id.len; i++) {
		if (!memchr("0123456789abcdef", id.at[i], 16))
			return json_fail(json, ERR_TYPE, "Id: should be one");
	}
	return listing->each(id, listing->context);
}

int
audit_list(struct audit_engine *engine, bool all,
           int (*each)(struct text id, void *context), void *context)
{
	struct listing listing = {.each = each, .context = context};
	cleanup_arena struct arena scratch = {0};
	struct engine_answer answer = {0};
	int result = ask_list(engine, all ? "/containers/json?all=1" : "/containers/json",
	                      &answer);

	if (result == 0) {
		struct json json =
		    json_start(buf_text(&answer.body), &scratch, &engine->err);

		result = json_read_list(&json, read_entry, &listing);
		if (result != 0)
			(void)err_wrap(&engine->err, "%s: the list of containers",
			               engine->host);
	}
	buf_free(&answer.body);
	return result;
}

/* ---- one answer ---- */

struct taking {
	struct audit_engine *engine;
	const struct engine_answer *answer;
	void (*each)(struct audit_finding *finding, void *context);
	void *context;
};

static int
take_part(const struct inspect_part *part, void *context)
{
	const struct taking *taking = context;
	struct audit_finding *finding = audit_judge(taking->engine, part);

	if (!finding)
		return -1;
	if (taking->answer->status != 200) {
		struct err why = {0};

		engine_refusal(taking->answer, &why);
		finding->detail = audit_keep(taking->engine, text_of(why.text), 0);
	}
	if (taking->each)
		taking->each(finding, taking->context);
	return 0;
}

/* What isn't there any more is no finding; what can't be read is. */
static void
take_container(const struct taking *taking)
{
	const struct inspect_part part = {INSPECT_CONTAINER,
	                                  buf_text(&taking->answer->body)};
	struct taking copy = *taking;

	if (taking->answer->status != 404)
		(void)take_part(&part, &copy);
}

/* One service, or all of them. */
static int
take_services(const struct taking *taking)
{
	struct audit_engine *engine = taking->engine;
	cleanup_arena struct arena scratch = {0};
	struct taking copy = *taking;

	if (taking->answer->status == 404)
		return 0;
	if (taking->answer->status != 200)
		engine_refusal(taking->answer, &engine->err);
	else if (docker_inspect_each(buf_text(&taking->answer->body), &scratch, take_part,
	                             &copy, &engine->err) == 0)
		return 0;
	return err_wrap(&engine->err, "%s: services", engine->host);
}

int
audit_ask_one(struct audit_engine *engine, const char *path,
              void (*each)(struct audit_finding *finding, void *context), void *context)
{
	struct engine_answer answer = {0};
	struct taking taking = {engine, &answer, each, context};
	int result =
	    engine_get(engine->engine, path, ENGINE_LIST_MAX, &answer, &engine->err);

	if (result == 0 && strncmp(path, "/services", 9) == 0)
		result = take_services(&taking);
	else if (result == 0)
		take_container(&taking);
	buf_free(&answer.body);
	return result;
}

/* ---- all ---- */

/* The IDs of all containers, 64 bytes each. */
struct fleet {
	struct audit_engine *engine;
	struct buf ids;
};

static int
add_id(struct text id, void *context)
{
	struct fleet *fleet = context;

	buf_add_text(&fleet->ids, id);
	return buf_ok(&fleet->ids)
	           ? 0
	           : err_set(&fleet->engine->err, ERR_MEMORY, "no memory");
}

static void
write_path(void *context, size_t index, char room[ENGINE_PATH_MAX])
{
	const struct fleet *fleet = context;

	(void)snprintf(room, ENGINE_PATH_MAX, "/containers/%.*s/json", PROC_ID_LEN,
	               fleet->ids.at + index * PROC_ID_LEN);
}

static void
take_one(void *context, size_t index, const struct engine_answer *answer)
{
	struct fleet *fleet = context;
	struct audit_engine *engine = fleet->engine;
	size_t before = engine->count;
	struct audit_finding *finding;

	take_container(&(struct taking){.engine = engine, .answer = answer});
	finding = engine->count > before ? &engine->findings[before] : NULL;
	if (finding && !finding->id.at)
		finding->id = audit_keep(
		    engine,
		    (struct text){fleet->ids.at + index * PROC_ID_LEN, PROC_ID_LEN}, 0);
	atomic_fetch_add(&engine->done, 1);
}

void
audit_scan(struct audit_engine *engine)
{
	struct err ignored = {0};

	proc_free(engine->scan);
	engine->scan = NULL;
	/* without it the kernel is asked about the main processes only */
	if (engine->target.socket)
		(void)proc_scan(engine->audit->proc, &engine->scan, &ignored);
}

static int
ask_fleet(struct fleet *fleet)
{
	struct audit_engine *engine = fleet->engine;
	const struct engine_batch batch = {.count = fleet->ids.len / PROC_ID_LEN,
	                                   .path = write_path,
	                                   .done = take_one,
	                                   .context = fleet};

	atomic_store(&engine->expected, batch.count);
	audit_scan(engine);
	if (engine_get_all(engine->engine, &batch, &engine->err) != 0)
		return -1;
	return engine->swarm_manager ? audit_ask_one(engine, "/services", NULL, NULL) : 0;
}

int
audit_ask_fleet(struct audit_engine *engine)
{
	struct fleet fleet = {.engine = engine};
	int result = audit_list(engine, true, add_id, &fleet);

	if (result == 0)
		result = ask_fleet(&fleet);
	buf_free(&fleet.ids);
	return engine->err.code == ERR_NONE ? result : -1;
}
