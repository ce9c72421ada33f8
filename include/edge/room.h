/* SPDX-License-Identifier: Apache-2.0 */
/*
 * room - how much memory large bodies may hold together, and who waits for it.
 *
 * Invariant: what was granted and not given back is never more than the limit; whoever
 * asked first is served first, so that nobody starves. Who waits is called back exactly
 * once: granted, or refused when the time is up. Thread-safe; `done` is called without a
 * lock held and must not block.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One who wants room. The caller's, who sets the first part; left alone while he waits. */
struct room_guest {
	size_t bytes;
	int64_t until_ms; /* room_now_ms(): he waits until then */
	void (*done)(struct room_guest *guest, bool granted);

	struct room_guest *next; /* private */
};

struct room {
	pthread_mutex_t mutex;
	size_t limit, taken;
	struct room_guest *first, *last; /* who wait */
	int timer; /* timerfd: readable when room_expire() should be called */
};

/* -1: no timer to be had (errno). */
int room_open(struct room *room, size_t limit);

/* Milliseconds of the clock that `until_ms` is about. */
int64_t room_now_ms(void);

/* True: granted. False: he waits, and `done` may have been called already. */
bool room_ask(struct room *room, struct room_guest *guest);

/* He waits no longer. False: he did not wait any more, and `done` was called or is just
   being called. */
bool room_leave(struct room *room, const struct room_guest *guest);

/* Gives back what was granted; those who wait and fit are called back. */
void room_give(struct room *room, size_t bytes);

/* Refuses those whose time is up; with `all`, whoever waits. */
void room_expire(struct room *room, bool all);

/* Nobody waits any more. */
void room_close(struct room *room);
