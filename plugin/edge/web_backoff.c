/* SPDX-License-Identifier: Apache-2.0 */
/* web_backoff.c - how long to wait before the next try. */
#include "edge/web.h"

int64_t
web_backoff_ms(unsigned failures, int64_t max_ms, int64_t asked_ms, uint64_t random)
{
	int64_t most = WEB_RETRY_MIN_MS, wait;

	for (unsigned i = 1; i < failures && most < max_ms; i++)
		most *= 2;
	most = most < max_ms ? most : max_ms;
	wait = (int64_t)(random % (uint64_t)(most + 1));
	return wait > asked_ms ? wait : asked_ms;
}
