/* SPDX-License-Identifier: Apache-2.0 */
/* ship_follow.c - reads a record in batches, up to the end of a file. */
#include "edge/ship_follow.h"
#include "edge/file.h"

#include <inttypes.h>
#include <string.h>

/* Does a line follow the one before it? Says so if not. */
static void
check_order(struct ship_follow *follow, struct ship_batch *batch,
            const struct record_found *line)
{
	uint64_t last = batch->place.seq;

	if (line->seq == last + 1)
		return;
	if (line->seq <= last) {
		ship_batch_note(batch, "%s: seq %" PRIu64 " comes after %" PRIu64,
		                follow->path, line->seq, last);
		return;
	}
	batch->holes = true;
	ship_batch_note(
	    batch, "%s: seq %" PRIu64 " to %" PRIu64 " are missing and can't be carried",
	    follow->path, last + 1, line->seq - 1);
}

/* A line that waits for the next one, which may account for it. */
struct held {
	struct record_found line; /* without its text; `end` 0: there is none */
	bool torn;                /* it looks as a crash leaves a line */
};

/* One recovery record may close several: then it is about the last of them. */
static bool
is_closed(const struct held *held, const struct record_found *after)
{
	if (after->seq == 0)
		return held->torn;
	return record_found_is_recovery(after) &&
	       strcmp(after->prev, held->line.hash) == 0;
}

/* Adds a line without a number, or one that is not JSON. */
static void
add_unreadable(struct ship_follow *follow, struct ship_batch *batch,
               const struct record_found *line, bool closed)
{

	/* what a rotated file ends with is closed in the next one */
	if (!closed && line->whole) {
		batch->holes = true;
		ship_batch_note(batch,
		                "%s: byte %lld: a line that is none of a record; see "
		                "seccomp-authz log verify",
		                follow->path, (long long)line->start);
	}
	ship_batch_add(batch, line);
}

static bool
has_room(const struct ship_batch *batch, const struct ship_limits *limits, uint64_t more)
{
	return batch->count == 0 || (batch->count < limits->lines &&
	                             batch->lines.len + more + 1 <= limits->bytes);
}

/* One line, after one that was held back for it; false when the batch is full. */
static bool
take_line(struct ship_follow *follow, const struct ship_limits *limits,
          struct ship_batch *batch, struct held *held, const struct record_found *line)
{
	if (held->line.end > 0) {
		add_unreadable(follow, batch, &held->line, is_closed(held, line));
		held->line.end = 0;
	}
	if (!has_room(batch, limits, line->len))
		return false;
	if (line->seq == 0) {
		*held = (struct held){*line, record_chain_is_torn(line->text)};
		held->line.text = (struct text){0};
		return true;
	}
	check_order(follow, batch, line);
	if (ship_line_is_sendable(line))
		ship_batch_add(batch, line);
	else
		add_unreadable(follow, batch, line, false);
	return true;
}

/* At the end of a file that does not grow any more. */
static void
take_rest(struct ship_follow *follow, struct ship_batch *batch, const struct held *held,
          struct record_found *rest)
{
	if (held->line.end > 0)
		add_unreadable(follow, batch, &held->line,
		               rest->len > 0 && is_closed(held, rest));
	if (rest->len == 0)
		return;
	rest->seq = 0; /* it has no end, whatever it says */
	add_unreadable(follow, batch, rest, false);
}

static int
complain_of_cut(const struct ship_follow *follow, struct err *err)
{
	return err_set(
	    err, ERR_LIMIT,
	    "%s: was cut short or written over, lines may be lost; rotate it by "
	    "renaming (logrotate: create, not copytruncate)",
	    follow->path);
}

/*
 * Begins to read where the last line that arrived ends, if it still stands there: a file
 * that was cut short may have grown past it since.
 */
static int
begin_reading(struct ship_follow *follow, struct err *err)
{
	const struct ship_place *place = &follow->place;
	bool is_here = place->known && place->dev == follow->dev &&
	               place->ino == follow->ino && place->end == follow->from;
	off_t end;

	if (follow->from == 0 || !is_here) {
		record_reader_start(&follow->reader, follow->fd, follow->from);
		return 0;
	}
	if (!ship_follow_has_line(follow, follow->fd, place->start, &end) ||
	    end != place->end)
		return complain_of_cut(follow, err);
	if (follow->reader.start != end)
		record_reader_start(&follow->reader, follow->fd, end);
	return 0;
}

int
ship_follow_read(struct ship_follow *follow, const struct ship_limits *limits,
                 struct ship_batch *ret_batch, struct err *err)
{
	struct record_found line;
	struct held held = {.torn = false};
	bool more = true;
	int got = 0;

	ship_batch_begin(ret_batch, &follow->place);
	if (follow->fd < 0)
		return 0;
	ret_batch->place.dev = follow->dev;
	ret_batch->place.ino = follow->ino;
	if (begin_reading(follow, err))
		return -1;
	while (more && (got = record_read(&follow->reader, &line, err)) > 0)
		more = take_line(follow, limits, ret_batch, &held, &line);
	if (got < 0)
		return err_wrap(err, "%s", follow->path);
	if (more && follow->final)
		take_rest(follow, ret_batch, &held, &line);
	return buf_ok(&ret_batch->lines)
	           ? 0
	           : err_set(err, ERR_MEMORY, "no memory for a batch");
}

void
ship_follow_taken(struct ship_follow *follow, const struct ship_batch *batch)
{
	follow->place = batch->place;
	if (batch->count > 0)
		follow->from = batch->place.end;
}

void
ship_follow_stop(struct ship_follow *follow)
{
	file_close(&follow->fd);
	record_reader_free(&follow->reader);
}
