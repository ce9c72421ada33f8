/* SPDX-License-Identifier: Apache-2.0 */
/* ship_batch.c - joins lines of a record to a batch. */
#include "edge/ship_batch.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
ship_batch_begin(struct ship_batch *batch, const struct ship_place *place)
{
	buf_clear(&batch->lines);
	batch->count = 0;
	batch->place = *place;
	batch->holes = false;
	batch->note[0] = '\0';
}

void
ship_batch_note(struct ship_batch *batch, const char *format, ...)
{
	va_list args;

	if (batch->note[0] != '\0')
		return;
	va_start(args, format);
	(void)vsnprintf(batch->note, sizeof batch->note, format, args);
	va_end(args);
}

bool
ship_line_is_sendable(const struct record_found *line)
{
	json_t *record;
	bool sendable;

	if (line->seq == 0 || !line->whole)
		return false;
	record = json_loadb(line->text.at, line->text.len, JSON_ALLOW_NUL, NULL);
	sendable = json_is_object(record);
	json_decref(record);
	return sendable;
}

void
ship_batch_add(struct ship_batch *batch, const struct record_found *line)
{
	if (ship_line_is_sendable(line))
		buf_add_text(&batch->lines, line->text);
	else
		buf_printf(&batch->lines,
		           "{\"event\":\"unreadable\",\"message\":\"a line of the record "
		           "file that is none of a record\",\"bytes\":%" PRIu64
		           ",\"sha256\":\"%s\"}",
		           line->len, line->hash);
	buf_char(&batch->lines, '\n');
	batch->count++;
	batch->place.start = line->start;
	batch->place.end = line->end;
	if (line->seq > 0 && line->whole)
		batch->place.seq = line->seq;
	memcpy(batch->place.hash, line->hash, sizeof batch->place.hash);
	batch->place.known = true;
}

void
ship_batch_free(struct ship_batch *batch)
{
	buf_free(&batch->lines);
}
