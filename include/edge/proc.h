/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc - what the kernel says of the processes of containers.
 *
 * Invariant: a process counts for a container only if the container's whole ID stands in
 * its /proc/PID/cgroup (cgroup v1 and v2, cgroupfs and systemd drivers), so an engine of
 * another machine, whose pids mean nothing here, is never mistaken for ours.
 */
#pragma once

#include "core/err.h"
#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	PROC_ID_LEN = 64,            /* hex digits of a container's ID */
	PROC_CONTAINERS_MAX = 65536, /* with processes, at a time */
};

/* The processes of one container. */
struct proc_container {
	char id[PROC_ID_LEN];
	unsigned processes;
	unsigned unfiltered; /* with Seccomp: 0, be it in one thread */
	unsigned unknown;    /* whose status could not be read */
	long pid;            /* one that is unfiltered; 0: there is none */
};

struct proc_scan; /* private; sorted by ID */

/* Reads all processes below `folder` ("/proc"). The caller frees it. */
int proc_scan(const char *folder, struct proc_scan **ret_scan, struct err *err);

/* NULL: no process of it is to be seen. */
const struct proc_container *proc_find(const struct proc_scan *scan, struct text id);

void proc_free(struct proc_scan *scan);

/* One process. */
struct proc_process {
	int seccomp;   /* `Seccomp:` 0 none, 1 strict, 2 filter; -1: not said */
	int filters;   /* `Seccomp_filters:` (Linux 5.9); -1: not said */
	int inherited; /* filters of its parent; -1: not said */
	bool bare;     /* one of its threads, at least, has Seccomp: 0 */
};

/* The process `pid` of the container `id`; false if it is not, or can't be read. */
bool proc_read(const char *folder, long pid, struct text id,
               struct proc_process *ret_process);
