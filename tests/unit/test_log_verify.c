/* SPDX-License-Identifier: Apache-2.0 */
/* test_log_verify.c - every change to a record is found, and named where it is. */
#include "edge/record_verify.h"
#include "record_make.h"

enum { LINES = 200, TORN_AT = 57, AHEAD = 4 /* lines in which a fault must show */ };

static struct record_reader reader;
static struct made record;
static int file = -1; /* what is being walked */

/* The walk before each line of the record; [LINES] after all. */
static struct record_verify before[LINES + 1];

/* Walks what is in `file` from *verify on; `to_end`: there is nothing after it. */
static void
walk(struct record_verify *verify, bool to_end)
{
	struct record_found line;
	struct err err = {0};
	enum record_walk step = RECORD_WALK_ON;
	int got = 1;

	record_reader_start(&reader, file, 0);
	while (got == 1 && step != RECORD_WALK_END) {
		got = record_read(&reader, &line, &err);
		if (got == 1 || line.len > 0)
			step = record_verify_line(verify, "r", &line);
	}
	assert_true(got >= 0);
	if (to_end && step != RECORD_WALK_END)
		record_verify_end(verify);
}

static void
put(struct text bytes)
{
	assert_int_equal(pwrite(file, bytes.at, bytes.len, 0), (ssize_t)bytes.len);
	assert_int_equal(ftruncate(file, (off_t)bytes.len), 0);
}

/* What becomes of the walk before line `at` when `bytes` come next. */
static struct record_verify
walk_from(size_t at, struct text bytes, bool to_end)
{
	struct record_verify verify = before[at];

	put(bytes);
	walk(&verify, to_end);
	return verify;
}

static int
make_record(void **state)
{
	(void)state;
	file = memfd_create("record", MFD_CLOEXEC);
	make_lines(&record, TORN_AT);
	make_torn(&record, "{\"time\":\"2026-11-25T03:00:57.000000Z\",\"id\":\"58\"",
	          true);
	make_lines(&record, LINES - TORN_AT - 2);
	assert_int_equal(record.count, LINES);
	for (size_t i = 0; i < LINES; i++) {
		before[i + 1] = before[i];
		put(made_lines(&record, i, i + 1));
		walk(&before[i + 1], false);
	}
	return 0;
}

static int
free_record(void **state)
{
	(void)state;
	buf_free(&record.bytes);
	record_reader_free(&reader);
	return close(file);
}

static size_t
up_to(size_t at)
{
	return at < LINES ? at : LINES;
}

static struct record_note
note_of(size_t line)
{
	struct text text = made_lines(&record, line, line + 1);
	struct record_note note = {.seq = line < TORN_AT ? line + 1 : line};

	text.len--;
	record_chain_hash(text, note.hash);
	return note;
}

/* ---- an untouched record ---- */

static void
an_untouched_record_is_proven_but_for_its_last_line(void **state)
{
	struct record_verify verify = before[LINES];

	(void)state;
	record_verify_end(&verify);
	assert_int_equal(verify.fault, RECORD_INTACT);
	assert_int_equal(verify.first.seq, 1);
	assert_int_equal(verify.proven.seq, LINES - 2);
	assert_int_equal(verify.last.seq, LINES - 1);
	assert_string_equal(verify.first.time, "2026-11-25T03:00:01.000000Z");
}

static void
a_torn_line_that_was_closed_is_told_and_is_no_fault(void **state)
{
	struct record_verify verify = {0};
	struct record_found line;
	struct err err = {0};
	int torn = 0;

	(void)state;
	put(buf_text(&record.bytes));
	record_reader_start(&reader, file, 0);
	while (record_read(&reader, &line, &err) > 0) {
		if (record_verify_line(&verify, "r", &line) != RECORD_WALK_TORN)
			continue;
		torn++;
		assert_int_equal(verify.torn[0].number, TORN_AT + 1);
		assert_int_equal(verify.closed_by.number, TORN_AT + 2);
		assert_int_equal(verify.closed_by.seq, TORN_AT + 1);
		assert_null(verify.unconfirmed.path);
	}
	assert_int_equal(torn, 1);
	assert_int_equal(verify.fault, RECORD_INTACT);
}

static void
a_line_before_a_torn_one_is_unconfirmed_if_the_recovery_record_does_not_name_it(
    void **state)
{
	struct record_verify verify = {0};
	struct made made = {0};

	(void)state;
	make_lines(&made, 3);
	make_torn(&made, "{", false);
	put(buf_text(&made.bytes));
	walk(&verify, false);
	assert_int_equal(verify.fault, RECORD_INTACT);
	assert_int_equal(verify.unconfirmed.number, 3);
	buf_free(&made.bytes);
}

