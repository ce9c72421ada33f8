/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - writes messages to the operator, one write(2) each. */
#include "edge/log.h"

#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Within PIPE_BUF, so that a message is never mixed with another process's (pipe(7)). */
enum { MESSAGE_MAX = 2048 };
_Static_assert(MESSAGE_MAX <= PIPE_BUF, "a message must be one piece");

static const struct {
	const char *name;
	int priority; /* syslog(3), sd-daemon(3) */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", 3},
    [LOG_LEVEL_WARNING] = {"warning", 4},
    [LOG_LEVEL_INFO] = {"info", 6},
    [LOG_LEVEL_DEBUG] = {"debug", 7},
};

/* JOURNAL_STREAM is inherited by those whose stderr is elsewhere; it counts only if it
   names this one (systemd.exec(5)). */
static int
is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &dev, &ino) != 2)
		return 0;
	return fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

struct log
log_start(enum log_level level)
{
	return (struct log){
	    .level = level,
	    .fd = STDERR_FILENO,
	    .journal = is_journal(STDERR_FILENO),
	};
}

int
log_level_from_name(const char *name)
{
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		if (strcmp(levels[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

/* A message is one line whatever it quotes. */
static void
blunt(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

__attribute__((format(printf, 3, 0))) static void
write_message(const struct log *log, enum log_level level, const char *format,
              va_list args)
{
	struct pollfd room = {.fd = log->fd, .events = POLLOUT};
	char text[MESSAGE_MAX];
	size_t at = 0, max = sizeof text;
	int len;

	if (level > log->level)
		return;
	if (log->journal)
		at = (size_t)snprintf(text, sizeof text, "<%d>", levels[level].priority);
	at += (size_t)snprintf(text + at, sizeof text - at, "seccomp-authz: ");
	len = vsnprintf(text + at, max - at, format, args);
	if (len < 0)
		return;
	blunt(text + at);
	if ((size_t)len >= max - at)
		memcpy(text + max - 4, "...", 3);
	at = strlen(text);
	text[at++] = '\n';
	/* A stuck reader of stderr loses messages; it must not stop the judge. */
	if (poll(&room, 1, 0) == 1 && write(log->fd, text, at) < 0)
		return;
}

#define LOG_BODY(level)                                                                  \
	va_list args;                                                                    \
                                                                                         \
	va_start(args, format);                                                          \
	write_message(log, level, format, args);                                         \
	va_end(args)

void
log_error(const struct log *log, const char *format, ...)
{
	LOG_BODY(LOG_LEVEL_ERROR);
}

void
log_warning(const struct log *log, const char *format, ...)
{
	LOG_BODY(LOG_LEVEL_WARNING);
}

void
log_info(const struct log *log, const char *format, ...)
{
	LOG_BODY(LOG_LEVEL_INFO);
}

void
log_debug(const struct log *log, const char *format, ...)
{
	LOG_BODY(LOG_LEVEL_DEBUG);
}
