/* SPDX-License-Identifier: Apache-2.0 */
/* policy_show.c - `seccomp-authz policy show`: a policy in full, of a file or a judge. */
#include "cmd_policy.h"

#include "cmd_options.h"
#include "cmd_table.h"
#include "core/policy_time.h"
#include "edge/engine.h"
#include "edge/policy_store.h"
#include "edge/policy_tell.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 24 * HOUR, ANSWER_MAX = 64 * 1024 * 1024 };

/* ---- where it comes from ---- */

static int
tell_file(const char *path, struct buf *json)
{
	cleanup_policy_text struct policy_text text = {.policy = NULL};
	int code = policy_text_read(&text, path);

	if (code != EXIT_CLEAN)
		return code;
	if (!text.policy)
		return policy_text_complain(&text);
	buf_str(json, "{\"source\":");
	buf_json(json, text_of(path), 0);
	buf_str(json, ",\"degraded\":false,\"loaded\":null,");
	policy_tell(json, text.policy, NULL, policy_now());
	buf_str(json, "}\n");
	return buf_ok(json) ? EXIT_CLEAN : cmd_complain("out of memory");
}

static int
ask_judge(struct engine_target *target, struct buf *json, struct err *err)
{
	struct engine *engine = NULL;
	struct engine_answer answer = {.status = 0};
	int failed;

	if (engine_open(target, &engine, err) != 0)
		return -1;
	failed = engine_get(engine, "/policy", ANSWER_MAX, &answer, err);
	engine_close(engine);
	if (failed == 0 && answer.status != 200)
		failed = err_set(err, ERR_SYSTEM, "answers %ld; is it an admin socket?",
		                 answer.status);
	if (failed == 0)
		buf_add_text(json, buf_text(&answer.body));
	buf_free(&answer.body);
	return failed;
}

static int
tell_judge(const char *socket, struct buf *json)
{
	cleanup_buf struct buf host = {0};
	struct engine_target target = {.host = NULL};
	struct err err = {0};
	int failed;

	buf_printf(&host, "unix://%s", socket);
	if (!buf_ok(&host))
		return cmd_complain("out of memory");
	failed = engine_target_find(host.at, &target, &err);
	if (failed == 0)
		failed = ask_judge(&target, json, &err);
	engine_target_free(&target);
	if (failed != 0)
		return cmd_complain("%s: %s", socket, err.text);
	return buf_ok(json) ? EXIT_CLEAN : cmd_complain("out of memory");
}

/* ---- as text ---- */

static const char *
text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "-";
}

/* "a, b, c", or "-". */
static void
add_words(struct buf *buf, const json_t *list)
{
	size_t index;
	json_t *word;

	if (json_array_size(list) == 0)
		buf_str(buf, "-");
	json_array_foreach (list, index, word)
		buf_printf(buf, "%s%s", index > 0 ? ", " : "",
		           json_string_value(word) ? json_string_value(word) : "?");
}

static void
print_list(const char *title, const json_t *list)
{
	cleanup_buf struct buf line = {0};

	add_words(&line, list);
	(void)printf("%s%s\n", title, line.at ? line.at : "");
}

/* Guards in one mode. */
static void
print_guards(const char *title, const json_t *guards, const char *mode)
{
	json_t *names = json_array(), *value;
	const char *name;

	json_object_foreach ((json_t *)(uintptr_t)guards, name, value) {
		const char *found = json_string_value(value);

		if (found && strcmp(found, mode) == 0)
			(void)json_array_append_new(names, json_string(name));
	}
	print_list(title, names);
	json_decref(names);
}

static void
print_head(const json_t *told)
{
	const json_t *guards = json_object_get(told, "guards");

	(void)printf("policy:          %s\n", text_at(told, "source"));
	if (json_is_true(json_object_get(told, "degraded")))
		(void)printf("degraded:        %s\n", text_at(told, "reason"));
	if (!json_is_string(json_object_get(told, "digest"))) {
		(void)printf("in force:        none; every workload is denied\n");
		return;
	}
	(void)printf("digest:          %s\n", text_at(told, "digest"));
	if (json_is_string(json_object_get(told, "loaded")))
		(void)printf("loaded:          %s\n", text_at(told, "loaded"));
	(void)printf("mode:            %s\n", text_at(told, "mode"));
	print_list("allow:           ", json_object_get(told, "allow"));
	print_list("observe:         ", json_object_get(told, "observe"));
	print_guards("guards:          ", guards, "enforce");
	print_guards("guards observed: ", guards, "observe");
	print_guards("guards off:      ", guards, "off");
	print_list("runtimes:        ", json_object_get(told, "runtimes"));
	(void)printf("engine default:  %s\n", text_at(told, "engine_default"));
}

