/* SPDX-License-Identifier: Apache-2.0 */
/* test_ship.c - a record is read in order, across rotation, and where it was left. */
#include "edge/ship.h"
#include "record_make.h"

#include <inttypes.h>

static const struct ship_place nowhere = {.known = false};
static const struct ship_limits limits = {7, SHIP_BATCH_BYTES_MAX};

static struct made made;
static struct ship_follow follow;
static struct ship_batch batch;

static int
begin(void **state)
{
	int result = make_folder(state);

	made.count = 0;
	made.bytes.len = 0;
	made.chain = (struct record_chain){0};
	return result;
}

static int
end(void **state)
{
	ship_follow_stop(&follow);
	ship_batch_free(&batch);
	buf_free(&made.bytes);
	return remove_folder(state);
}

static const char *
record_path(void)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/r", folder);
	return path;
}

static void
start(const struct ship_place *place)
{
	struct err err = {0};

	ship_follow_stop(&follow);
	if (ship_follow_start(&follow, record_path(), place, &test_log, &err))
		fail_msg("%s", err.text);
}

/* Appends what was made since `from` to the file. */
static void
append_made(const char *name, size_t from)
{
	write_file(in_folder(name), made_lines(&made, from, made.count), O_APPEND);
}

/* Makes `count` lines and appends them to the record. */
static void
write_lines(size_t count)
{
	size_t from = made.count;

	make_lines(&made, count);
	append_made("r", from);
}

/* r -> r.1 -> r.2 ... */
static void
rotate(void)
{
	char from[16], to[16];

	for (int i = 8; i >= 0; i--) {
		(void)snprintf(from, sizeof from, i > 0 ? "r.%d" : "r", i);
		(void)snprintf(to, sizeof to, "r.%d", i + 1);
		(void)rename(in_folder(from), in_folder(to));
	}
}

/* Reads and takes all there is; appends the lines to *ret_lines. */
static void
collect(struct buf *ret_lines)
{
	struct err err = {0};
	int more = 1;

	while (more > 0) {
		if (ship_follow_read(&follow, &limits, &batch, &err))
			fail_msg("%s", err.text);
		buf_add_text(ret_lines, buf_text(&batch.lines));
		if (batch.count > 0)
			ship_follow_taken(&follow, &batch);
		else
			more = ship_follow_next(&follow, &err);
	}
	if (more < 0)
		fail_msg("%s", err.text);
}

/* All lines of the record came, once, in order. */
static void
assert_all(const struct buf *got)
{
	assert_true(text_equal(buf_text(got), buf_text(&made.bytes)));
}

/* ---- following ---- */

static void
lines_come_in_order_and_again_until_they_are_taken(void **state)
{
	cleanup_buf struct buf got = {0};
	struct err err = {0};

	(void)state;
	write_lines(20);
	start(&nowhere);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ship_follow_read(&follow, &limits, &batch, &err), 0);
		assert_int_equal(batch.count, 7);
		assert_true(text_equal(buf_text(&batch.lines), made_lines(&made, 0, 7)));
	}
	collect(&got);
	assert_all(&got);
	write_lines(3);
	collect(&got);
	assert_all(&got);
}

static void
a_batch_ends_at_its_limits_but_holds_one_line_at_least(void **state)
{
	static const struct {
		size_t lines, bytes_of, want;
	} rows[] = {{1, 9, 1}, {3, 9, 3}, {9, 4, 4}, {9, 1, 1}, {9, 0, 1}};
	struct err err = {0};

	(void)state;
	write_lines(9);
	start(&nowhere);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ship_limits some = {rows[i].lines, made.starts[rows[i].bytes_of]};

		assert_int_equal(ship_follow_read(&follow, &some, &batch, &err), 0);
		assert_int_equal(batch.count, rows[i].want);
	}
}

static void
rotation_is_followed_however_often_it_happens(void **state)
{
	cleanup_buf struct buf got = {0};

	(void)state;
	write_lines(5);
	start(&nowhere);
	collect(&got);
	for (int times = 1; times < 4; times++) {
		for (int i = 0; i < times; i++) {
			write_lines(10);
			rotate();
		}
		write_lines(times == 2 ? 0 : 4);
		collect(&got);
		assert_all(&got);
	}
}

