/* SPDX-License-Identifier: Apache-2.0 */
/* test_record.c - tests edge/record.h and edge/record_chain.h with sinks of its own. */
#include "edge/record.h"
#include "record_check.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>

enum { SHORT_MS = 150, LINES = 64 };

/* ---- a sink that does what a test says ---- */

/* What the sinks "test:0" and "test:1" do and got. */
static struct gate {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool shut;   /* writes wait */
	bool inside; /* one does */
	size_t room; /* bytes that it takes; then it fails */
	bool cannot_open, cannot_prepare;
	struct buf got, torn, last;
} gates[2] = {
    {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER},
    {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER},
};

struct record_sink {
	struct gate *gate;
};

static int
gate_open(const char *target, struct buf *ret_last, struct record_sink **ret_sink,
          struct err *err)
{
	struct gate *gate = &gates[target[0] - '0'];

	if (gate->cannot_open)
		return err_set(err, ERR_SYSTEM, "test:%s: can't be opened", target);
	if (ret_last)
		buf_add_text(ret_last, buf_text(&gate->last));
	*ret_sink = calloc(1, sizeof **ret_sink);
	(*ret_sink)->gate = gate;
	return 0;
}

static int
gate_prepare(struct record_sink *sink, struct buf *ret_torn, struct err *err)
{
	struct gate *gate = sink->gate;
	bool failed;

	(void)pthread_mutex_lock(&gate->mutex);
	buf_add_text(ret_torn, buf_text(&gate->torn));
	failed = gate->cannot_prepare;
	(void)pthread_mutex_unlock(&gate->mutex);
	return failed ? err_set(err, ERR_SYSTEM, "test: not ready") : 0;
}

static int
gate_write(struct record_sink *sink, struct text lines, size_t *ret_taken,
           struct err *err)
{
	struct gate *gate = sink->gate;
	size_t taken;

	(void)pthread_mutex_lock(&gate->mutex);
	gate->inside = true;
	(void)pthread_cond_broadcast(&gate->changed);
	while (gate->shut)
		(void)pthread_cond_wait(&gate->changed, &gate->mutex);
	taken = lines.len < gate->room ? lines.len : gate->room;
	while (taken > 0 && lines.at[taken - 1] != '\n')
		taken--;
	gate->room -= taken;
	buf_add(&gate->got, lines.at, taken);
	if (taken > 0)
		buf_clear(&gate->torn);
	gate->inside = false;
	(void)pthread_cond_broadcast(&gate->changed);
	(void)pthread_mutex_unlock(&gate->mutex);
	*ret_taken = taken;
	return taken == lines.len ? 0 : err_set(err, ERR_SYSTEM, "test: no room");
}

static void
gate_close(struct record_sink *sink)
{
	free(sink);
}

static const struct record_sink_kind gate_kind = {
    .prefix = "test:",
    .open = gate_open,
    .prepare = gate_prepare,
    .write = gate_write,
    .close = gate_close,
};

static void
gate_set(struct gate *gate, bool shut, size_t room)
{
	(void)pthread_mutex_lock(&gate->mutex);
	gate->shut = shut;
	gate->room = room;
	(void)pthread_cond_broadcast(&gate->changed);
	(void)pthread_mutex_unlock(&gate->mutex);
}

/* Waits until a write is at the gate (or gone from it). */
static void
gate_wait(struct gate *gate, bool inside)
{
	(void)pthread_mutex_lock(&gate->mutex);
	while (gate->inside != inside)
		(void)pthread_cond_wait(&gate->changed, &gate->mutex);
	(void)pthread_mutex_unlock(&gate->mutex);
}

/* Waits until the gate has let `len` bytes through. */
static void
gate_wait_got(struct gate *gate, size_t len)
{
	(void)pthread_mutex_lock(&gate->mutex);
	while (gate->got.len < len)
		(void)pthread_cond_wait(&gate->changed, &gate->mutex);
	(void)pthread_mutex_unlock(&gate->mutex);
}

static int
set_up(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		gate_set(&gates[i], false, SIZE_MAX);
		gates[i].cannot_open = gates[i].cannot_prepare = false;
	}
	return make_folder(state);
}

static int
tear_down(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		buf_free(&gates[i].got);
		buf_free(&gates[i].torn);
		buf_free(&gates[i].last);
	}
	return remove_folder(state);
}

