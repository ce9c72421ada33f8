/* SPDX-License-Identifier: Apache-2.0 */
/* test_seccomp_profile.c - profiles are judged by what they do, on all machines at once. */
#include "core/seccomp.h"

#include "core/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <stdio.h>

/* Abbreviations, so that a profile fits on a line. */
#define ALLOW    "\"action\":\"SCMP_ACT_ALLOW\""
#define ERRNO    "\"action\":\"SCMP_ACT_ERRNO\""
#define DENYING  "{\"defaultAction\":\"SCMP_ACT_ERRNO\","
#define ALLOWING "{\"defaultAction\":\"SCMP_ACT_ALLOW\","
#define MASK     "\"op\":\"SCMP_CMP_MASKED_EQ\",\"value\":2114060288"
#define NOT_S390 "\"excludes\":{\"arches\":[\"s390\",\"s390x\"]}"

enum { UNREADABLE = -1 };

/* A profile, its posture or UNREADABLE, and the calls that it opens, if they matter. */
struct row {
	const char *json;
	int posture;
	const char *open; /* "mount umount2"; NULL: not compared */
};

static bool
opens(const struct seccomp_profile *profile, const char *names)
{
	cleanup_buf struct buf open = {0};

	for (size_t i = 0; i < profile->open_count; i++)
		buf_printf(&open, "%s%s", i > 0 ? " " : "", profile->open[i]);
	return text_is(buf_text(&open), names);
}

static void
check_row(const struct row *row)
{
	cleanup_arena struct arena arena = {0};
	struct seccomp_profile profile = {0};
	struct err err = {0};
	int result = seccomp_profile_read(text_of(row->json), &arena, &profile, &err);

	if (result != 0 && row->posture != UNREADABLE)
		fail_msg("%s: %s", row->json, err.text);
	if (result == 0 && row->posture == UNREADABLE)
		fail_msg("%s: read as %s", row->json, posture_name(profile.posture));
	assert_int_equal(result != 0, err.code != ERR_NONE);
	if (result != 0)
		return;
	if ((int)profile.posture != row->posture)
		fail_msg("%s: %s", row->json, posture_name(profile.posture));
	if (row->open && !opens(&profile, row->open))
		fail_msg("%s: opens %zu others", row->json, profile.open_count);
}

static void
check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_row(&rows[i]);
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void
what_engines_load_as_no_filter_is_unconfined(void **state)
{
	static const struct row rows[] = {
	    {"{}", POSTURE_UNCONFINED, NULL},
	    {" \n{ } ", POSTURE_UNCONFINED, NULL},
	    {"null", POSTURE_UNCONFINED, NULL},
	    {"{\"foo\":1}", POSTURE_UNCONFINED, NULL},
	    {"{\"syscalls\":[]}", POSTURE_UNCONFINED, NULL},
	    {"{\"syscalls\":null}", POSTURE_UNCONFINED, NULL},
	    {"{\"defaultAction\":\"\"}", POSTURE_UNCONFINED, NULL},
	    {"{\"defaultAction\":null}", POSTURE_UNCONFINED, NULL},
	    {"{\"defaultErrnoRet\":1,\"flags\":[\"x\"]}", POSTURE_UNCONFINED, NULL},
	    {"{\"listenerPath\":\"/x\"}", POSTURE_UNCONFINED, NULL},
	    {"{\"architectures\":[\"a\"],\"archMap\":[{}]}", POSTURE_UNCONFINED, NULL},
	};

	(void)state;
	CHECK(rows);
}

static void
rules_that_can_all_fall_away_are_unconfined(void **state)
{
	static const struct row rows[] = {
	    {"{\"syscalls\":[{\"names\":[\"read\"]," ALLOW
	     ",\"includes\":{\"arches\":[\"nope\"]}}]}",
	     POSTURE_UNCONFINED, NULL},
	    {"{\"syscalls\":[{\"names\":[\"read\"]," ALLOW
	     ",\"excludes\":{\"caps\":[\"CAP_CHOWN\"]}}]}",
	     POSTURE_UNCONFINED, NULL},
	    {"{\"syscalls\":[{\"name\":\"read\"," ALLOW
	     ",\"includes\":{\"minKernel\":\"4.8\"}}]}",
	     POSTURE_UNCONFINED, NULL},
	    {"{\"syscalls\":[{\"names\":[]," ALLOW "}]}", POSTURE_UNCONFINED, NULL},
	    {"{\"syscalls\":[{\"names\":[\"no_such_call\"]," ALLOW "}]}",
	     POSTURE_UNCONFINED, NULL},
	    {"{\"syscalls\":[{\"names\":[\"read\"]," ALLOW "}]}", UNREADABLE, NULL},
	    {"{\"syscalls\":[{\"names\":[\"read\"]," ALLOW
	     ",\"includes\":{},\"excludes\":{\"caps\":[]}}]}",
	     UNREADABLE, NULL},
	};

	(void)state;
	CHECK(rows);
}

