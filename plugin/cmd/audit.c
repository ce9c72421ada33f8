/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - `seccomp-authz audit`: judges what runs already, on one engine or many. */
#include "cmd_audit.h"
#include "cmd_options.h"
#include "edge/policy_store.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROC "/proc"

enum { PROGRESS_MS = 200 };

static const struct format {
	const char *name;
	void (*write)(const struct audit *audit);
} formats[] = {
    {"table", audit_write_table}, {"json", audit_write_json},
    {"cis", audit_write_cis},     {"html", audit_write_html},
    {"junit", audit_write_junit}, {"sarif", audit_write_sarif},
};

/* ---- one engine a thread ---- */

static int
compare_findings(const void *a, const void *b)
{
	const struct audit_finding *x = a, *y = b;
	struct text m = x->name, n = y->name;
	int order =
	    memcmp(m.at ? m.at : "", n.at ? n.at : "", m.len < n.len ? m.len : n.len);

	if (x->level != y->level)
		return x->level > y->level ? -1 : 1;
	if ((x->kind == AUDIT_ENGINE) != (y->kind == AUDIT_ENGINE))
		return x->kind == AUDIT_ENGINE ? -1 : 1;
	if (x->check != y->check)
		return x->check < y->check ? -1 : 1;
	if (order != 0 || m.len == n.len)
		return order;
	return m.len < n.len ? -1 : 1;
}

static void *
run_engine(void *context)
{
	struct audit_engine *engine = context;

	engine->policy = engine->audit->policy;
	if (audit_ask_engine(engine) == 0)
		(void)audit_ask_fleet(engine);
	if (engine->count > 1)
		qsort(engine->findings, engine->count, sizeof *engine->findings,
		      compare_findings);
	decision_free(&engine->decision);
	proc_free(engine->scan);
	engine->scan = NULL;
	return NULL;
}

static void
show_progress(const struct audit *audit, bool last)
{
	size_t done = 0, expected = 0;

	for (size_t i = 0; i < audit->count; i++) {
		done += atomic_load(&audit->engines[i].done);
		expected += atomic_load(&audit->engines[i].expected);
	}
	(void)fprintf(stderr, last ? "\r\033[K" : "\r%zu of %zu containers", done,
	              expected);
}

/* Waits for a thread and shows how far all are. Returns whether there was need to. */
static bool
wait_for(const struct audit *audit, pthread_t thread)
{
	bool shown = false;
	struct timespec until;

	for (;;) {
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += PROGRESS_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		if (pthread_timedjoin_np(thread, NULL, &until) == 0)
			return shown;
		show_progress(audit, false);
		shown = true;
	}
}

static void
run_all(struct audit *audit)
{
	pthread_t threads[AUDIT_ENGINES_MAX];
	bool started[AUDIT_ENGINES_MAX] = {false}, terminal = isatty(STDERR_FILENO);
	bool shown = false;

	for (size_t i = 0; i < audit->count; i++) {
		struct audit_engine *engine = &audit->engines[i];

		if (!engine->engine)
			continue;
		started[i] = pthread_create(&threads[i], NULL, run_engine, engine) == 0;
		if (!started[i])
			(void)run_engine(engine);
	}
	for (size_t i = 0; i < audit->count; i++) {
		if (started[i] && terminal)
			shown |= wait_for(audit, threads[i]);
		else if (started[i])
			(void)pthread_join(threads[i], NULL);
	}
	if (shown)
		show_progress(audit, true);
}

/* ---- what comes of it ---- */

/* An engine that was not seen whole is worse than a finding. */
static int
report(const struct audit *audit, const struct format *format)
{
	struct audit_counts counts;

	format->write(audit);
	for (size_t i = 0; i < audit->count; i++) {
		if (audit->engines[i].err.code != ERR_NONE)
			(void)cmd_complain("%s", audit->engines[i].err.text);
	}
	if (!cmd_flush())
		return cmd_complain("stdout: can't be written");
	audit_count(audit, &counts);
	if (counts.errors > 0)
		return EXIT_UNSURE;
	return counts.levels[AUDIT_FAIL] > 0 ? EXIT_FOUND : EXIT_CLEAN;
}

/* One that can't be opened stands in the report as one that was not seen: it holds up none
   of the others. */
static void
open_engine(struct audit *audit, const char *host)
{
	struct audit_engine *engine = &audit->engines[audit->count++];

	engine->audit = audit;
	engine->texts.limit = AUDIT_TEXTS_MAX;
	engine->host = host ? host : "the default engine";
	if (engine_target_find(host, &engine->target, &engine->err) != 0)
		return;
	engine->host = engine->target.host;
	(void)engine_open(&engine->target, &engine->engine, &engine->err);
}

static void
close_engines(struct audit *audit)
{
	for (size_t i = 0; i < audit->count; i++) {
		struct audit_engine *engine = &audit->engines[i];

		engine_close(engine->engine);
		engine_target_free(&engine->target);
		arena_free(&engine->texts);
		buf_free(&engine->default_profile);
		free(engine->findings);
	}
}

static int
run(struct audit *audit, const struct cmd_values *hosts, const struct format *format)
{
	int result;

	for (size_t i = 0; i < hosts->count || i == 0; i++)
		open_engine(audit, hosts->count ? hosts->at[i] : NULL);
	if (audit->watch) {
		result = audit_watch(audit);
	} else {
		run_all(audit);
		result = report(audit, format);
	}
	close_engines(audit);
	return result;
}

