/* SPDX-License-Identifier: Apache-2.0 */
/* test_record_file.c - tests the file sink of edge/record.h on real files. */
#include "record_check.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>

static const char *
record_path(void)
{
	return in_folder("log.d/record.jsonl");
}

/* Opens the record at record_path(), ",options" behind it; NULL with *err set if it can't
   be. */
static struct record *
try_open_with(const char *options, struct err *err)
{
	char sink[PATH_MAX + 64];
	const char *const sinks[] = {sink};
	struct record *record = NULL;

	(void)snprintf(sink, sizeof sink, "file:%s%s", record_path(), options);
	*err = (struct err){0};
	(void)record_open(sinks, 1, "host.example", &test_log, &record, err);
	return record;
}

static struct record *
try_open(struct err *err)
{
	return try_open_with("", err);
}

static struct record *
opened_with(const char *options)
{
	struct err err;
	struct record *record = try_open_with(options, &err);

	if (!record)
		fail_msg("%s", err.text);
	return record;
}

static struct record *
opened(void)
{
	return opened_with("");
}

/* Opens, writes `count` lines, closes. */
static void
write_lines(size_t count)
{
	struct record *record = opened();
	struct try try;

	for (size_t i = 0; i < count; i++)
		assert_string_equal(
		    try_once(record, &try, "{\"time\":\"2026-01-02T03:04:05.678901Z\""),
		    "");
	record_close(record);
}

/* Lines of the chain in `path`, which goes on from *chain. */
static size_t
chain_of(const char *path, struct record_chain *chain)
{
	cleanup_buf struct buf bytes = {0};

	read_into(path, &bytes);
	return check_chain(buf_text(&bytes), chain);
}

static void
assert_chain(const char *path, size_t count)
{
	struct record_chain chain = {0};

	assert_int_equal(chain_of(path, &chain), count);
	assert_int_equal(chain.seq, count);
}

static void
append(const char *path, const char *bytes)
{
	write_file(path, text_of(bytes), O_APPEND);
}

/* ---- making and opening ---- */

