/* SPDX-License-Identifier: Apache-2.0 */
/* own_filter.c - a program that gives itself a filter, but not the thread it has by then. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

static void *
wait_forever(void *context)
{
	for (;;)
		(void)pause();
	return context;
}

int
main(int argc, char **argv)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {.len = 1, .filter = &allow};
	pthread_t thread;

	(void)argv;
	if (argc > 1 && pthread_create(&thread, NULL, wait_forever, NULL) != 0)
		return 1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return 1;
	(void)wait_forever(NULL);
}