/* ---- the command line ---- */

static const struct format *
find_format(const char *name)
{
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	}
	return NULL;
}

/* Else the kernel would be silently left out. */
static bool
has_processes(const char *folder)
{
	char path[PATH_MAX];
	int len = snprintf(path, sizeof path, "%s/1/status", folder);

	return len > 0 && (size_t)len < sizeof path && access(path, F_OK) == 0;
}

/* What the words mean together. */
static int
check_words(const struct command *self, struct audit *audit,
            const struct format **ret_format)
{
	const struct format *format = find_format(audit->format);

	if (!format)
		return cmd_usage_error(self,
		                       "--format %s: should be table, json, cis, html, "
		                       "junit or sarif",
		                       audit->format);
	*ret_format = format;
	if (audit->proc && !has_processes(audit->proc))
		return cmd_complain("--proc %s: no process is to be seen there; should "
		                    "be a mounted /proc",
		                    audit->proc);
	if (!audit->proc)
		audit->proc = PROC;
	if (audit->record && !audit->watch)
		return cmd_usage_error(self, "--record without --watch");
	if (audit->watch && format->write != audit_write_table &&
	    format->write != audit_write_json)
		return cmd_usage_error(self, "--watch: prints table or json, no %s",
		                       audit->format);
	return CMD_GO_ON;
}

static int
read_words(const struct command *self, int argc, char **argv, struct audit *audit,
           struct cmd_values *ret_hosts)
{
	const struct cmd_option options[] = {
	    {"--host", .values = ret_hosts},
	    {"--policy", .value = &audit->policy_path},
	    {"--format", .value = &audit->format},
	    {"--proc", .value = &audit->proc},
	    {"--plugin-name", .value = &audit->plugin_name},
	    {"--daemon-json", .value = &audit->daemon_json},
	    {"--record", .value = &audit->record},
	    {"--watch", .flag = &audit->watch},
	    {"--probe", .flag = &audit->probe},
	    {.name = NULL},
	};
	int words, code = cmd_read_options(self, options, argc, argv, &words);

	return code == CMD_GO_ON && words > 0
	           ? cmd_usage_error(self, "%s: one word too many", argv[1])
	           : code;
}

static int
run_audit(const struct command *self, int argc, char **argv)
{
	struct audit *audit = calloc(1, sizeof *audit);
	struct cmd_values hosts = {.count = 0};
	const struct format *format = &formats[0];
	int code;

	if (!audit)
		return cmd_complain("out of memory");
	audit->format = format->name;
	audit->plugin_name = "seccomp-authz";
	audit->now_us = (int64_t)time(NULL) * 1000000;
	code = read_words(self, argc, argv, audit, &hosts);
	if (code == CMD_GO_ON)
		code = check_words(self, audit, &format);
	if (code == CMD_GO_ON)
		code = cmd_load_policy(audit->policy_path, &audit->policy);
	if (audit->policy)
		code = run(audit, &hosts, format);
	policy_free(audit->policy);
	free(audit);
	return code;
}

const struct command command_audit = {
    .name = "audit",
    .summary = "judge the containers that are there already",
    .usage = "[options]",
    .help =
	"Judges all containers of an engine, stopped ones too, and the Swarm services "
	"of\n"
	"a manager, by the policy; where a container runs on this machine, the kernel "
	"is\n"
	"asked whether its processes have a filter. Looks at the engine itself as well.\n"
	"\n"
	"  --host URL          unix://PATH or tcp://HOST:PORT; may be repeated [as the\n"
	"                      docker client: DOCKER_HOST, the current context]\n"
	"  --policy FILE       the policy to judge by [" POLICY_DEFAULT_PATH ",\n"
	"                      or the built-in policy where that does not exist]\n"
	"  --format F          table   for a terminal, worst first [default]\n"
	"                      json    see audit.schema.json\n"
	"                      cis     ID: SecurityOpt=[...] and the verdict "
	"(5.21/5.22)\n"
	"                      html    one page to keep      junit, sarif   for a CI\n"
	"  --proc DIR          where the engine's machine has its /proc [/proc]\n"
	"  --daemon-json FILE  the engine's configuration [that of the default engine]\n"
	"  --plugin-name NAME  what the engine calls the plugin [seccomp-authz]\n"
	"  --probe             see whether the plugin refuses: asks the engine for a\n"
	"                      container that it could not create (leaves a denial on\n"
	"                      record)\n"
	"  --watch             go on: judge what starts, until SIGTERM (table, json); "
	"SIGHUP\n"
	"                      reloads the policy and takes up a record that was moved\n"
	"  --record SINK       with --watch: where denials and exceptions go, file:PATH "
	"or\n"
	"                      stdout [file:/var/log/seccomp-authz/audit.jsonl]\n"
	"\n"
	"DOCKER_TLS_VERIFY and DOCKER_CERT_PATH hold for tcp hosts. Criteria over the "
	"user\n"
	"never match: inspect does not say who created a container.\n"
	"\n"
	"Exit code: 0 all is as the policy wants it, 1 something is not, 2 could not "
	"tell\n"
	"(what was judged by then is shown).\n",
    .run = run_audit,
};
