/* SPDX-License-Identifier: Apache-2.0 */
/* daemon.c - seccomp-authzd, the judge: options, start, loop, stop. */
#include "core/err.h"
#include "edge/admin_doors.h"
#include "edge/http.h"
#include "edge/keeper.h"
#include "edge/listen.h"
#include "edge/log.h"
#include "edge/memory.h"
#include "edge/metrics.h"
#include "edge/options.h"
#include "edge/policy_say.h"
#include "edge/policy_store.h"
#include "edge/record.h"
#include "edge/sandbox_judge.h"
#include "edge/watchdog.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	EXIT_STARTED = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	TICK_MS = 1000,
	STEP_MS = 10,
	/* The end: those who ask without a pause move on by themselves; then those who
	   ask now and then are hung up; and nobody is waited for longer. */
	POLITE_MS = 300,
	DRAIN_MS = RECORD_WAIT_MS + 500,
	HOST_MAX = 256,
};

/* All that runs, in the order in which it is started and, backwards, stopped. */
struct judge {
	struct options options;
	struct log log;
	char host[HOST_MAX];
	int signals; /* signalfd */
	struct metrics metrics;
	struct policy_store *store;
	struct record *record;
	const char *sink; /* the first one, for messages */
	struct listener listener;
	struct http *http;
	struct keeper keeper;
	struct watchdog watchdog;
	struct admin admin;
	struct admin_doors doors;
	struct sandbox_done sandbox;
};

/* ---- start ---- */

static int
catch_signals(struct judge *judge, struct err *err)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	/* before any thread starts, so that all of them block these */
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return err_set(err, ERR_SYSTEM, "sigprocmask: %s", strerror(errno));
	judge->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (judge->signals < 0)
		return err_set(err, ERR_SYSTEM, "signalfd: %s", strerror(errno));
	return 0;
}

static int
open_record(struct judge *judge, struct err *err)
{
	const struct options *options = &judge->options;
	const char *fallback[] = {"file:" RECORD_DEFAULT_PATH, "stdout"};
	struct err first = {0};

	judge->sink = options->record_count > 0 ? options->records[0] : fallback[0];
	if (options->record_count > 0)
		return record_open(options->records, options->record_count, judge->host,
		                   &judge->log, &judge->record, err);
	if (record_open(fallback, 1, judge->host, &judge->log, &judge->record, &first) ==
	    0)
		return 0;
	log_warning(&judge->log, "%s; the record goes to stdout", first.text);
	judge->sink = fallback[1];
	return record_open(fallback + 1, 1, judge->host, &judge->log, &judge->record,
	                   err);
}

static int
open_socket(struct judge *judge, struct err *err)
{
	const char *path = judge->options.socket;

	if (judge->listener.fd >= 0) /* it was handed over */
		return 0;
	return listen_make(path ? path : LISTEN_DEFAULT_PATH, &judge->listener, err);
}

static int
start_http(struct judge *judge, struct err *err)
{
	struct record_state state;
	const struct options *options = &judge->options;
	struct http_options http = {
	    .fd = judge->listener.fd,
	    .store = judge->store,
	    .record = judge->record,
	    .log = &judge->log,
	    .metrics = &judge->metrics,
	    .plugin_name = text_of(options->plugin_name),
	    .managed_plugin = options->managed_plugin,
	    .record_all = options->record_all,
	    .uids = options->uids,
	    .uid_count = options->uid_count,
	    .host = text_of(judge->host),
	};

	record_state(judge->record, &state);
	http.clock_floor_us = state.last_time_us;
	return http_start(&http, &judge->http, err);
}

/* Gives up what is not needed, while there is one thread. */
static int
confine(struct judge *judge, struct err *err)
{
	int adopted = listen_adopt(&judge->listener, err);

	if (adopted < 0)
		return -1;
	admin_doors_listen(&judge->doors, &judge->options, &judge->log);
	sandbox_confine_judge(&judge->options, adopted > 0, &judge->sandbox);
	return 0;
}

/* What guards what. */
static void
say_started(const struct judge *judge)
{
	policy_say(judge->store, &judge->log);
	log_info(&judge->log, "record: %s%s", judge->sink,
	         judge->options.record_count > 1 ? " and others behind it" : "");
	log_info(&judge->log, "serving %s as plugin %s",
	         judge->listener.path[0] ? judge->listener.path
	                                 : "the socket handed over",
	         judge->options.plugin_name);
}

static int
start(struct judge *judge, struct err *err)
{
	const struct options *options = &judge->options;

	judge->log = log_start(options->log_level);
	metrics_start(&judge->metrics);
	memory_guard_jansson();
	if (gethostname(judge->host, sizeof judge->host - 1) != 0)
		(void)snprintf(judge->host, sizeof judge->host, "unknown");
	if (catch_signals(judge, err) != 0 || confine(judge, err) != 0 ||
	    policy_store_open(options->policy, options->state_dir, &judge->log,
	                      &judge->store, err) != 0 ||
	    open_record(judge, err) != 0 || open_socket(judge, err) != 0 ||
	    start_http(judge, err) != 0)
		return -1;
	say_started(judge);
	judge->admin.metrics = &judge->metrics;
	judge->admin.store = judge->store;
	judge->admin.record = judge->record;
	admin_doors_serve(&judge->doors, options, &judge->admin, &judge->log);
	keeper_open(&judge->keeper, &judge->listener);
	watchdog_open(&judge->watchdog);
	sandbox_filter(&judge->sandbox);
	sandbox_say(&judge->sandbox, &judge->log);
	listen_notify("READY=1");
	return 0;
}

