/* SPDX-License-Identifier: Apache-2.0 */
/* policy_diff.c - `seccomp-authz policy diff`: recorded requests under two policies. */
#include "cmd_policy.h"

#include "cmd_options.h"
#include "core/json_go.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line may hold what it holds in a string, with escapes. */
enum { LINE_MAX_BYTES = 2 * ADMISSION_REVIEW_MAX, SHOWN_MAX = 160 };
_Static_assert((int)AUTHZ_ENVELOPE_MAX <= (int)ADMISSION_REVIEW_MAX,
               "LINE_MAX_BYTES is enough");

/* What is known while the lines go by. */
struct diff {
	struct circumstances before, after;
	bool json;
	const char *path;
	size_t line;
	size_t requests, changes, rules; /* `rules`: only the rule is another */
	int code;
};

/* What was sent to the judge, and what judges it. */
struct sent {
	struct text bytes;
	void (*decide)(struct text bytes, const struct circumstances *circumstances,
	               struct decision *decision);
};

/* A line of a recording, as far as it matters. */
struct recorded {
	struct text raw;     /* what was sent, in a string */
	struct text method;  /* ... or the line is an envelope itself, */
	struct text request; /* or an AdmissionReview */
	struct text chain;   /* "prev": of the judge's own record */
};

static const struct json_field recorded_fields[] = {
    {"raw", json_read_text, offsetof(struct recorded, raw)},
    {"RequestMethod", json_read_text, offsetof(struct recorded, method)},
    {"request", json_read_raw, offsetof(struct recorded, request)},
    {"prev", json_read_text, offsetof(struct recorded, chain)},
};

/* 0, or -1 with what came before the fault. */
static int
read_recorded(struct text text, struct arena *arena, struct recorded *ret_recorded,
              struct err *err)
{
	struct json json = json_start(text, arena, err);

	return json_read_struct(&json, recorded_fields,
	                        sizeof recorded_fields / sizeof recorded_fields[0],
	                        ret_recorded);
}

/* What was sent, of a line; false after a complaint. */
static bool
find_sent(struct diff *diff, struct text line, struct arena *arena, struct sent *ret_sent)
{
	struct recorded recorded = {.raw = {0}}, inner = {.raw = {0}};
	struct err err = {0}, ignored = {0};

	if (read_recorded(line, arena, &recorded, &err) != 0) {
		diff->code = cmd_complain("%s:%zu: %s", diff->path, diff->line, err.text);
		return false;
	}
	ret_sent->bytes = recorded.raw.at ? recorded.raw : line;
	if (recorded.raw.at) /* which may be broken: then that is what is decided */
		(void)read_recorded(recorded.raw, arena, &inner, &ignored);
	else
		inner = recorded;
	ret_sent->decide =
	    inner.request.at && !inner.method.at ? decide_admission : decide_authz;
	if (recorded.raw.at || recorded.method.at || recorded.request.at)
		return true;
	diff->code = cmd_complain(
	    recorded.chain.at
		? "%s:%zu: the judge's record holds no bodies, so it can't be decided "
		  "again; record what dockerd sends to plugins"
		: "%s:%zu: no envelope and no AdmissionReview; a line is what dockerd "
		  "sends to a plugin or kube-apiserver to a webhook, or {\"raw\": "
		  "\"...\"} with that in a string",
	    diff->path, diff->line);
	return false;
}

/* "POST /v1.41/containers/create", "CREATE Deployment shop/web". */
static void
write_call(struct buf *buf, const struct decision *decision)
{
	const struct admission *admission = &decision->admission;

	if (decision->workload.door != DOOR_KUBERNETES) {
		buf_add_text(buf, decision->authz.method);
		buf_char(buf, ' ');
		buf_quoted(buf, decision->route.path, SHOWN_MAX);
		return;
	}
	buf_quoted(buf, admission->operation, SHOWN_MAX);
	buf_char(buf, ' ');
	buf_quoted(buf, admission->kind, SHOWN_MAX);
	if (decision->workload.space.len > 0) {
		buf_str(buf, " in ");
		buf_quoted(buf, decision->workload.space, SHOWN_MAX);
	}
	if (admission->name.len > 0) {
		buf_char(buf, ' ');
		buf_quoted(buf, admission->name, SHOWN_MAX);
	}
}

static void
write_subject(struct buf *buf, const struct decision *decision)
{
	const struct workload *workload = &decision->workload;
	const struct verdict *verdict = &decision->verdict;

	write_call(buf, decision);
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
add_member(struct buf *buf, const char *name, struct text value)
{
	buf_printf(buf, ",\"%s\":", name);
	buf_json(buf, value, 0);
}

static void
write_json(struct buf *line, const struct diff *diff, const struct decision *before,
           const struct decision *after)
{
	buf_str(line, "{\"file\":");
	buf_json(line, text_of(diff->path), 0);
	buf_printf(line, ",\"line\":%zu,\"before\":\"%s\",\"after\":\"%s\"", diff->line,
	           decision_name(before->verdict.decision),
	           decision_name(after->verdict.decision));
	add_member(line, "rule_before", verdict_rule(&before->verdict));
	add_member(line, "rule_after", verdict_rule(&after->verdict));
	add_member(line, "user", after->workload.user);
	if (after->workload.door == DOOR_KUBERNETES) { /* named as in the record */
		add_member(line, "namespace", after->workload.space);
		add_member(line, "kind", after->admission.kind);
		add_member(line, "object", after->admission.name);
	} else {
		add_member(line, "uri", after->route.path);
	}
	buf_str(line, "}\n");
}

static void
print_change(const struct diff *diff, const struct decision *before,
             const struct decision *after)
{
	cleanup_buf struct buf line = {0};
	struct text was = verdict_rule(&before->verdict),
		    is = verdict_rule(&after->verdict);

	if (diff->json) {
		write_json(&line, diff, before, after);
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
compare(struct diff *diff, const struct sent *sent)
{
	cleanup_decision struct decision before = {0}, after = {0};

	sent->decide(sent->bytes, &diff->before, &before);
	sent->decide(sent->bytes, &diff->after, &after);
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
		struct text text = {.at = line, .len = (size_t)len};
		struct sent sent;

		diff->line++;
		if (strspn(line, " \t\r\n") == (size_t)len)
			continue;
		if (len > LINE_MAX_BYTES)
			diff->code = cmd_complain("%s:%zu: longer than %d bytes",
			                          diff->path, diff->line, LINE_MAX_BYTES);
		else if (find_sent(diff, text, &arena, &sent))
			compare(diff, &sent);
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
	if (!cmd_flush())
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
	"  BEFORE -> AFTER FILE:LINE: METHOD PATH by USER ... (RULE -> RULE)\n"
	"where a review has OPERATION KIND in NAMESPACE NAME for METHOD PATH.\n\n"
	"  --recorded FILE  may be repeated; - is standard input. A line is what "
	"dockerd\n"
	"                   sends to a plugin (AuthZPlugin.AuthZReq), an "
	"AdmissionReview\n"
	"                   of Kubernetes, or an object whose \"raw\" holds one of them "
	"in\n"
	"                   a string. The judge's own record has no bodies and can't be\n"
	"                   decided again.\n"
	"  --format json    an object a line\n\n"
	"Exit code: 0 no decision changes, 1 one does, 2 could not tell.\n",
    .run = run_diff,
};