static void
a_default_that_lets_through_and_blocks_nothing_surely_is_permissive(void **state)
{
	static const struct row rows[] = {
	    {"{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", POSTURE_PERMISSIVE, NULL},
	    {"{\"DEFAULTACTION\":\"SCMP_ACT_LOG\"}", POSTURE_PERMISSIVE, NULL},
	    {"{\"defaultAction\":\"SCMP_ACT_TRACE\"}", POSTURE_PERMISSIVE, NULL},
	    {"{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", POSTURE_PERMISSIVE, NULL},
	    {ALLOWING "\"syscalls\":[]}", POSTURE_PERMISSIVE, NULL},
	    {ALLOWING "\"syscalls\":[{\"names\":[\"mount\"]," ALLOW "}]}",
	     POSTURE_PERMISSIVE, NULL},
	    {ALLOWING "\"syscalls\":[{\"names\":[\"quotactl_fd\"]," ERRNO "}]}",
	     POSTURE_PERMISSIVE, NULL},
	    {ALLOWING "\"syscalls\":[{\"names\":[\"no_such_call\",\"MOUNT\"]," ERRNO
	              "}]}",
	     POSTURE_PERMISSIVE, NULL},
	    {ALLOWING "\"syscalls\":[{\"names\":[\"mount\"]," ERRNO
	              ",\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}]}",
	     POSTURE_PERMISSIVE, NULL},
	    {ALLOWING "\"syscalls\":[{\"names\":[\"mount\"]," ERRNO
	              ",\"includes\":{\"arches\":[\"amd64\"]}}]}",
	     POSTURE_PERMISSIVE, NULL},
	    {ALLOWING "\"syscalls\":[{\"names\":[\"mount\"]," ERRNO
	              "},{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_LOG\"}]}",
	     POSTURE_PERMISSIVE, NULL},
	    {ALLOWING
	     "\"syscalls\":[{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_NOTIFY\"}"
	     "]}",
	     POSTURE_PERMISSIVE, NULL},
	};

	(void)state;
	CHECK(rows);
}

static void
a_denylist_is_weak(void **state)
{
	static const struct row rows[] = {
	    {ALLOWING "\"architectures\":[\"SCMP_ARCH_X86_64\"],\"syscalls\":[{\"names\":"
	              "[\"mkdirat\",\"mkdir\"]," ERRNO "}]}",
	     POSTURE_WEAK, NULL},
	    {ALLOWING "\"syscalls\":[{\"names\":[\"mount\"]," ERRNO
	              "},{\"names\":[\"ptrace\"],\"action\":\"SCMP_ACT_LOG\"}]}",
	     POSTURE_WEAK, NULL},
	    {ALLOWING
	     "\"syscalls\":[{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_KILL\"},"
	     "{\"names\":[\"mount\"]," ALLOW "}]}",
	     POSTURE_WEAK, NULL},
	};

	(void)state;
	CHECK(rows);
}

/* A denylist of every weak call still depends on a library that knows them all. */
static void
a_denylist_of_all_weak_calls_is_weak(void **state)
{
	cleanup_buf struct buf json = {0};
	struct row row = {.posture = POSTURE_WEAK,
	                  .open = "mount_setattr open_tree_attr quotactl_fd "
	                          "set_mempolicy_home_node"};

	(void)state;
	buf_str(&json, ALLOWING "\"syscalls\":[{" ERRNO ",\"names\":[\"read\"");
	for (size_t i = 0; i < seccomp_weak_calls_count; i++)
		buf_printf(&json, ",\"%s\"", seccomp_weak_calls[i]);
	buf_str(&json, "]}]}");
	row.json = json.at;
	check_row(&row);
}

