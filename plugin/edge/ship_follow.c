/* SPDX-License-Identifier: Apache-2.0 */
/* ship_follow.c - reads a record in batches and goes from file to file. */
#include "edge/ship_follow.h"
#include "edge/file.h"
#include "edge/record_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- where to go on ---- */

/* Goes on in `file` at byte `from`. */
static int
move_to(struct ship_follow *follow, const struct record_file *file, off_t from,
        struct err *err)
{
	int fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: can't be kept open: %m", file->path);
	file_close(&follow->fd);
	follow->fd = fd;
	follow->dev = file->dev;
	follow->ino = file->ino;
	follow->from = from;
	follow->first_seq = file->first_seq;
	follow->first_us = file->first_us;
	follow->final = false;
	record_reader_start(&follow->reader, fd, from);
	return 0;
}

/* All files of the record that there are, in order. */
static int
list_files(const char *path, struct record_files *ret_files, struct err *err)
{
	struct err first = {0};

	if (record_files_add(ret_files, path, &first) != 0 &&
	    (first.code != ERR_SYSTEM || access(path, F_OK) == 0))
		return err_set(err, first.code, "%s", first.text);
	if (record_files_add_rotated(ret_files, path, err))
		return -1;
	record_files_sort_by_time(ret_files);
	return 0;
}

/* Is the line at `start` of this file the last one that arrived? *ret_end: where it ends. */
static bool
has_line(struct ship_follow *follow, int fd, off_t start, off_t *ret_end)
{
	struct record_found line;

	record_reader_start(&follow->reader, fd, start);
	if (record_read(&follow->reader, &line, NULL) < 0 ||
	    strcmp(line.hash, follow->place.hash) != 0)
		return false;
	*ret_end = line.end;
	return true;
}

/* The same anywhere in this file. */
static bool
search_line(struct ship_follow *follow, const struct record_file *file, off_t *ret_end)
{
	struct record_found line;
	int got;

	record_reader_start(&follow->reader, file->fd, 0);
	do {
		got = record_read(&follow->reader, &line, NULL);
		if (got >= 0 && strcmp(line.hash, follow->place.hash) == 0) {
			*ret_end = line.end;
			return true;
		}
	} while (got > 0);
	return false;
}

/* The file that begins with the line after the last one that arrived, and says so; NULL if
   there is none. */
static const struct record_file *
following_file(const struct ship_follow *follow, const struct record_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct record_file *file = &files->at[i];

		if (file->first_seq == follow->place.seq + 1 &&
		    strcmp(file->first_prev, follow->place.hash) == 0)
			return file;
	}
	return NULL;
}

/*
 * By its place; by its hash in any file (a device may have another number after a start,
 * a file may be a copy); else what follows it (the file that had it is gone); else all that
 * is there is new: numbers alone don't tell one record from another that took its place.
 */
static int
find_place(struct ship_follow *follow, const struct record_files *files, struct err *err)
{
	const struct ship_place *place = &follow->place;
	const struct record_file *file;
	off_t end;

	for (size_t i = 0; place->known && i < files->count; i++) {
		file = &files->at[i];
		if (file->ino == place->ino && file->dev == place->dev &&
		    has_line(follow, file->fd, place->start, &end))
			return move_to(follow, file, end, err);
	}
	for (size_t i = files->count; place->known && i > 0; i--) {
		if (search_line(follow, &files->at[i - 1], &end))
			return move_to(follow, &files->at[i - 1], end, err);
	}
	file = following_file(follow, files);
	if (place->known && !file)
		log_warning(follow->log,
		            "%s: the last line that was carried (seq %" PRIu64
		            ") is not there any more",
		            follow->path, place->seq);
	return move_to(follow, file ? file : &files->at[0], 0, err);
}

int
ship_follow_start(struct ship_follow *follow, const char *path,
                  const struct ship_place *place, const struct log *log, struct err *err)
{
	cleanup_record_files struct record_files files = {0};

	*follow =
	    (struct ship_follow){.path = path, .log = log, .place = *place, .fd = -1};
	if (list_files(path, &files, err))
		return -1;
	return files.count > 0 ? find_place(follow, &files, err) : 0;
}

/* ---- to the next file ---- */

