/* SPDX-License-Identifier: Apache-2.0 */
/* test_base64.c - what Go's encoding/json writes is read, all else is refused. */
#include "core/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* RFC 4648 section 10, and bytes that need the last two characters. */
static const struct {
	const char *in;
	struct text out;
} vectors[] = {
    {"", {"", 0}},
    {"Zg==", {"f", 1}},
    {"Zm8=", {"fo", 2}},
    {"Zm9v", {"foo", 3}},
    {"Zm9vYg==", {"foob", 4}},
    {"Zm9vYmE=", {"fooba", 5}},
    {"Zm9vYmFy", {"foobar", 6}},
    {"+/+/", {"\xfb\xff\xbf", 3}},
    {"AAAA", {"\0\0\0", 3}},
    {"AA==", {"\0", 1}},
    {"/w==", {"\xff", 1}},
};

static void
the_vectors_of_the_rfc_are_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct text in = text_of(vectors[i].in);
		char *out = malloc(BASE64_ROOM(in.len)); /* no more: sanitizers watch */

		assert_non_null(out);
		assert_int_equal(base64_decode(in, out), vectors[i].out.len);
		assert_memory_equal(out, vectors[i].out.at, vectors[i].out.len);
		free(out);
	}
}

static const struct text refused[] = {{"A", 1},
                                      {"AA", 2},
                                      {"AAA", 3},
                                      {"AAAAA", 5},
                                      {"=", 1},
                                      {"==", 2},
                                      {"====", 4},
                                      {"A===", 4},
                                      {"AA=A", 4},
                                      {"=AAA", 4},
                                      {"A=AA", 4},
                                      {"AA==AAAA", 8},
                                      {"AAA=AAAA", 8},
                                      {"AAAA====", 8},
                                      {"AAAA==", 6},
                                      {"AA=", 3},
                                      {"AAA\n", 4},
                                      {"AAAA\n", 5},
                                      {"AA\r\nAA==", 8},
                                      {" AAAA", 5},
                                      {"AA-_", 4},
                                      {"AA!A", 4},
                                      {"A\0AA", 4},
                                      {"AAA\xff", 4},
                                      {"Zh==", 4},
                                      {"Zm9=", 4},
                                      {"//==", 4},
                                      {"AAB=", 4},
                                      {"\xc3\xa9\xc3\xa9", 4}};

static void
anything_else_is_refused(void **state)
{
	char out[BASE64_ROOM(8)];

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		if (base64_decode(refused[i], out) != -1)
			fail_msg("row %zu is decoded", i);
	}
}

/* Every byte in every place of a group. */
static void
only_the_alphabet_stands_for_bits(void **state)
{
	char out[BASE64_ROOM(4)];

	(void)state;
	for (int place = 0; place < 4; place++) {
		for (int c = 0; c < 256; c++) {
			char in[4] = {'A', 'A', 'A', 'A'};
			bool known = c != '\0' && strchr(alphabet, c);

			in[place] = (char)c;
			if (c == '=' && place == 3)
				continue; /* padding */
			assert_int_equal(base64_decode((struct text){in, 4}, out),
			                 known ? 3 : -1);
		}
	}
}

/* With one or two '=' the bits that are left over must be zero. */
static void
left_over_bits_are_refused(void **state)
{
	char out[BASE64_ROOM(4)];

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		const char two[4] = {'A', alphabet[i], '=', '='};
		const char three[4] = {'A', 'A', alphabet[i], '='};

		assert_int_equal(base64_decode((struct text){two, 4}, out),
		                 i % 16 == 0 ? 1 : -1);
		assert_int_equal(base64_decode((struct text){three, 4}, out),
		                 i % 4 == 0 ? 2 : -1);
	}
}

/* Long enough for the steps of many characters that some processors take. */
enum { LONG = 256 };

static void
fill(char text[LONG], unsigned seed)
{
	for (size_t i = 0; i < LONG; i++) {
		seed = seed * 1103515245 + 12345;
		text[i] = alphabet[seed >> 16 & 63];
	}
}

/* Group by group: the way of the short texts above. */
static void
a_long_text_is_decoded_as_its_groups_are(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 64; seed++) {
		char text[LONG], groups[BASE64_ROOM(LONG)];

		fill(text, seed);
		for (size_t i = 0; i < LONG / 4; i++) {
			char out[BASE64_ROOM(4)];

			assert_int_equal(
			    base64_decode((struct text){text + 4 * i, 4}, out), 3);
			memcpy(groups + 3 * i, out, 3);
		}
		for (size_t len = 4; len <= LONG; len += 4) {
			char *out = malloc(BASE64_ROOM(len)); /* sanitizers watch */

			assert_non_null(out);
			assert_int_equal(base64_decode((struct text){text, len}, out),
			                 len / 4 * 3);
			assert_memory_equal(out, groups, len / 4 * 3);
			free(out);
		}
	}
}

static void
a_foreign_byte_anywhere_in_a_long_text_is_refused(void **state)
{
	char text[LONG], out[BASE64_ROOM(LONG)];

	(void)state;
	fill(text, 1);
	for (size_t i = 0; i < LONG - 1; i++) {
		char was = text[i];

		for (int c = 0; c < 256; c++) {
			bool known = c != '\0' && strchr(alphabet, c);

			text[i] = (char)c;
			assert_int_equal(base64_decode((struct text){text, LONG}, out),
			                 known ? LONG / 4 * 3 : -1);
		}
		text[i] = was;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_vectors_of_the_rfc_are_decoded),
	    cmocka_unit_test(anything_else_is_refused),
	    cmocka_unit_test(only_the_alphabet_stands_for_bits),
	    cmocka_unit_test(left_over_bits_are_refused),
	    cmocka_unit_test(a_long_text_is_decoded_as_its_groups_are),
	    cmocka_unit_test(a_foreign_byte_anywhere_in_a_long_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
