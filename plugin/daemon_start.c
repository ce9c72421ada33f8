/* SPDX-License-Identifier: Apache-2.0 */
/* daemon_start.c - opens all that the judge holds, and gives up what it does not need. */
#include "daemon.h"

#include "edge/policy_say.h"
#include "edge/sandbox_judge.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

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

	/* handed over, or the webhook alone is served */
	if (judge->listener.fd >= 0 || (!path && judge->options.webhook_at.len > 0))
		return 0;
	return listen_make(path ? path : LISTEN_DEFAULT_PATH, &judge->listener, err);
}

static int
start_webhook(struct judge *judge, struct err *err)
{
	struct record_state state;
	struct webhook_options webhook = {
	    .fd = judge->webhook_fd,
	    .name = judge->webhook_name,
	    .tls = &judge->options.tls,
	    .store = judge->store,
	    .record = judge->record,
	    .log = &judge->log,
	    .metrics = &judge->metrics,
	    .admin = &judge->admin,
	    .host = text_of(judge->host),
	    .record_all = judge->options.record_all,
	};

	if (webhook.fd < 0)
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

/* Once confined, we listen on no address any more. */
static int
open_webhook_port(struct judge *judge, struct err *err)
{
	const struct tcp_address *at = &judge->options.webhook_at;

	if (at->len == 0)
		return 0;
	judge->webhook_fd = tcp_listen(at, judge->webhook_name, err);
	return judge->webhook_fd < 0 ? err_wrap(err, "--webhook-listen") : 0;
}

/* Gives up what is not needed, while there is one thread. */
static int
confine(struct judge *judge, struct err *err)
{
	int adopted = listen_adopt(&judge->listener, err);

	if (adopted < 0 || open_webhook_port(judge, err) != 0)
		return -1;
	admin_doors_listen(&judge->doors, &judge->options, &judge->log);
	sandbox_confine_judge(&judge->options, adopted > 0, &judge->sandbox);
	return 0;
}

void
judge_say(const struct judge *judge)
{
	policy_say(judge->store, &judge->log);
	policy_watch_renew(judge->policy_watch, judge->store);
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

int
judge_start(struct judge *judge, struct err *err)
{
	const struct options *options = &judge->options;

	judge->log = log_start(options->log_level);
	metrics_start(&judge->metrics);
	if (gethostname(judge->host, sizeof judge->host - 1) != 0)
		(void)snprintf(judge->host, sizeof judge->host, "unknown");
	judge->policy_watch = policy_watch_open(options->policy, &judge->log);
	if (catch_signals(judge, err) != 0 || confine(judge, err) != 0 ||
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
	judge_say(judge);
	admin_doors_serve(&judge->doors, options, &judge->admin, &judge->log);
	if (judge->http)
		keeper_open(&judge->keeper, &judge->listener);
	watchdog_open(&judge->watchdog);
	sandbox_filter(&judge->sandbox);
	sandbox_say(&judge->sandbox, &judge->log);
	(void)malloc_trim(0); /* what the filter and the policy were made of */
	listen_notify("READY=1");
	return 0;
}
