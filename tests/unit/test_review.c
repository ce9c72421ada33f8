/* SPDX-License-Identifier: Apache-2.0 */
/* test_review.c - tests edge/review.h. */
#include "edge/review.h"
#include "watched.h"

#include <string.h>

#define HEAD                                                                             \
	"{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\","          \
	"\"request\":{\"uid\":\"u-1\",\"kind\":{\"group\":\"\",\"version\":\"v1\","      \
	"\"kind\":\"Pod\"},\"resource\":{\"group\":\"\",\"version\":\"v1\","             \
	"\"resource\":\"pods\"},\"name\":\"p\",\"namespace\":\"n\","                     \
	"\"operation\":\"CREATE\",\"userInfo\":{\"username\":\"a\"},\"object\":"
#define POD(profile)                                                                     \
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},"         \
	"\"spec\":{\"securityContext\":{\"seccompProfile\":{\"type\":\"" profile "\"}}," \
	"\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"
#define REVIEW(profile) HEAD POD(profile) "}}"

enum { TIMEOUT_S = 10, LARGE = 1024 * 1024 };

struct bench {
	struct watched watched;
	struct reviews reviews;
};

/* What room_called() was told last. */
static int granted = -1;

static void
room_called(struct room_guest *guest, bool is_granted)
{
	assert_false(review_room_called(guest, is_granted)); /* nobody suspends here */
	granted = is_granted;
}

static void
open_bench(struct bench *bench)
{
	memset(bench, 0, sizeof *bench);
	watch(&bench->watched, "{\"version\":1,\"allow\":[\"default\"]}");
	bench->reviews.judging = (struct judging){
	    .store = bench->watched.store,
	    .metrics = &bench->watched.metrics,
	    .host = TEXT_LIT("h"),
	};
	bench->reviews.room_called = room_called;
	granted = -1;
	assert_int_equal(room_open(&bench->reviews.room, REVIEWS_ROOM), 0);
}

static void
close_bench(struct bench *bench)
{
	assert_int_equal(bench->reviews.room.taken, 0);
	assert_int_equal(atomic_load(&bench->watched.metrics.bytes), 0);
	assert_int_equal(atomic_load(&bench->watched.metrics.requests), 0);
	reviews_free(&bench->reviews);
	room_close(&bench->reviews.room);
	unwatch(&bench->watched);
}

static void
assert_answer(const struct review *review, const char *uid, bool allowed)
{
	char wanted[64];

	(void)snprintf(wanted, sizeof wanted, "\"uid\":\"%s\",\"allowed\":%s", uid,
	               allowed ? "true" : "false");
	assert_true(buf_ok(&review->answer));
	if (!strstr(review->answer.at, wanted))
		fail_msg("%s is not in %s", wanted, review->answer.at);
}

/* In pieces of 1000 bytes. */
static void
feed(struct review *review, const char *text)
{
	for (size_t len = strlen(text); len > 0;) {
		size_t part = len < 1000 ? len : 1000;

		assert_int_equal(review_read(review, text, part), 0);
		text += part;
		len -= part;
	}
}

static void
feed_spaces(struct review *review, size_t len)
{
	char block[4096];

	memset(block, ' ', sizeof block);
	for (; len > 0; len -= len < sizeof block ? len : sizeof block)
		assert_int_equal(
		    review_read(review, block, len < sizeof block ? len : sizeof block),
		    0);
}

static void
small_review_is_judged_without_room(void **state)
{
	struct bench bench;
	struct review *review;

	(void)state;
	open_bench(&bench);
	review = review_take(&bench.reviews, NULL, TIMEOUT_S);
	review_expect(review, strlen(REVIEW("RuntimeDefault")));
	feed(review, REVIEW("RuntimeDefault"));
	assert_int_equal(bench.reviews.room.taken, 0);
	assert_false(review_judge(review));
	assert_answer(review, "u-1", true);
	review_answered(review);
	review_give(review);
	review = review_take(&bench.reviews, NULL, TIMEOUT_S);
	feed(review, REVIEW("Unconfined"));
	assert_true(review_judge(review));
	assert_true(buf_ok(&review->entry.line));
	assert_answer(review, "u-1", false);
	review_answered(review);
	review_give(review);
	close_bench(&bench);
}

static void
large_review_takes_room_and_gives_it_back_when_decided(void **state)
{
	struct bench bench;
	struct review *review;

	(void)state;
	open_bench(&bench);
	review = review_take(&bench.reviews, NULL, TIMEOUT_S);
	review_expect(review, LARGE);
	assert_int_equal(bench.reviews.room.taken, LARGE);
	feed(review, REVIEW("Unconfined"));
	feed_spaces(review, LARGE - strlen(REVIEW("Unconfined")));
	assert_true(review_judge(review));
	assert_int_equal(bench.reviews.room.taken, 0);
	assert_answer(review, "u-1", false);
	assert_non_null(strstr(review->answer.at, "without a seccomp filter"));
	review_answered(review);
	review_give(review);
	close_bench(&bench);
}

static void
review_past_the_limit_is_denied_by_its_uid(void **state)
{
	struct bench bench;
	struct review *review;

	(void)state;
	open_bench(&bench);
	review = review_take(&bench.reviews, NULL, TIMEOUT_S);
	review_expect(review, (size_t)ADMISSION_REVIEW_MAX + 1);
	feed(review, REVIEW("RuntimeDefault"));
	feed_spaces(review, LARGE);
	assert_true(review_judge(review));
	assert_answer(review, "u-1", false);
	assert_int_equal(review->decision.verdict.reason, REASON_TOO_LARGE);
	review_answered(review);
	review_give(review);
	close_bench(&bench);
}

