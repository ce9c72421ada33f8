/* SPDX-License-Identifier: Apache-2.0 */
/* base64.c - decodes the standard alphabet, strictly. */
#include "core/base64.h"

#include <endian.h>
#include <stdint.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

/* RFC 4648 section 4. */
/* clang-format off */
#define ALPHABET(X) \
	X('A', 0) X('B', 1) X('C', 2) X('D', 3) X('E', 4) X('F', 5) X('G', 6) X('H', 7) \
	X('I', 8) X('J', 9) X('K', 10) X('L', 11) X('M', 12) X('N', 13) X('O', 14) X('P', 15) \
	X('Q', 16) X('R', 17) X('S', 18) X('T', 19) X('U', 20) X('V', 21) X('W', 22) X('X', 23) \
	X('Y', 24) X('Z', 25) X('a', 26) X('b', 27) X('c', 28) X('d', 29) X('e', 30) X('f', 31) \
	X('g', 32) X('h', 33) X('i', 34) X('j', 35) X('k', 36) X('l', 37) X('m', 38) X('n', 39) \
	X('o', 40) X('p', 41) X('q', 42) X('r', 43) X('s', 44) X('t', 45) X('u', 46) X('v', 47) \
	X('w', 48) X('x', 49) X('y', 50) X('z', 51) X('0', 52) X('1', 53) X('2', 54) X('3', 55) \
	X('4', 56) X('5', 57) X('6', 58) X('7', 59) X('8', 60) X('9', 61) X('+', 62) X('/', 63)
/* clang-format on */

/* What a character stands for in each place of a group of four: its six bits where they
   belong, and above them a bit which says that it is of the alphabet. */
#define KNOWN(place)      (UINT32_C(1) << (24 + (place)))
#define FIRST(c, sextet)  [c] = KNOWN(0) | (sextet) << 18,
#define SECOND(c, sextet) [c] = KNOWN(1) | (sextet) << 12,
#define THIRD(c, sextet)  [c] = KNOWN(2) | (sextet) << 6,
#define FOURTH(c, sextet) [c] = KNOWN(3) | (sextet),

static const uint32_t places[4][256] = {
    {ALPHABET(FIRST)}, {ALPHABET(SECOND)}, {ALPHABET(THIRD)}, {ALPHABET(FOURTH)}};

static const uint32_t all_known = KNOWN(0) | KNOWN(1) | KNOWN(2) | KNOWN(3);

static inline uint32_t
read_group(const unsigned char *in)
{
	return places[0][in[0]] | places[1][in[1]] | places[2][in[2]] | places[3][in[3]];
}

/* The last group of four, with one or two '=' in it: writes 1 or 2 bytes, or -1. */
static int
decode_padded(const unsigned char *in, char *out)
{
	int len = in[2] == '=' ? 1 : 2;
	uint32_t group = places[0][in[0]] | places[1][in[1]] |
	                 (len == 1 ? KNOWN(2) : places[2][in[2]]) | KNOWN(3);
	uint32_t left_over = len == 1 ? 0xffff : 0xff;

	if (in[3] != '=' || (group & all_known) != all_known || (group & left_over))
		return -1;
	out[0] = (char)(group >> 16);
	if (len == 2)
		out[1] = (char)(group >> 8);
	return len;
}

#if defined(__x86_64__) && !defined(PORTABLE)

/*
 * What is looked up for a character by one half of its byte (W. Mula, D. Lemire: "Faster
 * Base64 Encoding and Decoding using AVX2 Instructions", section 5). It is of the alphabet
 * if the two have no bit in common: each bit of by_high stands for a range of upper
 * halves, and is set in by_low for the lower halves that are foreign there.
 */
static const signed char by_high[16] = {0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08,
                                        0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10};
static const signed char by_low[16] = {0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                                       0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a};

/* What to add to a character for its six bits, by the upper half; for '/' the one of the
   row before its own, where the alphabet has nothing. */
static const signed char offsets[16] = {0, 16, 19, 4, -65, -65, -71, -71};

/* Where the three bytes of each group stand, high to low. */
static const signed char order[16] = {2, 1,  0,  6,  5,  4,  10, 9,
                                      8, 14, 13, 12, -1, -1, -1, -1};

enum { CHUNK = 32, CHUNK_BYTES = 24 };

/* Both halves of a register look up in the same table. */
#define TABLE(bytes)                                                                     \
	_mm256_broadcastsi128_si256(                                                     \
	    _mm_loadu_si128((const __m128i *)(const void *)(bytes)))

/*
 * CHUNK characters at a time, up to a foreign one or near the end, which are left to the
 * tables. Returns where it came to; moves *out along.
 */
__attribute__((target("avx2"))) static const unsigned char *
decode_chunks(const unsigned char *at, const unsigned char *end, char **out)
{
	const __m256i half = _mm256_set1_epi8(0x0f), slash = _mm256_set1_epi8('/');
	const __m256i close_up = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7);

	/* each store is 8 bytes longer than what was decoded */
	for (; end - at >= CHUNK + 16; at += CHUNK, *out += CHUNK_BYTES) {
		__m256i in = _mm256_loadu_si256((const __m256i *)(const void *)at);
		__m256i high = _mm256_and_si256(_mm256_srli_epi32(in, 4), half);
		__m256i low = _mm256_and_si256(in, half);
		__m256i row = _mm256_add_epi8(high, _mm256_cmpeq_epi8(in, slash));
		__m256i groups;

		if (!_mm256_testz_si256(_mm256_shuffle_epi8(TABLE(by_high), high),
		                        _mm256_shuffle_epi8(TABLE(by_low), low)))
			break;
		groups = _mm256_add_epi8(in, _mm256_shuffle_epi8(TABLE(offsets), row));
		groups = _mm256_maddubs_epi16(groups, _mm256_set1_epi32(0x01400140));
		groups = _mm256_madd_epi16(groups, _mm256_set1_epi32(0x00011000));
		groups = _mm256_shuffle_epi8(groups, TABLE(order));
		_mm256_storeu_si256((__m256i *)(void *)*out,
		                    _mm256_permutevar8x32_epi32(groups, close_up));
	}
	return at;
}

static bool
has_chunks(void)
{
	return __builtin_cpu_supports("avx2");
}

#else

static const unsigned char *
decode_chunks(const unsigned char *at, const unsigned char *end, char **out)
{
	(void)end;
	(void)out;
	return at;
}

static bool
has_chunks(void)
{
	return false;
}

#endif

long
base64_decode(struct text in, char *out)
{
	const unsigned char *at = (const unsigned char *)in.at, *end;
	uint32_t known = all_known;
	char *begin = out;
	int tail = 0;

	if (in.len == 0)
		return 0;
	if (in.len % 4 != 0)
		return -1;
	end = at + in.len;
	if (end[-1] == '=')
		end -= 4;
	if (has_chunks())
		at = decode_chunks(at, end, &out);
	for (; at < end; at += 4, out += 3) {
		uint32_t group = read_group(at), big = htobe32(group << 8);

		known &= group;
		memcpy(out, &big, sizeof big); /* one byte too many: BASE64_ROOM has it */
	}
	if (end != (const unsigned char *)in.at + in.len)
		tail = decode_padded(end, out);
	if ((known & all_known) != all_known || tail < 0)
		return -1;
	return (long)(out - begin) + tail;
}
