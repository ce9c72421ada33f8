/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_calls.c - the system calls that serving takes, and a filter that kills for others.
 *
 * The list is what traces of the judge under all its tests show after its start
 * (`make sandbox-audit` shows them again, with counts), and by review what those can't
 * show: calls that libc makes instead where a kernel or an architecture is another one,
 * and those of failures. A name that an architecture lacks costs nothing.
 *
 * What must not be here: execve, clone and clone3 (all threads run already), ptrace,
 * process_vm_*, io_uring_*, bpf, mount and its kin, memory that is executable, sockets
 * that are not local, signals to others.
 */
#include "edge/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

const struct sandbox_call sandbox_calls[] = {
    /* questions and answers */
    {"epoll_wait", "the loop of libmicrohttpd", SANDBOX_ALWAYS},
    {"epoll_pwait", "the same on arm64", SANDBOX_ALWAYS},
    {"epoll_ctl", "connections come and go", SANDBOX_ALWAYS},
    {"accept4", "connections", SANDBOX_ALWAYS},
    {"getsockname", "libmicrohttpd may ask what a socket is", SANDBOX_ALWAYS},
    {"getsockopt", "who asks (SO_PEERCRED)", SANDBOX_ALWAYS},
    {"setsockopt", "how long a log daemon is waited for", SANDBOX_ALWAYS},
    {"recvfrom", "questions", SANDBOX_ALWAYS},
    {"recvmsg", "questions over TLS", SANDBOX_ALWAYS},
    {"sendto", "answers, and READY=1 to the service manager", SANDBOX_ALWAYS},
    {"sendmsg", "answers, and the record to log daemons", SANDBOX_ALWAYS},
    {"shutdown", "the end of a connection", SANDBOX_ALWAYS},
    {"socket", "log daemons and the service manager, started anew", SANDBOX_UNIX},
    {"socketpair", "a question of the watchdog's", SANDBOX_UNIX},
    {"connect", "the same", SANDBOX_ALWAYS},
    {"bind", "our socket, made again when its folder was lost", SANDBOX_ALWAYS},
    {"listen", "the same", SANDBOX_ALWAYS},
    {"umask", "its mode", SANDBOX_ALWAYS},

    /* files: the record, the policy, the state folder */
    {"read", "policies, signals, timers", SANDBOX_ALWAYS},
    {"pread64", "the end of a record", SANDBOX_ALWAYS},
    {"write", "messages, the record on stdout, wake-ups of threads", SANDBOX_ALWAYS},
    {"writev", "the record, answers", SANDBOX_ALWAYS},
    {"close", "all of them", SANDBOX_ALWAYS},
    {"openat", "a policy, a new file of the record", SANDBOX_ALWAYS},
    {"lseek", "fclose(3), readdir(3)", SANDBOX_ALWAYS},
    {"fcntl", "flags, seals of a memory file", SANDBOX_ALWAYS},
    {"fstat", "sizes and owners", SANDBOX_ALWAYS},
    {"newfstatat", "the same, and of paths", SANDBOX_ALWAYS},
    {"stat", "libc before 2.33", SANDBOX_ALWAYS},
    {"lstat", "the same", SANDBOX_ALWAYS},
    {"statx", "where newfstatat is not", SANDBOX_ALWAYS},
    {"faccessat", "files of a rotation", SANDBOX_ALWAYS},
    {"faccessat2", "the same from Linux 5.8 on", SANDBOX_ALWAYS},
    {"getdents64", "our open files, for metrics", SANDBOX_ALWAYS},
    {"getcwd", "a policy with a relative path", SANDBOX_ALWAYS},
    {"readlink", "realpath(3) of a policy", SANDBOX_ALWAYS},
    {"readlinkat", "the same on arm64", SANDBOX_ALWAYS},
    {"flock", "one record has one writer", SANDBOX_ALWAYS},
    {"fchmod", "the record's mode, whatever the umask", SANDBOX_ALWAYS},
    {"ftruncate", "what a full disk left of a line", SANDBOX_ALWAYS},
    {"fdatasync", "the record", SANDBOX_ALWAYS},
    {"fsync", "folders, the last good policy", SANDBOX_ALWAYS},
    {"rename", "a rotation", SANDBOX_ALWAYS},
    {"renameat", "the last good policy", SANDBOX_ALWAYS},
    {"renameat2", "where the other two are not", SANDBOX_ALWAYS},
    {"unlink", "our socket, at the end", SANDBOX_ALWAYS},
    {"unlinkat", "the last good policy", SANDBOX_ALWAYS},
    {"mkdir", "a folder that was removed", SANDBOX_ALWAYS},
    {"mkdirat", "the same on arm64", SANDBOX_ALWAYS},
    {"memfd_create", "a long record for journald", SANDBOX_ALWAYS},
    {"inotify_init1", "a policy that is replaced", SANDBOX_ALWAYS},
    {"inotify_add_watch", "the same", SANDBOX_ALWAYS},
    {"inotify_rm_watch", "the same", SANDBOX_ALWAYS},

    /* waiting and time */
    {"poll", "signals, a log daemon that is slow", SANDBOX_ALWAYS},
    {"ppoll", "the same on arm64", SANDBOX_ALWAYS},
    {"futex", "threads wait for each other", SANDBOX_ALWAYS},
    {"timerfd_settime", "a record that takes too long", SANDBOX_ALWAYS},
    {"restart_syscall", "a wait after SIGSTOP and SIGCONT", SANDBOX_ALWAYS},
    {"clock_gettime", "a clock that the vDSO can't read", SANDBOX_ALWAYS},
    {"gettimeofday", "the same", SANDBOX_ALWAYS},
    {"time", "the same", SANDBOX_ALWAYS},
    {"sched_yield", "a short wait for the record", SANDBOX_ALWAYS},
    {"sched_getaffinity", "malloc(3) counts processors", SANDBOX_ALWAYS},

    /* memory */
    {"brk", "malloc(3)", SANDBOX_ALWAYS},
    {"mmap", "malloc(3)", SANDBOX_NO_EXEC},
    {"mprotect", "malloc(3) in threads", SANDBOX_NO_EXEC},
    {"munmap", "free(3)", SANDBOX_ALWAYS},
    {"mremap", "realloc(3)", SANDBOX_ALWAYS},
    {"madvise", "free(3), and the end of a thread", SANDBOX_ALWAYS},
    {"getrandom", "ids of decisions", SANDBOX_ALWAYS},

    /* ourselves */
    {"getpid", "syslog messages", SANDBOX_ALWAYS},
    {"gettid", "abort(3)", SANDBOX_ALWAYS},
    {"tgkill", "the same", SANDBOX_OURSELF},
    {"getuid", "whose a file is", SANDBOX_ALWAYS},
    {"geteuid", "the same", SANDBOX_ALWAYS},
    {"getrusage", "metrics", SANDBOX_ALWAYS},
    {"prlimit64", "metrics: how many files may be open", SANDBOX_NO_SET},
    {"getrlimit", "the same", SANDBOX_ALWAYS},
    {"rt_sigprocmask", "abort(3), and the end of a thread", SANDBOX_ALWAYS},
    {"rt_sigaction", "the same", SANDBOX_ALWAYS},
    {"rseq", "the first steps of a thread that was just started", SANDBOX_ALWAYS},
    {"set_robust_list", "the same", SANDBOX_ALWAYS},
    {"prctl", "the same: its name", SANDBOX_NAME},
    {"exit", "the end of a thread", SANDBOX_ALWAYS},
    {"exit_group", "the end", SANDBOX_ALWAYS},
};

