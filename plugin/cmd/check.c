/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - `seccomp-authz check`: decides files offline, as the judge would. */
#include "cmd.h"

#include "core/decide.h"
#include "core/json_go.h"
#include "edge/policy_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* A format is a request that its files are the body of; the others say it themselves. */
struct format {
	const char *name;
	const char *target;   /* of the POST that would carry it; NULL: see the name */
	const char *marks[4]; /* keys at the root that tell it */
};

static const struct format formats[] = {
    {"envelope", NULL, {"RequestMethod", "RequestUri"}},
    {"inspect", NULL, {"State", "Endpoint"}},
    {"admission", NULL, {"request"}},
    {"service", "/services/create", {"TaskTemplate"}},
    {"create", "/containers/create", {"HostConfig", "Image", "Cmd"}},
    {"manifest", NULL, {"apiVersion"}},
    /* told by --as only: a HostConfig has no key that nothing else has */
    {"start", "/v1.23/containers//start", {NULL}},
};

enum { FORMATS = sizeof formats / sizeof formats[0] };

struct check {
	const struct command *self;
	const char *policy_path;
	const struct format *format; /* NULL: told by the content */
	struct policy *policy;
};

static const struct format *
format_from_name(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++) {
		if (strcmp(name, formats[i].name) == 0)
			return &formats[i];
	}
	return NULL;
}

static int
mark_format(struct json *json, struct text key, void *context)
{
	const struct format **found = context;

	for (size_t i = 0; i < FORMATS; i++) {
		for (size_t k = 0; k < 4 && formats[i].marks[k]; k++) {
			if (json_key_matches(key, formats[i].marks[k]) &&
			    (!*found || &formats[i] < *found))
				*found = &formats[i];
		}
	}
	return json_skip(json);
}

/* What the content looks like; NULL for no format we know. */
static const struct format *
recognise(struct text content)
{
	cleanup_arena struct arena arena = {0};
	struct err ignored = {0};
	struct json json = json_start(content, &arena, &ignored);
	const struct format *found = NULL;

	if (json_peek(&json) == JSON_LIST) /* docker inspect prints one */
		return format_from_name("inspect");
	(void)json_read_members(&json, mark_format, &found);
	return found;
}

static int64_t
now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* allow|deny|observe FILE CONTAINER POSTURE RULE: sentence */
static void
print_verdict(const char *path, const struct decision *decision)
{
	const struct verdict *verdict = &decision->verdict;
	const struct workload *workload = &decision->workload;
	cleanup_buf struct buf line = {0};

	buf_printf(&line, "%s %s ", decision_name(verdict->decision), path);
	if (verdict->container < workload->count &&
	    workload->containers[verdict->container].name.len > 0)
		buf_quoted(&line, workload->containers[verdict->container].name, 128);
	else
		buf_char(&line, '-');
	buf_printf(&line, " %s ",
	           verdict->has_posture ? posture_name(verdict->posture) : "-");
	buf_add_text(&line, verdict_rule(verdict));
	buf_str(&line, ": ");
	if (verdict->message[0] != '\0')
		buf_str(&line, verdict->message);
	else if (verdict->reason == REASON_NOT_JUDGED)
		buf_str(&line, "runs nothing that needs a seccomp filter");
	else if (verdict->exception)
		buf_str(&line, "let through by an exception");
	else
		buf_str(&line, "runs with a seccomp filter");
	buf_char(&line, '\n');
	if (buf_ok(&line))
		(void)fwrite(line.at, 1, line.len, stdout);
}

static struct circumstances
circumstances_now(const struct check *check)
{
	struct circumstances circumstances = {
	    .policy = check->policy,
	    .plugin_name = TEXT_LIT("seccomp-authz"),
	    .now_us = now_us(),
	};

	(void)!getrandom(circumstances.entropy, sizeof circumstances.entropy, 0);
	return circumstances;
}

/* What the parts of an inspect document have in common. */
struct inspection {
	const struct check *check;
	const char *path;
	size_t count;
	int worst;
};

static int
check_part(const struct inspect_part *part, void *context)
{
	struct inspection *inspection = context;
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = circumstances_now(inspection->check);
	const struct inspect_context nothing = {0};

	decide_inspect(part, &nothing, &circumstances, &decision);
	print_verdict(inspection->path, &decision);
	inspection->count++;
	if (decision.verdict.decision == DECISION_DENY)
		inspection->worst = EXIT_FOUND;
	return 0;
}

/* A line for each container and service of it. */
static int
check_inspect(const struct check *check, const char *path, struct text content)
{
	cleanup_arena struct arena arena = {0};
	struct inspection inspection = {.check = check, .path = path};
	struct err err = {0};

	if (docker_inspect_each(content, &arena, check_part, &inspection, &err) != 0) {
		const struct inspect_part all = {INSPECT_CONTAINER, content};

		if (!check->format)
			return cmd_complain("%s: %s", path, err.text);
		(void)check_part(&all, &inspection);
	}
	return inspection.count > 0 ? inspection.worst
	                            : cmd_complain("%s: there is nothing in it", path);
}

