/* SPDX-License-Identifier: Apache-2.0 */
/* ship_follow_files.c - finds the place in a record, and goes from file to file. */
#include "edge/ship_follow.h"
#include "edge/file.h"
#include "edge/record_files.h"

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

bool
ship_follow_has_line(struct ship_follow *follow, int fd, off_t start, off_t *ret_end)
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
		    ship_follow_has_line(follow, file->fd, place->start, &end))
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
