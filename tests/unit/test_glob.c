/* SPDX-License-Identifier: Apache-2.0 */
/* test_glob.c - patterns of policies, against a naive matcher and by example. */
#include "core/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { LENGTH_MAX = 8 };

/* ---- a naive matcher: ASCII, recursive, sets as tables ---- */

/* Fills in the members of the set at `p` ("[...]"); returns its end, NULL if open. */
static const char *
naive_set(const char *p, bool members[128])
{
	bool opposite = p[1] == '!' || p[1] == '^';
	const char *first = p + 1 + opposite;

	memset(members, 0, 128 * sizeof *members);
	for (p = first; *p != ']' || p == first;) {
		char low, high;

		if (*p == '\\')
			p++;
		if (!*p)
			return NULL;
		low = high = *p++;
		if (p[0] == '-' && p[1] && p[1] != ']') {
			p++;
			if (*p == '\\')
				p++;
			if (!*p)
				return NULL;
			high = *p++;
		}
		for (int c = low; c <= high; c++)
			members[c] = true;
	}
	for (int c = 0; opposite && c < 128; c++)
		members[c] = !members[c];
	return p + 1;
}

static bool
naive_matches(const char *p, const char *t, char separator)
{
	bool members[128], barrier = separator && *t == separator;

	switch (*p) {
	case '\0':
		return !*t;
	case '*':
		return naive_matches(p + 1, t, separator) ||
		       (*t && !barrier && naive_matches(p, t + 1, separator));
	case '?':
		return *t && !barrier && naive_matches(p + 1, t + 1, separator);
	case '[':
		p = naive_set(p, members);
		return p && *t && !barrier && members[(int)*t] &&
		       naive_matches(p, t + 1, separator);
	case '\\':
		p++;
		break;
	default:
		break;
	}
	return *p && *p == *t && naive_matches(p + 1, t + 1, separator);
}

static bool
naive_is_valid(const char *p)
{
	bool members[128];

	while (p && *p) {
		if (*p == '[')
			p = naive_set(p, members);
		else if (*p == '\\')
			p = p[1] ? p + 2 : NULL;
		else
			p++;
	}
	return p != NULL;
}

/* The next word over `alphabet` in order of length; false past `max` characters. */
static bool
next_word(char *word, const char *alphabet, size_t max)
{
	size_t len = strlen(word), at = len;

	while (at > 0) {
		const char *place = strchr(alphabet, word[--at]);

		word[at] = place[1] ? place[1] : alphabet[0];
		if (place[1])
			return true;
	}
	if (len == max)
		return false;
	word[len] = alphabet[0];
	word[len + 1] = '\0';
	return true;
}

static void
compare_all(const char *patterns, size_t pattern_max, const char *texts, size_t text_max)
{
	char pattern[LENGTH_MAX + 1] = "", text[LENGTH_MAX + 1];

	do {
		assert_int_equal(glob_is_valid(text_of(pattern)),
		                 naive_is_valid(pattern));
		text[0] = '\0';
		do {
			bool plain =
			    naive_is_valid(pattern) && naive_matches(pattern, text, 0);
			bool path =
			    naive_is_valid(pattern) && naive_matches(pattern, text, '/');

			if (glob_matches(text_of(pattern), text_of(text), 0) != plain ||
			    glob_matches(text_of(pattern), text_of(text), '/') != path)
				fail_msg("pattern %s, text %s", pattern, text);
		} while (next_word(text, texts, text_max));
	} while (next_word(pattern, patterns, pattern_max));
}

static void
stars_and_separators_match_as_the_naive_matcher_says(void **state)
{
	(void)state;
	compare_all("a/*?", 6, "ab/", 4);
}

static void
sets_and_escapes_match_as_the_naive_matcher_says(void **state)
{
	(void)state;
	compare_all("ac*[]!\\-/", 4, "abc/-", 3);
	compare_all("b[]^\\-", 5, "abc]", 2);
}

/* ---- by example ---- */