/* A record on the first `count` gates. */
static struct record *
opened(size_t count, int64_t wait_ms)
{
	static const struct record_sink_kind *const kinds[] = {&gate_kind, NULL};
	static const char *const sinks[] = {"test:0", "test:1"};
	struct record_options options = {.sinks = sinks,
	                                 .count = count,
	                                 .host = "host.example",
	                                 .log = &test_log,
	                                 .kinds = kinds,
	                                 .wait_ms = wait_ms};
	struct record *record = NULL;
	struct err err = {0};

	if (record_open_with(&options, &record, &err))
		fail_msg("%s", err.text);
	return record;
}

static size_t
chain_of(const struct gate *gate)
{
	struct record_chain chain = {0};

	return check_chain(buf_text(&gate->got), &chain);
}

/* Reads the timer as the daemon's loop does, until `try` came back. */
static const char *
expire_until(struct record *record, struct try *try)
{
	struct pollfd timer = {.fd = record_timer_fd(record), .events = POLLIN};

	while (atomic_load(&try->ends) == 0) {
		if (poll(&timer, 1, 10000) != 1)
			fail_msg("the timer never fired");
		record_expire(record);
	}
	return try_wait(try);
}

/* ---- the chain ---- */

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
only_a_line_with_number_and_hash_at_its_end_is_ours(void **state)
{
	static const struct {
		const char *line;
		uint64_t seq; /* 0: none of ours */
	} rows[] = {
	    {"{\"a\":1,\"seq\":1,\"prev\":\"\"}", 1},
	    {"{\"a\":1,\"seq\":1,\"prev\":\"" HASH "\"}", 1},
	    {"{\"a\":1,\"seq\":999999999999999999,\"prev\":\"" HASH "\"}",
	     999999999999999999},
	    {"{\"a\":1,\"seq\":9999999999999999999,\"prev\":\"" HASH "\"}", 0},
	    {"{\"a\":1,\"seq\":2,\"prev\":\"\"}", 0},
	    {"{\"a\":1,\"seq\":0,\"prev\":\"\"}", 0},
	    {"{\"a\":1,\"seq\":02,\"prev\":\"" HASH "\"}", 0},
	    {"{\"a\":1,\"seq\":-2,\"prev\":\"" HASH "\"}", 0},
	    {"{\"a\":1,\"seq\":,\"prev\":\"" HASH "\"}", 0},
	    {"{\"a\":1,\"seq\":2,\"prev\":\"" HASH "0\"}", 0},
	    {"{\"a\":1,\"seq\":2,\"prev\":\"" HASH "\"} ", 0},
	    {"{\"a\":1,\"seq\":2, \"prev\":\"" HASH "\"}", 0},
	    {" {\"a\":1,\"seq\":2,\"prev\":\"" HASH "\"}", 0},
	    {"{\"seq\":2,\"prev\":\"" HASH "\",\"a\":1}", 0},
	    {"{\"a\":1}", 0},
	    {"\"}", 0},
	    {"{", 0},
	    {"", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct record_chain chain = {0};
		int ours = record_chain_resume(&chain, text_of(rows[i].line)) == 0;

		if (ours != (rows[i].seq != 0) || chain.seq != rows[i].seq)
			fail_msg("%s: %d, seq %llu", rows[i].line, ours,
			         (unsigned long long)chain.seq);
	}
}

static void
hash_is_sha256_in_hex(void **state)
{
	char hex[RECORD_HASH_HEX + 1];

	(void)state;
	record_chain_hash(TEXT_LIT("abc"), hex); /* FIPS 180-4, example */
	assert_string_equal(
	    hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void
time_of_a_line_is_read_strictly(void **state)
{
	static const struct {
		const char *line;
		int64_t us;
	} rows[] = {
	    {"{\"time\":\"2026-01-02T03:04:05.678901Z\",", 1767323045678901},
	    {"{\"time\":\"1970-01-01T00:00:00.000001Z\"}", 1},
	    {"{\"time\":\"2026-01-02T03:04:05.67890Z\"}", 0},
	    {"{\"time\":\"2026-01-02T03:04:05.678901+\"}", 0},
	    {"{\"time\":\"2026-13-02T03:04:05.678901Z\"}", 0},
	    {"{\"time\":\"2026-01-02T03:04:05.-78901Z\"}", 0},
	    {"{\"time\":\"2026-01-02T03:04:05", 0},
	    {"{\"id\":\"2026-01-02T03:04:05.678901Z\"}", 0},
	    {"", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t us = record_chain_time(text_of(rows[i].line));

		if (us != rows[i].us)
			fail_msg("%s: %lld", rows[i].line, (long long)us);
	}
}

/* ---- lines that are taken ---- */

static void
lines_are_numbered_and_chained(void **state)
{
	struct record *record = opened(1, 0);
	struct record_state now;
	struct try try;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_string_equal(try_once(record, &try, "{\"a\":\"b\""), "");
	record_state(record, &now);
	record_close(record);
	assert_int_equal(chain_of(&gates[0]), 3);
	assert_true(text_has_prefix(buf_text(&gates[0].got),
	                            "{\"a\":\"b\",\"seq\":1,\"prev\":\"\"}\n"));
	assert_int_equal(now.written, 3);
	assert_int_equal(now.failed, 0);
	assert_int_equal(now.waiting, 0);
	assert_false(now.degraded);
}

static void
chain_goes_on_from_the_last_line(void **state)
{
	struct record_chain chain = {.seq = 41, .prev = HASH};
	struct record_state now;
	struct record *record;
	struct try try;

	(void)state;
	record_chain_add(&chain, &gates[0].last,
	                 TEXT_LIT("{\"time\":\"2026-01-02T03:04:05.678901Z\""));
	gates[0].last.len--; /* without its newline */
	record = opened(1, 0);
	record_state(record, &now);
	assert_int_equal(now.last_time_us, 1767323045678901);
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	record_close(record);
	assert_int_equal(check_chain(buf_text(&gates[0].got), &chain), 1);
	assert_int_equal(chain.seq, 43);
}

static void
lines_that_wait_go_out_in_one_write_and_in_order(void **state)
{
	struct record *record = opened(1, 0);
	struct try tries[LINES];
	char line[32];

	(void)state;
	gate_set(&gates[0], true, SIZE_MAX);
	for (int i = 0; i < LINES; i++) {
		(void)snprintf(line, sizeof line, "{\"n\":%02d", i);
		try_line(record, &tries[i], line);
	}
	gate_wait(&gates[0], true);
	gate_set(&gates[0], false, SIZE_MAX);
	for (int i = 0; i < LINES; i++)
		assert_string_equal(try_wait(&tries[i]), "");
	record_close(record);
	assert_int_equal(chain_of(&gates[0]), LINES);
	for (int i = 0; i < LINES; i++) {
		(void)snprintf(line, sizeof line, "{\"n\":%02d,\"seq\":%d,", i, i + 1);
		assert_non_null(strstr(gates[0].got.at, line));
	}
}

/* ---- lines that are not ---- */

static void
line_that_is_not_taken_uses_up_no_number(void **state)
{
	struct record *record = opened(1, 0);
	struct record_state now;
	struct try try;

	(void)state;
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	gate_set(&gates[0], false, 0);
	assert_string_equal(try_once(record, &try, "{\"a\":2"), "test: no room");
	record_state(record, &now);
	assert_true(now.degraded);
	assert_string_equal(now.reason, "test: no room");
	assert_int_equal(now.failed, 1);
	gate_set(&gates[0], false, SIZE_MAX);
	assert_string_equal(try_once(record, &try, "{\"a\":3"), "");
	record_state(record, &now);
	assert_false(now.degraded);
	assert_string_equal(now.reason, "");
	record_close(record);
	assert_int_equal(chain_of(&gates[0]), 2);
	assert_null(strstr(gates[0].got.at, "\"a\":2"));
}

static void
failure_is_logged_once_and_its_end_too(void **state)
{
	struct record *record = opened(1, 0);
	struct try try;

	(void)state;
	gate_set(&gates[0], false, 0);
	for (int i = 0; i < 3; i++)
		assert_string_equal(try_once(record, &try, "{\"a\":1"), "test: no room");
	gate_set(&gates[0], false, SIZE_MAX);
	for (int i = 0; i < 3; i++)
		assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	record_close(record);
	assert_logged("record test:0 fails, what must be on record is refused: "
	              "test: no room\n",
	              1);
	assert_logged("record test:0 takes lines again\n", 1);
}

static void
of_a_group_that_is_taken_in_part_each_line_gets_its_own_answer(void **state)
{
	struct record *record = opened(1, 0);
	struct try first, tries[10], after;
	size_t good = 0;

	(void)state;
	gate_set(&gates[0], true, SIZE_MAX);
	try_line(record, &first, "{\"first\":0");
	gate_wait(&gates[0], true);
	for (int i = 0; i < 10; i++)
		try_line(record, &tries[i], "{\"a\":1");
	gate_set(&gates[0], false, 500); /* the first and then some of the ten */
	assert_string_equal(try_wait(&first), "");
	for (int i = 0; i < 10; i++) {
		bool taken = strcmp(try_wait(&tries[i]), "") == 0;

		assert_true(!taken || good == (size_t)i);
		good += taken;
	}
	assert_in_range(good, 1, 9);
	gate_set(&gates[0], false, SIZE_MAX);
	assert_string_equal(try_once(record, &after, "{\"after\":1"), "");
	record_close(record);
	assert_int_equal(chain_of(&gates[0]), good + 2);
}

static void
sink_that_is_not_ready_refuses(void **state)
{
	struct record *record = opened(1, 0);
	struct record_state now;
	struct try try;

	(void)state;
	(void)pthread_mutex_lock(&gates[0].mutex);
	gates[0].cannot_prepare = true;
	(void)pthread_mutex_unlock(&gates[0].mutex);
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "test: not ready");
	record_state(record, &now);
	assert_int_equal(now.written, 0);
	record_close(record);
	assert_int_equal(gates[0].got.len, 0);
}

static void
reopen_shows_at_once_that_the_sink_is_not_ready(void **state)
{
	struct record *record = opened(1, 0);
	struct record_state now = {0};

	(void)state;
	(void)pthread_mutex_lock(&gates[0].mutex);
	gates[0].cannot_prepare = true;
	(void)pthread_mutex_unlock(&gates[0].mutex);
	record_reopen(record);
	for (int i = 0; i < 10000 && !now.degraded; i++) {
		(void)usleep(1000);
		record_state(record, &now);
	}
	assert_string_equal(now.reason, "test: not ready");
	record_close(record);
}

static void
line_that_can_be_no_record_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *start;
		size_t fill;
		const char *why;
	} rows[] = {
	    {"", 0, "no object"},
	    {"x", 0, "no object"},
	    {"{\"a\":\n1", 0, "no object"},
	    {"{\"a\":\"", RECORD_LINE_MAX - RECORD_SUFFIX_MAX - 6, ""},
	    {"{\"a\":\"", RECORD_LINE_MAX - RECORD_SUFFIX_MAX - 5, "too long"},
	};
	struct record *record = opened(1, 0);
	struct record_state now;
	struct try try;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		try_init(&try);
		buf_str(&try.entry.line, rows[i].start);
		for (size_t n = 0; n < rows[i].fill; n++)
			buf_char(&try.entry.line, n + 1 < rows[i].fill ? 'x' : '"');
		record_submit(record, &try.entry);
		if (*rows[i].why)
			assert_int_equal(atomic_load(&try.ends), 1);
		if (!strstr(try_wait(&try), rows[i].why) ||
		    (*rows[i].why == '\0') != (*try.failure == '\0'))
			fail_msg("row %zu: %s", i, try.failure);
	}
	try_init(&try);
	try.entry.line.failed = true;
	record_submit(record, &try.entry);
	assert_string_equal(try_wait(&try), "no memory for the record");
	record_state(record, &now);
	assert_int_equal(now.failed, 5);
	assert_false(now.degraded);
	record_close(record);
	assert_int_equal(chain_of(&gates[0]), 1);
	assert_true(gates[0].got.len <= RECORD_LINE_MAX);
}

