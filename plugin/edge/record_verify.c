/* SPDX-License-Identifier: Apache-2.0 */
/* record_verify.c - finds the first line of a record that does not follow. */
#include "edge/record_verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 5))) static enum record_walk
fault(struct record_verify *verify, enum record_fault kind, const struct record_place *at,
      const char *format, ...)
{
	va_list args;

	verify->fault = kind;
	verify->at = *at;
	va_start(args, format);
	(void)vsnprintf(verify->what, sizeof verify->what, format, args);
	va_end(args);
	return RECORD_WALK_END;
}

static struct record_place
place_of(const char *path, const struct record_found *line)
{
	struct record_place place = {.path = path,
	                             .number = line->number,
	                             .seq = line->seq,
	                             .len = line->len,
	                             .whole = line->whole};

	if (!line->whole)
		place.seq = 0; /* the judge takes it for torn, too, whatever it says */
	memcpy(place.hash, line->hash, sizeof place.hash);
	record_found_time(line, place.time);
	return place;
}

static bool
same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* The line after a suspect says which of the two was altered. */
static enum record_walk
settle_suspect(struct record_verify *verify, struct text prev)
{
	const struct record_place *suspect = &verify->suspect;

	if (prev.at && text_is(prev, suspect->hash))
		return fault(verify, RECORD_ALTERED, &verify->last,
		             "the line after it has another hash for it");
	if (prev.at)
		return fault(verify, RECORD_ALTERED, suspect,
		             "neither of its neighbours fits it");
	return fault(verify, RECORD_ALTERED, &verify->last,
	             "the line after it has another hash for it: one of the two was "
	             "altered");
}

/* Notes that are about this line, or about the one before the first. */
static enum record_walk
check_notes(struct record_verify *verify, const struct record_place *place,
            const char *prev)
{
	for (size_t i = 0; i < verify->noted_count; i++) {
		struct record_note *note = &verify->noted[i];

		if (!verify->last.path && note->seq + 1 == place->seq) {
			if (!same(note->hash, prev))
				return fault(verify, RECORD_ALTERED, place,
				             "it does not follow the noted line %" PRIu64,
				             note->seq);
			note->met = true;
		}
		if (note->seq != place->seq)
			continue;
		if (!same(note->hash, place->hash))
			return fault(verify, RECORD_ALTERED, place,
			             "its hash is not the one that was noted");
		note->met = true;
	}
	return RECORD_WALK_ON;
}

static bool
is_noted(const struct record_verify *verify, uint64_t seq)
{
	for (size_t i = 0; i < verify->noted_count; i++) {
		if (verify->noted[i].seq == seq)
			return true;
	}
	return false;
}

static enum record_walk
gap(struct record_verify *verify, const struct record_place *place, uint64_t from)
{
	verify->missing_from = from;
	verify->missing_to = place->seq - 1;
	(void)fault(verify, RECORD_MISSING, place,
	            "seq %" PRIu64 " to %" PRIu64
	            " should stand before it (it has %" PRIu64 ")",
	            from, place->seq - 1, place->seq);
	return RECORD_WALK_ON; /* they may come later */
}

static enum record_walk
check_first(struct record_verify *verify, const struct record_place *place,
            const char *prev)
{
	if (place->seq == 1 && prev[0] != '\0' && verify->torn_count == 0)
		return fault(verify, RECORD_MISSING, place,
		             "a torn line should stand before it");
	if (place->seq > 1 && !verify->partial && !is_noted(verify, place->seq - 1))
		return gap(verify, place, 1);
	return RECORD_WALK_ON;
}

/* Does `place` take the number after the last line's? */
static enum record_walk
check_seq(struct record_verify *verify, const struct record_place *place,
          const char *prev)
{
	const struct record_place *last = &verify->last;

	if (place->seq == last->seq + 1)
		return RECORD_WALK_ON;
	if (same(prev, last->hash))
		return fault(verify, RECORD_ALTERED, place,
		             "it follows seq %" PRIu64 " but has %" PRIu64, last->seq,
		             place->seq);
	if (place->seq > last->seq)
		return gap(verify, place, last->seq + 1);
	if (place->seq == 1 && prev[0] == '\0' && !same(place->hash, verify->first.hash))
		return fault(verify, RECORD_REPEATED, place,
		             "another record begins here, at seq 1; %" PRIu64
		             " should follow. Verify the two each on its own",
		             last->seq + 1);
	if (place->seq < verify->first.seq)
		return fault(verify, RECORD_REORDERED, place,
		             "it should stand before all others (it has seq %" PRIu64 ")",
		             place->seq);
	return fault(verify, RECORD_REPEATED, place,
	             "seq %" PRIu64 " was there before; %" PRIu64 " should follow",
	             place->seq, last->seq + 1);
}

