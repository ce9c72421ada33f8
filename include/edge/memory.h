/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory - what jansson does when there is none.
 *
 * jansson 2.14 ignores a buffer that failed to grow while it reads a string (load.c,
 * lex_save), so one failed allocation could alter what it reads. The command line calls
 * memory_guard_jansson() first thing in main: from then on such a failure ends the
 * process, with a message. The judge does without jansson.
 */
#pragma once

void memory_guard_jansson(void);
