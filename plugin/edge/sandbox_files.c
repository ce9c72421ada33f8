/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox_files.c - a plan of folders -> a Landlock domain (landlock(7)). */
#include "edge/sandbox.h"

#include "edge/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of kernels that are newer than the headers of Debian 12 (linux/landlock.h). */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
enum {
	NET_BIND_TCP = 1 << 0,
	NET_CONNECT_TCP = 1 << 1,
	SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0,
	SCOPE_SIGNAL = 1 << 1,
	LINKS_MAX = 8, /* symbolic links on the way to one file */
};

struct ruleset {
	uint64_t files, net, scoped;
};

/* Which version of Landlock brought what. Old ones are told nothing of the new. */
static const struct {
	int version;
	struct ruleset adds;
} versions[] = {
    {1, {.files = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1}},
    {2, {.files = LANDLOCK_ACCESS_FS_REFER}},
    {3, {.files = LANDLOCK_ACCESS_FS_TRUNCATE}},
    {4, {.net = NET_BIND_TCP | NET_CONNECT_TCP}},
    {5, {.files = LANDLOCK_ACCESS_FS_IOCTL_DEV}},
    {6, {.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL}},
};

enum {
	READ = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	WRITE = READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
	        LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
	        LANDLOCK_ACCESS_FS_TRUNCATE,
	MAKE_SOCKETS = LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR |
	               LANDLOCK_ACCESS_FS_MAKE_SOCK,
};

struct domain {
	int fd;
	uint64_t files; /* what it handles */
};

/* A folder that is not there is not left open either. */
static void
allow(const struct domain *domain, const char *folder, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access =
	                                              access & domain->files};
	cleanup_fd int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	rule.parent_fd = fd;
	if (fd >= 0)
		(void)syscall(SYS_landlock_add_rule, domain->fd,
		              LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/* Cuts the last part off a path; "/" at the least. */
static void
cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		(void)snprintf(path, 2, ".");
	else
		slash[slash == path] = '\0';
}

static int
depth_of(const char *path)
{
	int depth = 0;

	for (const char *at = path; *at != '\0'; at++)
		depth += at[0] == '/' && at[1] != '/' && at[1] != '\0';
	return depth;
}

/* A folder, and the one above it where that may be. */
static void
allow_folder(const struct domain *domain, const char *path, uint64_t access,
             bool above_anyhow)
{
	char folder[PATH_MAX];

	allow(domain, path, access);
	if (!realpath(path, folder))
		return;
	cut_last(folder);
	if (depth_of(folder) >= SANDBOX_OWN_DEPTH ||
	    (above_anyhow && depth_of(folder) > 0))
		allow(domain, folder, access);
}

/* The folder of a file, and that of each link on the way to it. */
static void
allow_reading(const struct domain *domain, const char *path)
{
	bool above_anyhow = geteuid() != 0;
	char at[PATH_MAX], folder[PATH_MAX], target[PATH_MAX];

	(void)snprintf(at, sizeof at, "%s", path);
	for (int links = 0; links < LINKS_MAX; links++) {
		ssize_t len;

		memcpy(folder, at, sizeof folder);
		cut_last(folder);
		allow_folder(domain, folder, READ, above_anyhow);
		len = readlink(at, target, sizeof target - 1);
		if (len <= 0)
			return;
		target[len] = '\0';
		if (target[0] == '/')
			memcpy(at, target, sizeof at);
		else if (snprintf(at, sizeof at, "%s/%s", folder, target) >=
		         (int)sizeof at)
			return;
	}
}

/*
 * The folder of a socket. It may have to be made again when /run is mounted anew, and what
 * is mounted over a folder is no longer below the rule of that folder, only below those
 * above it (security/landlock/fs.c: hidden mount points are ignored). So sockets and
 * folders may be made, and folders listed, anywhere; but not removed or replaced.
 */
static void
allow_socket(const struct domain *domain, const char *folder)
{
	allow(domain, folder, MAKE_SOCKETS | LANDLOCK_ACCESS_FS_REMOVE_FILE);
	allow(domain, "/", MAKE_SOCKETS);
}

/*
 * What we are told about ourselves. Held open for good: the rule is the inode's, and
 * procfs makes another one once nobody holds this.
 */
static void
allow_self(const struct domain *domain, const char *folder)
{
	allow(domain, folder, READ);
	(void)!open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void
allow_path(const struct domain *domain, const struct sandbox_path *path)
{
	char folder[PATH_MAX];

	if (snprintf(folder, sizeof folder, "%s", path->path) >= (int)sizeof folder)
		return; /* no file of that name can be opened */
	cut_last(folder);
	switch (path->use) {
	case SANDBOX_READ:
		allow_reading(domain, path->path);
		break;
	case SANDBOX_WRITE:
		allow_folder(domain, folder, WRITE, false);
		break;
	case SANDBOX_SOCKET:
		allow_socket(domain, folder);
		break;
	case SANDBOX_SELF:
		allow_self(domain, folder);
		break;
	}
}

int
sandbox_restrict_files(const struct sandbox_plan *plan)
{
	struct ruleset ruleset = {0};
	struct domain domain;
	cleanup_fd int fd = -1;
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	                       LANDLOCK_CREATE_RULESET_VERSION);

	if (version <= 0)
		return -1;
	for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
		if (versions[i].version > version)
			break;
		ruleset.files |= versions[i].adds.files;
		ruleset.net |= versions[i].adds.net;
		ruleset.scoped |= versions[i].adds.scoped;
	}
	if (plan->abstract_sockets)
		ruleset.scoped &= ~(uint64_t)SCOPE_ABSTRACT_UNIX_SOCKET;
	/* A kernel that knows less of the structure wants the rest to be zero, and it is. */
	fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof ruleset, 0);
	if (fd < 0)
		return -1;
	domain = (struct domain){.fd = fd, .files = ruleset.files};
	for (size_t i = 0; i < plan->count; i++)
		allow_path(&domain, &plan->paths[i]);
	if (syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		return -1;
	return (int)version;
}
