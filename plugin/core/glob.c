/* SPDX-License-Identifier: Apache-2.0 */
/* glob.c - matches texts against the patterns of policies. */
#include "core/glob.h"

#include "core/buf.h"

enum { MALFORMED = 0x110000 }; /* + the byte: above any character */

/* The character at byte `at` and its length; a malformed byte is one of its own. */
static size_t
character(struct text t, size_t at, uint32_t *ret_character)
{
	size_t len = utf8_decode(t.at + at, t.at + t.len, ret_character);

	if (len > 0)
		return len;
	*ret_character = MALFORMED + (unsigned char)t.at[at];
	return 1;
}

/* A character of a set, or behind a '\'. Returns its length, 0 at the pattern's end. */
static size_t
escaped_character(struct text pattern, size_t at, uint32_t *ret_character)
{
	size_t slash = at < pattern.len && pattern.at[at] == '\\';

	if (at + slash >= pattern.len)
		return 0;
	return slash + character(pattern, at + slash, ret_character);
}

/* A character or a range of a set at `at`. Returns its length, 0 at the pattern's end. */
static size_t
range_length(struct text pattern, size_t at, uint32_t c, bool *member)
{
	uint32_t low = 0, high;
	size_t len = escaped_character(pattern, at, &low), more = 0;
	size_t dash = at + len;

	if (len == 0)
		return 0;
	high = low;
	if (dash + 1 < pattern.len && pattern.at[dash] == '-' &&
	    pattern.at[dash + 1] != ']') {
		more = escaped_character(pattern, dash + 1, &high);
		if (more == 0)
			return 0;
		more++;
	}
	*member = *member || (low <= c && c <= high);
	return len + more;
}

/* From '[' to ']'. A ']' that comes first is a member (POSIX fnmatch). */
static size_t
set_length(struct text pattern, size_t start, uint32_t c, bool *ret_member)
{
	size_t at = start + 1, first, len;
	bool opposite =
	    at < pattern.len && (pattern.at[at] == '!' || pattern.at[at] == '^');
	bool member = false;

	first = at += opposite;
	while (at < pattern.len && (pattern.at[at] != ']' || at == first)) {
		len = range_length(pattern, at, c, &member);
		if (len == 0)
			return 0;
		at += len;
	}
	if (at >= pattern.len)
		return 0;
	*ret_member = member != opposite;
	return at + 1 - start;
}

size_t
glob_element(struct text pattern, size_t at, uint32_t *ret_literal)
{
	bool member;

	*ret_literal = UINT32_MAX;
	switch (pattern.at[at]) {
	case '*':
	case '?':
		return 1;
	case '[':
		return set_length(pattern, at, 0, &member);
	default:
		return escaped_character(pattern, at, ret_literal);
	}
}

/* Length of the element at `at` if it is no '*' and matches `c`, else 0. */
static size_t
match_one(struct text pattern, size_t at, uint32_t c, bool separator)
{
	uint32_t literal;
	bool member = false;
	size_t len;

	if (pattern.at[at] == '[') {
		len = set_length(pattern, at, c, &member);
		return member && !separator ? len : 0;
	}
	len = glob_element(pattern, at, &literal);
	if (pattern.at[at] == '?')
		return separator ? 0 : len;
	return literal == c ? len : 0;
}

/*
 * Only the last '*' ever has to give way: an earlier one that took more would leave the
 * later elements the same choices or fewer. That holds with a separator too, since no '*'
 * crosses one, so every literal separator has only one place to match.
 */
bool
glob_matches(struct text pattern, struct text text, char separator)
{
	size_t p = 0, t = 0, star = 0, star_text = 0;
	bool starred = false;

	while (p < pattern.len || t < text.len) {
		uint32_t c = 0;
		size_t len, step = 0;

		if (p < pattern.len && pattern.at[p] == '*') {
			star = ++p;
			star_text = t;
			starred = true;
			continue;
		}
		if (p < pattern.len && t < text.len) {
			len = character(text, t, &c);
			step = match_one(pattern, p, c,
			                 separator && text.at[t] == separator);
		}
		if (step > 0) {
			p += step;
			t += len;
			continue;
		}
		if (!starred || star_text >= text.len ||
		    (separator && text.at[star_text] == separator))
			return false;
		star_text += character(text, star_text, &c);
		p = star;
		t = star_text;
	}
	return true;
}

bool
glob_is_valid(struct text pattern)
{
	uint32_t literal;
	size_t len;

	for (size_t at = 0; at < pattern.len; at += len) {
		len = glob_element(pattern, at, &literal);
		if (len == 0)
			return false;
	}
	return true;
}

bool
glob_is_pattern(struct text pattern)
{
	for (size_t at = 0; at < pattern.len; at++) {
		if (memchr("*?[\\", pattern.at[at], 4))
			return true;
	}
	return false;
}
