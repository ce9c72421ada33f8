/* SPDX-License-Identifier: Apache-2.0 */
/* proc.c - reads /proc for the processes of containers. */
#include "edge/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_ROOM = 16 * 1024, IDS_MAX = 8 /* containers in containers */ };

struct proc_scan {
	struct proc_container *at;
	size_t count;
};

/* Reads FOLDER/PID/NAME; -1 if it can't. These files have no size and come in one read. */
static ssize_t
read_small(int folder, long pid, const char *name, char room[FILE_ROOM])
{
	char path[64];
	ssize_t len, total = 0;
	int fd;

	(void)snprintf(path, sizeof path, "%ld/%s", pid, name);
	fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while ((len = read(fd, room + total, (size_t)(FILE_ROOM - 1 - total))) > 0)
		total += len;
	(void)close(fd);
	room[total] = '\0';
	return len < 0 ? -1 : total;
}

/* The number behind `name` in the text of a status file; -1: it isn't there. */
static int
status_number(const char *status, const char *name)
{
	size_t len = strlen(name);

	for (; status; status = strchr(status, '\n')) {
		status += *status == '\n';
		if (strncmp(status, name, len) == 0)
			return (int)strtol(status + len, NULL, 10);
	}
	return -1;
}

/* Filters belong to threads: one that was there before its process gave itself a filter may
   be without (seccomp(2), SECCOMP_FILTER_FLAG_TSYNC). */
static bool
has_bare_thread(int folder, long pid)
{
	char path[64], room[FILE_ROOM];
	bool bare = false;
	struct dirent *entry;
	DIR *dir;
	int fd;

	(void)snprintf(path, sizeof path, "%ld/task", pid);
	fd = openat(folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return false;
	while (!bare && (entry = readdir(dir))) {
		long thread = strtol(entry->d_name, NULL, 10);

		bare = thread > 0 && thread != pid &&
		       read_small(dirfd(dir), thread, "status", room) > 0 &&
		       status_number(room, "Seccomp:") == 0;
	}
	(void)closedir(dir);
	return bare;
}

/* By the text of its status file. */
static bool
is_bare(int folder, long pid, const char *status)
{
	return status_number(status, "Seccomp:") == 0 ||
	       (status_number(status, "Threads:") > 1 && has_bare_thread(folder, pid));
}

/* The IDs in the text of a cgroup file, each once: runs of exactly 64 hex digits. */
static size_t
find_ids(const char *cgroup, char ids[IDS_MAX][PROC_ID_LEN])
{
	static const char hex[] = "0123456789abcdef";
	size_t count = 0;

	while (*cgroup && count < IDS_MAX) {
		size_t len = strspn(cgroup, hex);
		bool known = false;

		for (size_t i = 0; len == PROC_ID_LEN && i < count; i++)
			known = known || memcmp(ids[i], cgroup, PROC_ID_LEN) == 0;
		if (len == PROC_ID_LEN && !known)
			memcpy(ids[count++], cgroup, PROC_ID_LEN);
		cgroup += len > 0 ? len : 1;
	}
	return count;
}

/* ---- one process ---- */

static int
parent_filters(int folder, const char *status, char room[FILE_ROOM])
{
	int parent = status_number(status, "PPid:");

	if (parent <= 0 || read_small(folder, parent, "status", room) < 0)
		return -1;
	return status_number(room, "Seccomp_filters:");
}

static bool
read_process(int folder, long pid, struct text id, struct proc_process *ret_process)
{
	char ids[IDS_MAX][PROC_ID_LEN], room[FILE_ROOM];
	size_t count, at = 0;

	if (read_small(folder, pid, "cgroup", room) < 0)
		return false;
	count = find_ids(room, ids);
	while (at < count && memcmp(ids[at], id.at, PROC_ID_LEN) != 0)
		at++;
	if (at == count || read_small(folder, pid, "status", room) < 0)
		return false;
	ret_process->seccomp = status_number(room, "Seccomp:");
	ret_process->filters = status_number(room, "Seccomp_filters:");
	ret_process->bare = is_bare(folder, pid, room);
	ret_process->inherited = parent_filters(folder, room, room);
	return true;
}

bool
proc_read(const char *folder, long pid, struct text id, struct proc_process *ret_process)
{
	int fd = id.len == PROC_ID_LEN && pid > 0
	             ? open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)
	             : -1;
	bool found;

	if (fd < 0)
		return false;
	found = read_process(fd, pid, id, ret_process);
	(void)close(fd);
	return found;
}

