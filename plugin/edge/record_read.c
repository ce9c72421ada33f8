/* SPDX-License-Identifier: Apache-2.0 */
/* record_read.c - reads a record file line by line, with bounded memory. */
#include "edge/record_read.h"
#include "edge/record.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void
begin_line(struct record_reader *reader, off_t at)
{
	reader->start = at;
	reader->len = 0;
	reader->kept.len =
	    0; /* and not buf_clear(): the last line's bytes are lent out */
}

void
record_reader_start(struct record_reader *reader, int fd, off_t at)
{
	reader->fd = fd;
	reader->at = at;
	reader->number = 1;
	reader->from = reader->to = 0;
	begin_line(reader, at);
}

void
record_reader_free(struct record_reader *reader)
{
	buf_free(&reader->kept);
}

/* 1: there is more in the block; 0: the file ends here; -1: it can't be read. */
static int
fill(struct record_reader *reader, struct err *err)
{
	ssize_t got;

	if (reader->from < reader->to)
		return 1;
	do {
		got = pread(reader->fd, reader->block, sizeof reader->block, reader->at);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_set(err, ERR_SYSTEM, "can't be read: %m");
	reader->at += got;
	reader->from = 0;
	reader->to = (size_t)got;
	return got > 0;
}

/* Counts and hashes what is not kept of a long line. */
static void
drop(struct record_reader *reader, struct text bytes)
{
	if (bytes.len == 0)
		return;
	if (reader->len == reader->kept.len) {
		sha256_init(&reader->sha);
		sha256_update(&reader->sha, reader->kept.len,
		              (const uint8_t *)reader->kept.at);
	}
	sha256_update(&reader->sha, bytes.len, (const uint8_t *)bytes.at);
	reader->len += bytes.len;
}

/* Takes what the block has of the line; true if that is its end. */
static bool
take(struct record_reader *reader)
{
	struct text rest = {reader->block + reader->from, reader->to - reader->from};
	size_t len = text_find(rest, '\n');
	size_t room = RECORD_LINE_MAX - reader->kept.len;
	size_t keep = len < room ? len : room;

	buf_add(&reader->kept, rest.at, keep);
	reader->len += keep;
	drop(reader, text_from(text_first(rest, len), keep));
	reader->from += len < rest.len ? len + 1 : len;
	return len < rest.len;
}

static void
write_hash(struct record_reader *reader, char ret_hex[RECORD_HASH_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_digest(&reader->sha, sizeof digest, digest);
	for (size_t i = 0; i < sizeof digest; i++) {
		ret_hex[2 * i] = digits[digest[i] >> 4];
		ret_hex[2 * i + 1] = digits[digest[i] & 0xf];
	}
	ret_hex[RECORD_HASH_HEX] = '\0';
}

/* `,"prev":"HASH"}` is the end of a line that record_chain_resume() has taken. */
static void
copy_prev(struct text line, char ret_hex[RECORD_HASH_HEX + 1])
{
	struct text end = text_first(line, line.len - strlen("\"}"));

	if (end.at[end.len - 1] == '"')
		return;
	memcpy(ret_hex, end.at + end.len - RECORD_HASH_HEX, RECORD_HASH_HEX);
}

static void
describe(struct record_reader *reader, bool whole, struct record_found *ret_line)
{
	struct record_chain chain;

	*ret_line = (struct record_found){
	    .text = buf_text(&reader->kept),
	    .len = reader->len,
	    .number = reader->number,
	    .start = reader->start,
	    .end = reader->start + (off_t)reader->len + (whole ? 1 : 0),
	    .whole = whole,
	};
	if (reader->len > reader->kept.len) {
		write_hash(reader, ret_line->hash);
		return;
	}
	if (record_chain_resume(&chain, ret_line->text) == 0) {
		ret_line->seq = chain.seq;
		copy_prev(ret_line->text, ret_line->prev);
		memcpy(ret_line->hash, chain.prev, sizeof ret_line->hash);
		return;
	}
	record_chain_hash(ret_line->text, ret_line->hash);
}

int
record_read(struct record_reader *reader, struct record_found *ret_line, struct err *err)
{
	int more;

	while ((more = fill(reader, err)) > 0) {
		if (!take(reader))
			continue;
		if (!buf_ok(&reader->kept))
			return err_set(err, ERR_MEMORY, "no memory to read it");
		describe(reader, true, ret_line);
		/* its bytes stay in `kept` until the next read, for ret_line->text */
		begin_line(reader, ret_line->end);
		reader->number++;
		return 1;
	}
	if (more < 0)
		return -1;
	describe(reader, false, ret_line);
	/* What has no end yet may be taken back and written anew: it is read again. */
	reader->at = reader->start;
	reader->from = reader->to = 0;
	begin_line(reader, reader->start);
	return 0;
}

bool
record_found_is_recovery(const struct record_found *line)
{
	static const char event[] = ",\"event\":\"recovery\"";
	size_t at = strlen("{\"time\":\"") + RECORD_TIME_LEN + strlen("\"");

	return line->seq > 0 && line->text.len > at &&
	       text_has_prefix(text_from(line->text, at), event);
}

/* What stands behind `key` in a line, up to `end`; missing if it does not. */
static struct text
field_of(const struct record_found *line, const char *key, char end)
{
	const char *at = memmem(line->text.at, line->text.len, key, strlen(key));
	struct text rest;

	if (!at)
		return (struct text){0};
	at += strlen(key);
	rest = text_from(line->text, (size_t)(at - line->text.at));
	return text_first(rest, text_find(rest, end));
}

struct text
record_found_after(const struct record_found *recovery)
{
	return field_of(recovery, ",\"after\":\"", '"');
}

struct text
record_found_torn(const struct record_found *recovery)
{
	return field_of(recovery, ",\"torn\":[", ']');
}

struct text
record_torn_hash(struct text list, size_t i)
{
	size_t at = i * (RECORD_HASH_HEX + strlen("\"\",")) + 1;

	if (list.len < at + RECORD_HASH_HEX)
		return (struct text){0};
	return text_first(text_from(list, at), RECORD_HASH_HEX);
}

void
record_found_time(const struct record_found *line, char ret_time[RECORD_TIME_LEN + 1])
{
	size_t key = strlen("{\"time\":\"");

	ret_time[0] = '\0';
	if (record_chain_time(line->text) == 0)
		return;
	memcpy(ret_time, line->text.at + key, RECORD_TIME_LEN);
	ret_time[RECORD_TIME_LEN] = '\0';
}
