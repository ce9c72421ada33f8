/* SPDX-License-Identifier: Apache-2.0 */
/* test_sandbox.c - tests edge/sandbox.h: each in a child that enters it and tries. */
#include "edge/sandbox.h"
#include "temporary.h"

#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { GOOD = 0, BAD = 20 }; /* how a child exits; more than BAD: the number of a step */

/* Sanitizers and valgrind make calls that the filter kills for. */
static void
skip_where_others_make_calls(void)
{
	const char *preload = getenv("LD_PRELOAD");

#ifdef SANDBOX_OFF
	preload = "vgpreload";
#endif
	if (preload && strstr(preload, "vgpreload")) {
		print_message("skip: a sanitizer or valgrind would be killed\n");
		skip();
	}
}

/* The wait status of a child that runs `run`. */
static int
status_of(int (*run)(void))
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(run());
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void
assert_good(const char *what, int (*run)(void))
{
	int status = status_of(run);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != GOOD)
		fail_msg("%s: wait status %#x", what, (unsigned)status);
}

/* ---- calls ---- */

static int
call_execve(void)
{
	static char name[] = "/bin/true";
	char *argv[] = {name, NULL}, *envp[] = {NULL};

	return execve(name, argv, envp);
}

static int
call_fork(void)
{
	return fork() == 0 ? 0 : (int)getpid();
}

static void *
no_thread(void *argument)
{
	return argument;
}

static int
call_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, no_thread, NULL);
}

static int
call_socket_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int
call_socket_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static int
call_ptrace(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int
call_mount(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL);
}

static int
call_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

static int
call_setuid(void)
{
	return (int)syscall(SYS_setuid, 0);
}

static int
call_capset(void)
{
	return (int)syscall(SYS_capset, NULL, NULL);
}

static int
call_prctl(void)
{
	return prctl(PR_SET_DUMPABLE, 1);
}

static int
call_setrlimit(void)
{
	struct rlimit limit = {0};

	return setrlimit(RLIMIT_CORE, &limit);
}

static int
call_kill(void)
{
	return kill(getppid(), 0);
}

static int
call_tgkill_other(void)
{
	return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static int
call_mmap_exec(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	            0) == MAP_FAILED;
}

static int
call_mprotect_exec(void)
{
	void *page =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}

