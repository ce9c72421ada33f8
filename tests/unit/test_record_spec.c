/* SPDX-License-Identifier: Apache-2.0 */
/* test_record_spec.c - tests edge/record_spec.h. */
#include "edge/record_spec.h"
#include "temporary.h"

#define K 1024LL

static void
targets_are_read(void **state)
{
	static const struct {
		const char *target, *path;
		enum record_fsync fsync;
		off_t rotate;
		unsigned keep;
	} rows[] = {
	    {"/x", "/x", RECORD_FSYNC_INTERVAL, 0, 0},
	    {"x y=z", "x y=z", RECORD_FSYNC_INTERVAL, 0, 0},
	    {"/x,fsync=always", "/x", RECORD_FSYNC_ALWAYS, 0, 0},
	    {"/x,fsync=interval", "/x", RECORD_FSYNC_INTERVAL, 0, 0},
	    {"/x,fsync=never", "/x", RECORD_FSYNC_NEVER, 0, 0},
	    {"/x,rotate=64M", "/x", RECORD_FSYNC_INTERVAL, 64 * K * K, 10},
	    {"/x,rotate=65536", "/x", RECORD_FSYNC_INTERVAL, 64 * K, 10},
	    {"/x,rotate=1G,keep=1", "/x", RECORD_FSYNC_INTERVAL, K * K * K, 1},
	    {"/x,keep=500,fsync=never,rotate=64K", "/x", RECORD_FSYNC_NEVER, 64 * K, 500},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct record_spec spec;
		struct err err = {0};

		if (record_spec_read(rows[i].target, &spec, &err))
			fail_msg("%s", err.text);
		assert_string_equal(spec.path, rows[i].path);
		assert_int_equal(spec.fsync, rows[i].fsync);
		assert_int_equal(spec.rotate, rows[i].rotate);
		assert_int_equal(spec.keep, rows[i].keep);
	}
}

static void
mistakes_are_named(void **state)
{
	static const struct {
		const char *target, *what;
	} rows[] = {
	    {"", "file:: names no file"},
	    {",fsync=always", "names no file"},
	    {"/x,", "\",\": should be fsync=, rotate= or keep="},
	    {"/a,b", "\",b\": should be fsync=, rotate= or keep="},
	    {"/x,fsync", "\",fsync\": should be"},
	    {"/x,Fsync=always", "\",Fsync=always\": should be"},
	    {"/x,fsync=always,,keep=1", "\",\": should be"},
	    {"/x,fsync=always,fsync=always", "fsync is given twice"},
	    {"/x,fsync=", "fsync should be always, interval or never"},
	    {"/x,fsync=sometimes", "fsync should be always, interval or never"},
	    {"/x,rotate=", "rotate should be a size of at least 64K"},
	    {"/x,rotate=M", "rotate should be a size"},
	    {"/x,rotate=63K", "rotate should be a size"},
	    {"/x,rotate=64k", "rotate should be a size"},
	    {"/x,rotate=64MB", "rotate should be a size"},
	    {"/x,rotate=-64M", "rotate should be a size"},
	    {"/x,rotate=0", "rotate should be a size"},
	    {"/x,rotate=999999999999G", "rotate should be a size"},
	    {"/x,rotate=9999999999999", "rotate should be a size"},
	    {"/x,keep=10", "keep needs rotate"},
	    {"/x,rotate=1M,keep=0", "keep should be a number from 1 to 500"},
	    {"/x,rotate=1M,keep=501", "keep should be a number from 1 to 500"},
	    {"/x,rotate=1M,keep=1x", "keep should be a number from 1 to 500"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct record_spec spec;
		struct err err = {0};

		assert_int_equal(record_spec_read(rows[i].target, &spec, &err), -1);
		if (!strstr(err.text, rows[i].what) || !strstr(err.text, "file:"))
			fail_msg("%s: %s", rows[i].target, err.text);
	}
}

static void
path_longer_than_any_is_refused(void **state)
{
	static char target[PATH_MAX + 1];
	struct record_spec spec;
	struct err err = {0};

	(void)state;
	memset(target, 'x', PATH_MAX);
	assert_int_equal(record_spec_read(target, &spec, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	target[PATH_MAX - 1] = '\0';
	assert_int_equal(record_spec_read(target, &spec, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(targets_are_read),
	    cmocka_unit_test(mistakes_are_named),
	    cmocka_unit_test(path_longer_than_any_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
