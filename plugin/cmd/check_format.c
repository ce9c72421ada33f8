/* SPDX-License-Identifier: Apache-2.0 */
/* check_format.c - the formats that `check` takes, and which one a file is of. */
#include "cmd_check.h"

#include "core/json_go.h"

#include <string.h>

/* In the order in which they are tried: a key of an earlier one decides. */
static const struct check_format formats[] = {
    {"envelope", NULL, {"RequestMethod", "RequestUri"}, check_envelope, false},
    {"inspect", NULL, {"State", "Endpoint"}, check_inspect, false},
    {"admission", NULL, {"request"}, check_admission, false},
    {"service", "/services/create", {"TaskTemplate"}, check_request, false},
    {"create",
     "/containers/create",
     {"HostConfig", "Image", "Cmd"},
     check_request,
     false},
    {"profile", NULL, {"defaultAction", "syscalls", "archMap"}, check_profile, false},
    {"manifest", NULL, {"apiVersion"}, check_manifest, true},
    /* told by its shape: compose_recognise() */
    {"compose", NULL, {NULL}, check_compose, true},
    /* told by --as only: a HostConfig has no key that nothing else has */
    {"start", "/v1.23/containers//start", {NULL}, check_request, false},
};

enum { FORMATS = sizeof formats / sizeof formats[0] };

const struct check_format *
check_format_find(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++) {
		if (strcmp(name, formats[i].name) == 0)
			return &formats[i];
	}
	return NULL;
}

void
check_format_names(struct buf *buf)
{
	for (size_t i = 0; i < FORMATS; i++)
		buf_printf(buf, "%s%s",
		           i == 0             ? ""
		           : i + 1 == FORMATS ? " or "
		                              : ", ",
		           formats[i].name);
}

bool
check_is_json(struct text content)
{
	struct err ignored = {0};
	struct json json = json_start(content, NULL, &ignored);

	return json_skip(&json) == 0 && json_finish(&json) == 0;
}

static int
mark_format(struct json *json, struct text key, void *context)
{
	const struct check_format **found = context;

	for (size_t i = 0; i < FORMATS; i++) {
		for (size_t k = 0; k < 4 && formats[i].marks[k]; k++) {
			if (json_key_matches(key, formats[i].marks[k]) &&
			    (!*found || &formats[i] < *found))
				*found = &formats[i];
		}
	}
	return json_skip(json);
}

/* Formats that may be YAML, by the shape of a document. */
static const struct check_format *
recognise_document(struct text text)
{
	cleanup_arena struct arena arena = {0};
	struct err ignored = {0};
	struct json json = json_start(text, &arena, &ignored);
	const struct check_format *found = NULL;

	if (compose_recognise(text, &arena))
		return check_format_find("compose");
	(void)json_read_members(&json, mark_format, &found);
	return found && found->yaml ? found : NULL;
}

static const struct check_format *
recognise_json(struct text content)
{
	cleanup_arena struct arena arena = {0};
	struct err ignored = {0};
	struct json json = json_start(content, &arena, &ignored);
	const struct check_format *found = NULL;

	if (compose_recognise(content, &arena))
		return check_format_find("compose");
	if (json_peek(&json) == JSON_LIST) /* docker inspect prints one */
		return check_format_find("inspect");
	(void)json_read_members(&json, mark_format, &found);
	return found;
}

/* The first document with content tells. */
static const struct check_format *
recognise_yaml(struct text content, struct yaml_place *ret_place, struct err *err)
{
	struct yaml_reader *reader = yaml_open(content, YAML_COMPOSE);
	struct yaml_document document = {.marks = NULL};
	const struct check_format *found = NULL;

	while (reader && yaml_next(reader, &document, ret_place, err) > 0) {
		if (text_is(buf_text(&document.json), "null"))
			continue;
		found = recognise_document(buf_text(&document.json));
		break;
	}
	yaml_document_free(&document);
	yaml_close(reader);
	return found;
}

/* What a person would have written as JSON. */
static bool
starts_as_json(struct text content)
{
	size_t i = 0;

	while (i < content.len && strchr(" \t\r\n", content.at[i]) && content.at[i])
		i++;
	return i < content.len && (content.at[i] == '{' || content.at[i] == '[');
}

const struct check_format *
check_recognise(struct text content, struct yaml_place *ret_place, struct err *err)
{
	const struct check_format *found = NULL;

	if (starts_as_json(content))
		found = recognise_json(content);
	if (!found && !check_is_json(content))
		found = recognise_yaml(content, ret_place, err);
	return found;
}
