/* SPDX-License-Identifier: Apache-2.0 */
/* cmd.c - what the subcommands share: messages, help, reading a file. */
#include "cmd.h"
#include "edge/policy_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
cmd_complain(const char *format, ...)
{
	va_list args;

	(void)fputs("seccomp-authz: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	return EXIT_UNSURE;
}

bool
cmd_flush(void)
{
	return fflush(stdout) == 0 && !ferror(stdout);
}

int
cmd_usage_error(const struct command *self, const char *format, ...)
{
	va_list args;

	(void)fprintf(stderr, "seccomp-authz: %s: ", self->name);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fprintf(stderr, "; see seccomp-authz %s --help\n", self->name);
	return EXIT_UNSURE;
}

int
cmd_help(const struct command *self)
{
	(void)printf("usage: seccomp-authz %s%s%s\n\n%s", self->name,
	             *self->usage ? " " : "", self->usage, self->help);
	return EXIT_CLEAN;
}

int
cmd_load_policy(const char *path, struct policy **ret_policy)
{
	struct policy_problems *problems = calloc(1, sizeof *problems);

	if (!problems)
		return cmd_complain("out of memory");
	if (!path && access(POLICY_DEFAULT_PATH, F_OK) == 0)
		path = POLICY_DEFAULT_PATH;
	*ret_policy = path ? policy_load_file(path, problems) : policy_builtin();
	for (size_t i = 0; i < problems->count && i < POLICY_PROBLEMS_MAX; i++) {
		cleanup_buf struct buf buf = {0};

		policy_problem_write(&buf, &problems->at[i]);
		(void)cmd_complain("%s: %s", path, buf_text(&buf).at);
	}
	free(problems);
	if (*ret_policy)
		return EXIT_CLEAN;
	return path ? EXIT_UNSURE : cmd_complain("out of memory");
}

static int
read_all(int fd, const char *path, size_t limit, struct buf *buf, struct err *err)
{
	char chunk[64 * 1024];
	ssize_t got;

	for (;;) {
		got = read(fd, chunk, sizeof chunk);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
		if (got == 0)
			break;
		if (buf->len + (size_t)got > limit)
			return err_set(err, ERR_LIMIT, "%s: larger than %zu bytes", path,
			               limit);
		buf_add(buf, chunk, (size_t)got);
	}
	return buf_ok(buf) ? 0 : err_set(err, ERR_MEMORY, "%s: out of memory", path);
}

int
cmd_read_file(const char *path, size_t limit, struct buf *buf, struct err *err)
{
	int fd, result;

	if (strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, "standard input", limit, buf, err);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", path, strerror(errno));
	result = read_all(fd, path, limit, buf, err);
	(void)close(fd);
	return result;
}
