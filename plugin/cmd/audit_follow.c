/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_follow.c - follows the events of one engine and judges what starts.
 *
 * Whenever an engine answers (again), all that runs by then is judged, once the stream of
 * events stands: so nothing is missed, and what outlived the engine is judged twice.
 */
#include "cmd_audit_watch.h"
#include "core/record_line.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* {"type":["container","service"],"event":["start","create","update"]} */
static const char events_path[] =
    "/events?filters=%7B%22type%22%3A%5B%22container%22%2C%22service%22%5D%2C"
    "%22event%22%3A%5B%22start%22%2C%22create%22%2C%22update%22%5D%7D";

enum { RETRY_MIN_MS = 500, RETRY_MAX_MS = 10 * 1000, TICK_MS = 250, MS_NS = 1000000 };

static bool
is_stopped(void *context)
{
	const struct watcher *watcher = context;

	return atomic_load(&watcher->watch->stop);
}

/* ---- a finding: on stdout, and on record ---- */

static void
entry_done(struct record_entry *entry, const char *failure)
{
	if (failure)
		(void)cmd_complain("a finding could not be put on record: %s", failure);
	buf_free(&entry->line);
	free(entry);
}

static void
put_on_record(struct watch *watch, const struct audit_engine *engine)
{
	struct record_entry *entry = calloc(1, sizeof *entry);

	if (!entry) {
		(void)cmd_complain("a finding could not be put on record: out of memory");
		return;
	}
	entry->done = entry_done;
	record_line(&entry->line, &engine->decision, &engine->circumstances,
	            text_of(watch->host));
	if (buf_ok(&entry->line))
		record_submit(watch->record, entry);
	else
		entry_done(entry, "out of memory");
}

static void
print(struct watch *watch, const struct audit_engine *engine,
      const struct audit_finding *finding)
{
	cleanup_buf struct buf line = {0};

	(void)pthread_mutex_lock(&watch->output);
	if (strcmp(watch->audit->format, "json") == 0) {
		audit_add_json(&line, engine, finding);
		buf_char(&line, '\n');
		audit_flush(&line);
	} else {
		audit_write_row(finding);
	}
	(void)fflush(stdout);
	(void)pthread_mutex_unlock(&watch->output);
}

static void
take(struct audit_finding *finding, void *context)
{
	struct watcher *watcher = context;

	print(watcher->watch, watcher->engine, finding);
	if (watcher->engine->decision.verdict.on_record)
		put_on_record(watcher->watch, watcher->engine);
}

/* ---- an event ---- */

/* The policy stays as it is until let_go(). */
static const struct policy_snapshot *
hold_policy(const struct watcher *watcher)
{
	const struct policy_snapshot *held = policy_store_acquire(watcher->watch->store);

	watcher->engine->policy = held->policy;
	return held;
}

static void
let_go(const struct watcher *watcher, const struct policy_snapshot *held)
{
	watcher->engine->policy = NULL;
	policy_store_release(watcher->watch->store, held);
}

static void
forget_findings(struct audit_engine *engine)
{
	engine->err = (struct err){0};
	engine->count = 0;
	engine->rechecks = 0;
	arena_reset(&engine->texts);
}

/* Judges what is at `path`. What goes wrong is said and shows again later. */
static void
judge_at(struct watcher *watcher, const char *path)
{
	struct audit_engine *engine = watcher->engine;
	const struct policy_snapshot *held = hold_policy(watcher);

	forget_findings(engine);
	audit_scan(engine);
	if (audit_ask_one(engine, path, take, watcher) != 0 && !is_stopped(watcher))
		log_warning(&watcher->watch->log, "%s", engine->err.text);
	let_go(watcher, held);
}

/* A "container" or a "service". */
static int
judge(struct watcher *watcher, const char *kind, struct text id)
{
	bool service = strcmp(kind, "service") == 0;
	char path[ENGINE_PATH_MAX];

	for (size_t i = 0; i < id.len; i++) { /* hex; of a service base 36 */
		if (!memchr("0123456789abcdefghijklmnopqrstuvwxyz", id.at[i], 36))
			return 0;
	}
	(void)snprintf(path, sizeof path, "/%ss/%.*s%s", kind,
	               id.len < PROC_ID_LEN ? (int)id.len : PROC_ID_LEN, id.at,
	               service ? "" : "/json");
	judge_at(watcher, path);
	return 0;
}

static void
take_event(void *context, struct text line)
{
	json_t *event = json_loadb(line.at, line.len, 0, NULL);
	const char *type = json_string_value(json_object_get(event, "Type"));
	const char *action = json_string_value(json_object_get(event, "Action"));
	const char *id =
	    json_string_value(json_object_get(json_object_get(event, "Actor"), "ID"));

	if (type && action && id &&
	    ((strcmp(type, "container") == 0 && strcmp(action, "start") == 0) ||
	     (strcmp(type, "service") == 0 && strcmp(action, "start") != 0)))
		(void)judge(context, type, text_of(id));
	json_decref(event);
}

static int
take_running(struct text id, void *context)
{
	struct watcher *watcher = context;

	return is_stopped(watcher) ? -1 : judge(watcher, "container", id);
}

/* What was found by the time that it failed is shown, too. */
static bool
look_at_engine(struct watcher *watcher)
{
	struct audit_engine *engine = watcher->engine;
	const struct policy_snapshot *held = hold_policy(watcher);
	bool seen;

	forget_findings(engine);
	seen = audit_ask_engine(engine) == 0;
	for (size_t i = 0; i < engine->count; i++)
		print(watcher->watch, engine, &engine->findings[i]);
	let_go(watcher, held);
	return seen;
}

/* The stream stands: what the engine is like, and what runs. */
static void
begin(void *context)
{
	struct watcher *watcher = context;
	struct audit_engine *engine = watcher->engine;
	bool seen;

	log_info(&watcher->watch->log, "%s: watching", engine->host);
	watcher->failures = 0;
	seen = look_at_engine(watcher);
	if (seen)
		forget_findings(engine);
	if (seen && audit_list(engine, false, take_running, watcher) == 0 &&
	    engine->swarm_manager)
		judge_at(watcher, "/services");
	else if (engine->err.code != ERR_NONE && !is_stopped(watcher))
		log_warning(&watcher->watch->log, "%s", engine->err.text);
}

/* ---- an engine ---- */

static void
wait_a_while(struct watcher *watcher)
{
	long left =
	    RETRY_MIN_MS * (watcher->failures < 5 ? 1L << watcher->failures : 32L);
	const struct timespec tick = {.tv_nsec = (long)TICK_MS * MS_NS};

	if (left > RETRY_MAX_MS)
		left = RETRY_MAX_MS;
	for (; left > 0 && !is_stopped(watcher); left -= TICK_MS)
		(void)nanosleep(&tick, NULL);
}

void *
audit_follow(void *context)
{
	struct watcher *watcher = context;
	const struct engine_listener listener = {
	    .open = begin, .line = take_event, .stop = is_stopped, .context = watcher};

	engine_stop_when(watcher->engine->engine, is_stopped, watcher);
	while (!is_stopped(watcher)) {
		struct err err = {0};

		if (engine_follow(watcher->engine->engine, events_path, &listener,
		                  &err) == 0)
			break;
		if (watcher->failures == 0)
			log_warning(&watcher->watch->log, "%s; trying again", err.text);
		wait_a_while(watcher);
		watcher->failures++;
	}
	return NULL;
}
