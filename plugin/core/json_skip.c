/* SPDX-License-Identifier: Apache-2.0 */
/* json_skip.c - tokens of JSON, and how to pass over a value that nobody asks for. */
#include "core/json_lex.h"

#include <stdint.h>

int
json_fail_syntax(struct json *json, const char *wanted)
{
	if (json->at >= json->end)
		return json_fail(json, ERR_SYNTAX, "the JSON ends where %s should be",
		                 wanted);
	return json_fail(json, ERR_SYNTAX, "not JSON: %s should be here", wanted);
}

const unsigned char json_kinds[256] = {
    ['{'] = JSON_OBJECT, ['['] = JSON_LIST,   ['"'] = JSON_STRING, ['t'] = JSON_TRUE,
    ['f'] = JSON_FALSE,  ['n'] = JSON_NULL,   ['-'] = JSON_NUMBER, ['0'] = JSON_NUMBER,
    ['1'] = JSON_NUMBER, ['2'] = JSON_NUMBER, ['3'] = JSON_NUMBER, ['4'] = JSON_NUMBER,
    ['5'] = JSON_NUMBER, ['6'] = JSON_NUMBER, ['7'] = JSON_NUMBER, ['8'] = JSON_NUMBER,
    ['9'] = JSON_NUMBER};

int
json_descend(struct json *json)
{
	if (++json->depth > JSON_DEPTH_MAX)
		return json_fail(json, ERR_LIMIT, "nested deeper than %d",
		                 JSON_DEPTH_MAX);
	json->at++;
	return 0;
}

/* One digit or more. */
static bool
skip_digits(struct json *json)
{
	const char *from = json->at;

	while (json->at < json->end && *json->at >= '0' && *json->at <= '9')
		json->at++;
	return json->at > from;
}

/* RFC 8259 section 6. */
int
json_skip_number(struct json *json)
{
	if (*json->at == '-')
		json->at++;
	if (json->at < json->end && *json->at == '0')
		json->at++;
	else if (!skip_digits(json))
		return json_fail_syntax(json, "a digit");
	if (json->at < json->end && *json->at == '.') {
		json->at++;
		if (!skip_digits(json))
			return json_fail_syntax(json, "a digit");
	}
	if (json->at < json->end && (*json->at == 'e' || *json->at == 'E')) {
		json->at++;
		if (json->at < json->end && (*json->at == '+' || *json->at == '-'))
			json->at++;
		if (!skip_digits(json))
			return json_fail_syntax(json, "a digit");
	}
	return 0;
}

static int
skip_scalar(struct json *json, enum json_kind kind)
{
	struct text raw;

	switch (kind) {
	case JSON_STRING:
		return json_scan_string(json, &raw) < 0 ? -1 : 0;
	case JSON_NUMBER:
		return json_skip_number(json);
	case JSON_TRUE:
		return json_skip_word(json, "true");
	case JSON_FALSE:
		return json_skip_word(json, "false");
	case JSON_NULL:
		return json_skip_word(json, "null");
	case JSON_OBJECT:
	case JSON_LIST:
	case JSON_BAD:
	default:
		return json_fail_syntax(json, "a value");
	}
}

/* The brackets that are open: a bit for each, the innermost lowest, set for an object. */
struct nesting {
	uint64_t objects;
	unsigned level;
};

enum { LEVELS_MAX = 64 }; /* bits of a nesting; deeper ones take another */

static int
skip_key(struct json *json)
{
	struct text raw;

	if (json_peek(json) != JSON_STRING)
		return json_fail_syntax(json, "a key in quotes");
	if (json_scan_string(json, &raw) < 0)
		return -1;
	return json_take(json, ':') ? 0 : json_fail_syntax(json, "':'");
}

/* Behind a value: out of what closes here. Returns 1 when all is closed, 0 at a value. */
static int
close_brackets(struct json *json, struct nesting *nesting)
{
	while (nesting->level > 0) {
		bool object = nesting->objects & 1;

		if (json_take(json, ','))
			return object ? skip_key(json) : 0;
		if (!json_take(json, object ? '}' : ']'))
			return json_fail_syntax(json,
			                        object ? "',' or '}'" : "',' or ']'");
		nesting->objects >>= 1;
		nesting->level--;
		json->depth--;
	}
	return 1;
}

/* Into an object or list, or over an empty one. Returns as close_brackets() does. */
static int
open_bracket(struct json *json, bool object, struct nesting *nesting)
{
	if (nesting->level == LEVELS_MAX) /* JSON_DEPTH_MAX ends the recursion */
		return json_skip(json) == 0 ? close_brackets(json, nesting) : -1;
	if (json_descend(json) != 0)
		return -1;
	if (json_take(json, object ? '}' : ']')) {
		json->depth--;
		return close_brackets(json, nesting);
	}
	nesting->objects = nesting->objects << 1 | object;
	nesting->level++;
	return object ? skip_key(json) : 0;
}

int
json_skip(struct json *json)
{
	struct nesting nesting = {0};
	int closed;

	do {
		enum json_kind kind = json_peek(json);

		if (kind == JSON_OBJECT || kind == JSON_LIST)
			closed = open_bracket(json, kind == JSON_OBJECT, &nesting);
		else if (skip_scalar(json, kind) != 0)
			return -1;
		else
			closed = close_brackets(json, &nesting);
	} while (closed == 0);
	return closed < 0 ? -1 : 0;
}