static void
queue_that_is_full_refuses_at_once(void **state)
{
	static struct try tries[RECORD_QUEUE_MAX + 1];
	struct record *record = opened(1, 20000);
	struct record_state now;
	struct try first;

	(void)state;
	gate_set(&gates[0], true, SIZE_MAX);
	try_line(record, &first, "{\"a\":1");
	gate_wait(&gates[0], true);
	for (size_t i = 0; i <= RECORD_QUEUE_MAX; i++)
		try_line(record, &tries[i], "{\"a\":1");
	record_state(record, &now);
	assert_int_equal(now.waiting, RECORD_QUEUE_MAX);
	assert_string_equal(try_wait(&tries[RECORD_QUEUE_MAX]),
	                    "too many lines wait for the record");
	gate_set(&gates[0], false, SIZE_MAX);
	assert_string_equal(try_wait(&first), "");
	for (size_t i = 0; i < RECORD_QUEUE_MAX; i++)
		assert_string_equal(try_wait(&tries[i]), "");
	record_close(record);
	assert_int_equal(chain_of(&gates[0]), RECORD_QUEUE_MAX + 1);
}

/* ---- a sink that hangs ---- */

static void
line_that_a_hanging_sink_takes_late_comes_back_once_and_keeps_its_number(void **state)
{
	struct record *record = opened(1, SHORT_MS);
	struct record_state now;
	struct try late, after;

	(void)state;
	gate_set(&gates[0], true, SIZE_MAX);
	try_line(record, &late, "{\"late\":1");
	gate_wait(&gates[0], true);
	assert_string_equal(expire_until(record, &late),
	                    "test:0 did not take the line in 150 ms");
	record_state(record, &now);
	assert_true(now.degraded);
	assert_int_equal(now.failed, 1);
	gate_set(&gates[0], false, SIZE_MAX);
	gate_wait(&gates[0], false);
	assert_string_equal(try_once(record, &after, "{\"after\":1"), "");
	record_state(record, &now);
	assert_false(now.degraded);
	assert_int_equal(now.written, 2);
	record_close(record);
	assert_int_equal(atomic_load(&late.ends), 1);
	assert_int_equal(chain_of(&gates[0]), 2);
	assert_non_null(strstr(gates[0].got.at, "{\"late\":1,\"seq\":1,"));
}

