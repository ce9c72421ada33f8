/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loopback - a TCP port that only this machine reaches.
 *
 * Invariant: nothing but an address of 127.0.0.0/8 or ::1 is ever listened on. What is
 * told there has neither a password nor encryption, so it may not leave the machine.
 * Start only.
 */
#pragma once

#include "core/err.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum { LOOPBACK_NAME_MAX = 32 }; /* "127.255.255.255:65535" and a NUL */

struct loopback {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
	socklen_t len;
};

/* Reads "127.0.0.1:9464" or "[::1]:9464"; port 0 is any that is free. Names are not
   looked up. */
int loopback_read(const char *text, struct loopback *ret_loopback, struct err *err);

/* A listening socket (close-on-exec, non-blocking), the caller's to close, and what it is
   called ("127.0.0.1:9464"); -1 on error. */
int loopback_listen(const struct loopback *loopback, char ret_name[LOOPBACK_NAME_MAX],
                    struct err *err);
