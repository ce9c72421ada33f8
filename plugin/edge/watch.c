/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c - sees that what is found under a path has changed. */
#include "edge/watch.h"

#include "edge/file.h"
#include "edge/watch_way.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
	READS_MAX = 16,      /* of events at once */
	EVENTS_SIZE = 16384, /* bytes */
};

/* Something is there, in full. */
enum { WHOLE = IN_CLOSE_WRITE | IN_MOVED_TO };

struct watched {
	char *path; /* absolute */
	struct watch_way way;
	struct stat seen; /* zeroed: there was nothing */
};

struct watch {
	int epoll, timer;
	int inotify; /* -1: not to be had */
	bool blind;  /* some change would not be seen by inotify */
	bool pending, touched;
	int64_t first_ms; /* when the first pending event came */
	size_t count;
	struct watched at[]; /* as many as there are paths */
};

static int64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
set_timer(struct watch *watch, int64_t ms)
{
	struct itimerspec when = {.it_value = {ms / 1000, ms % 1000 * 1000000}};

	if (ms <= 0)
		when.it_value.tv_nsec = 1; /* 0 would switch it off */
	(void)timerfd_settime(watch->timer, 0, &when, NULL);
}

static void
set_poll_timer(struct watch *watch)
{
	set_timer(watch, watch->blind ? WATCH_BLIND_MS : WATCH_POLL_MS);
}

/* ---- the ways to the paths ---- */

/* With new eyes: what an earlier walk watched is forgotten with its descriptor. */
static void
follow_all(struct watch *watch)
{
	struct epoll_event event = {.events = EPOLLIN};

	file_close(&watch->inotify);
	watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	watch->blind = watch->inotify < 0 || epoll_ctl(watch->epoll, EPOLL_CTL_ADD,
	                                               watch->inotify, &event) != 0;
	for (size_t i = 0; i < watch->count; i++)
		if (watch_way_follow(&watch->at[i].way, watch->inotify,
		                     watch->at[i].path) != 0)
			watch->blind = true;
}

/* ---- what is there ---- */

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mode == b->st_mode &&
	       same_time(&a->st_mtim, &b->st_mtim) && same_time(&a->st_ctim, &b->st_ctim);
}

/* Remembers what is there now; whether it is another thing than before. */
static bool
look(struct watch *watch)
{
	bool changed = false;

	for (size_t i = 0; i < watch->count; i++) {
		struct stat now;

		if (stat(watch->at[i].path, &now) != 0)
			now = (struct stat){0};
		changed = changed || !same(&now, &watch->at[i].seen);
		watch->at[i].seen = now;
	}
	return changed;
}

/* ---- events ---- */

static bool
concerns(const struct watch_step *step, const struct inotify_event *event)
{
	if (step->wd != event->wd)
		return false;
	if (!step->name || event->len == 0)
		return true;
	return strcmp(step->name, event->name) == 0;
}

/* The latest event says how long to wait for more; but what is renamed over says last of
   itself that it is gone. */
static void
note(struct watch *watch, const struct inotify_event *event, bool touched)
{
	int64_t now = now_ms(), wait;

	/* a time stamp may not tell two writes in one tick of the clock apart */
	watch->touched = watch->touched || touched;
	if (watch->pending && event->len == 0 && !(event->mask & WHOLE))
		return;
	if (!watch->pending)
		watch->first_ms = now;
	watch->pending = true;
	wait = event->mask & WHOLE ? WATCH_SETTLE_MS : WATCH_GONE_MS;
	if (now + wait > watch->first_ms + WATCH_LATEST_MS)
		wait = watch->first_ms + WATCH_LATEST_MS - now;
	set_timer(watch, wait);
}

static void
take_event(struct watch *watch, const struct inotify_event *event)
{
	if (event->mask & (IN_Q_OVERFLOW | IN_UNMOUNT))
		note(watch, event, true);
	for (size_t i = 0; i < watch->count; i++) {
		for (size_t k = 0; k < watch->at[i].way.count; k++) {
			const struct watch_step *step = &watch->at[i].way.steps[k];

			if (concerns(step, event) && !(event->mask & IN_IGNORED))
				note(watch, event,
				     step->last && (!step->name || event->len > 0));
		}
	}
}

static void
take_events(struct watch *watch)
{
	_Alignas(struct inotify_event) char bytes[EVENTS_SIZE];

	for (int reads = 0; watch->inotify >= 0 && reads < READS_MAX; reads++) {
		ssize_t len = read(watch->inotify, bytes, sizeof bytes);

		for (ssize_t at = 0; at < len;) {
			const struct inotify_event *event = (const void *)(bytes + at);

			take_event(watch, event);
			at += (ssize_t)(sizeof *event + event->len);
		}
		if (len <= 0)
			return;
	}
}

bool
watch_changed(struct watch *watch)
{
	uint64_t expirations;
	bool changed;

	take_events(watch);
	if (read(watch->timer, &expirations, sizeof expirations) < 0)
		return false;
	/* first the watches, then the look: what changes in between is seen by one */
	if (watch->pending || watch->blind)
		follow_all(watch);
	changed = look(watch) || watch->touched;
	if (changed && !watch->pending) /* seen by the clock only */
		follow_all(watch);
	watch->pending = watch->touched = false;
	set_poll_timer(watch);
	return changed;
}

int
watch_fd(const struct watch *watch)
{
	return watch->epoll;
}

/* ---- opening and closing ---- */

static char *
absolute(const char *path)
{
	char folder[PATH_MAX], *whole;

	if (path[0] == '/')
		return strdup(path);
	if (!getcwd(folder, sizeof folder) || asprintf(&whole, "%s/%s", folder, path) < 0)
		return NULL;
	return whole;
}

void
watch_close(struct watch *watch)
{
	if (!watch)
		return;
	for (size_t i = 0; i < watch->count; i++) {
		watch_way_forget(&watch->at[i].way);
		free(watch->at[i].path);
	}
	file_close(&watch->inotify);
	file_close(&watch->timer);
	file_close(&watch->epoll);
	free(watch);
}

int
watch_open(const char *const *paths, size_t count, struct watch **ret_watch,
           struct err *err)
{
	const size_t most = count < WATCH_PATHS_MAX ? count : WATCH_PATHS_MAX;
	struct watch *watch = calloc(1, sizeof *watch + most * sizeof *watch->at);
	struct epoll_event event = {.events = EPOLLIN};

	if (!watch)
		return err_set(err, ERR_MEMORY, "out of memory");
	watch->inotify = -1;
	watch->epoll = epoll_create1(EPOLL_CLOEXEC);
	watch->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (watch->epoll < 0 || watch->timer < 0 ||
	    epoll_ctl(watch->epoll, EPOLL_CTL_ADD, watch->timer, &event) != 0) {
		(void)err_set(err, ERR_SYSTEM, "can't watch: %m");
		watch_close(watch);
		return -1;
	}
	for (; watch->count < most; watch->count++) {
		char *path = absolute(paths[watch->count]);

		if (!path) {
			(void)err_set(err, ERR_SYSTEM, "%s: %m", paths[watch->count]);
			watch_close(watch);
			return -1;
		}
		watch->at[watch->count].path = path;
	}
	follow_all(watch);
	(void)look(watch);
	set_poll_timer(watch);
	*ret_watch = watch;
	return 0;
}
