/* SPDX-License-Identifier: Apache-2.0 */
/* record_note.c - a noted line as it is written, the names of faults. */
#include "edge/record_verify.h"

#include <string.h>

const char *
record_fault_name(enum record_fault fault)
{
	static const char *const names[] = {
	    [RECORD_INTACT] = "intact",       [RECORD_ALTERED] = "altered",
	    [RECORD_MISSING] = "missing",     [RECORD_REPEATED] = "repeated",
	    [RECORD_REORDERED] = "reordered", [RECORD_TORN] = "torn",
	};

	return names[fault];
}

static bool
is_hash(struct text t)
{
	if (t.len != RECORD_HASH_HEX)
		return false;
	for (size_t i = 0; i < t.len; i++) {
		if (!memchr("0123456789abcdef", t.at[i], 16))
			return false;
	}
	return true;
}

int
record_note_read(struct text t, struct record_note *ret_note)
{
	size_t colon = text_find(t, ':');
	struct record_note note = {0};

	if (colon == 0 || colon > 18 || colon == t.len || t.at[0] == '0' ||
	    !is_hash(text_from(t, colon + 1)))
		return -1;
	for (size_t i = 0; i < colon; i++) {
		if (t.at[i] < '0' || t.at[i] > '9')
			return -1;
		note.seq = note.seq * 10 + (uint64_t)(t.at[i] - '0');
	}
	memcpy(note.hash, t.at + colon + 1, RECORD_HASH_HEX);
	*ret_note = note;
	return 0;
}
