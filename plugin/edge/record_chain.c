/* SPDX-License-Identifier: Apache-2.0 */
/* record_chain.c - numbers the lines of the record and ties each to the one before. */
#include "edge/record_chain.h"

#include "core/json_go.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MICROSECONDS = 1000000 };

/* Every line of ours begins so; then "YYYY-MM-DDTHH:MM:SS.uuuuuuZ". */
static const char time_key[] = "{\"time\":\"";

void
record_chain_hash(struct text line, char ret_hex[RECORD_HASH_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, line.len, (const uint8_t *)line.at);
	sha256_digest(&sha, sizeof digest, digest);
	for (size_t i = 0; i < sizeof digest; i++) {
		ret_hex[2 * i] = digits[digest[i] >> 4];
		ret_hex[2 * i + 1] = digits[digest[i] & 0xf];
	}
	ret_hex[RECORD_HASH_HEX] = '\0';
}

void
record_chain_add(struct record_chain *chain, struct buf *out, struct text line)
{
	size_t start = out->len;

	chain->seq++;
	buf_add_text(out, line);
	buf_str(out, ",\"seq\":");
	buf_number(out, chain->seq, 0);
	buf_str(out, ",\"prev\":\"");
	buf_str(out, chain->prev);
	buf_str(out, "\"}");
	if (!buf_ok(out))
		return;
	record_chain_hash(text_from(buf_text(out), start), chain->prev);
	buf_char(out, '\n');
}

/* Takes `suffix` off the end of *text. */
static bool
take_suffix(struct text *text, const char *suffix)
{
	size_t len = strlen(suffix);

	if (text->len < len || memcmp(text->at + text->len - len, suffix, len) != 0)
		return false;
	text->len -= len;
	return true;
}

/* Takes the longest run of `set` off the end of *text. */
static struct text
take_run(struct text *text, const char *set)
{
	size_t len = text->len;

	while (len > 0 && text->at[len - 1] != '\0' && strchr(set, text->at[len - 1]))
		len--;
	struct text run = text_from(*text, len);
	text->len = len;
	return run;
}

/* 1 to 18 digits, the first not 0; 0 for anything else. */
static uint64_t
parse_seq(struct text digits)
{
	uint64_t seq = 0;

	if (digits.len == 0 || digits.len > 18 || digits.at[0] == '0')
		return 0;
	for (size_t i = 0; i < digits.len; i++)
		seq = seq * 10 + (uint64_t)(digits.at[i] - '0');
	return seq;
}

int
record_chain_resume(struct record_chain *chain, struct text line)
{
	struct text rest = line, prev;
	uint64_t seq;

	if (line.len == 0 || line.at[0] != '{' || !take_suffix(&rest, "\"}"))
		return -1;
	prev = take_run(&rest, "0123456789abcdef");
	if ((prev.len != 0 && prev.len != RECORD_HASH_HEX) ||
	    !take_suffix(&rest, ",\"prev\":\""))
		return -1;
	seq = parse_seq(take_run(&rest, "0123456789"));
	if (seq == 0 || (prev.len == 0 && seq != 1) || !take_suffix(&rest, ",\"seq\":"))
		return -1;
	chain->seq = seq;
	record_chain_hash(line, chain->prev);
	return 0;
}

static int64_t
now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * MICROSECONDS + now.tv_nsec / 1000;
}

static void
write_time(struct buf *out, int64_t us)
{
	time_t seconds = (time_t)(us / MICROSECONDS);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm))
		return;
	buf_printf(out, "%s%04d-%02d-%02dT%02d:%02d:%02d.%06dZ\"", time_key,
	           tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	           tm.tm_sec, (int)(us % MICROSECONDS));
}

bool
record_chain_is_torn(struct text line)
{
	struct err ignored = {0};
	struct json json = json_start(line, NULL, &ignored);

	if (line.len > 0 && line.at[0] == '\0')
		return true;
	if (line.len == 0 || line.at[0] != '{')
		return false;
	return json_skip(&json) || json_finish(&json);
}

/* Takes the first line off *torn, which is not empty. */
static struct text
take_torn(struct text *torn)
{
	struct text line = text_first(*torn, text_find(*torn, '\n'));

	*torn = text_from(*torn, line.len + (line.len < torn->len));
	return line;
}

size_t
record_chain_count_torn(struct text torn)
{
	size_t count = 0;

	for (; torn.len > 0; count++)
		(void)take_torn(&torn);
	return count;
}

/* Without their newlines. */
static size_t
bytes_of(struct text torn, size_t count)
{
	return torn.len - count + (torn.at[torn.len - 1] != '\n');
}

/* `,"torn":[...]` if there are several; returns the hash of the last in ret_hex. */
static void
write_torn(struct buf *line, struct text torn, char ret_hex[RECORD_HASH_HEX + 1])
{
	bool several = record_chain_count_torn(torn) > 1;
	const char *before = ",\"torn\":[\"";

	while (torn.len > 0) {
		record_chain_hash(take_torn(&torn), ret_hex);
		if (several)
			buf_printf(line, "%s%s\"", before, ret_hex);
		before = ",\"";
	}
	if (several)
		buf_char(line, ']');
}

void
record_chain_recover(struct record_chain *chain, struct buf *out, struct text torn,
                     const char *host, int64_t floor_us)
{
	cleanup_buf struct buf line = {0};
	size_t count = record_chain_count_torn(torn);
	int64_t now = now_us();

	write_time(&line, now > floor_us ? now : floor_us);
	buf_str(&line, ",\"event\":\"recovery\",\"message\":\"");
	if (count > 1)
		buf_printf(&line, "%zu torn lines of %zu bytes were closed\"", count,
		           bytes_of(torn, count));
	else
		buf_printf(&line, "a torn line of %zu bytes was closed\"",
		           bytes_of(torn, count));
	buf_str(&line, ",\"host\":");
	buf_json(&line, text_of(host), 256);
	/* `prev` is the torn line's: without this nothing would prove the one before it */
	buf_printf(&line, ",\"after\":\"%s\"", chain->prev);
	write_torn(&line, torn, chain->prev);
	if (!buf_ok(&line)) {
		out->failed = true;
		return;
	}
	record_chain_add(chain, out, buf_text(&line));
}

int64_t
record_chain_time(struct text line)
{
	char text[sizeof "2026-01-01T00:00:00.000000Z"];
	struct tm tm = {0};
	const char *end;
	int us, len = 0;

	if (!text_has_prefix(line, time_key) ||
	    line.len < sizeof time_key - 1 + sizeof text - 1)
		return 0;
	memcpy(text, line.at + sizeof time_key - 1, sizeof text - 1);
	text[sizeof text - 1] = '\0';
	end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!end || sscanf(end, ".%6dZ%n", &us, &len) != 1 || len != 8 || us < 0)
		return 0;
	return (int64_t)timegm(&tm) * MICROSECONDS + us;
}
