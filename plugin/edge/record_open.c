/* SPDX-License-Identifier: Apache-2.0 */
/* record_open.c - opens the file that a record is written to, or makes it, and locks it. */
#include "edge/record_open.h"
#include "edge/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

enum {
	FILE_MODE = 0640,
	OPEN_TRIES = 3, /* it may be made or moved away between two calls */
};

/* O_NONBLOCK: a FIFO must not hold us up. O_RDWR: the tail is read. */
static int
open_or_make(const char *path, bool *ret_made)
{
	static const int flags =
	    O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;

	for (int i = 0; i < OPEN_TRIES; i++) {
		int fd = open(path, flags | O_CREAT | O_EXCL, FILE_MODE);

		*ret_made = fd >= 0;
		if (fd >= 0)
			(void)fchmod(fd, FILE_MODE); /* whatever the umask */
		if (fd >= 0 || errno != EEXIST)
			return fd;
		fd = open(path, flags);
		if (fd >= 0 || errno != ENOENT)
			return fd;
	}
	return -1;
}

int
record_open_file(const char *path, bool *ret_made, struct err *err)
{
	cleanup_fd int fd = -1;

	if (file_make_parent(path, RECORD_FOLDER_MODE, err))
		return -1;
	fd = open_or_make(path, ret_made);
	if (fd < 0)
		return errno == ELOOP
		           ? err_set(err, ERR_TYPE, "%s: is a symbolic link", path)
		           : err_set(err, ERR_SYSTEM, "%s: can't be opened: %m", path);
	if (file_check_regular(fd, err))
		return err_wrap(err, "%s", path);
	if (flock(fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK
		           ? err_set(
				 err, ERR_SYSTEM,
				 "%s: another process writes this record (it is locked)",
				 path)
		           : err_set(err, ERR_SYSTEM, "%s: can't be locked: %m", path);
	return file_take(&fd);
}
