/* SPDX-License-Identifier: Apache-2.0 */
/* test_seccomp_spec.c - profile JSON is read as LoadProfile reads it, or refused. */
#include "core/seccomp_spec.h"

#include "core/buf.h"
#include "core/seccomp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>

/* Abbreviations, so that a profile fits on a line. */
#define ALLOW   "\"action\":\"SCMP_ACT_ALLOW\""
#define DENYING "{\"defaultAction\":\"SCMP_ACT_ERRNO\","
#define CLONE(args, more)                                                                \
	DENYING "\"syscalls\":[{\"names\":[\"clone\"]," ALLOW ",\"args\":[" args         \
		"]" more "}]}"

static int
read_spec(const char *json)
{
	cleanup_arena struct arena arena = {0};
	struct seccomp_spec spec;
	struct err err = {0};
	int result = seccomp_spec_read(text_of(json), &arena, &spec, &err);

	assert_int_equal(result != 0, err.code != ERR_NONE);
	return result;
}

static void
what_no_engine_loads_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "[]",
	    "\"unconfined\"",
	    "0",
	    "true",
	    "{} x",
	    "{}{}",
	    "\xef\xbb\xbf{}",
	    "{\"defaultAction\":1}",
	    "{\"defaultAction\":\"ALLOW\"}",
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\\u0000\"}",
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultaction\":\"\"}",
	    "{\"syscalls\":[null]}",
	    "{\"syscalls\":{}}",
	    DENYING "\"syscalls\":[{\"names\":\"read\"," ALLOW "}]}",
	    DENYING "\"syscalls\":[{\"names\":[null]," ALLOW "}]}",
	    DENYING "\"syscalls\":[{\"names\":[\"read\"]}]}",
	    /* for libseccomp the name ends at the NUL */
	    DENYING "\"syscalls\":[{\"names\":[\"mount\\u0000x\"]," ALLOW "}]}",
	    DENYING "\"syscalls\":[{\"name\":\"mount\\u0000\"," ALLOW "}]}",
	    DENYING "\"syscalls\":[{\"name\":\"a\",\"names\":[\"b\"]," ALLOW "}]}",
	    DENYING "\"architectures\":[\"a\"],\"archMap\":[{}]}",
	    DENYING "\"defaultErrnoRet\":-1}",
	    DENYING "\"defaultErrnoRet\":\"1\"}",
	    DENYING "\"defaultErrnoRet\":1.0}",
	    DENYING "\"defaultErrnoRet\":18446744073709551616}",
	    CLONE("null", ""),
	    CLONE("{\"index\":0,\"value\":1}", ""),
	    CLONE("{\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}", ""),
	    CLONE("{\"index\":0,\"value\":1e3,\"op\":\"SCMP_CMP_EQ\"}", ""),
	    CLONE("{\"index\":0,\"value\":1,\"op\":\"EQ\"}", ""),
	    CLONE("", ",\"includes\":{\"minKernel\":\"4\"}"),
	    CLONE("", ",\"includes\":{\"minKernel\":\"4.8.1\"}"),
	    CLONE("", ",\"includes\":{\"minKernel\":\"0.0\"}"),
	    CLONE("", ",\"includes\":{\"minKernel\":\"256.0\"}"),
	    CLONE("", ",\"includes\":[]"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (read_spec(bad[i]) != -1)
			fail_msg("read: %s", bad[i]);
	}
}

static void
odd_values_that_engines_load_are_read(void **state)
{
	static const char *const good[] = {
	    DENYING "\"defaultErrnoRet\":18446744073709551615}",
	    CLONE("", ",\"includes\":{\"minKernel\":\"\"}"),
	    DENYING "\"syscalls\":[{\"name\":\"\",\"names\":[\"b\"]," ALLOW "}]}",
	    DENYING "\"syscalls\":[{\"names\":[\"\"]," ALLOW "}],\"x\":[null]}",
	    CLONE("{\"index\":5,\"value\":18446744073709551615,\"op\":\"SCMP_CMP_LE\"}",
	          ",\"includes\":null,\"excludes\":{\"minKernel\":\"255.0\"}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (read_spec(good[i]) != 0)
			fail_msg("refused: %s", good[i]);
	}
}

static void
each_weak_call_has_a_bit_of_its_own(void **state)
{
	uint64_t all = 0;

	(void)state;
	for (size_t i = 0; i < seccomp_weak_calls_count; i++) {
		struct text name = text_of(seccomp_weak_calls[i]);
		uint64_t bit = seccomp_call_bit(name);

		assert_true(bit == UINT64_C(1) << i);
		all |= bit;
		assert_true(i == 0 ||
		            strcmp(seccomp_weak_calls[i - 1], seccomp_weak_calls[i]) < 0);
		assert_true(seccomp_call_bit(text_first(name, name.len - 1)) != bit);
	}
	assert_true(all == seccomp_call_bits());
	assert_true(seccomp_call_bit(TEXT_LIT("")) == 0);
	assert_true(seccomp_call_bit(TEXT_LIT("read")) == 0);
	assert_true(seccomp_call_bit(TEXT_LIT("zmount")) == 0);
	assert_true(seccomp_call_bit(TEXT_LIT("_mount")) == 0);
}

/* Fails at every size of the arena up to the one that suffices, never with an answer. */
static void
too_little_memory_is_an_error(void **state)
{
	cleanup_buf struct buf json = {0};
	int result = -1;

	(void)state;
	buf_str(&json, DENYING "\"syscalls\":[");
	for (int i = 0; i < 300; i++)
		buf_printf(&json, "%s{\"names\":[\"mount\",\"read\"]," ALLOW "}",
		           i > 0 ? "," : "");
	buf_str(&json, "]}");
	for (size_t limit = 1024; result != 0; limit += ARENA_BLOCK) {
		cleanup_arena struct arena arena = {.limit = limit};
		struct seccomp_profile profile = {0};
		struct err err = {0};

		result = seccomp_profile_read(buf_text(&json), &arena, &profile, &err);
		assert_int_equal(err.code, result == 0 ? ERR_NONE : ERR_MEMORY);
		assert_int_equal(profile.posture,
		                 result == 0 ? POSTURE_WEAK : POSTURE_UNREADABLE);
		assert_true(limit < ARENA_LIMIT);
	}
}

static void
profiles_beyond_the_limits_are_refused(void **state)
{
	cleanup_buf struct buf json = {0}, large = {0};
	cleanup_arena struct arena arena = {0};
	struct seccomp_profile profile = {0};
	struct err err = {0};

	(void)state;
	buf_str(&json, "{\"syscalls\":[");
	for (int i = 0; i <= SECCOMP_RULES_MAX; i++)
		buf_printf(&json, "%s{" ALLOW "}", i > 0 ? "," : "");
	buf_str(&json, "]}");
	assert_int_equal(seccomp_profile_read(buf_text(&json), &arena, &profile, &err),
	                 -1);
	assert_int_equal(err.code, ERR_LIMIT);

	buf_str(&large, "{}");
	while (large.len <= SECCOMP_PROFILE_MAX)
		buf_str(&large,
		        "                                                        ");
	err = (struct err){0};
	assert_int_equal(seccomp_profile_read(buf_text(&large), &arena, &profile, &err),
	                 -1);
	assert_int_equal(err.code, ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_no_engine_loads_is_refused),
	    cmocka_unit_test(odd_values_that_engines_load_are_read),
	    cmocka_unit_test(each_weak_call_has_a_bit_of_its_own),
	    cmocka_unit_test(too_little_memory_is_an_error),
	    cmocka_unit_test(profiles_beyond_the_limits_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
