/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_calls.c - which calls Docker's default blocks, and what opens them there. */
#include "core/seccomp_spec.h"

#include "core/seccomp.h"

/*
 * What the default profile of every supported engine (v20.10.24 to v29.7.2) blocks on
 * every architecture in a container without added capabilities, less the calls that are
 * obsolete or without effect on the host. In alphabetical order: seccomp_call_bit()
 * relies on it. `clone` is here for its namespace flags, which the default excludes by a
 * condition on the argument; without them it makes nothing weak (seccomp_profile.c).
 * `open_tree_attr` (Linux 6.15) is open_tree and mount_setattr in one. `arg` is for X.
 */
#define CALLS(X, arg)                                                                    \
	X(arg, ACCT, "acct")                                                             \
	X(arg, ADD_KEY, "add_key")                                                       \
	X(arg, BPF, "bpf")                                                               \
	X(arg, CLOCK_SETTIME, "clock_settime")                                           \
	X(arg, CLOCK_SETTIME64, "clock_settime64")                                       \
	X(arg, CLONE, "clone")                                                           \
	X(arg, CLONE3, "clone3")                                                         \
	X(arg, DELETE_MODULE, "delete_module")                                           \
	X(arg, FANOTIFY_INIT, "fanotify_init")                                           \
	X(arg, FINIT_MODULE, "finit_module")                                             \
	X(arg, FSCONFIG, "fsconfig")                                                     \
	X(arg, FSMOUNT, "fsmount")                                                       \
	X(arg, FSOPEN, "fsopen")                                                         \
	X(arg, FSPICK, "fspick")                                                         \
	X(arg, GET_MEMPOLICY, "get_mempolicy")                                           \
	X(arg, INIT_MODULE, "init_module")                                               \
	X(arg, IOPERM, "ioperm")                                                         \
	X(arg, IOPL, "iopl")                                                             \
	X(arg, KCMP, "kcmp")                                                             \
	X(arg, KEXEC_FILE_LOAD, "kexec_file_load")                                       \
	X(arg, KEXEC_LOAD, "kexec_load")                                                 \
	X(arg, KEYCTL, "keyctl")                                                         \
	X(arg, LOOKUP_DCOOKIE, "lookup_dcookie")                                         \
	X(arg, MBIND, "mbind")                                                           \
	X(arg, MIGRATE_PAGES, "migrate_pages")                                           \
	X(arg, MOUNT, "mount")                                                           \
	X(arg, MOUNT_SETATTR, "mount_setattr")                                           \
	X(arg, MOVE_MOUNT, "move_mount")                                                 \
	X(arg, MOVE_PAGES, "move_pages")                                                 \
	X(arg, OPEN_BY_HANDLE_AT, "open_by_handle_at")                                   \
	X(arg, OPEN_TREE, "open_tree")                                                   \
	X(arg, OPEN_TREE_ATTR, "open_tree_attr")                                         \
	X(arg, PERF_EVENT_OPEN, "perf_event_open")                                       \
	X(arg, PIDFD_GETFD, "pidfd_getfd")                                               \
	X(arg, PIVOT_ROOT, "pivot_root")                                                 \
	X(arg, QUOTACTL, "quotactl")                                                     \
	X(arg, QUOTACTL_FD, "quotactl_fd")                                               \
	X(arg, REBOOT, "reboot")                                                         \
	X(arg, REQUEST_KEY, "request_key")                                               \
	X(arg, SET_MEMPOLICY, "set_mempolicy")                                           \
	X(arg, SET_MEMPOLICY_HOME_NODE, "set_mempolicy_home_node")                       \
	X(arg, SETDOMAINNAME, "setdomainname")                                           \
	X(arg, SETHOSTNAME, "sethostname")                                               \
	X(arg, SETNS, "setns")                                                           \
	X(arg, SETTIMEOFDAY, "settimeofday")                                             \
	X(arg, STIME, "stime")                                                           \
	X(arg, SWAPOFF, "swapoff")                                                       \
	X(arg, SWAPON, "swapon")                                                         \
	X(arg, SYSFS, "sysfs")                                                           \
	X(arg, SYSLOG, "syslog")                                                         \
	X(arg, UMOUNT, "umount")                                                         \
	X(arg, UMOUNT2, "umount2")                                                       \
	X(arg, UNSHARE, "unshare")                                                       \
	X(arg, USELIB, "uselib")                                                         \
	X(arg, USERFAULTFD, "userfaultfd")                                               \
	X(arg, USTAT, "ustat")                                                           \
	X(arg, VHANGUP, "vhangup")                                                       \
	X(arg, VM86, "vm86")                                                             \
	X(arg, VM86OLD, "vm86old")

