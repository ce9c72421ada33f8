/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c - `seccomp-authz profile`: what a seccomp profile does, and its digest. */
#include "cmd.h"

#include "core/seccomp.h"

#include <stdio.h>
#include <string.h>

enum { DIGEST_ROOM = 72 };

/* What we have to say about one file; the texts live in `file` and `arena`. */
struct finding {
	const char *path;
	struct buf file;
	struct arena arena;
	struct seccomp_profile profile;
	char digest[DIGEST_ROOM];
};

static void
finding_free(struct finding *finding)
{
	buf_free(&finding->file);
	arena_free(&finding->arena);
}

#define cleanup_finding __attribute__((cleanup(finding_free)))

static int
read_profile(struct finding *finding)
{
	struct err err = {0};

	if (cmd_read_file(finding->path, SECCOMP_PROFILE_MAX, &finding->file, &err) != 0)
		return cmd_complain("%s", err.text);
	if (seccomp_profile_read(buf_text(&finding->file), &finding->arena,
	                         &finding->profile, &err) != 0 ||
	    seccomp_profile_digest(buf_text(&finding->file), &finding->arena,
	                           finding->digest, &err) != 0)
		return cmd_complain("%s: %s", finding->path, err.text);
	return EXIT_CLEAN;
}

static const char *
meaning(const struct seccomp_profile *profile)
{
	if (profile->may_be_empty)
		return "there is no default action, and a machine can leave out every "
		       "rule: no filter";
	if (profile->posture == POSTURE_UNCONFINED)
		return "engines load it as no filter";
	if (profile->posture == POSTURE_PERMISSIVE)
		return "a filter that surely stops nothing";
	if (profile->posture == POSTURE_WEAK)
		return "lets through calls that Docker's default blocks";
	return "confines at least as Docker's default does";
}

/* The calls, wrapped to the width of a terminal. */
static void
print_calls(const struct seccomp_profile *profile)
{
	size_t column = 0;

	for (size_t i = 0; i < profile->open_count; i++) {
		size_t len = strlen(profile->open[i]) + 2;

		if (i > 0)
			(void)fputs(column + len > 76 ? ",\n" : ", ", stdout);
		if (i == 0 || column + len > 76)
			column = (size_t)printf("  ");
		(void)fputs(profile->open[i], stdout);
		column += len;
	}
	(void)putchar('\n');
}

static void
print_text(const struct finding *finding)
{
	const struct seccomp_profile *profile = &finding->profile;
	const char *posture = posture_name(profile->posture);
	struct text action = profile->default_action;

	if (action.len == 0)
		action = TEXT_LIT("none");
	(void)printf("%s: %s: %s\n", posture, finding->path, meaning(profile));
	(void)printf("default action: %.*s\nrules: %zu\ndigest: %s\n", TEXT_ARG(action),
	             profile->rules, finding->digest);
	(void)printf("opens beyond Docker's default: %zu of %zu calls\n",
	             profile->open_count, seccomp_weak_calls_count);
	if (profile->posture == POSTURE_WEAK)
		print_calls(profile);
	if (profile->posture == POSTURE_CUSTOM)
		return;
	(void)printf(
	    "to accept this profile, and no other, add to the policy's exceptions:\n"
	    "  {\"id\": \"NAME\", \"allow\": [\"%s\"], \"match\": {\"profile\": "
	    "[\"%s\"]}, \"reason\": \"WHY\"}\n",
	    posture, finding->digest);
}

static void
print_json(const struct finding *finding)
{
	const struct seccomp_profile *profile = &finding->profile;
	cleanup_buf struct buf line = {0};

	buf_str(&line, "{\"file\":");
	buf_json(&line, text_of(finding->path), 0);
	buf_printf(&line, ",\"posture\":\"%s\",\"default_action\":",
	           posture_name(profile->posture));
	buf_json(&line, profile->default_action, 0);
	buf_printf(&line, ",\"rules\":%zu,\"opens\":[", profile->rules);
	for (size_t i = 0; i < profile->open_count; i++)
		buf_printf(&line, "%s\"%s\"", i > 0 ? "," : "", profile->open[i]);
	buf_printf(&line, "],\"digest\":\"%s\"}", finding->digest);
	(void)puts(buf_ok(&line) ? line.at : "");
}

