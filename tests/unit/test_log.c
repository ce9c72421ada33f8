/* SPDX-License-Identifier: Apache-2.0 */
/* test_log.c - tests edge/log.h. */
#include "temporary.h"

#include <signal.h>

static void
each_name_is_a_level_and_no_other(void **state)
{
	static const struct {
		const char *name;
		int level;
	} rows[] = {
	    {"error", LOG_LEVEL_ERROR},
	    {"warning", LOG_LEVEL_WARNING},
	    {"info", LOG_LEVEL_INFO},
	    {"debug", LOG_LEVEL_DEBUG},
	    {"", -1},
	    {"Error", -1},
	    {"errors", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(log_level_from_name(rows[i].name), rows[i].level);
}

static void
assert_log_is(const char *wanted)
{
	cleanup_buf struct buf bytes = {0};

	read_into(in_folder("log"), &bytes);
	assert_string_equal(bytes.at ? bytes.at : "", wanted);
}

static void
messages_above_the_level_are_dropped(void **state)
{
	(void)state;
	test_log.level = LOG_LEVEL_WARNING;
	log_error(&test_log, "a %d", 1);
	log_warning(&test_log, "b");
	log_info(&test_log, "c");
	log_debug(&test_log, "d");
	assert_log_is("seccomp-authz: a 1\nseccomp-authz: b\n");
}

static void
journal_lines_carry_their_priority(void **state)
{
	(void)state;
	test_log.journal = 1;
	log_error(&test_log, "a");
	log_warning(&test_log, "b");
	log_info(&test_log, "c");
	log_debug(&test_log, "d");
	assert_log_is("<3>seccomp-authz: a\n<4>seccomp-authz: b\n<6>seccomp-authz: c\n"
	              "<7>seccomp-authz: d\n");
}

static void
control_characters_do_not_make_a_second_line(void **state)
{
	(void)state;
	log_info(&test_log, "%s", "a\nb\033[2Jc\x7f");
	assert_log_is("seccomp-authz: a?b?[2Jc?\n");
}

static void
long_message_is_cut_and_says_so(void **state)
{
	cleanup_buf struct buf bytes = {0};
	char text[4000];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_info(&test_log, "%s", text);
	read_into(in_folder("log"), &bytes);
	assert_int_equal(bytes.len, 2048);
	assert_string_equal(bytes.at + bytes.len - 5, "x...\n");
}

static void
message_that_just_fits_is_not_cut(void **state)
{
	cleanup_buf struct buf bytes = {0};
	char text[2049 - sizeof "seccomp-authz: "];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_info(&test_log, "%s", text);
	read_into(in_folder("log"), &bytes);
	assert_string_equal(bytes.at + bytes.len - 3, "xx\n");
	assert_int_equal(bytes.len, 2048);
}

static void
full_pipe_loses_messages_and_does_not_hang(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	struct log log = {.level = LOG_LEVEL_INFO, .fd = ends[1]};
	for (int i = 0; i < 10000; i++)
		log_info(&log, "message %d", i);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void
journal_is_known_by_the_device_and_inode_of_stderr(void **state)
{
	static const int offsets[] = {0, 1};
	char text[64];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
		(void)snprintf(text, sizeof text, "%llu:%llu",
		               (unsigned long long)st.st_dev,
		               (unsigned long long)st.st_ino + (unsigned)offsets[i]);
		assert_int_equal(setenv("JOURNAL_STREAM", text, 1), 0);
		assert_int_equal(log_start(LOG_LEVEL_INFO).journal, offsets[i] == 0);
	}
	assert_int_equal(setenv("JOURNAL_STREAM", "x", 1), 0);
	assert_int_equal(log_start(LOG_LEVEL_INFO).journal, 0);
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	assert_int_equal(log_start(LOG_LEVEL_INFO).journal, 0);
	assert_int_equal(log_start(LOG_LEVEL_INFO).fd, STDERR_FILENO);
}

#define in_a_folder(test)                                                                \
	cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_name_is_a_level_and_no_other),
	    in_a_folder(messages_above_the_level_are_dropped),
	    in_a_folder(journal_lines_carry_their_priority),
	    in_a_folder(control_characters_do_not_make_a_second_line),
	    in_a_folder(long_message_is_cut_and_says_so),
	    in_a_folder(message_that_just_fits_is_not_cut),
	    cmocka_unit_test(full_pipe_loses_messages_and_does_not_hang),
	    cmocka_unit_test(journal_is_known_by_the_device_and_inode_of_stderr),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
