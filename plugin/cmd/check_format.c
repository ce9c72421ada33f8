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

/* ---- what a file looks like ---- */

#define FORMAT_BIT(i) (1U << (i))

/* Notes, by FORMAT_BIT, of which formats a key is a mark. */
static int
mark_formats(struct json *json, struct text key, void *context)
{
	unsigned *seen = context;

	for (size_t i = 0; i < FORMATS; i++) {
		for (size_t k = 0; k < 4 && formats[i].marks[k]; k++) {
			if (json_key_matches(key, formats[i].marks[k]))
				*seen |= FORMAT_BIT(i);
		}
	}
	return json_skip(json);
}

static int
mark_element(struct json *json, size_t index, void *context)
{
	(void)index;
	return json_peek(json) == JSON_OBJECT
	           ? json_read_members(json, mark_formats, context)
	           : json_skip(json);
}

static unsigned
bit_of(const char *name)
{
	return FORMAT_BIT((unsigned)(check_format_find(name) - formats));
}

/* Marks at the root; in a list (docker inspect prints one), of all its elements. */
static unsigned
marks_of(struct text document)
{
	cleanup_arena struct arena arena = {0};
	struct err ignored = {0};
	struct json json = json_start(document, &arena, &ignored);
	unsigned seen = compose_recognise(document, &arena) ? bit_of("compose") : 0;

	if (json_peek(&json) != JSON_LIST) {
		(void)json_read_members(&json, mark_formats, &seen);
		return seen;
	}
	(void)json_read_list(&json, mark_element, &seen);
	return seen == bit_of("manifest") ? seen : seen | bit_of("inspect");
}

/*
 * The format with these marks. Readers pass over keys that they don't know, so a file may
 * be made to look like what it is not; only these two pairs occur by themselves: containers
 * have the keys of their request, and reviews are objects of Kubernetes.
 */
static const struct check_format *
choose(unsigned seen, struct err *err)
{
	const unsigned pairs[] = {bit_of("inspect") | bit_of("create"),
	                          bit_of("admission") | bit_of("manifest")};
	unsigned first = seen & -seen, others = seen & ~first;

	if (!seen)
		return NULL;
	if (others && seen != pairs[0] && seen != pairs[1]) {
		(void)err_set(err, ERR_AMBIGUOUS,
		              "has keys of a file of kind %s and of %s",
		              formats[__builtin_ctz(first)].name,
		              formats[__builtin_ctz(others)].name);
		return NULL;
	}
	return &formats[__builtin_ctz(first)];
}

/* Of those that may be YAML, by all documents; but a first one without marks is none. */
static const struct check_format *
recognise_yaml(struct text content, struct yaml_place *ret_place, struct err *err)
{
	const unsigned yaml = bit_of("compose") | bit_of("manifest");
	struct yaml_reader *reader = yaml_open(content, YAML_COMPOSE);
	struct yaml_document document = {.marks = NULL};
	unsigned seen = 0;

	while (reader && yaml_next(reader, &document, ret_place, err) > 0) {
		if (text_is(buf_text(&document.json), "null"))
			continue;
		seen |= marks_of(buf_text(&document.json)) & yaml;
		if (!seen)
			break;
	}
	yaml_document_free(&document);
	yaml_close(reader);
	return choose(seen, err);
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
	unsigned seen = starts_as_json(content) ? marks_of(content) : 0;

	if (seen)
		return choose(seen, err);
	return check_is_json(content) ? NULL : recognise_yaml(content, ret_place, err);
}
