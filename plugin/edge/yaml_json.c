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
	size_t nodes;
	struct yaml_place *failed_at;
	struct err *err;
};

/* ---- mappings ---- */

/* A key that a mapping has, of its own or merged. */
struct entry {
	const struct yaml_node *key, *value;
	size_t rank;       /* the lower wins; also the order in which they are written */
	bool before_merge; /* a << follows in the same mapping */
};

/* A buf of them: memory of its allocations fits any type. */
static struct entry *
entries_of(struct buf *entries)
{
	return (struct entry *)(void *)entries->at;
}

static size_t
count_of(const struct buf *entries)
{
	return entries->len / sizeof(struct entry);
}

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
add_entry(struct yaml_reader *reader, struct buf *entries, struct entry entry)
{
	if (count_node(reader, entry.key) != 0)
		return -1;
	entry.rank = count_of(entries);
	buf_add(entries, &entry, sizeof entry);
	return buf_ok(entries) ? 0 : err_set(reader->err, ERR_MEMORY, "out of memory");
}

static int collect(struct yaml_reader *reader, const struct yaml_node *map,
                   unsigned depth, struct buf *entries);

/* A mapping, or a list of them, of which the first wins. */
static int
collect_merge(struct yaml_reader *reader, const struct yaml_node *value, unsigned depth,
              struct buf *entries)
{
	const struct yaml_node *source = yaml_target(value);

	if (source->compose_tag != YAML_COMPOSE_NONE)
		return yaml_fail(value->place, reader->failed_at, reader->err, ERR_TYPE,
		                 "what << merges should have no tag");
	if (source->kind == YAML_MAP)
		return collect(reader, source, depth, entries);
	if (source->kind != YAML_LIST)
		return yaml_fail(value->place, reader->failed_at, reader->err, ERR_TYPE,
		                 "what << merges should be a mapping or a list of them");
	for (const struct yaml_node *one = source->first; one; one = one->next) {
		if (yaml_target(one)->kind != YAML_MAP)
			return yaml_fail(one->place, reader->failed_at, reader->err,
			                 ERR_TYPE, "what << merges should be a mapping");
		if (collect(reader, yaml_target(one), depth, entries) != 0)
			return -1;
	}
	return 0;
}

/* First what stands in the mapping itself, then what it merges. */
static int
collect(struct yaml_reader *reader, const struct yaml_node *map, unsigned depth,
        struct buf *entries)
{
	const struct yaml_node *merged = NULL;
	size_t first = count_of(entries);

	if (depth >= YAML_DEPTH_MAX)
		return yaml_fail(map->place, reader->failed_at, reader->err, ERR_LIMIT,
		                 "nested deeper than %d", YAML_DEPTH_MAX);
	for (const struct yaml_node *key = map->first; key; key = key->next->next) {
		struct entry entry = {.key = yaml_target(key), .value = key->next};

		if (yaml_is_merge(entry.key)) {
			merged = key->next;
			for (size_t i = first; i < count_of(entries); i++)
				entries_of(entries)[i].before_merge = true;
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
resolve(struct yaml_reader *reader, struct buf *entries)
{
	struct entry *all = entries_of(entries);
	size_t kept = 0, count = count_of(entries);

	if (count == 0)
		return 0;
	qsort(all, count, sizeof *all, compare_by_key);
	for (size_t i = 0; i < count; i++) {
		const struct entry *entry = &all[i], *winner;

		winner = kept > 0 ? &all[kept - 1] : NULL;
		if (!winner || !text_equal(winner->key->value, entry->key->value)) {
			all[kept++] = *entry;
			continue;
		}
		if (winner->before_merge && reader->dialect == YAML_KUBERNETES)
			return yaml_fail(
			    winner->key->place, reader->failed_at, reader->err,
			    ERR_AMBIGUOUS,
			    "this key and the << after it give different values to "
			    "different readers; put the << first");
	}
	entries->len = kept * sizeof *all;
	qsort(all, kept, sizeof *all, compare_by_rank);
	return 0;
}

/* ---- the whole ---- */

static void
add_mark(struct yaml_document *document, const struct yaml_node *node)
{
	struct yaml_mark mark = {.offset = (uint32_t)document->json.len,
	                         .place = node->place};

	buf_add(&document->marks_memory, &mark, sizeof mark);
}

static int write_node(struct yaml_reader *reader, const struct yaml_node *node,
                      unsigned depth);

static int
write_map(struct yaml_reader *reader, const struct yaml_node *map, unsigned depth)
{
	struct buf *json = &reader->document->json;
	cleanup_buf struct buf entries = {0};

	if (collect(reader, map, depth, &entries) != 0 || resolve(reader, &entries) != 0)
		return -1;
	buf_char(json, '{');
	for (size_t i = 0; i < count_of(&entries); i++) {
		const struct entry *entry = &entries_of(&entries)[i];

		if (i > 0)
			buf_char(json, ',');
		add_mark(reader->document, entry->key);
		buf_json(json, entry->key->value, 0);
		buf_char(json, ':');
		if (write_node(reader, entry->value, depth + 1) != 0)
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

/* Without its tag. */
static int
write_plain(struct yaml_reader *reader, const struct yaml_node *node, unsigned depth)
{
	if (node->kind == YAML_SCALAR)
		return yaml_scalar_write(node, reader->dialect, &reader->document->json,
		                         reader->failed_at, reader->err);
	if (node->kind == YAML_MAP)
		return write_map(reader, node, depth);
	return write_list(reader, node, depth);
}

/* As the value of an object's only key: readers must not take it for the value itself. */
static int
write_tagged(struct yaml_reader *reader, const struct yaml_node *node, unsigned depth)
{
	struct buf *json = &reader->document->json;

	buf_str(json, node->compose_tag == YAML_COMPOSE_RESET ? "{\"!reset\":"
	                                                      : "{\"!override\":");
	if (write_plain(reader, node, depth) != 0)
		return -1;
	buf_char(json, '}');
	return 0;
}

static int
write_node(struct yaml_reader *reader, const struct yaml_node *node, unsigned depth)
{
	node = yaml_target(node);
	if (depth >= YAML_DEPTH_MAX)
		return yaml_fail(node->place, reader->failed_at, reader->err, ERR_LIMIT,
		                 "nested deeper than %d", YAML_DEPTH_MAX);
	if (count_node(reader, node) != 0)
		return -1;
	add_mark(reader->document, node);
	return node->compose_tag == YAML_COMPOSE_NONE ? write_plain(reader, node, depth)
	                                              : write_tagged(reader, node, depth);
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
	reader->nodes = 0;
	reader->failed_at = ret_place;
	reader->err = err;
	if (yaml_tree_next(reader->tree, &root, ret_place, err) != 0)
		return -1;
	if (!root)
		return 0;
	document->begin = root->place;
	if (write_node(reader, root, 0) != 0)
		return -1;
	if (!buf_ok(&document->json) || !buf_ok(&document->marks_memory))
		return err_set(err, ERR_MEMORY, "out of memory");
	document->marks =
	    (const struct yaml_mark *)(const void *)document->marks_memory.at;
	document->count = document->marks_memory.len / sizeof *document->marks;
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
	buf_free(&document->marks_memory);
	*document = (struct yaml_document){0};
}
