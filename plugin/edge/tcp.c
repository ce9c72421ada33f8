/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.c - "[::]:8443" -> a listening socket. */
#include "edge/tcp.h"

#include "edge/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BACKLOG = 1024, PORT_MAX = 65535 };

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
tcp_has_port(const char *text)
{
	char address[INET6_ADDRSTRLEN + 2];
	in_port_t port;

	return split(text, address, &port) == 0;
}

int
tcp_read(const char *text, struct tcp_address *ret_address)
{
	char address[INET6_ADDRSTRLEN + 2];
	struct tcp_address v4 = {.len = sizeof(struct sockaddr_in)},
			   v6 = {.len = sizeof(struct sockaddr_in6)};
	in_port_t port;

	if (split(text, address, &port) != 0)
		return -1;
	v4.socket.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
	v6.socket.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
	if (inet_pton(AF_INET, address, &v4.socket.v4.sin_addr) == 1) {
		*ret_address = v4;
		return 0;
	}
	if (read_v6(address, &v6.socket.v6.sin6_addr) == 0) {
		*ret_address = v6;
		return 0;
	}
	return -1;
}

/* What a socket that was bound is called; its port may have been 0. */
static int
name_socket(int fd, char ret_name[TCP_NAME_MAX])
{
	struct tcp_address bound = {.len = sizeof bound.socket};
	bool is_v6;
	char address[INET6_ADDRSTRLEN];

	if (getsockname(fd, &bound.socket.any, &bound.len) != 0)
		return -1;
	is_v6 = bound.socket.any.sa_family == AF_INET6;
	if (!inet_ntop(bound.socket.any.sa_family,
	               is_v6 ? (const void *)&bound.socket.v6.sin6_addr
	                     : (const void *)&bound.socket.v4.sin_addr,
	               address, sizeof address))
		return -1;
	(void)snprintf(
	    ret_name, TCP_NAME_MAX, is_v6 ? "[%s]:%u" : "%s:%u", address,
	    ntohs(is_v6 ? bound.socket.v6.sin6_port : bound.socket.v4.sin_port));
	return 0;
}

static bool
is_any_v6(const struct tcp_address *address)
{
	return address->socket.any.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&address->socket.v6.sin6_addr);
}

static int
listen_on(const struct tcp_address *address, char ret_name[TCP_NAME_MAX], struct err *err)
{
	cleanup_fd int fd = socket(address->socket.any.sa_family,
	                           SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, off = 0;

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "no socket: %m");
	/* else a restart waits for the last connection's TIME_WAIT */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (is_any_v6(address)) /* whatever net.ipv6.bindv6only says */
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, &address->socket.any, address->len) != 0 ||
	    listen(fd, BACKLOG) != 0 || name_socket(fd, ret_name) != 0)
		return err_set(err, ERR_SYSTEM, "can't be listened on: %m");
	return file_take(&fd);
}

int
tcp_listen(const struct tcp_address *address, char ret_name[TCP_NAME_MAX],
           struct err *err)
{
	struct tcp_address v4 = {.len = sizeof(struct sockaddr_in)};
	struct err first = {0};
	int fd = listen_on(address, ret_name, &first);

	if (fd >= 0)
		return fd;
	if (!is_any_v6(address) || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
		return err_set(err, first.code, "%s", first.text);
	v4.socket.v4 = (struct sockaddr_in){
	    .sin_family = AF_INET,
	    .sin_port = address->socket.v6.sin6_port,
	    .sin_addr.s_addr = htonl(INADDR_ANY),
	};
	return listen_on(&v4, ret_name, err);
}
