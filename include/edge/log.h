/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - messages to the operator on stderr (the record of decisions is record.h).
 *
 * One line a message: "<LEVEL>seccomp-authz: text", LEVEL as "<6>" for journald when
 * stderr is a journal stream (JOURNAL_STREAM, sd-daemon(3)), absent otherwise. Nothing
 * from a request is logged unquoted. Thread-safe; a message is one write(2).
 */
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log {
	enum log_level level; /* messages above it are dropped */
	int fd;               /* usually 2 */
	int journal;          /* 1: prefix lines with <N> */
};

/* A log on stderr at `level`. */
struct log log_start(enum log_level level);

/* "error", "warning", "info", "debug"; -1 for no such name. */
int log_level_from_name(const char *name);

void log_error(const struct log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void log_warning(const struct log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void log_info(const struct log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void log_debug(const struct log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
