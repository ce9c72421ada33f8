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
#include "edge/metrics.h"
#include "edge/options.h"
#include "edge/policy_say.h"
#include "edge/policy_store.h"
#include "edge/record.h"
#include "edge/tcp.h"
#include "edge/webhook.h"

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
	STEP_MS = 10,
};

/* All that runs, in the order in which it is started and, backwards, stopped. */
struct judge {
	struct options options;
	struct log log;
	char host[HOST_MAX];
	int signals;  /* signalfd */
	bool at_once; /* somebody at a keyboard wants the end */
	struct metrics metrics;
	struct policy_store *store;
	struct record *record;
	const char *sink; /* the first one, for messages */
	struct listener listener;
	struct http *http;       /* NULL: no plugin socket is served */
	struct webhook *webhook; /* NULL: no webhook is served */
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

/* Leaves judge->listener closed where there is none to be served. */
static int
open_socket(struct judge *judge, struct err *err)
{
	const char *path = judge->options.socket;
	int adopted = listen_adopt(&judge->listener, err);

	if (adopted < 0)
		return -1;
	if (adopted > 0 || (!path && judge->options.webhook_at.len > 0))
		return 0;
	return listen_make(path ? path : LISTEN_DEFAULT_PATH, &judge->listener, err);
}

static int
start_webhook(struct judge *judge, struct err *err)
{
	struct record_state state;
	struct webhook_options webhook = {
	    .at = &judge->options.webhook_at,
	    .tls = &judge->options.tls,
	    .store = judge->store,
	    .record = judge->record,
	    .log = &judge->log,
	    .metrics = &judge->metrics,
	    .admin = &judge->admin,
	    .host = text_of(judge->host),
	    .record_all = judge->options.record_all,
	};

	if (webhook.at->len == 0)
		return 0;
	record_state(judge->record, &state);
	webhook.clock_floor_us = state.last_time_us;
	return webhook_open(&webhook, &judge->webhook, err);
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

	if (http.fd < 0)
		return 0;
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
	const struct tcp_address *at = &judge->options.metrics_at;
	struct http_admin_options http = {.admin = &judge->admin};
	char name[TCP_NAME_MAX];

	if (at->len == 0)
		return 0;
	judge->metrics_fd = tcp_listen(at, name, err);
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

	if (serve_admin_socket(judge, &err) != 0)
		log_error(&judge->log, "there is no admin socket: %s", err.text);
	err = (struct err){0};
	if (serve_metrics(judge, &err) != 0)
		log_error(&judge->log, "--metrics-listen: %s", err.text);
}

/* What guards what. */
static void
say_started(const struct judge *judge)
{
	policy_say(judge->store, &judge->log);
	log_info(&judge->log, "record: %s%s", judge->sink,
	         judge->options.record_count > 1 ? " and others behind it" : "");
	if (judge->http)
		log_info(&judge->log, "serving %s as plugin %s",
		         judge->listener.path[0] ? judge->listener.path
		                                 : "the socket handed over",
		         judge->options.plugin_name);
	if (judge->webhook)
		webhook_say(judge->webhook, &judge->log);
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
	    open_record(judge, err) != 0)
		return -1;
	judge->admin.metrics = &judge->metrics;
	judge->admin.store = judge->store;
	judge->admin.record = judge->record;
	if (open_socket(judge, err) != 0 || start_http(judge, err) != 0 ||
	    start_webhook(judge, err) != 0)
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
	if (judge->webhook)
		webhook_reload(judge->webhook);
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
		judge->at_once |= info.ssi_signo == SIGINT;
		return true;
	}
	reload(judge);
	return false;
}

/* Waits for a signal or the record's timer. Returns true when it is time to stop. */
static bool
wait_once(struct judge *judge, int timeout_ms)
{
	struct pollfd fds[2 + WEBHOOK_FDS] = {
	    {.fd = judge->signals, .events = POLLIN},
	    {.fd = record_timer_fd(judge->record), .events = POLLIN},
	};

	if (judge->webhook)
		webhook_poll(judge->webhook, fds + 2);
	if (poll(fds, judge->webhook ? 2 + WEBHOOK_FDS : 2, timeout_ms) <= 0)
		return false;
	if (fds[1].revents)
		record_expire(judge->record);
	if (judge->webhook)
		webhook_polled(judge->webhook, fds + 2);
	return fds[0].revents && handle_signal(judge);
}

/* ---- stop ---- */

static bool
is_busy(const struct judge *judge)
{
	return (judge->http && http_waiting(judge->http) > 0) ||
	       (judge->webhook && webhook_busy(judge->webhook));
}

/* Waits, but for a second signal, and while `until` (NULL: always) says so. */
static void
linger(struct judge *judge, int ms, bool (*until)(const struct judge *judge))
{
	int64_t end = metrics_clock() + ms * (int64_t)1000000;

	while (!judge->at_once && metrics_clock() < end && (!until || until(judge))) {
		if (wait_once(judge, STEP_MS))
			judge->at_once = true;
	}
}

static void
drain(struct judge *judge)
{
	listen_notify("STOPPING=1");
	atomic_store(&judge->admin.stopping, true);
	if (judge->webhook) {
		linger(judge, WEBHOOK_GOODBYE_MS, NULL);
		webhook_quiesce(judge->webhook);
	}
	if (judge->http)
		http_quiesce(judge->http);
	judge->at_once = false; /* what is under way is brought to its end */
	linger(judge, DRAIN_MS, is_busy);
}

static void
stop(struct judge *judge)
{
	http_admin_stop(judge->admin_http);
	http_admin_stop(judge->metrics_http);
	listen_close(&judge->admin_listener);
	file_close(&judge->metrics_fd);
	if (judge->record) /* calls back whoever still waits */
		record_close(judge->record);
	http_stop(judge->http);
	webhook_close(judge->webhook);
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