static void
line_that_waited_behind_a_hanging_one_is_never_written(void **state)
{
	struct record *record = opened(1, SHORT_MS);
	struct try first, second, after;

	(void)state;
	gate_set(&gates[0], true, SIZE_MAX);
	try_line(record, &first, "{\"first\":1");
	gate_wait(&gates[0], true);
	(void)usleep(50 * 1000);
	try_line(record, &second, "{\"second\":1");
	assert_string_not_equal(expire_until(record, &first), "");
	assert_int_equal(atomic_load(&second.ends), 0);
	assert_string_not_equal(expire_until(record, &second), "");
	gate_set(&gates[0], false, SIZE_MAX);
	assert_string_equal(try_once(record, &after, "{\"after\":1"), "");
	record_close(record);
	assert_int_equal(chain_of(&gates[0]), 2);
	assert_null(strstr(gates[0].got.at, "second"));
}

static void
timer_rests_while_nothing_waits(void **state)
{
	struct record *record = opened(1, 50);
	struct pollfd timer = {.fd = record_timer_fd(record), .events = POLLIN};
	struct try try;

	(void)state;
	assert_int_equal(poll(&timer, 1, 100), 0);
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	if (poll(&timer, 1, 100) == 1)
		record_expire(record);
	assert_int_equal(poll(&timer, 1, 100), 0);
	assert_int_equal(atomic_load(&try.ends), 1);
	record_close(record);
}

