/* SPDX-License-Identifier: Apache-2.0 */
/* policy_diff.c - `seccomp-authz policy diff`: recorded requests under two policies. */
#include "cmd_policy_diff.h"

#include "cmd_check.h"
#include "cmd_options.h"
#include "core/json_go.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line may hold what it holds in a string, with escapes. */
enum { LINE_MAX_BYTES = 2 * ADMISSION_REVIEW_MAX, DOCUMENT_MAX = 256 * 1024 * 1024 };
_Static_assert((int)AUTHZ_ENVELOPE_MAX <= (int)ADMISSION_REVIEW_MAX,
               "LINE_MAX_BYTES is enough");

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

/* True if it was sent to a judge, in one of the forms above. */
static bool
find_sent(const struct recorded *recorded, struct text line, struct arena *arena,
          struct sent *ret_sent)
{
	struct recorded inner = *recorded;
	struct err ignored = {0};

	ret_sent->bytes = recorded->raw.at ? recorded->raw : line;
	if (recorded->raw.at) { /* which may be broken: then that is what is decided */
		inner = (struct recorded){.raw = {0}};
		(void)read_recorded(recorded->raw, arena, &inner, &ignored);
	}
	ret_sent->decide =
	    inner.request.at && !inner.method.at ? decide_admission : decide_authz;
	return recorded->raw.at || recorded->method.at || recorded->request.at;
}

static void
settle(struct policy_diff *diff, const struct decision *before,
       const struct decision *after)
{
	diff->requests++;
	if (before->verdict.decision != after->verdict.decision) {
		diff->changes++;
		policy_diff_print(diff, before, after);
	} else if (!text_equal(verdict_rule(&before->verdict),
	                       verdict_rule(&after->verdict))) {
		diff->rules++;
	}
}

static void
compare_sent(struct policy_diff *diff, const struct sent *sent)
{
	cleanup_decision struct decision before = {0}, after = {0};

	sent->decide(sent->bytes, &diff->before, &before);
	sent->decide(sent->bytes, &diff->after, &after);
	settle(diff, &before, &after);
}

/* ---- what is there, as if it were asked for anew ---- */

/* Counts lines up to what is judged, where a document has several. */
static void
go_to(struct policy_diff *diff, const char *at)
{
	for (; diff->at < at; diff->at++)
		diff->line += *diff->at == '\n';
}

static int
compare_inspected(const struct inspect_part *part, void *context)
{
	struct policy_diff *diff = context;
	const struct inspect_context nothing = {0};
	cleanup_decision struct decision before = {0}, after = {0};

	if (part->kind == INSPECT_OTHER)
		return -1; /* it is unreadable under both */
	go_to(diff, part->object.at);
	decide_inspect(part, &nothing, &diff->before, &before);
	decide_inspect(part, &nothing, &diff->after, &after);
	settle(diff, &before, &after);
	return 0;
}

static int
compare_manifest(const struct manifest_part *part, void *context)
{
	struct policy_diff *diff = context;
	cleanup_decision struct decision before = {0}, after = {0};

	go_to(diff, part->object.at);
	decide_manifest(part, &diff->before, &before);
	decide_manifest(part, &diff->after, &after);
	settle(diff, &before, &after);
	return 0;
}

static void
compare_body(struct policy_diff *diff, const char *target, struct text body)
{
	cleanup_decision struct decision before = {0}, after = {0};

	decide_request(TEXT_LIT("POST"), text_of(target), body, &diff->before, &before);
	decide_request(TEXT_LIT("POST"), text_of(target), body, &diff->after, &after);
	settle(diff, &before, &after);
}

/* What `check` would know by its content. */
static int
compare_document(struct policy_diff *diff, struct text text, struct arena *arena)
{
	struct yaml_place place;
	struct err err = {0};
	const struct check_format *format =
	    check_is_json(text) ? check_recognise(text, &place, &err) : NULL;

	diff->at = text.at;
	if (format && format->target)
		compare_body(diff, format->target, text);
	else if (format && strcmp(format->name, "inspect") == 0 &&
	         docker_inspect_each(text, arena, compare_inspected, diff, &err) == 0)
		return EXIT_CLEAN;
	else if (format && strcmp(format->name, "manifest") == 0 &&
	         manifest_each(text, arena, compare_manifest, diff, &err) == 0)
		return EXIT_CLEAN;
	else
		return cmd_complain(
		    "%s:%zu: %s%sno envelope, no review and nothing else that a judge "
		    "decides; it should be what dockerd "
		    "sends to a plugin, kube-apiserver to a webhook, or what docker "
		    "inspect or kubectl get -o json print",
		    diff->path, diff->line, err.text, err.code ? ": " : "");
	return EXIT_CLEAN;
}

