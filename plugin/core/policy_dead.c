/* SPDX-License-Identifier: Apache-2.0 */
/* policy_dead.c - patterns that nothing can match. */
#include "core/policy_lint.h"

#include "core/glob.h"

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

enum { FULL_ID = 64 };

/* A set that is not empty has one of its own characters as a member, the lower end of a
   range; one with '!' leaves others than its own. */
static bool
set_is_empty(struct text set)
{
	if (set.len > 1 && memchr("!^", set.at[1], 2))
		return false;
	for (size_t i = 0; i < set.len; i++) {
		for (size_t len = 1; len <= 4 && i + len <= set.len; len++) {
			if (glob_matches(set, text_first(text_from(set, i), len), 0))
				return false;
		}
	}
	return true;
}

/* `chars`: what a fact is made of, as far as it is ASCII; NULL: anything. */
static bool
is_dead(struct text pattern, const char *chars)
{
	uint32_t literal;
	size_t len;

	for (size_t at = 0; at < pattern.len; at += len) {
		len = glob_element(pattern, at, &literal);
		if (len == 0)
			return true;
		if (pattern.at[at] == '[' &&
		    set_is_empty(text_first(text_from(pattern, at), len)))
			return true;
		if (chars && literal != UINT32_MAX &&
		    (literal >= 0x80 || literal == 0 || !strchr(chars, (int)literal)))
			return true;
	}
	return false;
}

bool
glob_is_dead(struct text pattern)
{
	return is_dead(pattern, NULL);
}

/* daemon/names/names.go: RestrictedNameChars; of Kubernetes a subset. */
bool
name_pattern_is_dead(struct text pattern)
{
	return is_dead(pattern, LOWER UPPER DIGITS "_.-");
}

/* A label of RFC 1123: apimachinery pkg/util/validation, IsDNS1123Label. */
bool
space_pattern_is_dead(struct text pattern)
{
	return is_dead(pattern, LOWER DIGITS "-");
}

/* A shorter ID is also a name that anybody may give, so it matches nothing
   (image_ref_matches()). */
bool
image_pattern_is_dead(struct text pattern)
{
	char room[IMAGE_PATTERN_MAX];
	struct image_pattern image;

	image_pattern_read(pattern, room, &image);
	if (image.kind == IMAGE_REF_ID)
		return image.text.len < FULL_ID;
	return image.kind != IMAGE_REF_NAME || is_dead(pattern, NULL);
}