static int
call_bpf(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int
call_io_uring(void)
{
	return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

static int
call_process_vm_readv(void)
{
	return (int)syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static int
call_symlink(void)
{
	return symlink("/etc/passwd", "/tmp/seccomp-authz-no-such-link");
}

static int
call_chmod(void)
{
	return (int)syscall(SYS_chmod, "/nonexistent", 0777);
}

static int
call_unknown(void)
{
	return (int)syscall(4095);
}

#ifdef __x86_64__
/* write(2) by the number that it has for 32-bit programs: another call here */
static int
call_int80(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
	return (int)result;
}

static int
call_x32(void)
{
	return (int)syscall(0x40000000 | SYS_getpid);
}
#endif

static const struct {
	const char *name;
	int (*call)(void);
} forbidden[] = {
    {"execve", call_execve},
    {"fork", call_fork},
    {"a new thread", call_thread},
    {"socket of AF_INET", call_socket_inet},
    {"socket of AF_NETLINK", call_socket_netlink},
    {"ptrace", call_ptrace},
    {"mount", call_mount},
    {"unshare", call_unshare},
    {"setuid", call_setuid},
    {"capset", call_capset},
    {"prctl", call_prctl},
    {"setrlimit", call_setrlimit},
    {"kill", call_kill},
    {"tgkill of another", call_tgkill_other},
    {"mmap of code", call_mmap_exec},
    {"mprotect to code", call_mprotect_exec},
    {"bpf", call_bpf},
    {"io_uring_setup", call_io_uring},
    {"process_vm_readv", call_process_vm_readv},
    {"symlink", call_symlink},
    {"chmod", call_chmod},
    {"a number of no call", call_unknown},
#ifdef __x86_64__
    {"a call by its 32-bit number", call_int80},
    {"a call of x32", call_x32},
#endif
};

static int
enter_filter(void)
{
	return sandbox_restrict_calls() > 0 ? 0 : -1;
}

static void
forbidden_calls_kill_the_process(void **state)
{
	(void)state;
	skip_where_others_make_calls();
	for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
		pid_t child = fork();
		int status = 0;

		if (child == 0) {
			if (enter_filter())
				_exit(BAD);
			(void)forbidden[i].call();
			_exit(GOOD);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: wait status %#x", forbidden[i].name,
			         (unsigned)status);
	}
}

static int pipes[2];

static void *
wait_and_call(void *argument)
{
	char c;

	(void)!read(pipes[0], &c, 1);
	(void)call_ptrace();
	return argument;
}

/* The thread runs before the filter is put on by another one. */
static int
thread_of_before(void)
{
	pthread_t thread;

	if (pipe(pipes) || pthread_create(&thread, NULL, wait_and_call, NULL) ||
	    enter_filter())
		return BAD;
	(void)!write(pipes[1], "x", 1);
	(void)pthread_join(thread, NULL);
	return GOOD;
}

static void
threads_that_ran_before_are_filtered_too(void **state)
{
	int status;

	(void)state;
	skip_where_others_make_calls();
	status = status_of(thread_of_before);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

/* What libc and the judge do with files, memory and time. */
static int
work(void)
{
	const char *path = in_folder("file"), *other = in_folder("other");
	struct rusage used;
	struct rlimit limit;
	void *large;
	int fd;

	if (enter_filter())
		return BAD;
	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0 || write(fd, "x", 1) != 1 || fchmod(fd, 0640) || fdatasync(fd) ||
	    ftruncate(fd, 0) || close(fd) || rename(path, other) || unlink(other))
		return BAD + 1;
	large = malloc((size_t)8 << 20);
	large = realloc(large, (size_t)16 << 20);
	free(large);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!large || fd < 0 || close(fd))
		return BAD + 2;
	if (getrusage(RUSAGE_SELF, &used) || getrlimit(RLIMIT_NOFILE, &limit))
		return BAD + 3;
	return GOOD;
}

static void
what_serving_takes_goes_on(void **state)
{
	(void)state;
	skip_where_others_make_calls();
	assert_good("work", work);
}

static int
fail_an_assertion(void)
{
	if (enter_filter())
		return BAD;
	abort();
}

static void
abort_is_still_seen_as_one(void **state)
{
	int status;

	(void)state;
	skip_where_others_make_calls();
	status = status_of(fail_an_assertion);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void
each_call_is_listed_once_with_its_reason(void **state)
{
	(void)state;
	assert_in_range(sandbox_call_count, 1, 100);
	for (size_t i = 0; i < sandbox_call_count; i++) {
		assert_true(strlen(sandbox_calls[i].why) > 3);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(sandbox_calls[i].name,
			                        sandbox_calls[j].name);
	}
}

/* ---- files ---- */

/* Where the kernel has no Landlock nothing is held; 0: none. */
static long
landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

	return version > 0 ? version : 0;
}

static bool
can_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static bool
is_refused(const char *path, int flags)
{
	return !can_open(path, flags) && errno == EACCES;
}

/* policy.json -> ..data/policy.json, ..data -> `version`, as kubelet does it. */
static void
make_tree(void)
{
	static const char *const folders[] = {"a",          "a/b",       "a/p",
	                                      "a/p/policy", "a/p/v1",    "a/p/v2",
	                                      "a/b/record", "a/b/state", "a/run"};

	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		assert_int_equal(mkdir(in_folder(folders[i]), 0755), 0);
	write_file(in_folder("a/p/v1/policy.json"), TEXT_LIT("1"), 0);
	write_file(in_folder("a/p/v2/policy.json"), TEXT_LIT("2"), 0);
	write_file(in_folder("a/secret"), TEXT_LIT("secret"), 0);
	write_file(in_folder("a/b/state/copy"), TEXT_LIT(""), 0);
	assert_int_equal(symlink("../v1", in_folder("a/p/policy/..data")), 0);
	assert_int_equal(
	    symlink("..data/policy.json", in_folder("a/p/policy/policy.json")), 0);
}

static void
make_plan(struct sandbox_plan *plan)
{
	sandbox_plan_add(plan, SANDBOX_READ, 0, in_folder("a/p/policy/policy.json"));
	sandbox_plan_add(plan, SANDBOX_WRITE, 0700, in_folder("a/b/record/record.jsonl"));
	sandbox_plan_add(plan, SANDBOX_WRITE, 0700, in_folder("a/b/new/state/copy"));
	sandbox_plan_add(plan, SANDBOX_SOCKET, 0755, in_folder("a/run/judge.sock"));
	sandbox_plan_add(plan, SANDBOX_SELF, 0, "/proc/self/statm");
}

static int
enter_folders(void)
{
	struct sandbox_plan plan = {.count = 0};
	struct sandbox_done done = {.less = false};

	make_plan(&plan);
	sandbox_confine(&plan, &done);
	sandbox_plan_free(&plan);
	buf_free(&done.said);
	return done.less || plan.failed;
}

static int
read_within(void)
{
	if (enter_folders())
		return BAD;
	if (!can_open(in_folder("a/p/policy/policy.json"), O_RDONLY))
		return BAD + 1;
	if (!can_open("/proc/self/statm", O_RDONLY) ||
	    !can_open("/proc/self/fd", O_RDONLY | O_DIRECTORY))
		return BAD + 2;
	if (!is_refused("/etc/passwd", O_RDONLY) ||
	    !is_refused("/proc/cpuinfo", O_RDONLY) ||
	    !is_refused(in_folder("a/secret"), O_RDONLY))
		return BAD + 3;
	return is_refused(in_folder("a/p/policy/x"), O_WRONLY | O_CREAT) ? GOOD : BAD + 4;
}

static int
write_within(void)
{
	const char *record = in_folder("a/b/record/record.jsonl");
	const char *rotated = in_folder("a/b/record/record.jsonl.1");

	if (enter_folders())
		return BAD;
	if (!can_open(record, O_RDWR | O_CREAT) || rename(record, rotated) ||
	    !can_open(record, O_RDWR | O_CREAT | O_TRUNC) || unlink(rotated))
		return BAD + 1;
	if (!can_open(in_folder("a/b/new/state/copy"), O_WRONLY | O_CREAT))
		return BAD + 2;
	if (!is_refused(in_folder("file"), O_WRONLY | O_CREAT) ||
	    !is_refused(in_folder("a/secret"), O_WRONLY) ||
	    !is_refused("/tmp/seccomp-authz-outside", O_WRONLY | O_CREAT))
		return BAD + 3;
	if (unlink(in_folder("a/secret")) == 0 || errno != EACCES)
		return BAD + 4;
	if (symlink("x", in_folder("a/b/record/link")) == 0 || errno != EACCES)
		return BAD + 5;
	if (mkfifo(in_folder("a/b/record/fifo"), 0600) == 0 || errno != EACCES)
		return BAD + 6;
	return GOOD;
}

static int
bound_to(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(name.sun_path, sizeof name.sun_path, "%.100s", path);
	return bind(fd, (struct sockaddr *)&name, sizeof name);
}

static int
make_sockets(void)
{
	if (enter_folders())
		return BAD;
	if (bound_to(in_folder("a/run/judge.sock")) ||
	    unlink(in_folder("a/run/judge.sock")))
		return BAD + 1;
	/* as in a new /run; what is there already can't be replaced */
	if (mkdir(in_folder("a/new"), 0755) || bound_to(in_folder("a/new/judge.sock")))
		return BAD + 2;
	if (unlink(in_folder("a/new/judge.sock")) == 0 || errno != EACCES)
		return BAD + 4;
	return is_refused(in_folder("a/run/file"), O_WRONLY | O_CREAT) ? GOOD : BAD + 3;
}

static int
execute(void)
{
	if (enter_folders())
		return BAD;
	return call_execve() < 0 && errno == EACCES ? GOOD : BAD + 1;
}

static int
listen_on_an_address(void)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (enter_folders())
		return BAD;
	return bind(fd, (struct sockaddr *)&name, sizeof name) < 0 && errno == EACCES &&
	               connect(fd, (struct sockaddr *)&name, sizeof name) < 0 &&
	               errno == EACCES
	           ? GOOD
	           : BAD + 1;
}

