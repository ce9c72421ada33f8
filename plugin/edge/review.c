/* SPDX-License-Identifier: Apache-2.0 */
/* review.c - one AdmissionReview on its way: memory around decide_admission(). */
#include "edge/review.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SECOND_MS = 1000 };

/* ---- memory: mapped, so that it goes back to the system when it is over ---- */

static char *
map(size_t size)
{
	void *at =
	    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static void
review_free(struct review *review)
{
	if (review->head)
		(void)munmap(review->head, REVIEW_HEAD_MAX);
	buf_free(&review->entry.line);
	buf_free(&review->answer);
	decision_free(&review->decision);
	free(review);
}

static struct review *
review_new(void)
{
	struct review *review = calloc(1, sizeof *review);

	if (!review)
		return NULL;
	review->decision.arena.limit = ADMISSION_MEMORY_MAX;
	review->head = map(REVIEW_HEAD_MAX);
	if (review->head)
		return review;
	review_free(review);
	return NULL;
}

struct review *
review_take(struct reviews *all, void *connection, unsigned timeout_s)
{
	struct review *review = all->idle;
	int64_t now = room_now_ms(), timeout_ms = (int64_t)timeout_s * SECOND_MS;

	if (review) {
		all->idle = review->next;
		all->idle_count--;
	} else {
		review = review_new();
		if (!review)
			return NULL;
	}
	review->all = all;
	review->connection = connection;
	review->state = REVIEW_READING;
	review->len = 0;
	review->has_uid = false;
	review->failure[0] = '\0';
	review->late_ms = now + timeout_ms;
	review->guest.until_ms = now + timeout_ms * REVIEW_WAIT_PERCENT / 100;
	metrics_in_flight(all->judging.metrics, 1, 0);
	return review;
}

/* Gives back a body that was mapped. */
static void
drop_body(struct review *review)
{
	struct reviews *all = review->all;

	if (!review->body)
		return;
	(void)munmap(review->body, review->guest.bytes);
	review->body = NULL;
	metrics_in_flight(all->judging.metrics, 0, -(int64_t)review->guest.bytes);
	room_give(&all->room, review->guest.bytes);
}

/* Its connection is gone while it waits for room. */
static void
stop_waiting(struct review *review)
{
	struct room *room = &review->all->room;

	if (room_leave(room, &review->guest))
		return;
	while (atomic_load(&review->turn) != TURN_OURS) /* within instructions */
		(void)sched_yield();
	if (review->granted)
		room_give(room, review->guest.bytes);
}

void
review_give(struct review *review)
{
	struct reviews *all = review->all;

	if (review->state == REVIEW_WAITING)
		stop_waiting(review);
	drop_body(review);
	decision_reset(&review->decision);
	buf_clear(&review->entry.line);
	buf_clear(&review->answer);
	metrics_in_flight(all->judging.metrics, -1, 0);
	if (all->idle_count >= REVIEWS_KEPT_MAX) {
		review_free(review);
		return;
	}
	review->next = all->idle;
	all->idle = review;
	all->idle_count++;
}

void
reviews_free(struct reviews *all)
{
	while (all->idle) {
		struct review *review = all->idle;

		all->idle = review->next;
		review_free(review);
	}
}

/* ---- reading ---- */

void
review_refuse(struct review *review, enum reason reason)
{
	size_t kept = review->len > REVIEW_HEAD_MAX ? REVIEW_HEAD_MAX : review->len;

	if (review->body)
		memcpy(review->head, review->body, kept);
	drop_body(review);
	review->len = kept;
	review->state = REVIEW_DROPPING;
	review->refusal = reason;
}

/* Room was granted: what is there of it moves into a mapping of its own. */
static void
use_room(struct review *review)
{
	struct reviews *all = review->all;
	char *body = map(review->guest.bytes);

	if (!body) {
		room_give(&all->room, review->guest.bytes);
		review_refuse(review, REASON_NO_MEMORY);
		return;
	}
	memcpy(body, review->head, review->len);
	review->body = body;
	review->state = REVIEW_READING;
	metrics_in_flight(all->judging.metrics, 0, (int64_t)review->guest.bytes);
}

void
review_expect(struct review *review, size_t size)
{
	if (size <= REVIEW_HEAD_MAX)
		return;
	if (size > ADMISSION_REVIEW_MAX) {
		review_refuse(review, REASON_TOO_LARGE);
		return;
	}
	review->guest.bytes = size;
	review->guest.done = review->all->room_called;
	review->state = REVIEW_WAITING;
	atomic_store(&review->turn, TURN_THEIRS);
	if (room_ask(&review->all->room, &review->guest))
		use_room(review);
}

bool
review_room_called(struct room_guest *guest, bool granted)
{
	struct review *review =
	    (struct review *)((char *)guest - offsetof(struct review, guest));

	review->granted = granted;
	return atomic_exchange(&review->turn, TURN_OURS) == TURN_SUSPENDED;
}

void
review_resume(struct review *review)
{
	if (review->granted)
		use_room(review);
	else
		review_refuse(review, REASON_BUSY);
}

/* The head of what came is kept, the rest is thrown away. */
static void
keep_head(struct review *review, const char *bytes, size_t len)
{
	size_t room = REVIEW_HEAD_MAX - review->len;

	memcpy(review->head + review->len, bytes, len < room ? len : room);
	review->len += len < room ? len : room;
}

int
review_read(struct review *review, const char *bytes, size_t len)
{
	size_t cap = review->body ? review->guest.bytes : REVIEW_HEAD_MAX;

	if (room_now_ms() > review->late_ms)
		return -1;
	if (review->state == REVIEW_READING && len > cap - review->len) {
		if (review->body) {
			review_refuse(review, REASON_TOO_LARGE);
		} else { /* of no announced length: as large as may be */
			review_expect(review, ADMISSION_REVIEW_MAX);
		}
	}
	if (review->state == REVIEW_WAITING)
		return 1;
	if (review->state == REVIEW_DROPPING) {
		keep_head(review, bytes, len);
		return 0;
	}
	memcpy((review->body ? review->body : review->head) + review->len, bytes, len);
	review->len += len;
	return 0;
}

/* ---- judging ---- */

/* The uid outlives the body. */
static void
keep_uid(struct review *review)
{
	const struct admission *admission = &review->decision.admission;

	review->version = admission->version;
	review->has_uid = admission->uid.at != NULL;
	review->uid_len = admission->uid.len < sizeof review->uid ? admission->uid.len
	                                                          : sizeof review->uid;
	if (review->has_uid)
		memcpy(review->uid, admission->uid.at, review->uid_len);
}

bool
review_judge(struct review *review)
{
	struct reviews *all = review->all;
	struct decision *decision = &review->decision;
	struct circumstances circumstances;
	const struct policy_snapshot *snapshot =
	    judging_begin(&all->judging, &circumstances);
	struct text bytes = {.at = review->body ? review->body : review->head,
	                     .len = review->len};
	bool on_record;

	review->begin = metrics_clock();
	if (review->state == REVIEW_DROPPING)
		decide_admission_refusal(review->refusal, bytes, &circumstances,
		                         decision);
	else
		decide_admission(bytes, &circumstances, decision);
	keep_uid(review);
	admission_answer(decision, &review->answer);
	on_record = judging_end(&all->judging, snapshot, &circumstances, decision,
	                        &review->entry.line);
	drop_body(review); /* what the decision borrowed from it is not looked at again */
	return on_record;
}

void
review_answered(struct review *review)
{
	review->state = REVIEW_ANSWERED;
	metrics_decided(review->all->judging.metrics, &review->decision,
	                review->failure[0] == '\0', metrics_clock() - review->begin);
}

void
review_fail(struct review *review)
{
	struct decision denial = {
	    .admission = {.version = review->version,
	                  .uid = {.at = review->has_uid ? review->uid : NULL,
	                          .len = review->uid_len}},
	    .verdict = {.guard = -1},
	};

	(void)snprintf(denial.verdict.message, sizeof denial.verdict.message,
	               "the decision could not be put on record, so the request is "
	               "refused: %s",
	               review->failure);
	buf_clear(&review->answer);
	admission_answer(&denial, &review->answer);
}
