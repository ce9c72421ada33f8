/* SPDX-License-Identifier: Apache-2.0 */
/* test_room.c - tests edge/room.h. */
#include "edge/room.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LIMIT = 100, GUESTS = 6, LATER = 60000 };

struct guest {
	struct room_guest guest; /* first */
	int called;              /* times */
	bool granted;
	int order; /* which call it was */
};

static int calls;

static void
called(struct room_guest *guest, bool granted)
{
	struct guest *own = (struct guest *)guest;

	own->called++;
	own->granted = granted;
	own->order = ++calls;
}

static struct guest
guest_of(size_t bytes, int64_t wait_ms)
{
	return (struct guest){.guest = {.bytes = bytes,
	                                .until_ms = room_now_ms() + wait_ms,
	                                .done = called}};
}

static void
what_fits_is_granted_at_once(void **state)
{
	struct room room;
	struct guest guests[] = {guest_of(60, LATER), guest_of(40, LATER),
	                         guest_of(1, LATER)};

	(void)state;
	assert_int_equal(room_open(&room, LIMIT), 0);
	assert_true(room_ask(&room, &guests[0].guest));
	assert_true(room_ask(&room, &guests[1].guest));
	assert_false(room_ask(&room, &guests[2].guest));
	assert_int_equal(guests[0].called + guests[1].called + guests[2].called, 0);
	room_give(&room, 40);
	assert_int_equal(guests[2].called, 1);
	assert_true(guests[2].granted);
	room_give(&room, 61);
	assert_int_equal(room.taken, 0);
	room_close(&room);
}

static void
who_came_first_is_served_first_even_if_a_smaller_one_would_fit(void **state)
{
	struct room room;
	struct guest holder = guest_of(90, LATER), large = guest_of(50, LATER),
		     small = guest_of(5, LATER);

	(void)state;
	calls = 0;
	assert_int_equal(room_open(&room, LIMIT), 0);
	assert_true(room_ask(&room, &holder.guest));
	assert_false(room_ask(&room, &large.guest));
	assert_false(room_ask(&room, &small.guest)); /* would fit */
	room_give(&room, 90);
	assert_int_equal(large.order, 1);
	assert_int_equal(small.order, 2);
	assert_int_equal(room.taken, 55);
	room_close(&room);
}

static void
whose_time_is_up_is_refused_and_those_behind_him_go_on(void **state)
{
	struct room room;
	struct guest holder = guest_of(90, LATER), late = guest_of(50, -1),
		     small = guest_of(5, LATER);

	(void)state;
	assert_int_equal(room_open(&room, LIMIT), 0);
	assert_true(room_ask(&room, &holder.guest));
	assert_false(room_ask(&room, &late.guest));
	assert_false(room_ask(&room, &small.guest));
	room_expire(&room, false);
	assert_int_equal(late.called, 1);
	assert_false(late.granted);
	assert_int_equal(small.called, 1);
	assert_true(small.granted);
	room_expire(&room, true);
	assert_int_equal(late.called + small.called, 2);
	room_close(&room);
}

static void
timer_runs_only_while_somebody_waits(void **state)
{
	struct room room;
	struct guest holder = guest_of(LIMIT, LATER), late = guest_of(1, -1);
	struct pollfd fd = {.events = POLLIN};

	(void)state;
	assert_int_equal(room_open(&room, LIMIT), 0);
	fd.fd = room.timer;
	assert_true(room_ask(&room, &holder.guest));
	assert_int_equal(poll(&fd, 1, 250), 0);
	assert_false(room_ask(&room, &late.guest));
	assert_int_equal(poll(&fd, 1, 2000), 1);
	room_expire(&room, false);
	assert_int_equal(late.called, 1);
	assert_int_equal(poll(&fd, 1, 250), 0);
	room_close(&room);
}