static const struct {
	const char *pattern, *text;
	char separator;
	bool matches;
} rows[] = {
    {"", "", 0, true},
    {"", "a", 0, false},
    {"ci-*", "ci-", 0, true},
    {"ci-*", "ci-build/7", 0, true},
    {"a/*/c", "a/b/c", '/', true},
    {"a/*/c", "a/b/b/c", '/', false},
    {"a/*", "a/", '/', true},
    {"*", "a/b", '/', false},
    {"[!x]*", "a", 0, true},
    {"[!x]*", "x", 0, false},
    {"v[0-9].[0-9]", "v1.7", 0, true},
    {"[]]", "]", 0, true},
    {"[!]]", "]", 0, false},
    {"[a-]", "-", 0, true},
    {"[\\]]", "]", 0, true},
    {"[z-a]", "m", 0, false},
    {"\\*", "*", 0, true},
    {"\\*", "a", 0, false},
    {"a\\/b", "a/b", '/', true},
    /* characters, not bytes */
    {"?", "\xc3\xa9", 0, true},
    {"??", "\xc3\xa9", 0, false},
    {"[\xc3\xa0-\xc3\xaf]", "\xc3\xa9", 0, true},
    {"[\xc3\xa0-\xc3\xaf]", "\xc3\xb9", 0, false},
    {"\xf0\x9f\x90\xb3*", "\xf0\x9f\x90\xb3!", 0, true},
    /* a malformed byte is one character and equal to no other */
    {"?", "\xff", 0, true},
    {"\xff", "\xff", 0, true},
    {"\xfe", "\xff", 0, false},
    {"[\xc3\xa9]", "\xe9", 0, false},
    {"??", "\xc3(", 0, true},
    /* an open set matches nothing, not even itself */
    {"[a", "[a", 0, false},
    {"*[", "[", 0, false},
    {"a\\", "a\\", 0, false},
};

static void
each_example_matches_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (glob_matches(text_of(rows[i].pattern), text_of(rows[i].text),
		                 rows[i].separator) != rows[i].matches)
			fail_msg("row %zu: %s on %s", i, rows[i].pattern, rows[i].text);
	}
}

static void
a_nul_in_the_text_is_a_character_like_any_other(void **state)
{
	(void)state;
	assert_true(glob_matches(text_of("a?c"), TEXT_LIT("a\0c"), 0));
	assert_false(glob_matches(text_of("a"), TEXT_LIT("a\0c"), 0));
	assert_false(glob_matches(text_of("a*"), TEXT_LIT("b\0a"), '/'));
}

static void
a_hostile_pattern_takes_no_longer_than_length_times_length(void **state)
{
	static char text[100000], pattern[2001];

	(void)state;
	memset(text, 'a', sizeof text);
	for (size_t i = 0; i + 1 < sizeof pattern; i += 2)
		memcpy(&pattern[i], "*a", 2);
	pattern[sizeof pattern - 1] = 'b';
	assert_false(glob_matches((struct text){pattern, sizeof pattern},
	                          (struct text){text, sizeof text}, 0));
}

static void
only_characters_with_a_meaning_make_a_pattern(void **state)
{
	(void)state;
	assert_false(glob_is_pattern(text_of("registry.example.com/a-b_c]^!")));
	assert_true(glob_is_pattern(text_of("a*")));
	assert_true(glob_is_pattern(text_of("a?")));
	assert_true(glob_is_pattern(text_of("[a]")));
	assert_true(glob_is_pattern(text_of("\\a")));
	assert_false(glob_is_pattern((struct text){0}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stars_and_separators_match_as_the_naive_matcher_says),
	    cmocka_unit_test(sets_and_escapes_match_as_the_naive_matcher_says),
	    cmocka_unit_test(each_example_matches_or_not),
	    cmocka_unit_test(a_nul_in_the_text_is_a_character_like_any_other),
	    cmocka_unit_test(a_hostile_pattern_takes_no_longer_than_length_times_length),
	    cmocka_unit_test(only_characters_with_a_meaning_make_a_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
