/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - makes folders, reads whole regular files within a limit, replaces them. */
#include "edge/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first `len` bytes of `path`; a folder that is there already is fine. */
static int
make_one(const char *path, size_t len, mode_t mode, struct err *err)
{
	char name[PATH_MAX];

	memcpy(name, path, len);
	name[len] = '\0';
	if (mkdir(name, mode) == 0 || errno == EEXIST)
		return 0;
	return err_set(err, ERR_SYSTEM, "folder %s: can't be made: %m", name);
}

static int
make_folders(const char *path, size_t len, mode_t mode, struct err *err)
{
	if (len >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "path too long");
	for (size_t i = 1; i < len; i++) {
		if (path[i] == '/' && path[i - 1] != '/' && make_one(path, i, mode, err))
			return -1;
	}
	return len > 0 ? make_one(path, len, mode, err) : 0;
}

int
file_make_folder(const char *path, mode_t mode, struct err *err)
{
	return make_folders(path, strlen(path), mode, err);
}

int
file_make_parent(const char *path, mode_t mode, struct err *err)
{
	const char *slash = strrchr(path, '/');

	return make_folders(path, slash ? (size_t)(slash - path) : 0, mode, err);
}

int
file_check_regular(int fd, struct err *err)
{
	static const struct {
		mode_t type;
		const char *name;
	} types[] = {
	    {S_IFDIR, "folder"}, {S_IFIFO, "FIFO"},    {S_IFCHR, "device"},
	    {S_IFBLK, "device"}, {S_IFSOCK, "socket"},
	};
	struct stat st;

	if (fstat(fd, &st))
		return err_set(err, ERR_SYSTEM, "can't be looked at: %m");
	if (S_ISREG(st.st_mode))
		return 0;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if ((st.st_mode & S_IFMT) == types[i].type)
			return err_set(err, ERR_TYPE, "is a %s, not a file",
			               types[i].name);
	}
	return err_set(err, ERR_TYPE, "is not a regular file");
}

int
file_read_fd(int fd, size_t max, struct buf *ret_bytes, struct err *err)
{
	char block[16 * 1024];
	size_t total = 0;
	ssize_t len;

	if (file_check_regular(fd, err))
		return -1;
	do {
		len = read(fd, block, sizeof block);
		if (len < 0 && errno != EINTR)
			return err_set(err, ERR_SYSTEM, "can't be read: %m");
		if (len <= 0)
			continue;
		total += (size_t)len;
		if (total > max)
			return err_set(err, ERR_LIMIT, "is larger than %zu bytes", max);
		buf_add(ret_bytes, block, (size_t)len);
	} while (len != 0);
	return buf_ok(ret_bytes) ? 0 : err_set(err, ERR_MEMORY, "no memory to read it");
}

int
file_read(const char *path, size_t max, struct buf *ret_bytes, struct err *err)
{
	/* O_NONBLOCK: opening a FIFO would wait for its writer. */
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "can't be opened: %m");
	return file_read_fd(fd, max, ret_bytes, err);
}

static int
write_all(int fd, struct text bytes)
{
	while (bytes.len > 0) {
		ssize_t done = write(fd, bytes.at, bytes.len);

		if (done < 0 && errno != EINTR)
			return -1;
		if (done > 0)
			bytes = text_from(bytes, (size_t)done);
	}
	return 0;
}

/* So that the rename is on disk, too. */
static int
sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";
	cleanup_fd int fd = -1;

	if (slash)
		(void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path + 1),
		               path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fsync(fd) : -1;
}

int
file_replace(const char *path, struct text bytes, mode_t mode, struct err *err)
{
	char beside[PATH_MAX];
	cleanup_fd int fd = -1;
	int len = snprintf(beside, sizeof beside, "%s.new", path);

	if (len < 0 || (size_t)len >= sizeof beside)
		return err_set(err, ERR_LIMIT, "path too long");
	(void)unlink(beside); /* of a process that was killed; only one writes here */
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0 || fchmod(fd, mode) || write_all(fd, bytes) || fsync(fd)) {
		(void)err_set(err, ERR_SYSTEM, "%s beside it can't be written: %m",
		              beside);
		if (fd >= 0)
			(void)unlink(beside);
		return -1;
	}
	if (rename(beside, path) || sync_folder(path)) {
		(void)err_set(err, ERR_SYSTEM, "can't be replaced: %m");
		(void)unlink(beside);
		return -1;
	}
	return 0;
}

int
file_lock(const char *path, mode_t mode, int *ret_fd, struct err *err)
{
	cleanup_fd int fd =
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, mode);

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "can't be opened: %m");
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*ret_fd = file_take(&fd);
		return 0;
	}
	if (errno == EWOULDBLOCK)
		return err_set(err, ERR_SYSTEM,
		               "another process is at work here (it is locked)");
	return err_set(err, ERR_SYSTEM, "can't be locked: %m");
}

void
file_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

int
file_fill_standard(struct err *err)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* it gets the lowest free number, this one; a write to it fails (EBADF) */
		if (open("/dev/null", O_RDONLY | O_NOCTTY) != fd)
			return err_set(
			    err, ERR_SYSTEM,
			    "/dev/null: can't be opened in the place of closed "
			    "descriptors: %m");
	}
	return 0;
}
