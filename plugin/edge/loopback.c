/* SPDX-License-Identifier: Apache-2.0 */
/* loopback.c - "127.0.0.1:9464" -> a listening socket, and nothing wider. */
#include "edge/loopback.h"

#include "edge/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BACKLOG = 64, PORT_MAX = 65535 };

/* The port behind the last ':', and the address before it. */
static int
split(const char *text, char ret_address[INET6_ADDRSTRLEN + 2], in_port_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	unsigned long port;
	char *end;

	if (len == 0 || len > INET6_ADDRSTRLEN || colon[1] < '0' || colon[1] > '9')
		return -1;
	errno = 0;
	port = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || errno != 0 || port > PORT_MAX)
		return -1;
	memcpy(ret_address, text, len);
	ret_address[len] = '\0';
	*ret_port = htons((in_port_t)port);
	return 0;
}

/* "[::1]" */
static int
read_v6(char *address, struct in6_addr *ret_address)
{
	size_t len = strlen(address);

	if (address[0] != '[' || address[len - 1] != ']')
		return -1;
	address[len - 1] = '\0';
	return inet_pton(AF_INET6, address + 1, ret_address) == 1 ? 0 : -1;
}

int
loopback_read(const char *text, struct loopback *ret_loopback, struct err *err)
{
	char address[INET6_ADDRSTRLEN + 2];
	struct loopback v4 = {.len = sizeof(struct sockaddr_in)},
			v6 = {.len = sizeof(struct sockaddr_in6)};
	in_port_t port;

	if (split(text, address, &port) != 0)
		return err_set(err, ERR_TYPE,
		               "%s: should be ADDR:PORT, as 127.0.0.1:9464", text);
	v4.address.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
	v6.address.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
	if (inet_pton(AF_INET, address, &v4.address.v4.sin_addr) == 1 &&
	    ntohl(v4.address.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET) {
		*ret_loopback = v4;
		return 0;
	}
	if (read_v6(address, &v6.address.v6.sin6_addr) == 0 &&
	    IN6_IS_ADDR_LOOPBACK(&v6.address.v6.sin6_addr)) {
		*ret_loopback = v6;
		return 0;
	}
	return err_set(err, ERR_TYPE,
	               "%s: should be an address of 127.0.0.0/8 or [::1]: metrics are "
	               "told without password or encryption, so only to this machine",
	               text);
}

/* What a socket that was bound is called; its port may have been 0. */
static int
name_socket(int fd, char ret_name[LOOPBACK_NAME_MAX])
{
	struct loopback bound = {.len = sizeof bound.address};
	char address[INET_ADDRSTRLEN];

	if (getsockname(fd, &bound.address.any, &bound.len) != 0)
		return -1;
	if (bound.address.any.sa_family == AF_INET6)
		(void)snprintf(ret_name, LOOPBACK_NAME_MAX, "[::1]:%u",
		               ntohs(bound.address.v6.sin6_port));
	else
		(void)snprintf(ret_name, LOOPBACK_NAME_MAX, "%s:%u",
		               inet_ntop(AF_INET, &bound.address.v4.sin_addr, address,
		                         sizeof address),
		               ntohs(bound.address.v4.sin_port));
	return 0;
}

int
loopback_listen(const struct loopback *loopback, char ret_name[LOOPBACK_NAME_MAX],
                struct err *err)
{
	cleanup_fd int fd = socket(loopback->address.any.sa_family,
	                           SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, listening;

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "no socket: %m");
	/* else a restart waits for the last scrape's TIME_WAIT */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, &loopback->address.any, loopback->len) != 0 ||
	    listen(fd, BACKLOG) != 0 || name_socket(fd, ret_name) != 0)
		return err_set(err, ERR_SYSTEM, "can't be listened on: %m");
	listening = fd;
	fd = -1;
	return listening;
}
