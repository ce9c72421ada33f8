/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_audit - what `seccomp-authz audit` finds out and how it is shown.
 *
 * A finding is one thing that was judged: a container, a service, or something about the
 * engine itself. Invariant: findings are facts of an engine or a container, so each text
 * in them is foreign: a format escapes all of it. What was found before an engine failed
 * is kept and shown.
 */
#pragma once

#include "cmd.h"
#include "core/arena.h"
#include "core/decide.h"
#include "edge/engine.h"
#include "edge/log.h"
#include "edge/proc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	AUDIT_ENGINES_MAX = 16,
	AUDIT_FINDINGS_MAX = 200000,
	AUDIT_TEXTS_MAX = 256 * 1024 * 1024, /* bytes of all texts of one engine */
	AUDIT_VALUE_MAX = 256,               /* bytes of one that a report shows */
};

/* ---- what there is to find: audit_checks.c ---- */

struct audit_check {
	const char *id; /* stable: a posture, "runtimes", "kernel", "engine-..." */
	const char *what, *fix;
};

/* Never NULL: an unknown `id` is a bug and gives the check "unreadable". */
const struct audit_check *audit_check_find(const char *id);
const struct audit_check *audit_check_at(size_t index); /* NULL: no more */

/* Advisories that an engine of this version may be open to: calls `each` for each.
   False if the version can't be read. */
bool audit_version_each(const char *version,
                        void (*each)(const struct audit_check *check, void *context),
                        void *context);

/* ---- findings ---- */

enum audit_kind { AUDIT_CONTAINER, AUDIT_SERVICE, AUDIT_PREVIOUS, AUDIT_ENGINE };

enum audit_level {
	AUDIT_PASS,
	AUDIT_ADVICE, /* the policy observes it, or it is worth knowing */
	AUDIT_FAIL,   /* the policy denies it: exit code 1 */
};

/* What the kernel says of a container that runs here. */
struct audit_kernel {
	bool seen;
	bool contradicts; /* inspect lets expect a filter, the kernel has none */
	bool inherited;   /* it has no more filters than its parent has */
	int seccomp, filters;
	unsigned processes, unfiltered;
};

struct audit_finding {
	enum audit_kind kind;
	enum audit_level level;
	const struct audit_check *check;
	unsigned postures;                   /* POSTURE_BIT; 0: of the engine */
	struct text id, name, image, status; /* may be missing */
	struct text evidence;                /* "SecurityOpt=[...]" */
	struct text detail, digest, rule;    /* may be missing */
	const struct exception *exception;   /* that lets it through */
	struct audit_kernel kernel;
};

/* As it stands in reports. "deny", "observe", "allow"; "fail", "advice", "pass". */
const char *audit_verdict_name(const struct audit_finding *finding);
const char *audit_kind_name(enum audit_kind kind);

/* CIS Docker Benchmark: 5.21 in 1.0 to 1.2, 5.22 since. "pass", "fail" or "not
   applicable", whatever the policy says. */
#define AUDIT_CIS_TITLE "Ensure that the default seccomp profile is not disabled"
const char *audit_cis_result(const struct audit_finding *finding);

/* "what it is: detail" */
void audit_describe(struct buf *buf, const struct audit_finding *finding);

/* ---- one engine ---- */

struct audit;

struct audit_engine {
	const struct audit *audit;
	struct engine_target target;
	const char *host;      /* as reports show it */
	struct engine *engine; /* NULL: it can't be meant, `err` says why */
	/* written by its thread */
	const struct policy *policy; /* to judge by; of a watch, for one judging */
	struct arena texts;          /* of the findings */
	struct decision decision;    /* the last one, and what it rests on */
	struct circumstances circumstances;
	struct audit_finding *findings; /* audit_sort(): worst first */
	size_t count;
	char name[128], version[64], default_runtime[128]; /* of the engine */
	bool default_unconfined;
	struct buf default_profile; /* its file, as far as we see it; else empty */
	bool swarm_manager;
	struct proc_scan *scan;
	unsigned rechecks;            /* how often the kernel was asked a second time */
	struct err err;               /* why it was not seen whole */
	atomic_size_t done, expected; /* for a progress line */
};

