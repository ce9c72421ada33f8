/* SPDX-License-Identifier: Apache-2.0 */
/* log_show.c - `seccomp-authz log show`: the lines of a record for a person. */
#include "cmd_log.h"
#include "cmd_options.h"
#include "cmd_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A line that is none of a record. */
struct broken {
	const char *path; /* borrowed from the list of files */
	uint64_t number;
	char hash[RECORD_HASH_HEX + 1];
};

struct show {
	struct log_filter filter;
	bool json, summary;
	int width;
	struct log_summary *counts;
	/* these wait for the next line of a record: a recovery record accounts for them */
	struct broken broken[RECORD_TORN_MAX];
	size_t broken_count;
	int result;
};

static void
complain_of_broken(struct show *show)
{
	for (size_t i = 0; i < show->broken_count; i++)
		show->result = cmd_complain("%s:%" PRIu64 ": is no line of a record; see "
		                            "seccomp-authz log verify",
		                            show->broken[i].path, show->broken[i].number);
	show->broken_count = 0;
}

static void
keep_broken(struct show *show, const char *path, const struct record_found *line)
{
	struct broken *broken;

	if (show->broken_count == RECORD_TORN_MAX)
		complain_of_broken(show);
	broken = &show->broken[show->broken_count++];
	broken->path = path;
	broken->number = line->number;
	memcpy(broken->hash, line->hash, sizeof broken->hash);
}

/* Forgets those that this recovery record closed, if these are the last. */
static void
forget_closed(struct show *show, const struct record_found *recovery)
{
	struct text list = record_found_torn(recovery);
	size_t closed = 1, first;

	while (list.at && record_torn_hash(list, closed).at)
		closed++;
	if (closed > show->broken_count)
		return;
	first = show->broken_count - closed;
	for (size_t i = 0; i < closed; i++) {
		struct text hash =
		    list.at ? record_torn_hash(list, i) : text_of(recovery->prev);

		if (!text_is(hash, show->broken[first + i].hash))
			return;
	}
	show->broken_count = first;
}

static int
show_record(struct show *show, struct text line, const json_t *record)
{
	if (!log_filter_matches(&show->filter, line, record))
		return 0;
	if (show->summary && log_summary_add(show->counts, record) != 0) {
		show->result = cmd_complain("out of memory");
		return -1;
	}
	if (show->summary)
		return 0;
	if (show->json)
		(void)printf("%.*s\n", TEXT_ARG(line));
	else
		log_table_row(show->width, record);
	return ferror(stdout);
}