#define AS_ENUM(unused, call, name) CALL_##call,
enum call { CALLS(AS_ENUM, ) CALL_COUNT };

_Static_assert(CALL_COUNT < 64, "the calls are bits of a uint64_t");

#define BIT(call) (UINT64_C(1) << CALL_##call)

#define AS_NAME(unused, call, name) [CALL_##call] = (name),
const char *const seccomp_weak_calls[] = {CALLS(AS_NAME, )};

/* Calls by the length of their names. */
enum { LENGTH_MAX = 23 };
#define IF_LENGTH(len, call, name) | (sizeof(name) - 1 == (len) ? BIT(call) : 0)
#define OF_LENGTH(len)             [len] = 0 CALLS(IF_LENGTH, len)
static const uint64_t by_length[LENGTH_MAX + 1] = {
    OF_LENGTH(3),  OF_LENGTH(4),  OF_LENGTH(5),  OF_LENGTH(6),  OF_LENGTH(7),
    OF_LENGTH(8),  OF_LENGTH(9),  OF_LENGTH(10), OF_LENGTH(11), OF_LENGTH(12),
    OF_LENGTH(13), OF_LENGTH(14), OF_LENGTH(15), OF_LENGTH(16), OF_LENGTH(17),
    OF_LENGTH(18), OF_LENGTH(19), OF_LENGTH(20), OF_LENGTH(21), OF_LENGTH(22),
    OF_LENGTH(23)};

#define HAS_ROW(unused, call, name)                                                      \
	_Static_assert(sizeof(name) - 1 >= 3 && sizeof(name) - 1 <= LENGTH_MAX, name);
CALLS(HAS_ROW, )

const size_t seccomp_weak_calls_count = CALL_COUNT;

/* Calls by the first letter of their names: from the first up to, not with, the second. */
#define BETWEEN(first, second) ((UINT64_C(1) << (second)) - (UINT64_C(1) << (first)))
static const uint64_t by_letter['z' - 'a' + 1] = {
    ['a' - 'a'] = BETWEEN(CALL_ACCT, CALL_BPF),
    ['b' - 'a'] = BETWEEN(CALL_BPF, CALL_CLOCK_SETTIME),
    ['c' - 'a'] = BETWEEN(CALL_CLOCK_SETTIME, CALL_DELETE_MODULE),
    ['d' - 'a'] = BETWEEN(CALL_DELETE_MODULE, CALL_FANOTIFY_INIT),
    ['f' - 'a'] = BETWEEN(CALL_FANOTIFY_INIT, CALL_GET_MEMPOLICY),
    ['g' - 'a'] = BETWEEN(CALL_GET_MEMPOLICY, CALL_INIT_MODULE),
    ['i' - 'a'] = BETWEEN(CALL_INIT_MODULE, CALL_KCMP),
    ['k' - 'a'] = BETWEEN(CALL_KCMP, CALL_LOOKUP_DCOOKIE),
    ['l' - 'a'] = BETWEEN(CALL_LOOKUP_DCOOKIE, CALL_MBIND),
    ['m' - 'a'] = BETWEEN(CALL_MBIND, CALL_OPEN_BY_HANDLE_AT),
    ['o' - 'a'] = BETWEEN(CALL_OPEN_BY_HANDLE_AT, CALL_PERF_EVENT_OPEN),
    ['p' - 'a'] = BETWEEN(CALL_PERF_EVENT_OPEN, CALL_QUOTACTL),
    ['q' - 'a'] = BETWEEN(CALL_QUOTACTL, CALL_REBOOT),
    ['r' - 'a'] = BETWEEN(CALL_REBOOT, CALL_SET_MEMPOLICY),
    ['s' - 'a'] = BETWEEN(CALL_SET_MEMPOLICY, CALL_UMOUNT),
    ['u' - 'a'] = BETWEEN(CALL_UMOUNT, CALL_VHANGUP),
    ['v' - 'a'] = BETWEEN(CALL_VHANGUP, CALL_COUNT),
};

