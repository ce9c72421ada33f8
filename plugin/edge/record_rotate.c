/* SPDX-License-Identifier: Apache-2.0 */
/* record_rotate.c - renames the files of a record, the oldest first. */
#include "edge/record_rotate.h"
#include "edge/file.h"
#include "edge/record_chain.h"
#include "edge/record_names.h"
#include "edge/record_tail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROTATED_MAX = 1000 }; /* of PATH.1, PATH.2... that are looked at for a line */

/* PATH.number; 0 is PATH. */
static int
name_of(char name[PATH_MAX], const char *path, unsigned number, struct err *err)
{
	int len = number > 0 ? snprintf(name, PATH_MAX, "%s.%u", path, number)
	                     : snprintf(name, PATH_MAX, "%s", path);

	if (len < 0 || len >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "%s: path too long to rotate", path);
	return 0;
}

/* The first number without a file; `keep` if all are there. */
static int
find_free(const char *path, unsigned keep, unsigned *ret_number, struct err *err)
{
	char name[PATH_MAX];

	for (*ret_number = 1; *ret_number < keep; (*ret_number)++) {
		if (name_of(name, path, *ret_number, err))
			return -1;
		if (faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (errno == ENOENT)
			return 0;
		return err_set(err, ERR_SYSTEM, "%s: can't be looked for: %m", name);
	}
	return 0;
}

int
record_rotate(const char *path, unsigned keep, struct err *err)
{
	char from[PATH_MAX], to[PATH_MAX];
	unsigned number;

	if (find_free(path, keep, &number, err) || name_of(to, path, number, err))
		return -1;
	for (; number > 0; number--) {
		if (name_of(from, path, number - 1, err))
			return -1;
		if (rename(from, to))
			return err_set(err, ERR_SYSTEM, "%s: can't be renamed to %s: %m",
			               from, to);
		memcpy(to, from, sizeof to);
	}
	return 0;
}

int
record_sync_folder(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) + 1 : 0;
	char folder[PATH_MAX] = ".";
	cleanup_fd int fd = -1;

	if (len > 0 && len < sizeof folder) {
		memcpy(folder, path, len);
		folder[len] = '\0';
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0; /* gone with its names */
	/* EINVAL: a file system that has nothing to do for it (fsync(2)) */
	if (fd < 0 || (fsync(fd) && errno != EINVAL))
		return err_set(err, ERR_SYSTEM, "%s: its folder can't be synced: %m",
		               path);
	return 0;
}

/* Lines that are torn in an older file. */
static void
put_before(struct buf *torn, struct text older)
{
	cleanup_buf struct buf newer = *torn;

	*torn = (struct buf){.failed = newer.failed};
	buf_add_text(torn, older);
	if (older.len > 0 && newer.len > 0 && older.at[older.len - 1] != '\n')
		buf_char(torn, '\n');
	buf_add_text(torn, buf_text(&newer));
}

/* What record_rotated_tail() looks for. */
struct rotated {
	struct buf last, torn;
};

/* Takes over the end of `part`. Returns true if an older one has to be looked at: this one
   is empty or torn as a whole, or there is none of this name. */
static bool
has_no_line(const char *part, struct rotated *ret)
{
	cleanup_record_tail struct record_tail tail = {0};
	cleanup_fd int fd = -1;

	fd = open(part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT;
	if (file_check_regular(fd, NULL) || record_tail_read(fd, &tail, NULL))
		return false;
	if (tail.size == 0)
		return true;
	if (!tail.last.at && record_chain_is_torn(tail.torn)) {
		put_before(&ret->torn, tail.torn);
		return record_chain_count_torn(buf_text(&ret->torn)) <= RECORD_TORN_MAX;
	}
	if (!record_tail_is_ours(&tail))
		return false;
	buf_add_text(&ret->last, tail.last);
	put_before(&ret->torn, tail.torn);
	return false;
}

/* The number of `name` if it is that of a rotated file of `base`; else 0. */
static unsigned
number_of(const char *name, const char *base)
{
	size_t len = strlen(base);
	char again[sizeof "4294967295"];
	unsigned long number;

	if (strncmp(name, base, len) != 0 || name[len] != '.')
		return 0;
	number = strtoul(name + len + 1, NULL, 10);
	(void)snprintf(again, sizeof again, "%lu", number <= ROTATED_MAX ? number : 0);
	return strcmp(again, name + len + 1) == 0 ? (unsigned)number : 0;
}

/* Which numbers may have a file: one look into the folder in place of a thousand at names,
   which would be most of the time that a start takes. */
static void
look_for_rotated(const char *path, bool ret_maybe[ROTATED_MAX + 1])
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	const struct dirent *entry;
	DIR *dir = NULL;

	if (snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
	             slash ? path : ".") < PATH_MAX)
		dir = opendir(folder);
	memset(ret_maybe, !dir, ROTATED_MAX + 1); /* unreadable: any of them */
	if (!dir)
		return;
	while ((entry = readdir(dir)) != NULL)
		ret_maybe[number_of(entry->d_name, slash ? slash + 1 : path)] = true;
	(void)closedir(dir);
}

