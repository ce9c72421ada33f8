/* SPDX-License-Identifier: Apache-2.0 */
/* policy_test.c - `seccomp-authz policy test`: decides an author's own cases. */
#include "cmd_policy_test.h"

#include "cmd_options.h"
#include "edge/policy_store.h"

#include <stdio.h>
#include <string.h>

enum { MICROSECONDS = 1000000 };

/* ---- deciding and comparing ---- */

static void
decide_case(const struct policy_case *one, const struct policy *policy,
            struct decision *decision)
{
	struct circumstances circumstances = policy_circumstances(policy);
	struct text body =
	    one->has_body ? buf_text(&one->body) : (struct text){.at = NULL};

	circumstances.now_us = one->at * MICROSECONDS;
	if (one->decide) {
		one->decide(buf_text(&one->body), &circumstances, decision);
		return;
	}
	decision->workload.user = text_of(one->user);
	if (one->user)
		decision->workload.auth = TEXT_LIT("TLS");
	decide_request(text_of(one->method), buf_text(&one->target), body, &circumstances,
	               decision);
}

/* NULL: nothing is expected. */
static bool
fits(const char *expected, struct text got)
{
	return !expected || text_is(got, expected);
}

static bool
all_fits(const struct expectation *expected, const struct verdict *verdict)
{
	struct text posture =
	    text_of(verdict->has_posture ? posture_name(verdict->posture) : "");
	struct text would = verdict->would ? verdict->would->id : TEXT_LIT("");

	return fits(expected->decision, text_of(decision_name(verdict->decision))) &&
	       fits(expected->rule, verdict_rule(verdict)) &&
	       fits(expected->posture, posture) && fits(expected->would_match, would) &&
	       (!expected->says || strstr(verdict->message, expected->says));
}

static void
add_part(struct buf *buf, const char *what, const char *text)
{
	if (!text)
		return;
	buf_str(buf, what);
	buf_quoted(buf, text_of(text), 200);
}

static void
explain(struct policy_case *one, const struct verdict *verdict)
{
	const struct expectation *expected = &one->expected;
	cleanup_buf struct buf why = {0};

	buf_printf(&why, "expected %s", expected->decision);
	add_part(&why, " by ", expected->rule);
	add_part(&why, " for ", expected->posture);
	add_part(&why, ", would match ", expected->would_match);
	add_part(&why, ", saying ", expected->says);
	buf_printf(&why, "; got %s by ", decision_name(verdict->decision));
	buf_quoted(&why, verdict_rule(verdict), 200);
	if (verdict->has_posture)
		buf_printf(&why, " for \"%s\"", posture_name(verdict->posture));
	if (verdict->would) {
		buf_str(&why, ", would match ");
		buf_quoted(&why, verdict->would->id, 200);
	}
	if (verdict->message[0])
		buf_printf(&why, ": %s", verdict->message);
	(void)snprintf(one->why, sizeof one->why, "%.*s", TEXT_ARG(buf_text(&why)));
}

static void
run_case(struct policy_case *one, const struct policy *policy)
{
	cleanup_decision struct decision decision = {0};

	decide_case(one, policy, &decision);
	one->passed = all_fits(&one->expected, &decision.verdict);
	if (!one->passed)
		explain(one, &decision.verdict);
}

/* ---- the result ---- */

static void
print_text(const struct policy_cases *cases)
{
	size_t passed = 0;

	for (size_t i = 0; i < cases->count; i++) {
		const struct policy_case *one = &cases->at[i];
		cleanup_buf struct buf name = {0};

		buf_quoted(&name, text_of(one->name), 0);
		passed += one->passed;
		(void)printf("%s %s: %.*s\n", one->passed ? "ok  " : "FAIL", one->file,
		             TEXT_ARG(buf_text(&name)));
		if (!one->passed)
			(void)printf("     %s\n", one->why);
	}
	(void)printf("%zu passed, %zu failed\n", passed, cases->count - passed);
}

