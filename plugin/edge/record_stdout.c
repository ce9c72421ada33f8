/* SPDX-License-Identifier: Apache-2.0 */
/* record_stdout.c - the sink that writes lines to standard output. */
#include "edge/record.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

struct record_sink {
	struct buf torn; /* what a failed write left of a line; nobody can take it back */
	bool closed;     /* its newline went out, its recovery record did not */
};

static int
stdout_open(const char *target, struct buf *ret_last, struct record_sink **ret_sink,
            struct err *err)
{
	(void)target;
	(void)ret_last; /* what went out is not ours to read */
	*ret_sink = calloc(1, sizeof **ret_sink);
	return *ret_sink ? 0 : err_set(err, ERR_MEMORY, "stdout: no memory");
}

static int
stdout_prepare(struct record_sink *sink, struct buf *ret_torn, struct err *err)
{
	(void)err;
	buf_add_text(ret_torn, buf_text(&sink->torn));
	return 0;
}

/* Returns how many bytes went out; fewer than all: errno says why. */
static size_t
write_all(struct text bytes)
{
	struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
	size_t done = 0;

	while (done < bytes.len) {
		ssize_t len = write(STDOUT_FILENO, bytes.at + done, bytes.len - done);

		if (len > 0)
			done += (size_t)len;
		else if (len < 0 && errno == EAGAIN) /* another holder's O_NONBLOCK */
			(void)poll(&room, 1, -1);
		else if (errno != EINTR)
			break;
	}
	return done;
}

static int
stdout_write(struct record_sink *sink, struct text lines, size_t *ret_taken,
             struct err *err)
{
	size_t done, whole;

	*ret_taken = 0;
	if (sink->torn.len > 0 && !sink->closed) {
		if (write_all(TEXT_LIT("\n")) == 0)
			return err_set(err, ERR_SYSTEM, "stdout: can't be written: %m");
		sink->closed = true;
	}
	done = write_all(lines);
	if (done < lines.len)
		(void)err_set(err, ERR_SYSTEM, "stdout: can't be written: %m");
	for (whole = done; whole > 0 && lines.at[whole - 1] != '\n';)
		whole--;
	if (done > 0) {
		buf_clear(&sink->torn);
		buf_add(&sink->torn, lines.at + whole, done - whole);
		sink->closed = false;
	}
	*ret_taken = whole;
	return done == lines.len ? 0 : -1;
}

static void
stdout_close(struct record_sink *sink)
{
	if (sink)
		buf_free(&sink->torn);
	free(sink);
}

const struct record_sink_kind record_sink_stdout = {
    .prefix = "stdout",
    .usage = "stdout",
    .open = stdout_open,
    .prepare = stdout_prepare,
    .write = stdout_write,
    .close = stdout_close,
};
