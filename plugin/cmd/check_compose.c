/* SPDX-License-Identifier: Apache-2.0 */
/* check_compose.c - Compose files, with the files that they extend, include and name. */
#include "cmd_check.h"

#include "core/compose.h"
#include "core/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 64 }; /* that one file's services extend from */

/* Another file from which services are extended; its first document. */
struct other_file {
	char *path;
	struct buf content;
	struct yaml_document yaml;
	struct check_document document;
	struct err err; /* why it can't be used */
};

/* One document of a Compose file. */
struct compose_check {
	struct check *check;
	const struct check_document *document;
	struct arena arena;
	struct other_file others[FILES_MAX];
	size_t count;
	size_t services;
	int worst;
};

static void
compose_check_free(struct compose_check *compose)
{
	for (size_t i = 0; i < compose->count; i++) {
		free(compose->others[i].path);
		buf_free(&compose->others[i].content);
		yaml_document_free(&compose->others[i].yaml);
	}
	arena_free(&compose->arena);
	free(compose);
}

static void
compose_check_cleanup(struct compose_check **compose)
{
	if (*compose)
		compose_check_free(*compose);
}

#define cleanup_compose __attribute__((cleanup(compose_check_cleanup)))

/* ---- files beside the file ---- */

/* `name` as seen from the folder of `from`; NULL when out of memory. The caller frees. */
static char *
path_beside(const char *from, struct text name)
{
	const char *slash = strrchr(from, '/');
	int folder = slash ? (int)(slash - from) + 1 : 0;
	char *path;

	if (name.len > 0 && name.at[0] == '/')
		folder = 0;
	if (asprintf(&path, "%.*s%.*s", folder, from, TEXT_ARG(name)) < 0)
		return NULL;
	return path;
}

/*
 * Reads a file that a file names, so nothing but a plain one: a pipe or device could keep
 * us, or never end. The error does not name it.
 */
static int
read_named(const char *path, size_t limit, struct buf *content, struct err *err)
{
	struct stat status;
	struct err why = {0};
	const char *cut;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), result;

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, "%s", strerror(errno));
	result = fstat(fd, &status);
	(void)close(fd);
	if (result != 0 || !S_ISREG(status.st_mode))
		return err_set(err, ERR_SYSTEM, "is no plain file");
	if (cmd_read_file(path, limit, content, &why) == 0)
		return 0;
	cut = strncmp(why.text, path, strlen(path)) == 0 ? why.text + strlen(path) : "";
	return err_set(err, why.code, "%s", cut[0] == ':' ? cut + 2 : why.text);
}

/* The first document of a file, and that there is no other. */
static int
read_document(struct other_file *other)
{
	struct text content = buf_text(&other->content);
	struct yaml_reader *reader;
	struct yaml_document second = {.marks = NULL};
	struct yaml_place place;
	int more;

	other->document = (struct check_document){
	    .path = other->path, .text = content, .file = content};
	if (check_is_json(content))
		return 0;
	reader = yaml_open(content, YAML_COMPOSE);
	if (!reader)
		return err_set(&other->err, ERR_MEMORY, "out of memory");
	more = yaml_next(reader, &other->yaml, &place, &other->err);
	if (more > 0)
		more = yaml_next(reader, &second, &place, &other->err) == 0;
	yaml_document_free(&second);
	yaml_close(reader);
	if (more <= 0)
		return err_set(&other->err, ERR_TYPE,
		               "should be a single document with services");
	other->document.text = buf_text(&other->yaml.json);
	other->document.yaml = &other->yaml;
	return 0;
}

/* The file, read once; NULL when there is no room. It may be unusable: see its err. */
static const struct other_file *
open_other(struct compose_check *compose, const char *from, struct text name)
{
	char *path = path_beside(from, name);
	struct other_file *other;

	for (size_t i = 0; path && i < compose->count; i++) {
		if (strcmp(compose->others[i].path, path) == 0) {
			free(path);
			return &compose->others[i];
		}
	}
	if (!path || compose->count == FILES_MAX) {
		free(path);
		return NULL;
	}
	other = &compose->others[compose->count++];
	other->path = path;
	if (read_named(path, CHECK_INPUT_MAX, &other->content, &other->err) == 0)
		(void)read_document(other);
	return other;
}

