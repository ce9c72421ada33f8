/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record - every denial in writing, before anybody is told.
 *
 * Invariant: nobody is told of a decision that must be on record before the first sink
 * has taken its line. One thread at a time writes, ours or that of a server; whoever has a
 * line hands it over and is called back, with success, with the reason of a failure, or
 * after RECORD_WAIT_MS without either. So a sink that fails or hangs refuses what needs a record and delays
 * nothing else.
 *
 * The chain: each line ends with `seq` (1, 2, ...) and `prev`, the SHA-256 in hex of the
 * line before it without its newline ("" for the first of all). Both go on across
 * restarts and rotation (record_chain.h). A line that a crash tore is closed by a newline
 * and followed by a recovery record that says so. One process writes one chain: the file
 * is locked (flock) while it is open. An unsigned chain proves nothing against somebody
 * who can rewrite the whole file.
 *
 * The other sinks have a thread and a bounded queue each (record_follow.h): one that
 * fails or hangs loses lines, is named in the log, and holds up nobody.
 */
#pragma once

#include "core/buf.h"
#include "core/err.h"
#include "edge/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_DEFAULT_PATH "/var/log/seccomp-authz/record.jsonl"

enum {
	RECORD_LINE_MAX = 16 * 1024, /* bytes of a line, newline included */
	RECORD_WAIT_MS = 2000,       /* the first sink has this long to take a line */
	RECORD_QUEUE_MAX = 4096,     /* lines that wait; more are refused at once */
	RECORD_SINKS_MAX = 8,
};

struct record; /* private: queue, thread, sinks */

/*
 * A line on its way. Owned by the caller until record_submit(), by the record until
 * `done` is called, then by the caller again. `line` is a JSON object without its closing
 * brace and newline: `seq` and `prev` follow. `done` is called exactly once, from the
 * record's thread, from record_write() or record_expire(), and must not block; `failure` is NULL if the
 * first sink took the line, else the reason (borrowed for the call).
 *
 * After a timeout the record keeps its own copy of what the sink may still be writing:
 * the entry is the caller's at once.
 */
struct record_entry {
	struct buf line;
	void (*done)(struct record_entry *entry, const char *failure);
	struct record_entry *next; /* private */
	int64_t deadline_ms;       /* private */
};

/* What the record looks like from outside. */
struct record_state {
	uint64_t written; /* lines taken by the first sink, recovery records too */
	uint64_t failed;  /* lines refused, too late or not taken */
	uint64_t waiting; /* lines in the queue */
	uint64_t lost;    /* lines that one of the other sinks did not get */
	uint64_t behind;  /* lines that one of them has yet to get */
	bool degraded;    /* the first sink did not take the last line in time, and has
				 not been seen to work since (`probe`) */
	char reason[256]; /* why, when degraded */
	int64_t last_time_us; /* `time` of the last line at opening: the clock's floor */
};

/*
 * Opens `sinks` ("file:PATH", "stdout"...; the first gates, the others follow) and starts
 * the thread. A sink that can't be meant is an error; so is a first one of the kind file
 * that can't be opened or locked, or whose last line is none of ours. `host` is the name
 * for the recovery record. The caller closes it (record_close).
 */
int record_open(const char *const *sinks, size_t count, const char *host,
                const struct log *log, struct record **ret_record, struct err *err);

struct record_sink_kind;

/* The same with more to choose, for tests. */
struct record_options {
	const char *const *sinks;
	size_t count;
	const char *host;
	const struct log *log;
	const struct record_sink_kind *const *kinds; /* to NULL; NULL: all there are */
	int64_t wait_ms;                             /* 0: RECORD_WAIT_MS */
};

int record_open_with(const struct record_options *options, struct record **ret_record,
                     struct err *err);

/* Hands over a line. Never blocks, never fails: what can't be queued comes back by
   `done`, before this returns. */
void record_submit(struct record *record, struct record_entry *entry);

/* The same, but the record's thread is not woken for it: record_write() follows. */
void record_put(struct record *record, struct record_entry *entry);

/*
 * Has what was put written: by the caller's thread if it `may_wait`, nobody else is writing
 * and the first sink is a quick one, or else by the record's thread. To wake that one costs
 * more than to write a line; but a sink that is quick may hang all the same, so `may_wait`
 * is for whoever is relieved then (turns.h). `done` is called as ever.
 */
void record_write(struct record *record, bool may_wait);

/* A file descriptor (timerfd) that is readable when record_expire() should be called. */
int record_timer_fd(const struct record *record);

