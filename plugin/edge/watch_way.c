/* SPDX-License-Identifier: Apache-2.0 */
/* watch_way.c - watches each folder and link that a path leads through. */
#include "edge/watch_way.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 }; /* as the kernel follows, path_resolution(7) */

/* IN_CLOSE_WRITE rather than IN_MODIFY: a file that is still being written is not read. */
enum {
	EVENTS = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
	         IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF,
};

/* A name that is watched twice, or by another path too, has the same descriptor. */
static void
add_step(struct watch_way *way, const char *folder, const char *name, bool last)
{
	struct watch_step *step = &way->steps[way->count];
	int wd = way->count < WATCH_STEPS_MAX
	             ? inotify_add_watch(way->inotify, folder, EVENTS)
	             : -1;

	if (wd < 0) {
		way->blind = true;
		return;
	}
	*step = (struct watch_step){
	    .wd = wd, .name = name ? strdup(name) : NULL, .last = last};
	if (name && !step->name)
		way->blind = true;
	else
		way->count++;
}

/* Where one is on the way: a folder that has no link in its name, and what is to come. */
struct walk {
	char at[PATH_MAX];
	char rest[PATH_MAX];
	int links;
};

/* Cuts the first name off the rest; false at the end. */
static bool
next_name(struct walk *walk, char name[NAME_MAX + 1])
{
	char *start = walk->rest + strspn(walk->rest, "/");
	size_t len = strcspn(start, "/");

	if (len == 0 || len > NAME_MAX)
		return false;
	memcpy(name, start, len);
	name[len] = '\0';
	memmove(walk->rest, start + len, strlen(start + len) + 1);
	if (walk->rest[strspn(walk->rest, "/")] == '\0')
		walk->rest[0] = '\0';
	return true;
}

static void
go_up(struct walk *walk)
{
	char *slash = strrchr(walk->at, '/');

	if (slash)
		*slash = '\0';
}

/* Puts what the link says in front of the rest. False: too long, or too many. */
static bool
go_along(struct walk *walk, const char *link)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t len = readlink(link, target, sizeof target - 1);
	int written;

	if (len <= 0 || ++walk->links > LINKS_MAX)
		return false;
	target[len] = '\0';
	written = snprintf(rest, sizeof rest, "%s%s", target, walk->rest);
	if (written < 0 || (size_t)written >= sizeof rest)
		return false;
	memcpy(walk->rest, rest, (size_t)written + 1);
	if (target[0] == '/')
		walk->at[0] = '\0';
	return true;
}

/* One name further. False: this is as far as the way goes. */
static bool
go_on(struct watch_way *way, struct walk *walk)
{
	char name[NAME_MAX + 1], next[PATH_MAX];
	struct stat st;
	int len;

	if (!next_name(walk, name))
		return false;
	if (strcmp(name, "..") == 0)
		go_up(walk);
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return true;
	add_step(way, walk->at[0] ? walk->at : "/", name, !walk->rest[0]);
	len = snprintf(next, sizeof next, "%s/%s", walk->at, name);
	if (len < 0 || (size_t)len >= sizeof next || lstat(next, &st) != 0)
		return false;
	if (S_ISLNK(st.st_mode))
		return go_along(walk, next);
	if (!S_ISDIR(st.st_mode)) {
		add_step(way, next, NULL, true);
		return false;
	}
	memcpy(walk->at, next, (size_t)len + 1);
	return true;
}

void
watch_way_forget(struct watch_way *way)
{
	for (size_t i = 0; i < way->count; i++)
		free(way->steps[i].name);
	way->count = 0;
}

int
watch_way_follow(struct watch_way *way, int inotify, const char *path)
{
	struct walk walk = {.links = 0};

	watch_way_forget(way);
	way->inotify = inotify;
	way->blind = false;
	(void)snprintf(walk.rest, sizeof walk.rest, "%s", path);
	while (go_on(way, &walk))
		;
	return way->blind ? -1 : 0;
}
