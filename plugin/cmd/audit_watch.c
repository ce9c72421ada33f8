/* SPDX-License-Identifier: Apache-2.0 */
/* audit_watch.c - `seccomp-authz audit --watch`: its threads, policy, record and signals. */
#include "cmd_audit_watch.h"
#include "edge/file.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define DEFAULT_RECORD "file:/var/log/seccomp-authz/audit.jsonl"

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

/* The policy's file may have changed, or its exceptions have something to tell. */
static void
renew_policy(struct watch *watch, bool taken)
{
	if (taken)
		policy_watch_renew(watch->policy_watch, watch->store);
}

/* Returns true when it is time to stop. */
static bool
handle_signal(struct watch *watch)
{
	struct signalfd_siginfo info;

	if (read(watch->signals, &info, sizeof info) != (ssize_t)sizeof info)
		return false;
	if (info.ssi_signo != SIGHUP)
		return true;
	record_reopen(watch->record);
	renew_policy(watch, policy_store_reload(watch->store) == 0);
	return false;
}

/* Until SIGTERM or SIGINT, which all threads have blocked, as SIGHUP. */
static void
wait_for_the_end(struct watch *watch)
{
	struct pollfd fds[] = {
	    {.fd = watch->signals, .events = POLLIN},
	    {.fd = record_timer_fd(watch->record), .events = POLLIN},
	    {.fd = policy_watch_fd(watch->policy_watch), .events = POLLIN},
	};

	for (;;) {
		if (poll(fds, sizeof fds / sizeof fds[0], -1) <= 0)
			continue;
		if (fds[1].revents)
			record_expire(watch->record);
		if (fds[2].revents)
			renew_policy(watch, policy_watch_due(watch->policy_watch,
			                                     watch->store) > 0);
		if (fds[0].revents && handle_signal(watch))
			return;
	}
}

/* Says which hosts can't be meant. Returns how many can. */
static size_t
count_hosts(const struct audit *audit)
{
	size_t count = 0;

	for (size_t i = 0; i < audit->count; i++) {
		if (audit->engines[i].engine)
			count++;
		else
			(void)cmd_complain("%s", audit->engines[i].err.text);
	}
	return count;
}

static int
watch_all(struct watch *watch)
{
	struct watcher watchers[AUDIT_ENGINES_MAX] = {{.failures = 0}};
	pthread_t threads[AUDIT_ENGINES_MAX];
	size_t count = 0;
	int result = EXIT_CLEAN;

	for (size_t i = 0; i < watch->audit->count; i++) {
		struct watcher *watcher = &watchers[count];

		watcher->watch = watch;
		watcher->engine = &watch->audit->engines[i];
		if (!watcher->engine->engine)
			result = EXIT_UNSURE;
		else if (pthread_create(&threads[count], NULL, audit_follow, watcher) ==
		         0)
			count++;
		else
			result =
			    cmd_complain("%s: no more threads", watcher->engine->host);
	}
	if (count > 0)
		wait_for_the_end(watch);
	atomic_store(&watch->stop, true);
	for (size_t i = 0; i < count; i++) {
		(void)pthread_join(threads[i], NULL);
		decision_free(&watchers[i].engine->decision);
		proc_free(watchers[i].engine->scan);
	}
	return result;
}

/* As the judge does, but for the last good policy, which is the judge's to keep. */
static int
open_policy(struct watch *watch)
{
	const struct policy_store_options options = {.path = watch->audit->policy_path,
	                                             .log = &watch->log};
	const struct policy_snapshot *held;
	struct err err = {0};
	bool broken;

	watch->policy_watch = policy_watch_open(options.path, &watch->log);
	if (policy_store_open_with(&options, &watch->store, &err) != 0)
		return cmd_complain("%s", err.text);
	held = policy_store_acquire(watch->store);
	broken = !held->policy;
	policy_store_release(watch->store, held);
	if (!broken)
		(void)policy_watch_due(watch->policy_watch, watch->store);
	return broken ? EXIT_UNSURE : EXIT_CLEAN;
}

static int
open_signals(struct watch *watch)
{
	sigset_t signals;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	watch->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return watch->signals >= 0 ? EXIT_CLEAN : cmd_complain("signals: %m");
}

int
audit_watch(struct audit *audit)
{
	struct watch watch = {.audit = audit,
	                      .log = log_start(LOG_LEVEL_INFO),
	                      .output = PTHREAD_MUTEX_INITIALIZER};
	int result = EXIT_UNSURE;

	if (count_hosts(audit) == 0)
		return EXIT_UNSURE;
	(void)gethostname(watch.host, sizeof watch.host - 1);
	if (open_signals(&watch) == EXIT_CLEAN && open_policy(&watch) == EXIT_CLEAN &&
	    open_record(&watch) == EXIT_CLEAN) {
		result = watch_all(&watch);
		record_close(watch.record);
	}
	policy_watch_close(watch.policy_watch);
	policy_store_close(watch.store);
	file_close(&watch.signals);
	return result;
}
