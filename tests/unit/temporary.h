/* SPDX-License-Identifier: Apache-2.0 */
/* temporary.h - a folder for one test, its files, and a log that can be read back. */
#pragma once

#include "core/buf.h"
#include "edge/file.h"
#include "edge/log.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/seccomp-authz-test-XXXXXX";
static struct log test_log;

static inline int
remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

/* PATH of `name` in the folder; one of eight buffers. */
static inline const char *
in_folder(const char *name)
{
	static char paths[8][PATH_MAX];
	static unsigned turn;
	char *path = paths[turn++ % 8];

	(void)snprintf(path, PATH_MAX, "%s/%s", folder, name);
	return path;
}

static inline int
make_folder(void **state)
{
	(void)state;
	(void)memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
	if (!mkdtemp(folder))
		return -1;
	test_log = (struct log){.level = LOG_LEVEL_DEBUG};
	test_log.fd =
	    open(in_folder("log"), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return test_log.fd < 0 ? -1 : 0;
}

static inline int
remove_folder(void **state)
{
	(void)state;
	(void)close(test_log.fd);
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void
read_into(const char *path, struct buf *ret_bytes)
{
	struct err err = {0};

	buf_clear(ret_bytes);
	if (file_read(path, SIZE_MAX, ret_bytes, &err))
		fail_msg("%s: %s", path, err.text);
}

static inline void
write_file(const char *path, struct text bytes, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.at, bytes.len), (ssize_t)bytes.len);
	assert_int_equal(close(fd), 0);
}

/* How often `what` is in the file. */
static inline size_t
times_in(const char *path, const char *what)
{
	cleanup_buf struct buf bytes = {0};
	size_t times = 0;

	read_into(path, &bytes);
	for (const char *at = bytes.at; at && (at = strstr(at, what)); at++)
		times++;
	return times;
}

#define assert_logged(what, times)                                                       \
	assert_int_equal(times_in(in_folder("log"), what), times)
