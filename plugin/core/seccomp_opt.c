/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_opt.c - SecurityOpt entries to the seccomp setting, as parseSecurityOpt does. */
#include "core/seccomp.h"

#include "core/buf.h"

enum { QUOTED_MAX = 80 };

/* Entries that engines take whole, before they look for a separator. "writable-cgroups"
   is one from v28 on; older engines refuse it, so nothing runs. */
static bool
is_word(struct text entry)
{
	return text_is(entry, "no-new-privileges") ||
	       text_is(entry, "writable-cgroups") || text_is(entry, "disable");
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* True for what a person would take for the key "seccomp": white space around it, other
   case, or with more behind a ':' ("seccomp:a=b" is cut at its '='). */
static bool
looks_like_seccomp(struct text key)
{
	static const char word[] = "seccomp";

	key = text_first(key, text_find(key, ':'));
	while (key.len > 0 && is_space(key.at[0]))
		key = text_from(key, 1);
	while (key.len > 0 && is_space(key.at[key.len - 1]))
		key.len--;
	if (key.len != sizeof word - 1)
		return false;
	for (size_t i = 0; i < key.len; i++) {
		if ((key.at[i] | 0x20) != word[i])
			return false;
	}
	return true;
}

static int
refuse(struct text entry, struct err *err)
{
	cleanup_buf struct buf quoted = {0};

	buf_quoted(&quoted, entry, QUOTED_MAX);
	return err_set(err, ERR_TYPE,
	               "security option %s sets no seccomp profile: engines take only "
	               "seccomp=VALUE, in lower case and without spaces",
	               buf_ok(&quoted) ? quoted.at : "");
}

static int
read_entry(struct text entry, struct seccomp_opt *opt, struct err *err)
{
	size_t cut = text_find(entry, '=');
	struct text key;

	if (is_word(entry))
		return 0;
	if (cut == entry.len)
		cut = text_find(entry, ':');
	key = text_first(entry, cut);
	if (cut == entry.len || !text_is(key, "seccomp"))
		return looks_like_seccomp(key) ? refuse(entry, err) : 0;
	*opt = (struct seccomp_opt){
	    .given = true, .entry = entry, .value = text_from(entry, cut + 1)};
	return 0;
}

int
seccomp_opt_read(struct text_list entries, struct seccomp_opt *ret_opt, struct err *err)
{
	struct seccomp_opt opt = {0};

	for (size_t i = 0; i < entries.count; i++) {
		if (read_entry(entries.at[i], &opt, err) != 0)
			return -1;
	}
	*ret_opt = opt;
	return 0;
}
