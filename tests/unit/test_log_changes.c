/* SPDX-License-Identifier: Apache-2.0 */
/* test_log_changes.c - any byte, any line, any two lines of a record in several files, with
   torn lines in it: a change is found and named. */
#include "edge/record_verify.h"
#include "record_make.h"

enum { FILES = 3 };

/* A record as it lies in its files; a change is made to a copy of it. */
struct layout {
	struct text lines[MADE_MAX];
	size_t count;
	size_t begins[FILES]; /* the first line of each file */
};

static const char *const paths[FILES] = {"r.2", "r.1", "r"};
static struct made made;
static struct layout whole;
static struct record_reader reader;
static size_t groups[MADE_MAX]; /* a torn run, what closes it and the line before: one */

/* Several torn lines, as one recovery record closes them. */
static void
make_torn_lines(const char *torn)
{
	struct text rest = text_of(torn);

	while (rest.len > 0) {
		struct text line = text_first(rest, text_find(rest, '\n') + 1);

		buf_add_text(&made.bytes, line);
		made_end_line(&made);
		rest = text_from(rest, line.len);
	}
	record_chain_recover(&made.chain, &made.bytes, text_of(torn), "h", 0);
	made_end_line(&made);
}

static void
make_group(size_t from)
{
	for (size_t i = from; i < made.count; i++)
		groups[i] = from + 1;
}

static int
make_record(void **state)
{
	(void)state;
	make_lines(&made, 5);
	make_torn(&made, "{\"time\":\"2026-11-25T03:00:06.0", true);
	make_group(4);
	make_lines(&made, 3);
	whole.begins[1] = made.count;
	make_lines(&made, 3);
	make_torn_lines("{\"time\":\"2026-11-2\n{\"time\":\"2026-11-25T03:00:07\n"
	                "{\"time\":\"2026-11-25T03:00:08.000\n");
	make_group(12);
	make_lines(&made, 2);
	make_torn(&made, "{\"time\":\"2026-11-25T03:1", true);
	whole.begins[2] = made.count - 1; /* torn at the end of a file that was rotated */
	make_group(made.count - 3);
	make_lines(&made, 6);
	whole.count = made.count;
	for (size_t i = 0; i < made.count; i++)
		whole.lines[i] = made_lines(&made, i, i + 1);
	return 0;
}

static int
free_record(void **state)
{
	(void)state;
	buf_free(&made.bytes);
	record_reader_free(&reader);
	return 0;
}

static size_t
end_of(const struct layout *layout, size_t file)
{
	return file + 1 < FILES ? layout->begins[file + 1] : layout->count;
}

static void
walk_file(struct record_verify *verify, const struct layout *layout, size_t file,
          enum record_walk *step)
{
	cleanup_buf struct buf bytes = {0};
	struct record_found line;
	int got = 1, fd;

	for (size_t i = layout->begins[file]; i < end_of(layout, file); i++)
		buf_add_text(&bytes, layout->lines[i]);
	fd = memory_file(buf_text(&bytes));
	record_reader_start(&reader, fd, 0);
	while (got == 1 && *step != RECORD_WALK_END) {
		got = record_read(&reader, &line, NULL);
		if (got == 1 || line.len > 0)
			*step = record_verify_line(verify, paths[file], &line);
	}
	assert_true(got >= 0);
	(void)close(fd);
}

static void
walk(struct record_verify *verify, const struct layout *layout)
{
	enum record_walk step = RECORD_WALK_ON;

	for (size_t file = 0; file < FILES && step != RECORD_WALK_END; file++)
		walk_file(verify, layout, file, &step);
	if (step != RECORD_WALK_END)
		record_verify_end(verify);
}

/* Which line is named, counted through all files. */
static size_t
named(const struct record_verify *verify, const struct layout *layout)
{
	for (size_t file = 0; file < FILES; file++) {
		if (strcmp(paths[file], verify->at.path) == 0)
			return layout->begins[file] + (size_t)verify->at.number - 1;
	}
	fail_msg("no such file: %s", verify->at.path);
	return 0;
}

static bool
same_group(size_t a, size_t b)
{
	return a == b || (groups[a] > 0 && groups[a] == groups[b]);
}

static void
all_torn_lines_of_an_untouched_record_are_told_and_are_no_fault(void **state)
{
	struct record_verify verify = {0};
	enum record_walk step = RECORD_WALK_ON;
	size_t torn = 0;

	(void)state;
	for (size_t i = 0; i < whole.count; i++) {
		struct layout one = {.lines = {whole.lines[i]}, .count = 1, {0, 1, 1}};

		walk_file(&verify, &one, 0, &step);
		if (step == RECORD_WALK_TORN)
			torn += verify.torn_count;
		assert_null(verify.unconfirmed.path);
	}
	record_verify_end(&verify);
	assert_int_equal(verify.fault, RECORD_INTACT);
	assert_int_equal(torn, 5);
	assert_int_equal(verify.last.seq, whole.count - 5);
	assert_int_equal(verify.proven.seq, whole.count - 6);
}

static void
check_flip(size_t line, size_t byte, char with)
{
	struct layout changed = whole;
	struct record_verify verify = {0};
	cleanup_buf struct buf bytes = {0};
	size_t at;

	buf_add_text(&bytes, whole.lines[line]);
	bytes.at[byte] = (char)(bytes.at[byte] ^ with);
	changed.lines[line] = buf_text(&bytes);
	walk(&verify, &changed);
	if (verify.fault == RECORD_INTACT)
		fail_msg("line %zu, byte %zu ^ %#x: not found", line, byte,
		         (unsigned)with);
	at = named(&verify, &whole);
	if (!same_group(at, line))
		fail_msg("line %zu, byte %zu ^ %#x: line %zu is named: %s", line, byte,
		         (unsigned)with, at, verify.what);
}

