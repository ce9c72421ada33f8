/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turns - a loop that goes on although some of its work hangs: two threads for it, one of
 * which runs it at a time.
 *
 * `step` is what the loop is for and is never long, but for its wait for something to do.
 * When it returns true, `work` is done by the same thread, since nothing is faster: a write
 * to a file mostly takes microseconds, waking another thread for it as many again. But it
 * may take seconds. Who is not back after TURNS_LATE_MS has lost the loop: the other thread
 * goes on with it, and whoever comes late stands by in its turn.
 *
 * Invariant: one thread at a time is in `step`, and sees what the one before did in it.
 * `work` is told whether somebody would take the loop over; it must not wait for anything
 * if nobody would. While there was no work for a while, the thread that stands by sleeps.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	TURNS_LATE_MS = 5, /* to twice that */
	TURNS_WATCH = 20,  /* so many times without any work, and it sleeps */
};

struct turns_job {
	bool (*step)(void *context); /* waits for something to do */
	void (*wake)(void *context); /* any thread: ends that wait, or the next one */
	void (*work)(void *context, bool relieved);
	void *context;
};

struct turns; /* private */

/* Starts the two threads, without signals. NULL: they can't be had. */
struct turns *turns_start(const struct turns_job *job);

/*
 * Ends the loop: returns when no thread is in `step` or will be. False if one still is in
 * `work` after `wait_ms`: it is left behind with its memory, and what `work` touches must
 * stay, too.
 */
bool turns_stop(struct turns *turns, int64_t wait_ms);
