/* SPDX-License-Identifier: Apache-2.0 */
/* base64.c - decodes the standard alphabet, strictly. */
#include "core/base64.h"

#include <endian.h>
#include <stdint.h>

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