static void
any_flipped_byte_but_of_the_last_line_is_found_and_its_line_named(void **state)
{
	static const char with[] = {0x01, 0x08, 0x20, (char)0x80};

	(void)state;
	for (size_t line = 0; line + 1 < whole.count; line++) {
		for (size_t byte = 0; byte < whole.lines[line].len; byte++)
			check_flip(line, byte, with[byte % sizeof with]);
	}
}

static void
any_flipped_byte_of_the_last_line_is_found_or_the_line_is_not_proven(void **state)
{
	size_t last = whole.count - 1;

	(void)state;
	for (size_t byte = 0; byte < whole.lines[last].len; byte++) {
		struct layout changed = whole;
		struct record_verify verify = {0};
		cleanup_buf struct buf bytes = {0};

		buf_add_text(&bytes, whole.lines[last]);
		bytes.at[byte] ^= 0x01;
		changed.lines[last] = buf_text(&bytes);
		walk(&verify, &changed);
		if (verify.fault == RECORD_INTACT)
			assert_int_equal(verify.proven.seq, whole.count - 6);
		else
			assert_in_range(named(&verify, &whole), last - 1, last);
	}
}

static void
delete_line(struct layout *layout, size_t line)
{
	for (size_t i = line; i + 1 < layout->count; i++)
		layout->lines[i] = layout->lines[i + 1];
	layout->count--;
	for (size_t file = 0; file < FILES; file++)
		layout->begins[file] -= layout->begins[file] > line;
}

static void
any_deleted_line_but_the_last_is_found_and_what_follows_it_named(void **state)
{
	(void)state;
	for (size_t line = 0; line + 1 < whole.count; line++) {
		struct layout changed = whole;
		struct record_verify verify = {0};
		size_t at;

		delete_line(&changed, line);
		walk(&verify, &changed);
		if (verify.fault == RECORD_INTACT)
			fail_msg("line %zu deleted: not found", line);
		at = named(&verify, &changed);
		if (at != line && !same_group(at + 1, line) && !same_group(at, line))
			fail_msg("line %zu deleted: line %zu is named: %s", line, at,
			         verify.what);
		if (groups[line] == 0)
			assert_int_equal(verify.fault, RECORD_MISSING);
	}
}

static void
any_two_swapped_lines_are_found_and_the_first_of_them_named(void **state)
{
	(void)state;
	for (size_t a = 0; a < whole.count; a++) {
		for (size_t b = a + 1; b < whole.count; b++) {
			struct layout changed = whole;
			struct record_verify verify = {0};
			size_t at;

			changed.lines[a] = whole.lines[b];
			changed.lines[b] = whole.lines[a];
			walk(&verify, &changed);
			if (verify.fault == RECORD_INTACT)
				fail_msg("lines %zu and %zu swapped: not found", a, b);
			at = named(&verify, &changed);
			if (!same_group(at, a) && at != a + 1)
				fail_msg("lines %zu and %zu swapped: line %zu is named: "
				         "%s",
				         a, b, at, verify.what);
		}
	}
}

/* All of a line was written but its newline: the judge closes it as any torn one. */
static void
a_torn_line_that_lacks_its_newline_only_is_told(void **state)
{
	struct record_verify verify = {0};
	struct record_chain before = made.chain;
	struct layout with = whole;
	cleanup_buf struct buf bytes = {0};
	size_t torn_len;

	(void)state;
	record_chain_add(&made.chain, &bytes,
	                 TEXT_LIT("{\"time\":\"2026-11-25T03:30:00.000000Z\""));
	torn_len = bytes.len;
	record_chain_recover(&before, &bytes, text_first(buf_text(&bytes), torn_len - 1),
	                     "h", 0);
	assert_true(buf_ok(&bytes));
	with.lines[with.count++] = buf_text(&bytes);
	walk(&verify, &with);
	assert_int_equal(verify.fault, RECORD_INTACT);
	assert_int_equal(verify.last.seq, before.seq);
}

static void
torn_lines_that_the_recovery_record_does_not_have_are_a_fault(void **state)
{
	struct layout more = whole;
	struct record_verify verify = {0};

	(void)state;
	for (size_t i = more.count++; i > 13; i--)
		more.lines[i] = more.lines[i - 1];
	more.lines[13] = TEXT_LIT("{\"time\":\"2026-11-25T04\n");
	more.begins[2]++;
	walk(&verify, &more);
	assert_int_equal(verify.fault, RECORD_TORN);
	assert_int_equal(named(&verify, &more), 13);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		all_torn_lines_of_an_untouched_record_are_told_and_are_no_fault),
	    cmocka_unit_test(
		any_flipped_byte_but_of_the_last_line_is_found_and_its_line_named),
	    cmocka_unit_test(
		any_flipped_byte_of_the_last_line_is_found_or_the_line_is_not_proven),
	    cmocka_unit_test(
		any_deleted_line_but_the_last_is_found_and_what_follows_it_named),
	    cmocka_unit_test(any_two_swapped_lines_are_found_and_the_first_of_them_named),
	    cmocka_unit_test(
		torn_lines_that_the_recovery_record_does_not_have_are_a_fault),
	    cmocka_unit_test(a_torn_line_that_lacks_its_newline_only_is_told),
	};

	return cmocka_run_group_tests_name("log_changes", tests, make_record,
	                                   free_record);
}
