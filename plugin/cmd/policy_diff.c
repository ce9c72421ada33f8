/* SPDX-License-Identifier: Apache-2.0 */
/* policy_diff.c - `seccomp-authz policy diff`: recorded requests under two policies. */
#include "cmd_policy.h"

#include "cmd_options.h"
#include "core/json_go.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 2 * AUTHZ_ENVELOPE_MAX, SHOWN_MAX = 160 };

/* What is known while the lines go by. */
struct diff {
	struct circumstances before, after;
	bool json;
	const char *path;
	size_t line;
	size_t requests, changes, rules; /* `rules`: only the rule is another */
	int code;
};

/* A line of a recording, as far as it matters. */
struct recorded {
	struct text raw;    /* the envelope in a string */
	struct text method; /* ... or the line is one itself */
	struct text chain;  /* "prev": of the judge's own record */
};

static const struct json_field recorded_fields[] = {
    {"raw", json_read_text, offsetof(struct recorded, raw)},
    {"RequestMethod", json_read_text, offsetof(struct recorded, method)},
    {"prev", json_read_text, offsetof(struct recorded, chain)},
};

/* The envelope of a line; false after a complaint. */
static bool
find_envelope(struct diff *diff, struct text line, struct arena *arena,
              struct text *ret_envelope)
{
	struct recorded recorded = {.raw = {0}};
	struct err err = {0};
	struct json json = json_start(line, arena, &err);

	if (json_read_struct(&json, recorded_fields,
	                     sizeof recorded_fields / sizeof recorded_fields[0],
	                     &recorded) != 0) {
		diff->code = cmd_complain("%s:%zu: %s", diff->path, diff->line, err.text);
		return false;
	}
	*ret_envelope = recorded.raw.at ? recorded.raw : line;
	if (recorded.raw.at || recorded.method.at)
		return true;
	diff->code = cmd_complain(
	    recorded.chain.at
		? "%s:%zu: the judge's record holds no bodies, so it can't be decided "
		  "again; record what dockerd sends to plugins"
		: "%s:%zu: no envelope; a line is what dockerd sends to a plugin, or "
		  "{\"raw\": \"...\"} with that in a string",
	    diff->path, diff->line);
	return false;
}

static void
write_subject(struct buf *buf, const struct decision *decision)
{
	const struct workload *workload = &decision->workload;
	const struct verdict *verdict = &decision->verdict;

	buf_add_text(buf, decision->authz.method);
	buf_char(buf, ' ');
	buf_quoted(buf, decision->route.path, SHOWN_MAX);
	if (workload->user.len > 0) {
		buf_str(buf, " by ");
		buf_quoted(buf, workload->user, SHOWN_MAX);
	}
	if (verdict->container < workload->count) {
		const struct container *container =
		    &workload->containers[verdict->container];

		if (container->name.len > 0) {
			buf_str(buf, " name ");
			buf_quoted(buf, container->name, SHOWN_MAX);
		}
		if (container->image.text.len > 0) {
			buf_str(buf, " image ");
			buf_quoted(buf, container->image.text, SHOWN_MAX);
		}
	}
}

static void
print_change(const struct diff *diff, const struct decision *before,
             const struct decision *after)
{
	cleanup_buf struct buf line = {0};
	struct text was = verdict_rule(&before->verdict),
		    is = verdict_rule(&after->verdict);

	if (diff->json) {
		buf_str(&line, "{\"file\":");
		buf_json(&line, text_of(diff->path), 0);
		buf_printf(&line, ",\"line\":%zu,\"before\":\"%s\",\"after\":\"%s\"",
		           diff->line, decision_name(before->verdict.decision),
		           decision_name(after->verdict.decision));
		buf_str(&line, ",\"rule_before\":");
		buf_json(&line, was, 0);
		buf_str(&line, ",\"rule_after\":");
		buf_json(&line, is, 0);
		buf_str(&line, ",\"user\":");
		buf_json(&line, after->workload.user, 0);
		buf_str(&line, ",\"uri\":");
		buf_json(&line, after->route.path, 0);
		buf_str(&line, "}\n");
	} else {
		buf_printf(
		    &line, "%s -> %s %s:%zu: ", decision_name(before->verdict.decision),
		    decision_name(after->verdict.decision), diff->path, diff->line);
		write_subject(&line, after);
		buf_str(&line, " (");
		buf_quoted(&line, was, SHOWN_MAX);
		buf_str(&line, " -> ");
		buf_quoted(&line, is, SHOWN_MAX);
		buf_str(&line, ")\n");
	}
	(void)fwrite(line.at, 1, line.len, stdout);
}

