/* SPDX-License-Identifier: Apache-2.0 */
/* daemon_stop.c - ends without losing anybody who asks. */
#include "daemon.h"

#include "edge/file.h"

#include <unistd.h>

enum {
	STEP_MS = 10,
	/* The end: those who ask without a pause move on by themselves; then those who
	   ask now and then are hung up; and nobody is waited for longer. */
	POLITE_MS = 300,
	DRAIN_MS = RECORD_WAIT_MS + 500,
};

static bool
is_busy(const struct judge *judge)
{
	return (judge->http && http_waiting(judge->http) > 0) ||
	       (judge->webhook && webhook_busy(judge->webhook));
}

static bool
has_callers(const struct judge *judge)
{
	return judge->http && http_connections(judge->http) > 0;
}

/* Waits, but for a second signal, and while `until` (NULL: always) says so. */
static void
linger(struct judge *judge, int ms, bool (*until)(const struct judge *judge))
{
	int64_t end = metrics_clock() + ms * (int64_t)1000000;

	while (!judge->at_once && metrics_clock() < end && (!until || until(judge))) {
		if (judge_wait(judge, STEP_MS))
			judge->at_once = true;
	}
}

/*
 * Nobody who asks now is lost. A socket that was handed over keeps those who come for
 * whoever is next; one of ours goes first, since an engine that finds none asks again,
 * while one that is hung up before an answer does so without its question.
 */
static void
leave_socket(struct judge *judge)
{
	int64_t end = metrics_clock() + DRAIN_MS * (int64_t)1000000;

	if (!judge->http)
		return;
	if (judge->listener.made)
		listen_remove(&judge->listener);
	else
		http_close_door(judge->http);
	listen_remove(&judge->keeper.again);
	http_leave(judge->http);
	linger(judge, POLITE_MS, has_callers);
	while (metrics_clock() < end && has_callers(judge)) {
		(void)http_hang_up(judge->http);
		(void)judge_wait(judge, STEP_MS);
	}
	http_quiesce(judge->http);
}

void
judge_drain(struct judge *judge)
{
	listen_notify("STOPPING=1");
	atomic_store(&judge->admin.stopping, true);
	watchdog_close(&judge->watchdog);
	if (judge->webhook) {
		linger(judge, WEBHOOK_GOODBYE_MS, NULL);
		webhook_quiesce(judge->webhook);
	}
	leave_socket(judge);
	judge->at_once = false; /* what is under way is brought to its end */
	linger(judge, DRAIN_MS, is_busy);
}

void
judge_stop(struct judge *judge)
{
	admin_doors_close(&judge->doors);
	if (judge->record) /* calls back whoever still waits */
		record_stop(judge->record);
	http_stop(judge->http);
	webhook_close(judge->webhook);
	record_close(judge->record);
	keeper_close(&judge->keeper);
	file_close(&judge->webhook_fd);
	listen_close(&judge->listener);
	policy_watch_close(judge->policy_watch);
	buf_free(&judge->sandbox.said); /* if it came to no filter */
	if (judge->store)
		policy_store_close(judge->store);
	if (judge->signals >= 0)
		(void)close(judge->signals);
}
