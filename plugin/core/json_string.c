/* SPDX-License-Identifier: Apache-2.0 */
/* json_string.c - strings of JSON: finds their end, decodes their escapes. */
#include "core/json_lex.h"

#include "core/buf.h"

#include <stdint.h>

/* What the second byte of a short escape stands for; 0: it is no short escape. */
static const char shorts[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                 ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};

const char *
json_skip_long(const char *at, const char *end)
{
	while (end - at >= 4 * JSON_STEP && !json_has_special(at))
		at += 4 * JSON_STEP;
	return at;
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
	if (shorts[(unsigned char)json->at[1]]) {
		json->at += 2;
		return 0;
	}
	if (json->at[1] != 'u')
		return json_fail(json, ERR_SYNTAX, "a bad escape in a string");
	if (json->end - json->at < 6 || hex_value(json->at + 2, &unused) != 0)
		return json_fail(json, ERR_SYNTAX, "a bad \\u escape");
	json->at += 6;
	return 0;
}

/* Over one special byte, or what it begins; it is not the closing quote. */
static int
skip_special(struct json *json, bool *ret_escaped)
{
	uint32_t unused;
	size_t len;

	if (json->at >= json->end)
		return json_fail(json, ERR_SYNTAX, "the JSON ends within a string");
	if (*json->at == '\\') {
		*ret_escaped = true;
		return skip_escape(json);
	}
	if ((unsigned char)*json->at < 0x20)
		return json_fail(json, ERR_SYNTAX, "a control character in a string");
	len = utf8_decode(json->at, json->end, &unused);
	if (len == 0)
		return json_fail(json, ERR_AMBIGUOUS, "bytes that are not UTF-8");
	json->at += len;
	return 0;
}

/*
 * Over plain bytes and escaped quotes, which is all that most strings have: to the closing
 * quote, to something for skip_special(), or to the last bytes. No branch depends on where
 * the escapes are, which no processor would guess.
 */
static inline const char *
skip_steps(const char *at, const char *end, bool *ret_escaped)
{
	unsigned carry = 0; /* 1: the byte at `at` is escaped */

	while (end - at >= JSON_STEP) {
		struct json_step step = json_look(at);
		unsigned escaped = (step.slashes << 1 | carry) & ((1U << JSON_STEP) - 1);
		/* any escaped byte that is no quote, a second backslash too */
		unsigned stop = step.others | (step.quotes ^ escaped);

		if (stop) {
			unsigned n = (unsigned)__builtin_ctz(stop);

			*ret_escaped |= (step.slashes & ((1U << n) - 1)) != 0;
			return at + n - (escaped >> n & 1);
		}
		*ret_escaped |= step.slashes != 0;
		carry = step.slashes >> (JSON_STEP - 1);
		at += JSON_STEP;
	}
	return at - carry;
}

int
json_scan_special(struct json *json)
{
	bool escaped = false;

	for (;;) {
		json->at = skip_steps(json->at, json->end, &escaped);
		json->at = json_skip_plain(json->at, json->end);
		if (json->at < json->end && *json->at == '"')
			return escaped;
		if (skip_special(json, &escaped) != 0)
			return -1;
	}
}

/* Where a string is decoded from and to. */
struct decoding {
	const char *at, *end;
	char *out; /* never ahead of `at`, as far as each has come */
};

/* The character of a \\u escape that json_scan_string() has checked, and behind it. */
static int
decode_unicode(struct json *json, struct decoding *decoding, uint32_t *ret_point)
{
	const char *p = decoding->at;
	uint32_t high = 0, low = 0;

	(void)hex_value(p + 2, &high);
	decoding->at += 6;
	*ret_point = high;
	if (high < 0xd800 || high > 0xdfff)
		return 0;
	if (high > 0xdbff || decoding->end - p < 12 || p[6] != '\\' || p[7] != 'u' ||
	    hex_value(p + 8, &low) != 0 || low < 0xdc00 || low > 0xdfff)
		return json_fail(json, ERR_AMBIGUOUS, "half of a surrogate pair");
	*ret_point = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	decoding->at += 6;
	return 0;
}

enum { CHUNK = 16, BLOCK = 4 * JSON_STEP };

/* Copies `len` bytes (0 to BLOCK) CHUNK at a time: reads and writes up to CHUNK more. */
static inline char *
copy_plain(char *out, const char *at, size_t len)
{
	size_t i = 0;

	do {
		memcpy(out + i, at + i, CHUNK);
		i += CHUNK;
	} while (i < len);
	return out + len;
}

/* A bit for each of BLOCK bytes: is it a backslash? */
static inline uint64_t
slashes_in(const char *at)
{
	uint64_t first = json_look(at).slashes;
	uint64_t second = json_look(at + JSON_STEP).slashes;
	uint64_t third = json_look(at + 2 * JSON_STEP).slashes;
	uint64_t fourth = json_look(at + 3 * JSON_STEP).slashes;

	return first | second << JSON_STEP | third << 2 * JSON_STEP |
	       fourth << 3 * JSON_STEP;
}

/* Plain bytes and short escapes, up to a long one or near the end. */
static void
decode_blocks(struct decoding *decoding)
{
	const char *at = decoding->at;
	char *out = decoding->out;

	while (decoding->end - at > BLOCK + CHUNK) {
		uint64_t slashes = slashes_in(at);
		size_t done = 0;

		while (slashes) {
			size_t n = (size_t)__builtin_ctzll(slashes);
			char c = shorts[(unsigned char)at[n + 1]];

			out = copy_plain(out, at + done, n - done);
			if (!c) {
				decoding->at = at + n;
				decoding->out = out;
				return;
			}
			*out++ = c;
			done = n + 2;
			slashes &= ~(UINT64_C(3) << n);
		}
		if (done < BLOCK) {
			out = copy_plain(out, at + done, BLOCK - done);
			done = BLOCK;
		}
		at += done;
	}
	decoding->at = at;
	decoding->out = out;
}

/* One byte or one escape. */
static int
decode_one(struct json *json, struct decoding *decoding)
{
	const char *at = decoding->at;
	uint32_t point;

	if (*at != '\\') {
		*decoding->out++ = *at;
		decoding->at++;
		return 0;
	}
	if (shorts[(unsigned char)at[1]]) {
		*decoding->out++ = shorts[(unsigned char)at[1]];
		decoding->at += 2;
		return 0;
	}
	if (decode_unicode(json, decoding, &point) != 0)
		return -1;
	json->nul = json->nul || point == 0;
	decoding->out += utf8_encode(point, decoding->out);
	return 0;
}

int
json_decode_string(struct json *json, struct text raw, struct text *ret_text)
{
	/* no escape is shorter than the UTF-8 of what it stands for */
	char *begin = arena_alloc(json->arena, raw.len + CHUNK);
	struct decoding decoding = {.at = raw.at, .end = raw.at + raw.len, .out = begin};

	if (!begin)
		return json_fail(json, ERR_MEMORY, "out of memory");
	while (decoding.at < decoding.end) {
		decode_blocks(&decoding);
		if (decode_one(json, &decoding) != 0)
			return -1;
	}
	*decoding.out = '\0';
	*ret_text = (struct text){.at = begin, .len = (size_t)(decoding.out - begin)};
	return 0;
}
