/* SPDX-License-Identifier: Apache-2.0 */
/* test_seccomp_opt.c - SecurityOpt entries are read as parseSecurityOpt reads them. */
#include "core/seccomp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <stdio.h>

enum { ENTRIES_MAX = 4 };

/* What one list of entries gives: a value, nothing, or an error. */
struct row {
	const char *entries[ENTRIES_MAX];
	const char *value; /* NULL: no entry sets seccomp */
	const char *entry; /* the one that wins */
};

static int
read_entries(const char *const entries[ENTRIES_MAX], struct seccomp_opt *opt,
             struct err *err)
{
	struct text texts[ENTRIES_MAX];
	struct text_list list = {.at = texts};

	while (list.count < ENTRIES_MAX && entries[list.count]) {
		texts[list.count] = text_of(entries[list.count]);
		list.count++;
	}
	return seccomp_opt_read(list, opt, err);
}

static bool
row_holds(const struct row *row)
{
	struct seccomp_opt opt = {0};
	struct err err = {0};

	if (read_entries(row->entries, &opt, &err) != 0 || err.code != ERR_NONE)
		return false;
	if (!row->value)
		return !opt.given;
	return opt.given && opt.value.at && text_is(opt.value, row->value) &&
	       text_is(opt.entry, row->entry);
}

static void
check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!row_holds(&rows[i]))
			fail_msg("row %zu: %s", i, rows[i].entries[0]);
	}
}

static void
both_separators_set_the_profile(void **state)
{
	static const struct row rows[] = {
	    {{"seccomp=unconfined"}, "unconfined", "seccomp=unconfined"},
	    {{"seccomp:unconfined"}, "unconfined", "seccomp:unconfined"},
	    {{"seccomp={}"}, "{}", "seccomp={}"},
	    {{"seccomp:{}"}, "{}", "seccomp:{}"},
	    {{"seccomp=builtin"}, "builtin", "seccomp=builtin"},
	    {{"seccomp="}, "", "seccomp="},
	    {{"seccomp:"}, "", "seccomp:"},
	};

	(void)state;
	check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void
equals_anywhere_goes_before_colon(void **state)
{
	static const struct row rows[] = {
	    {{"seccomp=:unconfined"}, ":unconfined", "seccomp=:unconfined"},
	    {{"seccomp==unconfined"}, "=unconfined", "seccomp==unconfined"},
	    {{"seccomp={\"a\":\"b=c\"}"}, "{\"a\":\"b=c\"}", "seccomp={\"a\":\"b=c\"}"},
	    {{"label:type=seccomp:unconfined"}, NULL, NULL},
	    {{"apparmor=seccomp=unconfined"}, NULL, NULL},
	};

	(void)state;
	check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void
the_last_seccomp_entry_wins(void **state)
{
	static const struct row rows[] = {
	    {{"seccomp=unconfined", "seccomp="}, "", "seccomp="},
	    {{"seccomp=", "seccomp:unconfined"}, "unconfined", "seccomp:unconfined"},
	    {{"seccomp={}", "label=disable", "seccomp=builtin"},
	     "builtin",
	     "seccomp=builtin"},
	};

	(void)state;
	check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void
entries_for_other_keys_pass(void **state)
{
	static const struct row rows[] = {
	    {{NULL}, NULL, NULL},
	    {{""}, NULL, NULL},
	    {{"no-new-privileges"}, NULL, NULL},
	    {{"no-new-privileges=true"}, NULL, NULL},
	    {{"no-new-privileges:false"}, NULL, NULL},
	    {{"writable-cgroups", "disable"}, NULL, NULL},
	    {{"apparmor=unconfined"}, NULL, NULL},
	    {{"label=user:seccomp"}, NULL, NULL},
	    {{"seccomps=unconfined"}, NULL, NULL},
	    {{"xseccomp:unconfined"}, NULL, NULL},
	    {{"systempaths=unconfined"}, NULL, NULL},
	    {{"unconfined"}, NULL, NULL},
	};

	(void)state;
	check_rows(rows, sizeof rows / sizeof rows[0]);
}

static void
what_only_looks_like_seccomp_is_refused(void **state)
{
	static const char *const entries[] = {
	    "seccomp",           "SECCOMP",
	    " seccomp ",         "SECCOMP=unconfined",
	    "Seccomp:{}",        " seccomp=unconfined",
	    "seccomp =builtin",  "\tseccomp\n:builtin",
	    "seccomp:a=b",       "SecComp :a=b",
	    "seccomp:={}",       "seccomp:{\"defaultAction\":\"=\"}",
	    "seccomp\v=builtin",
	};

	(void)state;
	for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
		const char *list[ENTRIES_MAX] = {"seccomp=", entries[i]};
		struct seccomp_opt opt = {0};
		struct err err = {0};

		if (read_entries(list, &opt, &err) != -1 || err.code != ERR_TYPE ||
		    opt.given)
			fail_msg("not refused: %s", entries[i]);
	}
}

static void
a_refusal_quotes_the_entry_without_its_control_characters(void **state)
{
	const char *list[ENTRIES_MAX] = {"\x1b[31mSECCOMP", "Seccomp=\x1b[2J\n"};
	struct seccomp_opt opt = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(read_entries(list, &opt, &err), -1);
	assert_non_null(strstr(err.text, "Seccomp="));
	assert_null(strchr(err.text, '\x1b'));
	assert_null(strchr(err.text, '\n'));
}

static void
bytes_behind_a_nul_belong_to_the_value(void **state)
{
	struct text entry = TEXT_LIT("seccomp=unconfined\0x");
	struct seccomp_opt opt = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(
	    seccomp_opt_read((struct text_list){.at = &entry, .count = 1}, &opt, &err),
	    0);
	assert_int_equal(opt.value.len, sizeof "unconfined\0x" - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_separators_set_the_profile),
	    cmocka_unit_test(equals_anywhere_goes_before_colon),
	    cmocka_unit_test(the_last_seccomp_entry_wins),
	    cmocka_unit_test(entries_for_other_keys_pass),
	    cmocka_unit_test(what_only_looks_like_seccomp_is_refused),
	    cmocka_unit_test(a_refusal_quotes_the_entry_without_its_control_characters),
	    cmocka_unit_test(bytes_behind_a_nul_belong_to_the_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
