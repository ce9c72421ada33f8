/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file - folders made, files read and replaced with care.
 *
 * Invariant: reading never waits and never surprises: what is no regular file (a folder,
 * a FIFO, a device) or is larger than the caller's limit is an error. Error texts say
 * what is wrong and not with which file: the caller names it (err_wrap). Thread-safe.
 */
#pragma once

#include "core/buf.h"
#include "core/err.h"
#include "core/text.h"

#include <stddef.h>
#include <sys/types.h>

/* Makes the folder `path` and those above it that are missing, all with `mode`. */
int file_make_folder(const char *path, mode_t mode, struct err *err);

/* Makes the folder that `path` lies in, as file_make_folder() does. */
int file_make_parent(const char *path, mode_t mode, struct err *err);

/* 0 if `fd` is a regular file, else -1 with what it is instead. */
int file_check_regular(int fd, struct err *err);

/* Appends a whole regular file of at most `max` bytes to *ret_bytes. */
int file_read(const char *path, size_t max, struct buf *ret_bytes, struct err *err);

/* The same of an open file, from where it stands to its end. */
int file_read_fd(int fd, size_t max, struct buf *ret_bytes, struct err *err);

/*
 * Makes `path` a file of these bytes in one rename, once they are on disk: whoever reads
 * it sees the old bytes or the new ones. They are written to PATH.new first; one process
 * at a time may do this (file_lock()).
 */
int file_replace(const char *path, struct text bytes, mode_t mode, struct err *err);

/* Opens the file `path`, made if missing, and locks it for as long as *ret_fd is open. */
int file_lock(const char *path, mode_t mode, int *ret_fd, struct err *err);

/*
 * Whoever started us may have closed standard descriptors. Then a file of ours would get the
 * number of one, and what is said would be written into it: they are filled with what can't
 * be written. Before anything is opened.
 */
int file_fill_standard(struct err *err);

/* Closes *fd if it is open; for cleanup_fd. */
void file_close(int *fd);

#define cleanup_fd __attribute__((cleanup(file_close)))

/* Takes *fd over from a cleanup_fd. */
static inline int
file_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}
