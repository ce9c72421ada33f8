/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_store.c - tests edge/policy_store.h. */
#include "edge/policy_store.h"
#include "edge/policy_keep.h"
#include "temporary.h"

#include <pthread.h>
#include <stdatomic.h>

static const char good[] = "{\"version\": 1, \"allow\": [\"default\"]}\n";
static const char other[] = "{\"version\": 1, \"allow\": [\"default\", \"custom\"]}\n";
static const char bad[] = "{\"version\": 1, \"allow\": [\"unreadable\"], \"what\": 1}\n";

static const char *
policy_path(void)
{
	return in_folder("policy.json");
}

static void
put(const char *path, const char *bytes)
{
	write_file(path, text_of(bytes), O_TRUNC);
}

/* Opens the store on `path` (NULL: the default path, which is "default.json" here). */
static struct policy_store *
opened(const char *path)
{
	char default_path[PATH_MAX], state_dir[PATH_MAX];
	struct policy_store_options options = {.path = path,
	                                       .default_path = default_path,
	                                       .state_dir = state_dir,
	                                       .log = &test_log};
	struct policy_store *store = NULL;
	struct err err = {0};

	(void)snprintf(default_path, sizeof default_path, "%s",
	               in_folder("default.json"));
	(void)snprintf(state_dir, sizeof state_dir, "%s", in_folder("state/dir"));
	if (policy_store_open_with(&options, &store, &err))
		fail_msg("%s", err.text);
	return store;
}

/* What is in force: "" for no policy, else its digest; checks the rest on the way. */
static const char *
in_force(struct policy_store *store, const char *source, bool degraded)
{
	static char digest[72];
	const struct policy_snapshot *snapshot = policy_store_acquire(store);

	assert_string_equal(snapshot->source, source);
	assert_int_equal(snapshot->degraded, degraded);
	assert_int_equal(snapshot->degraded_reason[0] != '\0', degraded);
	assert_int_equal(snapshot->broken[0] != '\0', snapshot->policy == NULL);
	(void)snprintf(digest, sizeof digest, "%s",
	               snapshot->policy ? snapshot->policy->digest : "");
	policy_store_release(store, snapshot);
	return digest;
}

static const char *
digest_of(const char *bytes)
{
	static char digests[4][72];
	static unsigned turn;
	struct policy_problems problems = {.count = 0};
	struct policy *policy = policy_parse(text_of(bytes), &problems);
	char *digest = digests[turn++ % 4];

	assert_non_null(policy);
	(void)snprintf(digest, 72, "%s", policy->digest);
	policy_free(policy);
	return digest;
}

static const char *
last_good_source(void)
{
	static char source[PATH_MAX + 32];

	(void)snprintf(source, sizeof source, "last good copy of %s", policy_path());
	return source;
}

/* Starts once with a good policy, so that there is a copy of it. */
static void
start_good(void)
{
	struct policy_store *store;

	put(policy_path(), good);
	store = opened(policy_path());
	assert_string_equal(in_force(store, policy_path(), false), digest_of(good));
	policy_store_close(store);
}