/* ---- loop ---- */

static void
reload(struct judge *judge)
{
	bool taken;

	listen_notify("RELOADING=1");
	record_reopen(judge->record);
	taken = policy_store_reload(judge->store) == 0;
	metrics_reloaded(&judge->metrics, taken);
	if (taken)
		say_started(judge);
	listen_notify("READY=1");
}

/* Returns true when it is time to stop. */
static bool
handle_signal(struct judge *judge)
{
	struct signalfd_siginfo info;

	if (read(judge->signals, &info, sizeof info) != (ssize_t)sizeof info)
		return false;
	if (info.ssi_signo != SIGHUP) {
		log_info(&judge->log, "signal %u: stopping", info.ssi_signo);
		return true;
	}
	reload(judge);
	return false;
}

/* Waits for a signal and whatever else there is to do. Returns true when it is time to
   stop. */
static bool
wait_once(struct judge *judge, int timeout_ms)
{
	struct pollfd fds[] = {
	    {.fd = judge->signals, .events = POLLIN},
	    {.fd = record_timer_fd(judge->record), .events = POLLIN},
	    {.fd = keeper_fd(&judge->keeper), .events = POLLIN},
	    {.fd = judge->watchdog.fd, .events = POLLIN},
	};

	if (poll(fds, sizeof fds / sizeof fds[0], timeout_ms) <= 0)
		return false;
	if (fds[1].revents)
		record_expire(judge->record);
	if (fds[2].revents)
		keeper_accept(&judge->keeper, judge->http);
	if (fds[3].revents)
		watchdog_answer(&judge->watchdog);
	return fds[0].revents && handle_signal(judge);
}

/* Returns when it is time to stop. */
static void
serve(struct judge *judge)
{
	const struct watchdog *watchdog = &judge->watchdog;
	int64_t tick = watchdog->step_ms > 0 && watchdog->step_ms < TICK_MS
	                   ? watchdog->step_ms
	                   : TICK_MS;

	do {
		int64_t now_ms = metrics_clock() / 1000000;

		keeper_look(&judge->keeper, judge->http, now_ms, &judge->log);
		watchdog_ask(&judge->watchdog, judge->http, now_ms);
	} while (!wait_once(judge, (int)tick));
}

/* ---- stop ---- */

/*
 * Nobody who asks now is lost. A socket that was handed over keeps those who come for
 * whoever is next; one of ours goes first, since an engine that finds none asks again,
 * while one that is hung up before an answer does so without its question.
 */
static void
drain(struct judge *judge)
{
	struct http *http = judge->http;
	int64_t end = metrics_clock() / 1000000 + DRAIN_MS,
		polite = end - DRAIN_MS + POLITE_MS, now;

	listen_notify("STOPPING=1");
	atomic_store(&judge->admin.stopping, true);
	watchdog_close(&judge->watchdog);
	if (judge->listener.made)
		listen_remove(&judge->listener);
	else
		http_close_door(http);
	listen_remove(&judge->keeper.again);
	http_leave(http);
	while ((now = metrics_clock() / 1000000) < end && http_connections(http) > 0) {
		(void)wait_once(judge, STEP_MS);
		if (now >= polite)
			(void)http_hang_up(http);
	}
	http_quiesce(http);
	while (metrics_clock() / 1000000 < end && http_waiting(http) > 0)
		(void)wait_once(judge, STEP_MS);
}

static void
stop(struct judge *judge)
{
	admin_doors_close(&judge->doors);
	if (judge->record) /* calls back whoever still waits */
		record_close(judge->record);
	http_stop(judge->http);
	keeper_close(&judge->keeper);
	listen_close(&judge->listener);
	if (judge->store)
		policy_store_close(judge->store);
	if (judge->signals >= 0)
		(void)close(judge->signals);
}

int
main(int argc, char **argv)
{
	struct judge judge = {
	    .signals = -1,
	    .listener = {.fd = -1},
	    .doors = ADMIN_DOORS_CLOSED,
	    .keeper = {.again = {.fd = -1}},
	    .watchdog = {.fd = -1},
	};
	struct err err = {0};

	if (options_read(argc, argv, &judge.options, &err) != 0) {
		(void)fprintf(stderr,
		              "seccomp-authz: %s; see seccomp-authz serve --help\n",
		              err.text);
		return EXIT_USAGE;
	}
	if (judge.options.help || judge.options.version) {
		if (judge.options.help)
			(void)printf("usage: seccomp-authz serve [options]\n%s",
			             options_help);
		else
			(void)printf("seccomp-authz %s\n", VERSION);
		return fflush(stdout) == 0 ? EXIT_STARTED : EXIT_FAILED;
	}
	if (start(&judge, &err) != 0) {
		(void)fprintf(stderr, "seccomp-authz: %s\n", err.text);
		stop(&judge);
		return EXIT_FAILED;
	}
	serve(&judge);
	drain(&judge);
	stop(&judge);
	return EXIT_STARTED;
}
