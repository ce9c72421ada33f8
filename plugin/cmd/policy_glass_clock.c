/* SPDX-License-Identifier: Apache-2.0 */
/* policy_glass_clock.c - how far the judge's clock is ahead, by the end of its record. */
#include "cmd_policy_glass.h"

#include "edge/file.h"
#include "edge/record_chain.h"
#include "edge/record_tail.h"

#include <fcntl.h>

enum { SECOND_US = 1000000 };

int64_t
policy_glass_ahead(const char *record)
{
	cleanup_fd int fd = open(record, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	cleanup_record_tail struct record_tail tail = {.size = 0};
	struct err ignored = {0};
	int64_t last;

	if (fd < 0 || record_tail_read(fd, &tail, &ignored) != 0 || !tail.last.at)
		return 0;
	last = record_chain_time(tail.last) / SECOND_US - policy_now();
	return last > 0 ? last : 0;
}
