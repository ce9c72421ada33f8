/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_yaml.c - what comes of YAML is JSON of its size; of JSON, the same JSON. */
#include "fuzz.h"
#include "json_go_beside_jansson.h"

#include "edge/yaml_json.h"

static json_t *
load(struct text text)
{
	json_error_t error;

	return json_loadb(text.at, text.len,
	                  JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES,
	                  &error);
}

static void
check_document(const struct yaml_document *document)
{
	struct text text = buf_text(&document->json);
	struct err err = {0};
	struct json json = json_start(text, NULL, &err);
	json_t *tree;

	CHECK(text.len > 0 && text.len <= YAML_JSON_MAX * 7UL);
	CHECK(json_skip(&json) == 0 && json_finish(&json) == 0);
	CHECK(document->count > 0 && document->count <= YAML_NODES_MAX);
	for (size_t i = 0; i < document->count; i++) {
		const struct yaml_mark *mark = &document->marks[i];
		struct yaml_place place = yaml_document_place(document, mark->offset);

		CHECK(mark->offset < text.len);
		CHECK(i == 0 || mark->offset > document->marks[i - 1].offset);
		CHECK(mark->place.line > 0 && mark->place.column > 0);
		CHECK(place.line == mark->place.line &&
		      place.column == mark->place.column);
	}
	tree = load(text); /* numbers may be too large for it, and nothing else */
	json_decref(tree);
}

/* JSON that is YAML too means the same, where no word of YAML is in the way. */
static void
check_same(struct text input, const struct yaml_document *document)
{
	json_t *before = load(input), *after = load(buf_text(&document->json));

	if (before && after)
		CHECK(json_equal(before, after));
	json_decref(before);
	json_decref(after);
}

static void
read_all(struct text input, enum yaml_dialect dialect)
{
	struct yaml_reader *reader = yaml_open(input, dialect);
	struct yaml_document document = {.marks = NULL};
	struct yaml_place place;
	struct err err = {0};
	int more;

	CHECK(reader);
	for (size_t count = 0; (more = yaml_next(reader, &document, &place, &err)) > 0;
	     count++) {
		CHECK(err.code == ERR_NONE);
		check_document(&document);
		if (count == 0)
			check_same(input, &document);
	}
	CHECK((more < 0) == (err.code != ERR_NONE));
	CHECK(more == 0 || err.text[0] != '\0');
	yaml_document_free(&document);
	yaml_close(reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_all(fuzz_text(data, size), YAML_COMPOSE);
	read_all(fuzz_text(data, size), YAML_KUBERNETES);
	return 0;
}