/* What hanging threads need stays reachable; volatile, since nobody reads it. */
static struct record *volatile abandoned[2];

static void
closing_gives_back_what_a_hanging_sink_holds(void **state)
{
	struct record *record = abandoned[0] = opened(1, SHORT_MS);
	struct try first, second;

	(void)state;
	gate_set(&gates[0], true, SIZE_MAX);
	try_line(record, &first, "{\"first\":1");
	gate_wait(&gates[0], true);
	try_line(record, &second, "{\"second\":1");
	record_close(record);
	assert_string_equal(try_wait(&first),
	                    "the record was closed before it took the line");
	assert_string_equal(try_wait(&second), first.failure);
	gate_set(&gates[0], false, SIZE_MAX);
	gate_wait(&gates[0], false);
	(void)usleep(20 * 1000); /* its thread ends */
	assert_int_equal(atomic_load(&first.ends), 1);
}

static void
closing_writes_what_waits(void **state)
{
	struct record *record = opened(2, 0);
	struct try tries[LINES];

	(void)state;
	for (int i = 0; i < LINES; i++)
		try_line(record, &tries[i], "{\"a\":1");
	record_close(record);
	for (int i = 0; i < LINES; i++)
		assert_string_equal(try_wait(&tries[i]), "");
	assert_int_equal(chain_of(&gates[0]), LINES);
	assert_int_equal(chain_of(&gates[1]), LINES);
}

/* ---- torn lines ---- */

