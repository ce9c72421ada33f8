/* SPDX-License-Identifier: Apache-2.0 */
/* listen.c - makes or adopts the listening Unix socket, and takes it away again. */
#include "edge/listen.h"
#include "edge/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	ADOPTED_FD = 3, /* SD_LISTEN_FDS_START */
	BACKLOG = 1024,
	BIND_UMASK = 0177,
};

_Static_assert(sizeof((struct listener *)0)->path ==
                   sizeof((struct sockaddr_un *)0)->sun_path,
               "a path that the kernel takes has room");

static int
option_of(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) ? -1 : value;
}

static int
set_flags(int fd, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC))
		return err_set(err, ERR_SYSTEM, "LISTEN_FDS: descriptor %d: %m", fd);
	return 0;
}

static int
adopt(int fd, struct listener *ret_listener, struct err *err)
{
	struct sockaddr_un name = {0};
	socklen_t len = sizeof name;
	struct listener listener = {.fd = fd};
	struct stat st;

	if (option_of(fd, SO_DOMAIN) != AF_UNIX ||
	    option_of(fd, SO_TYPE) != SOCK_STREAM || option_of(fd, SO_ACCEPTCONN) != 1)
		return err_set(
		    err, ERR_TYPE,
		    "LISTEN_FDS: descriptor %d is no listening Unix stream socket", fd);
	if (set_flags(fd, err))
		return -1;
	/* The kernel gives no NUL for a path of full length (unix(7)). */
	if (getsockname(fd, (struct sockaddr *)&name, &len) == 0)
		(void)snprintf(listener.path, sizeof listener.path, "%.*s",
		               (int)sizeof name.sun_path - 1, name.sun_path);
	if (lstat(listener.path, &st) == 0) {
		listener.dev = st.st_dev;
		listener.ino = st.st_ino;
	}
	*ret_listener = listener;
	return 1;
}

/* A decimal number and nothing else; -1 if it is none. */
static long
number_of(const char *text)
{
	char *end;
	long value;

	if (!text || text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	value = strtol(text, &end, 10);
	return *end == '\0' && errno == 0 ? value : -1;
}

int
listen_adopt(struct listener *ret_listener, struct err *err)
{
	const char *count_text = getenv("LISTEN_FDS");
	long pid = number_of(getenv("LISTEN_PID"));
	long count = number_of(count_text);
	bool given = count_text != NULL;

	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	if (!given || pid != (long)getpid() || count == 0)
		return 0;
	if (count != 1)
		return err_set(err, ERR_TYPE,
		               "LISTEN_FDS: one socket is wanted, not more");
	return adopt(ADOPTED_FD, ret_listener, err);
}

/* Removes a socket file that nobody serves; whatever else is there stays. */
static int
clear_stale(const struct sockaddr_un *name, struct err *err)
{
	cleanup_fd int fd = -1;
	struct stat st;

	if (lstat(name->sun_path, &st))
		return errno == ENOENT ? 0 : err_set(err, ERR_SYSTEM, "%m");
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_TYPE, "exists and is no socket");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "no socket: %m");
	/* EAGAIN: served, by somebody whose backlog is full (connect(2)). */
	if (connect(fd, (const struct sockaddr *)name, sizeof *name) == 0 ||
	    errno == EAGAIN)
		return err_set(err, ERR_SYSTEM, "another process serves this socket");
	if (errno == ENOENT)
		return 0;
	if (errno != ECONNREFUSED)
		return err_set(err, ERR_SYSTEM, "can't tell whether it is served: %m");
	return unlink(name->sun_path) ? err_set(err, ERR_SYSTEM, "can't be replaced: %m")
	                              : 0;
}

static int
bind_private(int fd, const struct sockaddr_un *name, struct err *err)
{
	mode_t before = umask(BIND_UMASK);
	int bound = bind(fd, (const struct sockaddr *)name, sizeof *name);

	(void)umask(before);
	if (bound)
		return err_set(err, ERR_SYSTEM, "can't be made: %m");
	if (listen(fd, BACKLOG) == 0)
		return 0;
	(void)err_set(err, ERR_SYSTEM, "can't listen: %m");
	(void)unlink(name->sun_path);
	return -1;
}

/*
 * The folder, locked: between finding a stale socket and serving the new one, a second
 * judge that starts would take the new one for stale.
 */
static int
lock_folder(const char *path, struct err *err)
{
	char folder[sizeof((struct sockaddr_un *)0)->sun_path];
	const char *slash = strrchr(path, '/');
	int fd;

	(void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
	               slash ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "folder %s: %m", folder);
	if (flock(fd, LOCK_EX)) {
		(void)err_set(err, ERR_SYSTEM, "folder %s: can't be locked: %m", folder);
		file_close(&fd);
	}
	return fd;
}

static int
make(const struct sockaddr_un *name, struct listener *ret_listener, struct err *err)
{
	cleanup_fd int folder = -1, fd = -1;
	struct listener listener = {.made = true};
	struct stat st;

	if (file_make_parent(name->sun_path, LISTEN_FOLDER_MODE, err))
		return -1;
	folder = lock_folder(name->sun_path, err);
	if (folder < 0 || clear_stale(name, err))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "no socket: %m");
	if (bind_private(fd, name, err))
		return -1;
	if (lstat(name->sun_path, &st))
		return err_set(err, ERR_SYSTEM, "vanished while it was made: %m");
	memcpy(listener.path, name->sun_path, sizeof listener.path);
	listener.dev = st.st_dev;
	listener.ino = st.st_ino;
	listener.fd = file_take(&fd);
	*ret_listener = listener;
	return 0;
}

int
listen_make(const char *path, struct listener *ret_listener, struct err *err)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	size_t len = strlen(path);

	if (len == 0)
		return err_set(err, ERR_TYPE, "socket: the path is empty");
	if (len >= sizeof name.sun_path)
		return err_set(err, ERR_LIMIT,
		               "%s: path too long: %zu bytes, a socket may have %zu",
		               path, len, sizeof name.sun_path - 1);
	memcpy(name.sun_path, path, len);
	return make(&name, ret_listener, err) ? err_wrap(err, "%s", path) : 0;
}

bool
listen_is_lost(const struct listener *listener)
{
	struct stat st;

	return listener->path[0] == '/' &&
	       (lstat(listener->path, &st) || st.st_dev != listener->dev ||
	        st.st_ino != listener->ino);
}

void
listen_remove(struct listener *listener)
{
	/* Removed while we still listen: nobody can take it for stale and replace it
	   between the look and the unlink. */
	if (listener->made && !listen_is_lost(listener))
		(void)unlink(listener->path);
	listener->made = false;
}

void
listen_close(struct listener *listener)
{
	listen_remove(listener);
	file_close(&listener->fd);
}

int
listen_peer(int fd, uid_t *ret_uid, pid_t *ret_pid)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) || peer.uid == (uid_t)-1)
		return -1;
	*ret_uid = peer.uid;
	*ret_pid = peer.pid;
	return 0;
}

void
listen_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;
	cleanup_fd int fd = -1;

	if (len < 2 || len >= sizeof name.sun_path || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(name.sun_path, path, len);
	if (path[0] == '@') /* an abstract name (unix(7)) */
		name.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	             (const struct sockaddr *)&name,
	             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}
