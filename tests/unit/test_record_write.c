/* SPDX-License-Identifier: Apache-2.0 */
/* test_record_write.c - tests record_put() and record_write() of edge/record.h: who writes. */
#include "record_check.h"

#include "edge/record_files.h"
#include "edge/record_read.h"
#include "edge/record_verify.h"

#include <pthread.h>

enum { THREADS = 3, ROUNDS = 400 };

static struct record *
opened(const char *options)
{
	char sink[PATH_MAX + 64];
	const char *const sinks[] = {sink};
	struct record *record = NULL;
	struct err err = {0};

	(void)snprintf(sink, sizeof sink, "file:%s%s", in_folder("r.jsonl"), options);
	if (record_open(sinks, 1, "host.example", &test_log, &record, &err))
		fail_msg("%s", err.text);
	return record;
}

static void
put_line(struct record *record, struct try *try)
{
	try_init(try);
	buf_str(&try->entry.line, "{\"n\":1");
	record_put(record, &try->entry);
}

/* Puts a line and writes; true if it was there when that returned. */
static bool
write_now(struct record *record, bool may_wait)
{
	struct try try;
	bool now;

	put_line(record, &try);
	record_write(record, may_wait);
	now = atomic_load(&try.ends) > 0;
	assert_string_equal(try_wait(&try), "");
	return now;
}

static void
write_rounds(struct record *record)
{
	for (int i = 0; i < ROUNDS; i++)
		(void)write_now(record, true);
}

/* How often is for the bench: on a machine that is slow the record's thread is there first,
   until it has had time to rest. */
static void
who_may_wait_writes_to_a_file_and_comes_back_with_it(void **state)
{
	struct record *record = opened("");
	struct record_state now;
	unsigned count = 1;

	(void)state;
	while (!write_now(record, true)) {
		(void)usleep(1000 * count);
		assert_in_range(++count, 1, ROUNDS);
	}
	record_state(record, &now);
	assert_int_equal(now.written, count);
	assert_false(now.degraded);
	record_close(record);
}

static void
line_that_was_put_is_not_written_before_it_is_asked_for(void **state)
{
	struct record *record = opened("");
	struct try try;

	(void)state;
	(void)write_now(record, false); /* its thread has nothing to do any more */
	(void)usleep(50 * 1000);
	put_line(record, &try);
	(void)usleep(50 * 1000);
	assert_int_equal(atomic_load(&try.ends), 0);
	record_write(record, true);
	assert_string_equal(try_wait(&try), "");
	record_close(record);
}

static void
file_that_was_rotated_or_deleted_is_no_obstacle(void **state)
{
	struct record *record = opened(",rotate=64K,keep=50");

	(void)state;
	for (int i = 0; i < 3; i++) {
		write_rounds(record);
		assert_int_equal(rename(in_folder("r.jsonl"), in_folder("away")), 0);
		(void)write_now(record, true);
		assert_int_equal(access(in_folder("r.jsonl"), F_OK), 0);
		assert_int_equal(unlink(in_folder("r.jsonl")), 0);
		(void)write_now(record, true);
		assert_int_equal(access(in_folder("r.jsonl"), F_OK), 0);
	}
	record_close(record);
}

static void
stopped_record_gives_back_what_it_is_handed(void **state)
{
	struct record *record = opened("");
	struct try try;

	(void)state;
	record_stop(record);
	put_line(record, &try);
	record_write(record, true);
	assert_string_equal(try_wait(&try), "the record is being closed");
	record_close(record);
}

/* ---- all at once ---- */

static void *
write_many(void *argument)
{
	for (int i = 0; i < ROUNDS; i++)
		(void)write_now(argument, i % 3 != 0);
	return NULL;
}

static void *
submit_many(void *argument)
{
	struct try try;

	for (int i = 0; i < ROUNDS; i++)
		assert_string_equal(try_once(argument, &try, "{\"s\":1"), "");
	return NULL;
}

/* Every line of all its files, as `log verify` walks them. */
static void
assert_proven(size_t lines)
{
	cleanup_record_files struct record_files files = {0};
	struct record_reader reader = {0};
	struct record_verify verify = {0};
	struct record_found line;
	struct err err = {0};

	assert_int_equal(record_files_add(&files, in_folder("r.jsonl"), &err), 0);
	assert_int_equal(record_files_add_rotated(&files, in_folder("r.jsonl"), &err), 0);
	record_files_sort(&files);
	for (size_t i = 0; i < files.count; i++) {
		record_reader_start(&reader, files.at[i].fd, 0);
		while (record_read(&reader, &line, &err) > 0)
			assert_int_equal(
			    record_verify_line(&verify, files.at[i].path, &line),
			    RECORD_WALK_ON);
	}
	record_reader_free(&reader);
	record_verify_end(&verify);
	assert_int_equal(verify.fault, RECORD_INTACT);
	assert_int_equal(verify.last.seq, lines);
}

static void
whoever_writes_the_chain_holds(void **state)
{
	struct record *record = opened(",rotate=64K,keep=100");
	pthread_t threads[2 * THREADS];

	(void)state;
	for (int i = 0; i < 2 * THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
		                                i % 2 ? write_many : submit_many, record),
		                 0);
	for (int i = 0; i < 2 * THREADS; i++) {
		record_reopen(record);
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	record_close(record);
	assert_proven((size_t)2 * THREADS * ROUNDS);
}

#define clean(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    clean(who_may_wait_writes_to_a_file_and_comes_back_with_it),
	    clean(line_that_was_put_is_not_written_before_it_is_asked_for),
	    clean(file_that_was_rotated_or_deleted_is_no_obstacle),
	    clean(stopped_record_gives_back_what_it_is_handed),
	    clean(whoever_writes_the_chain_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