static int
signal_another(void)
{
	if (enter_folders())
		return BAD;
	return kill(getppid(), 0) < 0 && errno == EPERM && kill(getpid(), 0) == 0
	           ? GOOD
	           : BAD + 1;
}

static const struct {
	const char *name;
	long version; /* of Landlock that has it */
	int (*run)(void);
} tries[] = {
    {"read", 1, read_within},
    {"write", 3, write_within},
    {"sockets", 1, make_sockets},
    {"execute", 1, execute},
    {"addresses", 4, listen_on_an_address},
    {"signals", 6, signal_another},
};

static void
nothing_but_its_folders_is_open(void **state)
{
	(void)state;
	skip_where_others_make_calls();
	make_tree();
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
		if (landlock_version() >= tries[i].version)
			assert_good(tries[i].name, tries[i].run);
		else
			print_message("skip: %s: this kernel has Landlock %ld\n",
			              tries[i].name, landlock_version());
	}
}

/* ---- what is replaced while it runs: the parent does, the child waits for it ---- */

static int turns[2]; /* the parent writes */

static void
wait_for_turn(void)
{
	char c;

	(void)!read(turns[0], &c, 1);
}

static bool
reads(const char *path, char wanted)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c = 0;
	bool same = fd >= 0 && read(fd, &c, 1) == 1 && c == wanted;

	if (fd >= 0)
		(void)close(fd);
	return same;
}

