/* SPDX-License-Identifier: Apache-2.0 */
/* test_loopback.c - tests edge/loopback.h and edge/tcp.h. */
#include "edge/loopback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const accepted[] = {
    "127.0.0.1:9464", "127.0.0.1:0", "127.255.255.254:1",    "127.0.0.2:65535",
    "[::1]:9464",     "[::1]:0",     "[0:0:0:0:0:0:0:1]:80",
};

static const struct {
	const char *text, *says;
} refused[] = {
    {"0.0.0.0:9464", "only to this machine"},
    {"[::]:9464", "only to this machine"},
    {"10.0.0.1:9464", "only to this machine"},
    {"128.0.0.1:9464", "only to this machine"},
    {"126.255.255.255:9464", "only to this machine"},
    {"192.168.127.1:9464", "only to this machine"},
    {"[::ffff:127.0.0.1]:9464", "only to this machine"},
    {"[::2]:9464", "only to this machine"},
    {"[fe80::1]:9464", "only to this machine"},
    {"localhost:9464", "only to this machine"},
    {"127.1:9464", "only to this machine"},
    {"0177.0.0.1:9464", "only to this machine"},
    {"127.0.0.1 :9464", "only to this machine"},
    {"::1:9464", "only to this machine"},
    {"[::1:9464", "only to this machine"},
    {"[127.0.0.1]:9464", "only to this machine"},
    {"[]:1", "only to this machine"},
    {"[:1", "only to this machine"},
    {"]:1", "only to this machine"},
    {"", "ADDR:PORT"},
    {":", "ADDR:PORT"},
    {":9464", "ADDR:PORT"},
    {"9464", "ADDR:PORT"},
    {"127.0.0.1", "ADDR:PORT"},
    {"127.0.0.1:", "ADDR:PORT"},
    {"127.0.0.1:65536", "ADDR:PORT"},
    {"127.0.0.1:99999999999999999999", "ADDR:PORT"},
    {"127.0.0.1:-1", "ADDR:PORT"},
    {"127.0.0.1:+80", "ADDR:PORT"},
    {"127.0.0.1: 80", "ADDR:PORT"},
    {"127.0.0.1:80x", "ADDR:PORT"},
    {"127.0.0.1:http", "ADDR:PORT"},
    {"11111111111111111111111111111111111111111111111111111:80", "ADDR:PORT"},
};

static void
addresses_of_this_machine_alone_are_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
		struct tcp_address loopback = {.len = 0};
		struct err err = {0};

		if (loopback_read(accepted[i], &loopback, &err) != 0)
			fail_msg("%s", err.text);
		assert_true(loopback.len > 0);
	}
}

static void
whatever_else_is_refused_and_told_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct tcp_address loopback = {.len = 0};
		struct err err = {0};

		assert_int_equal(loopback_read(refused[i].text, &loopback, &err), -1);
		if (!strstr(err.text, refused[i].says))
			fail_msg("%s: %s", refused[i].text, err.text);
		assert_int_equal(loopback.len, 0);
	}
}

static void
free_port_is_found_and_named(void **state)
{
	struct tcp_address address;
	struct err err = {0};
	char name[TCP_NAME_MAX], again[TCP_NAME_MAX];
	int first, second;

	(void)state;
	assert_int_equal(loopback_read("127.0.0.1:0", &address, &err), 0);
	first = tcp_listen(&address, name, &err);
	assert_true(first >= 0);
	assert_int_equal(strncmp(name, "127.0.0.1:", 10), 0);
	assert_string_not_equal(name, "127.0.0.1:0");
	/* taken now */
	assert_int_equal(loopback_read(name, &address, &err), 0);
	second = tcp_listen(&address, again, &err);
	assert_int_equal(second, -1);
	assert_non_null(strstr(err.text, "in use"));
	(void)close(first);
}

static const struct {
	const char *text;
	int family;
} any_address[] = {
    {"0.0.0.0:8443", AF_INET},      {"10.1.2.3:1", AF_INET},  {"[::]:8443", AF_INET6},
    {"[2001:db8::1]:80", AF_INET6}, {"127.0.0.1:0", AF_INET}, {"[::1]:0", AF_INET6},
};

static const char *const no_address[] = {
    "",     ":8443",         "8443",   "localhost:8443", "::1:8443", "0.0.0.0",
    "[::]", "0.0.0.0:65536", "*:8443", "[::]:",          "1.2.3:80", "[::1]x:80",
};

static void
address_that_others_reach_is_read_where_it_may_be_one(void **state)
{
	struct tcp_address address;

	(void)state;
	for (size_t i = 0; i < sizeof any_address / sizeof any_address[0]; i++) {
		address = (struct tcp_address){.len = 0};
		if (tcp_read(any_address[i].text, &address) != 0)
			fail_msg("%s", any_address[i].text);
		assert_int_equal(address.socket.any.sa_family, any_address[i].family);
		assert_true(address.len > 0);
	}
	for (size_t i = 0; i < sizeof no_address / sizeof no_address[0]; i++) {
		address = (struct tcp_address){.len = 0};
		if (tcp_read(no_address[i], &address) == 0)
			fail_msg("%s", no_address[i]);
		assert_int_equal(address.len, 0);
	}
}

static void
any_address_of_ipv6_takes_ipv4_too(void **state)
{
	struct tcp_address any, v4;
	struct err err = {0};
	char name[TCP_NAME_MAX], text[TCP_NAME_MAX];
	int fd, client;

	(void)state;
	assert_int_equal(tcp_read("[::]:0", &any), 0);
	fd = tcp_listen(&any, name, &err);
	if (fd < 0)
		fail_msg("%s", err.text);
	(void)snprintf(text, sizeof text, "127.0.0.1%s", strrchr(name, ':'));
	assert_int_equal(tcp_read(text, &v4), 0);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(client >= 0);
	assert_int_equal(connect(client, &v4.socket.any, v4.len), 0);
	(void)close(client);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_of_this_machine_alone_are_accepted),
	    cmocka_unit_test(whatever_else_is_refused_and_told_why),
	    cmocka_unit_test(free_port_is_found_and_named),
	    cmocka_unit_test(address_that_others_reach_is_read_where_it_may_be_one),
	    cmocka_unit_test(any_address_of_ipv6_takes_ipv4_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
