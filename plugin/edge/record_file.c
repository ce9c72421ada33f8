/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_file.c - the sink that appends lines to a file.
 *
 * 1. It MUST NOT change a byte that it did not write itself: only the rest of a line that
 *    a failed write of ours left is cut off, and only while it is the end of the file.
 * 2. A line MUST NOT go to a file that has no name any more: before and after each write
 *    it looks.
 * 3. A line MUST NOT be glued to one that has no end.
 * 4. Two processes MUST NOT write one file: it is locked while it is open.
 * 5. A rotation that can't be done MUST NOT stop the record: the file grows, with a
 *    warning.
 */
#include "edge/record.h"
#include "edge/file.h"
#include "edge/record_append.h"
#include "edge/record_open.h"
#include "edge/record_rotate.h"
#include "edge/record_spec.h"
#include "edge/record_tail.h"
#include "edge/record_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WRITE_TRIES = 3, /* it may be deleted while it is written */
	SYNC_MS = 1000,  /* fsync=interval */
	ROTATE_AGAIN_MS = 1000,
};

struct record_sink {
	struct record_spec spec;
	int fd;    /* -1: is to be opened */
	dev_t dev; /* which file that is */
	ino_t ino;
	off_t good;              /* the last whole line ends here */
	off_t end;               /* size when we last looked; torn lines lie between */
	bool open_ended;         /* the last of these has no newline */
	off_t keep;              /* what is beyond was left by a failed write of ours */
	struct buf rotated_torn; /* a torn line at the end of the file before this one */
	bool unsynced, folder_unsynced; /* a power cut may take something away */
	bool sync_failed;               /* no more lines until one works */
	int64_t sync_due_ms;            /* of fsync=interval, when something is */
	int64_t rotate_due_ms;          /* not before; it failed */
	char warning[256];              /* why it can't be rotated; "" */
	char older[PATH_MAX];           /* a file that it could not go on from; "" */
};

static int
fail(const struct record_sink *sink, struct err *err, const char *what)
{
	return err_set(err, ERR_SYSTEM, "%s: %s: %m", sink->spec.path, what);
}

static int
open_locked(struct record_sink *sink, struct err *err)
{
	bool made = false;
	struct stat st;

	sink->fd = record_open_file(sink->spec.path, &made, err);
	sink->folder_unsynced |= made && sink->spec.fsync != RECORD_FSYNC_NEVER;
	sink->end = -1; /* not looked at yet */
	if (sink->fd < 0)
		return -1;
	if (fstat(sink->fd, &st)) {
		(void)fail(sink, err, "can't be looked at");
		file_close(&sink->fd);
		return -1;
	}
	sink->dev = st.st_dev;
	sink->ino = st.st_ino;
	return 0;
}

/* Finds out where the last whole line ends. */
static int
look(struct record_sink *sink, struct record_tail *ret_tail, struct err *err)
{
	if (record_tail_read(sink->fd, ret_tail, err))
		return err_wrap(err, "%s", sink->spec.path);
	sink->end = sink->keep = ret_tail->size;
	sink->good = ret_tail->size - (off_t)ret_tail->torn.len;
	sink->open_ended =
	    ret_tail->torn.len > 0 && ret_tail->torn.at[ret_tail->torn.len - 1] != '\n';
	return 0;
}

static void
file_sink_close(struct record_sink *sink)
{
	if (!sink)
		return;
	file_close(&sink->fd);
	buf_free(&sink->rotated_torn);
	free(sink);
}

/* A torn first line is one of ours, or what a power cut left of it. */
static bool
may_continue(const struct record_tail *tail)
{
	if (tail->last.at)
		return record_tail_is_ours(tail);
	return tail->torn.len == 0 || tail->torn.at[0] == '{' || tail->torn.at[0] == '\0';
}

/* Whoever starts a chain wants to know the last line, and that it is one of ours. */
static int
look_first(struct record_sink *sink, struct buf *ret_last, struct err *err)
{
	cleanup_record_tail struct record_tail tail = {0};

	if (look(sink, &tail, err))
		return -1;
	if (!may_continue(&tail))
		return err_set(err, ERR_SYNTAX,
		               "%s: is not a record: its last line has no \"seq\"; move "
		               "it away to start a new one",
		               sink->spec.path);
	if (!tail.last.at)
		record_rotated_tail(sink->spec.path, ret_last, &sink->rotated_torn);
	buf_add_text(ret_last, tail.last);
	if (ret_last->len == 0)
		(void)record_rotated_any(sink->spec.path, sink->rotated_torn.len > 0,
		                         sink->older);
	if (buf_ok(ret_last) && buf_ok(&sink->rotated_torn))
		return 0;
	return err_set(err, ERR_MEMORY, "%s: no memory", sink->spec.path);
}

