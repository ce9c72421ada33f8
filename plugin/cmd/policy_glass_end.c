/* SPDX-License-Identifier: Apache-2.0 */
/* policy_glass_end.c - `policy break-glass --end`: takes out what the command has put in. */
#include "cmd_policy_glass.h"

#include "core/policy_edit.h"

#include <stdio.h>

/* "123" in front of `text`; what is left, missing if there is no digit. */
static struct text
behind_digits(struct text text)
{
	size_t len = 0;

	while (len < text.len && text.at[len] >= '0' && text.at[len] <= '9')
		len++;
	return len > 0 ? text_from(text, len) : (struct text){0};
}

/* break-glass-TIME-NUMBER, as begin() makes them: what somebody wrote who calls it
   break-glass-because is theirs. */
static bool
is_made_here(struct text id, void *context)
{
	struct buf *ids = context;
	struct text rest;

	if (!text_has_prefix(id, POLICY_BREAK_GLASS_PREFIX))
		return false;
	rest = behind_digits(text_from(id, strlen(POLICY_BREAK_GLASS_PREFIX)));
	if (!text_has_prefix(rest, "-"))
		return false;
	rest = behind_digits(text_from(rest, 1));
	if (!rest.at || rest.len > 0)
		return false;
	buf_str(ids, ids->len > 0 ? ", " : "");
	buf_add_text(ids, id);
	return true;
}

int
policy_glass_end(const struct policy_glass *glass)
{
	cleanup_policy_text struct policy_text text = {.policy = NULL};
	cleanup_buf struct buf result = {0}, ids = {0};
	struct err err = {0};
	size_t count = 0;

	if (policy_text_read(&text, glass->real) != EXIT_CLEAN)
		return EXIT_UNSURE;
	if (!text.policy)
		return policy_text_complain(&text);
	if (policy_edit_drop(buf_text(&text.bytes), is_made_here, &ids, &result, &count,
	                     &err) != 0)
		return cmd_complain("%s: %s", glass->path, err.text);
	if (count == 0) {
		(void)printf("%s: no break-glass exception is in it\n", glass->path);
		return EXIT_CLEAN;
	}
	if (policy_glass_check(&result) != EXIT_CLEAN ||
	    policy_replace(glass->real, buf_text(&result), "before-break-glass-end") !=
	        EXIT_CLEAN)
		return EXIT_UNSURE;
	policy_glass_note("ends", buf_ok(&ids) ? ids.at : "?", glass->reason);
	(void)printf("%s: taken out: %s\n"
	             "containers that were made meanwhile stay: seccomp-authz audit "
	             "--policy %s finds them\n",
	             glass->path, buf_ok(&ids) ? ids.at : "?", glass->path);
	return EXIT_CLEAN;
}
