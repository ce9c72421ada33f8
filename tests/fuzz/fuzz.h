/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz.h - what the fuzzers share: checks that end the run, small arenas, judges, and the
 * same JSON in another spelling.
 *
 * A fuzzer is a LLVMFuzzerTestOneInput() with invariants; libFuzzer or replay_main.c
 * calls it.
 */
#pragma once

#include "core/decide.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define CHECK(condition)                                                                 \
	((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))

static inline void
fuzz_fail(const char *condition, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

static inline struct text
fuzz_text(const uint8_t *data, size_t size)
{
	return (struct text){.at = (const char *)data, .len = size};
}

/* ---- chance that depends on the input alone ---- */

struct fuzz_random {
	uint64_t state;
};

static inline struct fuzz_random
fuzz_random(struct text input)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

	for (size_t i = 0; i < input.len; i++)
		hash = (hash ^ (unsigned char)input.at[i]) * UINT64_C(1099511628211);
	return (struct fuzz_random){.state = hash | 1};
}

/* 0 .. below - 1 */
static inline unsigned
fuzz_pick(struct fuzz_random *random, unsigned below)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return (unsigned)(random->state >> 33) % below;
}

/* ---- memory that runs out ---- */

/* An arena that has `room` bytes (up to ARENA_BLOCK) left and gets no more. */
static inline struct arena
fuzz_small_arena(size_t room)
{
	struct arena arena = {.limit = ARENA_BLOCK};

	CHECK(arena_alloc(&arena, ARENA_BLOCK - room));
	return arena;
}

/* ---- judges ---- */

static const char *const fuzz_policies[] = {
    NULL, /* the built-in policy */
    "{\"version\":1,\"guard\":[],\"allow\":[\"default\"],\"runtimes\":[\"runc\"],"
    "\"exceptions\":["
    "{"
    "\"id\":\"ex\",\"allow\":[\"unconfined\",\"weak\",\"custom\"],\"match\":{\"image\":["
    "\"nginx\"],\"name\":[\"web\"]},\"reason\":\"r\"}]}",
    "{\"version\":1,\"guard\":[\"self\",\"plugins\",\"builds\",\"rollback\",\"runtimes\"]"
    ","
    "\"allow\":[\"privileged\",\"unconfined\",\"permissive\",\"weak\",\"custom\","
    "\"default\"]}",
};

enum { FUZZ_POLICIES = sizeof fuzz_policies / sizeof fuzz_policies[0] };

/* Parsed once and kept: the fuzzers are programs of one purpose. */
static inline const struct policy *
fuzz_policy(unsigned index)
{
	static struct policy *policies[FUZZ_POLICIES];
	struct policy_problems problems;

	if (!policies[index])
		policies[index] =
		    fuzz_policies[index]
			? policy_parse(text_of(fuzz_policies[index]), &problems)
			: policy_builtin();
	CHECK(policies[index]);
	return policies[index];
}

static inline struct circumstances
fuzz_circumstances(const struct policy *policy)
{
	return (struct circumstances){.policy = policy,
	                              .plugin_name = TEXT_LIT("seccomp-authz"),
	                              .now_us = INT64_C(1700000000000000)};
}

/* A verdict that is let through is allowed or observed. */
static inline bool
fuzz_passes(const struct verdict *verdict)
{
	return verdict->decision != DECISION_DENY;
}

/* What holds for each verdict. */
static inline void
fuzz_check_verdict(const struct verdict *verdict)
{
	CHECK(verdict->decision == DECISION_ALLOW || verdict->message[0] != '\0');
	CHECK(verdict->decision == DECISION_ALLOW || verdict->on_record);
	CHECK(memchr(verdict->message, '\0', sizeof verdict->message) != NULL);
	for (const char *c = verdict->message; *c; c++)
		CHECK((unsigned char)*c >= 0x20 && *c != 0x7f);
}

/* ---- the same JSON in another spelling ---- */

/* Which objects are structs to Go, whose keys fold. A list of structs counts as one. */
struct fuzz_shape {
	const char *name; /* of the field, ASCII */
	const struct fuzz_shape *fields;
	size_t count;
};

static inline void
fuzz_space(struct buf *buf, struct fuzz_random *random)
{
	static const char *const spaces[] = {"", "", "", " ", "\n", "\t\r "};

	buf_str(buf, spaces[fuzz_pick(random, COUNT(spaces))]);
}

/* One letter of a key in a spelling that folds to it. */
static inline void
fuzz_write_letter(struct buf *buf, char c, struct fuzz_random *random)
{
	bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
	unsigned way = fuzz_pick(random, 8);

	if (way == 0 || (unsigned char)c < 0x20 || c == '"' || c == '\\')
		buf_printf(buf, "\\u%04x", (unsigned)(unsigned char)c);
	else if (way == 1 && (c | 0x20) == 's')
		buf_str(buf, "\xc5\xbf");
	else if (way == 1 && (c | 0x20) == 'k')
		buf_str(buf, "\xe2\x84\xaa");
	else if (way == 2 && (c | 0x20) == 's')
		buf_str(buf, "\\u017F");
	else
		buf_char(buf, way < 5 && letter ? (char)(c ^ 0x20) : c);
}