static void
dated_names_are_followed_as_numbered_ones_are(void **state)
{
	static const char *const dated[] = {"r-20261123", "r-20261124", "r-20261125"};
	cleanup_buf struct buf got = {0};

	(void)state;
	write_lines(5);
	start(&nowhere);
	collect(&got);
	for (size_t i = 0; i < 3; i++) {
		write_lines(10);
		assert_int_equal(rename(in_folder("r"), in_folder(dated[i])), 0);
		if (i != 1)
			collect(&got);
	}
	write_lines(3);
	collect(&got);
	assert_all(&got);
	assert_false(batch.holes);
}

static void
lines_written_to_a_file_after_it_was_renamed_come_before_the_next_file(void **state)
{
	cleanup_buf struct buf got = {0};
	size_t from;

	(void)state;
	write_lines(5);
	start(&nowhere);
	collect(&got);
	rotate();
	from = made.count;
	make_lines(&made, 2);
	append_made("r.1", from);
	write_file(in_folder("r"), TEXT_LIT(""), 0);
	collect(&got);
	from = made.count;
	make_lines(&made, 2);
	append_made("r.1", from);
	collect(&got);
	write_lines(2);
	collect(&got);
	assert_all(&got);
}

/* Stopped after each line, with 0 to 3 rotations meanwhile. */
static void
it_goes_on_where_it_was_left_whatever_the_files_are_called_now(void **state)
{
	struct ship_limits one = {1, SHIP_BATCH_BYTES_MAX};
	struct ship_place place = nowhere;
	cleanup_buf struct buf got = {0};
	struct err err = {0};

	(void)state;
	for (int i = 0; i < 40; i++) {
		write_lines(1);
		if (i % 3 == 0)
			rotate();
		if (i % 7 == 0)
			write_lines(2);
		start(&place);
		while (ship_follow_read(&follow, &one, &batch, &err) == 0 &&
		       batch.count == 0 && ship_follow_next(&follow, &err) > 0)
			;
		buf_add_text(&got, buf_text(&batch.lines));
		if (batch.count > 0)
			ship_follow_taken(&follow, &batch);
		place = follow.place;
	}
	start(&place);
	collect(&got);
	/* the oldest are r.9; none was dropped before it was read */
	assert_all(&got);
}

static void
a_place_is_found_by_its_hash_if_its_file_has_another_number(void **state)
{
	cleanup_buf struct buf got = {0};
	struct ship_place place;

	(void)state;
	write_lines(5);
	start(&nowhere);
	collect(&got);
	place = follow.place;
	place.dev++;
	rotate();
	write_lines(5);
	start(&place);
	collect(&got);
	assert_all(&got);
	assert_logged("is not there", 0);
}

static void
a_file_that_is_gone_and_was_carried_is_not_missed(void **state)
{
	cleanup_buf struct buf got = {0};
	struct ship_place place;

	(void)state;
	write_lines(5);
	start(&nowhere);
	collect(&got);
	place = follow.place;
	rotate();
	write_lines(5);
	assert_int_equal(unlink(in_folder("r.1")), 0);
	start(&place);
	collect(&got);
	assert_all(&got);
	assert_logged("is not there", 0);
}

static void
lines_that_are_gone_are_named(void **state)
{
	struct ship_place place;
	struct err err = {0};

	(void)state;
	write_lines(5);
	start(&nowhere);
	assert_int_equal(ship_follow_read(&follow, &limits, &batch, &err), 0);
	ship_follow_taken(&follow, &batch);
	place = follow.place;
	write_lines(5);
	rotate();
	write_lines(5);
	assert_int_equal(unlink(in_folder("r.1")), 0);
	start(&place);
	assert_logged("the last line that was carried (seq 5) is not there", 1);
	assert_int_equal(ship_follow_read(&follow, &limits, &batch, &err), 0);
	assert_int_equal(batch.count, 5);
	assert_true(batch.holes);
	assert_non_null(strstr(batch.note, "seq 6 to 10 are missing"));
}

static void
another_record_in_the_place_of_the_old_one_is_carried_from_its_beginning(void **state)
{
	cleanup_buf struct buf got = {0};

	(void)state;
	write_lines(9);
	start(&nowhere);
	collect(&got);
	assert_int_equal(rename(in_folder("r"), in_folder("away")), 0);
	made.chain = (struct record_chain){0};
	write_lines(4);
	collect(&got);
	assert_all(&got);
	assert_logged("another record begins, at seq 1", 1);
}

