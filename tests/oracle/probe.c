/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.c - says from inside a container what its seccomp filter lets through.
 *
 * For each call that Docker's default blocks, by its 64 and its 32 bit number:
 *  - stacked: under a filter of our own on top that answers SECCOMP_RET_TRACE, which ranks
 *    below every answer that blocks and above those that let through (seccomp(2)). Nobody
 *    traces, so a call that the container's filter lets through ends as ENOSYS and never
 *    reaches the kernel: capabilities and arguments don't matter, and nothing happens.
 *  - plain: with arguments that the kernel refuses, whoever asks. Tells a filter that
 *    answers ENOSYS itself from one that lets through.
 * Output: "Seccomp: MODE" and for each call "NAME STACKED64 PLAIN64 STACKED32 PLAIN32",
 * each an errno, 0, "killed", or "-" for not to be had. "done" closes it.
 */
#include "probe_calls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the numbers are those of x86-64"
#endif

#define NAMESPACES                                                                       \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |   \
	 CLONE_NEWPID | CLONE_NEWNET)

enum { NOT_HAD = -1, KILLED = -2 };

enum { CALLS = sizeof calls / sizeof calls[0] };

/* Rules can look at arguments; each pattern fills all six. */
static const long patterns[] = {
    0,         1,         2,         8,          99,         ALL,        0x20000,
    0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
};

enum { PATTERNS = sizeof patterns / sizeof patterns[0] };

/* What the children find out; shared with them. */
struct findings {
	unsigned next; /* the first pattern that was not tried */
	int stacked[ABI_COUNT][CALLS][PATTERNS];
	int plain[ABI_COUNT][CALLS];
};

static int
call_64(int number, const long *arg)
{
	register long r10 __asm__("r10") = arg[3];
	register long r8 __asm__("r8") = arg[4];
	register long r9 __asm__("r9") = arg[5];
	long result;

	__asm__ volatile("syscall"
	                 : "=a"(result)
	                 : "a"((long)number), "D"(arg[0]), "S"(arg[1]), "d"(arg[2]),
	                   "r"(r10), "r"(r8), "r"(r9)
	                 : "rcx", "r11", "memory");
	return result < 0 ? (int)-result : 0;
}

static int
call_32(int number, const long *arg)
{
	register long ebp_value __asm__("r12") = (int)arg[5];
	long result;

	__asm__ volatile("push %%rbp\n\tmov %%r12, %%rbp\n\tint $0x80\n\tpop %%rbp"
	                 : "=a"(result)
	                 : "a"((long)number), "b"((long)(int)arg[0]),
	                   "c"((long)(int)arg[1]), "d"((long)(int)arg[2]),
	                   "S"((long)(int)arg[3]), "D"((long)(int)arg[4]), "r"(ebp_value)
	                 : "r8", "r9", "r10", "r11", "memory");
	return (int)result < 0 && (int)result > -4096 ? -(int)result : 0;
}

static int
call(int abi, int number, const long *arg)
{
	return abi == ABI_64 ? call_64(number, arg) : call_32(number, arg);
}

static struct sock_filter
statement(unsigned code, size_t value)
{
	return (struct sock_filter)BPF_STMT((unsigned short)code, (unsigned)value);
}

static struct sock_filter
jump(unsigned test, unsigned value, unsigned yes, unsigned no)
{
	return (struct sock_filter){.code = (unsigned short)(BPF_JMP | BPF_K | test),
	                            .jt = (unsigned char)yes,
	                            .jf = (unsigned char)no,
	                            .k = value};
}

