/* SPDX-License-Identifier: Apache-2.0 */
/* audit_judge.c - one container or service -> a finding, by policy and by kernel. */
#include "cmd_audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum {
	OPTION_SHOWN = 200,
	EVIDENCE_MAX = 2048,
	RECHECK_MS = 300,
	RECHECKS_MAX = 20, /* per engine: more are no accident */
};

struct audit_finding *
audit_add(struct audit_engine *engine)
{
	struct audit_finding *wider;

	if ((engine->count & (engine->count - 1)) == 0) {
		size_t room = engine->count ? 2 * engine->count : 1;

		wider = engine->count < AUDIT_FINDINGS_MAX
		            ? reallocarray(engine->findings, room, sizeof *wider)
		            : NULL;
		if (!wider) {
			(void)err_set(&engine->err, ERR_MEMORY,
			              "%s: no room for more findings", engine->host);
			return NULL;
		}
		engine->findings = wider;
	}
	engine->findings[engine->count] = (struct audit_finding){.kind = AUDIT_ENGINE};
	return &engine->findings[engine->count++];
}

struct text
audit_keep(struct audit_engine *engine, struct text t, size_t max)
{
	struct text kept;

	if (!t.at)
		return t;
	kept = arena_text(&engine->texts,
	                  text_first(t, max > 0 && t.len > max ? max : t.len));
	if (!kept.at)
		(void)err_set(&engine->err, ERR_MEMORY, "%s: no room for more findings",
		              engine->host);
	return kept;
}

/* ---- the kernel ---- */

/* A process whose filters are all its parent's has none of its own: the runtime gave it
   none, and something above the engine has a filter. */
static bool
is_inherited(const struct proc_process *process)
{
	return process->seccomp == 2 && process->inherited > 0 && process->filters >= 0 &&
	       process->filters <= process->inherited;
}

static bool
is_unfiltered(const struct audit_kernel *kernel)
{
	return kernel->seen && (kernel->unfiltered > 0 || kernel->inherited);
}

static void
take_main_process(const struct proc_process *process, struct audit_kernel *kernel)
{
	*kernel = (struct audit_kernel){.seen = process->seccomp >= 0,
	                                .seccomp = process->seccomp,
	                                .filters = process->filters,
	                                .inherited = is_inherited(process),
	                                .processes = 1,
	                                .unfiltered = process->bare};
}

/*
 * The main process may not be where inspect says: the container was restarted since, or the
 * engine counts pids in another namespace. Its cgroup tells all the same.
 */
static void
ask_kernel(const struct audit_engine *engine, const struct inspected *about,
           struct audit_kernel *kernel)
{
	const struct proc_container *all = proc_find(engine->scan, about->id);
	struct proc_process process;

	*kernel = (struct audit_kernel){.filters = -1};
	if (!engine->target.socket || about->pid <= 0)
		return;
	if (proc_read(engine->audit->proc, about->pid, about->id, &process)) {
		take_main_process(&process, kernel);
	} else if (all && all->unknown < all->processes) {
		kernel->seen = true;
		kernel->seccomp = all->unfiltered > 0 ? 0 : 2;
	}
	if (!all || !kernel->seen)
		return;
	if (kernel->processes < all->processes)
		kernel->processes = all->processes;
	if (kernel->unfiltered < all->unfiltered)
		kernel->unfiltered = all->unfiltered;
}

/* ---- the finding ---- */

/* "SecurityOpt=[a b]", as the manual command of the benchmark prints it. */
static void
write_evidence(struct audit_engine *engine, const struct inspected *about,
               const struct container *container, struct audit_finding *finding)
{
	cleanup_buf struct buf out = {.limit = EVIDENCE_MAX};

	if (finding->kind != AUDIT_CONTAINER) {
		buf_str(&out, "Privileges.Seccomp=[");
		buf_add_text(&out, text_first(container->setting,
		                              container->setting.len > OPTION_SHOWN
		                                  ? OPTION_SHOWN
		                                  : container->setting.len));
	} else {
		buf_str(&out, "SecurityOpt=[");
	}
	for (size_t i = 0; i < about->security_opt.count; i++) {
		struct text option = about->security_opt.at[i];
		bool cut = option.len > OPTION_SHOWN;

		buf_str(&out, i > 0 ? " " : "");
		buf_add_text(&out, text_first(option, cut ? OPTION_SHOWN : option.len));
		buf_str(&out, cut ? "..." : "");
	}
	buf_str(&out, "]");
	if (container->postures & POSTURE_BIT(POSTURE_PRIVILEGED))
		buf_str(&out, " Privileged=true");
	finding->evidence = audit_keep(engine, buf_text(&out), EVIDENCE_MAX);
}

