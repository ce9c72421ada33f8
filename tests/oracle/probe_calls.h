/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_calls.h - the calls that the probe tries: all that make a profile weak
 * (plugin/core/seccomp_calls.c), with their numbers, and arguments for each that the
 * kernel refuses without doing anything, whoever asks. Included once, by probe.c.
 */
#pragma once

#include <linux/sched.h>

#define BAD  1L  /* a pointer to nowhere */
#define ALL  ~0L /* flags that don't exist, or no file */
#define NONE (-1)

enum { ABI_64, ABI_32, ABI_COUNT };

struct call {
	const char *name;
	int number[ABI_COUNT];
	long refused[6]; /* arguments that the kernel refuses without doing anything */
};

static const struct call calls[] = {
    {"acct", {163, 51}, {BAD}},
    {"add_key", {248, 286}, {BAD, BAD, BAD, 1, ALL}},
    {"bpf", {321, 357}, {9999, BAD, 0}},
    {"clock_settime", {227, 264}, {9999, BAD}},
    {"clock_settime64", {NONE, 404}, {9999, BAD}},
    {"clone", {56, 120}, {CLONE_NEWNS | CLONE_FS}},
    {"clone3", {435, 435}, {BAD, 0}},
    {"delete_module", {176, 129}, {BAD, 0}},
    {"fanotify_init", {300, 338}, {0x40000000, 0}},
    {"finit_module", {313, 350}, {ALL, BAD, ALL}},
    {"fsconfig", {431, 431}, {ALL, 0, BAD, BAD, 0}},
    {"fsmount", {432, 432}, {ALL, ALL, 0}},
    {"fsopen", {430, 430}, {BAD, ALL}},
    {"fspick", {433, 433}, {ALL, BAD, ALL}},
    {"get_mempolicy", {239, 275}, {BAD, BAD, 0, 0, ALL}},
    {"init_module", {175, 128}, {BAD, 0, BAD}},
    {"ioperm", {173, 101}, {ALL, 2, 0}},
    {"iopl", {172, 110}, {99}},
    {"kcmp", {312, 349}, {ALL, ALL, 99, 0, 0}},
    {"kexec_file_load", {320, NONE}, {ALL, ALL, 0, BAD, ALL}},
    {"kexec_load", {246, 283}, {0, 0, BAD, ALL}},
    {"keyctl", {250, 288}, {9999}},
    {"lookup_dcookie", {212, 253}, {0, BAD, 0}},
    {"mbind", {237, 274}, {0, 0, 99999, BAD, 0, ALL}},
    {"migrate_pages", {256, 294}, {ALL, 0, 0, 0}},
    {"mount", {165, 21}, {BAD, BAD, BAD, 0, 0}},
    {"mount_setattr", {442, 442}, {ALL, BAD, ALL, BAD, 0}},
    {"move_mount", {429, 429}, {ALL, BAD, ALL, BAD, ALL}},
    {"move_pages", {279, 317}, {ALL, 0, 0, 0, 0, ALL}},
    {"open_by_handle_at", {304, 342}, {ALL, BAD, 0}},
    {"open_tree", {428, 428}, {ALL, BAD, ALL}},
    {"open_tree_attr", {467, 467}, {ALL, BAD, ALL}},
    {"perf_event_open", {298, 336}, {BAD, 0, ALL, ALL, ALL}},
    {"pidfd_getfd", {438, 438}, {ALL, ALL, ALL}},
    {"pivot_root", {155, 217}, {BAD, BAD}},
    {"quotactl", {179, 131}, {255, BAD, 0, BAD}},
    {"quotactl_fd", {443, 443}, {ALL, 255, 0, BAD}},
    {"reboot", {169, 88}, {0, 0, 0, 0}},
    {"request_key", {249, 287}, {BAD, BAD, BAD, 0}},
    {"set_mempolicy", {238, 276}, {9999, BAD, 0}},
    {"set_mempolicy_home_node", {450, 450}, {1, 0, 0, ALL}},
    {"setdomainname", {171, 121}, {BAD, ALL}},
    {"sethostname", {170, 74}, {BAD, ALL}},
    {"setns", {308, 346}, {ALL, 0}},
    {"settimeofday", {164, 79}, {BAD, BAD}},
    {"stime", {NONE, 25}, {BAD}},
    {"swapoff", {168, 115}, {BAD}},
    {"swapon", {167, 87}, {BAD, ALL}},
    {"sysfs", {139, 135}, {99, 0, 0}},
    {"syslog", {103, 103}, {99, BAD, 0}},
    {"umount", {NONE, 22}, {BAD}},
    {"umount2", {166, 52}, {BAD, ALL}},
    {"unshare", {272, 310}, {1}},
    {"uselib", {134, 86}, {BAD}},
    {"userfaultfd", {323, 374}, {0x40000001}},
    {"ustat", {136, 62}, {ALL, BAD}},
    {"vhangup", {153, 111}, {0}},
    {"vm86", {NONE, 166}, {99, BAD}},
    {"vm86old", {NONE, 113}, {BAD}},
};
