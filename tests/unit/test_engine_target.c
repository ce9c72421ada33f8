/* SPDX-License-Identifier: Apache-2.0 */
/* test_engine_target.c - which engine is asked, as the docker client would choose. */
#include "temporary.h"

#include "edge/engine.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* SHA-256 of "prod" */
#define PROD "6754af9632a2745e85c293e5aac0863370d9bd3330b9938c00cadfd215227d77"

static const char *const variables[] = {"DOCKER_HOST", "DOCKER_CONTEXT",
                                        "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"};

/* A folder for the client's configuration, and an environment without a choice. */
static int
set_up(void **state)
{
	for (size_t i = 0; i < COUNT(variables); i++)
		(void)unsetenv(variables[i]);
	if (make_folder(state) != 0)
		return -1;
	return setenv("DOCKER_CONFIG", folder, 1);
}

static void
assert_same(const char *got, const char *want)
{
	if (!want)
		assert_null(got);
	else
		assert_string_equal(got ? got : "(none)", want);
}

static void
assert_target(const char *host, const char *socket, const char *url)
{
	struct engine_target target = {0};
	struct err err = {0};

	if (engine_target_find(host, &target, &err) != 0)
		fail_msg("%s: %s", host ? host : "default", err.text);
	assert_same(target.socket, socket);
	assert_same(target.url, url);
	assert_int_equal(target.plain_tcp, !socket && strncmp(url, "http:", 5) == 0);
	engine_target_free(&target);
}

static void
assert_refused(const char *host, const char *says)
{
	struct engine_target target = {0};
	struct err err = {0};

	if (engine_target_find(host, &target, &err) == 0)
		fail_msg("%s was taken", host ? host : "default");
	if (!strstr(err.text, says))
		fail_msg("%s", err.text);
}

