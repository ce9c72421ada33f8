/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_seccomp_truth.c - what we say of a profile is what the kernel does with it.
 *
 * Each profile is compiled with libseccomp as runc does it (libcontainer/seccomp/
 * seccomp_linux.go), loaded in a child without privileges, and the weak calls are tried
 * with arguments that do no harm. Every errno of the profile is moved out of the kernel's
 * range, so that a filter's answer is never taken for the kernel's. What reached the
 * kernel must be among the calls that seccomp_profile_read() says are open.
 */
#include "core/seccomp.h"

#include "seccomp_runc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS_MAX = 64, TRIES = 7, NOBODY = 65534 };

/* Between parent and child; written without a system call. */
struct report {
	volatile int at;     /* the try that runs, CALLS_MAX * TRIES behind the last */
	volatile int loaded; /* the filter is in place */
	volatile int error[CALLS_MAX * TRIES]; /* 0: it succeeded */
};

/* Tries that a call gets: its arguments are all -1, 0 and 1. */
static int
tries_of(const char *name)
{
	return strcmp(name, "clone") == 0 ? TRIES : 3;
}

/* Arguments for the n-th try of a call. For clone it is one namespace flag each, with
   CLONE_THREAD, which without CLONE_SIGHAND the kernel refuses before it does anything. */
static long
argument(const char *name, int try)
{
	static const long flags[TRIES] = {CLONE_NEWNS,  CLONE_NEWCGROUP, CLONE_NEWUTS,
	                                  CLONE_NEWIPC, CLONE_NEWUSER,   CLONE_NEWPID,
	                                  CLONE_NEWNET};

	if (strcmp(name, "clone") == 0)
		return flags[try] | CLONE_THREAD;
	return try - 1;
}

/* The child must die of what kills it: cmocka handles these signals to go on testing. */
static void
let_signals_kill(void)
{
	static const int signals[] = {SIGILL, SIGSYS, SIGSEGV, SIGBUS, SIGFPE};

	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		(void)signal(signals[i], SIG_DFL);
}

static void
drop_privileges(void)
{
	struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)setsid();
	if (getuid() == 0 &&
	    (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
		abort();
}

/* Never returns: the filter may block every way to end but this one. */
static _Noreturn void
try_calls(scmp_filter_ctx filter, uint64_t wanted, struct report *report)
{
	int numbers[CALLS_MAX];

	for (size_t i = 0; i < seccomp_weak_calls_count; i++)
		numbers[i] = seccomp_syscall_resolve_name(seccomp_weak_calls[i]);
	let_signals_kill();
	drop_privileges();
	(void)alarm(
	    30); /* a filter that blocks every way to end must not leave us behind */
	if (seccomp_load(filter) != 0)
		_exit(1);
	report->loaded = 1;
	for (; report->at < (int)seccomp_weak_calls_count * TRIES; report->at++) {
		int at = report->at;
		long a = argument(seccomp_weak_calls[at / TRIES], at % TRIES);

		if (!(wanted >> at / TRIES & 1) ||
		    at % TRIES >= tries_of(seccomp_weak_calls[at / TRIES]))
			continue;
		report->error[at] = -1;
		errno = 0;
		if (syscall(numbers[at / TRIES], a, a, a, a, a, a) != -1)
			errno = 0;
		report->error[at] = errno;
	}
	__builtin_trap();
}

/* Those of the `wanted` calls that got to the kernel; -1 if the filter can't be loaded. */
static int
reached(scmp_filter_ctx filter, uint64_t wanted, struct report *report,
        uint64_t *ret_calls)
{
	const int end = (int)seccomp_weak_calls_count * TRIES;
	uint64_t calls = 0;

	memset(report, 0, sizeof *report);
	for (int i = 0; i < end; i++)
		report->error[i] = RUNC_ERRNO_BASE; /* as long as it wasn't tried */
	while (report->at < end) {
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0)
			try_calls(filter, wanted, report);
		assert_int_equal(waitpid(child, NULL, 0), child);
		if (!report->loaded)
			return -1;
		if (report->at < end) /* killed by the filter */
			report->error[report->at++] = RUNC_ERRNO_BASE;
	}
	for (int i = 0; i < end; i++) {
		if (report->error[i] < RUNC_ERRNO_BASE)
			calls |= UINT64_C(1) << i / TRIES;
	}
	*ret_calls = calls;
	return 0;
}

static uint64_t
bits_of(const struct seccomp_profile *profile)
{
	uint64_t bits = 0;

	for (size_t i = 0, j = 0; i < seccomp_weak_calls_count; i++) {
		if (j < profile->open_count &&
		    profile->open[j] == seccomp_weak_calls[i]) {
			bits |= UINT64_C(1) << i;
			j++;
		}
	}
	return bits;
}

