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

/* Splits what was read; false if the last whole line begins before it. */
static bool
split(struct record_tail *tail, bool all)
{
	struct text bytes = buf_text(&tail->bytes), before;
	const char *newline = bytes.len > 0 ? memrchr(bytes.at, '\n', bytes.len) : NULL;
	const char *start;

	tail->last = (struct text){0};
	tail->torn = bytes;
	if (!newline)
		return all;
	tail->torn = text_from(bytes, (size_t)(newline - bytes.at) + 1);
	before = text_first(bytes, (size_t)(newline - bytes.at));
	start = before.len > 0 ? memrchr(before.at, '\n', before.len) : NULL;
	tail->last = start ? text_from(before, (size_t)(start - before.at) + 1) : before;
	return all || start;
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

bool
record_tail_step_back(struct record_tail *tail)
{
	struct text bytes = buf_text(&tail->bytes), line = tail->last;
	struct record_tail before = {0};
	const char *start;

	if (tail->torn.len > 0 || line.len == 0 || line.at == bytes.at ||
	    line.at[0] != '{' || line.at[line.len - 1] == '}')
		return false;
	before.last = text_first(bytes, (size_t)(line.at - bytes.at) - 1);
	start =
	    before.last.len > 0 ? memrchr(before.last.at, '\n', before.last.len) : NULL;
	if (start)
		before.last =
		    text_from(before.last, (size_t)(start - before.last.at) + 1);
	if (!record_tail_is_ours(&before))
		return false;
	tail->torn = line;
	tail->last = before.last;
	return true;
}

void
record_tail_free(struct record_tail *tail)
{
	buf_free(&tail->bytes);
}
