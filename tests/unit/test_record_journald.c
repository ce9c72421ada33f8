/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_record_journald.c - tests the journal sink of edge/record.h on sockets of its own;
 * a real journald reads it in tests/e2e/test_sinks.py.
 */
#include "log_daemon.h"

#include <endian.h>
#include <sys/mman.h>

#define LINE                                                                             \
	"{\"time\":\"2026-01-02T03:04:05.678901Z\",\"id\":\"01KE\",\"decision\":"        \
	"\"deny\","                                                                      \
	"\"reason\":\"posture\",\"message\":\"no\",\"posture\":\"unconfined\","          \
	"\"user\":\"alice\",\"containers\":[{\"name\":\"web\",\"image\":\"nginx\"},"     \
	"{\"name\":\"b\",\"image\":\"other\"}],\"rule\":\"default\",\"host\":\"h."       \
	"example\","                                                                     \
	"\"seq\":7,\"prev\":\"\"}"

static const struct record_sink_kind *const kind = &record_sink_journald;

static void
denial_has_its_fields(void **state)
{
	cleanup_buf struct buf got = {0};

	(void)state;
	send_and_read(kind, LINE, &got);
	assert_string_equal(got.at, "MESSAGE=no\n"
	                            "PRIORITY=4\n"
	                            "SYSLOG_FACILITY=10\n"
	                            "SYSLOG_IDENTIFIER=seccomp-authz\n"
	                            "SECCOMP_AUTHZ_SEQ=7\n"
	                            "SECCOMP_AUTHZ_ID=01KE\n"
	                            "SECCOMP_AUTHZ_DECISION=deny\n"
	                            "SECCOMP_AUTHZ_REASON=posture\n"
	                            "SECCOMP_AUTHZ_POSTURE=unconfined\n"
	                            "SECCOMP_AUTHZ_RULE=default\n"
	                            "SECCOMP_AUTHZ_USER=alice\n"
	                            "SECCOMP_AUTHZ_IMAGE=nginx\n"
	                            "SECCOMP_AUTHZ_RECORD=" LINE "\n");
}

static void
other_lines_have_a_message_too(void **state)
{
	static const struct {
		const char *line, *begins;
	} rows[] = {
	    {"{\"decision\":\"allow\",\"reason\":\"exception\",\"rule\":\"gdb\"}",
	     "MESSAGE=allow: exception (rule gdb)\nPRIORITY=5\n"},
	    {"{\"decision\":\"observe\",\"reason\":\"posture\"}",
	     "MESSAGE=observe: posture\nPRIORITY=5\n"},
	    {"{\"event\":\"recovery\",\"message\":\"a torn line\"}",
	     "MESSAGE=a torn line\nPRIORITY=5\n"},
	    {"hello", "MESSAGE=a line of the record\nPRIORITY=5\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		cleanup_buf struct buf got = {0};

		send_and_read(kind, rows[i].line, &got);
		if (!text_has_prefix(buf_text(&got), rows[i].begins))
			fail_msg("%s: %s", rows[i].line, got.at);
	}
}

static void
value_with_a_newline_can_not_begin_a_field(void **state)
{
	static const char line[] = "{\"decision\":\"deny\",\"message\":\"no\","
				   "\"user\":\"x\\nSECCOMP_AUTHZ_DECISION=allow\"}";
	static const char value[] = "x\nSECCOMP_AUTHZ_DECISION=allow";
	uint64_t len = htole64(sizeof value - 1);
	cleanup_buf struct buf got = {0}, wanted = {0};

	(void)state;
	buf_str(&wanted, "SECCOMP_AUTHZ_DECISION=deny\nSECCOMP_AUTHZ_USER\n");
	buf_add(&wanted, &len, sizeof len);
	buf_str(&wanted, value);
	buf_str(&wanted, "\nSECCOMP_AUTHZ_RECORD=");
	buf_str(&wanted, line);
	buf_char(&wanted, '\n');
	send_and_read(kind, line, &got);
	assert_true(got.len > wanted.len);
	assert_memory_equal(got.at + got.len - wanted.len, wanted.at, wanted.len);
}

/* The bytes of the file that came with an empty message. */
static void
read_sealed(int server, struct buf *ret_bytes, int *ret_seals)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	char byte;
	struct iovec part = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &part,
	                         .msg_iovlen = 1,
	                         .msg_control = control,
	                         .msg_controllen = sizeof control};
	static char bytes[MESSAGE_MAX];
	ssize_t len;
	int fd;

	assert_int_equal(recvmsg(server, &message, 0), 0);
	assert_non_null(CMSG_FIRSTHDR(&message));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	len = pread(fd, bytes, sizeof bytes, 0);
	*ret_seals = fcntl(fd, F_GET_SEALS);
	(void)close(fd);
	buf_add(ret_bytes, bytes, len > 0 ? (size_t)len : 0);
}

static void
message_too_large_for_a_datagram_goes_in_a_sealed_file(void **state)
{
	cleanup_buf struct buf line = {0}, got = {0};
	int server = daemon_start(SOCK_DGRAM), seals = 0, least = 1, next;
	struct record_sink *sink;
	struct err err = {0};
	size_t taken = 0;

	(void)state;
	next = dup(server); /* the number that the sink's socket will have */
	(void)close(next);
	sink = sink_to_daemon(kind);
	assert_int_equal(setsockopt(next, SOL_SOCKET, SO_SNDBUF, &least, sizeof least),
	                 0);
	buf_str(&line, "{\"decision\":\"deny\",\"message\":\"");
	while (line.len < RECORD_LINE_MAX - 4)
		buf_char(&line, 'x');
	buf_str(&line, "\"}\n");
	if (kind->write(sink, buf_text(&line), &taken, &err))
		fail_msg("%s", err.text);
	read_sealed(server, &got, &seals);
	assert_int_equal(seals, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	assert_true(text_has_prefix(buf_text(&got), "MESSAGE=xxx"));
	assert_memory_equal(got.at + got.len - line.len, line.at, line.len);
	kind->close(sink);
	(void)close(server);
}

static void
lines_are_refused_until_a_daemon_comes(void **state)
{
	(void)state;
	check_comes_late("journald:");
}

static void
daemon_that_is_started_anew_is_found(void **state)
{
	(void)state;
	check_starts_anew("journald:");
}

static void
daemon_that_does_not_read_refuses_until_it_does(void **state)
{
	(void)state;
	check_does_not_read("journald:");
}

static void
behind_another_sink_it_gets_the_same_bytes(void **state)
{
	(void)state;
	check_follows("journald:");
}

#define in_a_folder(test)                                                                \
	cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_folder(denial_has_its_fields),
	    in_a_folder(other_lines_have_a_message_too),
	    in_a_folder(value_with_a_newline_can_not_begin_a_field),
	    in_a_folder(message_too_large_for_a_datagram_goes_in_a_sealed_file),
	    in_a_folder(lines_are_refused_until_a_daemon_comes),
	    in_a_folder(daemon_that_is_started_anew_is_found),
	    in_a_folder(daemon_that_does_not_read_refuses_until_it_does),
	    in_a_folder(behind_another_sink_it_gets_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