static void
a_copy_in_the_place_of_the_record_is_gone_on_with(void **state)
{
	cleanup_buf struct buf got = {0};

	(void)state;
	write_lines(9);
	start(&nowhere);
	collect(&got);
	write_file(in_folder("copy"), buf_text(&made.bytes), 0);
	assert_int_equal(rename(in_folder("copy"), in_folder("r")), 0);
	write_lines(4);
	collect(&got);
	assert_all(&got);
}

static void
a_record_that_is_not_there_yet_is_waited_for(void **state)
{
	cleanup_buf struct buf got = {0};

	(void)state;
	start(&nowhere);
	collect(&got);
	assert_int_equal(got.len, 0);
	write_lines(2);
	rotate();
	write_lines(2);
	collect(&got);
	assert_all(&got);
}

/* ---- copytruncate ---- */

static void
a_file_that_was_cut_short_is_refused_even_if_it_has_grown_since(void **state)
{
	static const size_t more[] = {0, 1, 5, 20};

	(void)state;
	for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
		cleanup_buf struct buf got = {0};
		struct err err = {0};

		(void)unlink(in_folder("r"));
		write_lines(5);
		start(&nowhere);
		collect(&got);
		assert_int_equal(truncate(in_folder("r"), 0), 0);
		write_lines(more[i]);
		assert_int_equal(ship_follow_read(&follow, &limits, &batch, &err), -1);
		assert_non_null(strstr(err.text, "not copytruncate"));
	}
}

/* ---- lines that are none ---- */

static void
a_line_without_an_end_waits_for_it(void **state)
{
	cleanup_buf struct buf got = {0};
	struct text all;

	(void)state;
	make_lines(&made, 3);
	all = buf_text(&made.bytes);
	write_file(in_folder("r"), text_first(all, all.len - 10), 0);
	start(&nowhere);
	collect(&got);
	assert_int_equal(got.len, made.starts[2]);
	write_file(in_folder("r"), text_from(all, all.len - 10), O_APPEND);
	collect(&got);
	assert_all(&got);
}

#define UNREADABLE "{\"event\":\"unreadable\","

static void
assert_unreadable(const struct buf *got, size_t line, const char *bytes)
{
	char hash[RECORD_HASH_HEX + 1], want[160];
	struct text rest = buf_text(got);

	record_chain_hash(text_of(bytes), hash);
	(void)snprintf(want, sizeof want, ",\"bytes\":%zu,\"sha256\":\"%s\"}",
	               strlen(bytes), hash);
	while (line-- > 0)
		rest = text_from(rest, text_find(rest, '\n') + 1);
	rest = text_first(rest, text_find(rest, '\n'));
	assert_true(text_has_prefix(rest, UNREADABLE));
	assert_non_null(memmem(rest.at, rest.len, want, strlen(want)));
}

static void
a_torn_line_goes_as_its_hash_once_it_is_closed(void **state)
{
	static const char torn[] = "{\"time\":\"2026";
	cleanup_buf struct buf got = {0};
	size_t from;

	(void)state;
	write_lines(3);
	from = made.count;
	make_torn(&made, torn, true);
	/* its newline may be taken back as long as nothing follows */
	write_file(in_folder("r"), made_lines(&made, from, from + 1), O_APPEND);
	start(&nowhere);
	collect(&got);
	assert_int_equal(got.len, made.starts[3]);
	write_file(in_folder("r"), made_lines(&made, from + 1, from + 2), O_APPEND);
	collect(&got);
	assert_unreadable(&got, 3, torn);
	assert_false(batch.holes);
	assert_int_equal(follow.place.seq, 4);
}