/* Was `file` begun after the one that is read now? */
static bool
is_newer(const struct ship_follow *follow, const struct record_file *file)
{
	if (file->first_us != follow->first_us)
		return file->first_us > follow->first_us;
	return file->first_seq > follow->first_seq;
}

/* It may have had no line when it was opened. */
static void
note_first(struct ship_follow *follow, const struct record_files *files)
{
	for (size_t i = 0; i < files->count && follow->first_seq == 0; i++) {
		const struct record_file *file = &files->at[i];

		if (file->ino != follow->ino || file->dev != follow->dev)
			continue;
		follow->first_seq = file->first_seq;
		follow->first_us = file->first_us;
	}
}

/* The file that was begun next; NULL if there is none. */
static const struct record_file *
next_file(struct ship_follow *follow, const struct record_files *files)
{
	const struct record_file *linked = following_file(follow, files);

	note_first(follow, files);
	for (size_t i = 0; i < files->count && !linked; i++) {
		const struct record_file *file = &files->at[i];

		if (file->first_seq > 0 &&
		    (follow->first_seq > 0 ? is_newer(follow, file)
		                           : file->first_seq > follow->place.seq))
			return file;
	}
	return linked;
}

static int
move_on(struct ship_follow *follow, const struct record_file *next, off_t from,
        struct err *err)
{
	if (next->first_seq <= follow->place.seq && from == 0)
		log_warning(follow->log,
		            "%s: another record begins, at seq %" PRIu64
		            "; the last one carried to seq %" PRIu64,
		            follow->path, next->first_seq, follow->place.seq);
	return move_to(follow, next, from, err) == 0 ? 1 : -1;
}

/*
 * FILE is another one, and none was begun later. If it has the last line that arrived it is
 * a copy; else another record begins with it.
 */
static int
move_to_other(struct ship_follow *follow, const struct record_files *files, ino_t ino,
              struct err *err)
{
	off_t end = 0;

	for (size_t i = 0; i < files->count; i++) {
		const struct record_file *file = &files->at[i];

		if (file->ino != ino || file->first_seq == 0)
			continue;
		if (!search_line(follow, file, &end))
			end = 0;
		return move_on(follow, file, end, err);
	}
	return 0;
}

int
ship_follow_next(struct ship_follow *follow, struct err *err)
{
	cleanup_record_files struct record_files files = {0};
	const struct record_file *next;
	struct stat st = {.st_size = 0}; /* as if it were empty, while there is none */

	if (stat(follow->path, &st) == 0 && follow->fd >= 0 && st.st_ino == follow->ino &&
	    st.st_dev == follow->dev)
		return 0;
	if (list_files(follow->path, &files, err))
		return -1;
	if (files.count == 0)
		return 0;
	if (follow->fd < 0)
		return find_place(follow, &files, err) == 0 ? 1 : -1;
	next = next_file(follow, &files);
	if (!next && st.st_size == 0)
		return 0;
	if (!follow->final) {
		/* the writer has gone on: what it left here is all there will be */
		follow->final = true;
		return 1;
	}
	return next ? move_on(follow, next, 0, err)
	            : move_to_other(follow, &files, st.st_ino, err);
}

/* ---- reading ---- */

/* Does a line follow the one before it? Says so if not. */
static void
check_order(struct ship_follow *follow, struct ship_batch *batch,
            const struct record_found *line)
{
	uint64_t last = batch->place.seq;

	if (line->seq == last + 1)
		return;
	if (line->seq <= last) {
		ship_batch_note(batch, "%s: seq %" PRIu64 " comes after %" PRIu64,
		                follow->path, line->seq, last);
		return;
	}
	batch->holes = true;
	ship_batch_note(
	    batch, "%s: seq %" PRIu64 " to %" PRIu64 " are missing and can't be carried",
	    follow->path, last + 1, line->seq - 1);
}

/* A line that waits for the next one, which may account for it. */
struct held {
	struct record_found line; /* without its text; `end` 0: there is none */
	bool torn;                /* it looks as a crash leaves a line */
};

/* One recovery record may close several: then it is about the last of them. */
static bool
is_closed(const struct held *held, const struct record_found *after)
{
	if (after->seq == 0)
		return held->torn;
	return record_found_is_recovery(after) &&
	       strcmp(after->prev, held->line.hash) == 0;
}

