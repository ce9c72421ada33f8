/* SPDX-License-Identifier: Apache-2.0 */
/* record_files.c - opens the files of a record and puts them in order. */
#include "edge/record_files.h"
#include "edge/file.h"
#include "edge/record_names.h"
#include "edge/record_read.h"
#include "edge/record_unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NUMBERS_TRIED = 1000 }; /* of PATH.1 and so on; beyond, up to a gap of two */

/* RFC 1952, section 2.3.1 */
static bool
is_gzip(int fd)
{
	unsigned char magic[2];

	return pread(fd, magic, sizeof magic, 0) == sizeof magic && magic[0] == 0x1f &&
	       magic[1] == 0x8b;
}

/* Takes what is in the file in its place. */
static int
unpack(int *fd, struct err *err)
{
	int unpacked = record_unpack(*fd, err);

	if (unpacked < 0)
		return -1;
	file_close(fd);
	*fd = unpacked;
	return 0;
}

/* Reads on to the first line with a number. 1: there it is; 0: there is none; -1. *ret_torn
   (may be NULL) gets the hash of the first line that is there, whatever it is. */
static int
read_first(struct record_reader *reader, int fd, struct record_found *ret_line,
           char *ret_torn, struct err *err)
{
	int got;

	record_reader_start(reader, fd, 0);
	do {
		got = record_read(reader, ret_line, err);
		if (ret_torn && got >= 0 && ret_line->len > 0)
			memcpy(ret_torn, ret_line->hash, sizeof ret_line->hash);
		ret_torn = NULL;
	} while (got > 0 && ret_line->seq == 0);
	return got;
}

static int
look_at_first(struct record_file *file, struct err *err)
{
	struct record_reader *reader = calloc(1, sizeof *reader);
	struct record_found line;
	int got;

	if (!reader)
		return err_set(err, ERR_MEMORY, "no memory to read it");
	got = read_first(reader, file->fd, &line, file->torn, err);
	if (got > 0) {
		file->first_seq = line.seq;
		file->first_us = record_chain_time(line.text);
		memcpy(file->first_prev, line.prev, sizeof file->first_prev);
	}
	record_reader_free(reader);
	free(reader);
	return got < 0 ? -1 : 0;
}

static bool
is_in(const struct record_files *files, const struct stat *st)
{
	for (size_t i = 0; i < files->count; i++) {
		if (files->at[i].ino == st->st_ino && files->at[i].dev == st->st_dev)
			return true;
	}
	return false;
}

/* Takes over *fd. */
static int
append(struct record_files *files, const char *path, const struct stat *st, int *fd,
       struct err *err)
{
	struct record_file file = {.dev = st->st_dev, .ino = st->st_ino, .fd = *fd};
	struct record_file *at;

	if (files->count >= RECORD_FILES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d files", RECORD_FILES_MAX);
	if (look_at_first(&file, err))
		return -1;
	at = realloc(files->at, (files->count + 1) * sizeof *at);
	if (!at)
		return err_set(err, ERR_MEMORY, "no memory for the list of files");
	files->at = at;
	file.path = strdup(path);
	if (!file.path)
		return err_set(err, ERR_MEMORY, "no memory for the list of files");
	files->at[files->count++] = file;
	*fd = -1;
	return 0;
}

int
record_files_add(struct record_files *files, const char *path, struct err *err)
{
	/* O_NONBLOCK: opening a FIFO would wait for its writer. */
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return err_set(err, ERR_SYSTEM, "%s: can't be opened: %m", path);
	if (file_check_regular(fd, err))
		return err_wrap(err, "%s", path);
	if (is_in(files, &st))
		return 0;
	if (is_gzip(fd) && unpack(&fd, err))
		return err_wrap(err, "%s", path);
	if (append(files, path, &st, &fd, err))
		return err_wrap(err, "%s", path);
	return 0;
}

/* 1: added; 0: there is none; -1. */
static int
add_if_there(struct record_files *files, const char *name, struct err *err)
{
	if (access(name, F_OK) != 0)
		return 0;
	if (record_files_add(files, name, err) == 0)
		return 1;
	if (access(name, F_OK) == 0)
		return -1;
	*err = (struct err){0}; /* it was moved on before it was opened */
	return 1;
}

/*
 * Calls `add` for PATH.1 and so on. Upwards: files are renamed upwards, so that one that
 * moves meanwhile is seen twice rather than never. Numbers may be missing, any of them: a
 * rotation of nothing leaves a gap for good, and each rename one for a moment.
 */
static int
each_number(struct record_files *files, const char *path,
            int (*add)(struct record_files *files, const char *name, struct err *err),
            struct err *err)
{
	char name[PATH_MAX];
	int missing = 0;

