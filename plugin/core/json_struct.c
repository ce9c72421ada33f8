/* SPDX-License-Identifier: Apache-2.0 */
/* json_struct.c - objects: which key is for which field, as encoding/json matches them. */
#include "core/json_lex.h"

#include <stdint.h>

/* The ASCII lower-case letter that a character folds to, and the length of the character;
   0 for one that folds to no ASCII character (encoding/json fold.go, foldRune). */
static char
fold(const char *at, const char *end, size_t *ret_len)
{
	unsigned char c = (unsigned char)*at;

	*ret_len = 1;
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : (char)c;
	if (end - at >= 2 && memcmp(at, "\xc5\xbf", 2) == 0) {
		*ret_len = 2;
		return 's';
	}
	if (end - at >= 3 && memcmp(at, "\xe2\x84\xaa", 3) == 0) {
		*ret_len = 3;
		return 'k';
	}
	return 0;
}

/* The key and the name, character for character. */
__attribute__((noinline)) static bool
folds_to(struct text key, const char *name)
{
	const char *at = key.at, *end = key.at + key.len;
	size_t len;

	for (; *name != '\0'; name++, at += len) {
		char want = *name >= 'A' && *name <= 'Z' ? (char)(*name | 0x20) : *name;

		if (at >= end || fold(at, end, &len) != want)
			return false;
	}
	return at == end;
}

static bool
is_ascii(struct text t)
{
	const uint64_t highs = UINT64_C(0x8080808080808080);
	uint64_t all = 0;
	size_t i = 0;

	for (; t.len - i >= sizeof all; i += sizeof all) {
		uint64_t eight;

		memcpy(&eight, t.at + i, sizeof eight);
		all |= eight;
	}
	for (; i < t.len; i++)
		all |= (unsigned char)t.at[i];
	return (all & highs) == 0;
}

bool
json_key_matches(struct text key, const char *name)
{
	size_t len = strlen(name);

	if (key.len == len)
		return memcmp(key.at, name, len) == 0 || folds_to(key, name);
	/* no character is shorter than what it folds to, and only others are longer */
	return key.len > len && !is_ascii(key) && folds_to(key, name);
}

/* The next key of an object, decoded, with the reader behind its ':'. */
static int
read_key(struct json *json, struct text *ret_key)
{
	if (json_peek(json) != JSON_STRING)
		return json_fail_syntax(json, "a key in quotes");
	if (json_read_string(json, ret_key) != 0)
		return -1;
	return json_take(json, ':') ? 0 : json_fail_syntax(json, "':'");
}

/* As json_read_members(); inlined, so that a struct needs no call for each member. */
__attribute__((always_inline)) static inline int
walk_members(struct json *json,
             int (*each)(struct json *json, struct text key, void *context),
             void *context)
{
	struct text key = {0};

	if (json_peek(json) != JSON_OBJECT)
		return json_peek(json) == JSON_BAD
		           ? json_fail_syntax(json, "a value")
		           : json_fail(json, ERR_TYPE, "should be an object");
	if (json_descend(json) != 0)
		return -1;
	if (!json_take(json, '}')) {
		do {
			if (read_key(json, &key) != 0 || each(json, key, context) != 0)
				return -1;
		} while (json_take(json, ','));
		if (!json_take(json, '}'))
			return json_fail_syntax(json, "',' or '}'");
	}
	json->depth--;
	return 0;
}

int
json_read_members(struct json *json,
                  int (*each)(struct json *json, struct text key, void *context),
                  void *context)
{
	return walk_members(json, each, context);
}

enum { SMALL = 4 }; /* fields */

/* What json_read_struct() knows between the members. */
struct struct_reader {
	const struct json_field *fields;
	size_t count;
	uint64_t seen;
	uint64_t starts;               /* start_bit() of each field */
	const struct json_field *next; /* to look at first: writers keep to an order */
	char *into;
};

/* What the first two letters of a key and of a name that match have in common: one of 64
   bits, the same for both cases of a letter. */
static inline uint64_t
start_bit(const char *at)
{
	unsigned first = (unsigned char)at[0] & 31, second = (unsigned char)at[1] & 31;

	return UINT64_C(1) << ((first * 5 + second) & 63);
}

/* The starts that a name which matches can have; an ASCII character folds to itself or to
   the other case, others are left to json_key_matches(). */
static inline uint64_t
starts_of(struct text key)
{
	if (key.len < 2)
		return key.len == 0 ? 0 : UINT64_MAX;
	return ((unsigned char)key.at[0] | (unsigned char)key.at[1]) < 0x80
	           ? start_bit(key.at)
	           : UINT64_MAX;
}

/* The field that `key` is for, or NULL. */
static const struct json_field *
find_field(struct struct_reader *reader, struct text key)
{
	const uint64_t starts = starts_of(key);
	const struct json_field *field = reader->next;

	if ((starts & reader->starts) == 0)
		return NULL;
	for (size_t n = 0; n < reader->count; n++, field++) {
		if (field == reader->fields + reader->count)
			field = reader->fields;
		if ((starts & start_bit(field->name)) &&
		    json_key_matches(key, field->name)) {
			reader->next = field + 1;
			return field;
		}
	}
	return NULL;
}

static int
read_field(struct json *json, struct text key, void *context)
{
	struct struct_reader *reader = context;
	const struct json_field *field = find_field(reader, key);
	uint64_t bit;

	if (!field)
		return json_skip(json);
	if (json->exact && !text_is(key, field->name))
		return json_fail(json, ERR_AMBIGUOUS, "%s is spelled in another case",
		                 field->name);
	bit = UINT64_C(1) << (field - reader->fields);
	if (reader->seen & bit)
		return json_fail(json, ERR_AMBIGUOUS, "%s is given twice", field->name);
	reader->seen |= bit;
	if (field->read(json, reader->into + field->offset) == 0)
		return 0;
	return err_wrap(json->err, "%s", field->name);
}

int
json_read_struct(struct json *json, const struct json_field *fields, size_t count,
                 void *ret_struct)
{
	struct struct_reader reader = {.fields = fields,
	                               .count = count,
	                               .starts = count > SMALL ? 0 : UINT64_MAX,
	                               .next = fields,
	                               .into = ret_struct};

	if (count > JSON_FIELDS_MAX)
		return json_fail(json, ERR_LIMIT, "a table of more than %d fields",
		                 JSON_FIELDS_MAX);
	/* in a small struct most keys are for a field, and found at the first look */
	for (size_t i = 0; i < count && count > SMALL; i++)
		reader.starts |= start_bit(fields[i].name);
	return walk_members(json, read_field, &reader);
}
