/* SPDX-License-Identifier: Apache-2.0 */
/* base64.c - decodes the standard alphabet, strictly. */
#include "core/base64.h"

#include <stdint.h>

enum { BAD = 0x80 }; /* no sextet has this bit */

/* Guide: rows of 16 byte values; BAD where RFC 4648 section 4 has no character. */
static const uint8_t sextets[256] = {
    /* clang-format off */
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, 62,  BAD, BAD, BAD, 63,
	52,  53,  54,  55,  56,  57,  58,  59,  60,  61,  BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, 0,   1,   2,   3,   4,   5,   6,   7,   8,   9,   10,  11,  12,  13,  14,
	15,  16,  17,  18,  19,  20,  21,  22,  23,  24,  25,  BAD, BAD, BAD, BAD, BAD,
	BAD, 26,  27,  28,  29,  30,  31,  32,  33,  34,  35,  36,  37,  38,  39,  40,
	41,  42,  43,  44,  45,  46,  47,  48,  49,  50,  51,  BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
    /* clang-format on */
};

/* The last group of four, with one or two '=' in it: writes 1 or 2 bytes, or -1. */
static int
decode_padded(const unsigned char *in, char *out)
{
	unsigned a = sextets[in[0]], b = sextets[in[1]];
	unsigned c = in[2] == '=' ? 0 : sextets[in[2]];

	if (in[3] != '=' || ((a | b | c) & BAD))
		return -1;
	if (in[2] == '=') {
		if (b & 0x0f)
			return -1;
		out[0] = (char)(a << 2 | b >> 4);
		return 1;
	}
	if (c & 0x03)
		return -1;
	out[0] = (char)(a << 2 | b >> 4);
	out[1] = (char)(b << 4 | c >> 2);
	return 2;
}

long
base64_decode(struct text in, char *out)
{
	const unsigned char *at = (const unsigned char *)in.at, *end;
	char *begin = out;
	unsigned bad = 0;
	int tail = 0;

	if (in.len == 0)
		return 0;
	if (in.len % 4 != 0)
		return -1;
	end = at + in.len;
	if (end[-1] == '=')
		end -= 4;
	for (; at < end; at += 4, out += 3) {
		unsigned a = sextets[at[0]], b = sextets[at[1]];
		unsigned c = sextets[at[2]], d = sextets[at[3]];
		unsigned group = a << 18 | b << 12 | c << 6 | d;

		bad |= a | b | c | d;
		out[0] = (char)(group >> 16);
		out[1] = (char)(group >> 8);
		out[2] = (char)group;
	}
	if (end != (const unsigned char *)in.at + in.len)
		tail = decode_padded(end, out);
	if ((bad & BAD) || tail < 0)
		return -1;
	return (long)(out - begin) + tail;
}
