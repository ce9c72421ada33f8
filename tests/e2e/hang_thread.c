/* SPDX-License-Identifier: Apache-2.0 */
/* hang_thread.c - stops one thread, and no other of its process: hang_thread TID. Says "x"
   once it stands still, and waits until it is killed or the thread is. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	pid_t thread = argc == 2 ? (pid_t)strtol(argv[1], NULL, 10) : 0;
	int status;

	if (thread <= 0 || ptrace(PTRACE_ATTACH, thread, NULL, NULL) != 0 ||
	    waitpid(thread, &status, __WALL) != thread) {
		perror("hang_thread");
		return 1;
	}
	(void)!write(STDOUT_FILENO, "x", 1);
	(void)waitpid(thread, &status, __WALL);
	return 0;
}