static void
write_detail(struct audit_engine *engine, const struct container *container,
             struct audit_finding *finding)
{
	const struct audit_kernel *kernel = &finding->kernel;
	const struct workload *workload = &engine->decision.workload;
	cleanup_buf struct buf out = {0};

	if (kernel->contradicts && kernel->inherited)
		buf_printf(&out, "its %d filters are those of its parent",
		           kernel->filters);
	else if (kernel->contradicts)
		buf_printf(&out, "Seccomp: 0 in %u of %u processes", kernel->unfiltered,
		           kernel->processes);
	else if (container->postures & POSTURE_BIT(POSTURE_UNREADABLE))
		buf_str(&out, workload->unreadable.text);
	else if (finding->check == audit_check_find("weak"))
		for (size_t i = 0; container->weak_calls[i]; i++)
			buf_printf(&out, "%s%s", i > 0 ? ", " : "",
			           container->weak_calls[i]);
	else if (finding->check == audit_check_find("runtimes"))
		buf_add_text(&out, container->runtime);
	else if (container->setting.at)
		buf_add_text(&out, container->setting);
	if (out.len > 0)
		finding->detail = audit_keep(engine, buf_text(&out), 2 * OPTION_SHOWN);
}

static const struct audit_check *
which_check(const struct verdict *verdict, const struct audit_finding *finding)
{
	if (finding->kernel.contradicts)
		return audit_check_find("kernel");
	if (verdict->reason == REASON_GUARD)
		return audit_check_find(guard_name((enum guard)verdict->guard));
	return audit_check_find(
	    posture_name(verdict->has_posture ? verdict->posture : POSTURE_UNREADABLE));
}

static void
fill(struct audit_engine *engine, const struct inspected *about,
     struct audit_finding *finding)
{
	static const enum audit_level levels[] = {
	    [DECISION_DENY] = AUDIT_FAIL,
	    [DECISION_OBSERVE] = AUDIT_ADVICE,
	    [DECISION_ALLOW] = AUDIT_PASS,
	};
	static const struct container nothing;
	const struct verdict *verdict = &engine->decision.verdict;
	const struct workload *workload = &engine->decision.workload;
	const struct container *container =
	    workload->count > 0 ? &workload->containers[0] : &nothing;

	finding->level = levels[verdict->decision];
	finding->postures = container->postures ? container->postures
	                    : container->guards ? 0
	                                        : POSTURE_BIT(POSTURE_UNREADABLE);
	finding->check = which_check(verdict, finding);
	finding->exception = verdict->exception;
	finding->rule = audit_keep(engine, verdict_rule(verdict), 0);
	finding->id = audit_keep(engine, about->id, AUDIT_VALUE_MAX);
	finding->name = audit_keep(engine, about->name, AUDIT_VALUE_MAX);
	finding->image = audit_keep(
	    engine, container->image.text.at ? container->image.text : about->image,
	    AUDIT_VALUE_MAX);
	finding->status = audit_keep(engine, about->status, AUDIT_VALUE_MAX);
	if (container->digest[0] != '\0')
		finding->digest = audit_keep(engine, text_of(container->digest), 0);
	write_evidence(engine, about, container, finding);
	write_detail(engine, container, finding);
}

/* Does what it asks for let expect a filter? */
static bool
expects_filter(const struct decision *decision)
{
	unsigned none = POSTURE_BIT(POSTURE_PRIVILEGED) |
	                POSTURE_BIT(POSTURE_UNCONFINED) | POSTURE_BIT(POSTURE_UNREADABLE);

	return decision->workload.count > 0 &&
	       !(decision->workload.containers[0].postures & none);
}

void
audit_begin(struct audit_engine *engine)
{
	struct circumstances *circumstances = &engine->circumstances;
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	circumstances->policy = engine->policy;
	circumstances->now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	(void)!getrandom(circumstances->entropy, sizeof circumstances->entropy, 0);
	decision_reset(&engine->decision);
}

