/* SPDX-License-Identifier: Apache-2.0 */
/* loopback.c - "127.0.0.1:9464" -> an address, and nothing wider. */
#include "edge/loopback.h"

#include <arpa/inet.h>
#include <stdbool.h>

static bool
is_loopback(const struct tcp_address *address)
{
	if (address->socket.any.sa_family == AF_INET)
		return ntohl(address->socket.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&address->socket.v6.sin6_addr);
}

int
loopback_read(const char *text, struct tcp_address *ret_address, struct err *err)
{
	struct tcp_address address = {.len = 0};

	if (!tcp_has_port(text))
		return err_set(err, ERR_TYPE,
		               "%s: should be ADDR:PORT, as 127.0.0.1:9464", text);
	if (tcp_read(text, &address) == 0 && is_loopback(&address)) {
		*ret_address = address;
		return 0;
	}
	return err_set(err, ERR_TYPE,
	               "%s: should be an address of 127.0.0.0/8 or [::1]: metrics are "
	               "told without password or encryption, so only to this machine",
	               text);
}
