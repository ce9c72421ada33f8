/* SPDX-License-Identifier: Apache-2.0 */
/* record_check.h - walks a record as an auditor would; entries that remember their end. */
#pragma once

#include "edge/record.h"
#include "edge/record_chain.h"
#include "edge/record_thread.h"
#include "temporary.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

/*
 * Walks `bytes` from *chain on and fails the test at the first line that does not follow
 * from the one before. A line without a number must have a recovery record after it.
 * Returns the number of lines of the chain.
 */
static inline size_t
check_chain(struct text bytes, struct record_chain *chain)
{
	size_t count = 0;
	bool torn = false;

	while (bytes.len > 0) {
		struct text line = text_first(bytes, text_find(bytes, '\n'));
		struct record_chain next = {0};
		char end[128];

		bytes = text_from(bytes, line.len + (line.len < bytes.len));
		if (record_chain_resume(&next, line)) {
			record_chain_hash(line, chain->prev);
			torn = true;
			continue;
		}
		if (torn && !memmem(line.at, line.len, "\"event\":\"recovery\"", 18))
			fail_msg("no recovery record: %.*s", TEXT_ARG(line));
		(void)snprintf(end, sizeof end, ",\"seq\":%llu,\"prev\":\"%s\"}",
		               (unsigned long long)chain->seq + 1, chain->prev);
		if (line.len < strlen(end) ||
		    memcmp(line.at + line.len - strlen(end), end, strlen(end)) != 0)
			fail_msg("wanted %s: %.*s", end, TEXT_ARG(line));
		torn = false;
		*chain = next;
		count++;
	}
	assert_false(torn);
	return count;
}

/* An entry and what became of it. */
struct
try {
	struct record_entry entry; /* first */
	atomic_int ends;           /* how often `done` was called */
	sem_t ended;
	char failure[256]; /* of the last; "" for success */
};

static inline void
try_done(struct record_entry *entry, const char *failure)
{
	struct try *try = (struct try *)entry;

	(void)snprintf(try->failure, sizeof try->failure, "%s", failure ? failure : "");
	atomic_fetch_add(&try->ends, 1);
	(void)sem_post(&try->ended);
}

static inline void
try_init(struct try *try)
{
	*try = (struct try){.entry.done = try_done};
	(void)sem_init(&try->ended, 0, 0);
}

static inline void
try_line(struct record *record, struct try *try, const char *line)
{
	try_init(try);
	buf_str(&try->entry.line, line);
	record_submit(record, &try->entry);
}

/* Waits until it came back; the failure, "" for success. */
static inline const char *
try_wait(struct try *try)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 30;
	while (sem_timedwait(&try->ended, &until)) {
		if (errno != EINTR)
			fail_msg("a line never came back");
	}
	buf_free(&try->entry.line);
	assert_int_equal(atomic_load(&try->ends), 1);
	return try->failure;
}

/* Hands over a line and waits for it. */
static inline const char *
try_once(struct record *record, struct try *try, const char *line)
{
	try_line(record, try, line);
	return try_wait(try);
}
