/* SPDX-License-Identifier: Apache-2.0 */
/* record_names.c - finds rotated files whose names end with a date. */
#include "edge/record_names.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { DATE_MIN = 8 };

static bool
is_dated(const char *name, const char *base, const char *end)
{
	size_t len = strlen(base), size;
	const char *date = name + len + 1;

	if (strncmp(name, base, len) != 0 || name[len] == '\0' ||
	    !strchr("-._", name[len]))
		return false;
	size = strspn(date, "0123456789-_");
	return date[0] >= '0' && date[0] <= '9' && size >= DATE_MIN &&
	       strcmp(date + size, end) == 0;
}

/* Finds the name in the folder; `earlier` is one, too, or NULL. */
static bool
find(DIR *dir, const char *base, const char *end, const char *earlier,
     char ret_name[NAME_MAX + 1])
{
	const struct dirent *entry;

	ret_name[0] = '\0';
	while ((entry = readdir(dir)) != NULL) {
		if (is_dated(entry->d_name, base, end) &&
		    (!earlier || strcmp(entry->d_name, earlier) < 0) &&
		    strcmp(entry->d_name, ret_name) > 0)
			(void)snprintf(ret_name, NAME_MAX + 1, "%s", entry->d_name);
	}
	return ret_name[0] != '\0';
}

bool
record_dated_before(const char *path, const char *end, const char *before,
                    char ret_name[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
	char name[PATH_MAX], best[NAME_MAX + 1];
	bool found;
	DIR *dir;
	int len;

	len = snprintf(name, sizeof name, "%.*s", folder > 0 ? (int)folder : 1,
	               folder > 0 ? path : ".");
	if (len < 0 || (size_t)len >= sizeof name)
		return false;
	dir = opendir(name);
	if (!dir)
		return false;
	found = find(dir, path + folder, end, before ? before + folder : NULL, best);
	(void)closedir(dir);
	len = snprintf(name, sizeof name, "%.*s%s", (int)folder, path, best);
	if (!found || len < 0 || (size_t)len >= sizeof name)
		return false;
	memcpy(ret_name, name, (size_t)len + 1);
	return true;
}