static inline bool
fuzz_is_ascii(const char *s)
{
	while (*s && (unsigned char)*s < 0x80)
		s++;
	return *s == '\0';
}

static inline void
fuzz_write_key(struct buf *buf, const char *key, bool folds, struct fuzz_random *random)
{
	if (!folds || !fuzz_is_ascii(key)) {
		buf_json(buf, text_of(key), 0);
		return;
	}
	buf_char(buf, '"');
	for (; *key; key++)
		fuzz_write_letter(buf, *key, random);
	buf_char(buf, '"');
}

/* encoding/json's folding, written again: letters without case, and their two doubles. */
static inline bool
fuzz_folds_to(const char *key, const char *name)
{
	for (; *name; name++) {
		char want = (char)(*name | 0x20);

		if (want == 's' && strncmp(key, "\xc5\xbf", 2) == 0)
			key += 2;
		else if (want == 'k' && strncmp(key, "\xe2\x84\xaa", 3) == 0)
			key += 3;
		else if ((*key >= 'A' && *key <= 'Z' ? *key | 0x20 : *key) == want)
			key++;
		else
			return false;
	}
	return *key == '\0';
}

/* The shape of the field that Go would take `key` for; NULL: of no struct. */
static inline const struct fuzz_shape *
fuzz_field(const struct fuzz_shape *shape, const char *key)
{
	for (size_t i = 0; shape && i < shape->count; i++) {
		if (fuzz_folds_to(key, shape->fields[i].name))
			return &shape->fields[i];
	}
	return NULL;
}

static inline void fuzz_rewrite(struct buf *buf, const json_t *value,
                                const struct fuzz_shape *shape,
                                struct fuzz_random *random);

static inline void
fuzz_rewrite_object(struct buf *buf, const json_t *value, const struct fuzz_shape *shape,
                    struct fuzz_random *random)
{
	size_t count = json_object_size(value), i = 0;
	size_t start = count ? fuzz_pick(random, (unsigned)count) : 0;
	void *object;
	void *at;

	memcpy(&object, &value, sizeof object); /* the iterators take no const */
	at = json_object_iter(object);
	while (at && i++ < start)
		at = json_object_iter_next(object, at);
	buf_char(buf, '{');
	for (i = 0; i < count; i++) {
		const char *key = json_object_iter_key(at);

		if (i > 0)
			buf_char(buf, ',');
		fuzz_space(buf, random);
		fuzz_write_key(buf, key, shape != NULL, random);
		fuzz_space(buf, random);
		buf_char(buf, ':');
		fuzz_rewrite(buf, json_object_iter_value(at), fuzz_field(shape, key),
		             random);
		at = json_object_iter_next(object, at);
		if (!at)
			at = json_object_iter(object);
	}
	buf_char(buf, '}');
}

static inline void
fuzz_rewrite_string(struct buf *buf, const json_t *value, struct fuzz_random *random)
{
	const char *at = json_string_value(value), *end = at + json_string_length(value);
	uint32_t point;

	buf_char(buf, '"');
	while (at < end) {
		size_t len = utf8_decode(at, end, &point);

		CHECK(len > 0);
		if (point < 0x20 || point == '"' || point == '\\' ||
		    (point < 0x10000 && fuzz_pick(random, 8) == 0))
			buf_printf(buf, "\\u%04X", (unsigned)point);
		else
			buf_add(buf, at, len);
		at += len;
	}
	buf_char(buf, '"');
}

/*
 * Appends `value` so that an engine reads the same: members in another order, white
 * space, escapes, and keys of structs in another case. Key order within a map makes no
 * difference once repeated keys are gone, which jansson has seen to.
 */
static inline void
fuzz_rewrite(struct buf *buf, const json_t *value, const struct fuzz_shape *shape,
             struct fuzz_random *random)
{
	char *dumped;

	fuzz_space(buf, random);
	if (json_is_object(value)) {
		fuzz_rewrite_object(buf, value, shape, random);
	} else if (json_is_array(value)) {
		buf_char(buf, '[');
		for (size_t i = 0; i < json_array_size(value); i++) {
			if (i > 0)
				buf_char(buf, ',');
			fuzz_rewrite(buf, json_array_get(value, i), shape, random);
		}
		buf_char(buf, ']');
	} else if (json_is_string(value)) {
		fuzz_rewrite_string(buf, value, random);
	} else {
		dumped = json_dumps(value, JSON_ENCODE_ANY);
		CHECK(dumped);
		buf_str(buf, dumped);
		free(dumped);
	}
	fuzz_space(buf, random);
}

/* What jansson makes of the bytes; NULL if nothing. */
static inline json_t *
fuzz_jansson(struct text input, json_error_t *error)
{
	return json_loadb(input.at ? input.at : "", input.len,
	                  JSON_DECODE_ANY | JSON_ALLOW_NUL, error);
}