/* ---- one service ---- */

/* A service as it grows, and in which document its last layer is. */
struct climb {
	struct compose_service service;
	const struct check_document *document;
	const char *fault; /* where `unseen` was found */
};

static int
fail_extend(struct climb *climb, const struct compose_extends *extends,
            const struct err *why)
{
	cleanup_buf struct buf quoted = {0};

	climb->fault = extends->place;
	buf_quoted(&quoted, extends->file, 128);
	return err_set(&climb->service.unseen, why->code, "extends: %s: %s",
	               buf_ok(&quoted) ? quoted.at : "", why->text);
}

/* Over to the file that `extends` names. */
static int
climb_over(struct compose_check *compose, struct climb *climb,
           const struct compose_extends *extends)
{
	struct compose_service *service = &climb->service;
	const struct other_file *other =
	    open_other(compose, climb->document->path, extends->file);
	struct err why = {0};

	if (!other)
		(void)err_set(&why, ERR_LIMIT, "more than %d files", FILES_MAX);
	else if (other->err.code != ERR_NONE)
		why = other->err;
	else if (service->count >= COMPOSE_LAYERS_MAX)
		(void)err_set(&why, ERR_LIMIT, "in a circle, or more than %d deep",
		              COMPOSE_LAYERS_MAX);
	else if (compose_find(other->document.text, extends->service, &compose->arena,
	                      &service->layers[service->count], &why) == 0)
		service->count++;
	if (why.code != ERR_NONE)
		return fail_extend(climb, extends, &why);
	climb->document = &other->document;
	return 0;
}

/* All that the service extends, wherever it is. */
static void
climb_up(struct compose_check *compose, struct climb *climb)
{
	struct compose_service *service = &climb->service;
	struct compose_extends elsewhere = {.place = NULL};

	for (;;) {
		if (compose_extend(service, climb->document->text, &compose->arena,
		                   &elsewhere, &service->unseen) != 0) {
			climb->fault = elsewhere.place;
			return;
		}
		if (!elsewhere.service.at || climb_over(compose, climb, &elsewhere) != 0)
			return;
	}
}

/* The profile's file is sought beside the first file, wherever the option stands, in what
   it includes too (docker compose: p.RelativePath). */
static void
read_profile(struct compose_check *compose, struct climb *climb, struct buf *content)
{
	struct compose_service *service = &climb->service;
	struct compose_profile profile;
	struct err why = {0};
	cleanup_buf struct buf quoted = {0};
	char *path;

	compose_profile_of(service, &compose->arena, &profile);
	if (!profile.path.at || service->unseen.code != ERR_NONE)
		return;
	path = path_beside(compose->check->project, profile.path);
	if (!path)
		(void)err_set(&why, ERR_MEMORY, "out of memory");
	else if (read_named(path, SECCOMP_PROFILE_MAX, content, &why) == 0)
		service->profile = buf_text(content);
	free(path);
	if (why.code == ERR_NONE)
		return;
	climb->fault = profile.place;
	service->unseen = why;
	buf_quoted(&quoted, profile.path, 128);
	(void)err_wrap(&service->unseen, "security_opt: the profile %s",
	               buf_ok(&quoted) ? quoted.at : "");
}

static bool
is_inside(const char *at, struct text text)
{
	return at && at >= text.at && at < text.at + text.len;
}

/* Which document holds that byte; what stands nowhere is in the first. */
static const struct check_document *
document_of(const struct compose_check *compose, const char *at)
{
	for (size_t i = 0; i < compose->count; i++) {
		if (is_inside(at, compose->others[i].document.text))
			return &compose->others[i].document;
	}
	return compose->document;
}

