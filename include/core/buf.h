/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf - a growing run of bytes that we write: answers, records, messages.
 *
 * Invariant: a buf that failed to grow stays failed and keeps its earlier content, so
 * writers append without looking and the owner checks buf_ok() once at the end. The
 * owner frees it. One thread.
 */
#pragma once

#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *at;   /* NUL-terminated when not NULL */
	size_t len; /* without that NUL */
	size_t cap;
	size_t limit; /* most bytes it may hold; 0 means no limit of its own */
	bool failed;  /* no memory, or over the limit */
};

static inline bool
buf_ok(const struct buf *buf)
{
	return !buf->failed;
}

static inline struct text
buf_text(const struct buf *buf)
{
	return (struct text){.at = buf->at ? buf->at : "", .len = buf->len};
}

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_char(struct buf *buf, char c);
void buf_str(struct buf *buf, const char *s);
void buf_add_text(struct buf *buf, struct text t);
void buf_printf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends `value` in decimal, with zeros in front up to `width` (0..20) digits. For what is
   written with each denial: printf's own work would cost more than all else in a line. */
void buf_number(struct buf *buf, uint64_t value, size_t width);

/*
 * Appends `t` as a JSON string with its quotes (RFC 8259): control characters, quotes
 * and backslashes escaped, invalid UTF-8 replaced by U+FFFD, so that what is written is
 * JSON whatever `t` holds. At most `max` bytes of `t` are used, cut at a character; then
 * "..." follows. `max` 0 means all.
 */
void buf_json(struct buf *buf, struct text t, size_t max);

/*
 * Appends `t` in double quotes for a person to read on a terminal or in a log: control
 * characters, invalid UTF-8, bidirectional controls (Unicode UAX #9) and other invisible
 * format characters appear as \u escapes, so that nothing in it can move the cursor,
 * reorder the line or forge a second one. At most `max` bytes of `t`, then "...".
 */
void buf_quoted(struct buf *buf, struct text t, size_t max);

/* Empties it and keeps its memory. */
void buf_clear(struct buf *buf);

/* NULL is fine; the buf is empty and usable afterwards. */
void buf_free(struct buf *buf);

#define cleanup_buf __attribute__((cleanup(buf_free)))

/*
 * Reads one UTF-8 character at `at` (before `end`). Returns its length in bytes (1..4)
 * and the code point, or 0 if the bytes are not well-formed UTF-8 (RFC 3629: no
 * overlong forms, no surrogates, nothing above U+10FFFF).
 */
size_t utf8_decode(const char *at, const char *end, uint32_t *ret_code_point);

/* Writes `code_point` (a scalar value) to `out` (4 bytes of room); returns its length. */
size_t utf8_encode(uint32_t code_point, char *out);
