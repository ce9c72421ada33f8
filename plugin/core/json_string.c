/* SPDX-License-Identifier: Apache-2.0 */
/* json_string.c - strings of JSON: finds their end, decodes their escapes. */
#include "core/json_lex.h"

#include "core/buf.h"

#include <stdint.h>

/*
 * Eight bytes at a time: a bit in the high bit of each byte that is a quote, a backslash,
 * a control character or not ASCII. Exact for the lowest such byte, which is all we use.
 */
static uint64_t
special_bytes(uint64_t x)
{
	const uint64_t ones = 0x0101010101010101U, highs = ones << 7;
	uint64_t quote = x ^ (ones * '"'), slash = x ^ (ones * '\\');

	return ((x | ((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
	         ((x - ones * 0x20) & ~x)) &
	        highs);
}

/* Over bytes that stand for themselves in a string. */
static const char *
skip_plain(const char *p, const char *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	while (end - p >= 8) {
		uint64_t word, hit;

		memcpy(&word, p, sizeof word);
		hit = special_bytes(word);
		if (hit)
			return p + __builtin_ctzll(hit) / 8;
		p += 8;
	}
#endif
	while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 &&
	       *p != '"' && *p != '\\')
		p++;
	return p;
}

static int
hex_value(const char *at, uint32_t *ret_value)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++) {
		char c = at[i];

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	*ret_value = value;
	return 0;
}

/* Over one escape; `at` is at the backslash. */
static int
skip_escape(struct json *json)
{
	uint32_t unused;

	if (json->end - json->at < 2)
		return json_fail(json, ERR_SYNTAX, "the JSON ends within a string");
	switch (json->at[1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		json->at += 2;
		return 0;
	case 'u':
		if (json->end - json->at < 6 || hex_value(json->at + 2, &unused) != 0)
			return json_fail(json, ERR_SYNTAX, "a bad \\u escape");
		json->at += 6;
		return 0;
	default:
		return json_fail(json, ERR_SYNTAX, "a bad escape in a string");
	}
}

/* A string, checked; `ret_raw` gets what is between the quotes. */
int
json_scan_string(struct json *json, struct text *ret_raw, bool *ret_escaped)
{
	const char *from = ++json->at;
	uint32_t point;
	size_t len;

	*ret_escaped = false;
	for (;;) {
		json->at = skip_plain(json->at, json->end);
		if (json->at >= json->end)
			return json_fail(json, ERR_SYNTAX,
			                 "the JSON ends within a string");
		if (*json->at == '"')
			break;
		if (*json->at == '\\') {
			*ret_escaped = true;
			if (skip_escape(json) != 0)
				return -1;
		} else if ((unsigned char)*json->at < 0x20) {
			return json_fail(json, ERR_SYNTAX,
			                 "a control character in a string");
		} else {
			len = utf8_decode(json->at, json->end, &point);
			if (len == 0)
				return json_fail(json, ERR_AMBIGUOUS,
				                 "bytes that are not UTF-8");
			json->at += len;
		}
	}
	*ret_raw = (struct text){.at = from, .len = (size_t)(json->at - from)};
	json->at++;
	return 0;
}

/* The character of an escape that json_scan_string() has checked; moves *at behind it. */
static int
decode_escape(struct json *json, const char **at, const char *end, uint32_t *ret_point)
{
	static const char shorts[128] = {
	    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
	    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
	const char *p = *at;
	uint32_t high = 0, low = 0;

	if (p[1] != 'u') {
		*ret_point = (unsigned char)shorts[(unsigned char)p[1] & 0x7f];
		*at += 2;
		return 0;
	}
	(void)hex_value(p + 2, &high);
	*at += 6;
	*ret_point = high;
	if (high < 0xd800 || high > 0xdfff)
		return 0;
	if (high > 0xdbff || end - p < 12 || p[6] != '\\' || p[7] != 'u' ||
	    hex_value(p + 8, &low) != 0 || low < 0xdc00 || low > 0xdfff)
		return json_fail(json, ERR_AMBIGUOUS, "half of a surrogate pair");
	*ret_point = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	*at += 6;
	return 0;
}

/* What a raw string means: in place if it has no escapes, else in the arena. */
static int
decode_string(struct json *json, struct text raw, bool escaped, struct text *ret_text)
{
	const char *at = raw.at, *end = raw.at + raw.len;
	char *out, *begin;
	uint32_t point;

	if (!escaped) {
		*ret_text = raw;
		return 0;
	}
	/* no escape is shorter than the UTF-8 of what it stands for */
	begin = out = arena_alloc(json->arena, raw.len + 1);
	if (!out)
		return json_fail(json, ERR_MEMORY, "out of memory");
	while (at < end) {
		const char *slash = memchr(at, '\\', (size_t)(end - at));
		size_t plain = (size_t)((slash ? slash : end) - at);

		memcpy(out, at, plain);
		out += plain;
		at += plain;
		if (!slash)
			break;
		if (decode_escape(json, &at, end, &point) != 0)
			return -1;
		out += utf8_encode(point, out);
	}
	*out = '\0';
	*ret_text = (struct text){.at = begin, .len = (size_t)(out - begin)};
	return 0;
}

/* A string and what it means. */
int
json_read_string(struct json *json, struct text *ret_text)
{
	struct text raw = {0};
	bool escaped;

	if (json_scan_string(json, &raw, &escaped) != 0)
		return -1;
	return decode_string(json, raw, escaped, ret_text);
}
