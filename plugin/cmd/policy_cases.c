/* SPDX-License-Identifier: Apache-2.0 */
/* policy_cases.c - reads the cases of `policy test`. */
#include "cmd_policy_test.h"

#include "core/policy_time.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Where a case is read, for complaints. */
struct place {
	const char *file;
	size_t index;
};

static int
complain(const struct place *place, const char *what)
{
	return cmd_complain("%s: /cases/%zu: %s", place->file, place->index, what);
}

/* ---- members of a case ---- */

static int
read_case_text(const struct place *place, const json_t *value, const char **ret_text)
{
	if (!json_is_string(value) || json_string_length(value) == 0)
		return complain(place, "\"case\", \"user\", \"name\", \"at\" and what is "
		                       "expected are texts, not empty");
	*ret_text = json_string_value(value);
	return EXIT_CLEAN;
}

/* A body, envelope or review: an object stands for its JSON, a text for its bytes. */
static int
read_bytes(const struct place *place, const json_t *value, struct buf *bytes)
{
	char *json;

	buf_clear(bytes);
	if (json_is_string(value)) {
		buf_add(bytes, json_string_value(value), json_string_length(value));
		return EXIT_CLEAN;
	}
	json = json_is_object(value) ? json_dumps(value, JSON_COMPACT) : NULL;
	if (!json)
		return complain(place, "a body is an object, or a text with its bytes");
	buf_str(bytes, json);
	free(json);
	return EXIT_CLEAN;
}

static int
read_body(const struct place *place, const json_t *value, const char *target,
          struct policy_case *one)
{
	one->method = "POST";
	one->target_base = target;
	one->has_body = true;
	return read_bytes(place, value, &one->body);
}

/* {"method": "POST", "uri": "/v1.41/plugins/x/disable", "body": ...} */
static int
read_request(const struct place *place, json_t *value, struct policy_case *one)
{
	const char *key;
	json_t *member;

	if (!json_is_object(value))
		return complain(place, "\"request\" is an object");
	one->method = "POST";
	json_object_foreach (value, key, member) {
		int code;

		if (strcmp(key, "method") == 0)
			code = read_case_text(place, member, &one->method);
		else if (strcmp(key, "uri") == 0)
			code = read_case_text(place, member, &one->target_base);
		else if (strcmp(key, "body") == 0)
			code = read_bytes(place, member, &one->body);
		else
			code = complain(place, "a request has method, uri and body");
		if (code != EXIT_CLEAN)
			return code;
	}
	one->has_body = json_object_get(value, "body") != NULL;
	return one->target_base ? EXIT_CLEAN : complain(place, "a request needs a uri");
}

static int
read_expectation(const struct place *place, json_t *value, struct expectation *expected)
{
	static const struct {
		const char *name;
		size_t offset;
	} rows[] = {
	    {"decision", offsetof(struct expectation, decision)},
	    {"rule", offsetof(struct expectation, rule)},
	    {"posture", offsetof(struct expectation, posture)},
	    {"would_match", offsetof(struct expectation, would_match)},
	    {"says", offsetof(struct expectation, says)},
	};
	const char *key;
	json_t *member;

	if (json_is_string(value))
		return read_case_text(place, value, &expected->decision);
	if (!json_is_object(value))
		return complain(place, "\"expect\" is a decision or an object");
	json_object_foreach (value, key, member) {
		size_t i = 0;
		void *at;

		while (i < 5 && strcmp(rows[i].name, key) != 0)
			i++;
		if (i == 5)
			return complain(place, "\"expect\" has decision, rule, posture, "
			                       "would_match and says");
		at = (char *)expected + rows[i].offset;
		if (read_case_text(place, member, at) != EXIT_CLEAN)
			return EXIT_UNSURE;
	}
	return EXIT_CLEAN;
}

static int
read_at(const struct place *place, const json_t *value, struct policy_case *one)
{
	const char *text = json_string_value(value);

	if (text && policy_time_read(text_of(text), &one->at))
		return EXIT_CLEAN;
	return complain(place, "\"at\" is a time like 2027-01-31T00:00:00Z");
}

/* One member. `name` is the container's. */
static int
read_member(const struct place *place, const char *key, json_t *value,
            struct policy_case *one, const char **name)
{
	if (strcmp(key, "case") == 0)
		return read_case_text(place, value, &one->name);
	if (strcmp(key, "user") == 0)
		return read_case_text(place, value, &one->user);
	if (strcmp(key, "name") == 0)
		return read_case_text(place, value, name);
	if (strcmp(key, "at") == 0)
		return read_at(place, value, one);
	if (strcmp(key, "expect") == 0)
		return read_expectation(place, value, &one->expected);
	if (strcmp(key, "create") == 0)
		return read_body(place, value, "/containers/create", one);
	if (strcmp(key, "service") == 0)
		return read_body(place, value, "/services/create", one);
	if (strcmp(key, "request") == 0)
		return read_request(place, value, one);
	if (strcmp(key, "envelope") == 0) {
		one->decide = decide_authz;
		return read_bytes(place, value, &one->body);
	}
	if (strcmp(key, "admission") == 0) {
		one->decide = decide_admission;
		return read_bytes(place, value, &one->body);
	}
	return complain(place, "a case has case, create, service, request, envelope, "
	                       "admission, user, name, at and expect");
}

/* ---- a case ---- */

