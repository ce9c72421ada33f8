/* SPDX-License-Identifier: Apache-2.0 */
/* policy_watch.c - watches the policy's file, and the ends of its exceptions. */
#include "edge/policy_watch.h"

#include "edge/file.h"
#include "edge/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
	NAMED_MAX = 20, /* exceptions that one look names */
	GLASS_MAX = 16, /* broken glass whose end is said though it is taken out */
	GLASS_ID_MAX = 64,
};

struct policy_watch {
	const struct log *log;
	struct watch *file;
	int timer;    /* of the wall clock */
	int epoll;    /* of both */
	int64_t said; /* seconds: all up to and at this time has been said */
	char glass[GLASS_MAX][GLASS_ID_MAX]; /* in force when the policy was taken */
	size_t glass_count;
};

/* The first second after `after` at which there is something to say of an exception. */
static int64_t
next_event(const struct exception *exception, int64_t after)
{
	int64_t soon = exception->expires - POLICY_SOON_S;

	if (exception->expires == POLICY_NEVER || exception->expires <= after)
		return POLICY_NEVER;
	return soon > after ? soon : exception->expires;
}

static void
set_timer(const struct policy_watch *watch, int64_t at)
{
	struct itimerspec when = {.it_value = {.tv_sec = at}};

	if (at == POLICY_NEVER)
		when.it_value.tv_sec = 0; /* off */
	(void)timerfd_settime(watch->timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
	                      &when, NULL);
}

static void
renew_timer(struct policy_watch *watch, struct policy_store *store)
{
	const struct policy_snapshot *snapshot = policy_store_acquire(store);
	const struct policy *policy = snapshot->policy;
	int64_t first = POLICY_NEVER;

	for (size_t i = 0; policy && i < policy->count; i++) {
		int64_t event = next_event(&policy->exceptions[i], watch->said);

		if (event < first)
			first = event;
	}
	policy_store_release(store, snapshot);
	set_timer(watch, first);
}

/* Says that it has ended or will soon. True if it has. */
static bool
say(const struct policy_watch *watch, const struct exception *exception, int64_t now)
{
	cleanup_buf struct buf id = {0};

	buf_quoted(&id, exception->id, 0);
	if (now >= exception->expires) {
		log_warning(watch->log, "exception %.*s has ended",
		            TEXT_ARG(buf_text(&id)));
		return true;
	}
	if (text_has_prefix(exception->id, POLICY_BREAK_GLASS_PREFIX)) {
		buf_str(&id, ": ");
		buf_quoted(&id, exception->reason, 0);
		log_warning(watch->log, "glass is broken: exception %.*s, for %lld s",
		            TEXT_ARG(buf_text(&id)),
		            (long long)(exception->expires - now));
		return false;
	}
	log_warning(watch->log, "exception %.*s ends within %d days",
	            TEXT_ARG(buf_text(&id)), POLICY_SOON_S / (24 * 3600));
	return false;
}

/* Of exceptions that end after `from`. */
static void
say_all(struct policy_watch *watch, struct policy_store *store, int64_t now, int64_t from)
{
	const struct policy_snapshot *snapshot = policy_store_acquire(store);
	const struct policy *policy = snapshot->policy;
	size_t events = 0, ended = 0;

	for (size_t i = 0; policy && i < policy->count; i++) {
		if (policy->exceptions[i].expires <= from ||
		    next_event(&policy->exceptions[i], watch->said) > now)
			continue;
		if (events++ < NAMED_MAX)
			ended += say(watch, &policy->exceptions[i], now);
	}
	if (events > NAMED_MAX)
		log_warning(watch->log, "%zu more exceptions have ended or end soon",
		            events - NAMED_MAX);
	if (ended > 0)
		log_warning(watch->log,
		            "containers that were made under an exception stay after "
		            "its end: seccomp-authz audit finds those that the policy "
		            "no longer allows");
	policy_store_release(store, snapshot);
	watch->said = now;
}

static bool
has_exception(const struct policy *policy, const char *id)
{
	for (size_t i = 0; i < policy->count; i++) {
		if (text_is(policy->exceptions[i].id, id))
			return true;
	}
	return false;
}

