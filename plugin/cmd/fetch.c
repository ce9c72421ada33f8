/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.c - `seccomp-authz fetch`: keeps a policy file current from a URL. */
#include "cmd_options.h"
#include "edge/fetch.h"
#include "edge/policy_store.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static const char url_variable[] = "SECCOMP_AUTHZ_FETCH_URL";

/* Options as they stand on the command line. */
struct words {
	const char *interval, *timeout, *retry_max, *max_bytes;
};

static int
read_numbers(const struct command *self, const struct words *words,
             struct fetch_options *options)
{
	int64_t bytes = POLICY_FILE_MAX;
	int code = cmd_read_seconds(self, "--interval", words->interval, DAY_MS,
	                            &options->interval_ms);

	if (code == CMD_GO_ON)
		code = cmd_read_seconds(self, "--timeout", words->timeout, DAY_MS,
		                        &options->target.timeout_ms);
	options->retry_max_ms = options->interval_ms;
	if (code == CMD_GO_ON)
		code = cmd_read_seconds(self, "--retry-max", words->retry_max, DAY_MS,
		                        &options->retry_max_ms);
	if (code == CMD_GO_ON)
		code = cmd_read_number(self, "--max-bytes", words->max_bytes, 2,
		                       POLICY_FILE_MAX, &bytes);
	options->max_bytes = (size_t)bytes;
	return code;
}

/* FILE alone, with the URL in the environment, or URL and FILE. */
static int
read_words(const struct command *self, int count, char **argv,
           struct fetch_options *options)
{
	const char *url = count > 1 ? argv[1] : getenv(url_variable);

	if (count == 0)
		return cmd_usage_error(self, "which URL and FILE?");
	if (count > 2)
		return cmd_usage_error(self, "%s: one word too many", argv[3]);
	if (!url || url[0] == '\0')
		return cmd_usage_error(self, "from which URL? (or which FILE?)");
	options->target.url = url;
	options->file = argv[count];
	return CMD_GO_ON;
}

static int
read_options(const struct command *self, int argc, char **argv,
             struct fetch_options *options)
{
	struct web_target *target = &options->target;
	struct words words = {0};
	const struct cmd_option table[] = {
	    {"--state", .value = &options->state},
	    {"--interval", .value = &words.interval},
	    {"--timeout", .value = &words.timeout},
	    {"--retry-max", .value = &words.retry_max},
	    {"--max-bytes", .value = &words.max_bytes},
	    {"--token-file", .value = &target->token_file},
	    {"--cert", .value = &target->cert},
	    {"--key", .value = &target->key},
	    {"--cacert", .value = &target->cacert},
	    {"--insecure-http", .flag = &target->insecure_http},
	    {"--once", .flag = &options->once},
	    {.name = NULL},
	};
	int count, code = cmd_read_options(self, table, argc, argv, &count);

	if (code == CMD_GO_ON && target->key && !target->cert)
		return cmd_usage_error(self, "--key without --cert");
	if (code == CMD_GO_ON)
		code = read_numbers(self, &words, options);
	return code == CMD_GO_ON ? read_words(self, count, argv, options) : code;
}

static int
keep(struct fetch_options *options, char **argv)
{
	struct log log = log_start(LOG_LEVEL_INFO);
	cleanup_buf struct buf state = {0};
	struct err err = {0};
	char *url = web_take_url(options->target.url, argv);
	int result;

	buf_printf(&state, "%s" POLICY_FETCH_SUFFIX, options->file);
	if (!url || !buf_ok(&state)) {
		free(url);
		return cmd_complain("out of memory");
	}
	options->target.url = url;
	if (!options->state)
		options->state = state.at;
	result = fetch_run(options, &log, &err);
	free(url);
	if (result < 0)
		return cmd_complain("%s", err.text);
	return result == 0 ? EXIT_CLEAN : EXIT_FOUND;
}

static int
run_fetch(const struct command *self, int argc, char **argv)
{
	struct fetch_options options = {
	    .target.timeout_ms = 30 * 1000,
	    .interval_ms = 300 * 1000,
	};
	int code = read_options(self, argc, argv, &options);

	return code == CMD_GO_ON ? keep(&options, argv) : code;
}

const struct command command_fetch = {
    .name = "fetch",
    .summary = "keep a policy file current from a URL",
    .usage = "[options] [URL] FILE",
    .help =
	"Asks URL for a policy every now and then, and makes FILE that policy in one\n"
	"rename; a judge with --policy FILE reloads it by itself. With an answer that\n"
	"is not whole, not verified, too large or no policy, FILE stays as it is.\n"
	"Without URL it is taken from the environment, SECCOMP_AUTHZ_FETCH_URL.\n"
	"\n"
	"  --interval S       between two requests, give or take a tenth [300]\n"
	"  --once             ask once and end\n"
	"  --state FILE       what was fetched [FILE.fetch, beside the policy; there\n"
	"                     the judge sees how current the policy is]\n"
	"  --max-bytes N      of the policy at most [16777216]\n"
	"  --timeout S        of one request [30]\n"
	"  --retry-max S      longest wait between two tries [--interval]\n"
	"  --cacert FILE      trust these certificates and not the system's\n"
	"  --cert FILE        client certificate (PEM), with its key or\n"
	"  --key FILE         its key\n"
	"  --token-file FILE  send its content as a bearer token; read each time\n"
	"  --insecure-http    allow http:// to hosts other than this one\n"
	"\n"
	"The server's ETag is sent back, so that a policy that has not changed is not\n"
	"sent again. Redirects are followed from https to https. What fails is tried\n"
	"again after a random time that doubles up to --retry-max; Retry-After is\n"
	"honoured up to an hour. SIGTERM ends it after the request under way.\n"
	"\n"
	"Exit code: 0 ended as asked, 1 with --once: what the server sends is no\n"
	"policy, 2 could not go on, or with --once could not fetch.\n",
    .run = run_fetch,
};
