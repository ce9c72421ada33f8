/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_go - reads JSON bytes as Go's encoding/json (v1) would, or refuses them.
 *
 * A pull reader: one pass over the bytes, no tree; what nobody asks for is checked and
 * skipped. Invariant: when the reader has not failed, an engine that decodes the same
 * bytes into a struct with the same fields gets the same values. Where engines of
 * different versions, or a second reader, could get others, the bytes are refused as
 * ambiguous:
 *  - a struct field that is given twice, in any spelling that folds to the same name
 *    (Go merges objects, keeps old elements under null, lets the last of scalars win);
 *  - null as an element of a list (Go leaves in place what the slot held before);
 *  - bytes after the value, other than white space (engines before 23 ignore them);
 *  - bytes that are not UTF-8, a lone surrogate escape in something that is judged.
 * Keys of structs match as encoding/json matches them: escapes decoded, then equal under
 * simple folding, which for ASCII names adds U+017F for s and U+212A for k (encoding/json
 * fold.go; measured on engines 20.10, 26.1 and 28.5). Keys of maps are exact and the
 * last one wins. Nesting ends at 10,000, as encoding/json's does (scanner.go,
 * maxNestingDepth).
 *
 * Texts that come out point into the input, or into the arena if they had escapes. One
 * reader, one thread.
 */
#pragma once

#include "core/arena.h"
#include "core/err.h"
#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	JSON_DEPTH_MAX = 10000,
	JSON_LIST_MAX = 4096, /* elements of a list that is judged */
	JSON_MAP_MAX = 1024,  /* members of a map that is judged */
	JSON_FIELDS_MAX = 64, /* fields of one table */
};

struct json {
	const char *begin, *at, *end; /* borrowed input and where we are in it */
	struct arena *arena;          /* for what had escapes, and for lists */
	struct err *err;              /* set once, with the place */
	unsigned depth;
	bool nul;   /* some text that was read had an escaped NUL; raw ones are refused */
	bool exact; /* keys of structs don't fold: one that would is refused as ambiguous
			 (Kubernetes: apimachinery decodes case-sensitively) */
};

/* The kind of the next value, told by its first byte; nothing is consumed. */
enum json_kind {
	JSON_BAD, /* no value starts here */
	JSON_OBJECT,
	JSON_LIST,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

/*
 * A field of a struct: how to read the value that stands under `name` into the bytes at
 * `offset` of the struct. `read` returns 0, or -1 after json_fail().
 */
struct json_field {
	const char *name; /* ASCII, not empty */
	int (*read)(struct json *json, void *ret_value);
	size_t offset;
};

/* Starts reading `input`. Borrows everything. */
struct json json_start(struct text input, struct arena *arena, struct err *err);

/* The kind of value that begins with each byte; private to the family. */
extern const unsigned char json_kinds[256];

/* Over white space: space, tab, line feed, carriage return. */
static inline void
json_skip_space(struct json *json)
{
	const char *at = json->at, *end = json->end;

	/* most JSON has none: then nothing is stored that the next load waits for */
	if (at < end && (unsigned char)*at > ' ')
		return;
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
		at++;
	json->at = at;
}

/* Skips white space and looks at the next value. */
static inline enum json_kind
json_peek(struct json *json)
{
	json_skip_space(json);
	return json->at < json->end ? (enum json_kind)json_kinds[(unsigned char)*json->at]
	                            : JSON_BAD;
}

/*
 * Reads an object as a struct: each field of the table at most once, other keys skipped.
 * Fields that are absent leave their bytes alone, so start from a zeroed struct. Anything
 * but an object is an error; for a field that may be null, see json_read_null().
 */
int json_read_struct(struct json *json, const struct json_field *fields, size_t count,
                     void *ret_struct);

/* Consumes a null and returns true, or consumes nothing and returns false. */
bool json_read_null(struct json *json);

/*
 * Readers for the tables. Each takes null for "nothing given", as Go does, and leaves the
 * value alone then. Type of `ret_value` behind each.
 */
int json_read_text(struct json *json, void *ret_value);      /* struct text */
int json_read_bool(struct json *json, void *ret_value);      /* bool */
int json_read_text_list(struct json *json, void *ret_value); /* struct text_list */
int json_read_text_map(struct json *json, void *ret_value);  /* struct text_map */
int json_read_raw(struct json *json, void *ret_value);       /* struct text: the bytes of
								any value, checked */
int json_read_present(struct json *json, void *ret_value);   /* bool: not null */

/*
 * Walks a list: calls `each` with the reader at each element and with its index; `each`
 * consumes one value. Null in place of the list is an empty one; null as an element
 * reaches `each`.
 */
int json_read_list(struct json *json,
                   int (*each)(struct json *json, size_t index, void *context),
                   void *context);

/*
 * Walks an object as a map: calls `each` with each key (decoded, exact) and the reader at
 * its value, which `each` consumes. The caller sees repeated keys in order.
 */
int json_read_members(struct json *json,
                      int (*each)(struct json *json, struct text key, void *context),
                      void *context);

/* Checks one value and passes over it. */
int json_skip(struct json *json);

/* The end: only white space may follow the value that was read. */
int json_finish(struct json *json);

/* Fails with the place (byte offset). Returns -1. */
int json_fail(struct json *json, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* True if encoding/json would take `key` for the struct field `name` (ASCII). */
bool json_key_matches(struct text key, const char *name);