const size_t sandbox_call_count = sizeof sandbox_calls / sizeof sandbox_calls[0];

/* What an argument must be; of SANDBOX_OURSELF, our process. */
static const struct scmp_arg_cmp conditions[] = {
    [SANDBOX_NO_EXEC] = {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0},
    [SANDBOX_NO_SET] = {2, SCMP_CMP_EQ, 0, 0},
    [SANDBOX_NAME] = {0, SCMP_CMP_EQ, PR_SET_NAME, 0},
    [SANDBOX_UNIX] = {0, SCMP_CMP_EQ, AF_UNIX, 0},
    [SANDBOX_OURSELF] = {0, SCMP_CMP_EQ, 0, 0},
};

static int
add(scmp_filter_ctx filter, int number, enum sandbox_condition condition)
{
	struct scmp_arg_cmp argument = conditions[condition];

	if (condition == SANDBOX_OURSELF)
		argument.datum_a = (scmp_datum_t)getpid();
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number,
	                              condition == SANDBOX_ALWAYS ? 0 : 1, &argument);
}

/* Returns how many calls were added, or -errno. */
static int
add_all(scmp_filter_ctx filter)
{
	int added = 0;

	for (size_t i = 0; i < sandbox_call_count; i++) {
		int number = seccomp_syscall_resolve_name(sandbox_calls[i].name);
		int failed;

		if (number == __NR_SCMP_ERROR) /* libseccomp is older than the call */
			continue;
		failed = add(filter, number, sandbox_calls[i].condition);
		if (failed)
			return failed;
		added++;
	}
	return added;
}

/* Another architecture's numbers are other calls; the filter would not hold. */
static int
set_attributes(scmp_filter_ctx filter)
{
	static const struct {
		enum scmp_filter_attr attribute;
		uint32_t value;
		bool needed;
	} rows[] = {
	    {SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS, true},
	    {SCMP_FLTATR_CTL_NNP, 1, true},
	    {SCMP_FLTATR_CTL_TSYNC, 1, true}, /* all threads */
	    {SCMP_FLTATR_CTL_OPTIMIZE, 2, false},
	    /* no slower memory for our sake: nothing here runs code of others */
	    {SCMP_FLTATR_CTL_SSB, 1, false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int failed = seccomp_attr_set(filter, rows[i].attribute, rows[i].value);

		if (failed && rows[i].needed)
			return failed;
	}
	return 0;
}

int
sandbox_restrict_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int added, failed;

	if (!filter) {
		errno = ENOMEM;
		return -1;
	}
	failed = set_attributes(filter);
	added = failed ? failed : add_all(filter);
	if (added > 0)
		failed = seccomp_load(filter);
	seccomp_release(filter);
	if (added > 0 && failed == 0)
		return added;
	errno = added < 0 ? -added : -failed;
	return -1;
}