static void
file_and_folder_are_made_with_their_modes(void **state)
{
	struct stat st;

	(void)state;
	(void)umask(0);
	write_lines(1);
	(void)umask(077);
	assert_int_equal(stat(record_path(), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(stat(in_folder("log.d"), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0750);
	assert_int_equal(unlink(record_path()), 0);
	write_lines(1);
	(void)umask(022);
	assert_int_equal(stat(record_path(), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
}

static void
mode_of_a_file_that_is_there_stays(void **state)
{
	struct stat st;

	(void)state;
	write_lines(1);
	assert_int_equal(chmod(record_path(), 0600), 0);
	write_lines(1);
	assert_int_equal(stat(record_path(), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
}

static void
assert_not_opened(const char *why)
{
	struct err err;
	struct record *record = try_open(&err);

	assert_null(record);
	if (!text_has_prefix(text_of(err.text), record_path()) || !strstr(err.text, why))
		fail_msg("wanted %s: %s, got %s", record_path(), why, err.text);
}

static void
what_is_no_regular_file_is_refused(void **state)
{
	const char *path = record_path();

	(void)state;
	assert_int_equal(mkdir(in_folder("log.d"), 0700), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_not_opened("is a FIFO, not a file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_not_opened("can't be opened: Is a directory");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_not_opened("is a symbolic link");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(in_folder("log.d")), 0);
}

static void
file_that_another_process_writes_is_refused(void **state)
{
	struct record *record = opened();
	int fd;

	(void)state;
	assert_not_opened("another process writes this record (it is locked)");
	record_close(record);
	fd = open(record_path(), O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_not_opened("another process writes this record (it is locked)");
	(void)close(fd);
	write_lines(1);
}

static void
file_that_is_no_record_is_refused_and_stays(void **state)
{
	static const char *const contents[] = {
	    "hello\n",
	    "hello",
	    "{\"a\":1}\n",
	    "\n",
	    "{\"time\":\"2026-01-02T03:04:05.678901Z\",\"seq\":1,\"prev\":\"\"}\nhello\n",
	};

	(void)state;
	assert_int_equal(mkdir(in_folder("log.d"), 0700), 0);
	for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
		cleanup_buf struct buf after = {0};

		write_file(record_path(), text_of(contents[i]), O_TRUNC);
		assert_not_opened("is not a record: its last line has no \"seq\"");
		read_into(record_path(), &after);
		assert_string_equal(after.at, contents[i]);
	}
}

/* ---- across restarts ---- */

static void
restart_goes_on_with_the_chain(void **state)
{
	struct record_state now;
	struct record *record;

	(void)state;
	write_lines(3);
	write_lines(2);
	record = opened();
	record_state(record, &now);
	assert_int_equal(now.last_time_us, 1767323045678901);
	record_close(record);
	assert_chain(record_path(), 5);
}

static void
torn_line_is_closed_by_a_recovery_record(void **state)
{
	static const char *const torn[] = {
	    "{",
	    "{\"time\":\"2026-01-02T03:04:05.678901Z\",\"seq\":3,\"prev\":\"0123",
	    "{\"time\":\"2026-01-02T03:04:05.678901Z\",\"a\":\"\\u00e9\xc3",
	};

	(void)state;
	for (size_t i = 0; i < sizeof torn / sizeof torn[0]; i++) {
		(void)unlink(record_path());
		write_lines(2);
		append(record_path(), torn[i]);
		write_lines(2);
		assert_chain(record_path(), 5);
		assert_int_equal(times_in(record_path(), "was closed"), 1);
	}
	append(record_path(), "{");
	record_close(opened()); /* without a line of its own */
	assert_chain(record_path(), 6);
}

/* Nobody can say that a whole line which is none of ours is what a crash left. */
static void
whole_line_of_somebody_else_is_no_torn_one(void **state)
{
	(void)state;
	write_lines(2);
	append(record_path(), "{\"a\":1}\n");
	assert_not_opened("is not a record: its last line has no \"seq\"");
}

/* The crash came after the newline that closes a torn line, or once more in the recovery
   record itself. */
static void
torn_lines_that_were_closed_without_a_record_are_closed_by_one(void **state)
{
	static const struct {
		const char *torn;
		size_t count;
	} rows[] = {
	    {"{\n", 1},
	    {"{\"time\":\"2026-01-02T03:04:05.678901Z\",\"seq\":3,\"prev\":\"01\n", 1},
	    {"{\"time\":\"2026-01-\n{\"time\":\"2026-01-02T03:04:05.678901Z\",\"event",
	     2},
	    {"{\"time\":\"2026-01-\n{\"time\":\"2026-01-02T03\n{\n", 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char message[64];

		(void)unlink(record_path());
		write_lines(2);
		append(record_path(), rows[i].torn);
		write_lines(2);
		assert_chain(record_path(), 5);
		(void)snprintf(message, sizeof message, "%zu torn lines of ",
		               rows[i].count);
		assert_int_equal(times_in(record_path(), message), rows[i].count > 1);
		assert_int_equal(times_in(record_path(), "a torn line of "),
		                 rows[i].count == 1);
		assert_int_equal(times_in(record_path(), "\n\n"), 0);
	}
}

static void
more_torn_lines_than_one_record_closes_are_refused(void **state)
{
	(void)state;
	write_lines(1);
	for (int i = 0; i < RECORD_TORN_MAX; i++)
		append(record_path(), "{\"time\":\"2026\n");
	record_close(opened());
	assert_chain(record_path(), 2);
	for (int i = 0; i <= RECORD_TORN_MAX; i++)
		append(record_path(), "{\"time\":\"2026\n");
	assert_not_opened("is not a record: its last line has no \"seq\"");
}

static void
torn_line_is_all_there_is(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in_folder("log.d"), 0700), 0);
	append(record_path(), "{\"time\":");
	write_lines(1);
	assert_chain(record_path(), 2);
	assert_int_equal(unlink(record_path()), 0);
	append(record_path(), "{\"time\":\n");
	write_lines(1);
	assert_chain(record_path(), 2);
}

static void
long_run_of_nul_from_a_power_cut_is_closed(void **state)
{
	cleanup_buf struct buf bytes = {0};
	struct record_chain chain = {0};
	struct stat st;

	(void)state;
	write_lines(2);
	assert_int_equal(stat(record_path(), &st), 0);
	assert_int_equal(truncate(record_path(), st.st_size + 300 * 1024), 0);
	write_lines(1);
	read_into(record_path(), &bytes);
	assert_int_equal(check_chain(buf_text(&bytes), &chain), 4);
}

static void
file_without_any_line_near_its_end_is_refused(void **state)
{
	struct stat st;

	(void)state;
	write_lines(1);
	assert_int_equal(stat(record_path(), &st), 0);
	assert_int_equal(truncate(record_path(), st.st_size + 5 * 1024 * 1024), 0);
	assert_not_opened("is not a record: its last 4194304 bytes hold no line");
}

static void
new_file_goes_on_with_the_chain_of_the_rotated_one(void **state)
{
	static const char *const torn[] = {"", "{\"torn"};
	char rotated[PATH_MAX];

	(void)state;
	(void)snprintf(rotated, sizeof rotated, "%s.1", record_path());
	for (size_t i = 0; i < 2; i++) {
		struct record_chain chain = {0};

		(void)unlink(record_path());
		write_lines(3);
		append(record_path(), torn[i]);
		assert_int_equal(rename(record_path(), rotated), 0);
		write_lines(2);
		if (i == 0) {
			assert_int_equal(chain_of(rotated, &chain), 3);
		} else {
			chain.seq = 3;
			record_chain_hash(text_of(torn[i]), chain.prev);
		}
		assert_int_equal(chain_of(record_path(), &chain), 2 + i);
		assert_int_equal(unlink(rotated), 0);
	}
}

static void
new_file_goes_on_with_the_chain_of_the_dated_one(void **state)
{
	static const char *const rows[][3] = {
	    {"-20261124", "-20261125"}, {"-2026112423", "-2026112500", "-2026112501"},
	    {".1", "-20261125"},        {"-20261124", ".1"},
	    {".20261124", ".20261125"}, {"-2026-11-24", "-2026-11-25"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t files = 0;

		for (; files < 3 && rows[i][files]; files++) {
			char name[64];

			write_lines(2);
			(void)snprintf(name, sizeof name, "log.d/record.jsonl%s",
			               rows[i][files]);
			assert_int_equal(rename(record_path(), in_folder(name)), 0);
		}
		append(in_folder("log.d/record.jsonl-20261001.gz"), "\x1f\x8b");
		write_lines(1);
		assert_int_equal(
		    times_in(record_path(), files == 3 ? "\"seq\":7," : "\"seq\":5,"), 1);
		assert_int_equal(
		    nftw(in_folder("log.d"), remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
	}
}

static void
rotated_file_that_is_no_record_is_no_beginning(void **state)
{
	char rotated[PATH_MAX];

	(void)state;
	(void)snprintf(rotated, sizeof rotated, "%s.1", record_path());
	assert_int_equal(mkdir(in_folder("log.d"), 0700), 0);
	append(rotated, "hello\n");
	write_lines(2);
	assert_chain(record_path(), 2);
}

/* ---- files that go away while they are open ---- */

static void
file_that_is_moved_away_is_made_anew_with_the_next_line(void **state)
{
	const char *moved = in_folder("moved");
	struct record *record = opened();
	struct record_chain chain = {0};
	struct try try;

	(void)state;
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	assert_int_equal(rename(record_path(), moved), 0);
	assert_string_equal(try_once(record, &try, "{\"a\":2"), "");
	assert_string_equal(try_once(record, &try, "{\"a\":3"), "");
	record_close(record);
	assert_int_equal(chain_of(moved, &chain), 1);
	assert_int_equal(chain_of(record_path(), &chain), 2);
}

static void
file_that_is_deleted_is_made_anew_with_its_folder(void **state)
{
	struct record *record = opened();
	struct record_chain chain = {0};
	struct try try;

	(void)state;
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	assert_int_equal(chain_of(record_path(), &chain), 1);
	assert_int_equal(unlink(record_path()), 0);
	assert_int_equal(rmdir(in_folder("log.d")), 0);
	assert_string_equal(try_once(record, &try, "{\"a\":2"), "");
	record_close(record);
	assert_int_equal(chain_of(record_path(), &chain), 1);
}

static void
line_goes_to_the_new_file_if_the_old_one_is_deleted_while_it_is_written(void **state)
{
	const struct record_sink_kind *kind = &record_sink_file;
	static const char line[] = "{\"a\":1}\n";
	cleanup_buf struct buf last = {0}, torn = {0}, bytes = {0};
	struct record_sink *sink = NULL;
	struct err err = {0};
	size_t taken = 0;

	(void)state;
	assert_int_equal(kind->open(record_path(), &last, &sink, &err), 0);
	assert_int_equal(kind->prepare(sink, &torn, &err), 0);
	assert_int_equal(unlink(record_path()), 0);
	assert_int_equal(kind->write(sink, text_of(line), &taken, &err), 0);
	assert_int_equal(taken, strlen(line));
	kind->close(sink);
	read_into(record_path(), &bytes);
	assert_string_equal(bytes.at, line);
}

static void
reopen_makes_the_new_file_without_a_line(void **state)
{
	struct record *record = opened();
	struct stat st = {0};

	(void)state;
	assert_int_equal(rename(record_path(), in_folder("moved")), 0);
	record_reopen(record);
	for (int i = 0; i < 10000 && stat(record_path(), &st); i++)
		(void)usleep(1000);
	record_close(record);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
}

static void
file_that_is_emptied_in_place_goes_on(void **state)
{
	struct record *record = opened();
	struct record_chain chain = {0};
	struct try try;

	(void)state;
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	assert_int_equal(chain_of(record_path(), &chain), 1);
	assert_int_equal(truncate(record_path(), 0), 0);
	assert_string_equal(try_once(record, &try, "{\"a\":2"), "");
	record_close(record);
	assert_int_equal(chain_of(record_path(), &chain), 1);
}

static void
line_is_not_glued_to_what_somebody_else_wrote(void **state)
{
	struct record *record = opened();
	struct try try;

	(void)state;
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	append(record_path(), "half a line");
	assert_string_equal(try_once(record, &try, "{\"a\":2"), "");
	record_close(record);
	assert_chain(record_path(), 3);
	assert_int_equal(times_in(record_path(), "\nhalf a line\n{\"time\""), 1);
}

static void
file_that_is_another_processs_by_now_refuses_until_it_is_not(void **state)
{
	struct record *record = opened();
	struct record_chain chain = {0};
	struct try try;
	int fd;

	(void)state;
	fd = open(in_folder("theirs"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	/* in one step: the record's thread makes a file that is missing */
	assert_int_equal(link(record_path(), in_folder("moved")), 0);
	assert_int_equal(rename(in_folder("theirs"), record_path()), 0);
	assert_non_null(strstr(try_once(record, &try, "{\"a\":1"), "it is locked"));
	(void)close(fd);
	assert_string_equal(try_once(record, &try, "{\"a\":2"), "");
	record_close(record);
	assert_int_equal(chain_of(record_path(), &chain), 1);
}

static void
folder_that_is_read_only_refuses_until_it_is_not(void **state)
{
	uid_t before = geteuid();
	struct record_chain chain = {0};
	struct record *record;
	struct try try, bad;

	(void)state;
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(mkdir(in_folder("log.d"), 0700), 0);
	if (before == 0) { /* root writes anywhere */
		assert_int_equal(chown(in_folder("log.d"), 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	record = opened();
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	assert_int_equal(rename(record_path(), in_folder("log.d/moved")), 0);
	assert_int_equal(chmod(in_folder("log.d"), 0500), 0);
	(void)try_once(record, &bad, "{\"a\":2");
	assert_int_equal(chmod(in_folder("log.d"), 0700), 0);
	(void)try_once(record, &try, "{\"a\":3");
	record_close(record);
	assert_int_equal(seteuid(before), 0);
	assert_non_null(strstr(bad.failure, "record.jsonl: can't be opened: Permission"));
	assert_string_equal(try.failure, "");
	assert_int_equal(chain_of(in_folder("log.d/moved"), &chain), 1);
	assert_int_equal(chain_of(record_path(), &chain), 1);
}

/* ---- writes that fail ---- */

/* A group of `count` lines to a record whose writer is busy; returns how many were taken,
   and fails the test if they are not the first. */
static size_t
write_group(struct record *record, size_t count, const char **ret_failure)
{
	static struct try tries[512];
	static char failure[256];
	size_t taken = 0;

	for (size_t i = 0; i < count; i++)
		try_line(record, &tries[i], "{\"some\":\"line\"");
	for (size_t i = 0; i < count; i++) {
		if (strcmp(try_wait(&tries[i]), "") == 0) {
			assert_int_equal(taken, i);
			taken++;
		} else {
			(void)snprintf(failure, sizeof failure, "%s", tries[i].failure);
		}
	}
	*ret_failure = failure;
	return taken;
}

static void
set_file_limit(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
write_that_is_cut_short_keeps_whole_lines_only(void **state)
{
	struct record *record = opened();
	const char *failure;
	size_t taken;
	struct try try;

	(void)state;
	set_file_limit(5000); /* a few dozen lines */
	taken = write_group(record, 200, &failure);
	set_file_limit(RLIM_INFINITY);
	assert_in_range(taken, 10, 100);
	assert_non_null(strstr(failure, "can't be written: File too large"));
	assert_chain(record_path(), taken);
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	record_close(record);
	assert_chain(record_path(), taken + 1);
	assert_int_equal(times_in(record_path(), "was closed"), 0);
}

static void
line_that_is_cut_short_leaves_nothing(void **state)
{
	cleanup_buf struct buf bytes = {0};
	struct record *record = opened();
	struct try try;

	(void)state;
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	read_into(record_path(), &bytes);
	set_file_limit(bytes.len + 20);
	assert_string_not_equal(try_once(record, &try, "{\"a\":2"), "");
	set_file_limit(RLIM_INFINITY);
	assert_chain(record_path(), 1);
	assert_string_equal(try_once(record, &try, "{\"a\":3"), "");
	record_close(record);
	assert_chain(record_path(), 2);
}

static void
recovery_that_is_cut_short_is_tried_again(void **state)
{
	cleanup_buf struct buf bytes = {0};
	struct record *record;
	struct try try;

	(void)state;
	write_lines(1);
	append(record_path(), "{\"torn");
	read_into(record_path(), &bytes);
	set_file_limit(bytes.len + 20);
	record = opened();
	assert_string_not_equal(try_once(record, &try, "{\"a\":1"), "");
	set_file_limit(RLIM_INFINITY);
	assert_string_equal(try_once(record, &try, "{\"a\":2"), "");
	record_close(record);
	assert_chain(record_path(), 3);
	assert_int_equal(times_in(record_path(), "was closed"), 1);
}

/* A small file system at log.d, in a mount namespace of our own. */
static bool
mount_small(void)
{
	static bool apart;

	assert_int_equal(mkdir(in_folder("log.d"), 0700), 0);
	if (!apart &&
	    (unshare(CLONE_NEWNS) || mount("none", "/", "none", MS_REC | MS_PRIVATE, "")))
		return false;
	apart = true;
	return mount("tmpfs", in_folder("log.d"), "tmpfs", 0, "size=64k") == 0;
}

static void
full_disk_refuses_until_there_is_room(void **state)
{
	char filler[128 * 1024] = {0};
	struct record *record;
	struct record_state now;
	const char *failure = "";
	size_t taken = 0, part;
	struct try try;
	int fd;

	(void)state;
	if (!mount_small()) {
		print_message("no file system can be mounted here: %s\n",
		              strerror(errno));
		skip();
	}
	record = opened();
	fd = open(in_folder("log.d/filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, filler, sizeof filler) > 0)
		;
	(void)close(fd);
	while ((part = write_group(record, 400, &failure)) == 400)
		taken += part;
	taken += part;
	assert_non_null(strstr(failure, "can't be written: No space left on device"));
	assert_int_equal(write_group(record, 3, &failure), 0);
	record_state(record, &now);
	assert_true(now.degraded);
	assert_int_equal(now.written, taken);
	(void)usleep(1500 * 1000); /* it is asked meanwhile, and still has no room */
	record_state(record, &now);
	assert_true(now.degraded);
	assert_int_equal(unlink(in_folder("log.d/filler")), 0);
	for (int i = 0; i < 5000 && now.degraded; i++) {
		(void)usleep(1000);
		record_state(record, &now);
	}
	assert_false(now.degraded); /* without a line */
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	record_state(record, &now);
	assert_false(now.degraded);
	record_close(record);
	assert_chain(record_path(), taken + 1);
	assert_int_equal(umount2(in_folder("log.d"), MNT_DETACH), 0);
}

/* ---- lines that outlast a power cut ---- */

/* What the record asked of the disk, and whether the disk fails. These take the place of
   the C library's. */
static atomic_int data_syncs, folder_syncs;
static atomic_bool disk_fails;

static int
answer_of_disk(void)
{
	if (!atomic_load(&disk_fails))
		return 0;
	errno = EIO;
	return -1;
}

int
fdatasync(int fd)
{
	(void)fd;
	atomic_fetch_add(&data_syncs, 1);
	return answer_of_disk();
}

int
fsync(int fd)
{
	(void)fd;
	atomic_fetch_add(&folder_syncs, 1);
	return answer_of_disk();
}

static int
make_folder_and_disk(void **state)
{
	atomic_store(&data_syncs, 0);
	atomic_store(&folder_syncs, 0);
	atomic_store(&disk_fails, false);
	return make_folder(state);
}

static void
wait_for_syncs(int count)
{
	for (int i = 0; i < 10000 && atomic_load(&data_syncs) < count; i++)
		(void)usleep(1000);
	assert_true(atomic_load(&data_syncs) >= count);
}

static void
fsync_always_tells_nobody_before_the_disk_has_the_line(void **state)
{
	struct record *record = opened_with(",fsync=always");
	struct try try;

	(void)state;
	for (int i = 1; i <= 5; i++) {
		assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
		assert_int_equal(atomic_load(&data_syncs), i);
		assert_int_equal(atomic_load(&folder_syncs), 1);
	}
	record_close(record);
	assert_int_equal(atomic_load(&data_syncs), 5);
}

static void
fsync_always_syncs_once_for_a_group(void **state)
{
	struct record *record = opened_with(",fsync=always");
	const char *failure;

	(void)state;
	assert_int_equal(write_group(record, 400, &failure), 400);
	record_close(record);
	assert_in_range(atomic_load(&data_syncs), 2, 200);
}

/* Both ways: who asked is refused, the line stays in the chain, and the next one waits
   for a sync that works. */
static void
line_that_the_disk_may_lose_is_refused_and_stays_in_the_chain(void **state)
{
	struct record *record = opened_with(",fsync=always");
	struct record_state now;
	struct try try;

	(void)state;
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	atomic_store(&disk_fails, true);
	for (int i = 0; i < 3; i++)
		assert_non_null(strstr(try_once(record, &try, "{\"a\":2"),
		                       "can't be synced: Input/output error"));
	record_state(record, &now);
	assert_true(now.degraded);
	assert_int_equal(now.failed, 3);
	atomic_store(&disk_fails, false);
	assert_string_equal(try_once(record, &try, "{\"a\":3"), "");
	record_state(record, &now);
	assert_false(now.degraded);
	record_close(record);
	assert_chain(record_path(), 3);
	assert_int_equal(times_in(record_path(), "{\"a\":2"), 1);
}

static void
fsync_interval_syncs_within_a_second_or_so_without_another_line(void **state)
{
	struct record *record = opened();
	int64_t begin = record_now_ms();
	struct try try;

	(void)state;
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	assert_int_equal(atomic_load(&data_syncs), 0);
	wait_for_syncs(1);
	assert_in_range(record_now_ms() - begin, 900, 5000);
	(void)usleep(1200 * 1000); /* nothing more was written */
	assert_int_equal(atomic_load(&data_syncs), 1);
	assert_string_equal(try_once(record, &try, "{\"a\":2"), "");
	record_close(record);
	assert_int_equal(atomic_load(&data_syncs), 2);
	assert_chain(record_path(), 2);
}

static void
fsync_interval_that_fails_refuses_until_one_works(void **state)
{
	struct record *record = opened();
	struct record_state now;
	struct try try;

	(void)state;
	atomic_store(&disk_fails, true);
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	do {
		(void)usleep(1000);
		record_state(record, &now);
	} while (!now.degraded);
	assert_non_null(strstr(now.reason, "can't be synced: Input/output error"));
	assert_non_null(strstr(try_once(record, &try, "{\"a\":2"), "can't be synced"));
	atomic_store(&disk_fails, false);
	assert_string_equal(try_once(record, &try, "{\"a\":3"), "");
	record_close(record);
	assert_chain(record_path(), 2);
}

static void
fsync_never_leaves_it_to_the_kernel(void **state)
{
	struct record *record = opened_with(",fsync=never,rotate=64K");
	const char *failure;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(write_group(record, 200, &failure), 200);
	record_close(record);
	assert_int_equal(atomic_load(&data_syncs), 0);
	assert_int_equal(atomic_load(&folder_syncs), 0);
}

/* ---- rotation ---- */

static const char *
rotated(unsigned number)
{
	char name[64];

	(void)snprintf(name, sizeof name, "log.d/record.jsonl.%u", number);
	return in_folder(name);
}

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Enough lines for one file of 64 KiB. */
static void
fill(struct record *record)
{
	static char line[1024] = "";
	struct try try;

	if (line[0] == '\0') {
		memset(line, 'x', sizeof line - 1);
		memcpy(line, "{\"a\":\"", 6);
		line[sizeof line - 2] = '"';
	}
	for (int i = 0; i < 60; i++)
		assert_string_equal(try_once(record, &try, line), "");
}

static void
full_file_is_rotated_and_the_chain_goes_on(void **state)
{
	struct record *record = opened_with(",rotate=64K,keep=3");
	struct record_chain chain = {0};
	struct stat st;

	(void)state;
	for (int i = 0; i < 3; i++)
		fill(record);
	record_close(record);
	assert_false(is_there(rotated(3)));
	assert_int_equal(chain_of(rotated(2), &chain) + chain_of(rotated(1), &chain) +
	                     chain_of(record_path(), &chain),
	                 180);
	for (unsigned i = 1; i < 3; i++) {
		assert_int_equal(stat(rotated(i), &st), 0);
		assert_in_range(st.st_size, 64 * 1024, 64 * 1024 + 1200);
		assert_int_equal(st.st_mode, S_IFREG | 0640);
	}
	assert_true(atomic_load(&data_syncs) >= 2); /* before each was renamed */
}

static void
only_so_many_are_kept_and_the_oldest_goes(void **state)
{
	struct record *record = opened_with(",rotate=64K,keep=2");

	(void)state;
	for (int i = 0; i < 5; i++)
		fill(record);
	assert_true(is_there(rotated(1)) && is_there(rotated(2)));
	assert_false(is_there(rotated(3)));
	record_close(record);
	record = opened_with(",rotate=64K,keep=1");
	fill(record);
	record_close(record);
	assert_int_equal(times_in(rotated(2), "\"seq\":1,"), 0);
	assert_int_equal(times_in(record_path(), "\"seq\":360,"), 1);
}

static void
number_that_is_missing_is_used_up(void **state)
{
	struct record *record = opened_with(",rotate=64K,keep=5");
	struct stat before, after;

	(void)state;
	append(rotated(2), "of before\n");
	assert_int_equal(stat(rotated(2), &before), 0);
	fill(record);
	fill(record);
	assert_int_equal(stat(rotated(2), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	fill(record);
	record_close(record);
	assert_int_equal(stat(rotated(3), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void
restart_after_a_rotation_goes_on_with_the_chain(void **state)
{
	struct record *record = opened_with(",rotate=64K");
	struct record_chain chain = {0};

	(void)state;
	fill(record);
	fill(record);
	record_close(record);
	/* as if it had ended between the renaming and the first line */
	assert_int_equal(rename(record_path(), rotated(0)), 0);
	assert_int_equal(rename(rotated(1), rotated(2)), 0);
	assert_int_equal(rename(rotated(0), rotated(1)), 0);
	record = opened_with(",rotate=64K");
	fill(record);
	record_close(record);
	assert_int_equal(chain_of(rotated(2), &chain) + chain_of(rotated(1), &chain) +
	                     chain_of(record_path(), &chain),
	                 180);
}

static void
file_that_can_not_be_rotated_grows_with_a_warning(void **state)
{
	struct record *record = opened_with(",rotate=64K,keep=1");
	struct stat st;

	(void)state;
	assert_int_equal(mkdir(rotated(1), 0700), 0);
	for (int i = 0; i < 3; i++)
		fill(record);
	assert_int_equal(stat(record_path(), &st), 0);
	assert_true(st.st_size > 3 * 60 * 1024);
	assert_logged("takes lines, but: ", 1);
	assert_logged("can't be renamed to", 1);
	assert_int_equal(rmdir(rotated(1)), 0);
	(void)usleep(1100 * 1000); /* it tries again in a second */
	fill(record);
	record_close(record);
	assert_logged("is as it should be again", 1);
	assert_true(is_there(rotated(1)));
	assert_int_equal(times_in(record_path(), "\"seq\":240,"), 1);
}

static void
file_with_a_torn_end_is_closed_before_it_is_rotated(void **state)
{
	struct record *record = opened_with(",rotate=64K");
	struct record_chain chain = {0};

	(void)state;
	fill(record);
	record_close(record);
	append(record_path(), "{\"torn");
	record = opened_with(",rotate=64K");
	fill(record);
	record_close(record);
	assert_int_equal(chain_of(rotated(1), &chain) + chain_of(record_path(), &chain),
	                 121);
}

/* It ended while it wrote its first line after a rotation. */
static void
new_file_that_is_torn_goes_on_with_the_chain_of_the_rotated_one(void **state)
{
	struct record_chain chain = {0};

	(void)state;
	write_lines(3);
	assert_int_equal(rename(record_path(), rotated(1)), 0);
	append(record_path(), "{\"torn");
	write_lines(1);
	assert_int_equal(chain_of(rotated(1), &chain), 3);
	assert_int_equal(chain_of(record_path(), &chain), 2);
	assert_int_equal(chain.seq, 5);
}

static void
file_of_a_follower_is_rotated_and_synced_too(void **state)
{
	char second[PATH_MAX + 64];
	const char *const sinks[] = {"stdout", second};
	struct record_chain chain = {0};
	struct record *record = NULL;
	struct err err = {0};
	struct try try;
	size_t count = 0;
	int before, out = dup(STDOUT_FILENO),
		    null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	(void)snprintf(second, sizeof second, "file:%s,rotate=64K", record_path());
	assert_true(dup2(null, STDOUT_FILENO) >= 0);
	assert_int_equal(record_open(sinks, 2, "h", &test_log, &record, &err), 0);
	fill(record);
	fill(record);
	wait_for_syncs(1);
	(void)usleep(1500 * 1000);
	before = atomic_load(&data_syncs);
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	record_close(record);
	assert_int_equal(atomic_load(&data_syncs), before + 1);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	(void)close(out);
	(void)close(null);
	/* where it was rotated depends on how many lines came at once */
	assert_true(is_there(rotated(1)));
	for (unsigned i = 3; i > 0; i--)
		count += is_there(rotated(i)) ? chain_of(rotated(i), &chain) : 0;
	assert_int_equal(count + chain_of(record_path(), &chain), 121);
}

static void
follower_whose_target_can_not_be_meant_is_an_error_at_once(void **state)
{
	const char *const sinks[] = {"stdout", "file:/x,rotat=1M"};
	struct record *record = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(record_open(sinks, 2, "h", &test_log, &record, &err), -1);
	assert_non_null(strstr(err.text, "\",rotat=1M\": should be"));
}

/* ---- many at once ---- */

enum { THREADS = 8, LINES = 5000, LINES_VALGRIND = 500, FLIGHT = 100 };

struct submitter {
	struct record *record;
	int number, lines;
	pthread_t thread;
};

static void *
submit(void *argument)
{
	struct submitter *submitter = argument;
	struct try *tries = calloc(FLIGHT, sizeof *tries);
	char line[64];

	for (int i = 0; tries && i < submitter->lines; i += FLIGHT) {
		for (int k = 0; k < FLIGHT; k++) {
			(void)snprintf(line, sizeof line, "{\"from\":%d,\"n\":%d",
			               submitter->number, i + k);
			try_line(submitter->record, &tries[k], line);
		}
		for (int k = 0; k < FLIGHT; k++)
			assert_string_equal(try_wait(&tries[k]), "");
	}
	free(tries);
	return NULL;
}

/* valgrind runs one thread at a time, each some fifty times slower. */
static int
lines_each(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "vgpreload") ? LINES_VALGRIND : LINES;
}

static void
eight_threads_have_all_their_lines_on_record_once_and_in_order(void **state)
{
	cleanup_buf struct buf bytes = {0};
	struct submitter submitters[THREADS];
	struct record_chain chain = {0};
	int next[THREADS] = {0}, lines = lines_each();
	struct record *record = opened();

	(void)state;
	for (int i = 0; i < THREADS; i++) {
		submitters[i] =
		    (struct submitter){.record = record, .number = i, .lines = lines};
		assert_int_equal(
		    pthread_create(&submitters[i].thread, NULL, submit, &submitters[i]),
		    0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(submitters[i].thread, NULL), 0);
	record_close(record);
	read_into(record_path(), &bytes);
	assert_int_equal(check_chain(buf_text(&bytes), &chain), THREADS * lines);
	for (char *line = bytes.at; *line; line = strchr(line, '\n') + 1) {
		int from, n;

		assert_int_equal(sscanf(line, "{\"from\":%d,\"n\":%d,", &from, &n), 2);
		assert_int_equal(n, next[from]++);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(next[i], lines);
}

#define in_a_folder(test)                                                                \
	cmocka_unit_test_setup_teardown(test, make_folder_and_disk, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    in_a_folder(file_and_folder_are_made_with_their_modes),
	    in_a_folder(mode_of_a_file_that_is_there_stays),
	    in_a_folder(what_is_no_regular_file_is_refused),
	    in_a_folder(file_that_another_process_writes_is_refused),
	    in_a_folder(file_that_is_no_record_is_refused_and_stays),
	    in_a_folder(restart_goes_on_with_the_chain),
	    in_a_folder(torn_line_is_closed_by_a_recovery_record),
	    in_a_folder(whole_line_of_somebody_else_is_no_torn_one),
	    in_a_folder(torn_lines_that_were_closed_without_a_record_are_closed_by_one),
	    in_a_folder(more_torn_lines_than_one_record_closes_are_refused),
	    in_a_folder(torn_line_is_all_there_is),
	    in_a_folder(long_run_of_nul_from_a_power_cut_is_closed),
	    in_a_folder(file_without_any_line_near_its_end_is_refused),
	    in_a_folder(new_file_goes_on_with_the_chain_of_the_rotated_one),
	    in_a_folder(new_file_goes_on_with_the_chain_of_the_dated_one),
	    in_a_folder(rotated_file_that_is_no_record_is_no_beginning),
	    in_a_folder(file_that_is_moved_away_is_made_anew_with_the_next_line),
	    in_a_folder(file_that_is_deleted_is_made_anew_with_its_folder),
	    in_a_folder(
		line_goes_to_the_new_file_if_the_old_one_is_deleted_while_it_is_written),
	    in_a_folder(reopen_makes_the_new_file_without_a_line),
	    in_a_folder(file_that_is_emptied_in_place_goes_on),
	    in_a_folder(line_is_not_glued_to_what_somebody_else_wrote),
	    in_a_folder(file_that_is_another_processs_by_now_refuses_until_it_is_not),
	    in_a_folder(folder_that_is_read_only_refuses_until_it_is_not),
	    in_a_folder(write_that_is_cut_short_keeps_whole_lines_only),
	    in_a_folder(line_that_is_cut_short_leaves_nothing),
	    in_a_folder(recovery_that_is_cut_short_is_tried_again),
	    in_a_folder(full_disk_refuses_until_there_is_room),
	    in_a_folder(fsync_always_tells_nobody_before_the_disk_has_the_line),
	    in_a_folder(fsync_always_syncs_once_for_a_group),
	    in_a_folder(line_that_the_disk_may_lose_is_refused_and_stays_in_the_chain),
	    in_a_folder(fsync_interval_syncs_within_a_second_or_so_without_another_line),
	    in_a_folder(fsync_interval_that_fails_refuses_until_one_works),
	    in_a_folder(fsync_never_leaves_it_to_the_kernel),
	    in_a_folder(full_file_is_rotated_and_the_chain_goes_on),
	    in_a_folder(only_so_many_are_kept_and_the_oldest_goes),
	    in_a_folder(number_that_is_missing_is_used_up),
	    in_a_folder(restart_after_a_rotation_goes_on_with_the_chain),
	    in_a_folder(file_that_can_not_be_rotated_grows_with_a_warning),
	    in_a_folder(file_with_a_torn_end_is_closed_before_it_is_rotated),
	    in_a_folder(new_file_that_is_torn_goes_on_with_the_chain_of_the_rotated_one),
	    in_a_folder(file_of_a_follower_is_rotated_and_synced_too),
	    in_a_folder(follower_whose_target_can_not_be_meant_is_an_error_at_once),
	    in_a_folder(eight_threads_have_all_their_lines_on_record_once_and_in_order),
	};

	(void)signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