static int
check_object(const struct manifest_part *part, void *context)
{
	struct inspection *inspection = context;
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = circumstances_now(inspection->check);

	decide_manifest(part, &circumstances, &decision);
	print_verdict(inspection->path, &decision);
	inspection->count++;
	if (decision.verdict.decision == DECISION_DENY)
		inspection->worst = EXIT_FOUND;
	return 0;
}

/* A line for each object of it. */
static int
check_manifest(const struct check *check, const char *path, struct text content)
{
	cleanup_arena struct arena arena = {0};
	struct inspection inspection = {.check = check, .path = path};
	struct err err = {0};

	if (manifest_each(content, &arena, check_object, &inspection, &err) != 0) {
		const struct manifest_part all = {.object = content};

		if (!check->format)
			return cmd_complain("%s: %s", path, err.text);
		(void)check_object(&all, &inspection);
	}
	return inspection.count > 0 ? inspection.worst
	                            : cmd_complain("%s: there is nothing in it", path);
}

static bool
is_format(const struct format *format, const char *name)
{
	return format && strcmp(format->name, name) == 0;
}

static int
check_file(const struct check *check, const char *path)
{
	cleanup_buf struct buf content = {0};
	cleanup_decision struct decision decision = {0};
	struct err err = {0};
	struct circumstances circumstances = circumstances_now(check);
	const struct format *format = check->format;
	size_t most = is_format(format, "admission") || is_format(format, "manifest")
	                  ? ADMISSION_REVIEW_MAX
	                  : AUTHZ_ENVELOPE_MAX;

	if (cmd_read_file(path, most, &content, &err) != 0)
		return cmd_complain("%s", err.text);
	if (!format)
		format = recognise(buf_text(&content));
	if (!format)
		return cmd_complain("%s: none of the formats that are known by their "
		                    "content; say which one with --as",
		                    path);
	if (is_format(format, "inspect"))
		return check_inspect(check, path, buf_text(&content));
	if (is_format(format, "manifest"))
		return check_manifest(check, path, buf_text(&content));
	if (format->target)
		decide_request(TEXT_LIT("POST"), text_of(format->target),
		               buf_text(&content), &circumstances, &decision);
	else if (is_format(format, "admission"))
		decide_admission(buf_text(&content), &circumstances, &decision);
	else
		decide_authz(buf_text(&content), &circumstances, &decision);
	print_verdict(path, &decision);
	return decision.verdict.decision == DECISION_DENY ? EXIT_FOUND : EXIT_CLEAN;
}

/* Returns the index of the first file, or -1 after a complaint. */
static int
read_options(struct check *check, int argc, char **argv)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
		const char *option = argv[i];

		if (strcmp(option, "--") == 0)
			return i + 1;
		if (strcmp(option, "--policy") != 0 && strcmp(option, "--as") != 0) {
			(void)cmd_usage_error(check->self, "%s: no such option", option);
			return -1;
		}
		if (++i >= argc) {
			(void)cmd_usage_error(check->self, "%s needs a value", option);
			return -1;
		}
		if (strcmp(option, "--policy") == 0) {
			check->policy_path = argv[i];
			continue;
		}
		check->format = format_from_name(argv[i]);
		if (!check->format) {
			(void)cmd_usage_error(check->self,
			                      "--as %s: should be create, start, "
			                      "service, envelope, inspect, "
			                      "admission or manifest",
			                      argv[i]);
			return -1;
		}
	}
	return i;
}

static int
run_check(const struct command *self, int argc, char **argv)
{
	struct check check = {.self = self};
	int first = read_options(&check, argc, argv), worst = EXIT_CLEAN;

	if (first < 0)
		return EXIT_UNSURE;
	if (first >= argc)
		return cmd_usage_error(self, "which FILE?");
	if (cmd_load_policy(check.policy_path, &check.policy) != EXIT_CLEAN)
		return EXIT_UNSURE;
	for (int i = first; i < argc; i++) {
		int found = check_file(&check, argv[i]);

		if (found > worst)
			worst = found;
	}
	policy_free(check.policy);
	return fflush(stdout) == 0 ? worst : cmd_complain("stdout: can't be written");
}

const struct command command_check = {
    .name = "check",
    .summary = "decide requests offline, from files",
    .usage = "[--policy FILE] [--as FORMAT] FILE...|-",
    .help =
	"Decides each FILE as the judge would and prints a line for it:\n"
	"  allow|deny|observe FILE CONTAINER POSTURE RULE: sentence\n\n"
	"  --policy FILE  the policy to decide by [" POLICY_DEFAULT_PATH ", or the\n"
	"                 built-in policy where that does not exist]\n"
	"  --as FORMAT    what the files are:\n"
	"                   create    body of POST /containers/create\n"
	"                   start     body of POST /containers/NAME/start (API < 1.24)\n"
	"                   service   body of POST /services/create\n"
	"                   envelope  what dockerd sends to a plugin\n"
	"                   inspect   what docker inspect and docker service inspect\n"
	"                             print; a line for each container and service\n"
	"                   admission what a Kubernetes API server sends to a webhook\n"
	"                   manifest  an object of Kubernetes, or a List of them "
	"(JSON);\n"
	"                             a line for each\n"
	"                 Without it, all but start are told by their content. With\n"
	"                 it, what can't be read is denied.\n\n"
	"Exit code: 0 all allowed, 1 some denied, 2 could not tell.\n",
    .run = run_check,
};