	for (unsigned i = 1; i <= NUMBERS_TRIED || missing < 2; i++) {
		int len = snprintf(name, sizeof name, "%s.%u", path, i), added;

		if (len < 0 || (size_t)len >= sizeof name)
			return err_set(err, ERR_LIMIT, "%s: path too long", path);
		added = add(files, name, err);
		if (added < 0)
			return -1;
		missing = added > 0 ? 0 : missing + 1;
	}
	return 0;
}

int
record_files_add_rotated(struct record_files *files, const char *path, struct err *err)
{
	char name[PATH_MAX];
	bool found;

	if (each_number(files, path, add_if_there, err))
		return -1;
	found = record_dated_before(path, "", NULL, name);
	while (found) {
		if (add_if_there(files, name, err) < 0)
			return -1;
		found = record_dated_before(path, "", name, name);
	}
	return 0;
}

/* Adds `name` with ".gz" behind it, unless it is there without (it is being compressed). */
static int
add_packed(struct record_files *files, const char *name, struct err *err)
{
	char packed[PATH_MAX];
	int len = snprintf(packed, sizeof packed, "%s.gz", name);

	if (len < 0 || (size_t)len >= sizeof packed)
		return err_set(err, ERR_LIMIT, "%s: path too long", name);
	return access(name, F_OK) == 0 ? 1 : add_if_there(files, packed, err);
}

int
record_files_add_packed(struct record_files *files, const char *path, struct err *err)
{
	char name[PATH_MAX];
	bool found;

	if (each_number(files, path, add_packed, err))
		return -1;
	found = record_dated_before(path, ".gz", NULL, name);
	while (found) {
		name[strlen(name) - strlen(".gz")] = '\0';
		if (add_packed(files, name, err) < 0)
			return -1;
		memcpy(name + strlen(name), ".gz", sizeof ".gz");
		found = record_dated_before(path, ".gz", name, name);
	}
	return 0;
}

/* Which of the torn lines that this recovery record closes has the hash; RECORD_TORN_MAX:
   none. */
static size_t
torn_rank(const struct record_found *recovery, const char *hash)
{
	struct text list = record_found_torn(recovery);

	if (!list.at)
		return strcmp(recovery->prev, hash) == 0 ? 0 : RECORD_TORN_MAX;
	for (size_t i = 0; i < RECORD_TORN_MAX; i++) {
		if (text_is(record_torn_hash(list, i), hash))
			return i;
	}
	return RECORD_TORN_MAX;
}

/* Puts the file before the one that begins with the recovery record of its lines. */
static void
place_torn(struct record_files *files, struct record_file *torn,
           struct record_reader *reader)
{
	struct record_found line;
	size_t rank;

	for (size_t i = 0; i < files->count; i++) {
		const struct record_file *file = &files->at[i];

		if (file->first_seq == 0 ||
		    read_first(reader, file->fd, &line, NULL, NULL) <= 0 ||
		    !record_found_is_recovery(&line))
			continue;
		rank = torn_rank(&line, torn->torn);
		if (rank == RECORD_TORN_MAX)
			continue;
		torn->order = file->first_seq;
		torn->rank = rank;
		return;
	}
}

static int
compare_times(const struct record_file *a, const struct record_file *b)
{
	return (a->first_us > b->first_us) - (a->first_us < b->first_us);
}

static int
compare(const void *a, const void *b)
{
	const struct record_file *one = a, *other = b;
	uint64_t x = one->order - 1, y = other->order - 1; /* 0: the last */

	if (x != y)
		return (x > y) - (x < y);
	if (one->rank != other->rank)
		return (one->rank > other->rank) - (one->rank < other->rank);
	return compare_times(one, other);
}

void
record_files_sort(struct record_files *files)
{
	struct record_reader *reader = NULL;

	for (size_t i = 0; i < files->count; i++) {
		struct record_file *file = &files->at[i];

		file->order = file->first_seq;
		file->rank = RECORD_TORN_MAX;
		if (file->first_seq > 0 || file->torn[0] == '\0')
			continue;
		if (!reader)
			reader = calloc(1, sizeof *reader);
		if (reader)
			place_torn(files, file, reader);
	}
	if (reader)
		record_reader_free(reader);
	free(reader);
	if (files->count > 1)
		qsort(files->at, files->count, sizeof *files->at, compare);
}

static int
compare_ages(const void *a, const void *b)
{
	const struct record_file *one = a, *other = b;
	uint64_t x = one->first_seq - 1, y = other->first_seq - 1;

	if (one->first_seq == 0 || other->first_seq == 0 ||
	    compare_times(one, other) == 0)
		return (x > y) - (x < y);
	return compare_times(one, other);
}

void
record_files_sort_by_time(struct record_files *files)
{
	if (files->count > 1)
		qsort(files->at, files->count, sizeof *files->at, compare_ages);
}

void
record_files_free(struct record_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		file_close(&files->at[i].fd);
		free(files->at[i].path);
	}
	free(files->at);
	*files = (struct record_files){0};
}