static void
an_allow_list_is_weak_for_each_weak_call_that_it_opens(void **state)
{
	(void)state;
	for (size_t i = 0; i < seccomp_weak_calls_count; i++) {
		cleanup_buf struct buf json = {0};
		struct row row = {.posture = POSTURE_WEAK, .open = seccomp_weak_calls[i]};

		buf_printf(&json,
		           DENYING "\"syscalls\":[{\"names\":[\"read\",\"%s\"]," ALLOW
		                   "}]}",
		           row.open);
		row.json = json.at;
		check_row(&row);
	}
}

static void
any_condition_on_an_allow_rule_counts_as_met(void **state)
{
	static const struct row rows[] = {
	    {DENYING "\"syscalls\":[{\"names\":[\"read\",\"write\"]," ALLOW "}]}",
	     POSTURE_CUSTOM, ""},
	    {DENYING "\"syscalls\":[{\"names\":[\"mount\"]," ALLOW
	             ",\"includes\":{\"arches\":[\"nope\"]}}]}",
	     POSTURE_WEAK, "mount"},
	    {DENYING "\"syscalls\":[{\"names\":[\"mount\"]," ALLOW
	             ",\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}}]}",
	     POSTURE_WEAK, "mount"},
	    {DENYING "\"syscalls\":[{\"names\":[\"bpf\"]," ALLOW
	             ",\"args\":[{\"index\":0,\"value\":77,\"op\":\"SCMP_CMP_EQ\"}]}]}",
	     POSTURE_WEAK, "bpf"},
	    {DENYING "\"syscalls\":[{\"names\":[\"keyctl\"],\"action\":\"SCMP_ACT_LOG\"},"
	             "{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_TRACE\"},"
	             "{\"names\":[\"acct\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}",
	     POSTURE_WEAK, "acct bpf keyctl"},
	    {DENYING "\"syscalls\":[{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_KILL\"},"
	             "{\"names\":[\"mount\"]," ALLOW "}]}",
	     POSTURE_WEAK, "mount"},
	    {DENYING "\"syscalls\":[{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_TRAP\","
	             "\"errnoRet\":0}]}",
	     POSTURE_CUSTOM, ""},
	    {"{\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\",\"syscalls\":[{\"\\u006eame\":"
	     "\"m\\u006funt\"," ALLOW "}]}",
	     POSTURE_WEAK, "mount"},
	};

	(void)state;
	CHECK(rows);
}

static void
a_required_capability_excuses_what_it_opens_in_the_default(void **state)
{
	static const struct row rows[] = {
	    {DENYING "\"syscalls\":[{\"names\":[\"mount\",\"clone\",\"clone3\"]," ALLOW
	             ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}}]}",
	     POSTURE_CUSTOM, ""},
	    {DENYING "\"syscalls\":[{\"names\":[\"acct\",\"mount\"]," ALLOW
	             ",\"includes\":{\"caps\":[\"CAP_CHOWN\",\"CAP_SYS_PACCT\"]}}]}",
	     POSTURE_WEAK, "mount"},
	    {DENYING "\"syscalls\":[{\"names\":[\"keyctl\"]," ALLOW
	             ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}}]}",
	     POSTURE_WEAK, "keyctl"},
	    {DENYING "\"syscalls\":[{\"names\":[\"mount\"]," ALLOW
	             ",\"includes\":{\"caps\":[\"cap_sys_admin\"]}}]}",
	     POSTURE_WEAK, "mount"},
	    {DENYING
	     "\"syscalls\":[{\"names\":[\"bpf\",\"perf_event_open\"]," ALLOW
	     ",\"includes\":{\"caps\":[\"CAP_BPF\"]},\"excludes\":{\"caps\":[\"x\"]}"
	     "}]}",
	     POSTURE_WEAK, "perf_event_open"},
	};

	(void)state;
	CHECK(rows);
}

/* An allow rule for clone: its arguments and its conditions. */
#define CLONE(args, more)                                                                \
	DENYING "\"syscalls\":[{\"names\":[\"clone\"]," ALLOW ",\"args\":[" args         \
		"]" more "}]}"

