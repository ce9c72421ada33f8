/* SPDX-License-Identifier: Apache-2.0 */
/* record_tail.c - finds the last whole line of a file and what follows it. */
#include "edge/record_tail.h"
#include "edge/record_chain.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW = 64 * 1024 }; /* the first guess; room for four of our longest lines */

static int
read_at(int fd, off_t from, size_t len, struct buf *out, struct err *err)
{
	char block[16 * 1024];

	while (len > 0) {
		size_t want = len < sizeof block ? len : sizeof block;
		ssize_t got = pread(fd, block, want, from);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_SYSTEM, "can't be read: %m");
		if (got == 0)
			return err_set(err, ERR_SYSTEM, "shrank while it was read");
		buf_add(out, block, (size_t)got);
		from += got;
		len -= (size_t)got;
	}
	return buf_ok(out) ? 0 : err_set(err, ERR_MEMORY, "no memory to read its end");
}

/* The start of the line that ends at byte `end`; false if it begins before `bytes`. */
static bool
find_start(struct text bytes, size_t end, bool all, size_t *ret_start)
{
	const char *newline = end > 0 ? memrchr(bytes.at, '\n', end) : NULL;

	*ret_start = newline ? (size_t)(newline - bytes.at) + 1 : 0;
	return newline || all;
}

/* Splits what was read; false if the last whole line begins before it. */
static bool
split(struct record_tail *tail, bool all)
{
	struct text bytes = buf_text(&tail->bytes), line;
	size_t torn, start, count;

	tail->last = (struct text){0};
	tail->torn = bytes;
	if (!find_start(bytes, bytes.len, all, &torn))
		return false;
	count = torn < bytes.len ? 1 : 0;
	for (; torn > 0; torn = start, count++) {
		if (!find_start(bytes, torn - 1, all, &start))
			return false;
		line = text_from(text_first(bytes, torn - 1), start);
		if (count >= RECORD_TORN_MAX || !record_chain_is_torn(line)) {
			tail->last = line;
			break;
		}
	}
	tail->torn = text_from(bytes, torn);
	return true;
}

int
record_tail_read(int fd, struct record_tail *ret_tail, struct err *err)
{
	struct stat st;
	size_t size, len;

	if (fstat(fd, &st))
		return err_set(err, ERR_SYSTEM, "can't be looked at: %m");
	size = (size_t)st.st_size;
	ret_tail->size = st.st_size;
	for (len = WINDOW;; len *= 4) {
		len = len < size ? len : size;
		buf_clear(&ret_tail->bytes);
		if (read_at(fd, st.st_size - (off_t)len, len, &ret_tail->bytes, err))
			return -1;
		if (split(ret_tail, len == size))
			return 0;
		if (len >= RECORD_TAIL_MAX)
			return err_set(err, ERR_SYNTAX,
			               "is not a record: its last %zu bytes hold no line",
			               len);
	}
}

bool
record_tail_is_ours(const struct record_tail *tail)
{
	struct record_chain chain;

	return record_chain_resume(&chain, tail->last) == 0;
}

void
record_tail_free(struct record_tail *tail)
{
	buf_free(&tail->bytes);
}
