/* SPDX-License-Identifier: Apache-2.0 */
/* http_door.c - who comes in, and who may ask. */
#include "edge/http_door.h"

#include "edge/http.h"
#include "edge/listen.h"

#include <microhttpd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* As many as there are files for, and some for the record, the policy and others. */
static size_t
connections_max(void)
{
	static const rlim_t all = HTTP_CONNECTIONS_MAX + HTTP_FILES_KEPT;
	struct rlimit limit = {.rlim_cur = all, .rlim_max = all}, more;

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	more = limit;
	more.rlim_cur = limit.rlim_max < all ? limit.rlim_max : all;
	if (limit.rlim_cur < more.rlim_cur && setrlimit(RLIMIT_NOFILE, &more) == 0)
		limit = more;
	if (limit.rlim_cur >= all)
		return HTTP_CONNECTIONS_MAX;
	return limit.rlim_cur > 2 * HTTP_FILES_KEPT ? limit.rlim_cur - HTTP_FILES_KEPT
	                                            : HTTP_FILES_KEPT;
}

int
http_door_open(struct http_door *door, struct err *err)
{
	if (peers_open(&door->peers, connections_max()))
		return err_set(err, ERR_MEMORY, "out of memory");
	door->open = true;
	return 0;
}

void
http_door_close(struct http_door *door)
{
	if (door->open)
		peers_close(&door->peers);
	door->open = false;
}

/* We ask ourselves whether we answer (watchdog.h). */
static bool
may_ask(const struct http_door *door, uid_t uid, pid_t pid)
{
	if (uid == 0 || pid == getpid())
		return true;
	for (size_t i = 0; i < door->uid_count; i++) {
		if (door->uids[i] == uid)
			return true;
	}
	log_warning(door->log, "uid %u (pid %d) may not ask; see --allow-uid",
	            (unsigned)uid, (int)pid);
	return false;
}

/* Who may not ask is told so and does not stay. */
static void
meet_stranger(struct MHD_Connection *connection, struct peer *peer)
{
	peer->stranger = true;
	(void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
	                                (unsigned)HTTP_STRANGER_S);
}

static struct peer *
meet(struct http_door *door, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct peer *peer = NULL;
	uid_t uid;
	pid_t pid;

	if (!info)
		return NULL;
	if (listen_peer(info->connect_fd, &uid, &pid) == 0)
		peer = peers_add(&door->peers, info->connect_fd, pid);
	if (!peer) /* libmicrohttpd closes it when it reads */
		(void)shutdown(info->connect_fd, SHUT_RDWR);
	else if (!may_ask(door, uid, pid))
		meet_stranger(connection, peer);
	return peer;
}

void
http_door_notify(void *context, struct MHD_Connection *connection, void **socket_context,
                 int code)
{
	struct http_door *door = context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*socket_context = meet(door, connection);
	else
		peers_remove(&door->peers, *socket_context);
}

struct peer *
http_door_peer(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}
