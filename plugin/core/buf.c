/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c - a growing run of bytes that we write, and how values are quoted in it. */
#include "core/buf.h"

#include "core/json_step.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_FIRST = 256 };

/* Room for `more` bytes and a NUL. */
static bool
reserve(struct buf *buf, size_t more)
{
	size_t need, cap = buf->cap ? buf->cap : BUF_FIRST;
	char *at;

	if (buf->failed)
		return false;
	if (more >= SIZE_MAX / 4 || buf->len >= SIZE_MAX / 4 ||
	    (buf->limit > 0 && buf->len + more > buf->limit)) {
		buf->failed = true;
		return false;
	}
	need = buf->len + more + 1;
	if (need <= buf->cap)
		return true;
	while (cap < need)
		cap *= 2;
	at = realloc(buf->at, cap);
	if (!at) {
		buf->failed = true;
		return false;
	}
	buf->at = at;
	buf->cap = cap;
	return true;
}

void
buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (!reserve(buf, len))
		return;
	if (len > 0)
		memcpy(buf->at + buf->len, bytes, len);
	buf->len += len;
	buf->at[buf->len] = '\0';
}

void
buf_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void
buf_str(struct buf *buf, const char *s)
{
	buf_add(buf, s, strlen(s));
}

void
buf_add_text(struct buf *buf, struct text t)
{
	buf_add(buf, t.at, t.len);
}

void
buf_number(struct buf *buf, uint64_t value, size_t width)
{
	char digits[20]; /* of UINT64_MAX */
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	while (sizeof digits - at < width && at > 0)
		digits[--at] = '0';
	buf_add(buf, digits + at, sizeof digits - at);
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
	enum { GUESS = 96 }; /* most texts fit, so most are formatted once */
	va_list args;
	size_t room;
	int len;

	if (buf->limit == 0 && !reserve(buf, GUESS))
		return;
	room = buf->cap > buf->len ? buf->cap - buf->len : 0;
	va_start(args, format);
	len = vsnprintf(room ? buf->at + buf->len : NULL, room, format, args);
	va_end(args);
	if (len >= 0 && (size_t)len >= room) {
		if (!reserve(buf, (size_t)len)) {
			if (buf->at)
				buf->at[buf->len] = '\0';
			return;
		}
		va_start(args, format);
		(void)vsnprintf(buf->at + buf->len, (size_t)len + 1, format, args);
		va_end(args);
	}
	if (len < 0 || buf->failed ||
	    (buf->limit > 0 && buf->len + (size_t)len > buf->limit)) {
		buf->failed = true;
		if (buf->at)
			buf->at[buf->len] = '\0';
		return;
	}
	buf->len += (size_t)len;
}

size_t
utf8_encode(uint32_t code_point, char *out)
{
	if (code_point < 0x80) {
		out[0] = (char)code_point;
		return 1;
	}
	if (code_point < 0x800) {
		out[0] = (char)(0xc0 | code_point >> 6);
		out[1] = (char)(0x80 | (code_point & 0x3f));
		return 2;
	}
	if (code_point < 0x10000) {
		out[0] = (char)(0xe0 | code_point >> 12);
		out[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code_point & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code_point >> 18);
	out[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code_point & 0x3f));
	return 4;
}

size_t
utf8_decode(const char *at, const char *end, uint32_t *ret_code_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)at[0];
	size_t len = first < 0x80   ? 1
	             : first < 0xc2 ? 0
	             : first < 0xe0 ? 2
	             : first < 0xf0 ? 3
	                            : 4;
	uint32_t point;

	if (len == 0 || first > 0xf4 || (size_t)(end - at) < len)
		return 0;
	point = len == 1 ? first : first & (0xffU >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)at[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | ((unsigned char)at[i] & 0x3f);
	}
	if (point < least[len] || point > 0x10ffff ||
	    (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_code_point = point;
	return len;
}

/* One \u escape, or two for what is outside the basic plane (RFC 8259 section 7). */
static void
add_escape(struct buf *buf, uint32_t point)
{
	if (point >= 0x10000) {
		buf_printf(buf, "\\u%04x", 0xd800U + ((point - 0x10000) >> 10));
		point = 0xdc00 + ((point - 0x10000) & 0x3ff);
	}
	buf_printf(buf, "\\u%04x", point);
}

static void
add_control(struct buf *buf, unsigned char c)
{
	static const char *const shorts[32] = {['\b'] = "\\b",
	                                       ['\f'] = "\\f",
	                                       ['\n'] = "\\n",
	                                       ['\r'] = "\\r",
	                                       ['\t'] = "\\t"};

	if (shorts[c])
		buf_str(buf, shorts[c]);
	else
		add_escape(buf, c);
}

/*
 * Characters that a terminal does not show as themselves: controls, bidirectional and
 * other format characters (Unicode categories Cc, Cf, Zl, Zp as of 15.0), non-characters.
 */
static bool
is_invisible(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} ranges[] = {
	    {0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},
	    {0x600, 0x605},     {0x61c, 0x61c},     {0x6dd, 0x6dd},
	    {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},
	    {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f},
	    {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},
	    {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
	    {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},
	    {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
	    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
	};

	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
		if (c >= ranges[i].from && c <= ranges[i].to)
			return true;
	}
	return false;
}

/* How much of a text fits into `max` bytes without cutting a character. */
static const char *
cut(struct text t, size_t max)
{
	const char *end = t.at + t.len;

	if (max == 0 || t.len <= max)
		return end;
	end = t.at + max;
	while (end > t.at && ((unsigned char)*end & 0xc0) == 0x80)
		end--;
	return end;
}

/* The longest run of bytes that stand for themselves in a JSON string. */
static size_t
plain_run(const char *at, const char *end)
{
	const char *p = at;

	for (; end - p >= JSON_STEP; p += JSON_STEP) {
		unsigned stop = json_quotables(p);

		if (stop)
			return (size_t)(p - at) + (size_t)__builtin_ctz(stop);
	}
	while (p < end && !json_is_special(*p) && *p != 0x7f)
		p++;
	return (size_t)(p - at);
}

static void
add_string(struct buf *buf, struct text t, size_t max, bool for_people)
{
	const char *at = t.at, *end = t.len > 0 ? cut(t, max) : t.at;
	uint32_t point;

	buf_char(buf, '"');
	while (at < end) {
		size_t len = plain_run(at, end);

		if (len > 0) {
			buf_add(buf, at, len);
		} else if ((unsigned char)*at < 0x20) {
			add_control(buf, (unsigned char)*at);
			len = 1;
		} else if (*at == '"' || *at == '\\') {
			buf_char(buf, '\\');
			buf_char(buf, *at);
			len = 1;
		} else if ((len = utf8_decode(at, end, &point)) == 0) {
			add_escape(buf, 0xfffd);
			len = 1;
		} else if (point == 0x7f || (for_people && is_invisible(point))) {
			add_escape(buf, point);
		} else {
			buf_add(buf, at, len);
		}
		at += len;
	}
	if (t.len > 0 && end < t.at + t.len)
		buf_str(buf, "...");
	buf_char(buf, '"');
}

void
buf_json(struct buf *buf, struct text t, size_t max)
{
	add_string(buf, t, max, false);
}

void
buf_quoted(struct buf *buf, struct text t, size_t max)
{
	add_string(buf, t, max, true);
}

void
buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->at)
		buf->at[0] = '\0';
}

void
buf_free(struct buf *buf)
{
	if (!buf)
		return;
	free(buf->at);
	*buf = (struct buf){.limit = buf->limit};
}
