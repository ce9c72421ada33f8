/* SPDX-License-Identifier: Apache-2.0 */
/* test_watch.c - a change under a path is seen, however it is made, and told once. */
#include "edge/watch.h"

#include "temporary.h"

#include <poll.h>
#include <time.h>

enum {
	LONGEST_MS = WATCH_LATEST_MS + 1000,
	QUIET_MS = WATCH_SETTLE_MS * 3, /* nothing comes for so long: nothing comes */
};

static const char *
policy_path(void)
{
	return in_folder("etc/policy.json");
}

static void
put(const char *path, const char *text)
{
	write_file(path, text_of(text), O_TRUNC);
}

static void
make_etc(void)
{
	assert_int_equal(mkdir(in_folder("etc"), 0700), 0);
	put(policy_path(), "one");
}

static struct watch *
watch_one(const char *path)
{
	struct watch *watch = NULL;
	struct err err = {0};

	assert_int_equal(watch_open(&path, 1, &watch, &err), 0);
	return watch;
}

/* Within `ms`? */
static bool
tells(struct watch *watch, int ms)
{
	struct timespec start, now;
	int left = ms;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	while (left > 0) {
		struct pollfd fd = {.fd = watch_fd(watch), .events = POLLIN};

		if (poll(&fd, 1, left) > 0 && watch_changed(watch))
			return true;
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		left = ms - (int)((now.tv_sec - start.tv_sec) * 1000 +
		                  (now.tv_nsec - start.tv_nsec) / 1000000);
	}
	return false;
}

/* ---- patterns: make() before the watch, change() after; each is told, once ---- */

static void
write_in_place(void)
{
	put(policy_path(), "two");
}

static void
rename_over(void)
{
	put(in_folder("etc/.policy.json.swp"), "two");
	assert_int_equal(rename(in_folder("etc/.policy.json.swp"), policy_path()), 0);
}

/* vim with 'backupcopy=no' */
static void
move_away_and_write_anew(void)
{
	assert_int_equal(rename(policy_path(), in_folder("etc/policy.json~")), 0);
	put(policy_path(), "two");
	assert_int_equal(unlink(in_folder("etc/policy.json~")), 0);
}

static void
remove_file(void)
{
	assert_int_equal(unlink(policy_path()), 0);
}

static void
make_no_file(void)
{
	assert_int_equal(mkdir(in_folder("etc"), 0700), 0);
}

static void
make_nothing(void)
{
}

static void
make_folder_then_file(void)
{
	make_etc();
}

static void
replace_folder(void)
{
	assert_int_equal(mkdir(in_folder("etc.new"), 0700), 0);
	put(in_folder("etc.new/policy.json"), "two");
	assert_int_equal(rename(in_folder("etc"), in_folder("etc.old")), 0);
	assert_int_equal(rename(in_folder("etc.new"), in_folder("etc")), 0);
}

static void
allow_reading(void)
{
	assert_int_equal(chmod(policy_path(), 0644), 0);
}

static void
hard_link_over(void)
{
	put(in_folder("etc/new"), "two");
	assert_int_equal(unlink(policy_path()), 0);
	assert_int_equal(link(in_folder("etc/new"), policy_path()), 0);
}

/* What kubelet's AtomicWriter does: etc/policy.json -> ..data/policy.json, ..data -> ..1 */
static void
make_config_map(void)
{
	assert_int_equal(mkdir(in_folder("etc"), 0700), 0);
	assert_int_equal(mkdir(in_folder("etc/..1"), 0700), 0);
	put(in_folder("etc/..1/policy.json"), "one");
	assert_int_equal(symlink("..1", in_folder("etc/..data")), 0);
	assert_int_equal(symlink("..data/policy.json", policy_path()), 0);
}

static void
swap_config_map(void)
{
	assert_int_equal(mkdir(in_folder("etc/..2"), 0700), 0);
	put(in_folder("etc/..2/policy.json"), "two");
	assert_int_equal(symlink("..2", in_folder("etc/..data_tmp")), 0);
	assert_int_equal(rename(in_folder("etc/..data_tmp"), in_folder("etc/..data")), 0);
	assert_int_equal(unlink(in_folder("etc/..1/policy.json")), 0);
	assert_int_equal(rmdir(in_folder("etc/..1")), 0);
}

/* A link to a file elsewhere, by an absolute path and "..". */
static void
make_far_link(void)
{
	char target[PATH_MAX];

	assert_int_equal(mkdir(in_folder("etc"), 0700), 0);
	assert_int_equal(mkdir(in_folder("store"), 0700), 0);
	put(in_folder("store/real"), "one");
	(void)snprintf(target, sizeof target, "%s/etc/../store/./real", folder);
	assert_int_equal(symlink(target, policy_path()), 0);
}

static void
write_far_file(void)
{
	put(in_folder("store/real"), "two");
}

static void
point_elsewhere(void)
{
	put(in_folder("store/other"), "two");
	assert_int_equal(unlink(policy_path()), 0);
	assert_int_equal(symlink("../store/other", policy_path()), 0);
}

/* The same length within one tick of the clock that stamps files. */
static void
write_twice_at_once(void)
{
	put(policy_path(), "two");
	put(policy_path(), "six");
}

static void
make_dangling_link(void)
{
	assert_int_equal(mkdir(in_folder("etc"), 0700), 0);
	assert_int_equal(symlink("../store/real", policy_path()), 0);
}

