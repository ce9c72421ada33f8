/* SPDX-License-Identifier: Apache-2.0 */
/* policy_edit.c - edits the list of exceptions in the text of a policy file. */
#include "core/policy_edit.h"

#include "core/json_go.h"
#include "core/policy_read.h"

/* A file on its way from `bytes` to `out`. */
struct edit {
	struct text bytes;
	const char *copied; /* all before is in `out`, or left out */
	struct buf *out;
	struct arena arena;
	const struct policy_value *root;
	struct err *err;
};

static int
start(struct edit *edit)
{
	const char *at;

	edit->copied = edit->bytes.at;
	edit->arena.limit = POLICY_TREE_MAX;
	edit->root = policy_tree_read(edit->bytes, &edit->arena, &at, edit->err);
	if (!edit->root)
		return -1;
	if (edit->root->kind != JSON_OBJECT)
		return err_set(edit->err, ERR_TYPE, "a policy is an object");
	return 0;
}

static void
copy_to(struct edit *edit, const char *to)
{
	buf_add(edit->out, edit->copied, (size_t)(to - edit->copied));
	edit->copied = to;
}

static int
finish(struct edit *edit, int failed)
{
	if (failed == 0) {
		copy_to(edit, edit->bytes.at + edit->bytes.len);
		if (!buf_ok(edit->out))
			failed = err_set(edit->err, ERR_MEMORY, "out of memory");
	}
	arena_free(&edit->arena);
	return failed;
}

static int
add(struct edit *edit, struct text exception)
{
	const struct policy_value *list;

	if (start(edit) != 0)
		return -1;
	list = policy_tree_member(edit->root, "exceptions");
	if (list && list->kind != JSON_LIST)
		return err_set(edit->err, ERR_TYPE, "/exceptions: must be a list");
	if (list) {
		copy_to(edit, list->at + 1);
		buf_str(edit->out, "\n    ");
		buf_add_text(edit->out, exception);
		buf_str(edit->out, list->count > 0 ? "," : "\n  ");
		return 0;
	}
	copy_to(edit, edit->root->at + 1);
	buf_str(edit->out, "\n  \"exceptions\": [\n    ");
	buf_add_text(edit->out, exception);
	buf_str(edit->out, edit->root->count > 0 ? "\n  ]," : "\n  ]");
	return 0;
}

int
policy_edit_add(struct text bytes, struct text exception, struct buf *ret_bytes,
                struct err *err)
{
	struct edit edit = {.bytes = bytes, .out = ret_bytes, .err = err};
	int failed = add(&edit, exception);

	return finish(&edit, failed);
}

/* Behind the last byte of a value. */
static const char *
end_of(struct edit *edit, const struct policy_value *value)
{
	struct text rest = {.at = value->at,
	                    .len =
	                        (size_t)(edit->bytes.at + edit->bytes.len - value->at)};
	struct json json = json_start(rest, &edit->arena, NULL);

	(void)json_skip(&json);
	return json.at;
}

/* Which exceptions go. */
struct dropping {
	bool (*is_meant)(struct text id, void *context);
	void *context;
};

static bool
is_dropped(const struct policy_value *exception, const struct dropping *dropping)
{
	const struct policy_value *id = policy_tree_member(exception, "id");

	return id && id->kind == JSON_STRING &&
	       dropping->is_meant(id->text, dropping->context);
}

/* Copies the elements that stay, each up to its end, with what stands in front of it. */
static int
drop(struct edit *edit, const struct dropping *dropping, size_t *ret_count)
{
	const struct policy_value *list, *value;
	const char *begin;
	size_t kept = 0;

	*ret_count = 0;
	if (start(edit) != 0)
		return -1;
	list = policy_tree_member(edit->root, "exceptions");
	if (!list || list->kind != JSON_LIST)
		return 0;
	copy_to(edit, list->at + 1);
	for (value = list->first; value; value = value->next) {
		const char *end = end_of(edit, value);

		begin = edit->copied;
		if (is_dropped(value, dropping)) {
			++*ret_count;
		} else {
			/* the first that stays does not begin with a ',' */
			if (kept++ == 0 && value != list->first)
				begin = (const char *)memchr(
					    begin, ',', (size_t)(value->at - begin)) +
				        1;
			edit->copied = begin;
			copy_to(edit, end);
		}
		edit->copied = end;
	}
	if (kept == 0 && *ret_count > 0) /* "[" and white space: nothing in between */
		edit->copied = end_of(edit, list) - 1;
	return 0;
}

int
policy_edit_drop(struct text bytes, bool (*is_meant)(struct text id, void *context),
                 void *context, struct buf *ret_bytes, size_t *ret_count, struct err *err)
{
	const struct dropping dropping = {.is_meant = is_meant, .context = context};
	struct edit edit = {.bytes = bytes, .out = ret_bytes, .err = err};
	int failed = drop(&edit, &dropping, ret_count);

	return finish(&edit, failed);
}
