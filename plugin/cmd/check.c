/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - `seccomp-authz check`: decides files offline, as the judge would. */
#include "cmd_check.h"
#include "cmd_options.h"
#include "edge/policy_store.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const struct check_writer *const writers[] = {&check_text, &check_json,
                                                     &check_sarif};

enum { WRITERS = sizeof writers / sizeof writers[0] };

int
check_read(struct check *check, const char *path, struct buf *content)
{
	struct stat status;
	struct err err = {0};
	const char *why;

	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return check_complain(check, path, "is a folder; name the files in it");
	if (cmd_read_file(path, CHECK_INPUT_MAX, content, &err) == 0)
		return EXIT_CLEAN;
	why = strstr(err.text, ": "); /* the reader has put the path in front */
	return check_complain(check, path, "%s", why ? why + 2 : err.text);
}

static int
check_file(struct check *check, const char *path)
{
	cleanup_buf struct buf content = {0};
	struct check_document document = {.path = path};
	struct yaml_place place = {0};
	struct err err = {0};

	if (check_read(check, path, &content) != EXIT_CLEAN)
		return EXIT_UNSURE;
	document.text = document.file = buf_text(&content);
	check->cursor = (struct check_cursor){0};
	check->format =
	    check->as ? check->as : check_recognise(document.text, &place, &err);
	if (check->format)
		return check->format->judge(check, &document);
	if (err.code != ERR_NONE)
		return check_complain(check, path,
		                      "%s; say with --as what it is to have it judged "
		                      "all the same",
		                      err.text);
	return check_complain(check, path,
	                      "none of the formats that are known by their content; say "
	                      "which one with --as");
}

static int
read_names(struct check *check, const char *as, const char *format)
{
	cleanup_buf struct buf names = {0};

	for (size_t i = 0; i < WRITERS && !check->writer; i++) {
		if (strcmp(format ? format : "text", writers[i]->name) == 0)
			check->writer = writers[i];
	}
	if (!check->writer)
		return cmd_usage_error(
		    check->self, "--format %s: should be text, json or sarif", format);
	if (!as)
		return CMD_GO_ON;
	check->as = check_format_find(as);
	if (check->as)
		return CMD_GO_ON;
	check_format_names(&names);
	return cmd_usage_error(check->self, "--as %s: should be %s", as,
	                       buf_ok(&names) ? names.at : "another");
}

static int64_t
now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int
run_files(struct check *check)
{
	int worst = EXIT_CLEAN;

	check->now_us = now_us();
	check->writer->begin(check);
	if (check->merge) {
		check->format = check->as;
		worst = check_compose_merged(check);
	}
	for (int i = 0; i < check->file_count && !check->merge; i++) {
		int found = check_file(check, check->files[i]);

		if (found > worst)
			worst = found;
	}
	check->writer->end(check);
	return cmd_flush() ? worst : cmd_complain("stdout: can't be written");
}

static int
run_check(const struct command *self, int argc, char **argv)
{
	struct check check = {.self = self};
	const char *as = NULL, *format = NULL;
	const struct cmd_option options[] = {{"--policy", .value = &check.policy_path},
	                                     {"--as", .value = &as},
	                                     {"--format", .value = &format},
	                                     {"--merge", .flag = &check.merge},
	                                     {.name = NULL}};
	int code = cmd_read_options(self, options, argc, argv, &check.file_count);

	if (code == CMD_GO_ON)
		code = read_names(&check, check.merge && !as ? "compose" : as, format);
	if (code != CMD_GO_ON)
		return code;
	check.files = argv + 1;
	if (check.file_count == 0)
		return cmd_usage_error(self, "which FILE?");
	if (check.merge && check.as != check_format_find("compose"))
		return cmd_usage_error(self, "--merge is for Compose files");
	if (cmd_load_policy(check.policy_path, &check.policy) != EXIT_CLEAN)
		return EXIT_UNSURE;
	code = run_files(&check);
	policy_free(check.policy);
	buf_free(&check.complaints);
	buf_free(&check.notifications);
	return code;
}

const struct command command_check = {
    .name = "check",
    .summary = "decide requests offline, from files",
    .usage = "[--policy FILE] [--as FORMAT] [--merge] [--format text|json|sarif]\n"
	     "           FILE...|-",
    .help =
	"Decides each FILE as the judge would and prints a line for each container:\n"
	"  allow|deny|observe FILE:LINE CONTAINER POSTURE RULE: sentence\n"
	"LINE is that of the entry which decided.\n\n"
	"  --policy FILE  the policy to decide by [" POLICY_DEFAULT_PATH ", or the\n"
	"                 built-in policy where that does not exist]\n"
	"  --as FORMAT    what the files are:\n"
	"                   create    body of POST /containers/create\n"
	"                   start     body of POST /containers/NAME/start (API < 1.24)\n"
	"                   service   body of POST /services/create\n"
	"                   envelope  what dockerd sends to a plugin; also one a line\n"
	"                   inspect   what docker inspect and docker service inspect\n"
	"                             print\n"
	"                   manifest  objects of Kubernetes, in YAML or JSON\n"
	"                   admission what an API server sends to a webhook\n"
	"                   compose   a Compose file, in YAML or JSON: what it extends\n"
	"                             and includes, and the profiles that it names, are\n"
	"                             read too; what depends on a variable is judged as\n"
	"                             the worst that it could be (docker compose config\n"
	"                             fills variables in)\n"
	"                   profile   a seccomp profile, as if a container ran under it\n"
	"                 Without it, all but start are told by their content. With\n"
	"                 it, what can't be read is denied.\n"
	"  --merge        the files are Compose files that are merged, each over those\n"
	"                 before it, as by docker compose -f FILE -f FILE. Without it\n"
	"                 each is judged for itself; but docker-compose.yml and its "
	"like\n"
	"                 also with docker-compose.override.yml and its like beside it,\n"
	"                 which Compose merges by itself.\n"
	"  --format F     text, json (check.schema.json) or sarif (2.1.0, for pages of\n"
	"                 code scanning; it holds what is not allowed) [text]\n\n"
	"Exit code: 0 all allowed, 1 some denied, 2 could not tell.\n",
    .run = run_check,
};