/* Are the torn lines those of the list? */
static enum record_walk
check_list(struct record_verify *verify, const struct record_place *place,
           struct text list)
{
	size_t i = 0;

	while (i < verify->torn_count && record_torn_hash(list, i).at &&
	       text_is(record_torn_hash(list, i), verify->torn[i].hash))
		i++;
	if (i == verify->torn_count && !record_torn_hash(list, i).at)
		return RECORD_WALK_ON;
	if (i == verify->torn_count)
		return fault(verify, RECORD_MISSING, place,
		             "more torn lines that it closed should stand before it");
	if (!record_torn_hash(list, verify->torn_count - 1).at)
		return fault(verify, RECORD_TORN, &verify->torn[i],
		             "it is no line of a record, and not one that the recovery "
		             "record after it closed");
	if (record_torn_hash(list, verify->torn_count).at)
		return fault(verify, RECORD_MISSING, &verify->torn[i],
		             "another torn line, which the recovery record after it "
		             "closed, should stand before it");
	return fault(verify, RECORD_ALTERED, &verify->torn[i],
	             "the recovery record after it closed other bytes: one of the two "
	             "was altered");
}

/* Are the torn lines those that this recovery record closed? */
static enum record_walk
check_torn(struct record_verify *verify, const struct record_place *place,
           const struct record_found *line)
{
	const struct record_place *last = &verify->torn[verify->torn_count - 1];
	struct text list = record_found_torn(line);

	if (list.at)
		return check_list(verify, place, list);
	if (verify->torn_count > 1)
		return fault(verify, RECORD_TORN, &verify->torn[0],
		             "it is no line of a record, and not the one that the "
		             "recovery record after it closed");
	if (!same(line->prev, last->hash))
		return fault(verify, RECORD_ALTERED, last,
		             "the recovery record after it closed other bytes: one of "
		             "the two was altered");
	return RECORD_WALK_ON;
}

/* A line with a number after some without. */
static enum record_walk
check_closing(struct record_verify *verify, const struct record_place *place,
              const struct record_found *line)
{
	const struct record_place *torn = &verify->torn[verify->torn_count - 1];
	struct text after;
	bool follows, known;

	if (!record_found_is_recovery(line) && same(line->prev, torn->hash) &&
	    torn->whole)
		return fault(verify, RECORD_ALTERED, place,
		             "it follows a torn line but is no recovery record");
	if (!record_found_is_recovery(line))
		return fault(verify, RECORD_TORN, &verify->torn[0],
		             "it has no end or is no line of a record, and no recovery "
		             "record follows");
	if (check_torn(verify, place, line) == RECORD_WALK_END)
		return RECORD_WALK_END;
	after = record_found_after(line);
	follows = place->seq == verify->last.seq + 1;
	known = after.at && verify->last.path;
	if (known && follows && !text_is(after, verify->last.hash)) {
		verify->suspect = *place;
		verify->torn_count = 0;
		return RECORD_WALK_ON;
	}
	if (known && !follows && text_is(after, verify->last.hash))
		return fault(verify, RECORD_ALTERED, place,
		             "it follows seq %" PRIu64 " but has %" PRIu64,
		             verify->last.seq, place->seq);
	if (!after.at)
		verify->unconfirmed = verify->last;
	verify->closed_by = *place;
	return RECORD_WALK_TORN;
}

/*
 * All of a line may be there but its newline when a crash comes: it was torn, and the
 * recovery record after it has its number and says which line came before.
 */
static void
take_back_torn(struct record_verify *verify, const struct record_found *recovery)
{
	struct text after = record_found_after(recovery);

	if (verify->torn_count > 0 || !verify->last.path ||
	    recovery->seq != verify->last.seq ||
	    !same(recovery->prev, verify->last.hash) || !after.at ||
	    !text_is(after, verify->before.hash))
		return;
	verify->torn[verify->torn_count++] = verify->last;
	verify->last = verify->before;
	verify->before = (struct record_place){0};
}

