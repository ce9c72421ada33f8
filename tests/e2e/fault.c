/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault.c - a disk that fails on demand: preloaded into the judge (LD_PRELOAD), it answers
 * for writev(2) and fdatasync(2) of regular files as long as there is a file of a fault's
 * name in the folder FAULTS.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static bool
is_on(const char *fault)
{
	const char *folder = getenv("FAULTS");
	struct stat st;
	char path[4096];

	(void)snprintf(path, sizeof path, "%s/%s", folder ? folder : "/nonexistent",
	               fault);
	return stat(path, &st) == 0; /* the judge's filter knows no access(2) */
}

static bool
is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
	while (is_regular(fd) && is_on("write-hang"))
		(void)poll(NULL, 0, 10);
	if (is_regular(fd) && is_on("write-error")) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_writev, fd, parts, count);
}

int
fdatasync(int fd)
{
	while (is_on("sync-hang"))
		(void)poll(NULL, 0, 10);
	if (is_on("sync-error")) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}
