/* SPDX-License-Identifier: Apache-2.0 */
/* policy_replace.c - puts a policy file in the place of another, and keeps that one. */
#include "cmd_policy.h"

#include "edge/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE_NEW = 0600 };

/* Under a new name in the same folder, as `like` is (NULL: for root only). */
static int
write_beside(const char *path, struct text bytes, const struct stat *like)
{
	cleanup_fd int fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE_NEW);

	if (fd < 0)
		return cmd_complain("%s: can't be made: %m", path);
	if (write(fd, bytes.at, bytes.len) != (ssize_t)bytes.len ||
	    (like && (fchown(fd, like->st_uid, like->st_gid) != 0 ||
	              fchmod(fd, like->st_mode & 07777) != 0)) ||
	    fsync(fd) != 0) {
		(void)cmd_complain("%s: can't be written: %m", path);
		(void)unlink(path);
		return EXIT_UNSURE;
	}
	return EXIT_CLEAN;
}

static void
sync_folder(const char *path)
{
	char folder[PATH_MAX];
	char *slash;

	(void)snprintf(folder, sizeof folder, "%s", path);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder ? 1 : 0] = '\0';
	cleanup_fd int fd =
	    open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		(void)fsync(fd);
}

int
policy_replace(const char *path, struct text bytes, const char *backup)
{
	char fresh[PATH_MAX + 32], kept[PATH_MAX + 32];
	struct stat st;
	bool there = stat(path, &st) == 0;

	(void)snprintf(fresh, sizeof fresh, "%s.new-%ld", path, (long)getpid());
	(void)snprintf(kept, sizeof kept, "%s.%s", path, backup);
	if (write_beside(fresh, bytes, there ? &st : NULL) != EXIT_CLEAN)
		return EXIT_UNSURE;
	if (there) {
		(void)unlink(kept);
		if (link(path, kept) != 0) {
			(void)cmd_complain("%s: can't be kept as %s: %m", path, kept);
			(void)unlink(fresh);
			return EXIT_UNSURE;
		}
	}
	if (rename(fresh, path) != 0) {
		(void)cmd_complain("%s: can't be replaced: %m", path);
		(void)unlink(fresh);
		return EXIT_UNSURE;
	}
	sync_folder(path);
	return EXIT_CLEAN;
}