static int
write_junit(const struct policy_cases *cases, const char *path)
{
	cleanup_buf struct buf xml = {0};
	FILE *file = path ? fopen(path, "we") : stdout;
	bool good;

	if (!file)
		return cmd_complain("%s: %m", path);
	policy_cases_write_junit(cases, &xml);
	good = buf_ok(&xml) && fwrite(xml.at, 1, xml.len, file) == xml.len;
	if (path && fclose(file) != 0)
		good = false;
	return good ? EXIT_CLEAN
	            : cmd_complain("%s: can't be written", path ? path : "stdout");
}

static int
tell(const struct policy_cases *cases, bool junit, const char *junit_path)
{
	if (junit_path && write_junit(cases, junit_path) != EXIT_CLEAN)
		return EXIT_UNSURE;
	if (junit && write_junit(cases, NULL) != EXIT_CLEAN)
		return EXIT_UNSURE;
	if (!junit)
		print_text(cases);
	if (!cmd_flush())
		return cmd_complain("stdout: can't be written");
	for (size_t i = 0; i < cases->count; i++) {
		if (!cases->at[i].passed)
			return EXIT_FOUND;
	}
	return EXIT_CLEAN;
}

static int
run_test(const struct command *self, int argc, char **argv)
{
	cleanup_policy_cases struct policy_cases cases = {.count = 0};
	const char *policy_path = NULL, *format = NULL, *junit_path = NULL;
	const struct cmd_option options[] = {
	    {"--policy", .value = &policy_path},
	    {"--format", .value = &format},
	    {"--junit", .value = &junit_path},
	    {.name = NULL},
	};
	int words = 0, code = cmd_read_options(self, options, argc, argv, &words);
	struct policy *policy = NULL;
	bool junit = format && strcmp(format, "junit") == 0;

	if (code != CMD_GO_ON)
		return code;
	if (format && !junit && strcmp(format, "text") != 0)
		return cmd_usage_error(self, "--format %s: should be text or junit",
		                       format);
	if (words == 0)
		return cmd_usage_error(self, "which FILE or DIR of cases?");
	for (int i = 1; i <= words; i++) {
		if (policy_cases_read(&cases, argv[i]) != EXIT_CLEAN)
			return EXIT_UNSURE;
	}
	if (cmd_load_policy(policy_path, &policy) != EXIT_CLEAN)
		return EXIT_UNSURE;
	for (size_t i = 0; i < cases.count; i++)
		run_case(&cases.at[i], policy);
	code = tell(&cases, junit, junit_path);
	policy_free(policy);
	return code;
}

const struct command command_policy_test = {
    .name = "policy test",
    .summary = "decide an author's own cases under a policy",
    .usage = "[--policy FILE] [--format text|junit] [--junit FILE] FILE|DIR...",
    .help =
	"Decides each case as the judge would and compares with what it expects:\n"
	"  {\"cases\": [{\"case\": \"gdb may run unconfined in CI\", \"user\": "
	"\"ci-1\",\n"
	"     \"create\": {\"Image\": \"registry.example.com/debug/gdb\",\n"
	"       \"HostConfig\": {\"SecurityOpt\": [\"seccomp=unconfined\"]}},\n"
	"     \"expect\": {\"decision\": \"allow\", \"rule\": \"gdb-in-ci\"}}]}\n\n"
	"FILE holds such cases, DIR files that end with .json. A case has one of create\n"
	"(body of POST /containers/create), service (of POST /services/create), request\n"
	"(method, uri, body), envelope (what dockerd sends to a plugin) and admission "
	"(an\n"
	"AdmissionReview of Kubernetes); user, name and at (the time) as it needs.\n"
	"seccomp-authz-policy(5) has the rest.\n\n"
	"  --policy FILE   the policy [" POLICY_DEFAULT_PATH ", or the built-in\n"
	"                  one where that does not exist]\n"
	"  --format junit  JUnit XML instead of text\n"
	"  --junit FILE    JUnit XML to FILE besides\n\n"
	"Exit code: 0 all pass, 1 some fail, 2 could not tell.\n",
    .run = run_test,
};