static const char *
place_of(const struct climb *climb, const struct verdict *verdict)
{
	const struct compose_places *places = &climb->service.places;
	/* the byte in front of a definition belongs to its key */
	const char *key = climb->service.layers[0].at - 1, *at = NULL;

	if (verdict->reason == REASON_GUARD && verdict->guard >= 0)
		at = places->guards[verdict->guard];
	else if (verdict->has_posture && verdict->posture == POSTURE_UNREADABLE &&
	         climb->fault)
		at = climb->fault;
	else if (verdict->has_posture && verdict->posture != POSTURE_DEFAULT)
		at = places->postures[verdict->posture];
	return at ? at : key;
}

static int
judge_service(struct text name, struct text object, void *context)
{
	struct compose_check *compose = context;
	struct circumstances circumstances = check_circumstances(compose->check);
	struct climb climb = {.service = {.name = name, .layers = {object}, .count = 1},
	                      .document = compose->document};
	cleanup_decision struct decision decision = {0};
	cleanup_buf struct buf content = {0};
	const char *at;
	int found;

	climb_up(compose, &climb);
	read_profile(compose, &climb, &content);
	decide_compose(&climb.service, &circumstances, &decision);
	at = place_of(&climb, &decision.verdict);
	found = check_report(compose->check, document_of(compose, at), at, &decision);
	compose->worst = found > compose->worst ? found : compose->worst;
	compose->services++;
	return 0;
}

/* ---- includes ---- */

static int check_compose_document(struct check *check,
                                  const struct check_document *document);

/* A file that the document includes runs with it: it is judged like one that was given. */
static void
check_include(struct compose_check *compose, struct text name)
{
	struct check *check = compose->check;
	cleanup_buf struct buf content = {0}, quoted = {0};
	char *path = path_beside(compose->document->path, name);
	struct err err = {0};
	int found;

	if (check->depth >= CHECK_DEPTH_MAX)
		(void)err_set(&err, ERR_LIMIT, "in a circle, or more than %d deep",
		              CHECK_DEPTH_MAX);
	else if (!path)
		(void)err_set(&err, ERR_MEMORY, "out of memory");
	else
		(void)read_named(path, CHECK_INPUT_MAX, &content, &err);
	if (err.code == ERR_NONE) {
		struct check_document file = {
		    .path = path, .text = buf_text(&content), .file = buf_text(&content)};

		check->depth++;
		found =
		    check_each_yaml(check, &file, YAML_COMPOSE, check_compose_document);
		check->depth--;
	} else {
		buf_quoted(&quoted, name, 128);
		(void)err_wrap(&err, "include: %s", buf_ok(&quoted) ? quoted.at : "");
		found = check_report_unread(
		    check, compose->document,
		    check_place(check, compose->document, name.at), &err);
	}
	free(path);
	compose->worst = found > compose->worst ? found : compose->worst;
}

/* ---- a document ---- */

static void
report_broken(struct compose_check *compose, const struct err *err)
{
	const struct check_document *document = compose->document;
	const char *at =
	    err->byte > 0 ? document->text.at + err->byte - 1 : document->text.at;
	int found = check_report_unread(compose->check, document,
	                                check_place(compose->check, document, at), err);

	compose->worst = found > compose->worst ? found : compose->worst;
}

static int
check_compose_document(struct check *check, const struct check_document *document)
{
	cleanup_compose struct compose_check *compose = calloc(1, sizeof *compose);
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = check_circumstances(check);
	struct text_list includes = {0};
	struct err err = {0};

	if (!compose)
		return check_complain(check, document->path, "out of memory");
	compose->check = check;
	compose->document = document;
	check->cursor = (struct check_cursor){0};
	if (compose_each(document->text, &compose->arena, judge_service, compose,
	                 &includes, &err) != 0) {
		report_broken(compose, &err);
		return compose->worst;
	}
	for (size_t i = 0; i < includes.count; i++)
		check_include(compose, includes.at[i]);
	if (compose->services > 0 || includes.count > 0)
		return compose->worst;
	decide_nothing(&circumstances, &decision);
	return check_report(check, document, document->text.at, &decision);
}

int
check_compose(struct check *check, const struct check_document *document)
{
	check->project = document->path;
	return check_each_yaml(check, document, YAML_COMPOSE, check_compose_document);
}
