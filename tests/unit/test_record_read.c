/* SPDX-License-Identifier: Apache-2.0 */
/* test_record_read.c - lines are found whole, counted and hashed; files in order. */
#include "edge/record_files.h"
#include "edge/record_read.h"
#include "record_make.h"

static struct record_reader reader;

static void
lines_come_with_their_place_number_and_hash(void **state)
{
	struct made made = {0};
	struct record_found line;
	struct err err = {0};

	(void)state;
	make_lines(&made, 3);
	make_torn(&made, "{\"time\":\"2026", false);
	make_lines(&made, 2);
	cleanup_fd int fd = memory_file(buf_text(&made.bytes));
	record_reader_start(&reader, fd, 0);
	for (size_t i = 0; i < made.count; i++) {
		struct text want = made_lines(&made, i, i + 1);
		char hash[RECORD_HASH_HEX + 1];

		want.len--;
		record_chain_hash(want, hash);
		assert_int_equal(record_read(&reader, &line, &err), 1);
		assert_true(text_equal(line.text, want));
		assert_int_equal(line.number, i + 1);
		assert_int_equal(line.start, made.starts[i]);
		assert_int_equal(line.end, made.starts[i + 1]);
		assert_string_equal(line.hash, hash);
		assert_int_equal(line.seq, i < 3 ? i + 1 : i > 3 ? i : 0);
		assert_int_equal(record_found_is_recovery(&line), i == 4);
	}
	assert_int_equal(record_read(&reader, &line, &err), 0);
	assert_int_equal(line.len, 0);
	buf_free(&made.bytes);
}

static void
each_line_names_the_hash_of_the_one_before(void **state)
{
	char last[RECORD_HASH_HEX + 1] = "";
	struct made made = {0};
	struct record_found line;
	struct err err = {0};

	(void)state;
	make_lines(&made, 20);
	make_torn(&made, "x", true);
	make_lines(&made, 3);
	cleanup_fd int fd = memory_file(buf_text(&made.bytes));
	record_reader_start(&reader, fd, 0);
	while (record_read(&reader, &line, &err) > 0) {
		if (line.seq > 0)
			assert_string_equal(line.prev, last);
		memcpy(last, line.hash, sizeof last);
	}
	buf_free(&made.bytes);
}

static void
what_has_no_end_is_read_again_once_it_has(void **state)
{
	struct record_found line;
	struct err err = {0};
	cleanup_fd int fd = memory_file(TEXT_LIT("one\ntw"));

	(void)state;
	record_reader_start(&reader, fd, 0);
	assert_int_equal(record_read(&reader, &line, &err), 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(record_read(&reader, &line, &err), 0);
		assert_true(text_is(line.text, "tw"));
		assert_false(line.whole);
		assert_int_equal(line.number, 2);
	}
	/* it is taken back, and another written */
	assert_int_equal(ftruncate(fd, 4), 0);
	assert_int_equal(pwrite(fd, "other\n", 6, 4), 6);
	assert_int_equal(record_read(&reader, &line, &err), 1);
	assert_true(text_is(line.text, "other"));
	assert_int_equal(line.number, 2);
	assert_int_equal(line.start, 4);
	assert_int_equal(record_read(&reader, &line, &err), 0);
}

/* Lengths around the block and the longest line that is kept. */
static void
lines_of_any_length_are_counted_and_hashed_and_kept_to_a_bound(void **state)
{
	static const size_t lengths[] = {
	    0,
	    1,
	    RECORD_LINE_MAX - 1,
	    RECORD_LINE_MAX,
	    RECORD_LINE_MAX + 1,
	    65535,
	    65536,
	    65537,
	    1000000,
	};

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		size_t len = lengths[i],
		       kept = len < RECORD_LINE_MAX ? len : RECORD_LINE_MAX;
		char hash[RECORD_HASH_HEX + 1];
		cleanup_buf struct buf bytes = {0};
		struct record_found line;
		struct err err = {0};

		for (size_t k = 0; k < len; k++)
			buf_char(&bytes, (char)(k % 7));
		record_chain_hash(buf_text(&bytes), hash);
		buf_str(&bytes, "\nnext\n");
		cleanup_fd int fd = memory_file(buf_text(&bytes));
		record_reader_start(&reader, fd, 0);
		assert_int_equal(record_read(&reader, &line, &err), 1);
		assert_int_equal(line.len, len);
		assert_int_equal(line.text.len, kept);
		assert_memory_equal(line.text.at, buf_text(&bytes).at, kept);
		assert_string_equal(line.hash, hash);
		assert_int_equal(line.seq, 0);
		assert_int_equal(record_read(&reader, &line, &err), 1);
		assert_true(text_is(line.text, "next"));
	}
}