/* The calls of `names` (NULL: all weak ones) that this machine has, as bits. */
static uint64_t
calls_here(const char *const *names)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < seccomp_weak_calls_count; i++) {
		const char *name = seccomp_weak_calls[i];
		bool wanted = !names;

		for (size_t n = 0; names && names[n]; n++)
			wanted = wanted || strcmp(names[n], name) == 0;
		if (wanted && seccomp_syscall_resolve_name(name) >= 0)
			bits |= UINT64_C(1) << i;
	}
	return bits;
}

static void
print_calls(const char *what, uint64_t calls)
{
	print_error("%s:", what);
	for (size_t i = 0; i < seccomp_weak_calls_count; i++) {
		if (calls >> i & 1)
			print_error(" %s", seccomp_weak_calls[i]);
	}
	print_error("\n");
}

/* How close our answer must be. */
enum check {
	SOUND,    /* nothing reaches the kernel that isn't open */
	REACHING, /* and something does */
	EXACT     /* and all that is open does, if this machine has the call */
};

/* Returns false if runtimes refuse the profile, so that there was nothing to compare. */
static bool
compare(const char *json, enum check check, uint64_t wanted, struct report *report)
{
	cleanup_arena struct arena arena = {0};
	struct seccomp_profile profile = {0};
	struct err err = {0};
	scmp_filter_ctx filter = runc_filter(json);
	uint64_t calls = 0, open;
	int result;

	if (!filter)
		return false;
	result = reached(filter, wanted, report, &calls);
	seccomp_release(filter);
	if (result != 0)
		return false;
	if (seccomp_profile_read(text_of(json), &arena, &profile, &err) != 0)
		fail_msg("%s: %s", json, err.text);
	open = bits_of(&profile);
	if ((calls & ~open) || (check == REACHING && calls == 0) ||
	    (check == EXACT && calls != (open & wanted))) {
		print_calls("we say", open);
		print_calls("the kernel says", calls);
		fail_msg("%s", json);
	}
	return true;
}

/* Skips the test under valgrind, which can't run behind a filter that blocks its calls. */
static struct report *
shared_report(void)
{
	const char *preload = getenv("LD_PRELOAD");
	struct report *report;

	if (preload && strstr(preload, "valgrind"))
		skip();
	report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE,
	              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(report != MAP_FAILED);
	return report;
}

#define ALLOW    "\"action\":\"SCMP_ACT_ALLOW\""
#define ERRNO    "\"action\":\"SCMP_ACT_ERRNO\""
#define DENYING  "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
#define ALLOWING "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
#define MASKED   "\"op\":\"SCMP_CMP_MASKED_EQ\",\"value\":2114060288"
#define NOT_S390 "\"excludes\":{\"arches\":[\"s390\",\"s390x\"]}"

#define CLONE(args)                                                                      \
	DENYING "{\"names\":[\"clone\"]," ALLOW ",\"args\":[" args "]," NOT_S390 "}]}"

