/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_security_opt.c - SecurityOpt entries mean what parseSecurityOpt makes of them. */
#include "fuzz.h"

#include "core/seccomp.h"

enum { ENTRIES_MAX = 64 };

/*
 * parseSecurityOpt once more (moby daemon/daemon_unix.go), written as Go has it. Returns
 * false for an entry that the engine refuses.
 */
static bool
engine_reads(struct text entry, bool *ret_given, struct text *ret_value)
{
	static const char *const others[] = {"label", "apparmor", "no-new-privileges",
	                                     "writable-cgroups"};
	size_t cut = text_find(entry, '=');
	struct text key;

	if (text_is(entry, "no-new-privileges") || text_is(entry, "writable-cgroups") ||
	    text_is(entry, "disable"))
		return true;
	if (cut == entry.len)
		cut = text_find(entry, ':');
	if (cut == entry.len)
		return false;
	key = text_first(entry, cut);
	if (text_is(key, "seccomp")) {
		*ret_given = true;
		*ret_value = text_from(entry, cut + 1);
		return true;
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		if (text_is(key, others[i]))
			return true;
	}
	return false;
}

static struct text_list
split_lines(struct text input, struct text *entries)
{
	struct text_list list = {.at = entries};

	while (list.count < ENTRIES_MAX) {
		size_t end = text_find(input, '\n');

		entries[list.count++] = text_first(input, end);
		if (end == input.len)
			break;
		input = text_from(input, end + 1);
	}
	return list;
}

static void
check_value(struct text value)
{
	cleanup_arena struct arena arena = {0};
	struct container container = {0};
	struct err err = {0};
	int result = seccomp_judge(value, &arena, &container, &err);

	CHECK(container.postures != 0);
	CHECK((result != 0) ==
	      ((container.postures & POSTURE_BIT(POSTURE_UNREADABLE)) != 0));
	CHECK(!text_is(value, "unconfined") ||
	      container.postures == POSTURE_BIT(POSTURE_UNCONFINED));
	CHECK(!(container.postures & POSTURE_BIT(POSTURE_DEFAULT)) || value.len == 0 ||
	      text_is(value, "builtin"));
	CHECK(result == 0 || err.text[0] != '\0');
}

/* One entry a line. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text entries[ENTRIES_MAX];
	struct text_list list = split_lines(fuzz_text(data, size), entries);
	struct seccomp_opt opt = {0};
	struct err err = {0};
	bool given = false, takes = true;
	struct text value = {0};

	for (size_t i = 0; i < list.count; i++)
		takes = engine_reads(list.at[i], &given, &value) && takes;
	if (seccomp_opt_read(list, &opt, &err) != 0) {
		/* only what no engine takes is refused, so no honest client is */
		CHECK(!takes);
		CHECK(err.text[0] != '\0');
		return 0;
	}
	if (!takes)
		return 0; /* the engine refuses it: nothing runs */
	CHECK(opt.given == given);
	CHECK(!given || text_equal(opt.value, value));
	if (given)
		check_value(value);
	return 0;
}