static void
clone_is_weak_unless_a_condition_excludes_every_namespace(void **state)
{
	static const struct row rows[] = {
	    {CLONE("{\"index\":0," MASK "}", "," NOT_S390), POSTURE_CUSTOM, ""},
	    {CLONE("{\"index\":0,\"valueTwo\":0," MASK "}",
	           ",\"includes\":{\"arches\":[\"amd64\"]}"),
	     POSTURE_CUSTOM, ""},
	    {CLONE("{\"index\":1," MASK "}",
	           ",\"includes\":{\"arches\":[\"s390\",\"s390x\"]}"),
	     POSTURE_CUSTOM, ""},
	    /* on s390 the first argument is the stack */
	    {CLONE("{\"index\":0," MASK "}", ""), POSTURE_WEAK, "clone"},
	    {CLONE("{\"index\":1," MASK "}", ""), POSTURE_WEAK, "clone"},
	    {CLONE("{\"index\":1," MASK "}",
	           ",\"includes\":{\"arches\":[\"s390x\",\"amd64\"]}"),
	     POSTURE_WEAK, "clone"},
	    {CLONE("", ""), POSTURE_WEAK, "clone"},
	    {CLONE("{\"index\":2," MASK "}", "," NOT_S390), POSTURE_WEAK, "clone"},
	    {CLONE("{\"index\":0,\"valueTwo\":268435456," MASK "}", "," NOT_S390),
	     POSTURE_WEAK, "clone"},
	    {CLONE("{\"index\":0,\"op\":\"SCMP_CMP_MASKED_EQ\",\"value\":2080505856}",
	           "," NOT_S390),
	     POSTURE_WEAK, "clone"},
	    {CLONE("{\"index\":0,\"op\":\"SCMP_CMP_NE\",\"value\":2114060288}",
	           "," NOT_S390),
	     POSTURE_WEAK, "clone"},
	    /* two conditions on one argument are two rules for runtimes */
	    {CLONE("{\"index\":0," MASK "},{\"index\":0,\"value\":1,\"op\":"
	           "\"SCMP_CMP_GT\"}",
	           "," NOT_S390),
	     POSTURE_WEAK, "clone"},
	    /* no s390 machine starts this one */
	    {DENYING "\"architectures\":[\"SCMP_ARCH_X86_64\"],\"syscalls\":[{\"names\":"
	             "[\"clone\"]," ALLOW ",\"args\":[{\"index\":0," MASK "}]}]}",
	     POSTURE_CUSTOM, ""},
	    {DENYING "\"architectures\":[\"SCMP_ARCH_S390X\"],\"syscalls\":[{\"names\":"
	             "[\"clone\"]," ALLOW ",\"args\":[{\"index\":0," MASK "}]}]}",
	     POSTURE_WEAK, "clone"},
	};

	(void)state;
	CHECK(rows);
}

static void
the_defaults_of_engines_are_custom(void **state)
{
	static const char *const files[] = {"tests/profiles/docker-20.10.json",
	                                    "tests/profiles/docker-26.1.json",
	                                    "tests/profiles/docker-28.5.json"};

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char json[64 * 1024];
		FILE *file = fopen(files[i], "r");
		size_t len = file ? fread(json, 1, sizeof json - 1, file) : 0;

		assert_non_null(file);
		(void)fclose(file);
		json[len] = '\0';
		check_row(&(struct row){json, POSTURE_CUSTOM, ""});
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_engines_load_as_no_filter_is_unconfined),
	    cmocka_unit_test(rules_that_can_all_fall_away_are_unconfined),
	    cmocka_unit_test(
		a_default_that_lets_through_and_blocks_nothing_surely_is_permissive),
	    cmocka_unit_test(a_denylist_is_weak),
	    cmocka_unit_test(a_denylist_of_all_weak_calls_is_weak),
	    cmocka_unit_test(an_allow_list_is_weak_for_each_weak_call_that_it_opens),
	    cmocka_unit_test(any_condition_on_an_allow_rule_counts_as_met),
	    cmocka_unit_test(a_required_capability_excuses_what_it_opens_in_the_default),
	    cmocka_unit_test(clone_is_weak_unless_a_condition_excludes_every_namespace),
	    cmocka_unit_test(the_defaults_of_engines_are_custom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