/* "never", "in 3 days", "2 hours ago". */
static void
add_when(struct buf *buf, const char *expires, int64_t now)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{DAY, "days"}, {HOUR, "hours"}, {MINUTE, "minutes"}, {1, "seconds"}};
	int64_t at, left;
	size_t i = 0;

	if (!expires || !policy_time_read(text_of(expires), &at)) {
		buf_str(buf, "never");
		return;
	}
	left = at > now ? at - now : now - at;
	while (i < 3 && left < 2 * units[i].seconds)
		i++;
	buf_printf(buf, at > now ? "in %lld %s" : "%lld %s ago",
	           (long long)(left / units[i].seconds), units[i].name);
}

static const struct table_column columns[] = {
    {.title = "STATE", .least = 8},
    {.title = "EXPIRES", .least = 15},
    {.title = "USED", .least = 6},
    {.title = "RESTS ON", .least = 9},
    {.title = "ID", .least = 14, .share = 2},
    {.title = "ALLOW", .least = 12, .share = 2},
    {.title = "REASON", .least = 12, .share = 4},
};

static void
print_exception(const struct table *table, const json_t *exception, int64_t now)
{
	cleanup_buf struct buf when = {0}, allow = {0}, used = {0};
	const json_t *count = json_object_get(exception, "used");
	bool strong = json_is_true(json_object_get(exception, "strong"));
	size_t index;
	json_t *word;

	add_when(&when, json_string_value(json_object_get(exception, "expires")), now);
	json_array_foreach (json_object_get(exception, "allow"), index, word)
		buf_printf(&allow, "%s%s", index > 0 ? "," : "",
		           json_string_value(word) ? json_string_value(word) : "?");
	if (json_is_integer(count))
		buf_printf(&used, "%lld", (long long)json_integer_value(count));
	const struct text cells[] = {
	    text_of(text_at(exception, "state")),
	    buf_text(&when),
	    buf_text(&used),
	    strong ? TEXT_LIT("strong") : TEXT_LIT("forgeable"),
	    text_of(text_at(exception, "id")),
	    buf_text(&allow),
	    text_of(text_at(exception, "reason")),
	};

	table_row(table, cells);
}

static void
print_exceptions(const json_t *list)
{
	struct table table = {.columns = columns,
	                      .count = sizeof columns / sizeof columns[0],
	                      .width = table_terminal_width()};
	int64_t now = policy_now();
	json_t *exception;
	size_t index;

	(void)printf("exceptions:      %zu\n", json_array_size(list));
	if (json_array_size(list) == 0)
		return;
	(void)putchar('\n');
	table_head(&table);
	json_array_foreach (list, index, exception)
		print_exception(&table, exception, now);
}

static int
print_text(const struct buf *json)
{
	json_error_t error;
	json_t *told = json_loadb(json->at, json->len, 0, &error);

	if (!told)
		return cmd_complain("the answer is not understood: %s", error.text);
	print_head(told);
	print_exceptions(json_object_get(told, "exceptions"));
	json_decref(told);
	return EXIT_CLEAN;
}

static int
run_show(const struct command *self, int argc, char **argv)
{
	cleanup_buf struct buf told = {0};
	const char *format = NULL, *socket = NULL;
	const struct cmd_option options[] = {
	    {"--format", .value = &format},
	    {"--admin-socket", .value = &socket},
	    {.name = NULL},
	};
	int words = 0, code = cmd_read_options(self, options, argc, argv, &words);
	bool json;

	if (code != CMD_GO_ON)
		return code;
	json = policy_is_json(self, format, &code);
	if (code != CMD_GO_ON)
		return code;
	if (words > 1 || (words == 1 && socket))
		return cmd_usage_error(self, "one FILE, or --admin-socket");
	code = socket ? tell_judge(socket, &told)
	              : tell_file(words == 1 ? argv[1] : POLICY_DEFAULT_PATH, &told);
	if (code != EXIT_CLEAN)
		return code;
	if (json)
		(void)fwrite(told.at, 1, told.len, stdout);
	else if (print_text(&told) != EXIT_CLEAN)
		return EXIT_UNSURE;
	return cmd_flush() ? EXIT_CLEAN : cmd_complain("stdout: can't be written");
}

const struct command command_policy_show = {
    .name = "policy show",
    .summary = "show a policy in full, and the state of its exceptions",
    .usage = "[--format text|json] [FILE|-]\n"
	     "       seccomp-authz policy show [--format text|json] --admin-socket PATH",
    .help =
	"Shows what a policy means, defaults included, and of each exception:\n"
	"  STATE     active, expired, or observed (it only adds to the record)\n"
	"  EXPIRES   when it ends or ended\n"
	"  USED      how often, of a running judge\n"
	"  RESTS ON  strong (digests, users, namespaces), or forgeable: only on what\n"
	"            the caller chooses, or on an account that acts for everybody\n\n"
	"  --admin-socket PATH  the policy in force, from the judge that serves PATH\n"
	"                       (seccomp-authz serve --admin-socket PATH)\n"
	"  --format json        one JSON object, with all there is to tell\n\n"
	"Without FILE it is " POLICY_DEFAULT_PATH ".\n\n"
	"Exit code: 0, or 2 if there is no policy to show.\n",
    .run = run_show,
};
