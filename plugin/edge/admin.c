/* SPDX-License-Identifier: Apache-2.0 */
/* admin.c - answers questions about the judge itself. */
#include "edge/admin.h"
#include "edge/policy_tell.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { OK = 200, NOT_FOUND = 404, UNAVAILABLE = 503 };

#define TYPE_TEXT "text/plain; charset=utf-8"

/* The judge's clock never shows less than the last record's time, and neither does ours. */
static int64_t
now(const struct admin *admin)
{
	int64_t seconds = (int64_t)time(NULL);
	struct record_state state;

	record_state(admin->record, &state);
	return state.last_time_us / 1000000 > seconds ? state.last_time_us / 1000000
	                                              : seconds;
}

static void
answer_metrics(const struct admin *admin, struct admin_answer *answer)
{
	const struct metrics_sources sources = {.store = admin->store,
	                                        .record = admin->record,
	                                        .tls = admin->tls,
	                                        .now = now(admin)};

	answer->type = "text/plain; version=0.0.4; charset=utf-8";
	metrics_write(admin->metrics, &sources, &answer->body);
}

static void
answer_health(const struct admin *admin, struct admin_answer *answer)
{
	(void)admin;
	buf_str(&answer->body, "ok\n");
}

static void
add_certificate(const struct admin *admin, struct buf *body)
{
	struct tls_state state;

	if (!admin->tls)
		return;
	tls_store_state(admin->tls, &state);
	if (state.degraded)
		buf_printf(body, "certificate %s: %s\n",
		           state.loaded ? "degraded" : "missing", state.reason);
	if (state.loaded && state.expires <= (int64_t)time(NULL))
		buf_str(body, "certificate expired\n");
}

static void
answer_ready(const struct admin *admin, struct admin_answer *answer)
{
	const struct policy_snapshot *snapshot = policy_store_acquire(admin->store);
	struct buf *body = &answer->body;
	struct record_state record;

	record_state(admin->record, &record);
	if (!snapshot->policy)
		buf_printf(body, "policy broken: %s\n", snapshot->broken);
	else if (snapshot->degraded)
		buf_printf(body, "policy degraded: %s\n", snapshot->degraded_reason);
	if (record.degraded)
		buf_printf(body, "record degraded: %s\n", record.reason);
	add_certificate(admin, body);
	if (atomic_load(&admin->stopping))
		buf_str(body, "stopping\n");
	policy_store_release(admin->store, snapshot);
	if (body->len > 0 || !buf_ok(body))
		answer->status = UNAVAILABLE;
	else
		buf_str(body, "ready\n");
}

/* ---- /policy ---- */

static void
answer_policy(const struct admin *admin, struct admin_answer *answer)
{
	const struct policy_snapshot *snapshot = policy_store_acquire(admin->store);
	bool degraded = snapshot->degraded || !snapshot->policy;
	struct buf *body = &answer->body;

	answer->type = "application/json";
	buf_str(body, "{\"source\":");
	buf_json(body, text_of(snapshot->source), 0);
	buf_printf(body, ",\"degraded\":%s", degraded ? "true" : "false");
	if (degraded) {
		buf_str(body, ",\"reason\":");
		buf_json(body, text_of(snapshot->degraded_reason), 0);
	}
	buf_str(body, ",\"loaded\":");
	if (snapshot->policy) {
		policy_tell_time(body, snapshot->loaded);
		buf_char(body, ',');
		policy_tell(body, snapshot->policy, snapshot->uses, now(admin));
	} else {
		buf_str(body, "null,\"digest\":null,\"mode\":null,\"exceptions\":[]");
	}
	buf_str(body, "}\n");
	policy_store_release(admin->store, snapshot);
}

/* Somebody answers on the webhook's port, so there is a certificate. */
static void
answer_serving(const struct admin *admin, struct admin_answer *answer)
{
	bool stopping = atomic_load(&admin->stopping);

	answer->status = stopping ? UNAVAILABLE : OK;
	buf_str(&answer->body, stopping ? "stopping\n" : "ready\n");
}

struct page {
	const char *path;
	bool trusted; /* not for everybody */
	void (*write)(const struct admin *admin, struct admin_answer *answer);
};

static const struct page pages[] = {
    {"/metrics", false, answer_metrics},
    {"/healthz", false, answer_health},
    {"/readyz", false, answer_ready},
    {"/policy", true, answer_policy},
};

static const struct page cluster_pages[] = {
    {"/healthz", false, answer_health},
    {"/readyz", false, answer_serving},
    {"/metrics", true, answer_metrics},
};

static void
ask(const struct admin *admin, const struct page *some, size_t count, const char *path,
    bool trusted, struct admin_answer *ret_answer)
{
	*ret_answer = (struct admin_answer){.status = OK, .type = TYPE_TEXT};
	for (size_t i = 0; i < count; i++) {
		if (strcmp(path, some[i].path) != 0 || (some[i].trusted && !trusted))
			continue;
		some[i].write(admin, ret_answer);
		return;
	}
	ret_answer->status = NOT_FOUND;
	buf_str(&ret_answer->body, "there are");
	for (size_t i = 0; i < count; i++) {
		if (!some[i].trusted || trusted)
			buf_printf(&ret_answer->body, " %s", some[i].path);
	}
	buf_char(&ret_answer->body, '\n');
}

void
admin_ask(const struct admin *admin, const char *path, bool trusted,
          struct admin_answer *ret_answer)
{
	ask(admin, pages, sizeof pages / sizeof pages[0], path, trusted, ret_answer);
}

void
admin_ask_cluster(const struct admin *admin, const char *path, bool known,
                  struct admin_answer *ret_answer)
{
	ask(admin, cluster_pages, sizeof cluster_pages / sizeof cluster_pages[0], path,
	    known, ret_answer);
}