static void
good_file_is_in_force(void **state)
{
	struct stat st;

	(void)state;
	start_good();
	assert_logged("in force, digest sha256:", 1);
	assert_logged("warning", 0);
	assert_int_equal(stat(in_folder("state/dir"), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(stat(in_folder("state/dir/" POLICY_KEEP_COPY), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(stat(in_folder("state/dir/last-good-policy.tmp"), &st), -1);
}

static void
store_without_a_state_folder_keeps_and_reads_nothing(void **state)
{
	struct policy_store_options options = {.path = policy_path(), .log = &test_log};
	struct policy_store *store = NULL;
	struct err err = {0};
	struct stat st;

	(void)state;
	put(policy_path(), good);
	assert_int_equal(policy_store_open_with(&options, &store, &err), 0);
	assert_string_equal(in_force(store, policy_path(), false), digest_of(good));
	put(policy_path(), "{");
	assert_int_equal(policy_store_reload(store), -1);
	assert_string_equal(in_force(store, policy_path(), true), digest_of(good));
	policy_store_close(store);
	assert_logged("last good", 0);
	assert_int_equal(stat(in_folder("state"), &st), -1);
	assert_int_equal(policy_store_open_with(&options, &store, &err), 0);
	assert_string_equal(in_force(store, policy_path(), true), "");
	policy_store_close(store);
}

/* ---- files that are no policy ---- */

static void
make_missing(const char *path)
{
	(void)path;
}

static void
make_empty(const char *path)
{
	put(path, "");
}

static void
make_half(const char *path)
{
	put(path, "{\"version\": 1, \"allow\": [\"def");
}

static void
make_no_json(const char *path)
{
	put(path, "allow everything\n");
}

static void
make_other_version(const char *path)
{
	put(path, "{\"version\": 2}");
}

static void
make_wrong(const char *path)
{
	put(path, bad);
}

static void
make_fifo(const char *path)
{
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void
make_directory(const char *path)
{
	assert_int_equal(mkdir(path, 0700), 0);
}

static void
make_device(const char *path)
{
	assert_int_equal(symlink("/dev/zero", path), 0);
}

static void
make_loop(const char *path)
{
	assert_int_equal(symlink(path, path), 0);
}

static void
make_huge(const char *path)
{
	put(path, good);
	assert_int_equal(truncate(path, POLICY_FILE_MAX + 1), 0);
}

static const struct {
	void (*make)(const char *path);
	const char *why; /* a part of the reason, after "FILE: " */
} no_policies[] = {
    {make_missing, "can't be opened: No such file or directory"},
    {make_empty, ""},
    {make_half, ""},
    {make_no_json, ""},
    {make_other_version, "version"},
    {make_wrong, "(and 1 more)"},
    {make_fifo, "is a FIFO, not a file"},
    {make_directory, "is a folder, not a file"},
    {make_device, "is a device, not a file"},
    {make_loop, "can't be opened: Too many levels of symbolic links"},
    {make_huge, "is larger than 16777216 bytes"},
};

#define EACH_NO_POLICY                                                                   \
	size_t i = 0;                                                                    \
	i < sizeof no_policies / sizeof no_policies[0];                                  \
	i++

static void
assert_reason(const char *reason, size_t i)
{
	const char *path = policy_path();

	if (!text_has_prefix(text_of(reason), path) || reason[strlen(path)] != ':' ||
	    !strstr(reason, no_policies[i].why))
		fail_msg("row %zu: %s", i, reason);
}

static void
without_a_good_policy_ever_there_is_none_and_the_reason(void **state)
{
	(void)state;
	for (EACH_NO_POLICY) {
		const struct policy_snapshot *snapshot;
		struct policy_store *store;

		no_policies[i].make(policy_path());
		store = opened(policy_path());
		assert_string_equal(in_force(store, policy_path(), true), "");
		snapshot = policy_store_acquire(store);
		assert_reason(snapshot->broken, i);
		assert_string_equal(snapshot->broken, snapshot->degraded_reason);
		policy_store_release(store, snapshot);
		assert_int_equal(policy_store_reload(store), -1);
		assert_string_equal(in_force(store, policy_path(), true), "");
		policy_store_close(store);
		(void)remove(policy_path());
	}
}

static void
start_without_a_good_file_uses_the_last_good_one(void **state)
{
	(void)state;
	start_good();
	for (EACH_NO_POLICY) {
		const struct policy_snapshot *snapshot;
		struct policy_store *store;

		assert_int_equal(remove(policy_path()), 0);
		no_policies[i].make(policy_path());
		store = opened(policy_path());
		assert_string_equal(in_force(store, last_good_source(), true),
		                    digest_of(good));
		snapshot = policy_store_acquire(store);
		assert_reason(snapshot->degraded_reason, i);
		policy_store_release(store, snapshot);
		policy_store_close(store);
		if (i == 0)
			put(policy_path(), "");
	}
}

static void
reload_without_a_good_file_changes_nothing(void **state)
{
	struct policy_store *store;

	(void)state;
	put(policy_path(), good);
	store = opened(policy_path());
	for (EACH_NO_POLICY) {
		const struct policy_snapshot *snapshot;

		assert_int_equal(remove(policy_path()), 0);
		no_policies[i].make(policy_path());
		assert_int_equal(policy_store_reload(store), -1);
		assert_string_equal(in_force(store, policy_path(), true),
		                    digest_of(good));
		snapshot = policy_store_acquire(store);
		assert_reason(snapshot->degraded_reason, i);
		policy_store_release(store, snapshot);
		if (i == 0)
			put(policy_path(), "");
	}
	assert_logged("not taken; the earlier policy stays\n",
	              sizeof no_policies / sizeof no_policies[0]);
	assert_int_equal(remove(policy_path()), 0);
	put(policy_path(), other);
	assert_int_equal(policy_store_reload(store), 0);
	assert_string_equal(in_force(store, policy_path(), false), digest_of(other));
	policy_store_close(store);
}

static void
each_problem_is_a_line_of_the_log(void **state)
{
	char wanted[2][PATH_MAX + 64];

	(void)state;
	put(policy_path(), bad);
	policy_store_close(opened(policy_path()));
	(void)snprintf(wanted[0], sizeof wanted[0], "policy %s: /allow/0", policy_path());
	(void)snprintf(wanted[1], sizeof wanted[1], "policy %s: /what", policy_path());
	assert_logged(wanted[0], 1);
	assert_logged(wanted[1], 1);
	assert_logged("no policy is in force; every workload is denied\n", 1);
}

static void
repaired_file_ends_the_lack_of_a_policy(void **state)
{
	struct policy_store *store;

	(void)state;
	store = opened(policy_path());
	assert_string_equal(in_force(store, policy_path(), true), "");
	put(policy_path(), good);
	assert_int_equal(policy_store_reload(store), 0);
	assert_string_equal(in_force(store, policy_path(), false), digest_of(good));
	policy_store_close(store);
}

/* ---- the copy ---- */

static void
copy_is_the_file_byte_by_byte(void **state)
{
	cleanup_buf struct buf copy = {0};

	(void)state;
	start_good();
	read_into(in_folder("state/dir/" POLICY_KEEP_COPY), &copy);
	assert_string_equal(copy.at, good);
}

static void
copy_of_another_path_is_not_used(void **state)
{
	struct policy_store *store;

	(void)state;
	start_good();
	store = opened(in_folder("elsewhere.json"));
	assert_string_equal(in_force(store, in_folder("elsewhere.json"), true), "");
	policy_store_close(store);
	put(in_folder("elsewhere.json"), other);
	policy_store_close(opened(in_folder("elsewhere.json")));
	assert_int_equal(unlink(policy_path()), 0);
	store = opened(policy_path());
	assert_string_equal(in_force(store, policy_path(), true), "");
	policy_store_close(store);
}

static void
path_that_is_relative_is_the_same_from_the_same_folder_only(void **state)
{
	char before[PATH_MAX];
	struct policy_store *store;

	(void)state;
	assert_non_null(getcwd(before, sizeof before));
	start_good();
	assert_int_equal(unlink(policy_path()), 0);
	assert_int_equal(chdir(folder), 0);
	store = opened("policy.json");
	assert_string_equal(in_force(store, "last good copy of policy.json", true),
	                    digest_of(good));
	policy_store_close(store);
	assert_int_equal(chdir("/"), 0);
	store = opened("policy.json");
	assert_string_equal(in_force(store, "policy.json", true), "");
	policy_store_close(store);
	assert_int_equal(chdir(before), 0);
}

static void
copy_that_others_may_have_written_is_not_used(void **state)
{
	static const struct {
		const char *name;
		mode_t mode, usual;
		const char *logged;
	} rows[] = {
	    {"state/dir", 0770, 0700, "can be written by group or others; ignored"},
	    {"state/dir", 0707, 0700, "can be written by group or others; ignored"},
	    {"state/dir/" POLICY_KEEP_COPY, 0620, 0600, "can be written by group"},
	    {"state/dir/" POLICY_KEEP_SOURCE, 0602, 0600, "can be written by group"},
	};
	struct policy_store *store;

	(void)state;
	start_good();
	assert_int_equal(unlink(policy_path()), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t before = times_in(in_folder("log"), rows[i].logged);

		assert_int_equal(chmod(in_folder(rows[i].name), rows[i].mode), 0);
		store = opened(policy_path());
		assert_string_equal(in_force(store, policy_path(), true), "");
		policy_store_close(store);
		assert_logged(rows[i].logged, before + 1);
		assert_int_equal(chmod(in_folder(rows[i].name), rows[i].usual), 0);
	}
	store = opened(policy_path());
	assert_string_equal(in_force(store, last_good_source(), true), digest_of(good));
	policy_store_close(store);
}

static void
state_folder_of_somebody_else_is_not_used(void **state)
{
	struct policy_store *store;

	(void)state;
	if (geteuid() != 0) {
		print_message("only root can give a folder away\n");
		skip();
	}
	start_good();
	assert_int_equal(unlink(policy_path()), 0);
	assert_int_equal(chown(in_folder("state/dir"), 65534, 65534), 0);
	store = opened(policy_path());
	assert_string_equal(in_force(store, policy_path(), true), "");
	policy_store_close(store);
	assert_logged("belongs to uid 65534, not to us; ignored", 1);
}

static void
copy_that_is_a_link_or_damaged_is_not_used(void **state)
{
	struct policy_store *store;
	const char *copy;

	(void)state;
	start_good();
	copy = in_folder("state/dir/" POLICY_KEEP_COPY);
	put(copy, "{\"version\": 1, \"allow\": [\"unconf");
	put(in_folder("elsewhere.json"), other);
	assert_int_equal(unlink(policy_path()), 0);
	for (int i = 0; i < 2; i++) {
		store = opened(policy_path());
		assert_string_equal(in_force(store, policy_path(), true), "");
		policy_store_close(store);
		(void)unlink(in_folder("state/dir/" POLICY_KEEP_COPY));
		assert_int_equal(symlink(in_folder("elsewhere.json"),
		                         in_folder("state/dir/" POLICY_KEEP_COPY)),
		                 0);
	}
}

static void
state_folder_that_can_not_be_made_is_a_warning(void **state)
{
	struct policy_store *store;

	(void)state;
	put(in_folder("state"), "a file");
	put(policy_path(), good);
	store = opened(policy_path());
	assert_string_equal(in_force(store, policy_path(), false), digest_of(good));
	assert_int_equal(policy_store_reload(store), 0);
	policy_store_close(store);
	assert_logged("no last good policy is kept: folder", 1);
}

/* ---- the default path ---- */

static void
built_in_policy_is_used_where_there_never_was_a_file(void **state)
{
	struct policy_store *store;

	(void)state;
	for (int i = 0; i < 2; i++) {
		store = opened(NULL);
		assert_string_equal(in_force(store, "built-in", false), "built-in");
		assert_int_equal(policy_store_reload(store), 0);
		assert_string_equal(in_force(store, "built-in", false), "built-in");
		policy_store_close(store);
	}
}

static void
file_at_the_default_path_is_taken_when_it_appears_and_missed_ever_after(void **state)
{
	struct policy_store *store = opened(NULL);
	char source[PATH_MAX + 32];

	(void)state;
	put(in_folder("default.json"), good);
	assert_int_equal(policy_store_reload(store), 0);
	assert_string_equal(in_force(store, in_folder("default.json"), false),
	                    digest_of(good));
	assert_int_equal(unlink(in_folder("default.json")), 0);
	assert_int_equal(policy_store_reload(store), -1);
	assert_string_equal(in_force(store, in_folder("default.json"), true),
	                    digest_of(good));
	policy_store_close(store);
	store = opened(NULL);
	(void)snprintf(source, sizeof source, "last good copy of %s",
	               in_folder("default.json"));
	assert_string_equal(in_force(store, source, true), digest_of(good));
	policy_store_close(store);
}

static void
broken_file_at_the_default_path_is_not_the_built_in_policy(void **state)
{
	struct policy_store *store;

	(void)state;
	put(in_folder("default.json"), bad);
	for (int i = 0; i < 2; i++) {
		store = opened(NULL);
		assert_string_equal(in_force(store, in_folder("default.json"), true), "");
		policy_store_close(store);
		(void)unlink(in_folder("default.json"));
	}
}

static void
file_that_vanishes_is_missed_without_a_state_folder_too(void **state)
{
	struct policy_store *store;

	(void)state;
	put(in_folder("state"), "a file");
	put(in_folder("default.json"), good);
	store = opened(NULL);
	assert_int_equal(unlink(in_folder("default.json")), 0);
	assert_int_equal(policy_store_reload(store), -1);
	assert_string_equal(in_force(store, in_folder("default.json"), true),
	                    digest_of(good));
	policy_store_close(store);
}

/* ---- snapshots ---- */

static void
snapshot_stays_while_others_are_swapped_in(void **state)
{
	const struct policy_snapshot *held[4];
	struct policy_store *store;

	(void)state;
	put(policy_path(), good);
	store = opened(policy_path());
	held[0] = policy_store_acquire(store);
	put(policy_path(), bad);
	assert_int_equal(policy_store_reload(store), -1);
	held[1] = policy_store_acquire(store);
	assert_int_equal(policy_store_reload(store), -1);
	held[2] = policy_store_acquire(store);
	put(policy_path(), other);
	assert_int_equal(policy_store_reload(store), 0);
	held[3] = policy_store_acquire(store);
	assert_ptr_equal(held[0]->policy, held[1]->policy);
	assert_ptr_equal(held[0]->policy, held[2]->policy);
	policy_store_release(store, held[0]);
	policy_store_release(store, held[2]);
	assert_string_equal(held[1]->policy->digest, digest_of(good));
	assert_string_equal(held[1]->source, policy_path());
	policy_store_release(store, held[1]);
	assert_string_equal(held[3]->policy->digest, digest_of(other));
	policy_store_release(store, held[3]);
	policy_store_release(store, NULL);
	policy_store_close(store);
}

struct reader {
	struct policy_store *store;
	const char *digests[2];
	atomic_bool stop;
	atomic_int wrong;
	pthread_t thread;
};

static void *
read_snapshots(void *argument)
{
	struct reader *reader = argument;

	while (!atomic_load(&reader->stop)) {
		const struct policy_snapshot *snapshot =
		    policy_store_acquire(reader->store);

		if (strcmp(snapshot->policy->digest, reader->digests[0]) != 0 &&
		    strcmp(snapshot->policy->digest, reader->digests[1]) != 0)
			atomic_fetch_add(&reader->wrong, 1);
		policy_store_release(reader->store, snapshot);
	}
	return NULL;
}

static void
threads_read_while_it_is_reloaded(void **state)
{
	static const char *const contents[] = {good, bad, other};
	const char *digests[2] = {digest_of(good), digest_of(other)};
	struct reader readers[3];
	struct policy_store *store;

	(void)state;
	put(policy_path(), good);
	store = opened(policy_path());
	for (size_t i = 0; i < 3; i++) {
		readers[i] = (struct reader){.store = store};
		memcpy(readers[i].digests, digests, sizeof digests);
		assert_int_equal(
		    pthread_create(&readers[i].thread, NULL, read_snapshots, &readers[i]),
		    0);
	}
	for (size_t i = 0; i < 60; i++) {
		put(policy_path(), contents[i % 3]);
		assert_int_equal(policy_store_reload(store), i % 3 == 1 ? -1 : 0);
	}
	for (size_t i = 0; i < 3; i++) {
		atomic_store(&readers[i].stop, true);
		assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
		assert_int_equal(atomic_load(&readers[i].wrong), 0);
	}
	policy_store_close(store);
}

/* ---- for the offline commands ---- */

static void
file_is_loaded_with_all_its_problems(void **state)
{
	struct policy_problems problems;
	struct policy *policy;

	(void)state;
	put(policy_path(), good);
	policy = policy_load_file(policy_path(), &problems);
	assert_non_null(policy);
	policy_free(policy);
	put(policy_path(), bad);
	assert_null(policy_load_file(policy_path(), &problems));
	assert_int_equal(problems.count, 2);
	assert_null(policy_load_file(in_folder("missing"), &problems));
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems.at[0].pointer, "");
	assert_string_equal(problems.at[0].text,
	                    "can't be opened: No such file or directory");
}

#define in_a_folder(test)                                                                \
	cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_folder(good_file_is_in_force),
	    in_a_folder(store_without_a_state_folder_keeps_and_reads_nothing),
	    in_a_folder(without_a_good_policy_ever_there_is_none_and_the_reason),
	    in_a_folder(start_without_a_good_file_uses_the_last_good_one),
	    in_a_folder(reload_without_a_good_file_changes_nothing),
	    in_a_folder(each_problem_is_a_line_of_the_log),
	    in_a_folder(repaired_file_ends_the_lack_of_a_policy),
	    in_a_folder(copy_is_the_file_byte_by_byte),
	    in_a_folder(copy_of_another_path_is_not_used),
	    in_a_folder(path_that_is_relative_is_the_same_from_the_same_folder_only),
	    in_a_folder(copy_that_others_may_have_written_is_not_used),
	    in_a_folder(state_folder_of_somebody_else_is_not_used),
	    in_a_folder(copy_that_is_a_link_or_damaged_is_not_used),
	    in_a_folder(state_folder_that_can_not_be_made_is_a_warning),
	    in_a_folder(built_in_policy_is_used_where_there_never_was_a_file),
	    in_a_folder(
		file_at_the_default_path_is_taken_when_it_appears_and_missed_ever_after),
	    in_a_folder(broken_file_at_the_default_path_is_not_the_built_in_policy),
	    in_a_folder(file_that_vanishes_is_missed_without_a_state_folder_too),
	    in_a_folder(snapshot_stays_while_others_are_swapped_in),
	    in_a_folder(threads_read_while_it_is_reloaded),
	    in_a_folder(file_is_loaded_with_all_its_problems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
