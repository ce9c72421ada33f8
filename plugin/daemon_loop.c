/* SPDX-License-Identifier: Apache-2.0 */
/* daemon_loop.c - waits, and does what is due. */
#include "daemon.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { TICK_MS = 1000, OWN_FDS = 5 };

static void
reloaded(struct judge *judge, bool taken)
{
	metrics_reloaded(&judge->metrics, taken);
	if (taken)
		judge_say(judge);
}

static void
reload(struct judge *judge)
{
	listen_notify("RELOADING=1");
	record_reopen(judge->record);
	if (judge->webhook)
		webhook_reload(judge->webhook);
	reloaded(judge, policy_store_reload(judge->store) == 0);
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

bool
judge_wait(struct judge *judge, int timeout_ms)
{
	struct pollfd fds[OWN_FDS + WEBHOOK_FDS] = {
	    {.fd = judge->signals, .events = POLLIN},
	    {.fd = record_timer_fd(judge->record), .events = POLLIN},
	    {.fd = policy_watch_fd(judge->policy_watch), .events = POLLIN},
	    {.fd = keeper_fd(&judge->keeper), .events = POLLIN},
	    {.fd = judge->watchdog.fd, .events = POLLIN},
	};
	int taken = 0;

	if (judge->webhook)
		webhook_poll(judge->webhook, fds + OWN_FDS);
	if (poll(fds, OWN_FDS + (judge->webhook ? WEBHOOK_FDS : 0), timeout_ms) <= 0)
		return false;
	if (fds[1].revents)
		record_expire(judge->record);
	if (fds[2].revents)
		taken = policy_watch_due(judge->policy_watch, judge->store);
	if (taken != 0)
		reloaded(judge, taken > 0);
	if (fds[3].revents)
		keeper_accept(&judge->keeper, judge->http);
	if (fds[4].revents)
		watchdog_answer(&judge->watchdog);
	if (judge->webhook)
		webhook_polled(judge->webhook, fds + OWN_FDS);
	return fds[0].revents && handle_signal(judge);
}

void
judge_serve(struct judge *judge)
{
	const struct watchdog *watchdog = &judge->watchdog;
	int64_t tick = watchdog->step_ms > 0 && watchdog->step_ms < TICK_MS
	                   ? watchdog->step_ms
	                   : TICK_MS;

	do {
		int64_t now_ms = metrics_clock() / 1000000;

		keeper_look(&judge->keeper, judge->http, now_ms, &judge->log);
		watchdog_ask(&judge->watchdog, judge->http, now_ms);
	} while (!judge_wait(judge, (int)tick));
}
