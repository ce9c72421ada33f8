/* SPDX-License-Identifier: Apache-2.0 */
/* check_compose.c - Compose files as they are given: one, with its override, or several. */
#include "cmd_check_compose.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
compose_check_free(struct compose_check *compose)
{
	compose_files_free(&compose->files);
	arena_free(&compose->arena);
}

#define cleanup_compose __attribute__((cleanup(compose_check_free)))

static struct compose_check
compose_start(struct check *check)
{
	check->cursor = (struct check_cursor){0};
	return (struct compose_check){.check = check};
}

/* Puts a file over what is there; the folder of the first counts for all. */
static int
add(struct compose_check *compose, struct compose_file *file)
{
	if (!file)
		return check_complain(compose->check, compose->check->files[0],
		                      "out of memory, or more than %d files",
		                      COMPOSE_FILES_MAX);
	if (!compose->folder)
		compose->folder = compose_folder(file->path, &compose->arena);
	if (!compose->folder)
		return check_complain(compose->check, file->path, "out of memory");
	compose_gather(compose, file, compose->folder);
	return EXIT_CLEAN;
}

static int
conclude(struct compose_check *compose, const struct compose_file *file)
{
	struct check *check = compose->check;
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = check_circumstances(check);
	const struct check_document *document = &file->whole;

	compose_judge(compose);
	if (compose->reported > 0 || compose->worst != EXIT_CLEAN)
		return compose->worst;
	if (file->count > 0)
		document = &file->documents[0];
	decide_nothing(&circumstances, &decision);
	return check_report(check, document, document->text.at, &decision);
}

/* ---- a file and its override ---- */

/*
 * Without -f, docker compose takes the first of its default names, and merges over it the
 * file of such a name that lies beside it (compose-go cli/options.go, DefaultFileNames,
 * DefaultOverrideFileNames; docker-compose 1.29 compose/config/config.py). With -f
 * docker-compose.yml alone it doesn't, so that is judged too.
 */
static const char *const base_names[] = {
    "compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml", NULL};
static const char *const override_names[] = {
    "compose.override.yml", "compose.override.yaml", "docker-compose.override.yml",
    "docker-compose.override.yaml", NULL};

static const char *
name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool
is_one_of(const char *path, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(name_of(path), *names) == 0)
			return true;
	}
	return false;
}

/* NULL: there is none. The caller frees. */
static char *
path_beside(const char *path, const char *name)
{
	char *beside = NULL;
	cleanup_buf struct buf buf = {0};

	buf_add(&buf, path, (size_t)(name_of(path) - path));
	buf_str(&buf, name);
	buf_char(&buf, '\0');
	if (buf_ok(&buf) && access(buf.at, F_OK) == 0)
		beside = strdup(buf.at);
	return beside;
}

/* Does a client put another file over it by itself? */
static bool
is_overridden(const char *path)
{
	bool found = false;

	if (!is_one_of(path, base_names))
		return false;
	for (const char *const *name = override_names; *name && !found; name++) {
		char *beside = path_beside(path, *name);

		found = beside != NULL;
		free(beside);
	}
	return found;
}

static int
judge_alone(struct check *check, const struct check_document *document)
{
	cleanup_compose struct compose_check compose = compose_start(check);
	struct compose_file *file =
	    compose_take(&compose.files, document->path, document->file);

	compose.overridden = is_overridden(document->path);
	if (add(&compose, file) != EXIT_CLEAN)
		return EXIT_UNSURE;
	return conclude(&compose, file);
}

static bool
is_given(const struct check *check, const char *path)
{
	for (int i = 0; i < check->file_count; i++) {
		if (strcmp(check->files[i], path) == 0)
			return true;
	}
	return false;
}

/* The services that the upper file has a part of. */
static int
judge_pair(struct check *check, const char *lower, const char *upper,
           const struct check_document *given)
{
	cleanup_compose struct compose_check compose = compose_start(check);
	struct compose_file *first, *second;
	int worst;

	(void)compose_take(&compose.files, given->path, given->file);
	first = compose_open(&compose.files, lower);
	second = compose_open(&compose.files, upper);
	if (add(&compose, first) != EXIT_CLEAN)
		return EXIT_UNSURE;
	compose.report_from = compose.count;
	if (add(&compose, second) != EXIT_CLEAN)
		return EXIT_UNSURE;
	check->merged = name_of(given->path == lower ? upper : lower);
	worst = conclude(&compose, second);
	check->merged = NULL;
	return worst;
}

/* The pairs that the document makes with files beside it. */
static int
judge_pairs(struct check *check, const struct check_document *document,
            const char *const *names, bool upper, size_t *ret_count)
{
	int worst = EXIT_CLEAN;

	for (; *names; names++) {
		char *beside = path_beside(document->path, *names);
		int found = EXIT_CLEAN;

		if (beside && !(upper && is_given(check, beside))) {
			found = judge_pair(check, upper ? document->path : beside,
			                   upper ? beside : document->path, document);
			++*ret_count;
		}
		worst = found > worst ? found : worst;
		free(beside);
	}
	return worst;
}

int
check_compose(struct check *check, const struct check_document *document)
{
	size_t pairs = 0;
	int worst = EXIT_CLEAN, found;

	if (is_one_of(document->path, override_names))
		worst = judge_pairs(check, document, base_names, false, &pairs);
	if (pairs > 0)
		return worst;
	worst = judge_alone(check, document);
	found = is_one_of(document->path, base_names)
	            ? judge_pairs(check, document, override_names, true, &pairs)
	            : EXIT_CLEAN;
	return found > worst ? found : worst;
}

/* ---- several files ---- */

static struct compose_file *
add_given(struct compose_check *compose, const char *path)
{
	cleanup_buf struct buf content = {0};
	struct compose_file *file;

	if (check_read(compose->check, path, &content) != EXIT_CLEAN)
		return NULL;
	file = compose_take(&compose->files, path, buf_text(&content));
	return add(compose, file) == EXIT_CLEAN ? file : NULL;
}

int
check_compose_merged(struct check *check)
{
	cleanup_compose struct compose_check compose = compose_start(check);
	struct compose_file *file = NULL;

	for (int i = 0; i < check->file_count; i++) {
		file = add_given(&compose, check->files[i]);
		if (!file)
			return EXIT_UNSURE; /* without one the others are another project */
	}
	return file ? conclude(&compose, file) : EXIT_UNSURE;
}
