/* SPDX-License-Identifier: Apache-2.0 */
/*
 * review - one AdmissionReview on its way: its bytes, its decision, its line of the
 * record, its answer.
 *
 * Invariant: the bodies of all reviews together hold at most REVIEWS_ROOM, and
 * REVIEW_HEAD_MAX besides for each connection. A review of up to REVIEW_HEAD_MAX never
 * waits; a larger one waits for room at most for a part of the time that the API server
 * gives us, then it is read to its end, thrown away and denied, by the uid in its head. A
 * body is given back when it is decided, before its line is on record. Everything here is
 * touched by one thread, the one that serves; only `entry` and `guest` are lent out in
 * between, and come back through `turn`.
 */
#pragma once

#include "core/decide.h"
#include "edge/judging.h"
#include "edge/record.h"
#include "edge/room.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	REVIEWS_ROOM = 128 * 1024 * 1024, /* bytes of large bodies held at once */
	REVIEWS_KEPT_MAX = 16,            /* idle ones that keep their head */
	REVIEW_HEAD_MAX = ADMISSION_HEAD_MAX,
	REVIEW_TIMEOUT_S = 10,     /* of an API server that says nothing else */
	REVIEW_TIMEOUT_MAX_S = 30, /* the most that it may say */
	REVIEW_WAIT_PERCENT = 60,  /* of the time-out that may go by waiting for room */
};

enum review_state {
	REVIEW_READING,   /* its body comes in */
	REVIEW_WAITING,   /* ... when there is room for it */
	REVIEW_DROPPING,  /* only its head is kept; it is denied */
	REVIEW_RECORDING, /* decided; is put on record, then answered */
	REVIEW_ANSWERED,
};

/* Whose turn it is while somebody else has `entry` or `guest`. Whoever comes second knows
   what the first did. */
enum review_turn { TURN_THEIRS, TURN_SUSPENDED, TURN_OURS };

struct review {
	struct record_entry entry; /* first: record.h hands back its address */
	struct room_guest guest;
	struct reviews *all;
	struct review *next; /* in the list of idle ones */
	void *connection;    /* whose review it is; not ours */
	enum review_state state;
	atomic_int turn;     /* enum review_turn */
	bool granted;        /* what room.h said; read when it is our turn */
	enum reason refusal; /* why, when dropping */
	int64_t late_ms;     /* room_now_ms() when nobody waits for the answer any more */

	char *head; /* REVIEW_HEAD_MAX bytes; kept */
	char *body; /* guest.bytes of room, mapped; NULL: `head` holds it */
	size_t len; /* bytes that are kept of it */

	int64_t begin; /* metrics_clock() when it was complete */
	struct decision decision;
	struct buf answer; /* to be sent if it is on record */
	bool has_uid;
	enum admission_version version;
	char uid[ADMISSION_UID_MAX];
	size_t uid_len;
	char failure[256]; /* why it is not on record; "" if it is */
};

/* All reviews of one server. The first part is set by the owner, who zeroes the rest. */
struct reviews {
	struct judging judging;
	struct room room;
	/* a review's wait for room is over (any thread): review_room_called() */
	void (*room_called)(struct room_guest *guest, bool granted);

	struct review *idle;
	size_t idle_count;
};

/* A review for `connection`, of a caller who waits `timeout_s` for the answer; NULL when
   out of memory. */
struct review *review_take(struct reviews *all, void *connection, unsigned timeout_s);

/* It is over: its memory is kept for the next or given back. */
void review_give(struct review *review);

/*
 * `size` bytes of body are announced. If there is no room for them now, the state is
 * REVIEW_WAITING until all->room_called has been called and review_resume() after it.
 */
void review_expect(struct review *review, size_t size);

/* What all->room_called has to do first: returns true if the connection was suspended and
   is to be resumed. Its last touch of the review. */
bool review_room_called(struct room_guest *guest, bool granted);

/* It is our turn again after REVIEW_WAITING. */
void review_resume(struct review *review);

/* `len` more bytes of body are here. 0: taken. 1: not taken, the state is REVIEW_WAITING.
   -1: they come too late for anybody. */
int review_read(struct review *review, const char *bytes, size_t len);

/* Denies it, whatever the rest of it is. */
void review_refuse(struct review *review, enum reason reason);

/*
 * Decides it and makes its answer; the body is given back. Returns true if the answer must
 * wait until entry.line is on record; the line is there then.
 */
bool review_judge(struct review *review);

/* It was answered as was decided, or (`failure`) refused. Counts it, once. */
void review_answered(struct review *review);

/* It could not be put on record: makes `answer` a denial that says why. */
void review_fail(struct review *review);

/* Frees what is idle. */
void reviews_free(struct reviews *all);
