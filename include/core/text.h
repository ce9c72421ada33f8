/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text - a borrowed run of bytes with its length.
 *
 * Everything read from a request is a struct text: it points into the request's bytes
 * or into the arena of the decision, is never NUL-terminated on purpose and may hold
 * NUL bytes. A text whose `at` is NULL is a fact the request lacks; that is not the
 * same as an empty one. All functions are pure and safe from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct text {
	const char *at; /* NULL: the request does not say */
	size_t len;     /* bytes; 0 if `at` is NULL */
};

/* A list of texts; `at` is owned by an arena and has `count` entries. */
struct text_list {
	struct text *at;
	size_t count;
};

/* A key and its value, as in labels and annotations. */
struct text_pair {
	struct text key, value;
};

struct text_map {
	struct text_pair *at;
	size_t count;
};

/* For "%.*s": the length (as int) and the bytes of a text that is known to be short. */
#define TEXT_ARG(t) (int)(t).len, (t).at ? (t).at : ""

/* A string literal as text. */
#define TEXT_LIT(s)                                                                      \
	(struct text)                                                                    \
	{                                                                                \
		.at = (s), .len = sizeof(s) - 1                                          \
	}

/* A NUL-terminated string as text; NULL gives the missing text. Borrows `s`. */
static inline struct text
text_of(const char *s)
{
	return (struct text){.at = s, .len = s ? strlen(s) : 0};
}

/* True if both hold the same bytes; a missing text equals only a missing or empty one. */
static inline bool
text_equal(struct text a, struct text b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool
text_is(struct text t, const char *s)
{
	return text_equal(t, text_of(s));
}

static inline bool
text_has_prefix(struct text t, const char *prefix)
{
	size_t n = strlen(prefix);

	return t.len >= n && (n == 0 || memcmp(t.at, prefix, n) == 0);
}

/* The part of `t` that starts at byte `from` (0..t.len). */
static inline struct text
text_from(struct text t, size_t from)
{
	return (struct text){.at = t.at + from, .len = t.len - from};
}

/* The first `len` (0..t.len) bytes of `t`. */
static inline struct text
text_first(struct text t, size_t len)
{
	return (struct text){.at = t.at, .len = len};
}

/* Index of the first `c`, or t.len when there is none. */
static inline size_t
text_find(struct text t, char c)
{
	const char *hit = t.len > 0 ? memchr(t.at, c, t.len) : NULL;

	return hit ? (size_t)(hit - t.at) : t.len;
}
