/* SPDX-License-Identifier: Apache-2.0 */
/* test_turns.c - the loop goes on whatever its work does, and never in two threads. */
#include "edge/turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

enum { LONG_MS = 5000 };

struct scene {
	atomic_int steps, works, in_step, clashes;
	atomic_int unrelieved;
	atomic_bool hang;  /* `work` does not come back */
	atomic_bool hangs; /* one is in there */
	atomic_bool busy;  /* `step` has work each time */
	int plain;         /* counted without a lock: a race if two are in `step` */
};

static void
sleep_ms(long ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	(void)nanosleep(&time, NULL);
}

static bool
step(void *context)
{
	struct scene *scene = context;

	if (atomic_fetch_add(&scene->in_step, 1) != 0)
		atomic_fetch_add(&scene->clashes, 1);
	scene->plain++;
	sleep_ms(1);
	atomic_fetch_add(&scene->steps, 1);
	atomic_fetch_sub(&scene->in_step, 1);
	return atomic_load(&scene->busy);
}

static void
work(void *context, bool relieved)
{
	struct scene *scene = context;

	atomic_fetch_add(&scene->works, 1);
	if (!relieved) {
		atomic_fetch_add(&scene->unrelieved, 1);
		return;
	}
	while (atomic_load(&scene->hang)) {
		atomic_store(&scene->hangs, true);
		sleep_ms(1);
	}
	atomic_store(&scene->hangs, false);
}

static void
wake(void *context)
{
	(void)context; /* `step` waits for nothing */
}

static struct turns *
start(struct scene *scene)
{
	struct turns *turns = turns_start(&(struct turns_job){
	    .step = step, .wake = wake, .work = work, .context = scene});

	assert_non_null(turns);
	return turns;
}

/* Waits for *number to be more than it is by `more`. */
static void
wait_for_more(const atomic_int *number, int more)
{
	int least = atomic_load(number) + more;

	for (int waited = 0; atomic_load(number) < least; waited++) {
		assert_true(waited < LONG_MS);
		sleep_ms(1);
	}
}

static void
wait_for(const atomic_bool *flag)
{
	for (int waited = 0; !atomic_load(flag); waited++) {
		assert_true(waited < LONG_MS);
		sleep_ms(1);
	}
}

static void
a_loop_without_work_goes_round_until_it_is_stopped(void **state)
{
	struct scene scene = {.plain = 0};
	struct turns *turns = start(&scene);

	(void)state;
	wait_for_more(&scene.steps, 5);
	assert_true(turns_stop(turns, LONG_MS));
	assert_int_equal(atomic_load(&scene.works), 0);
	assert_int_equal(atomic_load(&scene.clashes), 0);
}

static bool
wait_forever(void *context)
{
	return sem_wait(context) != 0;
}

static void
end_wait(void *context)
{
	(void)sem_post(context);
}

static void
a_loop_that_waits_without_a_limit_is_woken_to_end(void **state)
{
	struct turns *turns;
	sem_t bell;

	(void)state;
	assert_int_equal(sem_init(&bell, 0, 0), 0);
	turns = turns_start(&(struct turns_job){
	    .step = wait_forever, .wake = end_wait, .work = work, .context = &bell});
	assert_non_null(turns);
	sleep_ms(5);
	assert_true(turns_stop(turns, LONG_MS));
	(void)sem_destroy(&bell);
}

static void
the_loop_goes_on_while_its_work_hangs(void **state)
{
	struct scene scene = {.busy = true, .hang = true};
	struct turns *turns = start(&scene);

	(void)state;
	wait_for(&scene.hangs);
	wait_for_more(&scene.steps, 20);
	/* who took over is alone, and knows it */
	assert_true(atomic_load(&scene.unrelieved) > 0);
	atomic_store(&scene.hang, false);
	wait_for_more(&scene.works, 20);
	assert_true(turns_stop(turns, LONG_MS));
	assert_int_equal(atomic_load(&scene.clashes), 0);
}

static void
it_hangs_again_and_again_after_rests_and_never_runs_twice(void **state)
{
	struct scene scene = {.busy = true};
	struct turns *turns = start(&scene);

	(void)state;
	for (int i = 0; i < 5; i++) {
		atomic_store(&scene.busy, false);
		sleep_ms(i % 2 ? TURNS_LATE_MS * (TURNS_WATCH + 10) : 1);
		atomic_store(&scene.hang, true);
		atomic_store(&scene.busy, true);
		wait_for(&scene.hangs);
		wait_for_more(&scene.steps, 10);
		atomic_store(&scene.hang, false);
		wait_for_more(&scene.works, 10);
	}
	assert_true(turns_stop(turns, LONG_MS));
	assert_int_equal(atomic_load(&scene.clashes), 0);
	assert_int_equal(scene.plain, atomic_load(&scene.steps));
}

static void
a_thread_that_hangs_is_left_behind_at_the_end(void **state)
{
	static struct scene scene;  /* outlives the thread that is left */
	static struct turns *turns; /* its memory is left on purpose, and is no leak */

	(void)state;
	atomic_store(&scene.busy, true);
	atomic_store(&scene.hang, true);
	turns = start(&scene);
	wait_for(&scene.hangs);
	assert_false(turns_stop(turns, 20));
	assert_int_equal(atomic_load(&scene.clashes), 0);
	atomic_store(&scene.hang, false);
	while (atomic_load(&scene.hangs))
		sleep_ms(1);
	sleep_ms(20); /* it ends by itself, before the process does */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_loop_without_work_goes_round_until_it_is_stopped),
	    cmocka_unit_test(a_loop_that_waits_without_a_limit_is_woken_to_end),
	    cmocka_unit_test(the_loop_goes_on_while_its_work_hangs),
	    cmocka_unit_test(it_hangs_again_and_again_after_rests_and_never_runs_twice),
	    cmocka_unit_test(a_thread_that_hangs_is_left_behind_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