static int
follow(void)
{
	const char *policy = in_folder("a/p/policy/policy.json");
	const char *record = in_folder("a/b/record/record.jsonl");

	if (enter_folders() || !reads(policy, '1') || !can_open(record, O_RDWR | O_CREAT))
		return BAD;
	if (write(pipes[1], "x", 1) != 1)
		return BAD + 1;
	wait_for_turn();
	if (!reads(policy, '2'))
		return BAD + 2;
	if (mkdir(in_folder("a/b/record"), 0700) || !can_open(record, O_RDWR | O_CREAT))
		return BAD + 3;
	return GOOD;
}

static void
replace(void)
{
	char c;

	assert_int_equal(read(pipes[0], &c, 1), 1);
	/* the policy's whole folder by another one, and the record's by none */
	assert_int_equal(mkdir(in_folder("a/p/fresh"), 0755), 0);
	write_file(in_folder("a/p/fresh/policy.json"), TEXT_LIT("2"), 0);
	assert_int_equal(rename(in_folder("a/p/policy"), in_folder("a/p/old")), 0);
	assert_int_equal(rename(in_folder("a/p/fresh"), in_folder("a/p/policy")), 0);
	assert_int_equal(rename(in_folder("a/b/record"), in_folder("a/b/gone")), 0);
	assert_int_equal(write(turns[1], "x", 1), 1);
}

static void
folders_may_be_replaced_below_one_of_ours(void **state)
{
	int status = 0;
	pid_t child;

	(void)state;
	skip_where_others_make_calls();
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(pipe(turns), 0);
	make_tree();
	child = fork();
	if (child == 0)
		_exit(follow());
	replace();
	assert_int_equal(waitpid(child, &status, 0), child);
	if (status != 0)
		fail_msg("wait status %#x", (unsigned)status);
}

static int
follow_link(void)
{
	const char *policy = in_folder("a/p/policy/policy.json");

	if (enter_folders() || !reads(policy, '1'))
		return BAD;
	if (write(pipes[1], "x", 1) != 1)
		return BAD + 1;
	wait_for_turn();
	return reads(policy, '2') ? GOOD : BAD + 2;
}

