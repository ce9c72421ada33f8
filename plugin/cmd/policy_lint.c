/* SPDX-License-Identifier: Apache-2.0 */
/* policy_lint.c - `seccomp-authz policy lint`: what is wrong and what is unwise. */
#include "cmd_policy.h"

#include "cmd_options.h"
#include "cmd_policy_place.h"
#include "core/policy_lint.h"
#include "edge/policy_store.h"

#include <stdio.h>

struct lint {
	bool json;
	size_t errors, warnings;
	const char *path; /* of the file at hand */
	struct policy_places places;
	size_t findings; /* in this file */
};

/* One line or object of the result. `id` may be missing. */
struct row {
	bool error;
	const char *code, *pointer, *text;
	struct text id;
	int line, column;
};

static void
print_text(const struct lint *lint, const struct row *row)
{
	cleanup_buf struct buf line = {0};

	buf_printf(&line, "%s %s", row->error ? "error" : "warning", lint->path);
	if (row->line > 0)
		buf_printf(&line, ":%d:%d", row->line, row->column);
	buf_str(&line, ":");
	if (row->pointer[0])
		buf_printf(&line, " %s", row->pointer);
	if (row->id.at) {
		buf_str(&line, " ");
		buf_quoted(&line, row->id, 128);
	}
	buf_printf(&line, "%s %s [%s]\n", row->pointer[0] ? ":" : "", row->text,
	           row->code);
	(void)fwrite(line.at, 1, line.len, stdout);
}

static void
print_json(const struct lint *lint, const struct row *row)
{
	cleanup_buf struct buf line = {0};

	buf_printf(&line, "%s\n      {\"severity\": \"%s\", \"code\": \"%s\"",
	           lint->findings > 0 ? "," : "", row->error ? "error" : "warning",
	           row->code);
	buf_str(&line, ", \"pointer\": ");
	buf_json(&line, text_of(row->pointer), 0);
	if (row->line > 0)
		buf_printf(&line, ", \"line\": %d, \"column\": %d", row->line,
		           row->column);
	if (row->id.at) {
		buf_str(&line, ", \"id\": ");
		buf_json(&line, row->id, 0);
	}
	buf_str(&line, ", \"message\": ");
	buf_json(&line, text_of(row->text), 0);
	buf_str(&line, "}");
	(void)fwrite(line.at, 1, line.len, stdout);
}

static void
print(struct lint *lint, const struct row *row)
{
	if (lint->json)
		print_json(lint, row);
	else
		print_text(lint, row);
	lint->findings++;
	if (row->error)
		lint->errors++;
	else
		lint->warnings++;
}

static void
report(const struct lint_finding *finding, void *context)
{
	struct lint *lint = context;
	struct row row = {
	    .error = lint_code_is_error(finding->code),
	    .code = lint_code_name(finding->code),
	    .pointer = finding->pointer,
	    .text = finding->text,
	    .id = finding->exception ? finding->exception->id : (struct text){0},
	};

	policy_place(&lint->places, finding->pointer, &row.line, &row.column);
	print(lint, &row);
}

static void
report_problems(struct lint *lint, const struct policy_problems *problems)
{
	for (size_t i = 0; i < problems->count && i < POLICY_PROBLEMS_MAX; i++) {
		const struct policy_problem *problem = &problems->at[i];
		bool syntax = problem->line > 0 && !problem->pointer[0];
		struct row row = {
		    .error = true,
		    .code = syntax ? "syntax" : "invalid",
		    .pointer = problem->pointer,
		    .text = problem->text,
		    .line = problem->line,
		    .column = problem->column,
		};

		print(lint, &row);
	}
	if (problems->count > POLICY_PROBLEMS_MAX)
		lint->errors += problems->count - POLICY_PROBLEMS_MAX;
}

