/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_files - the files of one record, in the order of their lines.
 *
 * Invariant: a file is in the list once, under however many names it is added, and stays
 * open: a rotation meanwhile renames it and takes nothing away. The owner frees the list.
 */
#pragma once

#include "core/err.h"
#include "edge/record_chain.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { RECORD_FILES_MAX = 512 };

struct record_file {
	char *path; /* as it was added */
	int fd;
	dev_t dev;
	ino_t ino;
	/* of its first line with a number */
	uint64_t first_seq;                   /* 0: it has none */
	int64_t first_us;                     /* its time; 0: unknown */
	char first_prev[RECORD_HASH_HEX + 1]; /* the hash of the line before it */
	/* private */
	char torn[RECORD_HASH_HEX +
	          1];   /* the hash of its first line if none has a number */
	uint64_t order; /* where it belongs: `first_seq` of... */
	size_t rank;    /* ...this file, or of what closes its torn lines */
};

struct record_files {
	struct record_file *at;
	size_t count;
};

/* Opens `path` and adds it, unpacked if it is compressed (gzip). Error texts name it. */
int record_files_add(struct record_files *files, const char *path, struct err *err);

/* Adds what was rotated away from `path`: PATH.1, PATH.2 and so on, whatever numbers are
   missing, and PATH-20261125 and the like (record_names.h). */
int record_files_add_rotated(struct record_files *files, const char *path,
                             struct err *err);

/* The same of those that were compressed: PATH.2.gz, PATH-20261125.gz. For who reads the
   record once. */
int record_files_add_packed(struct record_files *files, const char *path,
                            struct err *err);

/*
 * By their numbers, for one record; where two files begin with the same, the older first.
 * A file of torn lines alone comes before the one whose recovery record closes them; others
 * without a line that has a number come last.
 */
void record_files_sort(struct record_files *files);

/* By the time of their first lines, for who goes from one record to the next that took its
   place; those without a line that has a number come last. */
void record_files_sort_by_time(struct record_files *files);

void record_files_free(struct record_files *files);

#define cleanup_record_files __attribute__((cleanup(record_files_free)))
