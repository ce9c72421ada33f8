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

void
json_skip_space(struct json *json)
{
	const char *p = json->at;

	while (p < json->end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	json->at = p;
}

/* Consumes `c` after white space. */
bool
json_take(struct json *json, char c)
{
	json_skip_space(json);
	if (json->at >= json->end || *json->at != c)
		return false;
	json->at++;
	return true;
}

enum json_kind
json_peek(struct json *json)
{
	json_skip_space(json);
	if (json->at >= json->end)
		return JSON_BAD;
	switch (*json->at) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_LIST;
	case '"':
		return JSON_STRING;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return *json->at == '-' || (*json->at >= '0' && *json->at <= '9')
		           ? JSON_NUMBER
		           : JSON_BAD;
	}
}

int
json_descend(struct json *json)
{
	if (++json->depth > JSON_DEPTH_MAX)
		return json_fail(json, ERR_LIMIT, "nested deeper than %d",
		                 JSON_DEPTH_MAX);
	json->at++;
	return 0;
}

int
json_skip_word(struct json *json, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(json->end - json->at) < len || memcmp(json->at, word, len) != 0)
		return json_fail_syntax(json, word);
	json->at += len;
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
skip_scalar(struct json *json)
{
	struct text raw;
	bool escaped;

	switch (json_peek(json)) {
	case JSON_STRING:
		return json_scan_string(json, &raw, &escaped);
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

/* Which of the open brackets are objects: one bit for each level below the start. */
struct nesting {
	uint64_t objects[JSON_DEPTH_MAX / 64 + 1];
	unsigned level;
};

static bool
in_object(const struct nesting *nesting)
{
	return nesting->objects[nesting->level / 64] >> (nesting->level % 64) & 1;
}

static int
skip_key(struct json *json)
{
	struct text raw;
	bool escaped;

	if (json_peek(json) != JSON_STRING)
		return json_fail_syntax(json, "a key in quotes");
	if (json_scan_string(json, &raw, &escaped) != 0)
		return -1;
	return json_take(json, ':') ? 0 : json_fail_syntax(json, "':'");
}

/* Into an object or list. Returns 1 if it was empty, so already left. */
static int
open_bracket(struct json *json, struct nesting *nesting)
{
	bool object = *json->at == '{';
	uint64_t bit;

	if (json_descend(json) != 0)
		return -1;
	if (json_take(json, object ? '}' : ']')) {
		json->depth--;
		return 1;
	}
	nesting->level++;
	bit = (uint64_t)1 << (nesting->level % 64);
	if (object)
		nesting->objects[nesting->level / 64] |= bit;
	else
		nesting->objects[nesting->level / 64] &= ~bit;
	return object ? skip_key(json) : 0;
}

/* Behind a value: out of what closes here. Returns 1 when all is closed, 0 at a value. */
static int
close_brackets(struct json *json, struct nesting *nesting)
{
	while (nesting->level > 0) {
		bool object = in_object(nesting);

		if (json_take(json, ','))
			return object ? skip_key(json) : 0;
		if (!json_take(json, object ? '}' : ']'))
			return json_fail_syntax(json,
			                        object ? "',' or '}'" : "',' or ']'");
		nesting->level--;
		json->depth--;
	}
	return 1;
}

int
json_skip(struct json *json)
{
	struct nesting nesting = {.level = 0};
	enum json_kind kind = json_peek(json);
	int closed;

	if (kind != JSON_OBJECT && kind != JSON_LIST)
		return skip_scalar(json);
	do {
		int empty = 0;

		kind = json_peek(json);
		if (kind == JSON_OBJECT || kind == JSON_LIST)
			empty = open_bracket(json, &nesting);
		else if (skip_scalar(json) != 0)
			return -1;
		if (empty < 0)
			return -1;
		if (empty == 0 && (kind == JSON_OBJECT || kind == JSON_LIST))
			closed = 0;
		else
			closed = close_brackets(json, &nesting);
	} while (closed == 0);
	return closed < 0 ? -1 : 0;
}
