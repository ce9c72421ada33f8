/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp - an address and a port to listen on, as ADDR:PORT. Names are not looked up. Start
 * only.
 */
#pragma once

#include "core/err.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum { TCP_NAME_MAX = 64 }; /* "[" INET6_ADDRSTRLEN "]:65535" and a NUL */

struct tcp_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} socket;
	socklen_t len; /* 0: none */
};

/* Reads "127.0.0.1:9464" or "[::1]:9464"; port 0 is any that is free. -1 without an err
   of its own: the caller knows what is wanted. */
int tcp_read(const char *text, struct tcp_address *ret_address);

/* Whether `text` has the form ADDR:PORT, whatever the address. */
int tcp_has_port(const char *text);

/*
 * A listening socket (close-on-exec, non-blocking), the caller's to close, and what it is
 * called ("127.0.0.1:9464"); -1 on error. "[::]" takes IPv4 too, and where the kernel has
 * no IPv6 it is 0.0.0.0.
 */
int tcp_listen(const struct tcp_address *address, char ret_name[TCP_NAME_MAX],
               struct err *err);
