/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - sets an error once, with context in front. */
#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
err_set(struct err *err, enum err_code code, const char *format, ...)
{
	va_list args;

	if (!err || err->code != ERR_NONE)
		return -1;
	err->code = code;
	va_start(args, format);
	(void)vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	return -1;
}

int
err_wrap(struct err *err, const char *format, ...)
{
	char old[ERR_TEXT_MAX];
	size_t len;
	va_list args;

	if (!err)
		return -1;
	memcpy(old, err->text, sizeof old);
	va_start(args, format);
	(void)vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	len = strlen(err->text);
	(void)snprintf(err->text + len, sizeof err->text - len, ": %s", old);
	return -1;
}
