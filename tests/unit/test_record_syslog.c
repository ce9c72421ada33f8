/* SPDX-License-Identifier: Apache-2.0 */
/* test_record_syslog.c - tests the syslog sink of edge/record.h on sockets of its own. */
#include "log_daemon.h"

#define LINE                                                                             \
	"{\"time\":\"2026-01-02T03:04:05.678901Z\",\"id\":\"01KE\",\"decision\":"        \
	"\"deny\","                                                                      \
	"\"reason\":\"posture\",\"message\":\"no\",\"posture\":\"unconfined\","          \
	"\"user\":\"alice\",\"containers\":[{\"name\":\"web\",\"image\":\"nginx\"},"     \
	"{\"name\":\"b\",\"image\":\"other\"}],\"rule\":\"default\",\"host\":\"h."       \
	"example\","                                                                     \
	"\"seq\":7,\"prev\":\"\"}"

static const struct record_sink_kind *const kind = &record_sink_syslog;

static void
denial_is_a_message_of_rfc_5424(void **state)
{
	cleanup_buf struct buf got = {0};
	char wanted[1024];

	(void)state;
	(void)snprintf(
	    wanted, sizeof wanted,
	    "<84>1 2026-01-02T03:04:05.678901Z h.example seccomp-authz %ld deny "
	    "[seccomp-authz@32473 seq=\"7\" id=\"01KE\" decision=\"deny\" "
	    "reason=\"posture\" posture=\"unconfined\" rule=\"default\" user=\"alice\" "
	    "image=\"nginx\"] %s",
	    (long)getpid(), LINE);
	send_and_read(kind, LINE, &got);
	assert_string_equal(got.at, wanted);
}

