/* SPDX-License-Identifier: Apache-2.0 */
/* record_socket.c - connects to log daemons, and to those that were started anew. */
#include "edge/record_socket.h"
#include "edge/file.h"
#include "edge/record.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int
record_socket_init(struct record_socket *socket, const char *prefix, const char *target,
                   const char *otherwise, struct err *err)
{
	const char *path = *target != '\0' ? target : otherwise;
	size_t len = strlen(path);

	*socket = (struct record_socket){.address.sun_family = AF_UNIX, .fd = -1};
	if (path[0] != '/' || len >= sizeof socket->address.sun_path)
		return err_set(err, ERR_TYPE, "%s%.120s: should be the path of a socket",
		               prefix, target);
	memcpy(socket->address.sun_path, path, len + 1);
	return 0;
}

static int
connect_as(struct record_socket *record, int type, struct err *err)
{
	static const struct timeval patience = {.tv_sec = RECORD_WAIT_MS / 1000};
	cleanup_fd int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: no socket: %m",
		               record->address.sun_path);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) ||
	    connect(fd, (const struct sockaddr *)&record->address,
	            sizeof record->address))
		return err_set(err, ERR_SYSTEM, "%s: can't be connected to: %m",
		               record->address.sun_path);
	record->stream = type == SOCK_STREAM;
	record->fd = file_take(&fd);
	return 0;
}

int
record_socket_connect(struct record_socket *socket, struct err *err)
{
	struct err first = {0};

	if (socket->fd >= 0)
		return 0;
	if (connect_as(socket, SOCK_DGRAM, &first) == 0)
		return 0;
	if (errno == EPROTOTYPE && socket->may_stream)
		return connect_as(socket, SOCK_STREAM, err);
	return err_set(err, ERR_SYSTEM, "%s", first.text);
}

/* Returns how many bytes went out; fewer than all: errno says why. */
static ssize_t
send_part(int to, struct text bytes, int fd)
{
	/* sendmsg(2) only reads, but its argument can't say so */
	struct iovec part = {.iov_base = (void *)(uintptr_t)bytes.at,
	                     .iov_len = bytes.len};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {0};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct cmsghdr *header = (struct cmsghdr *)control;

	if (fd >= 0) {
		message.msg_control = control;
		message.msg_controllen = sizeof control;
		*header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
		                           .cmsg_type = SCM_RIGHTS,
		                           .cmsg_len = CMSG_LEN(sizeof fd)};
		memcpy(CMSG_DATA(header), &fd, sizeof fd);
	}
	return sendmsg(to, &message, MSG_NOSIGNAL);
}

/* -1: errno says why. */
static int
send_all(const struct record_socket *socket, struct text message, int fd)
{
	do {
		ssize_t len = send_part(socket->fd, message, fd);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -1;
		message = text_from(message, (size_t)len);
	} while (message.len > 0);
	return 0;
}

/* A daemon that ended leaves a connected socket behind that fails so. */
static bool
is_gone(int error)
{
	return error == ECONNREFUSED || error == ENOTCONN || error == EPIPE ||
	       error == ECONNRESET;
}

int
record_socket_send(struct record_socket *socket, struct text message, int fd,
                   struct err *err)
{
	int failed;

	if (record_socket_connect(socket, err))
		return -1;
	failed = send_all(socket, message, fd);
	if (failed && is_gone(errno)) {
		file_close(&socket->fd);
		if (record_socket_connect(socket, err))
			return -1;
		failed = send_all(socket, message, fd);
	}
	if (!failed)
		return 0;
	if (errno == EMSGSIZE && !socket->stream)
		return 1;
	if (errno == EAGAIN)
		(void)err_set(err, ERR_SYSTEM, "%s: nobody reads it",
		              socket->address.sun_path);
	else
		(void)err_set(err, ERR_SYSTEM, "%s: can't be sent to: %m",
		              socket->address.sun_path);
	file_close(&socket->fd);
	return -1;
}

int
record_socket_write(struct record_socket *socket, struct text lines,
                    int (*send)(struct record_socket *socket, struct text line,
                                struct err *err),
                    size_t *ret_taken, struct err *err)
{
	*ret_taken = 0;
	while (*ret_taken < lines.len) {
		struct text line = text_from(lines, *ret_taken);

		line = text_first(line, text_find(line, '\n'));
		buf_clear(&socket->message);
		arena_reset(&socket->arena);
		if (send(socket, line, err))
			return -1;
		*ret_taken += line.len + 1;
	}
	return 0;
}

void
record_socket_close(struct record_socket *socket)
{
	file_close(&socket->fd);
	buf_free(&socket->message);
	arena_free(&socket->arena);
}