static int
explain(const char *path, bool json)
{
	cleanup_finding struct finding finding = {.path = path};
	int result = read_profile(&finding);

	if (result != EXIT_CLEAN)
		return result;
	if (json)
		print_json(&finding);
	else
		print_text(&finding);
	return finding.profile.posture == POSTURE_CUSTOM ? EXIT_CLEAN : EXIT_FOUND;
}

static int
digest(const char *path)
{
	cleanup_finding struct finding finding = {.path = path};
	int result = read_profile(&finding);

	if (result == EXIT_CLEAN)
		(void)printf("%s  %s\n", finding.digest, path);
	return result;
}

/* What the words on the command line ask for. */
struct request {
	bool digest, json, help;
	int files; /* how many; they are moved to the front of argv */
};

/* One option or file at argv[i]. Returns how many words it took, or -1. */
static int
read_word(const struct command *self, char **argv, int i, struct request *request)
{
	const char *word = argv[i], *format = NULL;
	int took = 1;

	if (strcmp(word, "--help") == 0) {
		request->help = true;
		return 1;
	}
	if (strncmp(word, "--format=", 9) == 0) {
		format = word + 9;
	} else if (strcmp(word, "--format") == 0) {
		format = argv[i + 1] ? argv[i + 1] : "";
		took = 2;
	}
	if (format) {
		request->json = strcmp(format, "json") == 0;
		if (request->json || strcmp(format, "text") == 0)
			return took;
		(void)cmd_usage_error(self, "--format is text or json");
		return -1;
	}
	if (word[0] == '-' && word[1] != '\0') {
		(void)cmd_usage_error(self, "%s: no such option", word);
		return -1;
	}
	argv[request->files++] = argv[i];
	return 1;
}

static int
run_profile(const struct command *self, int argc, char **argv)
{
	struct request request = {0};
	int worst = EXIT_CLEAN;

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return cmd_help(self);
	if (argc < 2 ||
	    (strcmp(argv[1], "explain") != 0 && strcmp(argv[1], "digest") != 0))
		return cmd_usage_error(self, "explain or digest?");
	request.digest = strcmp(argv[1], "digest") == 0;
	for (int i = 2, took; i < argc; i += took) {
		took = read_word(self, argv, i, &request);
		if (took < 0)
			return EXIT_UNSURE;
	}
	if (request.help)
		return cmd_help(self);
	if (request.files == 0)
		return cmd_usage_error(self, "which FILE?");
	for (int i = 0; i < request.files; i++) {
		int result =
		    request.digest ? digest(argv[i]) : explain(argv[i], request.json);

		worst = result > worst ? result : worst;
	}
	return worst;
}

const struct command command_profile = {
    .name = "profile",
    .summary = "what a seccomp profile does, and its digest for a policy",
    .usage = "explain [--format text|json] FILE...\n"
	     "       seccomp-authz profile digest FILE...",
    .help =
	"explain  judges each profile as a request with it would be judged, on all\n"
	"         machines at once: conditions on capabilities, architectures and\n"
	"         kernels count as met where that is worse; clone among the calls is\n"
	"         clone with namespace flags\n"
	"digest   prints the digest that a policy's exceptions match on; white space,\n"
	"         the order of keys and the order of names make no difference\n"
	"\n"
	"FILE is profile JSON as for docker run --security-opt seccomp=FILE; - is\n"
	"standard input. explain exits with 0 for a profile that confines at least\n"
	"as Docker's default does, 1 for any other, 2 for what no engine loads.\n",
    .run = run_profile,
};
