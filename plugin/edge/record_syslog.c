/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_syslog.c - the sink that sends lines to the syslog daemon, as RFC 5424.
 *
 * <84>1 TIME HOST seccomp-authz PID deny [seccomp-authz@32473 decision="deny" ...] LINE
 *
 * Nothing of a request MUST stand unescaped outside the line: in structured data, what is
 * no plain character is spelled out (\\u202e) before RFC 5424's own escapes are applied.
 */
#include "edge/record.h"
#include "edge/record_fields.h"
#include "edge/record_socket.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	HOST_MAX = 255, /* RFC 5424 section 6.2.4 */
	WORD_MAX = 32,  /* MSGID, the same, 6.2.7 */
};

struct record_sink {
	struct record_socket socket;
};

/* A header field: PRINTUSASCII, or nothing. */
static void
add_word(struct buf *out, struct text word, size_t max)
{
	bool plain = word.len > 0 && word.len <= max;

	for (size_t i = 0; plain && i < word.len; i++)
		plain = word.at[i] > ' ' && word.at[i] < 0x7f;
	buf_add_text(out, plain ? word : TEXT_LIT("-"));
}

/*
 * The inside of a quoted string as PARAM-VALUE (6.3.3), where only a quote, a backslash
 * and a closing bracket may and must be escaped. buf_quoted() has done the first two, and
 * spelled out the rest with escapes of its own, whose backslash is a character here.
 */
static void
add_value(struct buf *out, struct text quoted)
{
	for (size_t i = 0; i < quoted.len; i++) {
		char c = quoted.at[i];

		if (c == '\\' && i + 1 < quoted.len &&
		    (quoted.at[i + 1] == '"' || quoted.at[i + 1] == '\\')) {
			buf_add(out, quoted.at + i++, 2);
			continue;
		}
		if (c == '\\' || c == ']')
			buf_char(out, '\\');
		buf_char(out, c);
	}
}

static void
add_structured_data(struct buf *out, const struct record_fields *fields)
{
	cleanup_buf struct buf quoted = {0};

	buf_str(out, "[seccomp-authz@32473"); /* the number for examples, RFC 5612 */
	for (size_t i = 0; i < RECORD_FIELDS_SHOWN; i++) {
		struct text value = record_field_of(fields, &record_fields_shown[i]);

		if (!value.at)
			continue;
		buf_clear(&quoted);
		buf_quoted(&quoted, value, 0);
		if (!buf_ok(&quoted)) {
			out->failed = true;
			return;
		}
		buf_printf(out, " %s=\"", record_fields_shown[i].name);
		add_value(out,
		          text_first(text_from(buf_text(&quoted), 1), quoted.len - 2));
		buf_char(out, '"');
	}
	buf_str(out, "] ");
}

static int
send_line(struct record_socket *socket, struct text line, struct err *err)
{
	struct buf *out = &socket->message;
	struct record_fields fields;
	int result;

	record_fields_read(line, &socket->arena, &fields);
	buf_printf(out, "<%d>1 ", RECORD_FACILITY * 8 + record_fields_severity(&fields));
	add_word(out, fields.time, WORD_MAX);
	buf_char(out, ' ');
	add_word(out, fields.host, HOST_MAX);
	buf_printf(out, " seccomp-authz %ld ", (long)getpid());
	add_word(out, fields.event.at ? fields.event : fields.decision, WORD_MAX);
	buf_char(out, ' ');
	add_structured_data(out, &fields);
	buf_add_text(out, line);
	if (socket->stream)
		buf_add(out, "", 1); /* ends a message, as from syslog(3) */
	if (!buf_ok(out))
		return err_set(err, ERR_MEMORY, "syslog: no memory");
	result = record_socket_send(socket, buf_text(out), -1, err);
	return result > 0 ? err_set(err, ERR_LIMIT, "%s: takes no message of %zu bytes",
	                            socket->address.sun_path, out->len)
	                  : result;
}

static int
syslog_open(const char *target, struct buf *ret_last, struct record_sink **ret_sink,
            struct err *err)
{
	struct record_sink *sink = malloc(sizeof *sink);

	(void)ret_last; /* what went out is not ours to read */
	if (!sink)
		return err_set(err, ERR_MEMORY, "syslog: no memory");
	if (record_socket_init(&sink->socket, "syslog:", target, "/dev/log", err)) {
		free(sink);
		return -1;
	}
	sink->socket.may_stream = true;
	*ret_sink = sink;
	return 0;
}

static int
syslog_check(const char *target, struct err *err)
{
	struct record_socket socket;

	return record_socket_init(&socket, "syslog:", target, "/dev/log", err);
}

static int
syslog_prepare(struct record_sink *sink, struct buf *ret_torn, struct err *err)
{
	(void)ret_torn; /* a message is whole or it is none */
	return record_socket_connect(&sink->socket, err);
}

static int
syslog_write(struct record_sink *sink, struct text lines, size_t *ret_taken,
             struct err *err)
{
	return record_socket_write(&sink->socket, lines, send_line, ret_taken, err);
}

static void
syslog_close(struct record_sink *sink)
{
	if (sink)
		record_socket_close(&sink->socket);
	free(sink);
}

const struct record_sink_kind record_sink_syslog = {
    .prefix = "syslog:",
    .usage = "syslog:",
    .open = syslog_open,
    .prepare = syslog_prepare,
    .write = syslog_write,
    .close = syslog_close,
    .check = syslog_check,
};