static void
link_to_a_policy_may_be_swapped(void **state)
{
	int status = 0;
	pid_t child;
	char c;

	(void)state;
	skip_where_others_make_calls();
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(pipe(turns), 0);
	make_tree();
	child = fork();
	if (child == 0)
		_exit(follow_link());
	assert_int_equal(read(pipes[0], &c, 1), 1);
	assert_int_equal(symlink("../v2", in_folder("a/p/policy/..tmp")), 0);
	assert_int_equal(
	    rename(in_folder("a/p/policy/..tmp"), in_folder("a/p/policy/..data")), 0);
	assert_int_equal(write(turns[1], "x", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (status != 0)
		fail_msg("wait status %#x", (unsigned)status);
}

/* ---- privileges ---- */

static int
has_given_up(uint64_t kept)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};
	struct rlimit core;

	if (syscall(SYS_capget, &head, sets) || sets[0].effective != kept ||
	    sets[0].permitted != kept || sets[1].permitted != 0 ||
	    sets[0].inheritable != 0 || sets[1].inheritable != 0)
		return BAD + 1;
	for (int cap = 0; geteuid() == 0 && prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
		if (prctl(PR_CAPBSET_READ, cap) != (int)(kept >> cap & 1))
			return BAD + 2;
	}
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return BAD + 3;
	if (prctl(PR_GET_DUMPABLE) != 0)
		return BAD + 4;
	if (getrlimit(RLIMIT_CORE, &core) || core.rlim_cur != 0 || core.rlim_max != 0)
		return BAD + 5;
	return GOOD;
}

static int
give_up_all(void)
{
	return enter_folders() ? BAD : has_given_up(0);
}

static int
give_up_all_but_one(void)
{
	if (enter_folders())
		return BAD;
	return has_given_up(1U << CAP_DAC_OVERRIDE);
}

static int
give_up_as_nobody(void)
{
	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		return BAD;
	return enter_folders() ? BAD + 9 : has_given_up(0);
}

static void
no_privilege_and_no_core_dump_is_left(void **state)
{
	(void)state;
	skip_where_others_make_calls();
	make_tree();
	assert_good("all", give_up_all);
}

static void
root_keeps_one_capability_for_files_of_others_and_others_none(void **state)
{
	(void)state;
	skip_where_others_make_calls();
	if (geteuid() != 0) {
		print_message("skip: only root has capabilities to give up\n");
		skip();
	}
	make_tree();
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(chown(in_folder("a/b/record"), 65534, 65534), 0);
	assert_good("all but one", give_up_all_but_one);
	assert_good("as nobody", give_up_as_nobody);
}

static void
what_was_done_is_said_in_one_line(void **state)
{
	pid_t child;
	int status = 0;

	(void)state;
	skip_where_others_make_calls();
	make_tree();
	child = fork();
	if (child == 0) {
		struct sandbox_plan plan = {.count = 0};
		struct sandbox_done done = {.less = false};

		make_plan(&plan);
		sandbox_confine(&plan, &done);
		sandbox_filter(&done);
		_exit(!done.less && strstr(done.said.at, "no capabilities, no new ") &&
		              strstr(done.said.at, "Landlock") &&
		              strstr(done.said.at, " system calls")
		          ? GOOD
		          : BAD);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define TEST(function)                                                                   \
	cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(forbidden_calls_kill_the_process),
	    TEST(threads_that_ran_before_are_filtered_too),
	    TEST(what_serving_takes_goes_on),
	    TEST(abort_is_still_seen_as_one),
	    TEST(each_call_is_listed_once_with_its_reason),
	    TEST(nothing_but_its_folders_is_open),
	    TEST(folders_may_be_replaced_below_one_of_ours),
	    TEST(link_to_a_policy_may_be_swapped),
	    TEST(no_privilege_and_no_core_dump_is_left),
	    TEST(root_keeps_one_capability_for_files_of_others_and_others_none),
	    TEST(what_was_done_is_said_in_one_line),
	};

	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
