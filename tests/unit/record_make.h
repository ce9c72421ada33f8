/* SPDX-License-Identifier: Apache-2.0 */
/* record_make.h - a record in memory, line by line, and read from memory. */
#pragma once

#include "edge/record.h"
#include "edge/record_chain.h"
#include "edge/record_read.h"
#include "temporary.h"

#include <sys/mman.h>

enum { MADE_MAX = 512 };

/* A record and where its lines begin; starts[count] is its end. */
struct made {
	struct buf bytes;
	size_t starts[MADE_MAX + 1], count;
	struct record_chain chain;
};

static inline void
made_end_line(struct made *made)
{
	assert_true(buf_ok(&made->bytes) && made->count < MADE_MAX);
	made->starts[++made->count] = made->bytes.len;
}

/* A line as the judge writes it. */
static inline void
make_line(struct made *made)
{
	unsigned long long seq = made->chain.seq + 1;
	cleanup_buf struct buf line = {0};

	buf_printf(&line,
	           "{\"time\":\"2026-11-25T03:%02llu:%02llu.000000Z\",\"id\":\"%llu\","
	           "\"decision\":\"deny\",\"user\":\"u\",\"containers\":[{\"name\":"
	           "\"web%llu\"}],\"host\":\"h\"",
	           seq / 60 % 60, seq % 60, seq, seq);
	record_chain_add(&made->chain, &made->bytes, buf_text(&line));
	made_end_line(made);
}

static inline void
make_lines(struct made *made, size_t count)
{
	while (count-- > 0)
		make_line(made);
}

/* A torn line with a newline behind it, and the recovery record; without `after` one that
   does not name the hash of the line before. */
static inline void
make_torn(struct made *made, const char *torn, bool after)
{
	struct record_chain plain = made->chain;
	cleanup_buf struct buf recovery = {0};
	struct text line;
	size_t len;

	buf_str(&made->bytes, torn);
	buf_char(&made->bytes, '\n');
	made_end_line(made);
	record_chain_recover(&plain, &recovery, text_of(torn), "h", 0);
	assert_true(buf_ok(&recovery));
	len = (size_t)(strstr(recovery.at, ",\"after\":") - recovery.at);
	line = buf_text(&recovery);
	if (after) {
		buf_add_text(&made->bytes, line);
		made->chain = plain;
	} else {
		cleanup_buf struct buf more = {0};

		buf_add_text(&more, text_first(line, len));
		record_chain_hash(text_of(torn), made->chain.prev);
		record_chain_add(&made->chain, &made->bytes, buf_text(&more));
	}
	made_end_line(made);
}

/* Lines `from` to before `to`, newlines included. */
static inline struct text
made_lines(const struct made *made, size_t from, size_t to)
{
	return (struct text){made->bytes.at + made->starts[from],
	                     made->starts[to] - made->starts[from]};
}

/* A memory file with these bytes. The caller closes it. */
static inline int
memory_file(struct text bytes)
{
	int fd = memfd_create("record", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.at, bytes.len), (ssize_t)bytes.len);
	return fd;
}