/* What the command line asks for, and what came of it. */
struct audit {
	const char *policy_path, *format, *proc, *plugin_name, *daemon_json, *record;
	bool watch, probe;
	struct policy *policy;
	int64_t now_us;
	struct audit_engine engines[AUDIT_ENGINES_MAX];
	size_t count;
};

/* ---- audit_judge.c ---- */

/* Adds a finding and returns it zeroed; NULL: no room, engine->err is set. */
struct audit_finding *audit_add(struct audit_engine *engine);

/* A copy that lives as long as the findings, cut to `max` bytes (0: all). */
struct text audit_keep(struct audit_engine *engine, struct text t, size_t max);

/* Makes the circumstances of the next decision. */
void audit_begin(struct audit_engine *engine);

/* Judges one thing and adds the finding; engine->decision is what was decided. */
struct audit_finding *audit_judge(struct audit_engine *engine,
                                  const struct inspect_part *part);

/* ---- audit_profile.c: the engine's default profile ---- */

struct json_t; /* jansson.h */

/* Looks at what /info says of seccomp. Returns the name of the default profile, borrowed
   from `info`; NULL: there is no seccomp. */
const char *audit_look_at_seccomp(struct audit_engine *engine, const struct json_t *info);

/* The one that holds from the engine's next start on, beside that of now. */
void audit_look_at_next_profile(struct audit_engine *engine, const char *next,
                                const char *profile);

/* ---- audit_engine.c, audit_fleet.c: ask the engine; 0, or -1 with engine->err ---- */

/* Adds a finding about the engine itself; `detail` may be NULL. */
void audit_add_engine(struct audit_engine *engine, const char *check,
                      enum audit_level level, const char *detail);

int audit_ask_engine(struct audit_engine *engine);
int audit_ask_fleet(struct audit_engine *engine);

/* Reads the kernel's list of processes anew. */
void audit_scan(struct audit_engine *engine);

/* Judges what is at `path` (one container or service, or a list of services) and calls
   `each` after each; what is gone is nothing. */
int audit_ask_one(struct audit_engine *engine, const char *path,
                  void (*each)(struct audit_finding *finding, void *context),
                  void *context);

/* Calls `each` with the ID of every container; all, or those that run. */
int audit_list(struct audit_engine *engine, bool all,
               int (*each)(struct text id, void *context), void *context);

/* ---- audit_count.c ---- */

struct audit_counts {
	size_t kinds[4], levels[3], postures[POSTURE_COUNT]; /* by the worst posture */
	size_t cis_pass, cis_fail, errors;
};

void audit_count(const struct audit *audit, struct audit_counts *ret_counts);

/* How often a check was found, of what is more than a pass. */
size_t audit_count_check(const struct audit *audit, const struct audit_check *check);

/* "2026-01-31T08:00:00Z" */
enum { AUDIT_TIME_MAX = 32 };
void audit_time(int64_t seconds, char room[AUDIT_TIME_MAX]);

/* ---- formats: the whole report on stdout ---- */

void audit_write_table(const struct audit *audit);
void audit_write_cis(const struct audit *audit);
void audit_write_json(const struct audit *audit);
void audit_write_junit(const struct audit *audit);
void audit_write_sarif(const struct audit *audit);
void audit_write_html(const struct audit *audit);

/* One finding as a row of the table. */
void audit_write_row(const struct audit_finding *finding);

/* One finding as the object that stands in the JSON report. */
void audit_add_json(struct buf *buf, const struct audit_engine *engine,
                    const struct audit_finding *finding);

/* A foreign text for XML and HTML: invisible and control characters as \u escapes. */
void audit_add_escaped(struct buf *buf, struct text t);

/* Writes the buf to stdout and empties it; ends the program if it failed. */
void audit_flush(struct buf *buf);

/* ---- audit_watch.c: until SIGTERM or SIGINT ---- */

int audit_watch(struct audit *audit);
