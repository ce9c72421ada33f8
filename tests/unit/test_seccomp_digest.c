/* SPDX-License-Identifier: Apache-2.0 */
/* test_seccomp_digest.c - all spellings of a profile, and no others, share a digest. */
#include "core/seccomp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>

static void
digest_of(const char *json, char digest[72])
{
	cleanup_arena struct arena arena = {0};
	struct err err = {0};

	if (seccomp_profile_digest(text_of(json), &arena, digest, &err) != 0)
		fail_msg("%s: %s", json, err.text);
}

static const char plain[] =
    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\",\"write\","
    "\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":1,"
    "\"valueTwo\":2,\"op\":\"SCMP_CMP_MASKED_EQ\"}],\"includes\":{\"caps\":[\"A\"],"
    "\"minKernel\":\"4.8\"}},{\"names\":[\"exit\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";

static void
spelling_makes_no_difference(void **state)
{
	static const char *const same[] = {
	    /* white space, order of keys and names, folded and escaped keys */
	    " {\n\"syscalls\" : [ "
	    "{\"ACTION\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":"
	    "\"04.8\",\"caps\":[\"\\u0041\"]},\"name\\u0073\":[\"write\",\"clone\","
	    "\"read\"],\"args\":[{\"op\":\"SCMP_CMP_MASKED_EQ\",\"valuetwo\":2,\"value\":"
	    "1,"
	    "\"index\":0}]},{\"name\":\"exit\",\"action\":\"SCMP_ACT_ALLOW\"}],"
	    "\"defaultaction\":\"SCMP_ACT_ERRNO\"}\n",
	    /* what says nothing: null, empty lists and objects, comments, unknown keys */
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":null,\"flags\":[],"
	    "\"architectures\":null,\"archMap\":[],\"listenerPath\":\"\",\"x\":[{}],"
	    "\"syscalls\":[{\"names\":[\"clone\",\"read\",\"write\"],\"comment\":\"why\","
	    "\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":null,\"value\":1,"
	    "\"valueTwo\":2,\"op\":\"SCMP_CMP_MASKED_EQ\"}],\"excludes\":{},\"includes\":"
	    "{"
	    "\"caps\":[\"A\"],\"arches\":[],\"minKernel\":\"4.8\"}},{\"names\":[\"exit\"]"
	    ","
	    "\"errnoRet\":null,\"name\":\"\",\"args\":null,\"action\":\"SCMP_ACT_ALLOW\"}"
	    "]}",
	};
	char expected[72], digest[72];

	(void)state;
	digest_of(plain, expected);
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		digest_of(same[i], digest);
		assert_string_equal(digest, expected);
	}
}

#define RULES(rules) "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[" rules "]}"
#define RULE(more)   RULES("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"" more "}")
#define ARG(inner)   RULE(",\"args\":[{\"op\":\"SCMP_CMP_EQ\"," inner "}]")

static void
whatever_an_engine_acts_on_makes_a_difference(void **state)
{
	static const char *const different[] = {
	    "{}",
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\"}",
	    "{\"defaultAction\":\"SCMP_ACT_KILL\"}",
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":0}",
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1}",
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"flags\":[\"a\"]}",
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"a\"]}",
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"a\",\"b\"]}",
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"ab\"]}",
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"archMap\":[{\"architecture\":\"a\"}]"
	    "}",
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"archMap\":[{\"subArchitectures\":["
	    "\"a\"]"
	    "}]}",
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"listenerPath\":\"a\"}",
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"listenerMetadata\":\"a\"}",
	    RULE(""),
	    RULES("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_LOG\"}"),
	    RULES("{\"names\":[\"write\"],\"action\":\"SCMP_ACT_LOG\"}"),
	    RULES("{\"names\":[\"read\",\"write\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
	    RULES("{\"names\":[\"readwrite\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
	    RULES("{\"names\":[],\"action\":\"SCMP_ACT_ALLOW\"}"),
	    RULES("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},{\"names\":["
	          "\"write\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
	    RULES("{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ALLOW\"},{\"names\":["
	          "\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
	    RULE(",\"errnoRet\":0"),
	    RULE(",\"errnoRet\":38"),
	    ARG("\"index\":0"),
	    ARG("\"index\":1"),
	    ARG("\"value\":1"),
	    ARG("\"valueTwo\":1"),
	    RULE(",\"args\":[{\"op\":\"SCMP_CMP_NE\"}]"),
	    RULE(",\"includes\":{\"caps\":[\"a\"]}"),
	    RULE(",\"excludes\":{\"caps\":[\"a\"]}"),
	    RULE(",\"includes\":{\"arches\":[\"a\"]}"),
	    RULE(",\"excludes\":{\"arches\":[\"a\"]}"),
	    RULE(",\"includes\":{\"minKernel\":\"4.8\"}"),
	    RULE(",\"includes\":{\"minKernel\":\"4.9\"}"),
	    RULE(",\"includes\":{\"minKernel\":\"5.8\"}"),
	    RULE(",\"includes\":{\"minKernel\":\"\"}"),
	    RULE(",\"excludes\":{\"minKernel\":\"4.8\"}"),
	};
	enum { COUNT = sizeof different / sizeof different[0] };
	char digests[COUNT][72];

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		digest_of(different[i], digests[i]);
		for (size_t j = 0; j < i; j++) {
			if (strcmp(digests[i], digests[j]) == 0)
				fail_msg("same: %s\n%s", different[i], different[j]);
		}
	}
}

/* Policies hold digests: the canonical form may never change. */
static void
digests_stay_what_they_are(void **state)
{
	char digest[72], other[72];

	(void)state;
	digest_of("{}", digest);
	assert_string_equal(digest,
	                    "sha256:b680245c928ae39c4e77b274f6073b076eb4499735f44679"
	                    "c3efe4b4238b3c9d");
	digest_of("null", other);
	assert_string_equal(other, digest);
	digest_of(
	    "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdirat\","
	    "\"mkdir\"],\"action\":\"SCMP_ACT_ERRNO\"}]}",
	    digest);
	assert_string_equal(digest, "sha256:ff83468a25188230d1459988f057bafdd"
	                            "5b015f6165c2b402fe04f91d2bafe04");
}

static void
what_is_no_profile_has_no_digest(void **state)
{
	static const char *const bad[] = {"", "[]", "{", "{\"syscalls\":[null]}",
	                                  "{\"defaultAction\":\"a\"}"};
	char digest[72] = "untouched";

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		cleanup_arena struct arena arena = {0};
		struct err err = {0};

		assert_int_equal(
		    seccomp_profile_digest(text_of(bad[i]), &arena, digest, &err), -1);
		assert_true(err.code != ERR_NONE);
		assert_string_equal(digest, "untouched");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(spelling_makes_no_difference),
	    cmocka_unit_test(whatever_an_engine_acts_on_makes_a_difference),
	    cmocka_unit_test(digests_stay_what_they_are),
	    cmocka_unit_test(what_is_no_profile_has_no_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