static void
who_leaves_is_not_called_and_those_behind_him_go_on(void **state)
{
	struct room room;
	struct guest holder = guest_of(90, LATER), gone = guest_of(50, LATER),
		     small = guest_of(5, LATER);

	(void)state;
	assert_int_equal(room_open(&room, LIMIT), 0);
	assert_true(room_ask(&room, &holder.guest));
	assert_false(room_ask(&room, &gone.guest));
	assert_false(room_ask(&room, &small.guest));
	assert_true(room_leave(&room, &gone.guest));
	assert_int_equal(gone.called, 0);
	assert_true(small.granted);
	assert_false(room_leave(&room, &small.guest)); /* was called already */
	room_close(&room);
}

static void
when_all_are_refused_nobody_is_forgotten(void **state)
{
	struct room room;
	struct guest guests[GUESTS];

	(void)state;
	assert_int_equal(room_open(&room, LIMIT), 0);
	for (size_t i = 0; i < GUESTS; i++) {
		guests[i] = guest_of(LIMIT, LATER);
		assert_int_equal(room_ask(&room, &guests[i].guest), i == 0);
	}
	room_expire(&room, true);
	for (size_t i = 1; i < GUESTS; i++) {
		assert_int_equal(guests[i].called, 1);
		assert_false(guests[i].granted);
	}
	room_give(&room, LIMIT);
	assert_int_equal(room.taken, 0);
	room_close(&room);
}

/* ---- from several threads ---- */

enum { THREADS = 4, ROUNDS = 3000 };

struct visitor {
	struct room_guest guest; /* first */
	struct room *room;
	atomic_int answer; /* 1: granted, 2: refused */
	atomic_size_t *inside;
};

static void
visitor_called(struct room_guest *guest, bool granted)
{
	atomic_store(&((struct visitor *)guest)->answer, granted ? 1 : 2);
}

static void *
visit(void *argument)
{
	struct visitor *visitor = argument;
	unsigned seed = (unsigned)(uintptr_t)argument;

	for (int round = 0; round < ROUNDS; round++) {
		size_t bytes = (size_t)(rand_r(&seed) % LIMIT) + 1;

		visitor->guest.bytes = bytes;
		visitor->guest.until_ms = room_now_ms() + rand_r(&seed) % 3;
		visitor->guest.done = visitor_called;
		atomic_store(&visitor->answer, 0);
		if (room_ask(visitor->room, &visitor->guest))
			atomic_store(&visitor->answer, 1);
		while (atomic_load(&visitor->answer) == 0)
			room_expire(visitor->room, false);
		if (atomic_load(&visitor->answer) != 1)
			continue;
		if (atomic_fetch_add(visitor->inside, bytes) + bytes > LIMIT)
			return visitor;
		atomic_fetch_sub(visitor->inside, bytes);
		room_give(visitor->room, bytes);
	}
	return NULL;
}

static void
limit_holds_whoever_comes_and_goes_at_once(void **state)
{
	struct room room;
	atomic_size_t inside = 0;
	struct visitor visitors[THREADS];
	pthread_t threads[THREADS];

	(void)state;
	assert_int_equal(room_open(&room, LIMIT), 0);
	for (size_t i = 0; i < THREADS; i++) {
		visitors[i] = (struct visitor){.room = &room, .inside = &inside};
		assert_int_equal(pthread_create(&threads[i], NULL, visit, &visitors[i]),
		                 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		void *over;

		assert_int_equal(pthread_join(threads[i], &over), 0);
		assert_null(over);
	}
	assert_int_equal(room.taken, 0);
	room_close(&room);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_fits_is_granted_at_once),
	    cmocka_unit_test(
		who_came_first_is_served_first_even_if_a_smaller_one_would_fit),
	    cmocka_unit_test(whose_time_is_up_is_refused_and_those_behind_him_go_on),
	    cmocka_unit_test(timer_runs_only_while_somebody_waits),
	    cmocka_unit_test(who_leaves_is_not_called_and_those_behind_him_go_on),
	    cmocka_unit_test(when_all_are_refused_nobody_is_forgotten),
	    cmocka_unit_test(limit_holds_whoever_comes_and_goes_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