static void
a_noted_line_proves_the_end(void **state)
{
	struct record_verify verify = {.noted = {note_of(LINES - 1)}, .noted_count = 1};

	(void)state;
	put(buf_text(&record.bytes));
	walk(&verify, true);
	assert_int_equal(verify.fault, RECORD_INTACT);
	assert_int_equal(verify.proven.seq, LINES - 1);
}

static void
a_later_beginning_is_taken_if_that_is_said_or_the_line_before_was_noted(void **state)
{
	struct record_verify plain = {0}, partial = {.partial = true};
	struct record_verify noted = {.noted = {note_of(9)}, .noted_count = 1};
	struct record_verify other = {.noted = {note_of(9)}, .noted_count = 1};

	(void)state;
	other.noted[0].hash[5] ^= 1;
	put(made_lines(&record, 10, LINES));
	walk(&plain, true);
	walk(&partial, true);
	walk(&noted, true);
	walk(&other, true);
	assert_int_equal(plain.fault, RECORD_MISSING);
	assert_int_equal(plain.missing_from, 1);
	assert_int_equal(plain.missing_to, 10);
	assert_int_equal(partial.fault, RECORD_INTACT);
	assert_int_equal(partial.first.seq, 11);
	assert_int_equal(noted.fault, RECORD_INTACT);
	assert_int_equal(other.fault, RECORD_ALTERED);
}

static void
another_record_behind_the_first_is_named_as_one(void **state)
{
	struct made two = {0};
	struct record_verify verify = {0};

	(void)state;
	make_lines(&two, 3);
	two.chain = (struct record_chain){0};
	record_chain_add(&two.chain, &two.bytes,
	                 TEXT_LIT("{\"time\":\"2026-11-25T04:00:00.000000Z\""));
	made_end_line(&two);
	put(buf_text(&two.bytes));
	walk(&verify, true);
	assert_int_equal(verify.fault, RECORD_REPEATED);
	assert_int_equal(verify.at.number, 4);
	assert_non_null(strstr(verify.what, "another record begins here, at seq 1; 4"));
	assert_int_equal(verify.proven.seq, 2);
	buf_free(&two.bytes);
}

/* A recovery record says which line came before the torn one; which of the two was altered
   the line after them tells. */
static void
a_recovery_record_and_the_line_that_it_names_are_told_apart(void **state)
{
	static const struct {
		size_t line;
		const char *in;
	} rows[] = {{TORN_AT + 1, ",\"after\":\""}, {TORN_AT - 1, "\"decision\":\""}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct text all = made_lines(&record, TORN_AT - 1, TORN_AT + AHEAD);
		size_t before_it = rows[i].line > TORN_AT ? 2 : 0;
		cleanup_buf struct buf bytes = {0};
		struct record_verify verify;
		char *at;

		buf_add_text(&bytes, all);
		at = strstr(bytes.at, rows[i].in) + strlen(rows[i].in);
		*at = *at == 'a' ? 'b' : 'a';
		verify = walk_from(TORN_AT - 1, buf_text(&bytes), false);
		assert_int_equal(verify.fault, RECORD_ALTERED);
		assert_int_equal(verify.at.number, before_it + 1);
		assert_in_range(verify.proven.seq, TORN_AT - 2, TORN_AT - 1);
	}
}

/* ---- every change ---- */

static void
check_flip(size_t line, size_t byte, char with, const struct text *rest)
{
	cleanup_buf struct buf bytes = {0};
	struct record_verify verify;
	bool to_end = up_to(line + AHEAD) == LINES;

	buf_add_text(&bytes, *rest);
	assert_true(buf_ok(&bytes));
	bytes.at[byte] = (char)(bytes.at[byte] ^ with);
	verify = walk_from(line, buf_text(&bytes), to_end);
	if (verify.fault == RECORD_INTACT)
		fail_msg("line %zu, byte %zu ^ %#x: not found", line + 1, byte,
		         (unsigned)with);
	/* the line, or the one behind it, is named */
	if (verify.at.number < 1 || verify.at.number > 3)
		fail_msg("line %zu, byte %zu: the fault is said to be %llu lines on",
		         line + 1, byte, (unsigned long long)verify.at.number);
}

static void
any_flipped_byte_of_any_line_but_the_last_is_found(void **state)
{
	static const char with[] = {0x01, 0x20, (char)0x80};

	(void)state;
	for (size_t line = 0; line + 1 < LINES; line++) {
		struct text rest = made_lines(&record, line, up_to(line + AHEAD));
		size_t len = made_lines(&record, line, line + 1).len;

		for (size_t byte = 0; byte < len; byte++)
			check_flip(line, byte, with[byte % sizeof with], &rest);
	}
}

