/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_lex - the tokens under json_go.h; for the files of that family only.
 *
 * Each function consumes what its name says and checks it on the way; the grammar is RFC
 * 8259's. The first that fails sets json->err with the place.
 */
#pragma once

#include "core/json_go.h"
#include "core/json_step.h"

/* Fails with "not JSON: `wanted` should be here", or that the JSON ends. Returns -1. */
int json_fail_syntax(struct json *json, const char *wanted);

/* Consumes `c` after white space; false and no more consumed if another byte is there. */
static inline bool
json_take(struct json *json, char c)
{
	json_skip_space(json);
	if (json->at >= json->end || *json->at != c)
		return false;
	json->at++;
	return true;
}

/* Over the opening bracket at json->at, one level deeper. */
int json_descend(struct json *json);

/* Over exactly `word`. */
static inline int
json_skip_word(struct json *json, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(json->end - json->at) < len || memcmp(json->at, word, len) != 0)
		return json_fail_syntax(json, word);
	json->at += len;
	return 0;
}

/* A number at json->at. */
int json_skip_number(struct json *json);

/* The rest of a string that has more than plain bytes before its closing quote, checked.
   Leaves json->at there; returns as json_scan_string() does. */
int json_scan_special(struct json *json);

/* A string at json->at, checked; `ret_raw` is what is between the quotes. Returns 1 if it
   has escapes, 0 if it means what it says, -1 on failure. */
static inline int
json_scan_string(struct json *json, struct text *ret_raw)
{
	const char *from = json->at + 1, *at = json_skip_plain(from, json->end);
	int escaped = 0;

	if (at >= json->end || *at != '"') {
		json->at = at;
		escaped = json_scan_special(json);
		if (escaped < 0)
			return -1;
		at = json->at;
	}
	json->at = at + 1;
	*ret_raw = (struct text){.at = from, .len = (size_t)(at - from)};
	return escaped;
}

/* What a raw string with escapes, checked, means: in the arena. */
int json_decode_string(struct json *json, struct text raw, struct text *ret_text);

/* A string at json->at and what it means: in place, or in the arena if it had escapes. */
static inline int
json_read_string(struct json *json, struct text *ret_text)
{
	int escaped = json_scan_string(json, ret_text);

	return escaped > 0 ? json_decode_string(json, *ret_text, ret_text) : escaped;
}
