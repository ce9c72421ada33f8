/* SPDX-License-Identifier: Apache-2.0 */
/* record_append.c - appends until all is written or an error comes. */
#include "edge/record_append.h"

#include <errno.h>
#include <stdint.h>
#include <sys/uio.h>

static struct iovec
part_of(struct text bytes, size_t from)
{
	/* writev(2) only reads, but its argument can't say so */
	return (struct iovec){.iov_base = (void *)(uintptr_t)(bytes.at + from),
	                      .iov_len = bytes.len - from};
}

size_t
record_append(int fd, struct text head, struct text lines)
{
	size_t done = 0;

	while (done < head.len + lines.len) {
		struct iovec parts[2];
		int count = 0;
		ssize_t len;

		if (done < head.len)
			parts[count++] = part_of(head, done);
		parts[count++] = part_of(lines, done < head.len ? 0 : done - head.len);
		len = writev(fd, parts, count);
		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			break;
		done += (size_t)len;
	}
	return done;
}
