/* SPDX-License-Identifier: Apache-2.0 */
/* check_text.c - a line for each thing that was judged. */
#include "cmd_check.h"

#include <stdio.h>

enum { NAME_SHOWN = 128 };

static void
begin(const struct check *check)
{
	(void)check;
}

/* allow|deny|observe FILE:LINE CONTAINER POSTURE RULE: sentence */
static void
write_item(const struct check *check, const struct check_item *item)
{
	const struct verdict *verdict = item->verdict;
	cleanup_buf struct buf line = {0};

	(void)check;
	buf_printf(&line, "%s ", item->decision);
	check_add_path(&line, item->path);
	if (item->place.line > 0)
		buf_printf(&line, ":%u", item->place.line);
	buf_char(&line, ' ');
	if (item->name.len > 0)
		buf_quoted(&line, item->name, NAME_SHOWN);
	else
		buf_char(&line, '-');
	buf_printf(&line, " %s ",
	           verdict->has_posture ? posture_name(verdict->posture) : "-");
	buf_add_text(&line, verdict_rule(verdict));
	buf_str(&line, ": ");
	buf_add_text(&line, item->sentence);
	buf_char(&line, '\n');
	if (buf_ok(&line))
		(void)fwrite(line.at, 1, line.len, stdout);
	else
		(void)cmd_complain("out of memory: the report is not whole");
}

static void
end(const struct check *check)
{
	(void)check;
}

const struct check_writer check_text = {"text", begin, write_item, end};
