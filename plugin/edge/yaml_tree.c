/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_tree.c - the events of libyaml to nodes of one document; all bounds are held here. */
#include "edge/yaml_tree.h"

#include <stdlib.h>
#include <yaml.h>

enum {
	TREE_BYTES_MAX = 256 * 1024 * 1024,
	ANCHOR_SLOTS = 256,
	QUOTED_MAX = 60,
};

struct anchor {
	struct text name;
	const struct yaml_node *node;
	struct anchor *next; /* an older one in the slot */
};

struct yaml_tree {
	yaml_parser_t parser;
	enum yaml_dialect dialect;
	struct arena arena; /* nodes of the document */
	struct anchor *anchors[ANCHOR_SLOTS];
	size_t nodes;
	bool started;
	struct yaml_place *failed_at; /* of the call under way */
	struct err *err;
};

static void
event_free(yaml_event_t *event)
{
	yaml_event_delete(event);
}

#define cleanup_event __attribute__((cleanup(event_free)))

static struct yaml_place
place_of(yaml_mark_t mark)
{
	return (struct yaml_place){.line = (unsigned)mark.line + 1,
	                           .column = (unsigned)mark.column + 1};
}

static int
no_memory(struct yaml_tree *tree)
{
	return err_set(tree->err, ERR_MEMORY, "out of memory, or too large");
}

/* What libyaml complains about; its texts name no value of the document. */
static int
fail_syntax(struct yaml_tree *tree)
{
	const yaml_parser_t *parser = &tree->parser;
	yaml_mark_t mark = parser->problem_mark;
	const char *problem = parser->problem ? parser->problem : "can't be read";

	if (parser->error == YAML_MEMORY_ERROR)
		return no_memory(tree);
	if (parser->error == YAML_READER_ERROR) /* it has an offset, no mark */
		return err_set(tree->err, ERR_SYNTAX, "not YAML: %s (byte %zu)", problem,
		               parser->problem_offset);
	return yaml_fail(place_of(mark), tree->failed_at, tree->err, ERR_SYNTAX,
	                 "not YAML: %s%s%s", parser->context ? parser->context : "",
	                 parser->context ? ": " : "", problem);
}

static int
next_event(struct yaml_tree *tree, yaml_event_t *event)
{
	return yaml_parser_parse(&tree->parser, event) ? 0 : fail_syntax(tree);
}

/* ---- tags and anchors ---- */

static int
read_tag(struct yaml_tree *tree, const yaml_char_t *tag, struct yaml_node *node)
{
	struct text text = text_of((const char *)tag);
	cleanup_buf struct buf quoted = {0};

	if (!tag || yaml_tag_known(text, tree->dialect, node))
		return 0;
	buf_quoted(&quoted, text, QUOTED_MAX);
	return yaml_fail(node->place, tree->failed_at, tree->err, ERR_TYPE,
	                 "the tag %s can't be judged here; write the value without it",
	                 buf_ok(&quoted) ? quoted.at : "");
}

static struct anchor **
anchor_slot(struct yaml_tree *tree, struct text name)
{
	unsigned hash = 5381;

	for (size_t i = 0; i < name.len; i++)
		hash = hash * 33 + (unsigned char)name.at[i];
	return &tree->anchors[hash % ANCHOR_SLOTS];
}

static int
keep_anchor(struct yaml_tree *tree, const yaml_char_t *name, const struct yaml_node *node)
{
	struct text text = text_of((const char *)name);
	struct anchor *anchor;
	struct anchor **slot;

	if (!name)
		return 0;
	anchor = arena_alloc(&tree->arena, sizeof *anchor);
	text = arena_text(&tree->arena, text);
	if (!anchor || !text.at)
		return no_memory(tree);
	slot = anchor_slot(tree, text);
	*anchor = (struct anchor){.name = text, .node = node, .next = *slot};
	*slot = anchor;
	return 0;
}