/* Calls back what has waited too long. From one thread, the owner of the timer. */
void record_expire(struct record *record);

/* Has the first sink made ready now (SIGHUP: its file may have been moved away) and not
   only at the next line, so that what is wrong with it shows. */
void record_reopen(struct record *record);

/* Thread-safe snapshot. */
void record_state(struct record *record, struct record_state *ret_state);

/*
 * Writes what waits (for RECORD_WAIT_MS at most) and stops the thread. What could not be
 * written by then comes back by `done`, and so does at once what is handed over later.
 */
void record_stop(struct record *record);

/* Stops it, unless that was done, and closes the sinks. A thread that hangs in its sink is
   left behind with its memory: the process ends anyhow. NULL is fine. */
void record_close(struct record *record);

/* ---- one sink; a kind is a file of its own (record_file.c) ---- */

struct record_sink; /* each kind has its own; starts with nothing in common */

/* When lines are made to outlast a power cut. */
enum record_sync {
	RECORD_SYNC_GROUP, /* after a write, before anybody is told */
	RECORD_SYNC_IDLE,  /* now nobody waits for it */
	RECORD_SYNC_END,   /* there will be no more */
};

/*
 * How a kind of sink works. All calls come from one thread at a time, not always the same. Error texts name
 * the sink. Whoever writes to a sink calls `prepare` before each `write`.
 */
struct record_sink_kind {
	const char *prefix; /* "file:", "stdout" */
	const char *usage;  /* "file:PATH", for messages */
	/* Opens it. *ret_last gets the last whole line of what is there already, without
	   its newline, empty if there is none; NULL when the caller has no use for it. */
	int (*open)(const char *target, struct buf *ret_last,
	            struct record_sink **ret_sink, struct err *err);
	/* Makes it ready for a line: reopens what is gone, repairs what a failed write
	   left. *ret_torn gets the bytes of a line without its end that can't be undone;
	   the next write closes it with a newline first. */
	int (*prepare)(struct record_sink *sink, struct buf *ret_torn, struct err *err);
	/* Writes whole lines. -1: not all were taken. *ret_taken is the length of the
	   lines, from the first, that were taken and stay. */
	int (*write)(struct record_sink *sink, struct text lines, size_t *ret_taken,
	             struct err *err);
	void (*close)(struct record_sink *sink); /* NULL is fine */

	/* ---- the rest may be NULL ---- */

	/* Says whether `target` can be meant, without opening anything. */
	int (*check)(const char *target, struct err *err);
	/* Makes durable what was written, if this is the time for it. *ret_due_ms: when
	   (record_now_ms) it wants to be called again without a write before; INT64_MAX:
	   never. -1: a power cut may take away lines that were taken; they stay where
	   they are, but nobody may count on them. */
	int (*sync)(struct record_sink *sink, enum record_sync when, int64_t *ret_due_ms,
	            struct err *err);
	/* What is not as it should be although lines are taken; NULL: nothing. */
	const char *(*warning)(const struct record_sink *sink);
	/* After it was opened and no line found: what is there of an earlier record that it
	   could not go on from; NULL: nothing. */
	const char *(*older)(const struct record_sink *sink);
	/* True if a write is expected to take microseconds: nothing is to be made ready
	   first, nothing to be waited for. NULL: never. */
	bool (*is_quick)(const struct record_sink *sink);
	/* After `prepare`, while the sink is known to fail and no line comes: would it take
	   one? -1: no. NULL: only a line can tell. */
	int (*probe)(struct record_sink *sink, struct err *err);
};

extern const struct record_sink_kind record_sink_file; /* 0640, O_APPEND, flock */
extern const struct record_sink_kind record_sink_stdout;
extern const struct record_sink_kind record_sink_syslog;   /* RFC 5424 on /dev/log */
extern const struct record_sink_kind record_sink_journald; /* its native protocol */

/* The kind that `sink` begins with, and the rest of it, checked. NULL with *err set if
   there is none. `kinds` ends with NULL; NULL: all there are. */
const struct record_sink_kind *
record_sink_find(const struct record_sink_kind *const *kinds, const char *sink,
                 const char **ret_target, struct err *err);

/* Does what `sync` of the kind does, if it has one. */
int record_sink_sync(const struct record_sink_kind *kind, struct record_sink *sink,
                     enum record_sync when, int64_t *ret_due_ms, struct err *err);

/* Logs the sink's warning once, and once that it is gone. */
void record_sink_warn(const struct record_sink_kind *kind, const struct record_sink *sink,
                      const struct log *log, const char *spec, bool *warned);