/* ---- all of them ---- */

static int
compare(const void *a, const void *b)
{
	return memcmp(((const struct proc_container *)a)->id,
	              ((const struct proc_container *)b)->id, PROC_ID_LEN);
}

/* A row of its own for each process; merge() joins them. */
static int
add_process(struct proc_scan *scan, int folder, long pid, struct err *err)
{
	char ids[IDS_MAX][PROC_ID_LEN], room[FILE_ROOM];
	size_t count = 0;
	bool bare = false, unknown = true;

	if (read_small(folder, pid, "cgroup", room) > 0)
		count = find_ids(room, ids);
	if (count > 0 && read_small(folder, pid, "status", room) > 0) {
		unknown = status_number(room, "Seccomp:") < 0;
		bare = is_bare(folder, pid, room);
	}
	for (size_t i = 0; i < count; i++) {
		struct proc_container *row;

		if ((scan->count & (scan->count - 1)) == 0) {
			size_t room_for = scan->count ? 2 * scan->count : 1;

			row = reallocarray(scan->at, room_for, sizeof *row);
			if (!row)
				return err_set(err, ERR_MEMORY, "out of memory");
			scan->at = row;
		}
		row = &scan->at[scan->count++];
		*row = (struct proc_container){.processes = 1,
		                               .unfiltered = bare,
		                               .unknown = unknown,
		                               .pid = bare ? pid : 0};
		memcpy(row->id, ids[i], PROC_ID_LEN);
	}
	return 0;
}

static void
merge(struct proc_scan *scan)
{
	size_t kept = 0;

	if (scan->count > 0)
		qsort(scan->at, scan->count, sizeof *scan->at, compare);
	for (size_t i = 0; i < scan->count; i++) {
		struct proc_container *row = &scan->at[i], *last = scan->at + kept;

		if (kept == 0 || compare(last - 1, row) != 0) {
			scan->at[kept++] = *row;
			continue;
		}
		last[-1].processes++;
		last[-1].unfiltered += row->unfiltered;
		last[-1].unknown += row->unknown;
		if (last[-1].pid == 0)
			last[-1].pid = row->pid;
	}
	scan->count = kept;
}

static int
scan_folder(struct proc_scan *scan, DIR *dir, struct err *err)
{
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (pid <= 0 || *end != '\0')
			continue;
		if (add_process(scan, dirfd(dir), pid, err) != 0)
			return -1;
		if (scan->count > 16 * PROC_CONTAINERS_MAX)
			return err_set(err, ERR_LIMIT, "too many processes");
	}
	merge(scan);
	return 0;
}

int
proc_scan(const char *folder, struct proc_scan **ret_scan, struct err *err)
{
	struct proc_scan *scan = calloc(1, sizeof *scan);
	DIR *dir = scan ? opendir(folder) : NULL;
	int result;

	if (!dir) {
		free(scan);
		return err_set(err, ERR_SYSTEM, "%s: %s", folder, strerror(errno));
	}
	result = scan_folder(scan, dir, err);
	(void)closedir(dir);
	if (result == 0)
		*ret_scan = scan;
	else
		proc_free(scan);
	return result;
}

const struct proc_container *
proc_find(const struct proc_scan *scan, struct text id)
{
	struct proc_container key = {.pid = 0};

	if (!scan || scan->count == 0 || id.len != PROC_ID_LEN)
		return NULL;
	memcpy(key.id, id.at, PROC_ID_LEN);
	return bsearch(&key, scan->at, scan->count, sizeof key, compare);
}

void
proc_free(struct proc_scan *scan)
{
	if (!scan)
		return;
	free(scan->at);
	free(scan);
}
