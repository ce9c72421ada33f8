/* SPDX-License-Identifier: Apache-2.0 */
/* test_loopback.c - tests edge/loopback.h. */
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
		struct loopback loopback = {.len = 0};
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
		struct loopback loopback = {.len = 0};
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
	struct loopback loopback;
	struct err err = {0};
	char name[LOOPBACK_NAME_MAX], again[LOOPBACK_NAME_MAX];
	int first, second;

	(void)state;
	assert_int_equal(loopback_read("127.0.0.1:0", &loopback, &err), 0);
	first = loopback_listen(&loopback, name, &err);
	assert_true(first >= 0);
	assert_int_equal(strncmp(name, "127.0.0.1:", 10), 0);
	assert_string_not_equal(name, "127.0.0.1:0");
	/* taken now */
	assert_int_equal(loopback_read(name, &loopback, &err), 0);
	second = loopback_listen(&loopback, again, &err);
	assert_int_equal(second, -1);
	assert_non_null(strstr(err.text, "in use"));
	(void)close(first);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_of_this_machine_alone_are_accepted),
	    cmocka_unit_test(whatever_else_is_refused_and_told_why),
	    cmocka_unit_test(free_port_is_found_and_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
