/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault.c - a disk and a clock that fail on demand: preloaded into the judge (LD_PRELOAD),
 * it answers for writev(2) and fdatasync(2) of regular files, and for write(2) of the log,
 * as long as there is a file of a fault's name in the folder FAULTS; and the clock of the day is wrong by the seconds in
 * FAULTS/clock (8 bytes, in this machine's order), if that is there at the start.
 *
 * Or the judge itself does what it must not: forbidden-call is one that its filter kills
 * for, outside opens a file that is none of its own. Else it makes only calls that the
 * filter lets through.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const int64_t *wrong_by; /* seconds; NULL: the clock is right */

static void
path_of(const char *fault, char *ret_path, size_t size)
{
	const char *folder = getenv("FAULTS");

	(void)snprintf(ret_path, size, "%s/%s", folder ? folder : "/nonexistent", fault);
}

static bool
is_on(const char *fault)
{
	char path[4096];

	path_of(fault, path, sizeof path);
	return faccessat(AT_FDCWD, path, F_OK, 0) == 0;
}

static void
wait_while(const char *fault)
{
	while (is_on(fault))
		(void)poll(NULL, 0, 10);
}

__attribute__((constructor)) static void
map_clock(void)
{
	char path[4096];
	void *at;
	int fd;

	path_of("clock", path, sizeof path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	at = mmap(NULL, sizeof *wrong_by, PROT_READ, MAP_SHARED, fd, 0);
	wrong_by = at == MAP_FAILED ? NULL : at;
	(void)close(fd);
}

int
clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	long failed = syscall(SYS_clock_gettime, clock, ret_time);

	if (!failed && clock == CLOCK_REALTIME && wrong_by)
		ret_time->tv_sec += *wrong_by;
	return (int)failed;
}

time_t
time(time_t *ret_time)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (ret_time)
		*ret_time = now.tv_sec;
	return now.tv_sec;
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
	if (is_regular(fd))
		wait_while("write-hang");
	if (is_regular(fd) && is_on("forbidden-call"))
		(void)syscall(SYS_execve, NULL, NULL, NULL);
	if (is_regular(fd) && is_on("outside") &&
	    open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0)
		return -1; /* and errno says why */
	if (is_regular(fd) && is_on("write-error")) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_writev, fd, parts, count);
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
	if (fd == STDERR_FILENO)
		wait_while("log-hang");
	return syscall(SYS_write, fd, bytes, len);
}

int
fdatasync(int fd)
{
	wait_while("sync-hang");
	if (is_on("sync-error")) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}