/* Its bytes are confirmed by nothing, and so the walk says. */
static void
a_flipped_byte_of_the_last_line_is_found_against_a_note_or_left_unproven(void **state)
{
	struct text last = made_lines(&record, LINES - 1, LINES);
	struct record_note note = note_of(LINES - 1);

	(void)state;
	for (size_t byte = 0; byte < last.len; byte++) {
		cleanup_buf struct buf bytes = {0};
		struct record_verify verify = before[LINES - 1], noted = verify;

		noted.noted[noted.noted_count++] = note;
		buf_add_text(&bytes, last);
		bytes.at[byte] ^= 0x01;
		put(buf_text(&bytes));
		walk(&verify, true);
		walk(&noted, true);
		assert_int_not_equal(noted.fault, RECORD_INTACT);
		if (verify.fault == RECORD_INTACT)
			assert_int_equal(verify.proven.seq, LINES - 2);
	}
}

static void
the_line_that_was_altered_is_the_one_that_is_named(void **state)
{
	(void)state;
	for (size_t line = 0; line + 2 < LINES; line++) {
		struct text rest = made_lines(&record, line, up_to(line + AHEAD));
		cleanup_buf struct buf bytes = {0};
		struct record_verify verify;

		if (line == TORN_AT || line == TORN_AT + 1)
			continue; /* which of these two can't be told */
		buf_add_text(&bytes, rest);
		bytes.at[30] ^= 0x01;
		verify = walk_from(line, buf_text(&bytes), false);
		assert_int_equal(verify.fault, RECORD_ALTERED);
		assert_int_equal(verify.at.number, 1);
	}
}

/* A line whose `prev` was altered, and not the one before it. */
static void
an_altered_prev_is_told_from_an_altered_line(void **state)
{
	cleanup_buf struct buf bytes = {0};
	struct record_verify verify;
	size_t line = 100, end = made_lines(&record, line, line + 1).len;

	(void)state;
	buf_add_text(&bytes, made_lines(&record, line, line + AHEAD));
	bytes.at[end - 10] = bytes.at[end - 10] == '0' ? '1' : '0';
	verify = walk_from(line, buf_text(&bytes), false);
	assert_int_equal(verify.fault, RECORD_ALTERED);
	assert_int_equal(verify.at.number, 1);
	assert_int_equal(verify.at.seq, line);
}

static void
any_deleted_line_but_the_last_is_found(void **state)
{
	(void)state;
	for (size_t line = 0; line + 1 < LINES; line++) {
		struct record_verify verify =
		    walk_from(line, made_lines(&record, line + 1, up_to(line + AHEAD)),
		              up_to(line + AHEAD) == LINES);

		if (verify.fault == RECORD_INTACT)
			fail_msg("line %zu deleted: not found", line + 1);
		if (line != TORN_AT && line != TORN_AT + 1)
			assert_int_equal(verify.fault, RECORD_MISSING);
	}
}

static void
deleted_last_lines_are_found_against_a_note(void **state)
{
	(void)state;
	for (size_t gone = 1; gone < 5; gone++) {
		struct record_verify verify = before[LINES - gone];

		verify.noted[verify.noted_count++] = note_of(LINES - 1);
		record_verify_end(&verify);
		assert_int_equal(verify.fault, RECORD_MISSING);
		assert_int_equal(verify.missing_from, LINES - gone);
		assert_int_equal(verify.missing_to, LINES - 1);
	}
}

static void
any_repeated_line_is_found(void **state)
{
	(void)state;
	for (size_t line = 0; line < LINES; line++) {
		cleanup_buf struct buf bytes = {0};
		struct record_verify verify;

		buf_add_text(&bytes, made_lines(&record, line, line + 1));
		buf_add_text(&bytes, made_lines(&record, line, up_to(line + AHEAD)));
		verify = walk_from(line, buf_text(&bytes), true);
		if (verify.fault == RECORD_INTACT)
			fail_msg("line %zu repeated: not found", line + 1);
		if (line != TORN_AT && line != TORN_AT + 1)
			assert_int_equal(verify.fault, RECORD_REPEATED);
	}
}

static void
any_two_swapped_lines_are_found(void **state)
{
	(void)state;
	for (size_t a = 0; a < LINES; a++) {
		for (size_t b = a + 1; b < LINES; b++) {
			size_t ahead = up_to(a + AHEAD);
			cleanup_buf struct buf bytes = {0};

			buf_add_text(&bytes, made_lines(&record, b, b + 1));
			for (size_t i = a + 1; i < ahead; i++) {
				size_t line = i == b ? a : i;

				buf_add_text(&bytes, made_lines(&record, line, line + 1));
			}
			if (walk_from(a, buf_text(&bytes), ahead == LINES).fault ==
			    RECORD_INTACT)
				fail_msg("lines %zu and %zu swapped: not found", a + 1,
				         b + 1);
		}
	}
}

