/* SPDX-License-Identifier: Apache-2.0 */
/* test_buf.c - what is written, and how values are quoted in it. */
#include "core/buf.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))
#define LAST_CODE_POINT 0x10ffffU

static void
a_fresh_buf_is_an_empty_text(void **state)
{
	struct buf buf = {0};

	(void)state;
	assert_true(buf_ok(&buf));
	assert_string_equal(buf_text(&buf).at, "");
	assert_int_equal(buf_text(&buf).len, 0);
	buf_free(&buf);
	buf_free(NULL);
}

static void
what_is_added_comes_out_in_order(void **state)
{
	cleanup_buf struct buf buf = {0};

	(void)state;
	buf_str(&buf, "a");
	buf_char(&buf, 'b');
	buf_add(&buf, "cd", 2);
	buf_add_text(&buf, TEXT_LIT("e"));
	buf_add_text(&buf, (struct text){0});
	buf_printf(&buf, "%d-%s", 7, "f");
	assert_true(buf_ok(&buf));
	assert_string_equal(buf.at, "abcde7-f");
	assert_int_equal(buf.len, 8);
}

static void
it_grows_to_what_is_needed(void **state)
{
	cleanup_buf struct buf buf = {0};

	(void)state;
	for (int i = 0; i < 5000; i++)
		buf_printf(&buf, "%04d", i);
	assert_true(buf_ok(&buf));
	assert_int_equal(buf.len, 20000);
	assert_memory_equal(buf.at + 4 * 4999, "4999", 5);
}

