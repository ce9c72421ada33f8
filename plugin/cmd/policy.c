/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c - `seccomp-authz policy`: its subcommands, and what they share. */
#include "cmd_policy.h"

#include "cmd_options.h"
#include "edge/policy_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { MICROSECONDS = 1000000 };

/* ---- policies ---- */

int
policy_text_read(struct policy_text *text, const char *path)
{
	struct err err = {0};

	text->path = path;
	if (cmd_read_file(path, POLICY_FILE_MAX, &text->bytes, &err) != 0)
		return cmd_complain("%s", err.text);
	text->policy = policy_file_parse(buf_text(&text->bytes), &text->problems);
	return EXIT_CLEAN;
}

void
policy_text_free(struct policy_text *text)
{
	policy_free(text->policy);
	buf_free(&text->bytes);
	text->policy = NULL;
}

int
policy_text_complain(const struct policy_text *text)
{
	const struct policy_problems *problems = &text->problems;

	for (size_t i = 0; i < problems->count && i < POLICY_PROBLEMS_MAX; i++) {
		cleanup_buf struct buf buf = {0};

		policy_problem_write(&buf, &problems->at[i]);
		(void)cmd_complain("%s: %.*s", text->path, TEXT_ARG(buf_text(&buf)));
	}
	if (problems->count > POLICY_PROBLEMS_MAX)
		(void)cmd_complain("%s: %zu more problems", text->path,
		                   problems->count - POLICY_PROBLEMS_MAX);
	return EXIT_UNSURE;
}

/* ---- time ---- */

int64_t
policy_now(void)
{
	return (int64_t)time(NULL);
}

void
policy_write_time(struct buf *buf, int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm tm;
	char text[32];

	(void)gmtime_r(&time, &tm);
	(void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_str(buf, text);
}

struct circumstances
policy_circumstances(const struct policy *policy)
{
	struct circumstances circumstances = {
	    .policy = policy,
	    .plugin_name = TEXT_LIT("seccomp-authz"),
	    .now_us = policy_now() * MICROSECONDS,
	};

	(void)!getrandom(circumstances.entropy, sizeof circumstances.entropy, 0);
	return circumstances;
}

/* ---- the command ---- */

bool
policy_is_json(const struct command *self, const char *format, int *ret_code)
{
	bool json = format && strcmp(format, "json") == 0;

	*ret_code = CMD_GO_ON;
	if (format && !json && strcmp(format, "text") != 0)
		*ret_code =
		    cmd_usage_error(self, "--format %s: should be text or json", format);
	return json;
}

static int
run_default(const struct command *self, int argc, char **argv)
{
	const struct cmd_option options[] = {{.name = NULL}};
	int words = 0, code = cmd_read_options(self, options, argc, argv, &words);

	if (code != CMD_GO_ON)
		return code;
	if (words > 0)
		return cmd_usage_error(self, "takes no arguments");
	(void)fputs(policy_builtin_text, stdout);
	return cmd_flush() ? EXIT_CLEAN : cmd_complain("stdout: can't be written");
}

const struct command command_policy_default = {
    .name = "policy default",
    .summary = "print the built-in policy, as a file to start from",
    .usage = "",
    .help = "Prints the policy that is in force where there is no file: what it says is\n"
	    "what a file that says nothing but {\"version\": 1} means.\n",
    .run = run_default,
};

static const struct command *const commands[] = {
    &command_policy_lint, &command_policy_show, &command_policy_default,
    &command_policy_test, &command_policy_diff, &command_policy_break_glass,
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

/* The word behind "policy ". */
static const char *
short_name(const struct command *command)
{
	return strrchr(command->name, ' ') + 1;
}

static int
run_policy(const struct command *self, int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < COMMANDS; i++) {
		if (strcmp(argv[1], short_name(commands[i])) == 0)
			return commands[i]->run(commands[i], argc - 1, argv + 1);
	}
	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return cmd_help(self);
	return cmd_usage_error(self, "lint, show, default, test, diff or break-glass?");
}

const struct command command_policy = {
    .name = "policy",
    .summary = "check, show, test and compare policies; break glass",
    .usage = "lint [--strict] [--format text|json] [FILE...|-]\n"
	     "       seccomp-authz policy show [--format text|json] [FILE|-]\n"
	     "       seccomp-authz policy show [--format text|json] --admin-socket PATH\n"
	     "       seccomp-authz policy default\n"
	     "       seccomp-authz policy test [--policy FILE] [--format text|junit]\n"
	     "           [--junit FILE] FILE|DIR...\n"
	     "       seccomp-authz policy diff OLD NEW --recorded FILE...\n"
	     "           [--format text|json]\n"
	     "       seccomp-authz policy break-glass --for TIME --reason TEXT\n"
	     "           [--allow WHAT,...] [--user PATTERN]... [--policy FILE]\n"
	     "           [--repair [--state-dir DIR]]\n"
	     "       seccomp-authz policy break-glass --end [--policy FILE]",
    .help =
	"lint         tells what is wrong with a policy, and what is unwise\n"
	"show         shows a policy in full, and the state of its exceptions\n"
	"default      prints the built-in policy, as a file to start from\n"
	"test         decides an author's own cases under a policy\n"
	"diff         whose requests two policies decide differently\n"
	"break-glass  lets every container run for a while, on record (root)\n"
	"\n"
	"seccomp-authz policy lint --help says more, and so for the others. The format\n"
	"of policies: seccomp-authz-policy(5).\n",
    .run = run_policy,
};
