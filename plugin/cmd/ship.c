/* SPDX-License-Identifier: Apache-2.0 */
/* ship.c - `seccomp-authz ship`: carries a record to a collector. */
#include "cmd_options.h"
#include "edge/record.h"
#include "edge/ship.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEFAULT_LINES = 500,
	DEFAULT_BYTES = 1024 * 1024,
	DAY_MS = 24 * 60 * 60 * 1000,
};

static const char url_variable[] = "SECCOMP_AUTHZ_SHIP_URL";

/* Options as they stand on the command line. */
struct words {
	const char *format, *lines, *bytes, *interval, *timeout, *retry_max, *give_up;
};

static int
read_numbers(const struct command *self, const struct words *words,
             struct ship_options *options)
{
	int64_t lines = DEFAULT_LINES, bytes = DEFAULT_BYTES;
	int code = cmd_read_number(self, "--batch-lines", words->lines, 1,
	                           SHIP_BATCH_LINES_MAX, &lines);

	/* any line fits into the smallest batch */
	if (code == CMD_GO_ON)
		code = cmd_read_number(self, "--batch-bytes", words->bytes,
		                       RECORD_LINE_MAX, SHIP_BATCH_BYTES_MAX, &bytes);
	if (code == CMD_GO_ON)
		code = cmd_read_seconds(self, "--interval", words->interval, DAY_MS,
		                        &options->interval_ms);
	if (code == CMD_GO_ON)
		code = cmd_read_seconds(self, "--timeout", words->timeout, DAY_MS,
		                        &options->target.web.timeout_ms);
	if (code == CMD_GO_ON)
		code = cmd_read_seconds(self, "--retry-max", words->retry_max, DAY_MS,
		                        &options->retry_max_ms);
	if (code == CMD_GO_ON)
		code = cmd_read_seconds(self, "--give-up", words->give_up, DAY_MS,
		                        &options->give_up_ms);
	options->limits = (struct ship_limits){(size_t)lines, (size_t)bytes};
	return code;
}

static int
check_words(const struct command *self, const struct words *words,
            struct ship_options *options)
{
	const struct ship_target *target = &options->target;

	options->target.array = words->format && strcmp(words->format, "array") == 0;
	if (words->format && !target->array && strcmp(words->format, "ndjson") != 0)
		return cmd_usage_error(self, "--format %s: should be ndjson or array",
		                       words->format);
	if (target->web.key && !target->web.cert)
		return cmd_usage_error(self, "--key without --cert");
	if (words->give_up && !options->once)
		return cmd_usage_error(self, "--give-up without --once");
	return read_numbers(self, words, options);
}

static int
read_options(const struct command *self, int argc, char **argv,
             struct ship_options *options)
{
	struct ship_target *target = &options->target;
	struct words words = {0};
	const struct cmd_option table[] = {
	    {"--state", .value = &options->state},
	    {"--format", .value = &words.format},
	    {"--batch-lines", .value = &words.lines},
	    {"--batch-bytes", .value = &words.bytes},
	    {"--interval", .value = &words.interval},
	    {"--timeout", .value = &words.timeout},
	    {"--retry-max", .value = &words.retry_max},
	    {"--give-up", .value = &words.give_up},
	    {"--token-file", .value = &target->web.token_file},
	    {"--cert", .value = &target->web.cert},
	    {"--key", .value = &target->web.key},
	    {"--cacert", .value = &target->web.cacert},
	    {"--gzip", .flag = &target->gzip},
	    {"--insecure-http", .flag = &target->web.insecure_http},
	    {"--once", .flag = &options->once},
	    {.name = NULL},
	};
	int count, code = cmd_read_options(self, table, argc, argv, &count);