static void
its_time_is_that_of_a_record_or_none(void **state)
{
	static const struct {
		const char *line, *time;
	} rows[] = {
	    {"{\"time\":\"2026-11-25T03:00:00.000001Z\",\"x\":1}",
	     "2026-11-25T03:00:00.000001Z"},
	    {"{\"time\":\"2026-11-25T03:00:00Z\",\"x\":1}", ""},
	    {"{\"x\":1}", ""},
	    {"", ""},
	};
	char time[RECORD_TIME_LEN + 1];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct record_found line = {.text = text_of(rows[i].line)};

		record_found_time(&line, time);
		assert_string_equal(time, rows[i].time);
	}
}

static void
a_file_that_can_not_be_read_is_an_error(void **state)
{
	cleanup_fd int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct record_found line;
	struct err err = {0};

	(void)state;
	record_reader_start(&reader, fd, 0);
	assert_int_equal(record_read(&reader, &line, &err), -1);
	assert_int_equal(err.code, ERR_SYSTEM);
}

/* ---- files ---- */

/* r.3 r.2 r.1 r of five lines each, and one that is still empty. */
static void
write_files(struct made *made)
{
	make_lines(made, 20);
	write_file(in_folder("r.3"), made_lines(made, 0, 5), 0);
	write_file(in_folder("r.2"), made_lines(made, 5, 10), 0);
	write_file(in_folder("r.1"), made_lines(made, 10, 15), 0);
	write_file(in_folder("r"), made_lines(made, 15, 20), 0);
}