/* ---- files ---- */

static int
compare_line(struct policy_diff *diff, struct text line)
{
	cleanup_arena struct arena arena = {0};
	struct recorded recorded = {.raw = {0}};
	struct sent sent;
	struct err err = {0};
	struct json json = json_start(line, &arena, &err);

	if (json_peek(&json) == JSON_LIST)
		return compare_document(diff, line, &arena);
	if (read_recorded(line, &arena, &recorded, &err) != 0)
		return cmd_complain("%s:%zu: %s", diff->path, diff->line, err.text);
	if (find_sent(&recorded, line, &arena, &sent))
		compare_sent(diff, &sent);
	else if (recorded.chain.at)
		return cmd_complain("%s:%zu: the judge's record holds no bodies, so it "
		                    "can't be decided again; record what dockerd sends "
		                    "to plugins, or take what docker inspect prints",
		                    diff->path, diff->line);
	else
		return compare_document(diff, line, &arena);
	return EXIT_CLEAN;
}

/* The rest of a file behind its first line: one document. */
static int
compare_rest(struct policy_diff *diff, struct text first, FILE *file)
{
	cleanup_buf struct buf all = {0};
	cleanup_arena struct arena arena = {0};
	char chunk[64 * 1024];
	size_t got;

	buf_add_text(&all, first);
	while ((got = fread(chunk, 1, sizeof chunk, file)) > 0 && buf_ok(&all)) {
		buf_add(&all, chunk, got);
		if (all.len > DOCUMENT_MAX)
			return cmd_complain("%s: larger than %d bytes", diff->path,
			                    DOCUMENT_MAX);
	}
	if (!buf_ok(&all))
		return cmd_complain("%s: out of memory", diff->path);
	return compare_document(diff, buf_text(&all), &arena);
}

/* Does a value begin on this line that does not end on it? */
static bool
goes_on(struct text line)
{
	struct err ignored = {0};
	struct json json = json_start(line, NULL, &ignored);
	enum json_kind kind = json_peek(&json);

	return (kind == JSON_OBJECT || kind == JSON_LIST) && json_skip(&json) != 0 &&
	       json.at >= line.at + line.len;
}

static int
replay(struct policy_diff *diff, FILE *file)
{
	char *line = NULL;
	size_t room = 0, seen = 0;
	ssize_t len;

	while (diff->code == EXIT_CLEAN && (len = getline(&line, &room, file)) >= 0) {
		struct text text = {.at = line, .len = (size_t)len};

		diff->line++;
		if (strspn(line, " \t\r\n") == (size_t)len)
			continue;
		if (len > LINE_MAX_BYTES)
			diff->code = cmd_complain("%s:%zu: longer than %d bytes",
			                          diff->path, diff->line, LINE_MAX_BYTES);
		else if (seen++ == 0 && goes_on(text))
			diff->code = compare_rest(diff, text, file);
		else
			diff->code = compare_line(diff, text);
	}
	free(line);
	if (ferror(file))
		diff->code = cmd_complain("%s: can't be read: %m", diff->path);
	return diff->code;
}

static int
replay_file(struct policy_diff *diff, const char *path)
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
replay_all(struct policy_diff *diff, const struct cmd_values *files)
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
	struct policy_diff diff = {.code = EXIT_CLEAN};
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
	"  --recorded FILE  may be repeated; - is standard input. A line is one of:\n"
	"                   what dockerd sends to a plugin (AuthZPlugin.AuthZReq); an\n"
	"                   AdmissionReview of Kubernetes; an object whose \"raw\" "
	"holds\n"
	"                   one of them in a string; the body of a create. Or FILE is\n"
	"                   what docker inspect, docker service inspect or kubectl get\n"
	"                   -o json print: what is there, as if it were asked for anew\n"
	"                   by nobody known. The judge's own record has no bodies and\n"
	"                   can't be decided again.\n"
	"  --format json    an object a line\n\n"
	"Exit code: 0 no decision changes, 1 one does, 2 could not tell.\n",
    .run = run_diff,
};