static void
several_torn_lines_are_no_holes_and_others_are(void **state)
{
	static const struct {
		const char *torn;
		bool holes;
	} rows[] = {
	    {"{\"time\":\"2026\n{\"time\":\"20\n{\n", false},
	    {"hello\n{\"time\":\"2026\n", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ship_limits all = {100, 1 << 20};
		cleanup_buf struct buf closing = {0};
		struct err err = {0};

		(void)unlink(in_folder("r"));
		made.count = 0;
		made.chain = (struct record_chain){0};
		buf_clear(&made.bytes);
		write_lines(2);
		record_chain_recover(&made.chain, &closing, text_of(rows[i].torn), "h",
		                     0);
		write_file(in_folder("r"), text_of(rows[i].torn), O_APPEND);
		write_file(in_folder("r"), buf_text(&closing), O_APPEND);
		start(&nowhere);
		assert_int_equal(ship_follow_read(&follow, &all, &batch, &err), 0);
		assert_int_equal(follow.place.seq, 0);
		assert_int_equal(batch.place.seq, 3);
		assert_int_equal(batch.holes, rows[i].holes);
	}
}

static void
a_torn_end_of_a_rotated_file_goes_as_its_hash(void **state)
{
	static const char torn[] = "{\"time\":\"2026";
	cleanup_buf struct buf got = {0};
	struct ship_place place;

	(void)state;
	write_lines(3);
	make_torn(&made, torn, true);
	write_file(in_folder("r"), text_of(torn), O_APPEND);
	start(&nowhere);
	collect(&got);
	rotate();
	write_file(in_folder("r"), made_lines(&made, 4, 5), 0);
	collect(&got);
	assert_unreadable(&got, 3, torn);
	/* and a restart knows that it was carried */
	place = follow.place;
	buf_clear(&got);
	start(&place);
	collect(&got);
	assert_int_equal(got.len, 0);
}

static void
a_foreign_line_goes_as_its_hash_and_is_noted(void **state)
{
	static const char *const lines[] = {
	    "somebody was here",
	    "{\"time\":\"x\" broken,\"seq\":3,\"prev\":\""
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}",
	};
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		(void)unlink(in_folder("r"));
		made.chain = (struct record_chain){0};
		write_lines(2);
		write_file(in_folder("r"), text_of(lines[i]), O_APPEND);
		write_file(in_folder("r"), TEXT_LIT("\n"), O_APPEND);
		write_lines(2);
		start(&nowhere);
		assert_int_equal(ship_follow_read(&follow, &limits, &batch, &err), 0);
		assert_int_equal(batch.count, 5);
		assert_unreadable(&batch.lines, 2, lines[i]);
		assert_true(batch.holes);
		assert_non_null(strstr(batch.note, "none of a record"));
	}
}

/* ---- the state ---- */

static void
a_place_is_the_same_after_it_was_written_and_read(void **state)
{
	struct ship_place place = {.known = true,
	                           .dev = UINT64_MAX,
	                           .ino = 1,
	                           .start = 12,
	                           .end = INT64_MAX,
	                           .seq = 999999999999999999},
			  back;
	cleanup_buf struct buf text = {0};

	(void)state;
	record_chain_hash(TEXT_LIT("x"), place.hash);
	ship_place_write(&text, &place);
	assert_int_equal(ship_place_read(buf_text(&text), &back), 0);
	assert_memory_equal(&back, &place, sizeof place);
}

static void
what_is_no_state_is_refused(void **state)
{
	static const char *const texts[] = {
	    "",
	    "{}",
	    "[]",
	    "{\"version\":1}",
	    "not json",
#define START "{\"version\":1,\"dev\":\"1\",\"ino\":\"1\","
#define END                                                                              \
	"\"seq\":\"1\",\"hash\":\""                                                      \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}"
	    START "\"start\":\"5\",\"end\":\"4\"," END,
	    START "\"start\":\"-5\",\"end\":\"4\"," END,
	    START "\"start\":5,\"end\":\"6\"," END,
	    START "\"start\":\"5\",\"end\":\"18446744073709551615\"," END,
	    START "\"start\":\"5\",\"end\":\"99999999999999999999\"," END,
	    START "\"start\":\"5\"," END,
	    START "\"start\":\"5\",\"end\":\"6\",\"seq\":\"1\",\"hash\":\"0\"}",
	};
	struct ship_place place;

	(void)state;
	assert_int_equal(
	    ship_place_read(TEXT_LIT(START "\"start\":\"5\",\"end\":\"6\"," END), &place),
	    0);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct ship_state ship = {0};
		struct err err = {0};

		(void)unlink(in_folder("s"));
		write_file(in_folder("s"), text_of(texts[i]), 0);
		if (ship_state_open(&ship, in_folder("s"), &place, &err) == 0)
			fail_msg("taken: %s", texts[i]);
		assert_non_null(strstr(err.text, "is no state of ship; remove it"));
		ship_state_close(&ship);
	}
}