static void
look_at_numbered(const char *path, struct rotated *ret)
{
	bool maybe[ROTATED_MAX + 1], more = true;
	char part[PATH_MAX];

	look_for_rotated(path, maybe);
	for (unsigned number = 1; more && number <= ROTATED_MAX; number++) {
		if (maybe[number])
			more = name_of(part, path, number, NULL) == 0 &&
			       has_no_line(part, ret);
	}
}

static void
look_at_dated(const char *path, struct rotated *ret)
{
	char part[PATH_MAX];
	bool more = record_dated_before(path, "", NULL, part);

	for (int i = 0; more && i < ROTATED_MAX; i++)
		more =
		    has_no_line(part, ret) && record_dated_before(path, "", part, part);
}

static uint64_t
seq_of(const struct rotated *rotated)
{
	struct record_chain chain = {0};

	(void)record_chain_resume(&chain, buf_text(&rotated->last));
	return chain.seq;
}

void
record_rotated_tail(const char *path, struct buf *ret_last, struct buf *ret_torn)
{
	struct rotated ways[2] = {{.last = {0}}, {.last = {0}}};
	const struct rotated *newer;

	look_at_numbered(path, &ways[0]);
	look_at_dated(path, &ways[1]);
	newer = &ways[seq_of(&ways[1]) > seq_of(&ways[0])];
	if (newer->last.len == 0 && newer->torn.len == 0)
		newer = &ways[1];
	buf_add_text(ret_last, buf_text(&newer->last));
	buf_add_text(ret_torn, buf_text(&newer->torn));
	ret_last->failed |= newer->last.failed;
	ret_torn->failed |= newer->torn.failed;
	for (int i = 0; i < 2; i++) {
		buf_free(&ways[i].last);
		buf_free(&ways[i].torn);
	}
}

/* BASE, a separator, and a digit first; `packed`: and more than digits and separators. */
static bool
is_rotated(const char *name, const char *base, bool packed)
{
	size_t len = strlen(base);

	if (strncmp(name, base, len) != 0 || name[len] == '\0' ||
	    !strchr("-._", name[len]) || name[len + 1] < '0' || name[len + 1] > '9')
		return false;
	return !packed || name[len + strspn(name + len, "-._0123456789")] != '\0';
}

bool
record_rotated_any(const char *path, bool packed, char ret_name[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;
	char name[PATH_MAX];
	const struct dirent *entry;
	bool found = false;
	struct stat st;
	DIR *dir;

	(void)snprintf(name, sizeof name, "%.*s", folder > 0 ? folder : 1,
	               folder > 0 ? path : ".");
	dir = opendir(name);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)) != NULL)
		found =
		    is_rotated(entry->d_name, path + folder, packed) &&
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_size > 0 &&
		    snprintf(name, sizeof name, "%.*s%s", folder, path, entry->d_name) <
			PATH_MAX;
	(void)closedir(dir);
	if (found)
		memcpy(ret_name, name, sizeof name);
	return found;
}