static void
torn_line_is_followed_by_a_recovery_record_at_opening(void **state)
{
	struct record_chain chain = {.seq = 7, .prev = HASH};
	struct record_state now;
	struct record *record;
	struct try try;
	char expected[512];

	(void)state;
	record_chain_add(&chain, &gates[0].last,
	                 TEXT_LIT("{\"time\":\"2126-01-02T03:04:05.678901Z\""));
	gates[0].last.len--;
	buf_str(&gates[0].torn, "{\"time\":\"20");
	(void)snprintf(expected, sizeof expected,
	               "{\"time\":\"2126-01-02T03:04:05.678901Z\",\"event\":\"recovery\","
	               "\"message\":\"a torn line of 11 bytes was closed\","
	               "\"host\":\"host.example\",\"after\":\"%s\",\"seq\":9,\"prev\":\"",
	               chain.prev);
	record_chain_hash(TEXT_LIT("{\"time\":\"20"), chain.prev);
	record = opened(1, 0);
	gate_wait_got(&gates[0], 1);
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	record_state(record, &now);
	assert_int_equal(now.written, 2);
	record_close(record);
	assert_true(text_has_prefix(buf_text(&gates[0].got), expected));
	assert_int_equal(check_chain(buf_text(&gates[0].got), &chain), 2);
}

static void
recovery_record_that_could_not_be_written_comes_with_the_next_line(void **state)
{
	struct record_chain chain = {0};
	struct record *record;
	struct try try;

	(void)state;
	buf_str(&gates[0].torn, "{");
	record_chain_hash(TEXT_LIT("{"), chain.prev);
	gate_set(&gates[0], false, 0);
	record = opened(1, 0);
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "test: no room");
	gate_set(&gates[0], false, SIZE_MAX);
	assert_string_equal(try_once(record, &try, "{\"a\":2"), "");
	assert_string_equal(try_once(record, &try, "{\"a\":3"), "");
	record_close(record);
	assert_int_equal(times_in(in_folder("log"), "takes lines again"), 1);
	assert_int_equal(check_chain(buf_text(&gates[0].got), &chain), 3);
	assert_non_null(strstr(gates[0].got.at, "{\"a\":2,\"seq\":2,"));
}

static void
recovery_record_alone_may_be_taken_of_a_group(void **state)
{
	struct record_chain chain = {0};
	struct record *record;
	struct try try;

	(void)state;
	buf_str(&gates[0].torn, "{");
	record_chain_hash(TEXT_LIT("{"), chain.prev);
	gates[0].cannot_prepare = true;
	record = opened(1, 0);
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "test: not ready");
	(void)pthread_mutex_lock(&gates[0].mutex);
	gates[0].cannot_prepare = false;
	gates[0].room = 250;
	(void)pthread_mutex_unlock(&gates[0].mutex);
	assert_string_equal(try_once(record, &try, "{\"a\":2"), "test: no room");
	gate_set(&gates[0], false, SIZE_MAX);
	assert_string_equal(try_once(record, &try, "{\"a\":3"), "");
	record_close(record);
	assert_int_equal(check_chain(buf_text(&gates[0].got), &chain), 2);
	assert_non_null(strstr(gates[0].got.at, "{\"a\":3,\"seq\":2,"));
}

/* ---- the other sinks ---- */

static void
other_sinks_get_the_same_bytes(void **state)
{
	struct record *record = opened(2, 0);
	struct record_state now;
	struct try try;

	(void)state;
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	gate_set(&gates[0], false, 0);
	assert_string_equal(try_once(record, &try, "{\"a\":2"), "test: no room");
	gate_set(&gates[0], false, SIZE_MAX);
	assert_string_equal(try_once(record, &try, "{\"a\":3"), "");
	record_state(record, &now);
	assert_int_equal(now.lost, 0);
	record_close(record);
	assert_string_equal(gates[0].got.at, gates[1].got.at);
	assert_int_equal(chain_of(&gates[1]), 2);
}

