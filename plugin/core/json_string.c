/* SPDX-License-Identifier: Apache-2.0 */
/* json_string.c - strings of JSON: finds their end, decodes their escapes. */
#include "core/json_lex.h"

#include "core/buf.h"

#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* What the second byte of a short escape stands for; 0: it is no short escape. */
static const char shorts[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                 ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};

/* A byte that does not stand for itself in a string, or that begins a longer character. */
static bool
is_special(char c)
{
	return (unsigned char)c < 0x20 || (unsigned char)c >= 0x80 || c == '"' ||
	       c == '\\';
}

/* What stands where in the next STEP bytes, a bit for each. */
struct step {
	unsigned quotes, slashes;
	unsigned others; /* control characters, and all that is not ASCII */
};

#if defined(__SSE2__) && !defined(PORTABLE)

enum { STEP = 16 };

#define LOAD(at)        _mm_loadu_si128((const __m128i *)(const void *)(at))
#define BITS(bytes)     ((unsigned)_mm_movemask_epi8(bytes))
#define EQUAL(bytes, c) _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c))
/* signed, so bytes from 0x80 on are below it too */
#define OTHER(bytes) _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20))

static inline struct step
look(const char *at)
{
	__m128i bytes = LOAD(at);

	return (struct step){.quotes = BITS(EQUAL(bytes, '"')),
	                     .slashes = BITS(EQUAL(bytes, '\\')),
	                     .others = BITS(OTHER(bytes))};
}

/* All three at once. */
static inline unsigned
specials(const char *at)
{
	__m128i bytes = LOAD(at);

	return BITS(_mm_or_si128(_mm_or_si128(EQUAL(bytes, '"'), EQUAL(bytes, '\\')),
	                         OTHER(bytes)));
}

#else

enum { STEP = 8 };

static inline struct step
look(const char *at)
{
	struct step step = {0};

	for (unsigned i = 0; i < STEP; i++) {
		step.quotes |= (unsigned)(at[i] == '"') << i;
		step.slashes |= (unsigned)(at[i] == '\\') << i;
		step.others |= (unsigned)((signed char)at[i] < 0x20) << i;
	}
	return step;
}

static inline unsigned
specials(const char *at)
{
	struct step step = look(at);

	return step.quotes | step.slashes | step.others;
}

#endif

/* To the first special byte, or to the end. */
static inline const char *
skip_plain(const char *at, const char *end)
{
	for (; end - at >= STEP; at += STEP) {
		unsigned special = specials(at);

		if (special)
			return at + __builtin_ctz(special);
	}
	while (at < end && !is_special(*at))
		at++;
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

	while (end - at >= STEP) {
		struct step step = look(at);
		unsigned escaped = (step.slashes << 1 | carry) & ((1U << STEP) - 1);
		/* any escaped byte that is no quote, a second backslash too */
		unsigned stop = step.others | (step.quotes ^ escaped);

		if (stop) {
			unsigned n = (unsigned)__builtin_ctz(stop);

			*ret_escaped |= (step.slashes & ((1U << n) - 1)) != 0;
			return at + n - (escaped >> n & 1);
		}
		*ret_escaped |= step.slashes != 0;
		carry = step.slashes >> (STEP - 1);
		at += STEP;
	}
	return at - carry;
}

/* The rest of a string, from its first byte that is not plain. Returns as below. */
__attribute__((noinline)) static int
scan_special(struct json *json)
{
	bool escaped = false;

	for (;;) {
		json->at = skip_steps(json->at, json->end, &escaped);
		json->at = skip_plain(json->at, json->end);
		if (json->at < json->end && *json->at == '"')
			return escaped;
		if (skip_special(json, &escaped) != 0)
			return -1;
	}
}

/* As json_scan_string(). */
static inline int
scan_string(struct json *json, struct text *ret_raw)
{
	const char *from = json->at + 1;
	int escaped = 0;

	json->at = skip_plain(from, json->end);
	if (json->at >= json->end || *json->at != '"')
		escaped = scan_special(json);
	if (escaped < 0)
		return -1;
	*ret_raw = (struct text){.at = from, .len = (size_t)(json->at - from)};
	json->at++;
	return escaped;
}

int
json_scan_string(struct json *json, struct text *ret_raw)
{
	return scan_string(json, ret_raw);
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

enum { CHUNK = 16, BLOCK = 64 };

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
	uint64_t slashes = 0;

	for (unsigned i = 0; i < BLOCK; i += STEP)
		slashes |= (uint64_t)look(at + i).slashes << i;
	return slashes;
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

/* What a raw string with escapes means, in the arena. Rare: kept out of the way. */
__attribute__((noinline)) static int
decode_string(struct json *json, struct text raw, struct text *ret_text)
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

/* A string and what it means. */
int
json_read_string(struct json *json, struct text *ret_text)
{
	int escaped = scan_string(json, ret_text);

	return escaped > 0 ? decode_string(json, *ret_text, ret_text) : escaped;
}