static enum record_walk
check_numbered(struct record_verify *verify, const struct record_place *place,
               const struct record_found *line)
{
	enum record_walk walk = RECORD_WALK_ON;

	if (record_found_is_recovery(line))
		take_back_torn(verify, line);
	if (verify->torn_count > 0)
		walk = check_closing(verify, place, line);
	else if (verify->last.path && record_found_is_recovery(line))
		return fault(verify, RECORD_MISSING, place,
		             "the torn line that it closed should stand before it");
	if (walk == RECORD_WALK_END || verify->suspect.path)
		return walk;
	if (verify->last.path)
		(void)check_seq(verify, place, line->prev);
	else
		(void)check_first(verify, place, line->prev);
	if (verify->fault == RECORD_INTACT)
		(void)check_notes(verify, place, line->prev);
	if (verify->fault != RECORD_INTACT)
		return verify->missing_from > 0 ? RECORD_WALK_ON : RECORD_WALK_END;
	if (walk == RECORD_WALK_ON && verify->last.path &&
	    !same(line->prev, verify->last.hash)) {
		verify->suspect = *place;
		return RECORD_WALK_ON;
	}
	if (verify->last.path)
		verify->proven = verify->last;
	else
		verify->first = *place;
	verify->before = verify->last;
	verify->last = *place;
	if (is_noted(verify, place->seq))
		verify->proven = *place;
	return walk;
}

/* Lines that are missing in one place may stand in another. */
static enum record_walk
look_for_missing(struct record_verify *verify, const struct record_place *place)
{
	struct record_place at = verify->at;

	if (place->seq != verify->missing_from)
		return RECORD_WALK_ON;
	verify->missing_from = 0;
	return fault(verify, RECORD_REORDERED, &at,
	             "it has seq %" PRIu64 "; seq %" PRIu64
	             " comes later, at %.100s:%" PRIu64,
	             at.seq, place->seq, place->path, place->number);
}

/* The hash of the line with a number before this one, as this one has it. */
static struct text
before_of(const struct record_verify *verify, const struct record_found *line)
{
	if (verify->torn_count == 0)
		return text_of(line->prev);
	return record_found_is_recovery(line) ? record_found_after(line)
	                                      : (struct text){0};
}

/* What the call before told of. */
static void
forget_closed(struct record_verify *verify)
{
	if (!verify->closed_by.path)
		return;
	verify->torn_count = 0;
	verify->closed_by = verify->unconfirmed = (struct record_place){0};
}

enum record_walk
record_verify_line(struct record_verify *verify, const char *path,
                   const struct record_found *line)
{
	struct record_place place = place_of(path, line);

	forget_closed(verify);
	if (verify->fault != RECORD_INTACT)
		return look_for_missing(verify, &place);
	if (place.seq > 0)
		return verify->suspect.path
		           ? settle_suspect(verify, before_of(verify, line))
		           : check_numbered(verify, &place, line);
	if (verify->torn_count == RECORD_TORN_MAX)
		return fault(verify, RECORD_TORN, &verify->torn[0],
		             "it is no line of a record, and no recovery record follows");
	verify->torn[verify->torn_count++] = place;
	return RECORD_WALK_ON;
}

/* A note that was not met is about a line that is not here. */
static void
check_unmet_notes(struct record_verify *verify)
{
	for (size_t i = 0; i < verify->noted_count; i++) {
		const struct record_note *note = &verify->noted[i];

		if (note->met)
			continue;
		if (note->seq > verify->last.seq) {
			verify->missing_from = verify->last.seq + 1;
			verify->missing_to = note->seq;
		}
		(void)fault(
		    verify, RECORD_MISSING, &verify->last,
		    "the noted line %" PRIu64 " is not here; the %s has seq %" PRIu64,
		    note->seq, note->seq > verify->last.seq ? "last" : "first",
		    note->seq > verify->last.seq ? verify->last.seq : verify->first.seq);
		return;
	}
}

void
record_verify_end(struct record_verify *verify)
{
	forget_closed(verify);
	if (verify->fault != RECORD_INTACT)
		return;
	if (verify->suspect.path)
		(void)settle_suspect(verify, (struct text){0});
	else if (verify->torn_count > 0)
		(void)fault(verify, RECORD_TORN, &verify->torn[0],
		            "it has no end or is no line of a record; no recovery record "
		            "follows");
	else
		check_unmet_notes(verify);
}