static void
other_sink_that_hangs_holds_nobody_up(void **state)
{
	struct record *record = opened(2, 0);
	struct record_state now = {0};
	struct try try;

	(void)state;
	gate_set(&gates[1], true, SIZE_MAX);
	for (int i = 0; i < LINES; i++)
		assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	gate_wait(&gates[1], true);
	/* the last one is handed on after it was told of */
	for (int i = 0; i < 10000 && now.behind < LINES; i++) {
		(void)usleep(1000);
		record_state(record, &now);
	}
	assert_int_equal(now.behind, LINES);
	gate_set(&gates[1], false, SIZE_MAX);
	for (int i = 0; i < 10000 && now.behind > 0; i++) {
		(void)usleep(1000);
		record_state(record, &now);
	}
	assert_int_equal(now.behind, 0);
	record_close(record);
	assert_int_equal(chain_of(&gates[1]), LINES);
}

static void
other_sink_that_fails_loses_lines_that_are_counted(void **state)
{
	struct record *record = opened(2, 0);
	struct record_state now = {0};
	struct try try;

	(void)state;
	gate_set(&gates[1], false, 0);
	for (int i = 0; i < 5; i++)
		assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	for (int i = 0; i < 10000 && now.lost < 5; i++) {
		(void)usleep(1000);
		record_state(record, &now);
	}
	assert_int_equal(now.lost, 5);
	assert_false(now.degraded);
	gate_set(&gates[1], false, SIZE_MAX);
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	record_close(record);
	assert_logged("record sink test:1 loses lines: test: no room\n", 1);
	assert_logged("record sink test:1 takes lines again, 5 lost\n", 1);
}

static void
other_sink_that_can_not_be_opened_is_tried_again(void **state)
{
	struct record_state now = {0};
	struct record *record;
	struct try try;

	(void)state;
	gates[1].cannot_open = true;
	record = opened(2, 0);
	assert_string_equal(try_once(record, &try, "{\"a\":1"), "");
	for (int i = 0; i < 10000 && now.lost < 1; i++) {
		(void)usleep(1000);
		record_state(record, &now);
	}
	gates[1].cannot_open = false;
	assert_string_equal(try_once(record, &try, "{\"a\":2"), "");
	record_close(record);
	assert_memory_equal(gates[1].got.at, "{\"a\":2,\"seq\":2,", 15);
	assert_logged("record sink test:1 loses lines: test:1: can't be opened\n", 1);
}

/* ---- opening ---- */

static void
sinks_that_make_no_sense_are_refused(void **state)
{
	static const char *const many[RECORD_SINKS_MAX + 1] = {"stdout"};
	static const struct {
		const char *sinks[2];
		size_t count;
		const char *why;
	} rows[] = {
	    {{NULL}, 0, "1 to 8 sinks"},
	    {{"file"}, 1, "record sink file: no such kind"},
	    {{"stdouts"}, 1, "record sink stdouts: no such kind"},
	    {{""}, 1, "no such kind"},
	    {{"file:"}, 1, "names no file"},
	    {{"stdout", "what:"}, 2, "record sink what:: no such kind"},
	};
	struct record *record = NULL;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		err = (struct err){0};
		assert_int_equal(record_open(rows[i].sinks, rows[i].count, "h", &test_log,
		                             &record, &err),
		                 -1);
		if (!strstr(err.text, rows[i].why))
			fail_msg("row %zu: %s", i, err.text);
	}
	assert_int_equal(
	    record_open(many, RECORD_SINKS_MAX + 1, "h", &test_log, &record, NULL), -1);
	record_close(NULL);
}

/* ---- stdout ---- */

/* Runs with standard output on `fd`. */
static int
redirect(int fd)
{
	int before = dup(STDOUT_FILENO);

	(void)fflush(stdout);
	assert_true(before >= 0 && dup2(fd, STDOUT_FILENO) == STDOUT_FILENO);
	return before;
}

static void
restore(int before)
{
	(void)dup2(before, STDOUT_FILENO);
	(void)close(before);
}

static void
stdout_gets_lines_and_its_failures_are_told(void **state)
{
	static const char *const sinks[] = {"stdout"};
	struct record *record = NULL;
	struct record_chain chain = {0};
	struct err err = {0};
	struct try good, bad;
	int ends[2], before;
	char got[4096];
	ssize_t len;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	before = redirect(ends[1]);
	(void)close(ends[1]);
	assert_int_equal(record_open(sinks, 1, "h", &test_log, &record, &err), 0);
	(void)try_once(record, &good, "{\"a\":1");
	len = read(ends[0], got, sizeof got);
	(void)close(ends[0]);
	(void)try_once(record, &bad, "{\"a\":2");
	record_close(record);
	restore(before);
	assert_string_equal(good.failure, "");
	assert_string_equal(bad.failure, "stdout: can't be written: Broken pipe");
	assert_int_equal(
	    check_chain((struct text){.at = got, .len = (size_t)len}, &chain), 1);
}