static void
a_state_is_replaced_as_a_whole_and_has_one_owner(void **state)
{
	struct ship_state first, second;
	struct ship_place place, back;
	struct err err = {0};

	(void)state;
	assert_int_equal(ship_state_open(&first, in_folder("s"), &place, &err), 0);
	assert_false(place.known);
	assert_int_equal(ship_state_open(&second, in_folder("s"), &back, &err), -1);
	assert_non_null(strstr(err.text, "another process"));
	ship_state_close(&second);
	record_chain_hash(TEXT_LIT("x"), place.hash);
	/* of one that was killed while it wrote */
	write_file(in_folder("s.new"), TEXT_LIT("half"), 0);
	for (place.seq = 1; place.seq < 4; place.seq++) {
		err = (struct err){0};
		if (ship_state_save(&first, &place, &err))
			fail_msg("%s", err.text);
	}
	ship_state_close(&first);
	assert_int_equal(ship_state_open(&second, in_folder("s"), &back, &err), 0);
	assert_true(back.known);
	assert_int_equal(back.seq, 3);
	ship_state_close(&second);
	assert_int_equal(access(in_folder("s.new"), F_OK), -1);
}

/* ---- waiting ---- */

static void
waits_double_up_to_the_longest_and_are_drawn_from_all_that_is_shorter(void **state)
{
	static const struct {
		unsigned failures;
		int64_t max, most;
	} rows[] = {{1, 60000, 500},   {2, 60000, 1000},  {5, 60000, 8000},
	            {8, 60000, 60000}, {9, 60000, 60000}, {4000000000U, 60000, 60000},
	            {1, 100, 100},     {7, 100, 100}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint64_t most = (uint64_t)rows[i].most;

		assert_int_equal(web_backoff_ms(rows[i].failures, rows[i].max, 0, 0), 0);
		assert_int_equal(web_backoff_ms(rows[i].failures, rows[i].max, 0, most),
		                 most);
		assert_int_equal(
		    web_backoff_ms(rows[i].failures, rows[i].max, 0, most + 1), 0);
		assert_true(web_backoff_ms(rows[i].failures, rows[i].max, 0,
		                           UINT64_MAX) <= rows[i].most);
	}
}

static void
a_wait_is_as_long_as_the_collector_asks(void **state)
{
	(void)state;
	assert_int_equal(web_backoff_ms(1, 60000, 7000, 3), 7000);
	assert_int_equal(web_backoff_ms(20, 60000, 7000, 50000), 50000);
	assert_int_equal(web_backoff_ms(1, 100, 3600000, 3), 3600000);
}

#define clean(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    clean(lines_come_in_order_and_again_until_they_are_taken),
	    clean(a_batch_ends_at_its_limits_but_holds_one_line_at_least),
	    clean(rotation_is_followed_however_often_it_happens),
	    clean(dated_names_are_followed_as_numbered_ones_are),
	    clean(lines_written_to_a_file_after_it_was_renamed_come_before_the_next_file),
	    clean(it_goes_on_where_it_was_left_whatever_the_files_are_called_now),
	    clean(a_place_is_found_by_its_hash_if_its_file_has_another_number),
	    clean(a_file_that_is_gone_and_was_carried_is_not_missed),
	    clean(lines_that_are_gone_are_named),
	    clean(
		another_record_in_the_place_of_the_old_one_is_carried_from_its_beginning),
	    clean(a_copy_in_the_place_of_the_record_is_gone_on_with),
	    clean(a_record_that_is_not_there_yet_is_waited_for),
	    clean(a_file_that_was_cut_short_is_refused_even_if_it_has_grown_since),
	    clean(a_line_without_an_end_waits_for_it),
	    clean(a_torn_line_goes_as_its_hash_once_it_is_closed),
	    clean(several_torn_lines_are_no_holes_and_others_are),
	    clean(a_torn_end_of_a_rotated_file_goes_as_its_hash),
	    clean(a_foreign_line_goes_as_its_hash_and_is_noted),
	    cmocka_unit_test(a_place_is_the_same_after_it_was_written_and_read),
	    clean(what_is_no_state_is_refused),
	    clean(a_state_is_replaced_as_a_whole_and_has_one_owner),
	    cmocka_unit_test(
		waits_double_up_to_the_longest_and_are_drawn_from_all_that_is_shorter),
	    cmocka_unit_test(a_wait_is_as_long_as_the_collector_asks),
	};

	return cmocka_run_group_tests_name("ship", tests, NULL, NULL);
}