static int
follow_alias(struct yaml_tree *tree, const yaml_char_t *name, struct yaml_node *node)
{
	struct text text = text_of((const char *)name);
	const struct anchor *anchor = *anchor_slot(tree, text);
	cleanup_buf struct buf quoted = {0};

	while (anchor && !text_equal(anchor->name, text))
		anchor = anchor->next;
	if (anchor && !anchor->node->open) {
		node->target = anchor->node;
		return 0;
	}
	buf_quoted(&quoted, text, QUOTED_MAX);
	return yaml_fail(node->place, tree->failed_at, tree->err, ERR_SYNTAX,
	                 anchor ? "the alias %s is inside of what it stands for"
	                        : "no anchor %s stands before this alias",
	                 buf_ok(&quoted) ? quoted.at : "");
}

/* ---- nodes ---- */

static struct yaml_node *
add_node(struct yaml_tree *tree, enum yaml_kind kind, yaml_mark_t mark)
{
	struct yaml_node *node = NULL;

	if (++tree->nodes > YAML_NODES_MAX) {
		(void)yaml_fail(place_of(mark), tree->failed_at, tree->err, ERR_LIMIT,
		                "more than %d values in one document", YAML_NODES_MAX);
		return NULL;
	}
	node = arena_alloc(&tree->arena, sizeof *node);
	if (node)
		*node = (struct yaml_node){.kind = kind, .place = place_of(mark)};
	else
		(void)no_memory(tree);
	return node;
}

static int
read_scalar(struct yaml_tree *tree, const yaml_event_t *event,
            struct yaml_node **ret_node)
{
	struct yaml_node *node = add_node(tree, YAML_SCALAR, event->start_mark);
	struct text value = {.at = (const char *)event->data.scalar.value,
	                     .len = event->data.scalar.length};

	if (!node)
		return -1;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->value = arena_text(&tree->arena, value);
	if (!node->value.at)
		return no_memory(tree);
	*ret_node = node;
	if (read_tag(tree, event->data.scalar.tag, node) != 0)
		return -1;
	return keep_anchor(tree, event->data.scalar.anchor, node);
}

static int
compare_keys(const void *a, const void *b)
{
	const struct yaml_node *x = *(const struct yaml_node *const *)a;
	const struct yaml_node *y = *(const struct yaml_node *const *)b;
	size_t shorter = x->value.len < y->value.len ? x->value.len : y->value.len;
	int order = shorter > 0 ? memcmp(x->value.at, y->value.at, shorter) : 0;

	if (order != 0)
		return order;
	if (x->value.len != y->value.len)
		return x->value.len < y->value.len ? -1 : 1;
	if (x->place.line != y->place.line)
		return x->place.line < y->place.line ? -1 : 1;
	return (x->place.column > y->place.column) - (x->place.column < y->place.column);
}

/* Each key is a scalar and there once, however it is written. */
static int
check_keys(struct yaml_tree *tree, const struct yaml_node *map, size_t pairs)
{
	const struct yaml_node **keys =
	    arena_array(&tree->arena, pairs + 1, sizeof(void *));
	cleanup_buf struct buf quoted = {0};
	size_t count = 0;

	if (!keys)
		return no_memory(tree);
	for (const struct yaml_node *key = map->first; key; key = key->next->next) {
		keys[count] = yaml_target(key);
		if (keys[count++]->kind != YAML_SCALAR)
			return yaml_fail(key->place, tree->failed_at, tree->err, ERR_TYPE,
			                 "a key should be a single word or text");
	}
	qsort(keys, count, sizeof(void *), compare_keys);
	for (size_t i = 1; i < count; i++) {
		if (!text_equal(keys[i]->value, keys[i - 1]->value))
			continue;
		buf_quoted(&quoted, keys[i]->value, QUOTED_MAX);
		return yaml_fail(
		    keys[i]->place, tree->failed_at, tree->err, ERR_AMBIGUOUS,
		    "the key %s is given twice: it is there since line %u",
		    buf_ok(&quoted) ? quoted.at : "", keys[i - 1]->place.line);
	}
	return 0;
}

static int read_node(struct yaml_tree *tree, const yaml_event_t *event, unsigned depth,
                     struct yaml_node **ret_node);

