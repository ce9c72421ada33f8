/* SPDX-License-Identifier: Apache-2.0 */
/* http_loop.c - libmicrohttpd and the record, in turns. */
#include "edge/http_loop.h"

#include "edge/file.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	HANG_MS = 100, /* for who still writes the record, at the end */
	FOREVER = -1,
};

/*
 * The bell hangs in libmicrohttpd's own epoll set, with no pointer: that is the only thing
 * there which it takes for no connection and passes over (daemon.c, MHD_epoll, 0.9.75 to
 * 1.0.1). Any wait of ours with a limit or for two sets would cost each request more. Each
 * ring is an edge, so the bell is never read.
 */
static int
hang_bell(struct http_loop *loop)
{
	const union MHD_DaemonInfo *info =
	    MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	loop->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (info && loop->bell >= 0 &&
	    epoll_ctl(info->epoll_fd, EPOLL_CTL_ADD, loop->bell, &event) == 0)
		return 0;
	file_close(&loop->bell);
	return -1;
}

/* libmicrohttpd takes connections from other threads only where it has one of its own. */
static void
take_waiting(struct http_loop *loop)
{
	static const struct sockaddr_un unnamed = {.sun_family = AF_UNIX};
	int fd;

	if (!atomic_load_explicit(&loop->waits, memory_order_relaxed))
		return;
	atomic_store(&loop->waits, false); /* before they are read: none is left behind */
	while (read(loop->doors[0], &fd, sizeof fd) == sizeof fd)
		(void)MHD_add_connection(loop->daemon, fd,
		                         (const struct sockaddr *)&unnamed,
		                         sizeof unnamed.sun_family);
}

static bool
serve_once(void *context)
{
	struct http_loop *loop = context;

	requests_collect(loop->requests);
	take_waiting(loop);
	loop->to_write = false;
	(void)MHD_run_wait(loop->daemon, FOREVER);
	return loop->to_write;
}

static void
write_record(void *context, bool relieved)
{
	const struct http_loop *loop = context;

	record_write(loop->record, relieved);
}

static void
wake(void *context)
{
	http_loop_ring(context);
}

static void
close_files(struct http_loop *loop)
{
	int fd;

	while (read(loop->doors[0], &fd, sizeof fd) == sizeof fd)
		(void)close(fd);
	file_close(&loop->bell);
	file_close(&loop->doors[0]);
	file_close(&loop->doors[1]);
}

int
http_loop_start(struct http_loop *loop, struct err *err)
{
	struct turns_job job = {
	    .step = serve_once, .wake = wake, .work = write_record, .context = loop};

	if (hang_bell(loop) != 0)
		return err_set(err, ERR_SYSTEM, "libmicrohttpd can't be woken: %m");
	if (pipe2(loop->doors, O_CLOEXEC | O_NONBLOCK) != 0) {
		file_close(&loop->bell);
		return err_set(err, ERR_SYSTEM, "pipe: %m");
	}
	loop->turns = turns_start(&job);
	if (loop->turns)
		return 0;
	close_files(loop);
	return err_set(err, ERR_SYSTEM, "no threads to serve with");
}

bool
http_loop_stop(struct http_loop *loop)
{
	if (!loop->turns)
		return true;
	if (!turns_stop(loop->turns, HANG_MS))
		return false;
	loop->turns = NULL;
	close_files(loop);
	return true;
}

int
http_loop_take(struct http_loop *loop, int fd)
{
	if (write(loop->doors[1], &fd, sizeof fd) == sizeof fd) {
		atomic_store(&loop->waits, true);
		http_loop_ring(loop);
		return 0;
	}
	(void)close(fd);
	return -1;
}

void
http_loop_put(struct http_loop *loop, struct record_entry *entry)
{
	loop->to_write = true;
	record_put(loop->record, entry);
}

void
http_loop_suspend(struct http_loop *loop, struct request *request)
{
	int step = HANDOVER_WAITING;

	MHD_suspend_connection(request->connection);
	if (!atomic_compare_exchange_strong(&request->handover, &step,
	                                    HANDOVER_SUSPENDED))
		http_loop_resume(loop, request->connection); /* just now */
}

void
http_loop_resume(struct http_loop *loop, struct MHD_Connection *connection)
{
	MHD_resume_connection(connection);
	http_loop_ring(loop);
}

void
http_loop_ring(const struct http_loop *loop)
{
	static const uint64_t once = 1;

	(void)!write(loop->bell, &once, sizeof once);
}