/* The bit of `name` among those that `maybe` has. */
__attribute__((noinline)) static uint64_t
find_bit(struct text name, uint64_t maybe)
{
	for (; maybe; maybe &= maybe - 1) {
		int i = __builtin_ctzll(maybe);
		const char *call = seccomp_weak_calls[i];

		/* most that get here differ in the last letter */
		if (call[name.len - 1] == name.at[name.len - 1] &&
		    memcmp(call, name.at, name.len) == 0)
			return UINT64_C(1) << i;
	}
	return 0;
}

uint64_t
seccomp_call_bit(struct text name)
{
	uint64_t maybe;

	if (name.len == 0 || name.len > LENGTH_MAX || name.at[0] < 'a' ||
	    name.at[0] > 'z')
		return 0;
	maybe = by_length[name.len] & by_letter[name.at[0] - 'a'];
	return maybe ? find_bit(name, maybe) : 0;
}

uint64_t
seccomp_call_bits(void)
{
	return (UINT64_C(1) << CALL_COUNT) - 1;
}

uint64_t
seccomp_call_bits_young(void)
{
	/* libseccomp knows them since 2.5.2 or later; runc and crun skip a rule for a name
	   that theirs does not know */
	return BIT(MOUNT_SETATTR) | BIT(OPEN_TREE_ATTR) | BIT(QUOTACTL_FD) |
	       BIT(SET_MEMPOLICY_HOME_NODE);
}

/* Rules with includes.caps in the default profiles; any version that has one counts. */
static const struct {
	const char *name;
	uint64_t opens;
} capabilities[] = {
    {"CAP_BPF", BIT(BPF)},
    {"CAP_DAC_READ_SEARCH", BIT(OPEN_BY_HANDLE_AT)},
    {"CAP_PERFMON", BIT(PERF_EVENT_OPEN)},
    {"CAP_SYSLOG", BIT(SYSLOG)},
    {"CAP_SYS_ADMIN", BIT(BPF) | BIT(CLONE) | BIT(CLONE3) | BIT(FANOTIFY_INIT) |
                          BIT(FSCONFIG) | BIT(FSMOUNT) | BIT(FSOPEN) | BIT(FSPICK) |
                          BIT(LOOKUP_DCOOKIE) | BIT(MOUNT) | BIT(MOUNT_SETATTR) |
                          BIT(MOVE_MOUNT) | BIT(OPEN_TREE) | BIT(OPEN_TREE_ATTR) |
                          BIT(PERF_EVENT_OPEN) | BIT(QUOTACTL) | BIT(QUOTACTL_FD) |
                          BIT(SETDOMAINNAME) | BIT(SETHOSTNAME) | BIT(SETNS) |
                          BIT(SYSLOG) | BIT(UMOUNT) | BIT(UMOUNT2) | BIT(UNSHARE)},
    {"CAP_SYS_BOOT", BIT(REBOOT)},
    {"CAP_SYS_MODULE", BIT(DELETE_MODULE) | BIT(FINIT_MODULE) | BIT(INIT_MODULE)},
    {"CAP_SYS_NICE",
     BIT(GET_MEMPOLICY) | BIT(MBIND) | BIT(SET_MEMPOLICY) | BIT(SET_MEMPOLICY_HOME_NODE)},
    {"CAP_SYS_PACCT", BIT(ACCT)},
    {"CAP_SYS_PTRACE", BIT(KCMP) | BIT(PIDFD_GETFD)},
    {"CAP_SYS_RAWIO", BIT(IOPERM) | BIT(IOPL)},
    {"CAP_SYS_TIME",
     BIT(CLOCK_SETTIME) | BIT(CLOCK_SETTIME64) | BIT(SETTIMEOFDAY) | BIT(STIME)},
    {"CAP_SYS_TTY_CONFIG", BIT(VHANGUP)},
};

uint64_t
seccomp_capability_bits(struct text capability)
{
	for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++) {
		if (text_is(capability, capabilities[i].name))
			return capabilities[i].opens;
	}
	return 0;
}