/* What is between the start of a list or mapping and its end. */
static int
read_children(struct yaml_tree *tree, struct yaml_node *node, unsigned depth,
              yaml_event_type_t end)
{
	struct yaml_node **last = &node->first;
	size_t count = 0;

	for (;; count++) {
		cleanup_event yaml_event_t event = {0};

		if (next_event(tree, &event) != 0)
			return -1;
		if (event.type == end)
			break;
		if (read_node(tree, &event, depth, last) != 0)
			return -1;
		last = &(*last)->next;
	}
	node->open = false;
	return node->kind == YAML_MAP ? check_keys(tree, node, count / 2) : 0;
}

static int
read_collection(struct yaml_tree *tree, const yaml_event_t *event, unsigned depth,
                struct yaml_node **ret_node)
{
	bool map = event->type == YAML_MAPPING_START_EVENT;
	struct yaml_node *node =
	    add_node(tree, map ? YAML_MAP : YAML_LIST, event->start_mark);
	const yaml_char_t *tag =
	    map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
	const yaml_char_t *anchor =
	    map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;

	if (!node)
		return -1;
	*ret_node = node;
	node->open = true;
	if (depth >= YAML_DEPTH_MAX)
		return yaml_fail(node->place, tree->failed_at, tree->err, ERR_LIMIT,
		                 "nested deeper than %d", YAML_DEPTH_MAX);
	if (read_tag(tree, tag, node) != 0 || keep_anchor(tree, anchor, node) != 0)
		return -1;
	return read_children(tree, node, depth + 1,
	                     map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT);
}

static int
read_node(struct yaml_tree *tree, const yaml_event_t *event, unsigned depth,
          struct yaml_node **ret_node)
{
	if (event->type == YAML_SCALAR_EVENT)
		return read_scalar(tree, event, ret_node);
	if (event->type != YAML_ALIAS_EVENT)
		return read_collection(tree, event, depth, ret_node);
	*ret_node = add_node(tree, YAML_ALIAS, event->start_mark);
	if (!*ret_node)
		return -1;
	return follow_alias(tree, event->data.alias.anchor, *ret_node);
}

/* ---- documents ---- */

struct yaml_tree *
yaml_tree_open(struct text input, enum yaml_dialect dialect)
{
	struct yaml_tree *tree = calloc(1, sizeof *tree);

	if (!tree)
		return NULL;
	if (!yaml_parser_initialize(&tree->parser)) {
		free(tree);
		return NULL;
	}
	tree->dialect = dialect;
	tree->arena.limit = TREE_BYTES_MAX;
	yaml_parser_set_input_string(
	    &tree->parser, (const unsigned char *)(input.at ? input.at : ""), input.len);
	return tree;
}

/* Past the start of a document: 1, or 0 at the end of the stream. */
static int
start_document(struct yaml_tree *tree)
{
	for (;;) {
		cleanup_event yaml_event_t event = {0};

		if (next_event(tree, &event) != 0)
			return -1;
		if (event.type == YAML_STREAM_END_EVENT || event.type == YAML_NO_EVENT)
			return 0;
		if (event.type == YAML_DOCUMENT_START_EVENT)
			return 1;
	}
}

int
yaml_tree_next(struct yaml_tree *tree, const struct yaml_node **ret_root,
               struct yaml_place *ret_place, struct err *err)
{
	cleanup_event yaml_event_t event = {0}, end = {0};
	struct yaml_node *root = NULL;
	int more;

	arena_reset(&tree->arena);
	memset(tree->anchors, 0, sizeof tree->anchors);
	tree->nodes = 0;
	tree->failed_at = ret_place;
	tree->err = err;
	more = start_document(tree);
	if (more > 0 &&
	    (next_event(tree, &event) != 0 || read_node(tree, &event, 0, &root) != 0 ||
	     next_event(tree, &end) != 0))
		return -1;
	*ret_root = root;
	return more < 0 ? -1 : 0;
}

void
yaml_tree_close(struct yaml_tree *tree)
{
	if (!tree)
		return;
	yaml_parser_delete(&tree->parser);
	arena_free(&tree->arena);
	free(tree);
}