static void
other_lines_are_told_by_severity_and_word(void **state)
{
	static const struct {
		const char *line, *begins, *has;
	} rows[] = {
	    {"{\"decision\":\"allow\",\"reason\":\"exception\",\"seq\":1}", "<85>1 - - ",
	     " allow [seccomp-authz@32473 seq=\"1\" decision=\"allow\" "
	     "reason=\"exception\"] {"},
	    {"{\"decision\":\"observe\"}", "<85>1 - - ",
	     " observe [seccomp-authz@32473 decision=\"observe\"] {"},
	    {"{\"time\":\"T\",\"event\":\"recovery\",\"host\":\"h\",\"seq\":2}",
	     "<85>1 T h ",
	     " recovery [seccomp-authz@32473 seq=\"2\" event=\"recovery\"] {"},
	    {"{\"decision\":\"deny\",\"host\":\"two words\"}", "<84>1 - - ", " deny ["},
	    {"{\"decision\":\"deny\",\"host\":\"h\\u00e9\"}", "<84>1 - - ", " deny ["},
	    {"{\"decision\":\"deny\",\"host\":\"\"}", "<84>1 - - ", " deny ["},
	    /* what is no line of ours goes out as it is */
	    {"hello", "<85>1 - - ", " - [seccomp-authz@32473] hello"},
	    {"{\"decision\":\"deny\"", "<85>1 - - ", " - [seccomp-authz@32473] {"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		cleanup_buf struct buf got = {0};

		send_and_read(kind, rows[i].line, &got);
		if (!text_has_prefix(buf_text(&got), rows[i].begins) ||
		    !strstr(got.at, rows[i].has))
			fail_msg("%s: %s", rows[i].line, got.at);
		assert_string_equal(got.at + got.len - strlen(rows[i].line),
		                    rows[i].line);
	}
}

/* What a user is called, as JSON, and as a value of structured data. */
static void
nothing_of_a_request_stands_unescaped_in_structured_data(void **state)
{
	static const struct {
		const char *json, *value;
	} rows[] = {
	    {"plain", "plain"},
	    {"", ""},
	    {"a\\\"b", "a\\\"b"},
	    {"a]b", "a\\]b"},
	    {"a\\\\", "a\\\\"},
	    {"\\\\]", "\\\\\\]"},
	    {"\\\"] <34>1 - - su - - [x@1 y=\\\"",
	     "\\\"\\] <34>1 - - su - - [x@1 y=\\\""},
	    {"a\\nb\\r\\tc", "a\\\\nb\\\\r\\\\tc"},
	    {"nul\\u0000end", "nul\\\\u0000end"},
	    {"\\u001b[31m\\u007f", "\\\\u001b[31m\\\\u007f"},
	    {"\\u202etxt\\u0085", "\\\\u202etxt\\\\u0085"},
	    {"h\\u00e9 \xc3\xa9", "h\xc3\xa9 \xc3\xa9"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		cleanup_buf struct buf got = {0};
		char line[256], wanted[256];

		(void)snprintf(line, sizeof line, "{\"user\":\"%s\"}", rows[i].json);
		(void)snprintf(wanted, sizeof wanted,
		               " - [seccomp-authz@32473 user=\"%s\"] {\"user\"",
		               rows[i].value);
		send_and_read(kind, line, &got);
		assert_int_equal(strlen(got.at), got.len);
		if (!strstr(got.at, wanted))
			fail_msg("wanted %s: %s", wanted, got.at);
	}
}

static void
longest_line_goes_out_whole(void **state)
{
	cleanup_buf struct buf got = {0}, line = {0};

	(void)state;
	buf_str(&line, "{\"decision\":\"deny\",\"message\":\"");
	while (line.len < RECORD_LINE_MAX - 3)
		buf_char(&line, 'x');
	buf_str(&line, "\"}");
	send_and_read(kind, line.at, &got);
	assert_string_equal(got.at + got.len - line.len, line.at);
}

static void
daemon_that_has_streams_only_gets_messages_that_end_with_nul(void **state)
{
	int server = daemon_start(SOCK_STREAM), fd;
	struct record_sink *sink = sink_to_daemon(kind);
	static const char lines[] = "{\"a\":1}\n{\"a\":2}\n";
	char got[1024] = {0};
	struct err err = {0};
	size_t taken = 0, len = 0;
	const char *second;

	(void)state;
	fd = accept(server, NULL, NULL);
	assert_int_equal(kind->write(sink, TEXT_LIT(lines), &taken, &err), 0);
	assert_int_equal(taken, strlen(lines));
	kind->close(sink);
	for (ssize_t n; (n = read(fd, got + len, sizeof got - 1 - len)) > 0;)
		len += (size_t)n;
	assert_non_null(strstr(got, "] {\"a\":1}"));
	second = got + strlen(got) + 1;
	assert_true(text_has_prefix(text_of(second), "<85>1 "));
	assert_non_null(strstr(second, "] {\"a\":2}"));
	assert_int_equal((size_t)(second - got) + strlen(second) + 1, len);
	(void)close(fd);
	(void)close(server);
}

static void
target_that_is_no_path_is_refused_at_once(void **state)
{
	static const char *const targets[] = {
	    "syslog:relative", "syslog:localhost:514",
	    ("syslog:/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/"
	     "0123456789/0123456789/0123456789/0123456789")};

	(void)state;
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		const char *const sinks[] = {"stdout", targets[i]};
		struct record *record = NULL;
		struct err err = {0};

		assert_int_equal(record_open(sinks, 2, "h", &test_log, &record, &err),
		                 -1);
		assert_non_null(strstr(err.text, "should be the path of a socket"));
	}
}

static void
lines_are_refused_until_a_daemon_comes(void **state)
{
	(void)state;
	check_comes_late("syslog:");
}

static void
daemon_that_is_started_anew_is_found(void **state)
{
	(void)state;
	check_starts_anew("syslog:");
}

static void
daemon_that_does_not_read_refuses_until_it_does(void **state)
{
	(void)state;
	check_does_not_read("syslog:");
}

static void
behind_another_sink_it_gets_the_same_bytes(void **state)
{
	(void)state;
	check_follows("syslog:");
}

#define in_a_folder(test)                                                                \
	cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_folder(denial_is_a_message_of_rfc_5424),
	    in_a_folder(other_lines_are_told_by_severity_and_word),
	    in_a_folder(nothing_of_a_request_stands_unescaped_in_structured_data),
	    in_a_folder(longest_line_goes_out_whole),
	    in_a_folder(daemon_that_has_streams_only_gets_messages_that_end_with_nul),
	    in_a_folder(target_that_is_no_path_is_refused_at_once),
	    in_a_folder(lines_are_refused_until_a_daemon_comes),
	    in_a_folder(daemon_that_is_started_anew_is_found),
	    in_a_folder(daemon_that_does_not_read_refuses_until_it_does),
	    in_a_folder(behind_another_sink_it_gets_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
