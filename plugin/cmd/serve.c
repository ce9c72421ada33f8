/* SPDX-License-Identifier: Apache-2.0 */
/* serve.c - `seccomp-authz serve`: becomes the judge, seccomp-authzd. */
#include "cmd.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The judge stands beside this program: in the build folder, or installed. */
static int
judge_path(char path[PATH_MAX])
{
	static const char judge[] = "/seccomp-authzd";
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - sizeof judge);
	char *slash;

	if (len < 0)
		return -1;
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return -1;
	memcpy(slash, judge, sizeof judge);
	return 0;
}

static int
run_serve(const struct command *self, int argc, char **argv)
{
	char path[PATH_MAX];

	(void)self;
	(void)argc;
	if (judge_path(path) != 0)
		return cmd_complain("/proc/self/exe: %s", strerror(errno));
	(void)execv(path, argv);
	return cmd_complain("%s: %s; it belongs beside seccomp-authz", path,
	                    strerror(errno));
}

const struct command command_serve = {
    .name = "serve",
    .summary = "guard an engine: answer its questions (runs seccomp-authzd)",
    .usage = "[options]",
    .help = "", /* the judge prints its own */
    .run = run_serve,
};
