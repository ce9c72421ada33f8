/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen - the Unix socket that engines connect to: made here, or handed over.
 *
 * Invariant: only a socket that we made is removed at the end, and only if it is still
 * that one; a live socket of somebody else is never taken. Not thread-safe; start and
 * stop only.
 */
#pragma once

#include "core/err.h"

#include <stdbool.h>
#include <sys/types.h>

#define LISTEN_DEFAULT_PATH "/run/docker/plugins/seccomp-authz.sock"

enum { LISTEN_FOLDER_MODE = 0755 };

struct listener {
	int fd;         /* listening, close-on-exec, non-blocking; -1: none */
	bool made;      /* we made the socket file */
	char path[108]; /* of the socket file; "" when handed over without a name */
	dev_t dev;      /* of the file, when it has a path */
	ino_t ino;
};

/*
 * The socket of systemd socket activation if LISTEN_PID is ours and LISTEN_FDS is 1
 * (sd_listen_fds(3)); the variables are removed from the environment. More than one, or
 * one that is no listening Unix stream socket, is an error. Returns 1 if there was one, 0
 * if not, -1 on error.
 */
int listen_adopt(struct listener *ret_listener, struct err *err);

/*
 * Makes the socket at `path`: mode 0600, its folder made if missing (0755). A socket that
 * nobody serves is replaced; one that is served, or a file that is no socket, is refused.
 */
int listen_make(const char *path, struct listener *ret_listener, struct err *err);

/* True if its path does not lead to it (any more). False for one without a path. */
bool listen_is_lost(const struct listener *listener);

/* Removes the file if we made it and it is still that one; who is connected or waits to
   be accepted stays. */
void listen_remove(struct listener *listener);

/* Closes it, after listen_remove(). */
void listen_close(struct listener *listener);

/* Who is at the other end of a connected Unix socket (SO_PEERCRED); -1 if unknown. */
int listen_peer(int fd, uid_t *ret_uid, pid_t *ret_pid);

/* Tells the service manager `state` ("READY=1") by NOTIFY_SOCKET; does nothing without. */
void listen_notify(const char *state);