static void
add_name(struct buf *target, const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";

	buf_str(target, "?name=");
	for (; *name; name++) {
		if (strchr(plain, *name))
			buf_char(target, *name);
		else
			buf_printf(target, "%%%02X", (unsigned char)*name);
	}
}

static int
count_requests(const json_t *value)
{
	static const char *const keys[] = {"create", "service", "request", "envelope",
	                                   "admission"};
	int count = 0;

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		count += json_object_get(value, keys[i]) != NULL;
	return count;
}

static bool
is_decision(const char *word)
{
	return strcmp(word, "allow") == 0 || strcmp(word, "deny") == 0 ||
	       strcmp(word, "observe") == 0;
}

static int
read_case(const struct place *place, json_t *value, struct policy_case *one)
{
	const char *key, *name = NULL;
	json_t *member;

	one->file = place->file;
	one->at = policy_now();
	if (!json_is_object(value))
		return complain(place, "a case is an object");
	json_object_foreach (value, key, member) {
		if (read_member(place, key, member, one, &name) != EXIT_CLEAN)
			return EXIT_UNSURE;
	}
	if (!one->name)
		return complain(place, "a case has a name: \"case\"");
	if (count_requests(value) != 1)
		return complain(place, "one of create, service, request, envelope and "
		                       "admission is wanted");
	if (!one->expected.decision || !is_decision(one->expected.decision))
		return complain(place,
		                "\"expect\" needs a decision: allow, deny or observe");
	if (one->decide && (name || one->user))
		return complain(place, "an envelope and an AdmissionReview say "
		                       "themselves by whom and of what");
	buf_str(&one->target, one->target_base ? one->target_base : "");
	if (name)
		add_name(&one->target, name);
	return buf_ok(&one->target) && buf_ok(&one->body) ? EXIT_CLEAN
	                                                  : cmd_complain("out of memory");
}

/* ---- files ---- */

static int
grow(struct policy_cases *cases, size_t more)
{
	struct policy_case *wider =
	    reallocarray(cases->at, cases->count + more, sizeof *cases->at);

	if (!wider)
		return cmd_complain("out of memory");
	memset(wider + cases->count, 0, more * sizeof *wider);
	cases->at = wider;
	return EXIT_CLEAN;
}

/* `root` lives in cases->files. */
static int
read_cases(struct policy_cases *cases, const char *path, json_t *root)
{
	json_t *list = json_object_get(root, "cases"), *value;
	struct place place = {.file = path};
	const char *key;

	json_object_foreach (root, key, value) {
		if (strcmp(key, "cases") != 0 && strcmp(key, "$schema") != 0)
			return cmd_complain("%s: unknown key \"%s\"; a file of cases is "
			                    "{\"cases\": [...]}",
			                    path, key);
	}
	if (!json_is_array(list) || json_array_size(list) == 0)
		return cmd_complain("%s: no cases; write {\"cases\": [{...}]}", path);
	if (grow(cases, json_array_size(list)) != EXIT_CLEAN)
		return EXIT_UNSURE;
	json_array_foreach (list, place.index, value) {
		if (read_case(&place, value, &cases->at[cases->count++]) != EXIT_CLEAN)
			return EXIT_UNSURE;
	}
	return EXIT_CLEAN;
}

static int
read_file(struct policy_cases *cases, const char *path)
{
	cleanup_buf struct buf bytes = {0};
	struct err err = {0};
	json_error_t error;
	json_t *kept, *root;

	if (cmd_read_file(path, CASES_FILE_MAX, &bytes, &err) != 0)
		return cmd_complain("%s", err.text);
	root = json_loadb(buf_text(&bytes).at, bytes.len, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return cmd_complain("%s: line %d, column %d: %s", path, error.line,
		                    error.column, error.text);
	/* cases borrow texts of the tree, and their file's name */
	kept = json_pack("[o, s]", root, path);
	if (!kept || json_array_append_new(cases->files, kept) != 0)
		return cmd_complain("%s: it can't be kept (is its name UTF-8?)", path);
	return read_cases(cases, json_string_value(json_array_get(kept, 1)), root);
}

/* The *.json of a folder, sorted. */
static int
read_folder(struct policy_cases *cases, const char *path)
{
	cleanup_buf struct buf pattern = {0};
	glob_t found = {0};
	int code = EXIT_CLEAN;

	for (const char *p = path; *p; p++) { /* glob(3) reads '\' as an escape */
		if (strchr("*?[\\", *p))
			buf_char(&pattern, '\\');
		buf_char(&pattern, *p);
	}
	buf_str(&pattern, "/*.json");
	if (!buf_ok(&pattern) || glob(pattern.at, 0, NULL, &found) != 0)
		return cmd_complain("%s: there is no *.json in it", path);
	for (size_t i = 0; i < found.gl_pathc && code == EXIT_CLEAN; i++)
		code = read_file(cases, found.gl_pathv[i]);
	globfree(&found);
	return code;
}

int
policy_cases_read(struct policy_cases *cases, const char *path)
{
	struct stat st;

	if (!cases->files)
		cases->files = json_array();
	if (!cases->files)
		return cmd_complain("out of memory");
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return read_folder(cases, path);
	return read_file(cases, path);
}

void
policy_cases_free(struct policy_cases *cases)
{
	for (size_t i = 0; i < cases->count; i++) {
		buf_free(&cases->at[i].target);
		buf_free(&cases->at[i].body);
	}
	free(cases->at);
	json_decref(cases->files);
}
