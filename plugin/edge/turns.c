/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turns.c - two threads, one of which runs the loop.
 *
 * Whose loop it is, is one number: even while its thread is in `step`, odd while it is away
 * in `work`. Who comes back makes it even again and goes on; who stands by does the same
 * with a number that stayed odd for too long. Only one of the two can.
 */
#include "edge/turns.h"
#include "edge/record_thread.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { CHUNK_MS = 1000 };

struct turns_thread {
	struct turns *turns;
	pthread_t thread;
	bool leads; /* at first */
	bool ended; /* under the mutex */
};

struct turns {
	struct turns_job job;
	struct turns_thread threads[2];
	atomic_uint_fast64_t turn;
	atomic_bool stop;
	atomic_bool asleep;   /* who stands by does not watch */
	atomic_bool relieved; /* somebody stands by */
	struct record_monitor monitor;
	bool loop_ended; /* under the mutex */
};

static void
wake(struct turns *turns)
{
	record_lock(&turns->monitor);
	atomic_store(&turns->asleep, false);
	(void)pthread_cond_signal(&turns->monitor.wake);
	record_unlock(&turns->monitor);
}

/* Runs the loop until it is lost or ends; true if it was lost. */
static bool
run_loop(struct turns *turns)
{
	const struct turns_job *job = &turns->job;

	while (!atomic_load(&turns->stop)) {
		uint_fast64_t away;

		if (!job->step(job->context))
			continue;
		away = atomic_fetch_add(&turns->turn, 1) + 1;
		if (atomic_load(&turns->asleep))
			wake(turns);
		job->work(job->context, atomic_load(&turns->relieved));
		if (!atomic_compare_exchange_strong(&turns->turn, &away, away + 1))
			return true;
	}
	return false;
}

/* Waits for the next time to look, or for the next work if there was none for long. Returns
   true when all is over. */
static bool
rest(struct turns *turns, uint_fast64_t seen, bool sleep)
{
	int64_t until = sleep ? INT64_MAX : record_now_ms() + TURNS_LATE_MS;
	bool over;

	record_lock(&turns->monitor);
	atomic_store(&turns->asleep, sleep);
	/* who is away by now may have looked before it was said that nobody watches */
	if (!turns->loop_ended && (!sleep || atomic_load(&turns->turn) == seen))
		record_wait_wake(&turns->monitor, until);
	atomic_store(&turns->asleep, false);
	over = turns->loop_ended;
	record_unlock(&turns->monitor);
	return over;
}

/* Watches the other; true when the loop is this thread's, false when all is over. */
static bool
stand_by(struct turns *turns)
{
	uint_fast64_t seen = atomic_load(&turns->turn);
	unsigned quiet = 0;

	atomic_store(&turns->relieved, true);
	while (!rest(turns, seen, quiet >= TURNS_WATCH && seen % 2 == 0)) {
		uint_fast64_t now = atomic_load(&turns->turn);
		bool same = now == seen;

		seen = now;
		quiet = same ? quiet + 1 : 0;
		if (!same || now % 2 == 0)
			continue;
		/* before the loop is lost: whoever lost it stands by from then on */
		atomic_store(&turns->relieved, false);
		if (atomic_compare_exchange_strong(&turns->turn, &now, now + 1))
			return true;
		atomic_store(&turns->relieved, true);
	}
	return false;
}

static void
end(struct turns_thread *self, bool loop)
{
	struct turns *turns = self->turns;

	record_lock(&turns->monitor);
	self->ended = true;
	turns->loop_ended |= loop;
	(void)pthread_cond_signal(&turns->monitor.wake);
	(void)pthread_cond_signal(&turns->monitor.end);
	record_unlock(&turns->monitor);
}

static void *
run(void *argument)
{
	struct turns_thread *self = argument;

	if (!self->leads && !stand_by(self->turns)) {
		end(self, false);
		return NULL;
	}
	while (run_loop(self->turns)) {
		if (stand_by(self->turns))
			continue;
		end(self, false);
		return NULL;
	}
	end(self, true);
	return NULL;
}

/* ---- from outside ---- */

static void
destroy(struct turns *turns)
{
	record_monitor_destroy(&turns->monitor);
	free(turns);
}

struct turns *
turns_start(const struct turns_job *job)
{
	struct turns *turns = calloc(1, sizeof *turns);

	if (!turns)
		return NULL;
	if (record_monitor_init(&turns->monitor)) {
		free(turns);
		return NULL;
	}
	turns->job = *job;
	turns->threads[0] = (struct turns_thread){.turns = turns, .leads = true};
	turns->threads[1] = (struct turns_thread){.turns = turns};
	/* who stands by first, so that there is no loop to be ended if one can't be had */
	if (record_thread_start(&turns->threads[1].thread, run, &turns->threads[1])) {
		destroy(turns);
		return NULL;
	}
	if (record_thread_start(&turns->threads[0].thread, run, &turns->threads[0])) {
		end(&turns->threads[0], true);
		(void)pthread_join(turns->threads[1].thread, NULL);
		destroy(turns);
		return NULL;
	}
	return turns;
}

bool
turns_stop(struct turns *turns, int64_t wait_ms)
{
	bool all = true;
	int64_t deadline;

	atomic_store(&turns->stop, true);
	turns->job.wake(turns->job.context);
	record_lock(&turns->monitor);
	while (!record_wait_end(&turns->monitor, &turns->loop_ended,
	                        record_now_ms() + CHUNK_MS))
		;
	deadline = record_now_ms() + wait_ms;
	for (size_t i = 0; i < 2; i++)
		all &=
		    record_wait_end(&turns->monitor, &turns->threads[i].ended, deadline);
	record_unlock(&turns->monitor);
	for (size_t i = 0; i < 2; i++)
		(void)(all ? pthread_join(turns->threads[i].thread, NULL)
		           : pthread_detach(turns->threads[i].thread));
	if (all)
		destroy(turns);
	return all;
}
