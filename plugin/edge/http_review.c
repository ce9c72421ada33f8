/* SPDX-License-Identifier: Apache-2.0 */
/* http_review.c - takes a review off its connection, and answers it when it may. */
#include "edge/http_review.h"

#include "edge/http_webhook.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- answering ---- */

int
http_review_answer(const struct http_reviews *all, struct MHD_Connection *connection,
                   unsigned status, const char *type, struct text bytes)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
	    bytes.len, (void *)(uintptr_t)bytes.at, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (atomic_load(all->stopping)) /* the next goes to another judge */
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION,
		                              "close");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* Without a uid (v1beta1 needs none) no answer would be taken for one. */
static bool
is_answerable(const struct review *review)
{
	return (review->has_uid || review->version == ADMISSION_V1BETA1) &&
	       buf_ok(&review->answer);
}

static int
answer_review(struct http_reviews *all, struct review *review)
{
	struct MHD_Connection *connection = review->connection;

	if (review->failure[0] != '\0')
		review_fail(review);
	review_answered(review);
	/* a stranger may not sit on one of few connections for long */
	if (review->decision.verdict.reason != REASON_STRANGER)
		(void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
		                                (unsigned)WEBHOOK_IDLE_S);
	if (is_answerable(review))
		return http_review_answer(all, connection, MHD_HTTP_OK,
		                          "application/json", buf_text(&review->answer));
	return http_review_answer(all, connection, MHD_HTTP_BAD_REQUEST,
	                          "text/plain; charset=utf-8",
	                          TEXT_LIT("this is no AdmissionReview with a uid\n"));
}

/* ---- waiting: for room, for the record ---- */

/* From whoever gives room back. Its last touch of the review. */
static void
room_called(struct room_guest *guest, bool granted)
{
	struct review *review =
	    (struct review *)((char *)guest - offsetof(struct review, guest));
	struct MHD_Connection *connection = review->connection;

	if (review_room_called(guest, granted))
		MHD_resume_connection(connection);
}

/* From the record's thread, or from whoever expires. Its last touch of the review. */
static void
recorded(struct record_entry *entry, const char *failure)
{
	struct review *review = (struct review *)entry;
	struct MHD_Connection *connection = review->connection;

	if (failure)
		(void)snprintf(review->failure, sizeof review->failure, "%s", failure);
	if (atomic_exchange(&review->turn, TURN_OURS) == TURN_SUSPENDED)
		MHD_resume_connection(connection);
}

/* Until it is our turn again, which may be now. */
static void
suspend(struct review *review)
{
	int turn = TURN_THEIRS;

	MHD_suspend_connection(review->connection);
	if (!atomic_compare_exchange_strong(&review->turn, &turn, TURN_SUSPENDED))
		MHD_resume_connection(review->connection);
}

/* ---- all of them ---- */

int
http_reviews_open(struct http_reviews *all)
{
	all->reviews.room_called = room_called;
	return room_open(&all->reviews.room, REVIEWS_ROOM);
}

void
http_reviews_expire(struct http_reviews *all)
{
	room_expire(&all->reviews.room, atomic_load(&all->quiet));
}

void
http_reviews_close(struct http_reviews *all)
{
	reviews_free(&all->reviews);
	room_close(&all->reviews.room);
}

/* ---- one of them ---- */

/* "10s" of ?timeout=10s, which API servers round up to seconds (apiserver
   validating/dispatcher.go); the default if it is none of those they may use. */
static unsigned
timeout_of(struct MHD_Connection *connection)
{
	const char *text =
	    MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "timeout");
	char *end = NULL;
	unsigned long seconds = text ? strtoul(text, &end, 10) : 0;

	if (seconds < 1 || seconds > REVIEW_TIMEOUT_MAX_S || strcmp(end, "s") != 0)
		return REVIEW_TIMEOUT_S;
	return (unsigned)seconds;
}

int
http_review_begin(struct http_reviews *all, struct MHD_Connection *connection, bool known,
                  void **ret_context)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
	                                                 MHD_HTTP_HEADER_CONTENT_LENGTH);
	struct review *review =
	    review_take(&all->reviews, connection, timeout_of(connection));

	*ret_context = review;
	if (!review)
		return MHD_NO;
	atomic_fetch_add(&all->pending, 1);
	(void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
	                                (unsigned)WEBHOOK_BUSY_S);
	if (!known)
		review_refuse(review, REASON_STRANGER);
	else if (atomic_load(&all->quiet)) /* nobody gives room any more */
		review_refuse(review, REASON_BUSY);
	else if (length)
		review_expect(review, strtoull(length, NULL, 10));
	return MHD_YES;
}

/* The whole review is here. */
static int
judge_review(struct http_reviews *all, struct review *review)
{
	if (!review_judge(review))
		return answer_review(all, review);
	if (atomic_load(&all->quiet)) { /* the record may be closed any moment */
		(void)snprintf(review->failure, sizeof review->failure,
		               "seccomp-authz is stopping");
		return answer_review(all, review);
	}
	review->state = REVIEW_RECORDING;
	review->entry.done = recorded;
	atomic_store(&review->turn, TURN_THEIRS);
	record_submit(all->record, &review->entry);
	suspend(review);
	return MHD_YES;
}

int
http_review_go_on(struct http_reviews *all, struct review *review, const char *bytes,
                  size_t *len)
{
	int waits;

	if (review->state == REVIEW_RECORDING)
		return answer_review(all, review);
	if (review->state == REVIEW_WAITING) {
		if (atomic_load(&review->turn) != TURN_OURS) {
			suspend(review);
			return MHD_YES;
		}
		review_resume(review);
	}
	if (*len == 0)
		return judge_review(all, review);
	waits = review_read(review, bytes, *len);
	if (waits < 0)
		return MHD_NO;
	if (waits > 0) {
		suspend(review);
		return MHD_YES;
	}
	*len = 0;
	return MHD_YES;
}

void
http_review_end(struct http_reviews *all, struct review *review)
{
	if (review->state == REVIEW_RECORDING) /* who asked is gone */
		review_answered(review);
	review_give(review);
	atomic_fetch_sub(&all->pending, 1);
}
