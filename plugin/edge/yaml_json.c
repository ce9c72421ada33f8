/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_json.c - the nodes of a YAML document as JSON text, merges and aliases resolved. */
#include "edge/yaml_json.h"

#include "edge/yaml_tree.h"

#include <stdlib.h>
#include <string.h>

struct yaml_reader {
	struct yaml_tree *tree;
	enum yaml_dialect dialect;
	/* of the document under way */
	struct yaml_document *document;
	size_t room; /* for marks */
	size_t nodes;
	struct yaml_place *failed_at;
	struct err *err;
};

/* ---- mappings ---- */

/* A key that a mapping has, of its own or merged. */
struct entry {
	const struct yaml_node *key, *value;
	size_t rank;       /* the lower wins; also the order in which they are written */
	bool own;          /* not merged */
	bool before_merge; /* own, and a << follows */
};

struct entries {
	struct entry *at;
	size_t count, room;
};

static void
entries_free(struct entries *entries)
{
	free(entries->at);
}

#define cleanup_entries __attribute__((cleanup(entries_free)))

/* One value more; a document must not grow without measure. */
static int
count_node(struct yaml_reader *reader, const struct yaml_node *node)
{
	if (++reader->nodes <= YAML_NODES_MAX &&
	    reader->document->json.len < YAML_JSON_MAX)
		return 0;
	return yaml_fail(node->place, reader->failed_at, reader->err, ERR_LIMIT,
	                 "the aliases of this document make it too large");
}

static int
add_entry(struct yaml_reader *reader, struct entries *entries, struct entry entry)
{
	if (count_node(reader, entry.key) != 0)
		return -1;
	if (entries->count == entries->room) {
		size_t room = entries->room ? entries->room * 2 : 16;
		struct entry *wider = realloc(entries->at, room * sizeof *wider);

		if (!wider)
			return err_set(reader->err, ERR_MEMORY, "out of memory");
		entries->at = wider;
		entries->room = room;
	}
	entry.rank = entries->count;
	entries->at[entries->count++] = entry;
	return 0;
}

static int collect(struct yaml_reader *reader, const struct yaml_node *map, bool own,
                   unsigned depth, struct entries *entries);

/* A mapping, or a list of them, of which the first wins. */
static int
collect_merge(struct yaml_reader *reader, const struct yaml_node *value, unsigned depth,
              struct entries *entries)
{
	const struct yaml_node *source = yaml_target(value);

	if (source->kind == YAML_MAP)
		return collect(reader, source, false, depth, entries);
	if (source->kind != YAML_LIST)
		return yaml_fail(value->place, reader->failed_at, reader->err, ERR_TYPE,
		                 "what << merges should be a mapping or a list of them");
	for (const struct yaml_node *one = source->first; one; one = one->next) {
		if (yaml_target(one)->kind != YAML_MAP)
			return yaml_fail(one->place, reader->failed_at, reader->err,
			                 ERR_TYPE, "what << merges should be a mapping");
		if (collect(reader, yaml_target(one), false, depth, entries) != 0)
			return -1;
	}
	return 0;
}

/* First what stands in the mapping itself, then what it merges. */
static int
collect(struct yaml_reader *reader, const struct yaml_node *map, bool own, unsigned depth,
        struct entries *entries)
{
	const struct yaml_node *merged = NULL;
	size_t first = entries->count;

	if (depth >= YAML_DEPTH_MAX)
		return yaml_fail(map->place, reader->failed_at, reader->err, ERR_LIMIT,
		                 "nested deeper than %d", YAML_DEPTH_MAX);
	for (const struct yaml_node *key = map->first; key; key = key->next->next) {
		struct entry entry = {
		    .key = yaml_target(key), .value = key->next, .own = own};

		if (yaml_is_merge(entry.key)) {
			merged = key->next;
			for (size_t i = first; i < entries->count; i++)
				entries->at[i].before_merge = true;
		} else if (add_entry(reader, entries, entry) != 0) {
			return -1;
		}
	}
	return merged ? collect_merge(reader, merged, depth + 1, entries) : 0;
}

static int
compare_by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	struct text m = x->key->value, n = y->key->value;
	size_t shorter = m.len < n.len ? m.len : n.len;
	int order = shorter > 0 ? memcmp(m.at, n.at, shorter) : 0;

	if (order != 0)
		return order;
	if (m.len != n.len)
		return m.len < n.len ? -1 : 1;
	return x->rank < y->rank ? -1 : 1;
}

static int
compare_by_rank(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->rank < y->rank ? -1 : 1;
}