static void
decide(struct audit_engine *engine, const struct inspect_part *part,
       const struct inspect_context *context)
{
	audit_begin(engine);
	decide_inspect(part, context, &engine->circumstances, &engine->decision);
}

/*
 * What the kernel says against what the document lets expect. runc puts the filter on as
 * late as it can (standard_init_linux.go, setns_init_linux.go), so a process that is just
 * being started has none: before it counts, it is looked at again.
 */
static bool
contradicts(struct audit_engine *engine, const struct inspected *about,
            struct audit_kernel *kernel)
{
	const struct timespec a_while = {.tv_nsec = RECHECK_MS * 1000000L};

	ask_kernel(engine, about, kernel);
	if (!is_unfiltered(kernel) || !expects_filter(&engine->decision) ||
	    engine->rechecks >= RECHECKS_MAX)
		return is_unfiltered(kernel) && expects_filter(&engine->decision);
	engine->rechecks++;
	(void)nanosleep(&a_while, NULL);
	audit_scan(engine);
	ask_kernel(engine, about, kernel);
	return is_unfiltered(kernel);
}

struct audit_finding *
audit_judge(struct audit_engine *engine, const struct inspect_part *part)
{
	static const enum audit_kind kinds[] = {
	    [INSPECT_CONTAINER] = AUDIT_CONTAINER,
	    [INSPECT_SERVICE] = AUDIT_SERVICE,
	    [INSPECT_PREVIOUS] = AUDIT_PREVIOUS,
	    [INSPECT_OTHER] = AUDIT_CONTAINER,
	};
	struct inspect_context context = {
	    .default_runtime = text_of(engine->default_runtime),
	    .default_unconfined = engine->default_unconfined};
	cleanup_arena struct arena scratch = {0};
	struct audit_finding *finding = audit_add(engine);
	struct inspected about;

	if (!finding)
		return NULL;
	if (engine->default_profile.len > 0)
		context.default_profile = buf_text(&engine->default_profile);
	finding->kind = kinds[part->kind];
	docker_inspect_about(part, &scratch, &about);
	decide(engine, part, &context);
	if (finding->kind == AUDIT_CONTAINER)
		finding->kernel.contradicts =
		    contradicts(engine, &about, &finding->kernel);
	context.unfiltered = finding->kernel.contradicts;
	if (context.unfiltered)
		decide(engine, part, &context);
	fill(engine, &about, finding);
	return finding;
}

/* ---- what a report says of it ---- */

const char *
audit_verdict_name(const struct audit_finding *finding)
{
	static const char *const names[2][3] = {{"allow", "observe", "deny"},
	                                        {"pass", "advice", "fail"}};

	return names[finding->kind == AUDIT_ENGINE][finding->level];
}

const char *
audit_kind_name(enum audit_kind kind)
{
	static const char *const names[] = {"container", "service", "previous spec",
	                                    "engine"};

	return names[kind];
}

const char *
audit_cis_result(const struct audit_finding *finding)
{
	unsigned bad =
	    finding->postures &
	    (POSTURE_BIT(POSTURE_UNREADABLE) | POSTURE_BIT(POSTURE_PRIVILEGED) |
	     POSTURE_BIT(POSTURE_UNCONFINED) | POSTURE_BIT(POSTURE_PERMISSIVE));
	unsigned asked =
	    finding->postures & (POSTURE_BIT(POSTURE_CUSTOM) | POSTURE_BIT(POSTURE_WEAK));
	const struct audit_kernel *kernel = &finding->kernel;

	if (finding->kind != AUDIT_CONTAINER)
		return "not applicable";
	/* engines since 27.0 give a privileged container the profile that it asks for; a
	   filter that nobody asked for is one that the program gave itself */
	if (asked && kernel->seen && !is_unfiltered(kernel))
		bad &= ~POSTURE_BIT(POSTURE_PRIVILEGED);
	return bad ? "fail" : "pass";
}

void
audit_describe(struct buf *buf, const struct audit_finding *finding)
{
	buf_str(buf, finding->check->what);
	if (finding->detail.len > 0) {
		buf_str(buf, ": ");
		buf_add_text(buf, finding->detail);
	}
}
