/* SPDX-License-Identifier: Apache-2.0 */
/* test_request.c - a request on its way to the record comes back once, whoever is first. */
#include "edge/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct metrics metrics;

static struct requests
make_requests(void)
{
	return (struct requests){.judging.metrics = &metrics};
}

static struct request *
take_recording(struct requests *all)
{
	struct request *request = request_take(all, NULL);

	assert_non_null(request);
	request->state = REQUEST_RECORDING;
	atomic_store(&request->handover, HANDOVER_WAITING);
	return request;
}

static void
one_that_is_done_in_time_is_answered_without_being_resumed(void **state)
{
	struct requests all = make_requests();
	struct request *request = take_recording(&all);

	(void)state;
	assert_false(request_finish(request, NULL));
	assert_int_equal(atomic_load(&request->handover), HANDOVER_DONE);
	assert_string_equal(request->failure, "");
	request_leave(request);
	assert_int_equal(all.idle_count, 1);
	requests_free(&all);
}

static void
one_that_is_suspended_has_to_be_resumed_and_knows_why_it_failed(void **state)
{
	struct requests all = make_requests();
	struct request *request = take_recording(&all);
	char reason[2 * sizeof request->failure];

	(void)state;
	memset(reason, 'x', sizeof reason - 1);
	reason[sizeof reason - 1] = '\0';
	atomic_store(&request->handover, HANDOVER_SUSPENDED);
	assert_true(request_finish(request, reason));
	assert_int_equal(strlen(request->failure), sizeof request->failure - 1);
	request_leave(request);
	requests_free(&all);
}

static void
one_that_was_left_is_not_given_back_before_the_record_has_done_with_it(void **state)
{
	struct requests all = make_requests();
	struct request *first = take_recording(&all), *second = take_recording(&all);

	(void)state;
	request_leave(first);
	request_leave(second);
	requests_collect(&all);
	assert_int_equal(all.idle_count, 0);
	assert_false(request_finish(first, NULL));
	requests_collect(&all);
	assert_int_equal(all.idle_count, 1);
	assert_ptr_equal(all.idle, first);
	assert_false(request_finish(second, "a disk that is full"));
	requests_free(&all); /* gives back what is left, too: nothing leaks */
	assert_int_equal(all.idle_count, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_that_is_done_in_time_is_answered_without_being_resumed),
	    cmocka_unit_test(
		one_that_is_suspended_has_to_be_resumed_and_knows_why_it_failed),
	    cmocka_unit_test(
		one_that_was_left_is_not_given_back_before_the_record_has_done_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
