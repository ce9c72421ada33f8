/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_watch.c - follows the events of engines and judges what starts.
 *
 * Whenever an engine answers (again), all that runs by then is judged, once the stream of
 * events stands: so nothing is missed, and what outlived the engine is judged twice.
 */
#include "cmd_audit.h"
#include "core/record_line.h"
#include "edge/file.h"
#include "edge/record.h"

#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_RECORD "file:/var/log/seccomp-authz/audit.jsonl"

/* {"type":["container","service"],"event":["start","create","update"]} */
static const char events_path[] =
    "/events?filters=%7B%22type%22%3A%5B%22container%22%2C%22service%22%5D%2C"
    "%22event%22%3A%5B%22start%22%2C%22create%22%2C%22update%22%5D%7D";

enum { RETRY_MIN_MS = 500, RETRY_MAX_MS = 10 * 1000, TICK_MS = 250, MS_NS = 1000000 };

struct watch {
	struct audit *audit;
	struct record *record;
	struct log log;
	char host[256];
	pthread_mutex_t output; /* lines of several engines */
	atomic_bool stop;
};

struct watcher {
	struct watch *watch;
	struct audit_engine *engine;
	unsigned failures; /* to connect, in a row */
};

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

static void
forget_findings(struct audit_engine *engine)
{
	engine->err = (struct err){0};
	engine->count = 0;
	engine->rechecks = 0;
	arena_reset(&engine->texts);
}

/* Judges a "container" or a "service". What goes wrong is said and shows again later. */
static int
judge(struct watcher *watcher, const char *kind, struct text id)
{
	struct audit_engine *engine = watcher->engine;
	bool service = strcmp(kind, "service") == 0;
	char path[ENGINE_PATH_MAX];

	for (size_t i = 0; i < id.len; i++) { /* hex; of a service base 36 */
		if (!memchr("0123456789abcdefghijklmnopqrstuvwxyz", id.at[i], 36))
			return 0;
	}
	(void)snprintf(path, sizeof path, "/%ss/%.*s%s", kind,
	               id.len < PROC_ID_LEN ? (int)id.len : PROC_ID_LEN, id.at,
	               service ? "" : "/json");
	forget_findings(engine);
	audit_scan(engine);
	if (audit_ask_one(engine, path, take, watcher) != 0)
		log_warning(&watcher->watch->log, "%s", engine->err.text);
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

	return atomic_load(&watcher->watch->stop) ? -1 : judge(watcher, "container", id);
}

/* The stream stands: what the engine is like, and what runs. */
static void
begin(void *context)
{
	struct watcher *watcher = context;
	struct audit_engine *engine = watcher->engine;

	log_info(&watcher->watch->log, "%s: watching", engine->target.host);
	watcher->failures = 0;
	forget_findings(engine);
	if (audit_ask_engine(engine) == 0) {
		for (size_t i = 0; i < engine->count; i++)
			print(watcher->watch, engine, &engine->findings[i]);
		forget_findings(engine);
		(void)audit_list(engine, false, take_running, watcher);
		if (engine->swarm_manager)
			(void)audit_ask_one(engine, "/services", take, watcher);
	}
	if (engine->err.code != ERR_NONE)
		log_warning(&watcher->watch->log, "%s", engine->err.text);
}

/* ---- an engine ---- */

static bool
is_stopped(void *context)
{
	const struct watcher *watcher = context;

	return atomic_load(&watcher->watch->stop);
}

static void
wait_a_while(const struct watcher *watcher)
{
	long left =
	    RETRY_MIN_MS * (watcher->failures < 5 ? 1L << watcher->failures : 32L);
	const struct timespec tick = {.tv_nsec = (long)TICK_MS * MS_NS};

	if (left > RETRY_MAX_MS)
		left = RETRY_MAX_MS;
	for (; left > 0 && !atomic_load(&watcher->watch->stop); left -= TICK_MS)
		(void)nanosleep(&tick, NULL);
}

static void *
follow(void *context)
{
	struct watcher *watcher = context;
	const struct engine_listener listener = {
	    .open = begin, .line = take_event, .stop = is_stopped, .context = watcher};

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

/* ---- all of them ---- */

static int
open_record(struct watch *watch)
{
	const char *sink = watch->audit->record ? watch->audit->record : DEFAULT_RECORD;
	struct err err = {0};

	if (!watch->audit->record &&
	    file_make_parent(sink + strlen("file:"), 0750, &err) != 0)
		return cmd_complain("%s", err.text);
	return record_open(&sink, 1, watch->host, &watch->log, &watch->record, &err) == 0
	           ? EXIT_CLEAN
	           : cmd_complain("%s", err.text);
}

/* Until SIGTERM or SIGINT, which all threads have blocked. */
static void
wait_for_the_end(struct watch *watch, const sigset_t *signals)
{
	const struct timespec tick = {.tv_nsec = (long)TICK_MS * MS_NS};

	while (sigtimedwait(signals, NULL, &tick) < 0)
		record_expire(watch->record);
	atomic_store(&watch->stop, true);
}

static int
watch_all(struct watch *watch, const sigset_t *signals)
{
	struct watcher watchers[AUDIT_ENGINES_MAX] = {{.failures = 0}};
	pthread_t threads[AUDIT_ENGINES_MAX];
	size_t count = 0;

	for (; count < watch->audit->count; count++) {
		struct watcher *watcher = &watchers[count];

		watcher->watch = watch;
		watcher->engine = &watch->audit->engines[count];
		if (pthread_create(&threads[count], NULL, follow, watcher) != 0)
			break;
	}
	if (count == watch->audit->count)
		wait_for_the_end(watch, signals);
	atomic_store(&watch->stop, true);
	for (size_t i = 0; i < count; i++) {
		(void)pthread_join(threads[i], NULL);
		decision_free(&watchers[i].engine->decision);
		proc_free(watchers[i].engine->scan);
	}
	return count == watch->audit->count ? EXIT_CLEAN
	                                    : cmd_complain("no more threads");
}

int
audit_watch(struct audit *audit)
{
	struct watch watch = {.audit = audit,
	                      .log = log_start(LOG_LEVEL_INFO),
	                      .output = PTHREAD_MUTEX_INITIALIZER};
	sigset_t signals;
	int result;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	(void)gethostname(watch.host, sizeof watch.host - 1);
	if (open_record(&watch) != EXIT_CLEAN)
		return EXIT_UNSURE;
	result = watch_all(&watch, &signals);
	record_close(watch.record);
	return result;
}