static void
begin_file(struct lint *lint, const struct policy_text *text, bool first)
{
	cleanup_buf struct buf line = {0};

	lint->path = text->path;
	lint->findings = 0;
	lint->places = (struct policy_places){.bytes = buf_text(&text->bytes)};
	if (!lint->json)
		return;
	buf_printf(&line, "%s\n    {\"file\": ", first ? "" : ",");
	buf_json(&line, text_of(text->path), 0);
	buf_str(&line, ", \"digest\": ");
	if (text->policy)
		buf_json(&line, text_of(text->policy->digest), 0);
	else
		buf_str(&line, "null");
	buf_str(&line, ", \"findings\": [");
	(void)fwrite(line.at, 1, line.len, stdout);
}

static void
end_file(struct lint *lint)
{
	policy_places_free(&lint->places);
	if (lint->json)
		(void)printf("%s]}", lint->findings > 0 ? "\n    " : "");
	else if (lint->findings == 0)
		(void)printf("ok %s\n", lint->path);
}

static int
lint_file(struct lint *lint, const char *path, bool first)
{
	cleanup_policy_text struct policy_text text = {.policy = NULL};
	int code = policy_text_read(&text, path);

	if (code != EXIT_CLEAN)
		return code;
	begin_file(lint, &text, first);
	if (text.policy)
		policy_lint(text.policy, policy_now(), report, lint);
	else
		report_problems(lint, &text.problems);
	end_file(lint);
	return EXIT_CLEAN;
}

static void
print_end(const struct lint *lint)
{
	if (lint->json)
		(void)printf("\n  ],\n  \"errors\": %zu,\n  \"warnings\": %zu\n}\n",
		             lint->errors, lint->warnings);
	else if (lint->errors + lint->warnings > 0)
		(void)printf("errors: %zu, warnings: %zu\n", lint->errors,
		             lint->warnings);
}

static int
run_lint(const struct command *self, int argc, char **argv)
{
	struct lint lint = {.json = false};
	const char *format = NULL;
	bool strict = false;
	const struct cmd_option options[] = {
	    {"--format", .value = &format},
	    {"--strict", .flag = &strict},
	    {.name = NULL},
	};
	int words = 0, code = cmd_read_options(self, options, argc, argv, &words);
	char path[] = POLICY_DEFAULT_PATH;
	int unsure = EXIT_CLEAN;

	if (code != CMD_GO_ON)
		return code;
	lint.json = policy_is_json(self, format, &code);
	if (code != CMD_GO_ON)
		return code;
	if (words == 0)
		argv[++words] = path;
	if (lint.json)
		(void)printf("{\n  \"files\": [");
	for (int i = 1, shown = 0; i <= words; i++) {
		int result = lint_file(&lint, argv[i], shown == 0);

		shown += result == EXIT_CLEAN;
		unsure = result > unsure ? result : unsure;
	}
	print_end(&lint);
	if (!cmd_flush())
		return cmd_complain("stdout: can't be written");
	if (unsure != EXIT_CLEAN)
		return unsure;
	return lint.errors > 0 || (strict && lint.warnings > 0) ? EXIT_FOUND : EXIT_CLEAN;
}

const struct command command_policy_lint = {
    .name = "policy lint",
    .summary = "tell what is wrong with a policy, and what is unwise",
    .usage = "[--strict] [--format text|json] [FILE...|-]",
    .help =
	"Prints a line for each finding, or \"ok FILE\":\n"
	"  error|warning FILE:LINE:COLUMN: POINTER \"ID\": what; what to do [code]\n\n"
	"  --strict         warnings count as errors\n"
	"  --format json    one JSON object\n\n"
	"Without FILE it is " POLICY_DEFAULT_PATH ". Errors: syntax, invalid\n"
	"(a judge would not take the file), allows-unfiltered, never-matches,\n"
	"controller-account.\n"
	"Warnings: allows-weak, observes, guard-off, guard-observed, forgeable,\n"
	"never-expires, expires-soon, expired, shadowed, needless, dead-pattern,\n"
	"user-without-door. seccomp-authz-policy(5) explains them.\n\n"
	"Exit code: 0 nothing found, or warnings only; 1 errors (with --strict,\n"
	"warnings); 2 a file could not be read.\n",
    .run = run_lint,
};
