/* SPDX-License-Identifier: Apache-2.0 */
/* log_daemon.h - a socket in the place of a log daemon, and a record that goes to it. */
#pragma once

#include "record_check.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { MESSAGE_MAX = 64 * 1024 };

/* The path of its socket. */
static inline const char *
daemon_path(void)
{
	return in_folder("socket");
}

/* Starts it, in the place of one that was there before; the caller closes it. */
static inline int
daemon_start(int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)unlink(daemon_path());
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%.100s",
	               daemon_path());
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 8), 0);
	return fd;
}

/* The next message in *ret_message, NUL-terminated; false if none comes. */
static inline bool
daemon_read(int fd, struct buf *ret_message)
{
	static char bytes[MESSAGE_MAX];
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	ssize_t len;

	buf_clear(ret_message);
	if (poll(&wait, 1, 5000) != 1)
		return false;
	len = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
	buf_add(ret_message, bytes, len > 0 ? (size_t)len : 0);
	return len > 0;
}

/* A record with `prefix` and the daemon's socket as its first or only sink. */
static inline struct record *
record_to_daemon(const char *prefix)
{
	char sink[PATH_MAX + 16];
	const char *const sinks[] = {sink};
	struct record *record = NULL;
	struct err err = {0};

	(void)snprintf(sink, sizeof sink, "%s%s", prefix, daemon_path());
	if (record_open(sinks, 1, "host.example", &test_log, &record, &err))
		fail_msg("%s", err.text);
	return record;
}

/* The sink alone, ready for lines. The caller closes it. */
static inline struct record_sink *
sink_to_daemon(const struct record_sink_kind *kind)
{
	struct buf torn = {0};
	struct record_sink *sink = NULL;
	struct err err = {0};

	if (kind->open(daemon_path(), NULL, &sink, &err) ||
	    kind->prepare(sink, &torn, &err))
		fail_msg("%s", err.text);
	assert_int_equal(torn.len, 0);
	return sink;
}

/* Sends one line (without its newline) and reads what arrives. */
static inline void
send_and_read(const struct record_sink_kind *kind, const char *line, struct buf *ret_got)
{
	int fd = daemon_start(SOCK_DGRAM);
	struct record_sink *sink = sink_to_daemon(kind);
	cleanup_buf struct buf bytes = {0};
	struct err err = {0};
	size_t taken = 0;

	buf_str(&bytes, line);
	buf_char(&bytes, '\n');
	if (kind->write(sink, buf_text(&bytes), &taken, &err))
		fail_msg("%s", err.text);
	assert_int_equal(taken, bytes.len);
	assert_true(daemon_read(fd, ret_got));
	kind->close(sink);
	(void)close(fd);
}

/* ---- what holds for both daemons; rows of a table of tests ---- */

/* No daemon: lines are refused and the record says so; one comes: they are taken. */
static inline void
check_comes_late(const char *prefix)
{
	struct record *record = record_to_daemon(prefix);
	cleanup_buf struct buf got = {0};
	struct record_state now;
	struct try try;
	int fd;

	assert_non_null(
	    strstr(try_once(record, &try, "{\"a\":1"), "can't be connected to"));
	record_state(record, &now);
	assert_true(now.degraded);
	fd = daemon_start(SOCK_DGRAM);
	assert_string_equal(try_once(record, &try, "{\"a\":2"), "");
	record_state(record, &now);
	assert_false(now.degraded);
	assert_int_equal(now.written, 1);
	record_close(record);
	assert_true(daemon_read(fd, &got));
	assert_non_null(strstr(got.at, "{\"a\":2,\"seq\":1,\"prev\":\"\"}"));
	(void)close(fd);
}

/* A daemon that is started anew is found without a line being lost. */
static inline void
check_starts_anew(const char *prefix)
{
	int fd = daemon_start(SOCK_DGRAM);
	struct record *record = record_to_daemon(prefix);
	cleanup_buf struct buf got = {0};
	struct try try;

	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	(void)close(fd);
	assert_non_null(strstr(try_once(record, &try, "{\"a\":2"), "can't be"));
	fd = daemon_start(SOCK_DGRAM);
	assert_string_equal(try_once(record, &try, "{\"a\":3"), "");
	assert_true(daemon_read(fd, &got));
	(void)close(fd);
	fd = daemon_start(SOCK_DGRAM);
	assert_string_equal(try_once(record, &try, "{\"a\":4"), "");
	assert_true(daemon_read(fd, &got));
	assert_non_null(strstr(got.at, "{\"a\":4,\"seq\":3,"));
	record_close(record);
	(void)close(fd);
}

/* A daemon that does not read holds up nobody for ever; what it takes later is whole, in
   order and there once. */
static inline void
check_does_not_read(const char *prefix)
{
	enum { MANY = 2000 };
	int fd = daemon_start(SOCK_DGRAM);
	struct record *record = record_to_daemon(prefix);
	cleanup_buf struct buf got = {0};
	int taken = 0, seen = 0;
	struct record_state now;
	struct try try;

	for (; taken < MANY; taken++) {
		if (strcmp(try_once(record, &try, "{\"a\":1"), "") != 0)
			break;
	}
	assert_in_range(taken, 1, MANY - 1);
	assert_non_null(strstr(try.failure, "nobody reads it"));
	record_state(record, &now);
	assert_true(now.degraded);
	for (; seen < taken; seen++)
		assert_true(daemon_read(fd, &got));
	assert_string_equal(try_once(record, &try, "{\"a\":2"), "");
	assert_true(daemon_read(fd, &got));
	assert_non_null(strstr(got.at, "{\"a\":2,"));
	record_close(record);
	(void)close(fd);
}

/* As one of the other sinks it gets the bytes of the first, and what it misses counts. */
static inline void
check_follows(const char *prefix)
{
	char first[PATH_MAX + 16], second[PATH_MAX + 16];
	const char *const sinks[] = {first, second};
	cleanup_buf struct buf got = {0}, file = {0};
	struct record *record = NULL;
	struct record_state now;
	struct err err = {0};
	struct try try;
	int fd;

	(void)snprintf(first, sizeof first, "file:%s", in_folder("record"));
	(void)snprintf(second, sizeof second, "%s%s", prefix, daemon_path());
	assert_int_equal(record_open(sinks, 2, "h", &test_log, &record, &err), 0);
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	do {
		(void)usleep(1000);
		record_state(record, &now);
	} while (now.lost == 0);
	fd = daemon_start(SOCK_DGRAM);
	assert_string_equal(try_once(record, &try, "{\"a\":2"), "");
	assert_true(daemon_read(fd, &got));
	record_state(record, &now);
	assert_int_equal(now.lost, 1);
	assert_false(now.degraded);
	record_close(record);
	(void)close(fd);
	read_into(in_folder("record"), &file);
	file.at[file.len - 1] = '\0'; /* its newline */
	assert_non_null(strstr(got.at, strchr(file.at, '\n') + 1));
}
