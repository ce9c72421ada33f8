/* SPDX-License-Identifier: Apache-2.0 */
/* check_compose_gather.c - the parts of a Compose project: its documents and includes. */
#include "cmd_check_compose.h"

#include <stdlib.h>
#include <string.h>

/* The document under way. */
struct gathering {
	struct compose_check *compose;
	const struct check_document *document;
	const char *folder;
	size_t begin; /* the first of its parts */
};

static int
add_part(struct compose_check *compose, const struct compose_part *part)
{
	if (!compose->parts)
		compose->parts = arena_array(&compose->arena, COMPOSE_SERVICES_MAX,
		                             sizeof *compose->parts);
	if (!compose->parts || compose->count == COMPOSE_SERVICES_MAX)
		return -1;
	compose->parts[compose->count++] = *part;
	return 0;
}

/* Adds that something can't be known. */
static void
add_fault(struct compose_check *compose, const struct check_document *document,
          struct yaml_place place, const struct err *err)
{
	struct err *kept = arena_alloc(&compose->arena, sizeof *kept);
	struct compose_part part = {.document = document, .place = place, .err = kept};
	int found;

	if (kept) {
		*kept = *err;
		if (add_part(compose, &part) == 0)
			return;
	}
	/* no room to keep it until its turn comes */
	found = check_report_unread(compose->check, document, place, err);
	compose->worst = found > compose->worst ? found : compose->worst;
}

static void
fail_at(const struct gathering *gathering, const char *at, const struct err *err)
{
	add_fault(gathering->compose, gathering->document,
	          check_place(gathering->compose->check, gathering->document, at), err);
}

static int
take_service(struct text name, struct text object, void *context)
{
	struct gathering *gathering = context;
	struct compose_part part = {.name = name,
	                            .object = object,
	                            .document = gathering->document,
	                            .folder = gathering->folder};
	struct err err = {0};

	if (add_part(gathering->compose, &part) == 0)
		return 0;
	(void)err_set(&err, ERR_LIMIT, "more than %d services", COMPOSE_SERVICES_MAX);
	fail_at(gathering, object.at, &err);
	return 0;
}

/* ---- includes ---- */

/*
 * A service of an include that the file, or an include before it, has too. Compose takes it
 * if both are the same, else it refuses the project (loader/include.go, importResource).
 */
static void
mark_conflicts(const struct gathering *gathering, size_t first)
{
	struct compose_part *parts = gathering->compose->parts;

	for (size_t i = first; i < gathering->compose->count; i++) {
		for (size_t k = gathering->begin; k < first && !parts[i].err; k++) {
			if (parts[k].err || !text_equal(parts[k].name, parts[i].name))
				continue;
			if (parts[k].object.at == parts[i].object.at &&
			    strcmp(parts[k].folder, parts[i].folder) == 0)
				parts[i].again = true;
			else
				parts[i].conflict = true;
		}
	}
}

static int gather_file(struct compose_check *compose, struct compose_file *file,
                       const char *folder, unsigned depth, struct err *err);

/* Opens the next file that an include names; what is wrong is said of the include. */
static void
include_path(const struct gathering *gathering, const struct compose_include *include,
             struct text name, const char *folder, unsigned depth)
{
	struct compose_check *compose = gathering->compose;
	char *path = compose_path(gathering->folder, name);
	struct compose_file *file = path ? compose_open(&compose->files, path) : NULL;
	cleanup_buf struct buf quoted = {0};
	struct err err = {0};

	free(path);
	if (text_find(name, '$') < name.len ||
	    text_find(include->folder, '$') < include->folder.len)
		(void)err_set(&err, ERR_AMBIGUOUS, "a variable decides what");
	else if (!file)
		(void)err_set(&err, ERR_LIMIT, "more than %d files", COMPOSE_FILES_MAX);
	else if (!file->had)
		err = file->err;
	else if (gather_file(compose, file, folder, depth + 1, &err) == 0)
		return;
	buf_quoted(&quoted, name, 128);
	(void)err_wrap(&err, "include: %s", buf_ok(&quoted) ? quoted.at : "");
	fail_at(gathering, include->place, &err);
}

/* Where relative paths in the included files begin. */
static const char *
folder_of(const struct gathering *gathering, const struct compose_include *include)
{
	struct arena *arena = &gathering->compose->arena;
	cleanup_buf struct buf inside = {0};
	struct text name = include->paths.at[0];
	const char *folder = NULL;
	char *path;

	if (include->folder.len > 0) {
		buf_add_text(&inside, include->folder);
		buf_str(&inside, "/any"); /* a file in it */
		if (!buf_ok(&inside))
			return NULL;
		name = buf_text(&inside);
	}
	path = compose_path(gathering->folder, name);
	if (path)
		folder = compose_folder(path, arena);
	free(path);
	return folder;
}

static void
gather_include(const struct gathering *gathering, const struct compose_include *include,
               unsigned depth)
{
	struct err err = {0};
	const char *folder;

	if (include->paths.count == 0) {
		(void)err_set(&err, ERR_TYPE, "include: which file? path is missing");
		fail_at(gathering, include->place, &err);
		return;
	}
	folder = folder_of(gathering, include);
	if (!folder) {
		(void)err_set(&err, ERR_MEMORY, "out of memory");
		fail_at(gathering, include->place, &err);
		return;
	}
	for (size_t i = 0; i < include->paths.count; i++)
		include_path(gathering, include, include->paths.at[i], folder, depth);
}

/* ---- documents ---- */

static void
gather_document(struct compose_check *compose, const struct check_document *document,
                const char *folder, unsigned depth)
{
	struct gathering gathering = {.compose = compose,
	                              .document = document,
	                              .folder = folder,
	                              .begin = compose->count};
	struct compose_includes includes = {0};
	struct err err = {0};

	if (compose_each(document->text, &compose->arena, take_service, &gathering,
	                 &includes, &err) != 0) {
		fail_at(&gathering, document->text.at + (err.byte ? err.byte - 1 : 0),
		        &err);
		return;
	}
	for (size_t i = 0; i < includes.count; i++) {
		size_t first = compose->count;

		gather_include(&gathering, &includes.at[i], depth);
		mark_conflicts(&gathering, first);
	}
}

static int
gather_file(struct compose_check *compose, struct compose_file *file, const char *folder,
            unsigned depth, struct err *err)
{
	if (file->open)
		return err_set(err, ERR_LIMIT, "in a circle");
	if (depth > CHECK_DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "more than %d deep", CHECK_DEPTH_MAX);
	compose->gathered += file->count;
	if (compose->gathered > COMPOSE_GATHERED_MAX)
		return err_set(err, ERR_LIMIT, "more than %d documents in all",
		               COMPOSE_GATHERED_MAX);
	file->open = true;
	for (size_t i = 0; i < file->count; i++)
		gather_document(compose, &file->documents[i], folder, depth);
	file->open = false;
	if (file->err.code != ERR_NONE)
		add_fault(compose, &file->whole, file->place, &file->err);
	return 0;
}

void
compose_gather(struct compose_check *compose, struct compose_file *file,
               const char *folder)
{
	struct err err = {0};

	if (gather_file(compose, file, folder, 0, &err) != 0)
		add_fault(compose, &file->whole, file->place, &err);
}
