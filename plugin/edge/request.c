/* SPDX-License-Identifier: Apache-2.0 */
/* request.c - one AuthZReq on its way: memory around decide_authz(). */
#include "edge/request.h"

#include "core/authz.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_FIRST = 4096 }; /* bytes to start with when no length is announced */

static void
request_free(struct request *request)
{
	free(request->body);
	buf_free(&request->entry.line);
	decision_free(&request->decision);
	free(request);
}

/* That many more requests are there, and bytes of body that they hold; or fewer. */
static void
hold(struct requests *all, ptrdiff_t requests, ptrdiff_t bytes)
{
	all->bytes += (size_t)bytes;
	metrics_in_flight(all->judging.metrics, requests, bytes);
}

struct request *
request_take(struct requests *all, void *connection)
{
	struct request *request = all->idle;

	if (request) {
		all->idle = request->next;
		all->idle_count--;
	} else {
		request = calloc(1, sizeof *request);
		if (!request)
			return NULL;
	}
	request->all = all;
	request->connection = connection;
	request->state = REQUEST_READING;
	request->len = 0;
	request->failure[0] = '\0';
	hold(all, 1, (ptrdiff_t)request->cap);
	return request;
}

static void
drop_body(struct request *request)
{
	hold(request->all, 0, -(ptrdiff_t)request->cap);
	request->all->freed += request->cap;
	free(request->body);
	request->body = NULL;
	request->len = request->cap = 0;
}

void
request_give(struct request *request)
{
	struct requests *all = request->all;

	decision_reset(&request->decision);
	buf_clear(&request->entry.line);
	if (request->cap > REQUEST_BODY_KEPT_MAX)
		drop_body(request);
	hold(all, -1, -(ptrdiff_t)request->cap);
	if (all->idle_count >= REQUESTS_KEPT_MAX) {
		request_free(request);
		return;
	}
	request->next = all->idle;
	all->idle = request;
	all->idle_count++;
}

static void
start_dropping(struct request *request, enum reason refusal)
{
	drop_body(request);
	request->state = REQUEST_DROPPING;
	request->refusal = refusal;
}

/* Room for `size` bytes of body in all, or the request is one to be dropped. */
static bool
reserve(struct request *request, size_t size)
{
	struct requests *all = request->all;
	char *body;

	if (size <= request->cap)
		return true;
	if (size > AUTHZ_ENVELOPE_MAX) {
		start_dropping(request, REASON_TOO_LARGE);
		return false;
	}
	if (all->bytes - request->cap + size > REQUESTS_BYTES_MAX) {
		start_dropping(request, REASON_BUSY);
		return false;
	}
	body = realloc(request->body, size);
	if (!body) {
		start_dropping(request, REASON_NO_MEMORY);
		return false;
	}
	hold(all, 0, (ptrdiff_t)(size - request->cap));
	request->body = body;
	request->cap = size;
	return true;
}

void
request_expect(struct request *request, size_t size)
{
	(void)reserve(request, size);
}

void
request_read(struct request *request, const char *bytes, size_t len)
{
	size_t need = request->len + len, room;

	if (request->state == REQUEST_DROPPING)
		return;
	room = request->cap ? request->cap : BODY_FIRST;
	while (room < need)
		room *= 2;
	if (!reserve(request, room > AUTHZ_ENVELOPE_MAX && need <= AUTHZ_ENVELOPE_MAX
	                          ? AUTHZ_ENVELOPE_MAX
	                          : room))
		return;
	memcpy(request->body + request->len, bytes, len);
	request->len = need;
}

/* Of a decision that was made only the verdict is needed: one arena serves all requests,
   however many wait for the record or for their client. */
static void
take_back_arena(struct request *request)
{
	struct decision *decision = &request->decision;
	enum door door = decision->workload.door;

	arena_reset(&decision->arena);
	request->all->arena = decision->arena;
	decision->arena = (struct arena){0};
	decision->authz = (struct authz){0};
	decision->route = (struct docker_route){0};
	decision->admission = (struct admission){0};
	decision->workload = (struct workload){.door = door};
	decision->rulings = NULL;
	decision->verdict.exception = decision->verdict.would = NULL;
}

bool
request_judge(struct request *request)
{
	struct requests *all = request->all;
	struct circumstances circumstances;
	const struct policy_snapshot *snapshot =
	    judging_begin(&all->judging, &circumstances);
	bool on_record;

	request->begin = metrics_clock();
	request->decision.arena = all->arena;
	if (request->state == REQUEST_DROPPING)
		decide_refusal(request->refusal, &circumstances, &request->decision);
	else
		decide_authz((struct text){.at = request->body, .len = request->len},
		             &circumstances, &request->decision);
	on_record = judging_end(&all->judging, snapshot, &circumstances,
	                        &request->decision, &request->entry.line);
	take_back_arena(request);
	return on_record;
}

void
request_answered(struct request *request, bool on_record)
{
	request->state = REQUEST_ANSWERED;
	metrics_decided(request->all->judging.metrics, &request->decision, on_record,
	                metrics_clock() - request->begin);
}

bool
request_finish(struct request *request, const char *failure)
{
	struct requests *all = request->all;
	int was;

	if (failure) {
		strncpy(request->failure, failure, sizeof request->failure - 1);
		request->failure[sizeof request->failure - 1] = '\0';
	}
	was = atomic_exchange(&request->handover, HANDOVER_DONE);
	if (was == HANDOVER_LEFT) {
		request->next = atomic_load(&all->left);
		while (!atomic_compare_exchange_weak(&all->left, &request->next, request))
			;
	}
	return was == HANDOVER_SUSPENDED;
}

void
request_leave(struct request *request)
{
	int was = HANDOVER_WAITING;

	if (request->state == REQUEST_RECORDING || request->state == REQUEST_SUSPENDED) {
		if (atomic_compare_exchange_strong(&request->handover, &was,
		                                   HANDOVER_LEFT))
			return;
		request_answered(request, request->failure[0] == '\0');
	}
	request_give(request);
}

bool
requests_left(const struct requests *all)
{
	return atomic_load_explicit(&all->left, memory_order_relaxed) != NULL;
}

void
requests_collect(struct requests *all)
{
	struct request *request, *next;

	if (!requests_left(all))
		return;
	for (request = atomic_exchange(&all->left, NULL); request; request = next) {
		next = request->next;
		request_answered(request, request->failure[0] == '\0');
		request_give(request);
	}
}

void
requests_free(struct requests *all)
{
	requests_collect(all);
	while (all->idle) {
		struct request *request = all->idle;

		all->idle = request->next;
		request_free(request);
	}
	arena_free(&all->arena);
}