static int
show_line(void *context, const char *path, const struct record_found *line)
{
	struct show *show = context;
	json_t *record = NULL;
	int stop;

	if (line->seq > 0 && line->whole)
		record = json_loadb(line->text.at, line->text.len,
		                    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (!json_is_object(record)) {
		json_decref(record);
		keep_broken(show, path, line);
		return 0;
	}
	if (record_found_is_recovery(line))
		forget_closed(show, line);
	complain_of_broken(show);
	stop = show_record(show, line->text, record);
	json_decref(record);
	return stop;
}

static int
read_time(const struct command *self, const char *option, const char *word,
          int64_t *ret_us)
{
	struct timespec now;

	*ret_us = LOG_NO_TIME;
	if (!word)
		return CMD_GO_ON;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	*ret_us = log_time_read(word, (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	if (*ret_us != LOG_NO_TIME)
		return CMD_GO_ON;
	return cmd_usage_error(self,
	                       "%s %s: should be a time (2026-01-31T08:00:00Z), a day "
	                       "(2026-01-31) or an age (12h)",
	                       option, word);
}

/* What the words after the options mean. */
static int
check_options(const struct command *self, struct show *show, const char *format)
{
	const char *bad, *decision = show->filter.decision;

	show->json = format && strcmp(format, "json") == 0;
	if (format && !show->json && strcmp(format, "table") != 0)
		return cmd_usage_error(self, "--format %s: should be table or json",
		                       format);
	if (decision && strcmp(decision, "deny") != 0 && strcmp(decision, "allow") != 0 &&
	    strcmp(decision, "observe") != 0)
		return cmd_usage_error(
		    self, "--decision %s: should be deny, allow or observe", decision);
	if (!log_filter_is_valid(&show->filter, &bad))
		return cmd_usage_error(self, "%s: a pattern that nothing can match", bad);
	return CMD_GO_ON;
}

static int
read_options(const struct command *self, struct show *show, int argc, char **argv,
             struct record_files *files)
{
	const char *since = NULL, *until = NULL, *format = NULL;
	bool all = false;
	const struct cmd_option options[] = {
	    {"--all", .flag = &all},
	    {"--since", .value = &since},
	    {"--until", .value = &until},
	    {"--user", .value = &show->filter.user},
	    {"--image", .value = &show->filter.image},
	    {"--rule", .value = &show->filter.rule},
	    {"--decision", .value = &show->filter.decision},
	    {"--summary", .flag = &show->summary},
	    {"--format", .value = &format},
	    {.name = NULL},
	};
	int words, code = cmd_read_options(self, options, argc, argv, &words);

	if (code == CMD_GO_ON)
		code = check_options(self, show, format);
	if (code == CMD_GO_ON)
		code = read_time(self, "--since", since, &show->filter.since_us);
	if (code == CMD_GO_ON)
		code = read_time(self, "--until", until, &show->filter.until_us);
	if (code != CMD_GO_ON)
		return code;
	if (words == 0)
		return cmd_usage_error(self, "which FILE?");
	return log_open_files(argv + 1, words, all, files) == EXIT_CLEAN ? CMD_GO_ON
	                                                                 : EXIT_UNSURE;
}

static int
run_show(const struct command *self, int argc, char **argv)
{
	cleanup_record_files struct record_files files = {0};
	struct show show = {.result = EXIT_CLEAN};
	int code = read_options(self, &show, argc, argv, &files);

	if (code != CMD_GO_ON)
		return code;
	show.width = table_terminal_width();
	show.counts = show.summary ? log_summary_new() : NULL;
	if (show.summary && !show.counts)
		return cmd_complain("out of memory");
	if (!show.summary && !show.json)
		log_table_head(show.width);
	if (log_each_line(&files, show_line, &show) != EXIT_CLEAN)
		show.result = EXIT_UNSURE;
	complain_of_broken(&show);
	if (show.summary)
		log_summary_print(show.counts, show.json);
	log_summary_free(show.counts);
	return cmd_flush() ? show.result : cmd_complain("stdout: can't be written");
}

const struct command command_log_show = {
    .name = "log show",
    .summary = "the lines of a record",
    .usage = "[options] FILE...",
    .help =
	"Prints the lines of a record that match, oldest first; the files may be\n"
	"given in any order. A name or image is that of the container which decided.\n"
	"\n"
	"  --all            with each FILE also FILE.1, FILE.2 and so on and\n"
	"                   FILE-20261125 and the like, and these with .gz\n"
	"  --since T        not before T: a time (2026-01-31T08:00:00Z), a day of UTC\n"
	"                   (2026-01-31), or an age (90m, 12h, 7d)\n"
	"  --until T        before T\n"
	"  --user GLOB      of this user\n"
	"  --rule GLOB      decided by this rule\n"
	"  --image PATTERN  with such an image, written as in a policy (nginx, repo/*)\n"
	"  --decision D     deny, allow or observe\n"
	"  --summary        counts by day, image, user and rule instead of lines\n"
	"  --format F       table, which fits the terminal and is escaped for it, or\n"
	"                   json: the lines as they are, or the counts as one object\n"
	"\n"
	"What a record lacks matches no pattern. A line that is none of a record is\n"
	"named on stderr, unless the recovery record after it accounts for it; the\n"
	"rest is shown.\n"
	"\n"
	"Exit code: 0 shown, 2 something could not be read.\n",
    .run = run_show,
};