static void
numbers_have_the_digits_they_need_and_are_asked_for(void **state)
{
	static const struct {
		uint64_t value;
		size_t width;
		const char *written;
	} rows[] = {
	    {0, 0, "0"},
	    {0, 2, "00"},
	    {7, 2, "07"},
	    {1234, 2, "1234"},
	    {86399, 6, "086399"},
	    {UINT64_MAX, 0, "18446744073709551615"},
	    {1, 20, "00000000000000000001"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_buf struct buf buf = {0};

		buf_number(&buf, rows[i].value, rows[i].width);
		assert_string_equal(buf.at, rows[i].written);
	}
}

/* Many bytes are looked at at once. */
static void
what_must_be_escaped_is_found_wherever_it_stands(void **state)
{
	static const struct {
		char c;
		const char *written;
	} rows[] = {{'"', "\\\""},       {'\\', "\\\\"},      {'\x1f', "\\u001f"},
	            {'\x7f', "\\u007f"}, {'\x80', "\\ufffd"}, {'\n', "\\n"},
	            {'~', "~"}};
	enum { LONGEST = 40 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows) * LONGEST; i++) {
		cleanup_buf struct buf buf = {0}, want = {0};
		char text[LONGEST + 1];
		int at = (int)(i % LONGEST);

		(void)memset(text, 'x', sizeof text);
		text[at] = rows[i / LONGEST].c;
		buf_printf(&want, "\"%.*s%s%.*s\"", at,
		           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		           rows[i / LONGEST].written, LONGEST - 1 - at,
		           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
		buf_quoted(&buf, (struct text){.at = text, .len = LONGEST}, 0);
		assert_string_equal(buf.at, want.at);
	}
}

static void
a_buf_over_its_limit_fails_and_keeps_what_it_had(void **state)
{
	cleanup_buf struct buf buf = {.limit = 4};

	(void)state;
	buf_str(&buf, "1234");
	assert_true(buf_ok(&buf));
	buf_char(&buf, '5');
	assert_false(buf_ok(&buf));
	assert_string_equal(buf.at, "1234");
	buf_str(&buf, "");
	assert_false(buf_ok(&buf));
}

static void
a_printf_over_the_limit_fails_whole(void **state)
{
	cleanup_buf struct buf buf = {.limit = 4};

	(void)state;
	buf_str(&buf, "12");
	buf_printf(&buf, "%s", "345");
	assert_false(buf_ok(&buf));
	assert_string_equal(buf.at, "12");
}

static void
a_size_that_overflows_fails(void **state)
{
	cleanup_buf struct buf buf = {0};

	(void)state;
	buf_add(&buf, "", SIZE_MAX - 1);
	assert_false(buf_ok(&buf));
}

static void
clearing_forgets_the_failure_and_keeps_the_limit(void **state)
{
	cleanup_buf struct buf buf = {.limit = 2};

	(void)state;
	buf_str(&buf, "123");
	buf_clear(&buf);
	assert_true(buf_ok(&buf));
	buf_str(&buf, "12");
	assert_true(buf_ok(&buf));
	buf_free(&buf);
	assert_int_equal(buf.limit, 2);
	assert_null(buf.at);
}

struct quoting {
	struct text in;
	size_t max;
	const char *json, *people; /* NULL: as json */
};

static const struct quoting quotings[] = {
    {{0}, 0, "\"\"", NULL},
    {{"", 0}, 5, "\"\"", NULL},
    {{"plain", 5}, 0, "\"plain\"", NULL},
    {{"q\"b\\s/", 6}, 0, "\"q\\\"b\\\\s/\"", NULL},
    {{"\b\f\n\r\t", 5}, 0, "\"\\b\\f\\n\\r\\t\"", NULL},
    {{"\0\x01\x1f\x7f", 4}, 0, "\"\\u0000\\u0001\\u001f\\u007f\"", NULL},
    {{"\x1b[31m", 5}, 0, "\"\\u001b[31m\"", NULL},
    {{"\xc3\xa9\xe2\x82\xac", 5}, 0, "\"\xc3\xa9\xe2\x82\xac\"", NULL},
    {{"\xf0\x9f\x90\xb3", 4}, 0, "\"\xf0\x9f\x90\xb3\"", NULL},
    {{"\xc2\x85", 2}, 0, "\"\xc2\x85\"", "\"\\u0085\""},
    {{"a\xe2\x80\xae"
      "b",
      5},
     0,
     "\"a\xe2\x80\xae"
     "b\"",
     "\"a\\u202eb\""},
    {{"\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c", 8},
     0,
     "\"\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c\"",
     "\"\\u2066\\u200f\\u061c\""},
    {{"\xe2\x80\xa8", 3}, 0, "\"\xe2\x80\xa8\"", "\"\\u2028\""},
    {{"\xef\xbb\xbf", 3}, 0, "\"\xef\xbb\xbf\"", "\"\\ufeff\""},
    {{"\xf3\xa0\x80\x81", 4}, 0, "\"\xf3\xa0\x80\x81\"", "\"\\udb40\\udc01\""},
    /* not UTF-8: each byte is replaced */
    {{"a\xff", 2}, 0, "\"a\\ufffd\"", NULL},
    {{"\xc0\x80", 2}, 0, "\"\\ufffd\\ufffd\"", NULL},
    {{"\xed\xa0\x80", 3}, 0, "\"\\ufffd\\ufffd\\ufffd\"", NULL},
    {{"\xe2\x82", 2}, 0, "\"\\ufffd\\ufffd\"", NULL},
    /* cut at a character */
    {{"abcdef", 6}, 6, "\"abcdef\"", NULL},
    {{"abcdef", 6}, 5, "\"abcde...\"", NULL},
    {{"ab\xe2\x82\xac", 5}, 5, "\"ab\xe2\x82\xac\"", NULL},
    {{"ab\xe2\x82\xac", 5}, 4, "\"ab...\"", NULL},
    {{"ab\xe2\x82\xac", 5}, 3, "\"ab...\"", NULL},
    {{"\x80\x80\x80\x80", 4}, 2, "\"...\"", NULL},
};

static void
values_are_quoted_for_json_and_for_people(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(quotings); i++) {
		const struct quoting *row = &quotings[i];
		cleanup_buf struct buf json = {0}, people = {0};

		buf_json(&json, row->in, row->max);
		buf_quoted(&people, row->in, row->max);
		assert_string_equal(json.at, row->json);
		assert_string_equal(people.at, row->people ? row->people : row->json);
	}
}

