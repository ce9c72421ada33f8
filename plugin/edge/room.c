/* SPDX-License-Identifier: Apache-2.0 */
/* room.c - a limit in bytes and a queue before it. */
#include "edge/room.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 100 }; /* how often it is looked who has waited long enough */

int
room_open(struct room *room, size_t limit)
{
	*room = (struct room){.limit = limit};
	room->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (room->timer < 0)
		return -1;
	(void)pthread_mutex_init(&room->mutex, NULL);
	return 0;
}

int64_t
room_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Runs while somebody waits. With the mutex held. */
static void
set_timer(struct room *room, bool on)
{
	const struct timespec step = {.tv_nsec = on ? LOOK_MS * 1000000L : 0};
	const struct itimerspec time = {.it_interval = step, .it_value = step};

	(void)timerfd_settime(room->timer, 0, &time, NULL);
}

static void
append(struct room *room, struct room_guest *guest)
{
	guest->next = NULL;
	if (room->last)
		room->last->next = guest;
	else
		room->first = guest;
	room->last = guest;
}

/* Takes the first out of the queue. */
static struct room_guest *
shift(struct room *room)
{
	struct room_guest *guest = room->first;

	room->first = guest->next;
	if (!room->first)
		room->last = NULL;
	return guest;
}

static bool
fits(const struct room *room, const struct room_guest *guest)
{
	return guest->bytes <= room->limit - room->taken;
}

/* Calls back a list that nobody else knows of any more. */
static void
call(struct room_guest *list, bool granted)
{
	while (list) {
		struct room_guest *next = list->next; /* the guest may be gone after */

		list->done(list, granted);
		list = next;
	}
}

bool
room_ask(struct room *room, struct room_guest *guest)
{
	bool granted;

	(void)pthread_mutex_lock(&room->mutex);
	granted = !room->first && fits(room, guest);
	if (granted) {
		room->taken += guest->bytes;
	} else {
		if (!room->first)
			set_timer(room, true);
		append(room, guest);
	}
	(void)pthread_mutex_unlock(&room->mutex);
	return granted;
}

/* Takes out of the queue, in their order, those at its head who fit now. With the mutex
   held. */
static struct room_guest *
admit(struct room *room)
{
	struct room admitted = {0};

	while (room->first && fits(room, room->first)) {
		struct room_guest *guest = shift(room);

		room->taken += guest->bytes;
		append(&admitted, guest);
	}
	if (!room->first && admitted.first)
		set_timer(room, false);
	return admitted.first;
}

void
room_give(struct room *room, size_t bytes)
{
	struct room_guest *admitted;

	(void)pthread_mutex_lock(&room->mutex);
	room->taken -= bytes;
	admitted = admit(room);
	(void)pthread_mutex_unlock(&room->mutex);
	call(admitted, true);
}

bool
room_leave(struct room *room, const struct room_guest *guest)
{
	struct room stay = {0};
	struct room_guest *admitted;
	bool found = false;

	(void)pthread_mutex_lock(&room->mutex);
	while (room->first) {
		struct room_guest *each = shift(room);

		if (each == guest)
			found = true;
		else
			append(&stay, each);
	}
	room->first = stay.first;
	room->last = stay.last;
	if (found && !room->first)
		set_timer(room, false);
	admitted = admit(room);
	(void)pthread_mutex_unlock(&room->mutex);
	call(admitted, true);
	return found;
}

void
room_expire(struct room *room, bool all)
{
	struct room late = {0}, stay = {0};
	int64_t now = room_now_ms();
	struct room_guest *admitted;
	uint64_t times;

	if (read(room->timer, &times, sizeof times) < 0 && errno != EAGAIN)
		return;
	(void)pthread_mutex_lock(&room->mutex);
	while (room->first) {
		struct room_guest *guest = shift(room);

		append(all || guest->until_ms <= now ? &late : &stay, guest);
	}
	room->first = stay.first;
	room->last = stay.last;
	if (late.first && !room->first)
		set_timer(room, false);
	admitted = admit(room); /* who stood behind one that is gone */
	(void)pthread_mutex_unlock(&room->mutex);
	call(late.first, false);
	call(admitted, true);
}

void
room_close(struct room *room)
{
	(void)pthread_mutex_destroy(&room->mutex);
	(void)close(room->timer);
}