static void
note_glass(struct policy_watch *watch, const struct policy *policy, int64_t now)
{
	watch->glass_count = 0;
	for (size_t i = 0; i < policy->count && watch->glass_count < GLASS_MAX; i++) {
		const struct exception *exception = &policy->exceptions[i];

		if (text_has_prefix(exception->id, POLICY_BREAK_GLASS_PREFIX) &&
		    exception->id.len < GLASS_ID_MAX && now < exception->expires)
			(void)snprintf(watch->glass[watch->glass_count++], GLASS_ID_MAX,
			               "%.*s", TEXT_ARG(exception->id));
	}
}

/* What was in force and is gone has ended too, and nothing else would say so. */
static void
say_mended(struct policy_watch *watch, struct policy_store *store, int64_t now)
{
	const struct policy_snapshot *snapshot = policy_store_acquire(store);

	for (size_t i = 0; snapshot->policy && i < watch->glass_count; i++) {
		cleanup_buf struct buf id = {0};

		if (has_exception(snapshot->policy, watch->glass[i]))
			continue;
		buf_quoted(&id, text_of(watch->glass[i]), 0);
		log_warning(watch->log,
		            "glass is mended: exception %.*s was taken out of the policy",
		            TEXT_ARG(buf_text(&id)));
	}
	if (snapshot->policy)
		note_glass(watch, snapshot->policy, now);
	policy_store_release(store, snapshot);
}

void
policy_watch_renew(struct policy_watch *watch, struct policy_store *store)
{
	int64_t now = (int64_t)time(NULL);

	if (!watch)
		return;
	say_mended(watch, store, now);
	/* as if nothing had been said of what ends from now on */
	watch->said = now - POLICY_SOON_S;
	say_all(watch, store, now, now);
	renew_timer(watch, store);
	log_info(
	    watch->log,
	    "containers from before stay as they are: seccomp-authz audit --policy %s "
	    "finds those that are no longer allowed",
	    policy_store_path(store));
}

int
policy_watch_due(struct policy_watch *watch, struct policy_store *store)
{
	int64_t now = (int64_t)time(NULL);
	uint64_t expirations;

	if (!watch)
		return 0;
	/* ECANCELED: the clock was set; the timer is made anew */
	(void)!read(watch->timer, &expirations, sizeof expirations);
	if (now > watch->said)
		say_all(watch, store, now, watch->said);
	renew_timer(watch, store);
	return watch_changed(watch->file) ? policy_store_refresh(store) : 0;
}

int
policy_watch_fd(const struct policy_watch *watch)
{
	return watch ? watch->epoll : -1;
}

void
policy_watch_close(struct policy_watch *watch)
{
	if (!watch)
		return;
	watch_close(watch->file);
	file_close(&watch->timer);
	file_close(&watch->epoll);
	free(watch);
}

static int
open_all(struct policy_watch *watch, const char *path, struct err *err)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (watch_open(&path, 1, &watch->file, err) != 0)
		return -1;
	watch->timer = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	watch->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (watch->timer < 0 || watch->epoll < 0 ||
	    epoll_ctl(watch->epoll, EPOLL_CTL_ADD, watch->timer, &event) != 0 ||
	    epoll_ctl(watch->epoll, EPOLL_CTL_ADD, watch_fd(watch->file), &event) != 0)
		return err_set(err, ERR_SYSTEM, "%m");
	return 0;
}

struct policy_watch *
policy_watch_open(const char *path, const struct log *log)
{
	struct policy_watch *watch = calloc(1, sizeof *watch);
	struct err err = {0};

	if (!watch)
		return NULL;
	path = path ? path : POLICY_DEFAULT_PATH;
	watch->log = log;
	watch->timer = watch->epoll = -1;
	watch->said = (int64_t)time(NULL);
	if (open_all(watch, path, &err) == 0)
		return watch;
	log_error(log, "policy %s can't be watched: %s; SIGHUP reloads it", path,
	          err.text);
	policy_watch_close(watch);
	return NULL;
}