static int
file_sink_open(const char *target, struct buf *ret_last, struct record_sink **ret_sink,
               struct err *err)
{
	struct record_sink *sink = calloc(1, sizeof *sink);

	if (!sink)
		return err_set(err, ERR_MEMORY, "%s: no memory", target);
	sink->fd = -1;
	if (record_spec_read(target, &sink->spec, err) || open_locked(sink, err) ||
	    (ret_last && look_first(sink, ret_last, err))) {
		file_sink_close(sink);
		return -1;
	}
	*ret_sink = sink;
	return 0;
}

static int
file_sink_check(const char *target, struct err *err)
{
	struct record_spec spec;

	return record_spec_read(target, &spec, err);
}

/* Cuts off what a failed write of ours left, while nothing came after it. An append-only
   file (chattr +a) refuses that. */
static void
cut_back(struct record_sink *sink)
{
	struct stat st;

	if (sink->end <= sink->keep || fstat(sink->fd, &st) || st.st_size != sink->end)
		return;
	if (ftruncate(sink->fd, sink->keep) == 0)
		sink->end = sink->keep;
}

/* True if the path leads to another file or to none; *ret_st is what it leads to. */
static bool
is_moved(const struct record_sink *sink, struct stat *ret_st)
{
	return lstat(sink->spec.path, ret_st) || ret_st->st_ino != sink->ino ||
	       ret_st->st_dev != sink->dev;
}

/* A sync that failed is not made good by one that works: the kernel forgets what it could
   not write (fsync(2)). So lines of before do not count as taken, and for those to come
   one has to work first. */
static int
sync_now(struct record_sink *sink, struct err *err)
{
	sink->sync_due_ms = record_now_ms() + SYNC_MS;
	sink->sync_failed = true;
	if (sink->unsynced && sink->fd >= 0 && fdatasync(sink->fd))
		return fail(sink, err, "can't be synced");
	sink->unsynced = false;
	if (sink->folder_unsynced && record_sync_folder(sink->spec.path, err))
		return -1;
	sink->folder_unsynced = sink->sync_failed = false;
	return 0;
}

/* It has its size and ends with a whole line of ours. */
static bool
is_full(const struct record_sink *sink)
{
	return sink->spec.rotate > 0 && sink->end >= sink->spec.rotate &&
	       sink->end == sink->good && record_now_ms() >= sink->rotate_due_ms;
}

/* -1: what is in the file may be lost. A file that can't be rotated grows. */
static int
rotate(struct record_sink *sink, struct err *err)
{
	struct err why = {0};

	if (sink->unsynced && sync_now(sink, err))
		return -1;
	sink->warning[0] = '\0';
	if (record_rotate(sink->spec.path, sink->spec.keep, &why)) {
		(void)snprintf(sink->warning, sizeof sink->warning, "%.250s", why.text);
		sink->rotate_due_ms = record_now_ms() + ROTATE_AGAIN_MS;
		return 0;
	}
	file_close(&sink->fd);
	sink->folder_unsynced = sink->spec.fsync != RECORD_FSYNC_NEVER;
	return 0;
}

/* What is torn at the end of this file and, if that is all it has, of the one before. */
static void
add_torn(const struct record_sink *sink, struct text torn, struct buf *ret_torn)
{
	struct text before = buf_text(&sink->rotated_torn);

	if (sink->good == 0)
		buf_add_text(ret_torn, before);
	if (sink->good == 0 && before.len > 0 && torn.len > 0 &&
	    before.at[before.len - 1] != '\n')
		buf_char(ret_torn, '\n');
	buf_add_text(ret_torn, torn);
}

static int
file_sink_prepare(struct record_sink *sink, struct buf *ret_torn, struct err *err)
{
	cleanup_record_tail struct record_tail tail = {0};
	struct stat st;

	if (sink->sync_failed && sync_now(sink, err))
		return -1;
	if (sink->fd >= 0)
		cut_back(sink);
	if (sink->fd >= 0 && is_full(sink) && !is_moved(sink, &st) && rotate(sink, err))
		return -1;
	if (sink->fd < 0 || is_moved(sink, &st)) {
		if (sink->unsynced && sync_now(sink, err))
			return -1;
		file_close(&sink->fd);
		if (open_locked(sink, err))
			return -1;
		if (fstat(sink->fd, &st))
			return fail(sink, err, "can't be looked at");
	}
	if (st.st_size == sink->end && sink->end == sink->good && sink->end > 0)
		return 0;
	if (look(sink, &tail, err))
		return -1;
	add_torn(sink, tail.torn, ret_torn);
	return 0;
}