static void
stdout_on_a_full_device_refuses(void **state)
{
	static const char *const sinks[] = {"stdout"};
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC), before;
	struct record *record = NULL;
	struct err err = {0};
	struct try try;

	(void)state;
	assert_true(fd >= 0);
	before = redirect(fd);
	(void)close(fd);
	assert_int_equal(record_open(sinks, 1, "h", &test_log, &record, &err), 0);
	(void)try_once(record, &try, "{\"a\":1");
	record_close(record);
	restore(before);
	assert_string_equal(try.failure,
	                    "stdout: can't be written: No space left on device");
}

/* ---- many at once ---- */

static void *
submit_many(void *argument)
{
	struct record *record = argument;
	struct try *tries = calloc(LINES, sizeof *tries);

	assert_non_null(tries);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < LINES; i++)
			try_line(record, &tries[i], "{\"a\":1");
		for (int i = 0; i < LINES; i++)
			(void)try_wait(&tries[i]);
	}
	free(tries);
	return NULL;
}

/* Sinks that hang and fail at random moments while the timer runs: nothing comes back
   twice (try_wait looks) and the chain holds. */
static void
each_line_comes_back_once_whatever_the_sink_does(void **state)
{
	struct record *record = opened(2, 2);
	struct record_state now;
	pthread_t threads[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, submit_many, record),
		                 0);
	for (unsigned i = 0; i < 400; i++) {
		gate_set(&gates[0], i % 3 == 0, i % 5 == 0 ? 700 : SIZE_MAX);
		gate_set(&gates[1], i % 7 == 0, i % 4 == 0 ? 100 : SIZE_MAX);
		(void)usleep(i % 3 == 0 ? 3000 : 300);
		record_expire(record);
	}
	gate_set(&gates[0], false, SIZE_MAX);
	gate_set(&gates[1], false, SIZE_MAX);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	/* wait_ms is 2 here, too little for a close that joins in any case */
	(void)usleep(100 * 1000);
	record_state(record, &now);
	assert_int_equal(now.waiting, 0);
	abandoned[1] = record;
	record_close(record);
	assert_int_equal(now.written, chain_of(&gates[0]));
	assert_true(now.failed > 0 && now.written > 0);
}

#define clean(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_a_line_with_number_and_hash_at_its_end_is_ours),
	    cmocka_unit_test(hash_is_sha256_in_hex),
	    cmocka_unit_test(time_of_a_line_is_read_strictly),
	    clean(lines_are_numbered_and_chained),
	    clean(chain_goes_on_from_the_last_line),
	    clean(lines_that_wait_go_out_in_one_write_and_in_order),
	    clean(line_that_is_not_taken_uses_up_no_number),
	    clean(failure_is_logged_once_and_its_end_too),
	    clean(of_a_group_that_is_taken_in_part_each_line_gets_its_own_answer),
	    clean(sink_that_is_not_ready_refuses),
	    clean(reopen_shows_at_once_that_the_sink_is_not_ready),
	    clean(line_that_can_be_no_record_is_refused_with_the_reason),
	    clean(queue_that_is_full_refuses_at_once),
	    clean(
		line_that_a_hanging_sink_takes_late_comes_back_once_and_keeps_its_number),
	    clean(line_that_waited_behind_a_hanging_one_is_never_written),
	    clean(timer_rests_while_nothing_waits),
	    clean(closing_gives_back_what_a_hanging_sink_holds),
	    clean(closing_writes_what_waits),
	    clean(torn_line_is_followed_by_a_recovery_record_at_opening),
	    clean(recovery_record_that_could_not_be_written_comes_with_the_next_line),
	    clean(recovery_record_alone_may_be_taken_of_a_group),
	    clean(other_sinks_get_the_same_bytes),
	    clean(other_sink_that_hangs_holds_nobody_up),
	    clean(other_sink_that_fails_loses_lines_that_are_counted),
	    clean(other_sink_that_can_not_be_opened_is_tried_again),
	    clean(sinks_that_make_no_sense_are_refused),
	    clean(stdout_gets_lines_and_its_failures_are_told),
	    clean(stdout_on_a_full_device_refuses),
	    clean(each_line_comes_back_once_whatever_the_sink_does),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
