/* SPDX-License-Identifier: Apache-2.0 */
/* check_compose_file.c - reads Compose files, and files that they name, into documents. */
#include "cmd_check_compose.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Shortens a path by its letters alone, as clients do (Go path/filepath, Clean; Python
   os.path.abspath): "a/../b" is "b" whatever a is. */
static void
clean(char *path)
{
	const char *from = path + (path[0] == '/');
	char *root = path + (path[0] == '/'), *to = root;

	while (*from) {
		size_t len = strcspn(from, "/");
		bool up = len == 2 && strncmp(from, "..", 2) == 0;
		char *last = to > root ? memrchr(root, '/', (size_t)(to - root)) : NULL;

		last = last ? last + 1 : root; /* what stands in front of `to` */
		if (up && to > root && strncmp(last, "..", (size_t)(to - last)) != 0) {
			to = last > root ? last - 1 : root;
		} else if (len > 0 && !(len == 1 && *from == '.') &&
		           !(up && root > path)) {
			if (to > root)
				*to++ = '/';
			memmove(to, from, len);
			to += len;
		}
		from += len + (from[len] == '/');
	}
	*to = '\0';
}

char *
compose_path(const char *folder, struct text name)
{
	char *path;

	if (name.len > 0 && name.at[0] == '/')
		folder = "";
	if (asprintf(&path, "%s%.*s", folder, TEXT_ARG(name)) < 0)
		return NULL;
	clean(path);
	return path;
}

const char *
compose_folder(const char *path, struct arena *arena)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) + 1 : 0;
	char *folder = arena_alloc(arena, len + 1);

	if (!folder)
		return NULL;
	memcpy(folder, path, len);
	folder[len] = '\0';
	return folder;
}

int
compose_read_named(const char *path, size_t limit, struct buf *content, struct err *err)
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

/* The next of the file's documents: 1, 0 at the end, -1. */
static int
read_next(struct compose_file *file, struct yaml_reader *reader)
{
	struct yaml_document *yaml = &file->yaml[file->count];
	struct text content = buf_text(&file->content);
	int more = yaml_next(reader, yaml, &file->place, &file->err);

	if (more <= 0 || text_is(buf_text(&yaml->json), "null"))
		return more; /* nothing between two --- */
	file->documents[file->count++] = (struct check_document){
	    .path = file->path,
	    .text = buf_text(&yaml->json),
	    .yaml = yaml,
	    .file = content,
	};
	return 1;
}

static void
read_documents(struct compose_file *file)
{
	struct text content = buf_text(&file->content);
	struct yaml_reader *reader;
	int more = 1;

	if (check_is_json(content)) { /* then its own bytes say where things stand */
		file->documents[file->count++] = (struct check_document){
		    .path = file->path, .text = content, .file = content};
		return;
	}
	if (content.len > YAML_INPUT_MAX) {
		(void)err_set(&file->err, ERR_LIMIT, "larger than %d bytes",
		              YAML_INPUT_MAX);
		return;
	}
	reader = yaml_open(content, YAML_COMPOSE);
	if (!reader) {
		(void)err_set(&file->err, ERR_MEMORY, "out of memory");
		return;
	}
	while (more > 0 && file->count < COMPOSE_DOCUMENTS_MAX)
		more = read_next(file, reader);
	if (more > 0)
		(void)err_set(&file->err, ERR_LIMIT, "%d documents or more",
		              COMPOSE_DOCUMENTS_MAX);
	else if (more == 0 && file->count == 0)
		(void)err_set(&file->err, ERR_TYPE, "there is nothing in it");
	yaml_close(reader);
}

static struct compose_file *
find_file(const struct compose_files *files, const char *path)
{
	for (size_t i = 0; i < files->count; i++) {
		if (strcmp(files->at[i]->path, path) == 0)
			return files->at[i];
	}
	return NULL;
}

static struct compose_file *
add_file(struct compose_files *files, const char *path)
{
	struct compose_file *file;

	if (files->count == COMPOSE_FILES_MAX)
		return NULL;
	file = calloc(1, sizeof *file);
	if (file)
		file->path = strdup(path);
	if (!file || !file->path) {
		free(file);
		return NULL;
	}
	file->whole.path = file->path;
	files->at[files->count++] = file;
	return file;
}

static void
use_bytes(struct compose_file *file)
{
	file->had = true;
	file->whole.text = file->whole.file = buf_text(&file->content);
	read_documents(file);
}

struct compose_file *
compose_open(struct compose_files *files, const char *path)
{
	struct compose_file *file = find_file(files, path);

	if (file)
		return file;
	file = add_file(files, path);
	if (file &&
	    compose_read_named(path, CHECK_INPUT_MAX, &file->content, &file->err) == 0)
		use_bytes(file);
	return file;
}

struct compose_file *
compose_take(struct compose_files *files, const char *path, struct text content)
{
	struct compose_file *file = find_file(files, path);

	if (file)
		return file;
	file = add_file(files, path);
	if (!file)
		return NULL;
	buf_add_text(&file->content, content);
	if (buf_ok(&file->content))
		use_bytes(file);
	else
		(void)err_set(&file->err, ERR_MEMORY, "out of memory");
	return file;
}

void
compose_files_free(struct compose_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		struct compose_file *file = files->at[i];

		for (size_t k = 0; k < COMPOSE_DOCUMENTS_MAX; k++)
			yaml_document_free(&file->yaml[k]);
		buf_free(&file->content);
		free(file->path);
		free(file);
	}
	files->count = 0;
}