static void
review_of_no_announced_length_takes_room_when_it_turns_out_large(void **state)
{
	struct bench bench;
	struct review *review;

	(void)state;
	open_bench(&bench);
	review = review_take(&bench.reviews, NULL, TIMEOUT_S);
	feed(review, REVIEW("RuntimeDefault"));
	feed_spaces(review, LARGE);
	assert_int_equal(bench.reviews.room.taken, ADMISSION_REVIEW_MAX);
	assert_false(review_judge(review));
	assert_answer(review, "u-1", true);
	review_answered(review);
	review_give(review);
	close_bench(&bench);
}

static void
without_room_a_review_waits_and_is_read_when_there_is_some(void **state)
{
	struct bench bench;
	struct review *review;
	struct room_guest all = {.bytes = REVIEWS_ROOM};

	(void)state;
	open_bench(&bench);
	assert_true(room_ask(&bench.reviews.room, &all));
	review = review_take(&bench.reviews, NULL, TIMEOUT_S);
	review_expect(review, LARGE);
	assert_int_equal(review->state, REVIEW_WAITING);
	assert_int_equal(review_read(review, "{", 1), 1);
	room_give(&bench.reviews.room, REVIEWS_ROOM);
	assert_int_equal(granted, 1);
	review_resume(review);
	feed(review, REVIEW("RuntimeDefault"));
	assert_false(review_judge(review));
	assert_answer(review, "u-1", true);
	review_answered(review);
	review_give(review);
	close_bench(&bench);
}

static void
review_that_found_no_room_is_denied_by_its_uid(void **state)
{
	struct bench bench;
	struct review *review;
	struct room_guest all = {.bytes = REVIEWS_ROOM};

	(void)state;
	open_bench(&bench);
	assert_true(room_ask(&bench.reviews.room, &all));
	review = review_take(&bench.reviews, NULL, TIMEOUT_S);
	review_expect(review, LARGE);
	room_expire(&bench.reviews.room, false);
	assert_int_equal(granted, -1); /* not yet */
	room_expire(&bench.reviews.room, true);
	assert_int_equal(granted, 0);
	review_resume(review);
	feed(review, REVIEW("RuntimeDefault"));
	feed_spaces(review, LARGE - strlen(REVIEW("RuntimeDefault")));
	assert_true(review_judge(review));
	assert_answer(review, "u-1", false);
	assert_int_equal(review->decision.verdict.reason, REASON_BUSY);
	review_answered(review);
	review_give(review);
	room_give(&bench.reviews.room, REVIEWS_ROOM);
	close_bench(&bench);
}

static void
review_that_is_gone_while_it_waits_leaves_nothing_behind(void **state)
{
	struct bench bench;
	struct review *review;
	struct room_guest all = {.bytes = REVIEWS_ROOM};

	(void)state;
	open_bench(&bench);
	assert_true(room_ask(&bench.reviews.room, &all));
	review = review_take(&bench.reviews, NULL, TIMEOUT_S);
	review_expect(review, LARGE);
	review_give(review);
	assert_null(bench.reviews.room.first);
	review = review_take(&bench.reviews, NULL, TIMEOUT_S);
	review_expect(review, LARGE);
	room_give(&bench.reviews.room, REVIEWS_ROOM); /* granted, and nobody took it up */
	review_give(review);
	close_bench(&bench);
}

static void
body_that_comes_too_late_is_not_read(void **state)
{
	struct bench bench;
	struct review *review;

	(void)state;
	open_bench(&bench);
	review = review_take(&bench.reviews, NULL, TIMEOUT_S);
	review->late_ms = room_now_ms() - 1;
	assert_int_equal(review_read(review, "{", 1), -1);
	review_give(review);
	close_bench(&bench);
}

static void
denial_that_is_not_on_record_is_denied_all_the_same(void **state)
{
	struct bench bench;
	struct review *review;

	(void)state;
	open_bench(&bench);
	review = review_take(&bench.reviews, NULL, TIMEOUT_S);
	feed(review, REVIEW("Unconfined"));
	assert_true(review_judge(review));
	(void)snprintf(review->failure, sizeof review->failure, "the disk is full");
	review_fail(review);
	assert_answer(review, "u-1", false);
	assert_non_null(strstr(review->answer.at, "put on record"));
	assert_non_null(strstr(review->answer.at, "the disk is full"));
	review_answered(review);
	review_give(review);
	close_bench(&bench);
}

static void
garbage_has_no_uid_and_is_never_allowed(void **state)
{
	static const char *const garbage[] = {"", "{", "null", "\"u\"", "[]", "{}"};
	struct bench bench;

	(void)state;
	open_bench(&bench);
	for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
		struct review *review = review_take(&bench.reviews, NULL, TIMEOUT_S);

		feed(review, garbage[i]);
		assert_true(review_judge(review));
		assert_false(review->has_uid);
		assert_null(strstr(review->answer.at, "\"allowed\":true"));
		review_answered(review);
		review_give(review);
	}
	close_bench(&bench);
}

#define in_a_folder(test)                                                                \
	cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_folder(small_review_is_judged_without_room),
	    in_a_folder(large_review_takes_room_and_gives_it_back_when_decided),
	    in_a_folder(review_past_the_limit_is_denied_by_its_uid),
	    in_a_folder(review_of_no_announced_length_takes_room_when_it_turns_out_large),
	    in_a_folder(without_room_a_review_waits_and_is_read_when_there_is_some),
	    in_a_folder(review_that_found_no_room_is_denied_by_its_uid),
	    in_a_folder(review_that_is_gone_while_it_waits_leaves_nothing_behind),
	    in_a_folder(body_that_comes_too_late_is_not_read),
	    in_a_folder(denial_that_is_not_on_record_is_denied_all_the_same),
	    in_a_folder(garbage_has_no_uid_and_is_never_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
