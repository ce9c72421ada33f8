/* SPDX-License-Identifier: Apache-2.0 */
/* ship_run.c - batch after batch: when to send, to send again, to halve, to stop. */
#include "edge/ship.h"
#include "edge/stop.h"

#include <string.h>
#include <sys/random.h>

enum { SAY_AGAIN_MS = 60 * 1000 }; /* a failure that goes on is logged so often */

struct run {
	const struct ship_options *options;
	const struct log *log;
	struct ship_state state;
	struct ship_follow follow;
	struct ship_client *client;
	struct ship_batch batch;
	struct buf body;
	struct ship_limits limits; /* less than the options' after a refusal */
	unsigned failures;         /* in a row */
	int64_t failing_since_ms, said_ms;
	bool holes, state_failed, stop;
};

/* Waits, less if we are to stop; 0 only looks. */
static void
wait_ms(struct run *run, int64_t ms)
{
	run->stop = run->stop || stop_wait(ms);
}

/* ---- what became of a batch ---- */

/* True if it is time to say so: at first, then once a minute. */
static bool
note_failure(struct run *run)
{
	int64_t now = stop_clock_ms();

	if (run->failures++ == 0)
		run->failing_since_ms = now;
	else if (now - run->said_ms < SAY_AGAIN_MS)
		return false;
	run->said_ms = now;
	return true;
}

static void
wait_to_retry(struct run *run, int64_t asked_ms)
{
	uint64_t random = 0;
	int64_t ms,
	    left = run->failing_since_ms + run->options->give_up_ms - stop_clock_ms();

	(void)!getrandom(&random, sizeof random, 0);
	ms = web_backoff_ms(run->failures, run->options->retry_max_ms, asked_ms, random);
	if (run->options->once && ms > left)
		ms = left > 0 ? left : 0;
	log_debug(run->log, "next try in %lld ms", (long long)ms);
	wait_ms(run, ms);
}

static void
note_success(struct run *run)
{
	const struct ship_limits *most = &run->options->limits;

	if (run->failures > 0)
		log_warning(run->log, "%s takes lines again, after %lld s",
		            ship_client_name(run->client),
		            (long long)(stop_clock_ms() - run->failing_since_ms) / 1000);
	run->failures = 0;
	/* slowly: where a collector's limit is below ours, most batches fit */
	run->limits.lines += run->limits.lines / 8 + 1;
	if (run->limits.lines > most->lines)
		run->limits.lines = most->lines;
}

/* A state that can't be written costs repetitions after a restart, no lines. */
static void
taken(struct run *run)
{
	struct err err = {0};

	note_success(run);
	if (run->batch.note[0] != '\0')
		log_warning(run->log, "%s", run->batch.note);
	run->holes = run->holes || run->batch.holes;
	ship_follow_taken(&run->follow, &run->batch);
	if (ship_state_save(&run->state, &run->follow.place, &err) == 0) {
		run->state_failed = false;
		return;
	}
	if (!run->state_failed)
		log_error(run->log, "%s", err.text);
	run->state_failed = true;
}

/* 400 and the like: which line it is about, half by half. */
static void
refused(struct run *run, const struct ship_result *result)
{
	if (run->batch.count > 1) {
		run->limits.lines = run->batch.count / 2;
		return;
	}
	if (note_failure(run))
		log_error(
		    run->log,
		    "%s refuses the line at %s, byte %lld (seq %llu), and what comes "
		    "after it waits: %s",
		    ship_client_name(run->client), run->options->record,
		    (long long)run->batch.place.start,
		    (unsigned long long)run->batch.place.seq, result->reason);
	/* no hurry: the collector has to change first */
	wait_to_retry(run, run->options->retry_max_ms);
}

static void
failed(struct run *run, const struct ship_result *result)
{
	if (note_failure(run))
		log_warning(run->log, "%s takes no lines, they wait: %s",
		            ship_client_name(run->client), result->reason);
	wait_to_retry(run, result->retry_after_ms);
}

static bool
gives_up(const struct run *run)
{
	return run->options->once && run->failures > 0 &&
	       stop_clock_ms() - run->failing_since_ms >= run->options->give_up_ms;
}

/* Sends the batch until it is taken, or must be made smaller, or we are to stop. */
static int
deliver(struct run *run, struct err *err)
{
	struct ship_result result;

	if (ship_batch_body(&run->batch, run->options->target.array,
	                    run->options->target.gzip, &run->body, err))
		return -1;
	do {
		ship_client_post(run->client, buf_text(&run->body), &result);
		wait_ms(run, 0);
		if (result.answer == SHIP_TAKEN) {
			taken(run);
			return 0;
		}
		if (result.answer == SHIP_NEVER)
			refused(run, &result);
		else
			failed(run, &result);
		if (gives_up(run))
			return err_set(err, ERR_SYSTEM,
			               "%s: not all lines were taken: %s",
			               ship_client_name(run->client), result.reason);
	} while (!run->stop && result.answer == SHIP_LATER);
	return 0;
}

/* ---- */

/* 1: go on at once; 0: there is nothing to do; -1. */
static int
step(struct run *run, struct err *err)
{
	if (ship_follow_read(&run->follow, &run->limits, &run->batch, err))
		return -1;
	if (run->batch.count == 0)
		return ship_follow_next(&run->follow, err);
	return deliver(run, err) == 0 ? 1 : -1;
}

static int
carry(struct run *run, struct err *err)
{
	while (!run->stop) {
		int more = step(run, err);

		if (more < 0)
			return -1;
		if (more == 0 && run->options->once)
			break;
		wait_ms(run, more == 0 ? run->options->interval_ms : 0);
	}
	return run->holes ? 1 : 0;
}

static int
start(struct run *run, struct err *err)
{
	const struct ship_options *options = run->options;
	struct ship_place place;

	if (ship_client_open(&options->target, &run->client, err) ||
	    ship_state_open(&run->state, options->state, &place, err) ||
	    ship_follow_start(&run->follow, options->record, &place, run->log, err))
		return -1;
	if (options->once && run->follow.fd < 0)
		return err_set(err, ERR_SYSTEM, "%s: there is no such file",
		               options->record);
	if (!options->once)
		log_info(run->log, "carrying %s to %s, after seq %llu", options->record,
		         ship_client_name(run->client), (unsigned long long)place.seq);
	return 0;
}

int
ship_run(const struct ship_options *options, const struct log *log, struct err *err)
{
	struct run run = {.options = options,
	                  .log = log,
	                  .limits = options->limits,
	                  .state.lock = -1,
	                  .follow.fd = -1};
	int result = -1;

	stop_block();
	if (start(&run, err) == 0)
		result = carry(&run, err);
	ship_client_close(run.client);
	ship_follow_stop(&run.follow);
	ship_state_close(&run.state);
	ship_batch_free(&run.batch);
	buf_free(&run.body);
	return result;
}