static int
write_once(struct record_sink *sink, struct text lines, size_t *ret_taken,
           struct err *err)
{
	bool closes = sink->end > sink->good && sink->open_ended;
	struct text head = closes ? TEXT_LIT("\n") : TEXT_LIT("");
	size_t done = record_append(sink->fd, head, lines);
	size_t whole = done > head.len ? done - head.len : 0;

	if (!sink->unsynced && sink->spec.fsync != RECORD_FSYNC_NEVER) {
		sink->sync_due_ms = record_now_ms() + SYNC_MS;
		sink->unsynced = true;
	}
	if (done < head.len + lines.len)
		(void)fail(sink, err, "can't be written");
	while (whole > 0 && lines.at[whole - 1] != '\n')
		whole--;
	if (whole > 0) {
		sink->good = sink->keep = sink->end + (off_t)(head.len + whole);
		buf_clear(&sink->rotated_torn);
	}
	sink->end += (off_t)done;
	*ret_taken = whole;
	if (done == head.len + lines.len)
		return 0;
	cut_back(sink);
	return -1;
}

static int
file_sink_write(struct record_sink *sink, struct text lines, size_t *ret_taken,
                struct err *err)
{
	cleanup_record_tail struct record_tail tail = {0};
	struct stat st;

	*ret_taken = 0;
	for (int i = 0; i < WRITE_TRIES; i++) {
		if (write_once(sink, lines, ret_taken, err))
			return -1;
		if (fstat(sink->fd, &st) == 0 && st.st_nlink > 0)
			return 0;
		*ret_taken = 0;
		file_close(&sink->fd);
		if (open_locked(sink, err) || look(sink, &tail, err))
			return -1;
	}
	return err_set(err, ERR_SYSTEM, "%s: is deleted again and again",
	               sink->spec.path);
}

/* True if this is the time to wait for the disk. */
static bool
must_sync(const struct record_sink *sink, enum record_sync when)
{
	return sink->spec.fsync == RECORD_FSYNC_ALWAYS || when == RECORD_SYNC_END ||
	       (when == RECORD_SYNC_IDLE && record_now_ms() >= sink->sync_due_ms);
}

static int
file_sink_sync(struct record_sink *sink, enum record_sync when, int64_t *ret_due_ms,
               struct err *err)
{
	int failed = 0;

	if (!sink->unsynced && !sink->folder_unsynced)
		return 0;
	if (must_sync(sink, when))
		failed = sync_now(sink, err);
	if (sink->unsynced || sink->folder_unsynced)
		*ret_due_ms = sink->sync_due_ms;
	return failed;
}

/* Room for a line of any length, and a disk that takes it: seen by writing one's length, and
   cutting it off again. Whoever reads meanwhile sees a line without its end. */
static int
file_sink_probe(struct record_sink *sink, struct err *err)
{
	static const char nothing[RECORD_LINE_MAX];
	struct text bytes = {nothing, sizeof nothing};
	size_t done = record_append(sink->fd, TEXT_LIT(""), bytes);

	if (done < bytes.len)
		(void)fail(sink, err, "can't be written");
	sink->end += (off_t)done;
	cut_back(sink);
	return done < bytes.len ? -1 : 0;
}

static const char *
file_sink_warning(const struct record_sink *sink)
{
	return sink->warning[0] != '\0' ? sink->warning : NULL;
}

static const char *
file_sink_older(const struct record_sink *sink)
{
	return sink->older[0] != '\0' ? sink->older : NULL;
}

static bool
file_sink_is_quick(const struct record_sink *sink)
{
	return sink->spec.fsync != RECORD_FSYNC_ALWAYS && sink->fd >= 0 &&
	       sink->end == sink->good && !sink->sync_failed && !is_full(sink);
}

const struct record_sink_kind record_sink_file = {
    .prefix = "file:",
    .usage = "file:PATH",
    .open = file_sink_open,
    .prepare = file_sink_prepare,
    .write = file_sink_write,
    .close = file_sink_close,
    .check = file_sink_check,
    .sync = file_sink_sync,
    .warning = file_sink_warning,
    .older = file_sink_older,
    .is_quick = file_sink_is_quick,
    .probe = file_sink_probe,
};