static void
fill_dangling_link(void)
{
	assert_int_equal(mkdir(in_folder("store"), 0700), 0);
	put(in_folder("store/real"), "one");
}

static const struct {
	const char *what;
	void (*make)(void);
	void (*change)(void);
} patterns[] = {
    {"written in place", make_etc, write_in_place},
    {"renamed over", make_etc, rename_over},
    {"moved away and written anew", make_etc, move_away_and_write_anew},
    {"removed", make_etc, remove_file},
    {"written for the first time", make_no_file, write_in_place},
    {"folder made, then the file", make_nothing, make_folder_then_file},
    {"folder replaced", make_etc, replace_folder},
    {"made readable", make_etc, allow_reading},
    {"linked over", make_etc, hard_link_over},
    {"folder of a ConfigMap swapped", make_config_map, swap_config_map},
    {"written behind a link", make_far_link, write_far_file},
    {"link points elsewhere", make_far_link, point_elsewhere},
    {"written twice at once", make_etc, write_twice_at_once},
    {"end of a link made", make_dangling_link, fill_dangling_link},
};

static void
each_way_to_change_a_file_is_told_once(void **state)
{
	for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
		struct watch *watch;

		if (i > 0)
			assert_int_equal(make_folder(state), 0);
		patterns[i].make();
		watch = watch_one(policy_path());
		patterns[i].change();
		if (!tells(watch, LONGEST_MS))
			fail_msg("%s: not seen", patterns[i].what);
		if (tells(watch, QUIET_MS))
			fail_msg("%s: told twice", patterns[i].what);
		watch_close(watch);
		if (i + 1 < sizeof patterns / sizeof patterns[0])
			assert_int_equal(remove_folder(state), 0);
	}
}

static void
what_follows_a_change_is_seen_too(void **state)
{
	struct watch *watch;

	(void)state;
	make_config_map();
	watch = watch_one(policy_path());
	for (int i = 2; i < 6; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "etc/..%d", i);
		assert_int_equal(mkdir(in_folder(name), 0700), 0);
		(void)snprintf(name, sizeof name, "etc/..%d/policy.json", i);
		put(in_folder(name), "next");
		(void)snprintf(name, sizeof name, "..%d", i);
		assert_int_equal(symlink(name, in_folder("etc/..tmp")), 0);
		assert_int_equal(rename(in_folder("etc/..tmp"), in_folder("etc/..data")),
		                 0);
		assert_true(tells(watch, LONGEST_MS));
	}
	watch_close(watch);
}

/* Not only after the time that a removal is given. */
static void
what_is_renamed_over_is_told_soon(void **state)
{
	struct watch *watch;

	(void)state;
	make_etc();
	watch = watch_one(policy_path());
	rename_over();
	assert_true(tells(watch, WATCH_GONE_MS - 200));
	watch_close(watch);
}

static void
what_happens_beside_it_is_not_told(void **state)
{
	struct watch *watch;

	(void)state;
	make_etc();
	watch = watch_one(policy_path());
	put(in_folder("etc/policy.json.bak"), "two");
	put(in_folder("other"), "two");
	assert_int_equal(mkdir(in_folder("etc/policy.json.d"), 0700), 0);
	assert_false(tells(watch, WATCH_GONE_MS + QUIET_MS));
	watch_close(watch);
}

static int64_t
clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* It may be told earlier, when a busy machine leaves a gap between two writes. */
static void
a_change_that_goes_on_and_on_is_told_at_the_latest(void **state)
{
	struct watch *watch;
	int64_t start = clock_ms();
	bool told = false;

	(void)state;
	make_etc();
	watch = watch_one(policy_path());
	while (!told && clock_ms() < start + 4 * WATCH_LATEST_MS) {
		put(policy_path(), "again");
		told = tells(watch, WATCH_SETTLE_MS / 4);
	}
	assert_true(told);
	assert_in_range(clock_ms() - start, 0, 2 * WATCH_LATEST_MS);
	watch_close(watch);
}

static void
several_paths_are_watched_at_once(void **state)
{
	const char *paths[] = {in_folder("etc/policy.json"), in_folder("etc/cert"),
	                       in_folder("etc/key")};
	struct watch *watch = NULL;
	struct err err = {0};

	(void)state;
	make_etc();
	assert_int_equal(watch_open(paths, 3, &watch, &err), 0);
	for (size_t i = 0; i < 3; i++) {
		put(paths[i], "two");
		assert_true(tells(watch, LONGEST_MS));
		assert_false(tells(watch, QUIET_MS));
	}
	watch_close(watch);
}

static void
a_loop_of_links_ends(void **state)
{
	struct watch *watch;

	(void)state;
	assert_int_equal(mkdir(in_folder("etc"), 0700), 0);
	assert_int_equal(symlink("policy.json", policy_path()), 0);
	watch = watch_one(policy_path());
	rename_over();
	assert_true(tells(watch, LONGEST_MS));
	watch_close(watch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_way_to_change_a_file_is_told_once,
	                                    make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(what_follows_a_change_is_seen_too,
	                                    make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(what_is_renamed_over_is_told_soon,
	                                    make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(what_happens_beside_it_is_not_told,
	                                    make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(
		a_change_that_goes_on_and_on_is_told_at_the_latest, make_folder,
		remove_folder),
	    cmocka_unit_test_setup_teardown(several_paths_are_watched_at_once,
	                                    make_folder, remove_folder),
	    cmocka_unit_test_setup_teardown(a_loop_of_links_ends, make_folder,
	                                    remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
