/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_fields - what a log daemon wants to know of a line of the record, besides the
 * line.
 *
 * Texts are decoded: they may hold any byte that a request could bring in, newlines and
 * NUL too; whoever writes them escapes or frames them. Pure.
 */
#pragma once

#include "core/arena.h"
#include "core/text.h"

#include <stdbool.h>

enum {
	RECORD_FACILITY = 10, /* authpriv, RFC 5424 section 6.2.1 */
	RECORD_WARNING = 4,   /* severities, the same table */
	RECORD_NOTICE = 5,
};

/* Fields that a line lacks are missing texts. */
struct record_fields {
	struct text seq, id, event, decision, reason, posture, rule, user;
	struct text image; /* of the first container, the one that decided */
	struct text time, host, message;
};

/* Those that the daemons index, by the names that they have in a line. */
struct record_field {
	const char *name;
	size_t offset; /* of its text in struct record_fields */
};

enum { RECORD_FIELDS_SHOWN = 9 };
extern const struct record_field record_fields_shown[RECORD_FIELDS_SHOWN];

/* Texts point into `line` or the arena. A line that can't be read has no fields. */
void record_fields_read(struct text line, struct arena *arena,
                        struct record_fields *ret_fields);

/* RECORD_WARNING for a denial, else RECORD_NOTICE. */
int record_fields_severity(const struct record_fields *fields);

static inline struct text
record_field_of(const struct record_fields *fields, const struct record_field *field)
{
	return *(const struct text *)((const char *)fields + field->offset);
}