/* Adds a line without a number, or one that is not JSON. */
static void
add_unreadable(struct ship_follow *follow, struct ship_batch *batch,
               const struct record_found *line, bool closed)
{

	/* what a rotated file ends with is closed in the next one */
	if (!closed && line->whole) {
		batch->holes = true;
		ship_batch_note(batch,
		                "%s: byte %lld: a line that is none of a record; see "
		                "seccomp-authz log verify",
		                follow->path, (long long)line->start);
	}
	ship_batch_add(batch, line);
}

static bool
has_room(const struct ship_batch *batch, const struct ship_limits *limits, uint64_t more)
{
	return batch->count == 0 || (batch->count < limits->lines &&
	                             batch->lines.len + more + 1 <= limits->bytes);
}

/* One line, after one that was held back for it; false when the batch is full. */
static bool
take_line(struct ship_follow *follow, const struct ship_limits *limits,
          struct ship_batch *batch, struct held *held, const struct record_found *line)
{
	if (held->line.end > 0) {
		add_unreadable(follow, batch, &held->line, is_closed(held, line));
		held->line.end = 0;
	}
	if (!has_room(batch, limits, line->len))
		return false;
	if (line->seq == 0) {
		*held = (struct held){*line, record_chain_is_torn(line->text)};
		held->line.text = (struct text){0};
		return true;
	}
	check_order(follow, batch, line);
	if (ship_line_is_sendable(line))
		ship_batch_add(batch, line);
	else
		add_unreadable(follow, batch, line, false);
	return true;
}

/* At the end of a file that does not grow any more. */
static void
take_rest(struct ship_follow *follow, struct ship_batch *batch, const struct held *held,
          struct record_found *rest)
{
	if (held->line.end > 0)
		add_unreadable(follow, batch, &held->line,
		               rest->len > 0 && is_closed(held, rest));
	if (rest->len == 0)
		return;
	rest->seq = 0; /* it has no end, whatever it says */
	add_unreadable(follow, batch, rest, false);
}

static int
complain_of_cut(const struct ship_follow *follow, struct err *err)
{
	return err_set(
	    err, ERR_LIMIT,
	    "%s: was cut short or written over, lines may be lost; rotate it by "
	    "renaming (logrotate: create, not copytruncate)",
	    follow->path);
}

/*
 * Begins to read where the last line that arrived ends, if it still stands there: a file
 * that was cut short may have grown past it since.
 */
static int
begin_reading(struct ship_follow *follow, struct err *err)
{
	const struct ship_place *place = &follow->place;
	bool is_here = place->known && place->dev == follow->dev &&
	               place->ino == follow->ino && place->end == follow->from;
	off_t end;

	if (follow->from == 0 || !is_here) {
		record_reader_start(&follow->reader, follow->fd, follow->from);
		return 0;
	}
	if (!has_line(follow, follow->fd, place->start, &end) || end != place->end)
		return complain_of_cut(follow, err);
	if (follow->reader.start != end)
		record_reader_start(&follow->reader, follow->fd, end);
	return 0;
}

int
ship_follow_read(struct ship_follow *follow, const struct ship_limits *limits,
                 struct ship_batch *ret_batch, struct err *err)
{
	struct record_found line;
	struct held held = {.torn = false};
	bool more = true;
	int got = 0;

	ship_batch_begin(ret_batch, &follow->place);
	if (follow->fd < 0)
		return 0;
	ret_batch->place.dev = follow->dev;
	ret_batch->place.ino = follow->ino;
	if (begin_reading(follow, err))
		return -1;
	while (more && (got = record_read(&follow->reader, &line, err)) > 0)
		more = take_line(follow, limits, ret_batch, &held, &line);
	if (got < 0)
		return err_wrap(err, "%s", follow->path);
	if (more && follow->final)
		take_rest(follow, ret_batch, &held, &line);
	return buf_ok(&ret_batch->lines)
	           ? 0
	           : err_set(err, ERR_MEMORY, "no memory for a batch");
}

void
ship_follow_taken(struct ship_follow *follow, const struct ship_batch *batch)
{
	follow->place = batch->place;
	if (batch->count > 0)
		follow->from = batch->place.end;
}

void
ship_follow_stop(struct ship_follow *follow)
{
	file_close(&follow->fd);
	record_reader_free(&follow->reader);
}