#define LOAD(field)                                                                      \
	statement(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(answer) statement(BPF_RET | BPF_K, (answer))

static size_t
add_abi(struct sock_filter *code, size_t len, int abi)
{
	code[len++] = LOAD(nr);
	for (size_t i = 0; i < CALLS; i++) {
		bool clone = strcmp(calls[i].name, "clone") == 0;

		if (calls[i].number[abi] == NONE)
			continue;
		code[len++] =
		    jump(BPF_JEQ, (unsigned)calls[i].number[abi], 0, clone ? 4 : 1);
		if (clone) { /* others are how processes are made */
			code[len++] = LOAD(args[0]);
			code[len++] = jump(BPF_JSET, NAMESPACES, 1, 0);
			code[len++] = ANSWER(SECCOMP_RET_ALLOW);
		}
		code[len++] = ANSWER(SECCOMP_RET_TRACE);
	}
	code[len++] = ANSWER(SECCOMP_RET_ALLOW);
	return len;
}

/* Puts our filter on top. False: the container's filter doesn't let us. */
static bool
stack_filter(void)
{
	static struct sock_filter code[2 * (CALLS * 2 + 8) + 16];
	struct sock_fprog program = {.filter = code};
	size_t wide = 2, len = wide + 1;

	code[0] = LOAD(arch);
	code[1] = jump(BPF_JEQ, AUDIT_ARCH_I386, 0, 1);
	len = add_abi(code, len, ABI_64);
	code[wide] = statement(BPF_JMP | BPF_JA, len - wide - 1);
	len = add_abi(code, len, ABI_32);
	program.len = (unsigned short)len;
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ||
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

static int *
slot(struct findings *found, unsigned n)
{
	return &found
	            ->stacked[n / (CALLS * PATTERNS)][n / PATTERNS % CALLS][n % PATTERNS];
}

/* All that is left to try; each may be the last. */
static void
try_stacked(struct findings *found, unsigned end)
{
	for (; found->next < end; found->next++) {
		unsigned n = found->next;
		const struct call *row = &calls[n / PATTERNS % CALLS];
		int abi = (int)(n / (CALLS * PATTERNS));
		long value = patterns[n % PATTERNS];
		long arg[6] = {value, value, value, value, value, value};

		if (row->number[abi] == NONE ||
		    (strcmp(row->name, "clone") == 0 && !(value & NAMESPACES)))
			continue;
		*slot(found, n) = KILLED;
		*slot(found, n) = call(abi, row->number[abi], arg);
	}
}

static void
run_stacked(struct findings *found, unsigned end)
{
	while (found->next < end) {
		pid_t child = fork();
		int status = 0;

		if (child == 0) {
			alarm(5);
			if (!stack_filter())
				_exit(2);
			try_stacked(found, end);
			_exit(0);
		}
		if (child < 0 || waitpid(child, &status, 0) != child ||
		    (WIFEXITED(status) && WEXITSTATUS(status) == 2))
			return;
		if (!WIFEXITED(status))
			found->next++;
	}
}

static void
run_plain(struct findings *found, int abi, unsigned i)
{
	pid_t child;

	if (calls[i].number[abi] == NONE)
		return;
	child = fork();
	if (child == 0) {
		(void)setsid(); /* vhangup would end our output */
		alarm(2);
		found->plain[abi][i] = KILLED;
		found->plain[abi][i] = call(abi, calls[i].number[abi], calls[i].refused);
		_exit(0);
	}
	if (child > 0)
		(void)waitpid(child, NULL, 0);
}

/* Where the filter lets no process be made: all in this one, and nobody to tell if it is
   killed at it. */
static void
run_here(struct findings *found, unsigned end)
{
	for (int abi = 0; abi < ABI_COUNT && end > (unsigned)abi * CALLS * PATTERNS;
	     abi++) {
		for (unsigned i = 0; i < CALLS; i++) {
			if (calls[i].number[abi] != NONE &&
			    strcmp(calls[i].name, "vhangup") != 0)
				found->plain[abi][i] =
				    call(abi, calls[i].number[abi], calls[i].refused);
		}
	}
	if (stack_filter())
		try_stacked(found, end);
}

static bool
can_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child > 0 && waitpid(child, NULL, 0) == child;
}

/* Does this kernel take 32 bit calls of a 64 bit process, and the filter too? */
static bool
has_32(void)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		static const long none[6];

		_exit(call_32(20 /* getpid */, none) == 0 ? 0 : 1);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* One answer for all patterns: ENOSYS, "through", if any has it. */
static int
worst(const int *tried)
{
	int answer = NOT_HAD;

	for (size_t i = 0; i < PATTERNS; i++) {
		if (tried[i] == ENOSYS)
			return ENOSYS;
		if (tried[i] != NOT_HAD)
			answer = tried[i];
	}
	return answer;
}

static void
show(int answer)
{
	if (answer == NOT_HAD)
		printf(" -");
	else if (answer == KILLED)
		printf(" killed");
	else
		printf(" %d", answer);
}

static void
show_mode(void)
{
	char line[256];
	FILE *status = fopen("/proc/self/status", "r");

	while (status && fgets(line, sizeof line, status)) {
		if (strncmp(line, "Seccomp:", 8) == 0)
			printf("Seccomp: %d\n", atoi(line + 8));
	}
	if (status)
		fclose(status);
}

static void
run_all(struct findings *found)
{
	unsigned end = CALLS * PATTERNS * (has_32() ? ABI_COUNT : 1);

	if (!can_fork()) {
		run_here(found, end);
		return;
	}
	run_stacked(found, end);
	for (unsigned i = 0; i < CALLS; i++) {
		for (int abi = 0; abi < ABI_COUNT; abi++) {
			int answer = worst(found->stacked[abi][i]);

			if ((answer == ENOSYS || answer == NOT_HAD) &&
			    (abi == ABI_64 || end > CALLS * PATTERNS))
				run_plain(found, abi, i);
		}
	}
}

int
main(void)
{
	const struct rlimit no_core = {0};
	struct findings *found = mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE,
	                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	show_mode();
	fflush(stdout);
	if (found == MAP_FAILED)
		return 1;
	(void)setrlimit(RLIMIT_CORE, &no_core);
	memset(found, 0xff, sizeof *found); /* NOT_HAD */
	found->next = 0;
	run_all(found);
	for (unsigned i = 0; i < CALLS; i++) {
		printf("%s", calls[i].name);
		for (int abi = 0; abi < ABI_COUNT; abi++) {
			show(worst(found->stacked[abi][i]));
			show(found->plain[abi][i]);
		}
		putchar('\n');
	}
	printf("done\n");
	return fflush(stdout) == 0 ? 0 : 1;
}