static const struct {
	const char *json;
	enum check check;
} profiles[] = {
    {DENYING "]}", EXACT},
    {DENYING "{\"names\":[\"read\",\"mount\",\"nope\",\"MOUNT\"]," ALLOW "}]}", EXACT},
    {DENYING "{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_LOG\"},{\"names\":[\"acct\"],"
             "\"action\":\"SCMP_ACT_TRACE\"}]}",
     EXACT},
    {DENYING "{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_TRAP\"},{\"names\":[\"acct\"],"
             "\"action\":\"SCMP_ACT_KILL\"},{\"names\":[\"swapon\"],\"errnoRet\":0,"
             "\"action\":\"SCMP_ACT_ERRNO\"}]}",
     EXACT},
    {DENYING "{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"},"
             "{\"names\":[\"mount\"]," ALLOW "}]}",
     SOUND},
    {DENYING "{\"names\":[\"mount\"]," ALLOW "},{\"names\":[\"mount\"],\"action\":"
             "\"SCMP_ACT_TRAP\"}]}",
     EXACT},
    {DENYING "{\"names\":[\"mount\"]," ALLOW ",\"args\":[{\"index\":0,\"value\":1,"
             "\"op\":\"SCMP_CMP_EQ\"}]}]}",
     EXACT},
    {DENYING "{\"names\":[\"mount\"]," ALLOW ",\"args\":[{\"index\":0,\"value\":1,"
             "\"op\":\"SCMP_CMP_EQ\"},{\"index\":0,\"value\":2,\"op\":"
             "\"SCMP_CMP_EQ\"}]}]}",
     EXACT},
    {DENYING "{\"names\":[\"mount\"]," ALLOW ",\"args\":[{\"index\":0,\"value\":1,"
             "\"op\":\"SCMP_CMP_EQ\"},{\"index\":1,\"value\":2,\"op\":"
             "\"SCMP_CMP_EQ\"}]}]}",
     SOUND},
    {CLONE("{\"index\":0," MASKED "}"), EXACT},
    {CLONE("{\"index\":0," MASKED ",\"valueTwo\":268435456}"), EXACT},
    {CLONE("{\"index\":0," MASKED "},{\"index\":0,\"value\":0,\"op\":"
           "\"SCMP_CMP_GE\"}"),
     EXACT},
    {CLONE("{\"index\":0,\"op\":\"SCMP_CMP_MASKED_EQ\",\"value\":2080505856}"), EXACT},
    {CLONE("{\"index\":0,\"op\":\"SCMP_CMP_NE\",\"value\":2114060288}"), EXACT},
    {DENYING "{\"names\":[\"mount\"]," ALLOW ",\"includes\":{\"caps\":["
             "\"CAP_SYS_ADMIN\"]}}]}",
     EXACT},
    {DENYING "{\"names\":[\"mount\"]," ALLOW ",\"includes\":{\"caps\":[\"CAP_CHOWN\"],"
             "\"minKernel\":\"3.0\"}}]}",
     EXACT},
    {"{\"defaultAction\":\"SCMP_ACT_KILL\",\"syscalls\":[{\"names\":[\"keyctl\"]"
     "," ALLOW "}]}",
     EXACT},
    {"{\"defaultAction\":\"SCMP_ACT_TRACE\",\"syscalls\":[{\"names\":[\"keyctl\"]"
     "," ERRNO "}]}",
     REACHING},
    {ALLOWING "]}", EXACT},
    {ALLOWING "{\"names\":[\"mount\",\"nope\"]," ERRNO "}]}", EXACT},
    {ALLOWING "{\"names\":[\"mount\"]," ERRNO "},{\"names\":[\"mount\"],\"action\":"
              "\"SCMP_ACT_LOG\"}]}",
     REACHING},
    {ALLOWING "{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_LOG\"},{\"names\":"
              "[\"mount\"]," ERRNO "}]}",
     EXACT},
    {ALLOWING "{\"names\":[\"mount\"]," ERRNO ",\"args\":[{\"index\":0,\"value\":1,"
              "\"op\":\"SCMP_CMP_EQ\"}]}]}",
     EXACT},
    {ALLOWING "{\"names\":[\"mount\"]," ERRNO "},{\"names\":[\"mount\"]," ALLOW "}]}",
     EXACT},
};

static void
profiles_do_what_we_say(void **state)
{
	struct report *report = shared_report();

	(void)state;
	for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
		if (!compare(profiles[i].json, profiles[i].check, calls_here(NULL),
		             report))
			fail_msg("can't be loaded: %s", profiles[i].json);
	}
	(void)munmap(report, sizeof *report);
}

static void
defaults_of_engines_let_no_weak_call_reach_the_kernel(void **state)
{
	static const char *const files[] = {"tests/profiles/docker-20.10.json",
	                                    "tests/profiles/docker-26.1.json",
	                                    "tests/profiles/docker-28.5.json"};
	struct report *report = shared_report();

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char json[64 * 1024];
		FILE *file = fopen(files[i], "r");
		size_t len = file ? fread(json, 1, sizeof json - 1, file) : 0;

		assert_non_null(file);
		(void)fclose(file);
		json[len] = '\0';
		assert_true(compare(json, EXACT, calls_here(NULL), report));
	}
	(void)munmap(report, sizeof *report);
}

/* Actions, names, conditions and orders that nobody thought of. */
static void
random_profiles_let_through_only_what_we_say(void **state)
{
	static const char *const names[] = {"clone",  "mount",   "unshare",
	                                    "keyctl", "umount2", NULL};
	enum { PROFILES = 300, SEED = 4 };
	const uint64_t wanted = calls_here(names);
	struct report *report = shared_report();
	unsigned seed = SEED, loaded = 0;

	(void)state;
	for (int i = 0; i < PROFILES; i++) {
		cleanup_buf struct buf json = {0};

		runc_random_profile(&seed, &json);
		assert_true(buf_ok(&json));
		loaded += compare(json.at, SOUND, wanted, report);
	}
	assert_true(loaded > PROFILES / 2);
	(void)munmap(report, sizeof *report);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(profiles_do_what_we_say),
	    cmocka_unit_test(defaults_of_engines_let_no_weak_call_reach_the_kernel),
	    cmocka_unit_test(random_profiles_let_through_only_what_we_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