static void
a_line_that_stands_elsewhere_is_told_from_one_that_is_gone(void **state)
{
	cleanup_buf struct buf bytes = {0};
	struct record_verify verify = {0};

	(void)state;
	buf_add_text(&bytes, made_lines(&record, 0, 10));
	buf_add_text(&bytes, made_lines(&record, 11, 40));
	buf_add_text(&bytes, made_lines(&record, 10, 11));
	buf_add_text(&bytes, made_lines(&record, 40, LINES));
	put(buf_text(&bytes));
	walk(&verify, true);
	assert_int_equal(verify.fault, RECORD_REORDERED);
	assert_int_equal(verify.at.number, 11);
	assert_non_null(strstr(verify.what, "seq 11 comes later, at r:40"));
	assert_int_equal(verify.proven.seq, 9);
}

static void
a_torn_line_without_a_recovery_record_is_a_fault(void **state)
{
	static const struct text rows[] = {
	    TEXT_LIT("{\"time\":\"2026-11"),
	    TEXT_LIT("{\"time\":\"2026-11\n"),
	    TEXT_LIT("\n"),
	    TEXT_LIT("\0\0\0\0"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct record_verify verify = walk_from(LINES, rows[i], true);

		assert_int_equal(verify.fault, RECORD_TORN);
		assert_int_equal(verify.at.number, 1);
	}
}

static void
a_last_line_without_its_newline_is_torn(void **state)
{
	struct text last = made_lines(&record, LINES - 1, LINES);

	(void)state;
	last.len--;
	assert_int_equal(walk_from(LINES - 1, last, true).fault, RECORD_TORN);
}

static void
a_recovery_record_closes_one_torn_line_and_no_more(void **state)
{
	cleanup_buf struct buf bytes = {0};

	(void)state;
	buf_str(&bytes, "somebody wrote this\n");
	buf_add_text(&bytes, made_lines(&record, TORN_AT, TORN_AT + AHEAD));
	assert_int_equal(walk_from(TORN_AT, buf_text(&bytes), false).fault, RECORD_TORN);
}

static void
a_note_is_a_number_and_a_hash(void **state)
{
	static const struct {
		const char *text;
		int result;
	} rows[] = {
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	    {"1:" HASH, 0},
	    {"123456789012345678:" HASH, 0},
	    {"1234567890123456789:" HASH, -1},
	    {"0:" HASH, -1},
	    {":" HASH, -1},
	    {"1" HASH, -1},
	    {"1:" HASH "0", -1},
	    {"1:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", -1},
	    {"-1:" HASH, -1},
	    {"", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct record_note note;

		if (record_note_read(text_of(rows[i].text), &note) != rows[i].result)
			fail_msg("%s", rows[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_untouched_record_is_proven_but_for_its_last_line),
	    cmocka_unit_test(a_torn_line_that_was_closed_is_told_and_is_no_fault),
	    cmocka_unit_test(
		a_line_before_a_torn_one_is_unconfirmed_if_the_recovery_record_does_not_name_it),
	    cmocka_unit_test(a_noted_line_proves_the_end),
	    cmocka_unit_test(another_record_behind_the_first_is_named_as_one),
	    cmocka_unit_test(a_recovery_record_and_the_line_that_it_names_are_told_apart),
	    cmocka_unit_test(
		a_later_beginning_is_taken_if_that_is_said_or_the_line_before_was_noted),
	    cmocka_unit_test(any_flipped_byte_of_any_line_but_the_last_is_found),
	    cmocka_unit_test(
		a_flipped_byte_of_the_last_line_is_found_against_a_note_or_left_unproven),
	    cmocka_unit_test(the_line_that_was_altered_is_the_one_that_is_named),
	    cmocka_unit_test(an_altered_prev_is_told_from_an_altered_line),
	    cmocka_unit_test(any_deleted_line_but_the_last_is_found),
	    cmocka_unit_test(deleted_last_lines_are_found_against_a_note),
	    cmocka_unit_test(any_repeated_line_is_found),
	    cmocka_unit_test(any_two_swapped_lines_are_found),
	    cmocka_unit_test(a_line_that_stands_elsewhere_is_told_from_one_that_is_gone),
	    cmocka_unit_test(a_torn_line_without_a_recovery_record_is_a_fault),
	    cmocka_unit_test(a_last_line_without_its_newline_is_torn),
	    cmocka_unit_test(a_recovery_record_closes_one_torn_line_and_no_more),
	    cmocka_unit_test(a_note_is_a_number_and_a_hash),
	};

	return cmocka_run_group_tests_name("log_verify", tests, make_record, free_record);
}