/* Whatever the bytes, jansson reads what buf_json() wrote. */
static void
any_three_bytes_become_json(void **state)
{
	static const unsigned char bytes[] = {
	    0x00, 0x1f, 0x20, '"',  '\\', 'a',  0x7f, 0x80, 0x9f, 0xa0, 0xbf,
	    0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff};
	size_t n = COUNT(bytes);

	(void)state;
	for (size_t i = 0; i < n * n * n; i++) {
		const char in[3] = {(char)bytes[i % n], (char)bytes[i / n % n],
		                    (char)bytes[i / n / n]};
		cleanup_buf struct buf buf = {0};
		json_t *value;

		buf_json(&buf, (struct text){in, sizeof in}, 0);
		value =
		    json_loadb(buf.at, buf.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		assert_non_null(value);
		json_decref(value);
	}
}

static bool
is_surrogate(uint32_t point)
{
	return point >= 0xd800 && point <= 0xdfff;
}

static void
every_character_survives_utf8(void **state)
{
	(void)state;
	for (uint32_t point = 0; point <= LAST_CODE_POINT; point++) {
		char bytes[4];
		uint32_t back = UINT32_MAX;
		size_t len;

		if (is_surrogate(point))
			continue;
		len = utf8_encode(point, bytes);
		if (utf8_decode(bytes, bytes + len, &back) != len || back != point)
			fail_msg("U+%04X comes back as U+%04X", point, back);
		if (len > 1 && utf8_decode(bytes, bytes + len - 1, &back) != 0)
			fail_msg("U+%04X without its last byte is a character", point);
	}
}

static void
what_is_not_utf8_is_no_character(void **state)
{
	static const struct text bad[] = {{"\x80", 1},
	                                  {"\xbf", 1},
	                                  {"\xc0\x80", 2},
	                                  {"\xc1\xbf", 2},
	                                  {"\xe0\x9f\xbf", 3},
	                                  {"\xed\xa0\x80", 3},
	                                  {"\xed\xbf\xbf", 3},
	                                  {"\xf0\x8f\xbf\xbf", 4},
	                                  {"\xf4\x90\x80\x80", 4},
	                                  {"\xf5\x80\x80\x80", 4},
	                                  {"\xff", 1},
	                                  {"\xc3(", 2},
	                                  {"\xe2\x82(", 3},
	                                  {"\xf0\x9f\x90(", 4}};
	uint32_t point;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(utf8_decode(bad[i].at, bad[i].at + bad[i].len, &point),
		                 0);
}

static bool
moves_the_reader(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xe0000 && c <= 0xe007f);
}

/* UAX #9's controls, C0, C1 and the line separators: none reaches a terminal. */
static void
nothing_that_moves_the_reader_is_shown_as_itself(void **state)
{
	(void)state;
	for (uint32_t point = 0; point <= LAST_CODE_POINT; point++) {
		cleanup_buf struct buf buf = {0};
		char bytes[4];

		if (is_surrogate(point) || !moves_the_reader(point))
			continue;
		buf_quoted(&buf, (struct text){bytes, utf8_encode(point, bytes)}, 0);
		if (buf.at[1] != '\\')
			fail_msg("U+%04X is shown as itself", point);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_fresh_buf_is_an_empty_text),
	    cmocka_unit_test(what_is_added_comes_out_in_order),
	    cmocka_unit_test(it_grows_to_what_is_needed),
	    cmocka_unit_test(numbers_have_the_digits_they_need_and_are_asked_for),
	    cmocka_unit_test(what_must_be_escaped_is_found_wherever_it_stands),
	    cmocka_unit_test(a_buf_over_its_limit_fails_and_keeps_what_it_had),
	    cmocka_unit_test(a_printf_over_the_limit_fails_whole),
	    cmocka_unit_test(a_size_that_overflows_fails),
	    cmocka_unit_test(clearing_forgets_the_failure_and_keeps_the_limit),
	    cmocka_unit_test(values_are_quoted_for_json_and_for_people),
	    cmocka_unit_test(any_three_bytes_become_json),
	    cmocka_unit_test(every_character_survives_utf8),
	    cmocka_unit_test(what_is_not_utf8_is_no_character),
	    cmocka_unit_test(nothing_that_moves_the_reader_is_shown_as_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