	if (code == CMD_GO_ON)
		code = check_words(self, &words, options);
	if (code != CMD_GO_ON)
		return code;
	options->record = count > 0 ? argv[1] : NULL;
	target->web.url = count > 1 ? argv[2] : getenv(url_variable);
	if (count == 0)
		return cmd_usage_error(self, "which FILE?");
	if (!target->web.url || target->web.url[0] == '\0')
		return cmd_usage_error(self, "to which URL?");
	return count <= 2 ? CMD_GO_ON
	                  : cmd_usage_error(self, "%s: one word too many", argv[3]);
}

static int
carry(struct ship_options *options, char **argv)
{
	struct log log = log_start(LOG_LEVEL_INFO);
	cleanup_buf struct buf state = {0};
	struct err err = {0};
	char *url = web_take_url(options->target.web.url, argv);
	int result;

	buf_printf(&state, "%s.ship", options->record);
	if (!url || !buf_ok(&state)) {
		free(url);
		return cmd_complain("out of memory");
	}
	options->target.web.url = url;
	if (!options->state)
		options->state = state.at;
	result = ship_run(options, &log, &err);
	free(url);
	if (result < 0)
		return cmd_complain("%s", err.text);
	return result == 0 ? EXIT_CLEAN : EXIT_FOUND;
}

static int
run_ship(const struct command *self, int argc, char **argv)
{
	struct ship_options options = {
	    .target.web.timeout_ms = 30 * 1000,
	    .interval_ms = 1000,
	    .retry_max_ms = 60 * 1000,
	    .give_up_ms = 60 * 1000,
	};
	int code = read_options(self, argc, argv, &options);

	return code == CMD_GO_ON ? carry(&options, argv) : code;
}

const struct command command_ship = {
    .name = "ship",
    .summary = "carry a record to a collector",
    .usage = "[options] FILE [URL]",
    .help =
	"Follows a record across rotation and sends its lines to a collector by POST,\n"
	"in order, each at least once: a batch is repeated until the answer is 2xx,\n"
	"and how far it got is kept on disk. Without URL it is taken from the\n"
	"environment, SECCOMP_AUTHZ_SHIP_URL.\n"
	"\n"
	"  --state FILE       how far it got [FILE.ship, beside the record]\n"
	"  --once             end when all that is there was sent (or could not be)\n"
	"  --give-up S        with --once: after S seconds without progress [60]\n"
	"  --interval S       look for new lines so often [1]\n"
	"  --batch-lines N    of one request at most [500]\n"
	"  --batch-bytes N    of one request at most, uncompressed [1048576]\n"
	"  --format F         ndjson: a line each [default], or array: one JSON array\n"
	"  --gzip             compress (Content-Encoding: gzip)\n"
	"  --timeout S        of one request [30]\n"
	"  --retry-max S      longest wait between two tries [60]\n"
	"  --token-file FILE  send its content as a bearer token; read each time\n"
	"  --cert FILE        client certificate (PEM), with its key or\n"
	"  --key FILE         its key\n"
	"  --cacert FILE      trust these certificates and not the system's\n"
	"  --insecure-http    allow http:// to hosts other than this one\n"
	"\n"
	"What fails is tried again after a random time that doubles up to --retry-\n"
	"max; Retry-After is honoured up to an hour. A batch that is answered with\n"
	"400, 413 or 422 is sent in halves; a single line so refused is sent again at\n"
	"the pace of --retry-max, and nothing after it is sent: lines are never\n"
	"dropped. Redirects are not followed.\n"
	"\n"
	"Rotate the record by renaming, uncompressed until it was sent (logrotate:\n"
	"create, delaycompress, dateext or not); copytruncate loses lines and is an\n"
	"error. Another record that takes FILE's place is sent from its beginning. A\n"
	"line that is none of a record is sent as {\"event\":\"unreadable\",...} with\n"
	"its SHA-256. SIGTERM ends it after the request that is under way.\n"
	"\n"
	"Exit code: 0 ended as asked, 1 so, but lines are missing or unreadable, 2\n"
	"could not go on.\n",
    .run = run_ship,
};
