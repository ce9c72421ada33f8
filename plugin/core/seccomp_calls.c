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
 * `open_tree_attr` (Linux 6.15) is open_tree and mount_setattr in one.
 */
#define CALLS(X)                                                                         \
	X(ACCT, "acct")                                                                  \
	X(ADD_KEY, "add_key")                                                            \
	X(BPF, "bpf")                                                                    \
	X(CLOCK_SETTIME, "clock_settime")                                                \
	X(CLOCK_SETTIME64, "clock_settime64")                                            \
	X(CLONE, "clone")                                                                \
	X(CLONE3, "clone3")                                                              \
	X(DELETE_MODULE, "delete_module")                                                \
	X(FANOTIFY_INIT, "fanotify_init")                                                \
	X(FINIT_MODULE, "finit_module")                                                  \
	X(FSCONFIG, "fsconfig")                                                          \
	X(FSMOUNT, "fsmount")                                                            \
	X(FSOPEN, "fsopen")                                                              \
	X(FSPICK, "fspick")                                                              \
	X(GET_MEMPOLICY, "get_mempolicy")                                                \
	X(INIT_MODULE, "init_module")                                                    \
	X(IOPERM, "ioperm")                                                              \
	X(IOPL, "iopl")                                                                  \
	X(KCMP, "kcmp")                                                                  \
	X(KEXEC_FILE_LOAD, "kexec_file_load")                                            \
	X(KEXEC_LOAD, "kexec_load")                                                      \
	X(KEYCTL, "keyctl")                                                              \
	X(LOOKUP_DCOOKIE, "lookup_dcookie")                                              \
	X(MBIND, "mbind")                                                                \
	X(MIGRATE_PAGES, "migrate_pages")                                                \
	X(MOUNT, "mount")                                                                \
	X(MOUNT_SETATTR, "mount_setattr")                                                \
	X(MOVE_MOUNT, "move_mount")                                                      \
	X(MOVE_PAGES, "move_pages")                                                      \
	X(OPEN_BY_HANDLE_AT, "open_by_handle_at")                                        \
	X(OPEN_TREE, "open_tree")                                                        \
	X(OPEN_TREE_ATTR, "open_tree_attr")                                              \
	X(PERF_EVENT_OPEN, "perf_event_open")                                            \
	X(PIDFD_GETFD, "pidfd_getfd")                                                    \
	X(PIVOT_ROOT, "pivot_root")                                                      \
	X(QUOTACTL, "quotactl")                                                          \
	X(QUOTACTL_FD, "quotactl_fd")                                                    \
	X(REBOOT, "reboot")                                                              \
	X(REQUEST_KEY, "request_key")                                                    \
	X(SET_MEMPOLICY, "set_mempolicy")                                                \
	X(SET_MEMPOLICY_HOME_NODE, "set_mempolicy_home_node")                            \
	X(SETDOMAINNAME, "setdomainname")                                                \
	X(SETHOSTNAME, "sethostname")                                                    \
	X(SETNS, "setns")                                                                \
	X(SETTIMEOFDAY, "settimeofday")                                                  \
	X(STIME, "stime")                                                                \
	X(SWAPOFF, "swapoff")                                                            \
	X(SWAPON, "swapon")                                                              \
	X(SYSFS, "sysfs")                                                                \
	X(SYSLOG, "syslog")                                                              \
	X(UMOUNT, "umount")                                                              \
	X(UMOUNT2, "umount2")                                                            \
	X(UNSHARE, "unshare")                                                            \
	X(USELIB, "uselib")                                                              \
	X(USERFAULTFD, "userfaultfd")                                                    \
	X(USTAT, "ustat")                                                                \
	X(VHANGUP, "vhangup")                                                            \
	X(VM86, "vm86")                                                                  \
	X(VM86OLD, "vm86old")

#define AS_ENUM(call, name) CALL_##call,
enum call { CALLS(AS_ENUM) CALL_COUNT };

_Static_assert(CALL_COUNT < 64, "the calls are bits of a uint64_t");

#define BIT(call) (UINT64_C(1) << CALL_##call)

#define AS_NAME(call, name) [CALL_##call] = (name),
const char *const seccomp_weak_calls[] = {CALLS(AS_NAME)};

#define AS_LENGTH(call, name) [CALL_##call] = sizeof(name) - 1,
static const unsigned char lengths[] = {CALLS(AS_LENGTH)};

const size_t seccomp_weak_calls_count = CALL_COUNT;

/* The calls that begin with each letter: from the first up to, not with, the second. */
static const unsigned char letters['z' - 'a' + 1][2] = {
    ['a' - 'a'] = {CALL_ACCT, CALL_BPF},
    ['b' - 'a'] = {CALL_BPF, CALL_CLOCK_SETTIME},
    ['c' - 'a'] = {CALL_CLOCK_SETTIME, CALL_DELETE_MODULE},
    ['d' - 'a'] = {CALL_DELETE_MODULE, CALL_FANOTIFY_INIT},
    ['f' - 'a'] = {CALL_FANOTIFY_INIT, CALL_GET_MEMPOLICY},
    ['g' - 'a'] = {CALL_GET_MEMPOLICY, CALL_INIT_MODULE},
    ['i' - 'a'] = {CALL_INIT_MODULE, CALL_KCMP},
    ['k' - 'a'] = {CALL_KCMP, CALL_LOOKUP_DCOOKIE},
    ['l' - 'a'] = {CALL_LOOKUP_DCOOKIE, CALL_MBIND},
    ['m' - 'a'] = {CALL_MBIND, CALL_OPEN_BY_HANDLE_AT},
    ['o' - 'a'] = {CALL_OPEN_BY_HANDLE_AT, CALL_PERF_EVENT_OPEN},
    ['p' - 'a'] = {CALL_PERF_EVENT_OPEN, CALL_QUOTACTL},
    ['q' - 'a'] = {CALL_QUOTACTL, CALL_REBOOT},
    ['r' - 'a'] = {CALL_REBOOT, CALL_SET_MEMPOLICY},
    ['s' - 'a'] = {CALL_SET_MEMPOLICY, CALL_UMOUNT},
    ['u' - 'a'] = {CALL_UMOUNT, CALL_VHANGUP},
    ['v' - 'a'] = {CALL_VHANGUP, CALL_COUNT},
};

uint64_t
seccomp_call_bit(struct text name)
{
	const unsigned char *range;

	if (name.len == 0 || name.at[0] < 'a' || name.at[0] > 'z')
		return 0;
	range = letters[name.at[0] - 'a'];
	for (unsigned i = range[0]; i < range[1]; i++) {
		if (lengths[i] == name.len &&
		    memcmp(seccomp_weak_calls[i], name.at, name.len) == 0)
			return UINT64_C(1) << i;
	}
	return 0;
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