static void
files_stand_in_the_order_of_their_lines(void **state)
{
	static const char *const given[] = {"r.1", "empty", "r", "r.3", "r.2"};
	static const uint64_t first[] = {1, 6, 11, 16, 0};
	cleanup_record_files struct record_files files = {0};
	struct made made = {0};
	struct err err = {0};

	(void)state;
	write_files(&made);
	write_file(in_folder("empty"), TEXT_LIT(""), 0);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(record_files_add(&files, in_folder(given[i]), &err), 0);
	record_files_sort(&files);
	assert_int_equal(files.count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(files.at[i].first_seq, first[i]);
	buf_free(&made.bytes);
}

/* A rotated file may hold nothing but what a crash left. */
static void
a_file_of_torn_lines_alone_stands_before_what_closes_them(void **state)
{
	static const char *const given[] = {"r.1", "r", "other", "r.3", "r.2"};
	static const char *const want[] = {"r.3", "r.2", "r.1", "r", "other"};
	static const char torn[] = "{\"time\":\"20\n{\"ti\n{\"time\":\"2026";
	cleanup_record_files struct record_files files = {0};
	struct made made = {0};
	struct err err = {0};

	(void)state;
	make_lines(&made, 5);
	write_file(in_folder("r.3"), made_lines(&made, 0, 5), 0);
	write_file(in_folder("r.2"), text_first(text_of(torn), 12), 0);
	write_file(in_folder("r.1"), text_from(text_of(torn), 12), 0);
	write_file(in_folder("other"), TEXT_LIT("{\"time\":\"2025\n"), 0);
	record_chain_recover(&made.chain, &made.bytes, text_of(torn), "h", 0);
	made_end_line(&made);
	write_file(in_folder("r"), made_lines(&made, 5, 6), 0);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(record_files_add(&files, in_folder(given[i]), &err), 0);
	record_files_sort(&files);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(files.at[i].path, in_folder(want[i]));
	buf_free(&made.bytes);
}

/* A line of one of two records. */
static void
write_first(const char *name, const char *time, uint64_t seq)
{
	struct record_chain chain = {.seq = seq - 1};
	cleanup_buf struct buf head = {0}, line = {0};

	memset(chain.prev, 'a', seq > 1 ? RECORD_HASH_HEX : 0);
	buf_printf(&head, "{\"time\":\"2026-11-25T%s.000000Z\"", time);
	record_chain_add(&chain, &line, buf_text(&head));
	write_file(in_folder(name), buf_text(&line), 0);
}

static void
files_of_two_records_stand_in_order_by_time_or_by_number(void **state)
{
	static const char *const given[] = {"b.1", "empty", "a", "b", "a.1"};
	static const char *const by_time[] = {"a.1", "a", "b.1", "b", "empty"};
	static const char *const by_number[] = {"a.1", "b.1", "b", "a", "empty"};
	cleanup_record_files struct record_files files = {0};
	struct err err = {0};

	(void)state;
	write_first("a.1", "03:00:00", 1);
	write_first("a", "03:01:00", 40);
	write_first("b.1", "03:02:00", 1);
	write_first("b", "03:03:00", 20);
	write_file(in_folder("empty"), TEXT_LIT(""), 0);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(record_files_add(&files, in_folder(given[i]), &err), 0);
	record_files_sort_by_time(&files);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(files.at[i].path, in_folder(by_time[i]));
	record_files_sort(&files);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(files.at[i].path, in_folder(by_number[i]));
}

static void
rotated_files_are_found_across_gaps_and_each_once(void **state)
{
	cleanup_record_files struct record_files files = {0};
	struct made made = {0};
	struct err err = {0};

	(void)state;
	write_files(&made);
	assert_int_equal(rename(in_folder("r.2"), in_folder("r.5")), 0);
	assert_int_equal(rename(in_folder("r.3"), in_folder("r.77")), 0);
	assert_int_equal(link(in_folder("r.1"), in_folder("again")), 0);
	assert_int_equal(record_files_add(&files, in_folder("again"), &err), 0);
	assert_int_equal(record_files_add(&files, in_folder("r"), &err), 0);
	assert_int_equal(record_files_add_rotated(&files, in_folder("r"), &err), 0);
	assert_int_equal(files.count, 4);
	buf_free(&made.bytes);
}

static void
files_with_a_date_in_their_names_are_found_and_others_are_not(void **state)
{
	static const char *const others[] = {"r-20261125.gz", "r-20261125.jsonl",
	                                     "r-1",           "r2-20261125",
	                                     "r-2026112x",    "r.bak"};
	cleanup_record_files struct record_files files = {0};
	struct made made = {0};
	struct err err = {0};

	(void)state;
	write_files(&made);
	assert_int_equal(rename(in_folder("r.3"), in_folder("r-20261123")), 0);
	assert_int_equal(rename(in_folder("r.2"), in_folder("r-2026-11-24")), 0);
	assert_int_equal(rename(in_folder("r.1"), in_folder("r.20261125")), 0);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		write_file(in_folder(others[i]), TEXT_LIT("\x1f\x8b\n"), 0);
	assert_int_equal(record_files_add(&files, in_folder("r"), &err), 0);
	assert_int_equal(record_files_add_rotated(&files, in_folder("r"), &err), 0);
	assert_int_equal(files.count, 4);
	buf_free(&made.bytes);
}

static void
what_is_no_record_file_is_named_and_refused(void **state)
{
	static const struct {
		const char *name, *says;
	} rows[] = {
	    {"nothing", "can't be opened"},
	    {".", "is a folder"},
	    {"z", "is compressed"},
	};

	(void)state;
	write_file(in_folder("z"), TEXT_LIT("\x1f\x8b\x08 and so on"), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		cleanup_record_files struct record_files files = {0};
		struct err err = {0};

		assert_int_equal(record_files_add(&files, in_folder(rows[i].name), &err),
		                 -1);
		assert_non_null(strstr(err.text, in_folder(rows[i].name)));
		assert_non_null(strstr(err.text, rows[i].says));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_come_with_their_place_number_and_hash),
	    cmocka_unit_test(each_line_names_the_hash_of_the_one_before),
	    cmocka_unit_test(what_has_no_end_is_read_again_once_it_has),
	    cmocka_unit_test(
		lines_of_any_length_are_counted_and_hashed_and_kept_to_a_bound),
	    cmocka_unit_test(its_time_is_that_of_a_record_or_none),
	    cmocka_unit_test(a_file_that_can_not_be_read_is_an_error),
	    cmocka_unit_test_setup_teardown(files_stand_in_the_order_of_their_lines,
	                                    make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		a_file_of_torn_lines_alone_stands_before_what_closes_them, make_folder,
		remove_folder),
	    cmocka_unit_test_setup_teardown(
		files_of_two_records_stand_in_order_by_time_or_by_number, make_folder,
		remove_folder),
	    cmocka_unit_test_setup_teardown(
		rotated_files_are_found_across_gaps_and_each_once, make_folder,
		remove_folder),
	    cmocka_unit_test_setup_teardown(
		files_with_a_date_in_their_names_are_found_and_others_are_not,
		make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(what_is_no_record_file_is_named_and_refused,
	                                    make_folder, remove_folder),
	};
	int failed = cmocka_run_group_tests_name("record_read", tests, NULL, NULL);

	record_reader_free(&reader);
	return failed;
}
