/* SPDX-License-Identifier: Apache-2.0 */
/* policy_keep.c - writes and reads back the last good policy. */
#include "edge/policy_keep.h"
#include "core/policy.h"
#include "edge/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0600 };

static const char temporary[] = "last-good-policy.tmp";

static int
check_trusted(int fd, const char *what, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_set(err, ERR_SYSTEM, "%s: can't be looked at: %m", what);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(err, ERR_SYSTEM,
		               "%s: belongs to uid %u, not to us; ignored", what,
		               (unsigned)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err, ERR_SYSTEM,
		               "%s: can be written by group or others; ignored", what);
	return 0;
}

int
policy_keep_open(struct policy_keep *keep, const char *state_dir, struct err *err)
{
	cleanup_fd int fd = -1;

	keep->folder = -1;
	if (!state_dir)
		return 0;
	if (file_make_folder(state_dir, POLICY_KEEP_FOLDER_MODE, err))
		return -1;
	fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: can't be opened: %m", state_dir);
	if (check_trusted(fd, state_dir, err))
		return -1;
	keep->folder = file_take(&fd);
	return 0;
}

static int
write_all(int fd, struct text bytes)
{
	while (bytes.len > 0) {
		ssize_t len = write(fd, bytes.at, bytes.len);

		if (len < 0 && errno != EINTR)
			return -1;
		if (len > 0)
			bytes = text_from(bytes, (size_t)len);
	}
	return 0;
}

/* Whole or not at all, also after a power cut. */
static int
put(const struct policy_keep *keep, const char *name, struct text bytes, struct err *err)
{
	cleanup_fd int fd = -1;

	(void)unlinkat(keep->folder, temporary, 0);
	fd = openat(keep->folder, temporary,
	            O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0 || write_all(fd, bytes) || fsync(fd) ||
	    renameat(keep->folder, temporary, keep->folder, name) ||
	    fsync(keep->folder)) {
		(void)err_set(err, ERR_SYSTEM, "%s: can't be written: %m", name);
		(void)unlinkat(keep->folder, temporary, 0);
		return -1;
	}
	return 0;
}

/* As put(), from a file that may be missing: then 0, else 1. */
static int
get(const struct policy_keep *keep, const char *name, size_t max, struct buf *ret_bytes,
    struct err *err)
{
	cleanup_fd int fd =
	    openat(keep->folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: can't be opened: %m", name);
	if (check_trusted(fd, name, err))
		return -1;
	if (file_read_fd(fd, max, ret_bytes, err))
		return err_wrap(err, "%s", name);
	return 1;
}

/* What is written about the source: its absolute path, links and all, so that a policy
   that is swapped by a link (as kubelet does) stays the same one. */
static int
source_of(const char *path, struct buf *ret_source, struct err *err)
{
	char folder[PATH_MAX];

	if (path[0] != '/') {
		if (!getcwd(folder, sizeof folder))
			return err_set(err, ERR_SYSTEM, "current folder: %m");
		buf_printf(ret_source, "%s/", folder);
	}
	buf_printf(ret_source, "%s\n", path);
	return buf_ok(ret_source) ? 0 : err_set(err, ERR_MEMORY, "no memory");
}

/* 1: the copy is of `source`, 0: of another or there is none. */
static int
is_source(const struct policy_keep *keep, struct text source, struct err *err)
{
	cleanup_buf struct buf kept = {0};
	int found = get(keep, POLICY_KEEP_SOURCE, PATH_MAX + 1, &kept, err);

	return found == 1 ? text_equal(buf_text(&kept), source) : found;
}

int
policy_keep_save(const struct policy_keep *keep, const char *path, struct text bytes,
                 struct err *err)
{
	cleanup_buf struct buf source = {0};

	if (keep->folder < 0)
		return 0;
	if (source_of(path, &source, err))
		return -1;
	if (is_source(keep, buf_text(&source), NULL) == 1)
		return put(keep, POLICY_KEEP_COPY, bytes, err);
	/* In this order, so that no copy is ever taken for one of another path. */
	if (unlinkat(keep->folder, POLICY_KEEP_SOURCE, 0) && errno != ENOENT)
		return err_set(err, ERR_SYSTEM, "%s: can't be removed: %m",
		               POLICY_KEEP_SOURCE);
	if (fsync(keep->folder))
		return err_set(err, ERR_SYSTEM, "state folder: %m");
	return put(keep, POLICY_KEEP_COPY, bytes, err) ||
	               put(keep, POLICY_KEEP_SOURCE, buf_text(&source), err)
	           ? -1
	           : 0;
}

int
policy_keep_load(const struct policy_keep *keep, const char *path, struct buf *ret_bytes,
                 struct err *err)
{
	cleanup_buf struct buf source = {0};
	int found;

	if (keep->folder < 0)
		return 0;
	if (source_of(path, &source, err))
		return -1;
	found = is_source(keep, buf_text(&source), err);
	return found == 1 ? get(keep, POLICY_KEEP_COPY, POLICY_FILE_MAX, ret_bytes, err)
	                  : found;
}

int
policy_keep_set_seen(const struct policy_keep *keep, struct err *err)
{
	if (keep->folder < 0 || policy_keep_was_seen(keep))
		return 0;
	return put(keep, POLICY_KEEP_SEEN, TEXT_LIT(""), err);
}

bool
policy_keep_was_seen(const struct policy_keep *keep)
{
	struct stat st;

	return keep->folder >= 0 &&
	       fstatat(keep->folder, POLICY_KEEP_SEEN, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void
policy_keep_close(struct policy_keep *keep)
{
	file_close(&keep->folder);
}
