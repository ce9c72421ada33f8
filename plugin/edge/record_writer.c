/* SPDX-License-Identifier: Apache-2.0 */
/* record_writer.c - joins lines, numbers them, and writes them to the first sink. */
#include "edge/record_writer.h"

#include <stdio.h>

enum { TORN_MAX = 8 * 1024 * 1024 };

int
record_writer_open(struct record_writer *writer, const struct record_sink_kind *kind,
                   const char *target, const char *host, struct err *err)
{
	cleanup_buf struct buf last = {0};
	struct record_sink *sink;

	if (kind->open(target, &last, &sink, err))
		return -1;
	*writer = (struct record_writer){.kind = kind, .sink = sink, .due_ms = INT64_MAX};
	(void)snprintf(writer->host, sizeof writer->host, "%s", host);
	if (last.len == 0)
		return 0;
	writer->last_time_us = record_chain_time(buf_text(&last));
	if (record_chain_resume(&writer->chain, buf_text(&last)) == 0)
		return 0;
	record_writer_close(writer);
	return err_set(err, ERR_SYNTAX, "%s: its last line is none of a record", target);
}

void
record_writer_begin(struct record_writer *writer)
{
	writer->count = 0;
	buf_clear(&writer->raw);
}

bool
record_writer_add(struct record_writer *writer, struct text line)
{
	if (writer->count == RECORD_GROUP_LINES ||
	    writer->raw.len + line.len > RECORD_GROUP_BYTES)
		return false;
	buf_add_text(&writer->raw, line);
	writer->ends[writer->count++] = writer->raw.len;
	return true;
}

/* Numbers the lines of the group; *chain is what it is once all are taken. */
static void
compose(struct record_writer *writer, struct record_chain *chain, struct text torn)
{
	size_t start = 0;

	buf_clear(&writer->out);
	if (torn.len > 0)
		record_chain_recover(chain, &writer->out, torn, writer->host,
		                     writer->last_time_us);
	for (size_t i = 0; i < writer->count && buf_ok(&writer->raw); i++) {
		struct text line = text_first(buf_text(&writer->raw), writer->ends[i]);

		record_chain_add(chain, &writer->out, text_from(line, start));
		start = writer->ends[i];
	}
}

/* Moves the chain to the last line that was taken; returns how many were. */
static uint64_t
move_chain(struct record_chain *chain, struct text taken)
{
	struct text last = {0};
	uint64_t count = 0;

	while (taken.len > 0) {
		last = text_first(taken, text_find(taken, '\n'));
		taken = text_from(taken, last.len + 1);
		count++;
	}
	chain->seq += count;
	if (count > 0)
		record_chain_hash(last, chain->prev);
	return count;
}

static int
write_group(struct record_writer *writer, struct record_written *ret_written,
            struct err *err)
{
	cleanup_buf struct buf torn = {.limit = TORN_MAX};
	struct record_chain chain = writer->chain;
	size_t recovery, taken = 0;
	int failed;

	*ret_written = (struct record_written){.bytes = TEXT_LIT("")};
	if (writer->kind->prepare(writer->sink, &torn, err))
		return -1;
	compose(writer, &chain, buf_text(&torn));
	if (!buf_ok(&writer->raw) || !buf_ok(&writer->out) || !buf_ok(&torn))
		return err_set(err, ERR_MEMORY, "no memory for the record");
	if (writer->out.len == 0)
		return 0;
	failed = writer->kind->write(writer->sink, buf_text(&writer->out), &taken, err);
	recovery = torn.len > 0 ? 1 : 0;
	ret_written->bytes = text_first(buf_text(&writer->out), taken);
	if (taken > 0)
		ret_written->torn = record_chain_count_torn(buf_text(&torn));
	if (!failed && taken == writer->out.len) {
		writer->chain = chain;
		ret_written->lines = writer->count + recovery;
		ret_written->taken = writer->count;
		return 0;
	}
	ret_written->lines = move_chain(&writer->chain, ret_written->bytes);
	if (ret_written->lines > 0)
		ret_written->taken = (size_t)ret_written->lines - recovery;
	return err_set(err, ERR_SYSTEM, "not all lines were taken");
}

int
record_writer_write(struct record_writer *writer, struct record_written *ret_written,
                    struct err *err)
{
	int failed = write_group(writer, ret_written, err);

	if (ret_written->lines == 0 ||
	    record_writer_sync(writer, RECORD_SYNC_GROUP, err) == 0)
		return failed;
	ret_written->taken = 0;
	return -1;
}

int
record_writer_sync(struct record_writer *writer, enum record_sync when, struct err *err)
{
	return record_sink_sync(writer->kind, writer->sink, when, &writer->due_ms, err);
}

void
record_writer_close(struct record_writer *writer)
{
	if (writer->sink)
		writer->kind->close(writer->sink);
	writer->sink = NULL;
	buf_free(&writer->raw);
	buf_free(&writer->out);
}
