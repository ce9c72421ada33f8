/* SPDX-License-Identifier: Apache-2.0 */
/* daemon.c - seccomp-authzd, the judge: options, start, loop, stop. */
#include "core/err.h"
#include "edge/admin.h"
#include "edge/file.h"
#include "edge/http.h"
#include "edge/http_admin.h"
#include "edge/listen.h"
#include "edge/log.h"
#include "edge/memory.h"
#include "edge/loopback.h"
#include "edge/metrics.h"
#include "edge/options.h"
#include "edge/policy_store.h"
#include "edge/record.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	EXIT_STARTED = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	DRAIN_MS = RECORD_WAIT_MS + 500, /* longest wait for records at the end */
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
	struct admin admin;
	struct listener admin_listener;
	int metrics_fd;
	struct http_admin *admin_http, *metrics_http;
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
	int adopted = listen_adopt(&judge->listener, err);

	if (adopted < 0)
		return -1;
	if (adopted > 0)
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

static int
serve_admin_socket(struct judge *judge, struct err *err)
{
	const char *path = judge->options.admin_socket;
	struct http_admin_options http = {.admin = &judge->admin, .trusted = true};

	if (!path)
		return 0;
	if (listen_make(path, &judge->admin_listener, err) != 0)
		return -1;
	http.fd = judge->admin_listener.fd;
	if (http_admin_start(&http, &judge->admin_http, err) != 0)
		return -1;
	log_info(&judge->log, "admin socket: %s", path);
	return 0;
}

static int
serve_metrics(struct judge *judge, struct err *err)
{
	const struct loopback *at = &judge->options.metrics_at;
	struct http_admin_options http = {.admin = &judge->admin};
	char name[LOOPBACK_NAME_MAX];

	if (at->len == 0)
		return 0;
	judge->metrics_fd = loopback_listen(at, name, err);
	if (judge->metrics_fd < 0)
		return -1;
	http.fd = judge->metrics_fd;
	if (http_admin_start(&http, &judge->metrics_http, err) != 0)
		return -1;
	log_info(&judge->log, "metrics: http://%s/metrics", name);
	return 0;
}

/* A judge that can't be watched is better than none: without one, engines refuse all. */
static void
start_admin(struct judge *judge)
{
	struct err err = {0};

	judge->admin.metrics = &judge->metrics;
	judge->admin.store = judge->store;
	judge->admin.record = judge->record;
	if (serve_admin_socket(judge, &err) != 0)
		log_error(&judge->log, "there is no admin socket: %s", err.text);
	err = (struct err){0};
	if (serve_metrics(judge, &err) != 0)
		log_error(&judge->log, "--metrics-listen: %s", err.text);
}

static void
name_guards(const struct judge *judge, const struct policy *policy)
{
	cleanup_buf struct buf off = {0};

	for (enum guard guard = 0; guard < GUARD_COUNT; guard++) {
		if (policy->guards[guard] == RULE_OFF)
			buf_printf(&off, "%s%s", off.len ? ", " : "", guard_name(guard));
	}
	if (buf_ok(&off))
		log_info(&judge->log, "guards off: %s", off.len ? off.at : "none");
}

/* What guards what. */
static void
say_started(const struct judge *judge)
{
	const struct policy_snapshot *snapshot = policy_store_acquire(judge->store);

	if (snapshot->policy) {
		log_info(&judge->log, "policy: %s (%s), mode %s", snapshot->source,
		         snapshot->policy->digest,
		         snapshot->policy->mode == RULE_OBSERVE ? "observe" : "enforce");
		name_guards(judge, snapshot->policy);
	} else {
		log_error(&judge->log, "policy broken: %s; every workload is denied",
		          snapshot->broken);
	}
	policy_store_release(judge->store, snapshot);
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
	/* request bodies hold other people's secrets */
	(void)prctl(PR_SET_DUMPABLE, 0);
	memory_guard_jansson();
	if (gethostname(judge->host, sizeof judge->host - 1) != 0)
		(void)snprintf(judge->host, sizeof judge->host, "unknown");
	if (catch_signals(judge, err) != 0 ||
	    policy_store_open(options->policy, options->state_dir, &judge->log,
	                      &judge->store, err) != 0 ||
	    open_record(judge, err) != 0 || open_socket(judge, err) != 0 ||
	    start_http(judge, err) != 0)
		return -1;
	say_started(judge);
	start_admin(judge);
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

/* Waits for a signal or the record's timer. Returns true when it is time to stop. */
static bool
wait_once(struct judge *judge, int timeout_ms)
{
	struct pollfd fds[] = {
	    {.fd = judge->signals, .events = POLLIN},
	    {.fd = record_timer_fd(judge->record), .events = POLLIN},
	};

	if (poll(fds, 2, timeout_ms) <= 0)
		return false;
	if (fds[1].revents)
		record_expire(judge->record);
	return fds[0].revents && handle_signal(judge);
}

/* ---- stop ---- */

static void
drain(struct judge *judge)
{
	enum { STEP_MS = 10 };

	listen_notify("STOPPING=1");
	atomic_store(&judge->admin.stopping, true);
	http_quiesce(judge->http);
	for (int waited = 0; waited < DRAIN_MS && http_waiting(judge->http) > 0;
	     waited += STEP_MS)
		(void)wait_once(judge, STEP_MS);
}

static void
stop(struct judge *judge)
{
	http_admin_stop(judge->admin_http);
	http_admin_stop(judge->metrics_http);
	listen_close(&judge->admin_listener);
	file_close(&judge->metrics_fd);
	if (judge->record) /* calls back whoever still waits */
		record_stop(judge->record);
	http_stop(judge->http);
	record_close(judge->record);
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
	    .admin_listener = {.fd = -1},
	    .metrics_fd = -1,
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
	while (!wait_once(&judge, -1))
		;
	drain(&judge);
	stop(&judge);
	return EXIT_STARTED;
}
