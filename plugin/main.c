/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the command line: the command table, and usage text made from it. */
#include "cmd.h"

#include "edge/file.h"
#include "edge/memory.h"

#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {
    &command_serve,   &command_check, &command_audit, &command_policy,
    &command_profile, &command_log,   &command_fetch, &command_ship,
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int
help(void)
{
	(void)printf(
	    "usage: seccomp-authz COMMAND [options] [arguments]\n\n"
	    "No container starts without a working seccomp filter unless a policy "
	    "file says so.\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		(void)printf("  %-9s %s\n", commands[i]->name, commands[i]->summary);
	(void)printf("\nseccomp-authz COMMAND --help says more. Exit codes: 0 allowed or "
	             "nothing found,\n1 denied or found something, 2 could not tell.\n");
	return EXIT_CLEAN;
}

static int
run(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name)
		return cmd_complain("which command? see seccomp-authz --help");
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return help();
	if (strcmp(name, "--version") == 0) {
		(void)printf("seccomp-authz %s\n", VERSION);
		return EXIT_CLEAN;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i]->name) != 0)
			continue;
		if (argc > 2 && strcmp(argv[2], "--help") == 0 &&
		    commands[i] != &command_serve)
			return cmd_help(commands[i]);
		return commands[i]->run(commands[i], argc - 1, argv + 1);
	}
	return cmd_complain("%s: no such command; see seccomp-authz --help", name);
}

int
main(int argc, char **argv)
{
	struct err err = {0};
	int code;

	if (file_fill_standard(&err) != 0)
		return cmd_complain("%s", err.text);
	memory_guard_jansson();
	code = run(argc, argv);
	if (code == EXIT_UNSURE || cmd_flush())
		return code;
	return cmd_complain("stdout: can't be written");
}
