/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_check_compose - Compose files as a client puts them together; for check_compose* only.
 *
 * A client merges: the documents of a file, the files of one include, and those that it is
 * given; each over those before it (compose-go loader/loader.go, loadYamlModel). So a
 * service is what all of them say of it: its parts. Invariant: what can't be put together
 * with certainty is a part that denies, never one that is left out.
 */
#pragma once

#include "cmd_check.h"
#include "core/compose.h"

enum {
	COMPOSE_FILES_MAX = 64,     /* that belong together */
	COMPOSE_DOCUMENTS_MAX = 64, /* of a file */
	COMPOSE_GATHERED_MAX = 256, /* documents, each as often as it is included */
};

/* A file that was read, with its documents. */
struct compose_file {
	char *path;
	struct buf content;
	struct check_document documents[COMPOSE_DOCUMENTS_MAX];
	struct yaml_document yaml[COMPOSE_DOCUMENTS_MAX];
	size_t count;
	struct check_document whole; /* the file itself, for what is in none of them */
	bool had;                    /* its bytes are here */
	bool open;      /* being gathered: an include of it would go in a circle */
	struct err err; /* why it, or what comes after the documents, is unread */
	struct yaml_place place; /* of that */
};

/* Each once, by its path; the path as it is first named. */
struct compose_files {
	struct compose_file *at[COMPOSE_FILES_MAX];
	size_t count;
};

/* What one document says of one service, or why something is not known. */
struct compose_part {
	struct text name, object;
	const struct check_document *document;
	const char *folder;      /* where its relative paths begin; "" or with a '/' */
	bool again;              /* the same bytes were there before: included twice */
	bool conflict;           /* another include, or the file itself, has one too */
	const struct err *err;   /* set: this is no service */
	struct yaml_place place; /* of that */
};

/* One project: in the order of its parts, the later counts more. */
struct compose_check {
	struct check *check;
	struct arena arena;
	struct compose_files files;
	const char *folder; /* of the first file: profiles are sought there */
	struct compose_part *parts;
	size_t count;
	size_t gathered;
	bool overridden; /* there is more, which a client puts over it by itself */
	size_t
	    report_from; /* services that no part from there on names are passed over */
	size_t reported;
	int worst;
};

/* ---- check_compose_file.c ---- */

/* `name` as seen from `folder`; NULL when out of memory. The caller frees. */
char *compose_path(const char *folder, struct text name);

/* The folder of a path, up to its last '/'; in the arena, NULL when out of memory. */
const char *compose_folder(const char *path, struct arena *arena);

/* Reads a file that a file names, so nothing but a plain one: a pipe or device could keep
   us, or never end. The error does not name it. */
int compose_read_named(const char *path, size_t limit, struct buf *content,
                       struct err *err);

/* The file, read once; NULL when there is no room for another. It may be unusable: see its
   err. */
struct compose_file *compose_open(struct compose_files *files, const char *path);

/* The same for one of the command line, which was read already. */
struct compose_file *compose_take(struct compose_files *files, const char *path,
                                  struct text content);

void compose_files_free(struct compose_files *files);

/* ---- check_compose_gather.c ---- */

/* Adds the parts of a file, and of what it includes, over those that are there. */
void compose_gather(struct compose_check *compose, struct compose_file *file,
                    const char *folder);

/* ---- check_compose_service.c ---- */

/* Judges what was gathered, and reports a line for each service. */
void compose_judge(struct compose_check *compose);
