/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch.c - what fetch remembers, and what it may send back. */
#include "edge/fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
an_etag_is_what_can_stand_in_a_header(void **state)
{
	static const struct {
		const char *text;
		bool is;
	} rows[] = {
	    {"\"abc\"", true},    {"W/\"abc-1\"", true}, {"", false},
	    {"x", false},         {"\"a b\"", false},    {"\"a\r\nX: 1\"", false},
	    {"\"a\x7f\"", false}, {"\"a\tb\"", false},   {"\"\xc3\xa9\"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(fetch_is_etag(text_of(rows[i].text)), rows[i].is);
}

static void
an_etag_that_is_too_long_is_none(void **state)
{
	char longest[FETCH_ETAG_MAX + 2];

	(void)state;
	memset(longest, 'x', sizeof longest - 1);
	longest[FETCH_ETAG_MAX + 1] = '\0';
	assert_false(fetch_is_etag(text_of(longest)));
	longest[FETCH_ETAG_MAX] = '\0';
	assert_true(fetch_is_etag(text_of(longest)));
}

static void
a_digest_is_sha_256_in_hex(void **state)
{
	char hex[65];

	(void)state;
	fetch_hash(text_of("abc"), hex); /* FIPS 180-4, example */
	assert_string_equal(
	    hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_etag_is_what_can_stand_in_a_header),
	    cmocka_unit_test(an_etag_that_is_too_long_is_none),
	    cmocka_unit_test(a_digest_is_sha_256_in_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