/* Keeps the first of each key, in order. */
static int
resolve(struct yaml_reader *reader, struct entries *entries)
{
	size_t kept = 0;

	if (entries->count == 0)
		return 0;
	qsort(entries->at, entries->count, sizeof entries->at[0], compare_by_key);
	for (size_t i = 0; i < entries->count; i++) {
		const struct entry *entry = &entries->at[i], *winner;

		winner = kept > 0 ? &entries->at[kept - 1] : NULL;
		if (!winner || !text_equal(winner->key->value, entry->key->value)) {
			entries->at[kept++] = *entry;
			continue;
		}
		if (winner->before_merge && reader->dialect == YAML_KUBERNETES)
			return yaml_fail(
			    winner->key->place, reader->failed_at, reader->err,
			    ERR_AMBIGUOUS,
			    "this key and the << after it give different values to "
			    "different readers; put the << first");
	}
	entries->count = kept;
	qsort(entries->at, kept, sizeof entries->at[0], compare_by_rank);
	return 0;
}

/* ---- the whole ---- */

static int
add_mark(struct yaml_reader *reader, const struct yaml_node *node)
{
	struct yaml_document *document = reader->document;

	if (document->count == reader->room) {
		size_t room = reader->room ? reader->room * 2 : 256;
		struct yaml_mark *wider = realloc(document->marks, room * sizeof *wider);

		if (!wider)
			return err_set(reader->err, ERR_MEMORY, "out of memory");
		document->marks = wider;
		reader->room = room;
	}
	document->marks[document->count++] = (struct yaml_mark){
	    .offset = (uint32_t)document->json.len, .place = node->place};
	return 0;
}

static int write_node(struct yaml_reader *reader, const struct yaml_node *node,
                      unsigned depth);

static int
write_map(struct yaml_reader *reader, const struct yaml_node *map, unsigned depth)
{
	struct buf *json = &reader->document->json;
	cleanup_entries struct entries entries = {0};

	if (collect(reader, map, true, depth, &entries) != 0 ||
	    resolve(reader, &entries) != 0)
		return -1;
	buf_char(json, '{');
	for (size_t i = 0; i < entries.count; i++) {
		if (i > 0)
			buf_char(json, ',');
		if (add_mark(reader, entries.at[i].key) != 0)
			return -1;
		buf_json(json, entries.at[i].key->value, 0);
		buf_char(json, ':');
		if (write_node(reader, entries.at[i].value, depth + 1) != 0)
			return -1;
	}
	buf_char(json, '}');
	return 0;
}

static int
write_list(struct yaml_reader *reader, const struct yaml_node *list, unsigned depth)
{
	struct buf *json = &reader->document->json;

	buf_char(json, '[');
	for (const struct yaml_node *one = list->first; one; one = one->next) {
		if (one != list->first)
			buf_char(json, ',');
		if (write_node(reader, one, depth + 1) != 0)
			return -1;
	}
	buf_char(json, ']');
	return 0;
}

static int
write_node(struct yaml_reader *reader, const struct yaml_node *node, unsigned depth)
{
	node = yaml_target(node);
	if (depth >= YAML_DEPTH_MAX)
		return yaml_fail(node->place, reader->failed_at, reader->err, ERR_LIMIT,
		                 "nested deeper than %d", YAML_DEPTH_MAX);
	if (count_node(reader, node) != 0 || add_mark(reader, node) != 0)
		return -1;
	if (node->kind == YAML_SCALAR || node->tag == YAML_TAG_RESET)
		return yaml_scalar_write(node, reader->dialect, &reader->document->json,
		                         reader->failed_at, reader->err);
	if (node->kind == YAML_MAP)
		return write_map(reader, node, depth);
	return write_list(reader, node, depth);
}

struct yaml_reader *
yaml_open(struct text input, enum yaml_dialect dialect)
{
	struct yaml_reader *reader = calloc(1, sizeof *reader);

	if (!reader)
		return NULL;
	reader->dialect = dialect;
	reader->tree = yaml_tree_open(input, dialect);
	if (!reader->tree) {
		free(reader);
		return NULL;
	}
	return reader;
}

int
yaml_next(struct yaml_reader *reader, struct yaml_document *document,
          struct yaml_place *ret_place, struct err *err)
{
	const struct yaml_node *root = NULL;

	*ret_place = (struct yaml_place){0};
	yaml_document_free(document);
	reader->document = document;
	reader->room = reader->nodes = 0;
	reader->failed_at = ret_place;
	reader->err = err;
	if (yaml_tree_next(reader->tree, &root, ret_place, err) != 0)
		return -1;
	if (!root)
		return 0;
	document->begin = root->place;
	if (write_node(reader, root, 0) != 0)
		return -1;
	if (!buf_ok(&document->json))
		return err_set(err, ERR_MEMORY, "out of memory");
	return 1;
}

struct yaml_place
yaml_document_place(const struct yaml_document *document, size_t offset)
{
	size_t low = 0, high = document->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (document->marks[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? document->marks[low - 1].place : document->begin;
}

void
yaml_close(struct yaml_reader *reader)
{
	if (!reader)
		return;
	yaml_tree_close(reader->tree);
	free(reader);
}

void
yaml_document_free(struct yaml_document *document)
{
	if (!document)
		return;
	buf_free(&document->json);
	free(document->marks);
	*document = (struct yaml_document){0};
}