static void
host_is_read_as_the_client_reads_it(void **state)
{
	static const struct {
		const char *host, *socket, *url;
	} rows[] = {
	    {NULL, "/var/run/docker.sock", "http://docker"},
	    {"unix://", "/var/run/docker.sock", "http://docker"},
	    {"unix:///run/x y.sock", "/run/x y.sock", "http://docker"},
	    {"tcp://10.0.0.1", NULL, "http://10.0.0.1:2375"},
	    {"tcp://engine:4000", NULL, "http://engine:4000"},
	    {"tcp://engine:4000/", NULL, "http://engine:4000"},
	    {"tcp://engine/base/", NULL, "http://engine:2375/base"},
	    {"tcp://[::1]", NULL, "http://[::1]:2375"},
	    {"tcp://[::1]:4000", NULL, "http://[::1]:4000"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_target(rows[i].host, rows[i].socket, rows[i].url);
}

static void
host_that_can_not_be_asked_is_refused(void **state)
{
	static const struct {
		const char *host, *says;
	} rows[] = {
	    {"ssh://admin@engine", "run the audit there"},
	    {"npipe:////./pipe/docker_engine", "should begin with unix://"},
	    {"https://engine", "should begin with unix://"},
	    {"engine:2375", "should begin with unix://"},
	    {"", "should begin with unix://"},
	    {"tcp://", "which host?"},
	    {"tcp://user:pw@engine", "should be tcp://HOST:PORT"},
	    {"tcp://engine?x", "should be tcp://HOST:PORT"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_refused(rows[i].host, rows[i].says);
}

static void
tls_is_what_the_environment_says(void **state)
{
	struct engine_target target = {0};
	struct err err = {0};

	(void)state;
	write_file(in_folder("ca.pem"), TEXT_LIT("x"), O_EXCL);
	write_file(in_folder("cert.pem"), TEXT_LIT("x"), O_EXCL);
	(void)setenv("DOCKER_HOST", "tcp://engine", 1);
	(void)setenv("DOCKER_CERT_PATH", "/nowhere", 1);
	assert_target(NULL, NULL, "http://engine:2375");
	(void)setenv("DOCKER_TLS_VERIFY", "1", 1);
	assert_target(NULL, NULL, "https://engine:2376");
	(void)setenv("DOCKER_CERT_PATH", folder, 1);
	assert_int_equal(engine_target_find(NULL, &target, &err), 0);
	assert_string_equal(target.ca, in_folder("ca.pem"));
	assert_string_equal(target.cert, in_folder("cert.pem"));
	assert_null(target.key);
	engine_target_free(&target);
	(void)unsetenv("DOCKER_CERT_PATH"); /* the client's own folder, then */
	assert_int_equal(engine_target_find("tcp://other", &target, &err), 0);
	assert_string_equal(target.ca, in_folder("ca.pem"));
	engine_target_free(&target);
}

/* Makes the context "prod" of `meta`. */
static void
make_context(const char *meta)
{
	char path[256];
	struct err err = {0};

	(void)snprintf(path, sizeof path, "contexts/meta/" PROD "/meta.json");
	assert_int_equal(file_make_parent(in_folder(path), 0700, &err), 0);
	write_file(in_folder(path), text_of(meta), O_TRUNC);
}

#define META(rest)                                                                       \
	"{\"Name\":\"prod\",\"Endpoints\":{\"docker\":{\"Host\":\"tcp://prod:1\"" rest   \
	"}}}"

static void
context_is_followed_unless_a_host_is_given(void **state)
{
	(void)state;
	make_context(META(",\"SkipTLSVerify\":false"));
	assert_target(NULL, "/var/run/docker.sock", "http://docker");
	write_file(in_folder("config.json"), TEXT_LIT("{\"currentContext\":\"prod\"}"),
	           O_TRUNC);
	assert_target(NULL, NULL, "http://prod:1");
	assert_target("tcp://other:2", NULL, "http://other:2");
	(void)setenv("DOCKER_CONTEXT", "default", 1);
	assert_target(NULL, "/var/run/docker.sock", "http://docker");
	(void)setenv("DOCKER_CONTEXT", "prod", 1);
	assert_target(NULL, NULL, "http://prod:1");
	(void)setenv("DOCKER_HOST", "tcp://third:3", 1);
	assert_target(NULL, NULL, "http://third:3");
}

static void
context_with_tls_files_uses_them(void **state)
{
	struct engine_target target = {0};
	struct err err = {0};
	const char *path = in_folder("contexts/tls/" PROD "/docker/ca.pem");

	(void)state;
	make_context(META(""));
	assert_int_equal(file_make_parent(path, 0700, &err), 0);
	write_file(path, TEXT_LIT("x"), O_EXCL);
	(void)setenv("DOCKER_CONTEXT", "prod", 1);
	assert_int_equal(engine_target_find(NULL, &target, &err), 0);
	assert_string_equal(target.url, "https://prod:1");
	assert_string_equal(target.ca, path);
	engine_target_free(&target);
}

static void
context_that_can_not_be_trusted_or_read_is_refused(void **state)
{
	(void)state;
	(void)setenv("DOCKER_CONTEXT", "prod", 1);
	assert_refused(NULL, "docker context prod: ");
	make_context(META(",\"SkipTLSVerify\":true"));
	assert_refused(NULL, "does not check certificates");
	make_context("{\"Name\":\"prod\"}");
	assert_refused(NULL, "no docker endpoint");
	make_context("{");
	assert_refused(NULL, "line 1: ");
	(void)unsetenv("DOCKER_CONTEXT");
	write_file(in_folder("config.json"), TEXT_LIT("{nonsense"), O_TRUNC);
	assert_refused(NULL, "config.json: line 1: ");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, remove_folder)
	const struct CMUnitTest tests[] = {
	    TEST(host_is_read_as_the_client_reads_it),
	    TEST(host_that_can_not_be_asked_is_refused),
	    TEST(tls_is_what_the_environment_says),
	    TEST(context_is_followed_unless_a_host_is_given),
	    TEST(context_with_tls_files_uses_them),
	    TEST(context_that_can_not_be_trusted_or_read_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