static void
compare(struct diff *diff, struct text envelope)
{
	cleanup_decision struct decision before = {0}, after = {0};

	decide_authz(envelope, &diff->before, &before);
	decide_authz(envelope, &diff->after, &after);
	diff->requests++;
	if (before.verdict.decision != after.verdict.decision) {
		diff->changes++;
		print_change(diff, &before, &after);
	} else if (!text_equal(verdict_rule(&before.verdict),
	                       verdict_rule(&after.verdict))) {
		diff->rules++;
	}
}

static int
replay(struct diff *diff, FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	while ((len = getline(&line, &room, file)) >= 0) {
		cleanup_arena struct arena arena = {0};
		struct text text = {.at = line, .len = (size_t)len}, envelope;

		diff->line++;
		if (strspn(line, " \t\r\n") == (size_t)len)
			continue;
		if (len > LINE_MAX_BYTES)
			diff->code = cmd_complain("%s:%zu: longer than %d bytes",
			                          diff->path, diff->line, LINE_MAX_BYTES);
		else if (find_envelope(diff, text, &arena, &envelope))
			compare(diff, envelope);
		if (diff->code != EXIT_CLEAN)
			break;
	}
	free(line);
	if (ferror(file))
		diff->code = cmd_complain("%s: can't be read: %m", diff->path);
	return diff->code;
}

static int
replay_file(struct diff *diff, const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "re");

	if (!file)
		return cmd_complain("%s: %m", path);
	diff->path = path;
	diff->line = 0;
	(void)replay(diff, file);
	if (!is_stdin)
		(void)fclose(file);
	return diff->code;
}

static int
replay_all(struct diff *diff, const struct cmd_values *files)
{
	for (size_t i = 0; i < files->count; i++) {
		if (replay_file(diff, files->at[i]) != EXIT_CLEAN)
			return EXIT_UNSURE;
	}
	if (!diff->json)
		(void)printf("%zu requests, %zu decisions change, %zu are made by "
		             "another rule\n",
		             diff->requests, diff->changes, diff->rules);
	if (fflush(stdout) != 0)
		return cmd_complain("stdout: can't be written");
	if (diff->requests == 0)
		return cmd_complain("nothing was recorded there");
	return diff->changes > 0 ? EXIT_FOUND : EXIT_CLEAN;
}

static int
run_diff(const struct command *self, int argc, char **argv)
{
	cleanup_policy_text struct policy_text before = {.policy = NULL},
					       after = {.policy = NULL};
	struct diff diff = {.code = EXIT_CLEAN};
	struct cmd_values files = {.count = 0};
	const char *format = NULL;
	const struct cmd_option options[] = {
	    {"--recorded", .values = &files},
	    {"--format", .value = &format},
	    {.name = NULL},
	};
	int words = 0, code = cmd_read_options(self, options, argc, argv, &words);

	if (code != CMD_GO_ON)
		return code;
	diff.json = policy_is_json(self, format, &code);
	if (code != CMD_GO_ON)
		return code;
	if (words != 2 || files.count == 0)
		return cmd_usage_error(self, "two policies and --recorded FILE");
	if (policy_text_read(&before, argv[1]) != EXIT_CLEAN ||
	    policy_text_read(&after, argv[2]) != EXIT_CLEAN)
		return EXIT_UNSURE;
	if (!before.policy)
		return policy_text_complain(&before);
	if (!after.policy)
		return policy_text_complain(&after);
	diff.before = policy_circumstances(before.policy);
	diff.after = diff.before;
	diff.after.policy = after.policy;
	return replay_all(&diff, &files);
}

const struct command command_policy_diff = {
    .name = "policy diff",
    .summary = "whose requests two policies decide differently",
    .usage = "OLD NEW --recorded FILE... [--format text|json]",
    .help =
	"Decides recorded requests under both policies, at the same time of now, and\n"
	"prints a line for each decision that changes:\n"
	"  BEFORE -> AFTER FILE:LINE: METHOD PATH by USER ... (RULE -> RULE)\n\n"
	"  --recorded FILE  may be repeated; - is standard input. A line is what "
	"dockerd\n"
	"                   sends to a plugin (AuthZPlugin.AuthZReq), or an object "
	"whose\n"
	"                   \"raw\" holds that in a string. The judge's own record has "
	"no\n"
	"                   bodies and can't be decided again.\n"
	"  --format json    an object a line\n\n"
	"Exit code: 0 no decision changes, 1 one does, 2 could not tell.\n",
    .run = run_diff,
};
