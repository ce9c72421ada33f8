/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - `seccomp-authz log`: verify and show, and the reading that both do. */
#include "cmd_log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { END_TRIES = 20, END_WAIT_US = 50 * 1000 };

int
log_open_files(char *const *paths, int count, bool all, struct record_files *ret_files)
{
	struct err err = {0};

	for (int i = 0; i < count; i++) {
		if (record_files_add(ret_files, paths[i], &err) ||
		    (all && record_files_add_rotated(ret_files, paths[i], &err)) ||
		    (all && record_files_add_packed(ret_files, paths[i], &err)))
			return cmd_complain("%s", err.text);
	}
	record_files_sort(ret_files);
	return EXIT_CLEAN;
}

/* 1: there is a line, or something that will not become one; 0: the file ends; -1. */
static int
read_line(struct record_reader *reader, bool may_grow, struct record_found *line,
          struct err *err)
{
	for (int i = 0;; i++) {
		int got = record_read(reader, line, err);

		if (got != 0 || line->len == 0)
			return got;
		if (!may_grow || i == END_TRIES)
			return 1;
		(void)usleep(END_WAIT_US);
	}
}

int
log_each_line(const struct record_files *files, log_line_fn each, void *context)
{
	struct record_reader *reader = calloc(1, sizeof *reader);
	struct record_found line;
	int result = EXIT_CLEAN;
	bool stop = false;

	if (!reader)
		return cmd_complain("out of memory");
	for (size_t i = 0; i < files->count && !stop; i++) {
		const struct record_file *file = &files->at[i];
		struct err err = {0};
		int got;

		record_reader_start(reader, file->fd, 0);
		while ((got = read_line(reader, i + 1 == files->count, &line, &err)) >
		       0) {
			stop = each(context, file->path, &line) != 0;
			if (stop || !line.whole)
				break;
		}
		if (got < 0)
			result = cmd_complain("%s: %s", file->path, err.text);
	}
	record_reader_free(reader);
	free(reader);
	return result;
}

static const struct command *const commands[] = {
    &command_log_verify,
    &command_log_show,
};

static int
run_log(const struct command *self, int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++) {
		const char *name = strrchr(commands[i]->name, ' ') + 1;

		if (strcmp(argv[1], name) == 0)
			return commands[i]->run(commands[i], argc - 1, argv + 1);
	}
	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return cmd_help(self);
	return cmd_usage_error(self, "verify or show?");
}

const struct command command_log = {
    .name = "log",
    .summary = "prove that a record was not altered, or read it",
    .usage = "verify [options] FILE...\n"
	     "       seccomp-authz log show [options] FILE...",
    .help = "verify  walks the chain of a record and names the first line that was\n"
	    "        altered, is missing or stands elsewhere, and what is proven\n"
	    "show    prints the lines of a record that match, as a table, as JSON or\n"
	    "        counted\n"
	    "\n"
	    "seccomp-authz log verify --help and log show --help say more.\n",
    .run = run_log,
};
