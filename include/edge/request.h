/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request - one AuthZReq on its way: its bytes, its decision, its line of the record.
 *
 * Invariant: the bytes that all requests hold together stay under REQUESTS_BYTES_MAX; a
 * request past a limit is read to its end, thrown away and denied, never cut short.
 * Everything here is touched by one thread, the one that serves; only `entry` is lent to
 * record.h in between, which gives it back by request_finish().
 */
#pragma once

#include "core/decide.h"
#include "edge/judging.h"
#include "edge/metrics.h"
#include "edge/record.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	REQUESTS_BYTES_MAX = 64 * 1024 * 1024, /* of bodies held at once */
	REQUESTS_KEPT_MAX = 16,                /* idle ones that keep their memory */
	REQUEST_BODY_KEPT_MAX = 64 * 1024,     /* bytes of body that an idle one keeps */
};

enum request_state {
	REQUEST_READING,   /* its body comes in */
	REQUEST_DROPPING,  /* past a limit: the rest is read and thrown away */
	REQUEST_RECORDING, /* decided; is put on record, then answered */
	REQUEST_SUSPENDED, /* the same, and it takes longer */
	REQUEST_ANSWERED,
};

/*
 * Whose turn it is while a request is on its way to the record. Mostly its line is there
 * before anybody looks; if not, its connection is suspended, or gone. Whoever comes second
 * knows what the first did.
 */
enum request_handover {
	HANDOVER_WAITING,   /* for the record */
	HANDOVER_SUSPENDED, /* for it, too; then the connection has to be resumed */
	HANDOVER_LEFT,      /* for it, too; then the request is given back */
	HANDOVER_DONE,
};

struct request {
	struct record_entry entry; /* first: record.h hands back its address */
	struct requests *all;
	struct request *next; /* in the list of idle ones */
	void *connection;     /* whose request it is; not ours */
	enum request_state state;
	atomic_int handover; /* enum request_handover */
	enum reason refusal; /* why, when dropping */
	char *body;
	size_t len, cap;
	int64_t begin; /* metrics_clock() when it was complete */
	struct decision decision;
	char failure[256]; /* why it is not on record; "" if it is */
};

/* All requests of one server. `judging` is set by the owner, who zeroes the rest. */
struct requests {
	struct judging judging;

	struct request *idle;
	size_t idle_count;
	size_t bytes;                 /* held in bodies */
	size_t freed;                 /* of bodies, since memory was given back */
	struct arena arena;           /* of the decision that is being made */
	struct request *_Atomic left; /* done after they were left; to be given back */
};

/* A request for `connection`; NULL when out of memory. */
struct request *request_take(struct requests *all, void *connection);

/* It is over: its memory is kept for the next or given back. */
void request_give(struct request *request);

/* `size` bytes of body are announced, or `len` more are here. */
void request_expect(struct request *request, size_t size);
void request_read(struct request *request, const char *bytes, size_t len);

/*
 * Decides it. Returns true if the answer must wait until entry.line is on record; the
 * line is there then. Of request->decision only the verdict, without what it points to,
 * and workload.door are left.
 */
bool request_judge(struct request *request);

/* It was answered as was decided, or (`on_record` false) refused with an error. Counts it,
   once. */
void request_answered(struct request *request, bool on_record);

/* Any thread, once: it is on record, or is not for the reason `failure`. True if its
   connection has to be resumed; else the request is not the caller's any more. */
bool request_finish(struct request *request, const char *failure);

/* Who asked is gone, or has the answer: it is given back, at once or when the record has
   done with it. */
void request_leave(struct request *request);

/* Any thread: are there some to be given back? */
bool requests_left(const struct requests *all);

/* Gives back those that were left and are done now. */
void requests_collect(struct requests *all);

/* Frees what is idle. */
void requests_free(struct requests *all);
