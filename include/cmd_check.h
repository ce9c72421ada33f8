/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_check - what `seccomp-authz check` reads, judges and reports.
 *
 * A file has a format; the format's function finds what is to be judged in it and reports
 * a decision for each. Invariant: every file given ends in at least one report, or in a
 * complaint and exit code 2. What stands in a file is foreign: reports escape all of it.
 */
#pragma once

#include "cmd.h"
#include "core/arena.h"
#include "core/decide.h"
#include "edge/yaml_json.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	CHECK_INPUT_MAX =
	    ADMISSION_REVIEW_MAX, /* bytes of a file: more than any may have */
	CHECK_DEPTH_MAX = 16,     /* files that include one another */
};

struct check;

/* Text that is judged, and how its bytes map to lines of the file. */
struct check_document {
	const char *path;
	struct text text; /* what the readers of the core get */
	struct text file; /* the file's bytes */
	/* what `text` was made from; NULL: it is the file's bytes */
	const struct yaml_document *yaml;
};

/* A format of files. */
struct check_format {
	const char *name;
	const char *target;   /* of the POST whose body it is; NULL: it is none */
	const char *marks[4]; /* keys at the root that tell it */
	/* Judges and reports all that is in the document; an exit code. */
	int (*judge)(struct check *check, const struct check_document *document);
	bool yaml; /* it may be YAML; then `judge` gets the file as it is */
};

/* A place that was found, from which the next one is found sooner. To be zeroed when the
   memory of a file may be another's by now. */
struct check_cursor {
	const char *file;
	size_t offset;
	struct yaml_place place;
};

/* What the command line asks for, and what came of it. */
struct check {
	const struct command *self;
	const char *policy_path;
	const struct check_format *as; /* NULL: the content tells */
	const struct check_writer *writer;
	struct policy *policy;
	const struct check_format *format; /* of the file under way */
	int64_t now_us;
	char **files; /* as given */
	int file_count;
	bool merge;         /* they are Compose files, to be merged */
	const char *merged; /* name of the file that what is judged was merged with, for
				    the sentence; NULL: none */
	size_t deny, observe, allow, errors;
	struct check_cursor cursor;
	struct buf complaints;    /* `,{"file":...,"message":...}` for each */
	struct buf notifications; /* the same for SARIF */
};

/* One thing that was judged, as reports show it. */
struct check_item {
	const char *path;
	struct yaml_place place; /* of what decided; line 0: not known */
	const char *format;
	const char *decision; /* "allow", "deny", "observe" */
	const char *rule_id; /* of what refuses: a posture, a guard, or a reason's code */
	const struct verdict *verdict;
	const struct container *container; /* NULL: none was read */
	struct text name;                  /* of it; missing: it has none */
	struct text sentence;
};

/* How reports are written: stdout gets them as they come. */
struct check_writer {
	const char *name;
	void (*begin)(const struct check *check);
	void (*item)(const struct check *check, const struct check_item *item);
	void (*end)(const struct check *check);
};

extern const struct check_writer check_text, check_json, check_sarif;

/* ---- check_format.c ---- */

const struct check_format *check_format_find(const char *name);
/* "create, start, ..." of all formats. */
void check_format_names(struct buf *buf);
/* What the content looks like; NULL: no format we know, or two. With that, *ret_place and
   `err` say what is wrong with it if it can't even be read, or which two. */
const struct check_format *check_recognise(struct text content,
                                           struct yaml_place *ret_place, struct err *err);
/* Is it one JSON value, and nothing else? */
bool check_is_json(struct text content);

/* ---- check.c ---- */

/* Reads a file of the command line; a complaint if it can't be. An exit code. */
int check_read(struct check *check, const char *path, struct buf *content);

/* ---- check_report.c ---- */

struct circumstances check_circumstances(const struct check *check);

/* Reports `decision`. `at` is where in the document's text it comes from; NULL: nowhere in
   particular. Returns the exit code. */
int check_report(struct check *check, const struct check_document *document,
                 const char *at, const struct decision *decision);

/* Reports that the document can't be read. */
int check_report_unread(struct check *check, const struct check_document *document,
                        struct yaml_place place, const struct err *err);

/* A complaint about a file on stderr, and for the report. Returns EXIT_UNSURE. */
int check_complain(struct check *check, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "2026-01-31T08:00:00Z" */
enum { CHECK_TIME_MAX = 32 };
void check_time(const struct check *check, char room[CHECK_TIME_MAX]);

/* Where `at` stands in the file. */
struct yaml_place check_place(struct check *check, const struct check_document *document,
                              const char *at);

/* Appends a path for a person: as it is, or in quotes if it holds anything odd. */
void check_add_path(struct buf *buf, const char *path);

/* ---- check_find.c ---- */

/*
 * What in a create body, a HostConfig, an inspect document or a service made for the
 * verdict: the first byte of the value; NULL if it is not found. `other` is a key that is
 * passed over; NULL: none.
 */
const char *check_find(struct text object, const struct decision *decision,
                       const char *other);

/* The same in an object of Kubernetes; the container itself if nothing in it decided. */
const char *check_find_pod(struct text object, const struct decision *decision);

/* ---- the formats ---- */

int check_request(struct check *check, const struct check_document *document);
int check_envelope(struct check *check, const struct check_document *document);
int check_inspect(struct check *check, const struct check_document *document);
int check_profile(struct check *check, const struct check_document *document);
int check_manifest(struct check *check, const struct check_document *document);
int check_admission(struct check *check, const struct check_document *document);
int check_compose(struct check *check, const struct check_document *document);

/* The files of the command line as one Compose project. */
int check_compose_merged(struct check *check);

/* Calls `each` for the documents of a YAML (or JSON) file; what can't be read is reported
   at its place. The worst exit code. */
int check_each_yaml(struct check *check, const struct check_document *file,
                    enum yaml_dialect dialect,
                    int (*each)(struct check *check,
                                const struct check_document *document));
