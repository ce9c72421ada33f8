/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_journald.c - the sink that sends lines to the journal, by its native protocol
 * (systemd.io/JOURNAL_NATIVE_PROTOCOL).
 *
 * A value MUST NOT begin a field of its own: one with a newline in it is sent with its
 * length in front.
 */
#include "edge/record.h"
#include "edge/file.h"
#include "edge/record_fields.h"
#include "edge/record_socket.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const char journal_socket[] = "/run/systemd/journal/socket";

struct record_sink {
	struct record_socket socket;
};

static void
add_field(struct buf *out, const char *name, struct text value)
{
	uint64_t len = htole64(value.len);

	buf_str(out, name);
	if (text_find(value, '\n') == value.len) {
		buf_char(out, '=');
	} else {
		buf_char(out, '\n');
		buf_add(out, &len, sizeof len);
	}
	buf_add_text(out, value);
	buf_char(out, '\n');
}

/* SECCOMP_AUTHZ_DECISION for "decision": names have capitals, digits and '_'. */
static void
add_ours(struct buf *out, const char *name, struct text value)
{
	char upper[64] = "SECCOMP_AUTHZ_";
	size_t len = strlen(upper);

	for (; *name != '\0' && len + 1 < sizeof upper; name++)
		upper[len++] =
		    *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
	upper[len] = '\0';
	add_field(out, upper, value);
}

/* What journalctl shows without being asked for more. */
static void
add_message(struct buf *out, const struct record_fields *fields)
{
	cleanup_buf struct buf made = {0};

	if (fields->message.at) {
		add_field(out, "MESSAGE", fields->message);
		return;
	}
	if (fields->decision.at)
		buf_printf(&made, "%.*s: %.*s", TEXT_ARG(fields->decision),
		           TEXT_ARG(fields->reason));
	else
		buf_str(&made, "a line of the record");
	if (fields->rule.at)
		buf_printf(&made, " (rule %.*s)", TEXT_ARG(fields->rule));
	if (!buf_ok(&made))
		out->failed = true;
	add_field(out, "MESSAGE", buf_text(&made));
}

static void
compose(struct record_socket *socket, struct text line)
{
	struct buf *out = &socket->message;
	struct record_fields fields;

	record_fields_read(line, &socket->arena, &fields);
	add_message(out, &fields);
	buf_printf(out,
	           "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=seccomp-authz\n",
	           record_fields_severity(&fields), RECORD_FACILITY);
	for (size_t i = 0; i < RECORD_FIELDS_SHOWN; i++) {
		struct text value = record_field_of(&fields, &record_fields_shown[i]);

		if (value.at)
			add_ours(out, record_fields_shown[i].name, value);
	}
	add_ours(out, "record", line);
}

/* journald takes a memory file that nobody can change any more. */
static int
seal(struct text message)
{
	static const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	cleanup_fd int fd =
	    memfd_create("seccomp-authz-record", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || write(fd, message.at, message.len) != (ssize_t)message.len ||
	    fcntl(fd, F_ADD_SEALS, seals))
		return -1;
	return file_take(&fd);
}

static int
send_sealed(struct record_socket *socket, struct text message, struct err *err)
{
	cleanup_fd int fd = seal(message);
	int result;

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "journald: no memory file: %m");
	result = record_socket_send(socket, TEXT_LIT(""), fd, err);
	return result > 0 ? err_set(err, ERR_LIMIT, "%s: takes no message of any size",
	                            socket->address.sun_path)
	                  : result;
}

static int
send_line(struct record_socket *socket, struct text line, struct err *err)
{
	int result;

	compose(socket, line);
	if (!buf_ok(&socket->message))
		return err_set(err, ERR_MEMORY, "journald: no memory");
	result = record_socket_send(socket, buf_text(&socket->message), -1, err);
	return result > 0 ? send_sealed(socket, buf_text(&socket->message), err) : result;
}

static int
journald_open(const char *target, struct buf *ret_last, struct record_sink **ret_sink,
              struct err *err)
{
	struct record_sink *sink = malloc(sizeof *sink);

	(void)ret_last; /* what went out is not ours to read */
	if (!sink)
		return err_set(err, ERR_MEMORY, "journald: no memory");
	if (record_socket_init(&sink->socket, "journald:", target, journal_socket, err)) {
		free(sink);
		return -1;
	}
	*ret_sink = sink;
	return 0;
}

static int
journald_check(const char *target, struct err *err)
{
	struct record_socket socket;

	return record_socket_init(&socket, "journald:", target, journal_socket, err);
}

static int
journald_prepare(struct record_sink *sink, struct buf *ret_torn, struct err *err)
{
	(void)ret_torn; /* a message is whole or it is none */
	return record_socket_connect(&sink->socket, err);
}

static int
journald_write(struct record_sink *sink, struct text lines, size_t *ret_taken,
               struct err *err)
{
	return record_socket_write(&sink->socket, lines, send_line, ret_taken, err);
}

static void
journald_close(struct record_sink *sink)
{
	if (sink)
		record_socket_close(&sink->socket);
	free(sink);
}

const struct record_sink_kind record_sink_journald = {
    .prefix = "journald:",
    .usage = "journald:",
    .open = journald_open,
    .prepare = journald_prepare,
    .write = journald_write,
    .close = journald_close,
    .check = journald_check,
};
