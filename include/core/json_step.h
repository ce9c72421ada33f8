/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_step - the bytes of a JSON string, many at a time; for the json_* files and buf.c.
 *
 * With SSE2, which every x86-64 has, or with PORTABLE or elsewhere in plain C. Reads
 * within the bounds that are given. Pure.
 */
#pragma once

#include <stdbool.h>

#if defined(__SSE2__) && !defined(PORTABLE)
#include <emmintrin.h>
#endif

/* A byte that does not stand for itself in a string, or that begins a longer character. */
static inline bool
json_is_special(char c)
{
	return (unsigned char)c < 0x20 || (unsigned char)c >= 0x80 || c == '"' ||
	       c == '\\';
}

/* What stands where in the next JSON_STEP bytes, a bit for each. */
struct json_step {
	unsigned quotes, slashes;
	unsigned others; /* control characters, and all that is not ASCII */
};

#if defined(__SSE2__) && !defined(PORTABLE)

enum { JSON_STEP = 16 };

#define JSON_LOAD(at)        _mm_loadu_si128((const __m128i *)(const void *)(at))
#define JSON_BITS(bytes)     ((unsigned)_mm_movemask_epi8(bytes))
#define JSON_EQUAL(bytes, c) _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c))
/* signed, so bytes from 0x80 on are below it too */
#define JSON_OTHER(bytes) _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20))

static inline struct json_step
json_look(const char *at)
{
	__m128i bytes = JSON_LOAD(at);

	return (struct json_step){.quotes = JSON_BITS(JSON_EQUAL(bytes, '"')),
	                          .slashes = JSON_BITS(JSON_EQUAL(bytes, '\\')),
	                          .others = JSON_BITS(JSON_OTHER(bytes))};
}

static inline __m128i
json_mark_specials(const char *at)
{
	__m128i bytes = JSON_LOAD(at);

	return _mm_or_si128(_mm_or_si128(JSON_EQUAL(bytes, '"'), JSON_EQUAL(bytes, '\\')),
	                    JSON_OTHER(bytes));
}

/* All three at once. */
static inline unsigned
json_specials(const char *at)
{
	return JSON_BITS(json_mark_specials(at));
}

/* And DEL, which we do not write as itself. */
static inline unsigned
json_quotables(const char *at)
{
	return JSON_BITS(
	    _mm_or_si128(json_mark_specials(at), JSON_EQUAL(JSON_LOAD(at), 0x7f)));
}

/* Is there one in the next four steps? */
static inline bool
json_has_special(const char *at)
{
	__m128i first =
	    _mm_or_si128(json_mark_specials(at), json_mark_specials(at + JSON_STEP));
	__m128i second = _mm_or_si128(json_mark_specials(at + 2 * JSON_STEP),
	                              json_mark_specials(at + 3 * JSON_STEP));

	return JSON_BITS(_mm_or_si128(first, second)) != 0;
}

#else

enum { JSON_STEP = 8 };

static inline struct json_step
json_look(const char *at)
{
	struct json_step step = {0};

	for (unsigned i = 0; i < JSON_STEP; i++) {
		step.quotes |= (unsigned)(at[i] == '"') << i;
		step.slashes |= (unsigned)(at[i] == '\\') << i;
		step.others |= (unsigned)((signed char)at[i] < 0x20) << i;
	}
	return step;
}

static inline unsigned
json_specials(const char *at)
{
	struct json_step step = json_look(at);

	return step.quotes | step.slashes | step.others;
}

static inline unsigned
json_quotables(const char *at)
{
	unsigned deletes = 0;

	for (unsigned i = 0; i < JSON_STEP; i++)
		deletes |= (unsigned)(at[i] == 0x7f) << i;
	return json_specials(at) | deletes;
}

static inline bool
json_has_special(const char *at)
{
	return json_specials(at) || json_specials(at + JSON_STEP) ||
	       json_specials(at + 2 * JSON_STEP) || json_specials(at + 3 * JSON_STEP);
}

#endif

/* Over plain bytes while there are many; the base64 of a body is nearly all of what an
   engine sends. */
const char *json_skip_long(const char *at, const char *end);

/* To the first special byte, or to the end. */
static inline const char *
json_skip_plain(const char *at, const char *end)
{
	const char *from = at;

	for (; end - at >= JSON_STEP; at += JSON_STEP) {
		unsigned special = json_specials(at);

		if (special)
			return at + __builtin_ctz(special);
		if (at - from == 3 * JSON_STEP)
			at = json_skip_long(at + JSON_STEP, end) - JSON_STEP;
	}
	while (at < end && !json_is_special(*at))
		at++;
	return at;
}
