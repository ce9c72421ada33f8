/* SPDX-License-Identifier: Apache-2.0 */
/* compose_value.c - truth values, maps and variables, as Compose files write them. */
#include "core/compose_value.h"

#include "core/buf.h"

bool
compose_has_variable(struct text value)
{
	return text_find(value, '$') < value.len;
}

/* ---- tags ---- */

bool
compose_is_tag(struct text key)
{
	return text_is(key, COMPOSE_RESET) || text_is(key, COMPOSE_OVERRIDE);
}

/* The first member of an object that is well-formed. */
static int
take_tagged(struct json *json, struct text key, void *context)
{
	struct text *inner = context;

	if (compose_is_tag(key))
		return json_read_raw(json, inner);
	return json_skip(json);
}

enum compose_tag
compose_untag(struct text *raw)
{
	struct err ignored = {0};
	struct json json = json_start(*raw, NULL, &ignored);
	struct text inner = {0};
	bool reset = text_has_prefix(*raw, "{\"" COMPOSE_RESET "\"");

	if (!reset && !text_has_prefix(*raw, "{\"" COMPOSE_OVERRIDE "\""))
		return COMPOSE_TAG_NONE;
	if (json_read_members(&json, take_tagged, &inner) != 0 || !inner.at)
		return COMPOSE_TAG_NONE;
	*raw = inner;
	return reset ? COMPOSE_TAG_RESET : COMPOSE_TAG_OVERRIDE;
}

/* ---- truth ---- */

static bool
is_word(struct text t, const char *const *words)
{
	char lower[8] = {0};

	if (t.len >= sizeof lower)
		return false;
	for (size_t i = 0; i < t.len; i++)
		lower[i] =
		    (char)(t.at[i] >= 'A' && t.at[i] <= 'Z' ? t.at[i] | 0x20 : t.at[i]);
	for (; *words; words++) {
		if (strcmp(lower, *words) == 0)
			return true;
	}
	return false;
}

enum compose_truth
compose_truth(struct text raw, struct arena *arena)
{
	static const char *const yes[] = {"true", "t", "yes", "y", "on", "1", NULL};
	static const char *const no[] = {"false", "f", "no", "n", "off", "0", NULL};
	struct err ignored = {0};
	struct json json = json_start(raw, arena, &ignored);
	struct text text = {0};

	if (json_peek(&json) != JSON_STRING)
		text = raw;
	else if (json_read_text(&json, &text) != 0)
		return COMPOSE_UNCLEAR;
	if (compose_has_variable(text))
		return COMPOSE_VARIABLE;
	if (is_word(text, yes))
		return COMPOSE_YES;
	return is_word(text, no) ? COMPOSE_NO : COMPOSE_UNCLEAR;
}

/* ---- variables ---- */

struct text
compose_undecided_text(struct text value, const char *prefix, struct arena *arena)
{
	cleanup_buf struct buf buf = {0};
	struct text text;

	buf_str(&buf, prefix);
	buf_add_text(&buf, text_first(value, value.len < COMPOSE_QUOTED_MAX / 2
	                                         ? value.len
	                                         : COMPOSE_QUOTED_MAX / 2));
	buf_str(&buf, " (a variable decides)");
	text = buf_ok(&buf) ? arena_text(arena, buf_text(&buf)) : (struct text){0};
	return text.at ? text : TEXT_LIT("a variable decides");
}

struct text
compose_undecided(struct text raw, const char *prefix, struct arena *arena)
{
	struct err ignored = {0};
	struct json json = json_start(raw, arena, &ignored);
	struct text value = raw;

	if (json_peek(&json) == JSON_STRING && json_read_text(&json, &value) != 0)
		value = raw;
	return compose_undecided_text(value, prefix, arena);
}

/* ---- maps ---- */

struct pairs {
	struct arena *arena;
	struct text_map *map;
};

static int
set_pair(struct json *json, const struct pairs *pairs, struct text key, struct text value)
{
	struct text_map *map = pairs->map;
	size_t i = 0;

	while (i < map->count && !text_equal(map->at[i].key, key))
		i++;
	if (i == map->count) {
		if (map->count >= JSON_MAP_MAX)
			return json_fail(json, ERR_LIMIT, "more than %d members",
			                 JSON_MAP_MAX);
		if (!map->at)
			map->at =
			    arena_array(pairs->arena, JSON_MAP_MAX, sizeof *map->at);
		if (!map->at)
			return json_fail(json, ERR_MEMORY, "out of memory");
		map->count++;
	}
	map->at[i] = (struct text_pair){.key = key, .value = value};
	return 0;
}

/* Text, or what stands for itself: numbers and truth values; null is empty. What a tag
   decides is no more a fact than what a variable does, and looks like one. */
static int
read_value(struct json *json, struct text *ret_value)
{
	enum json_kind kind = json_peek(json);
	struct text raw = {.at = json->at, .len = (size_t)(json->end - json->at)};

	if (kind == JSON_OBJECT && compose_untag(&raw) != COMPOSE_TAG_NONE) {
		*ret_value = TEXT_LIT("$");
		return json_skip(json);
	}
	if (kind == JSON_OBJECT || kind == JSON_LIST)
		return json_fail(json, ERR_TYPE, "should be text");
	if (kind == JSON_STRING || kind == JSON_NULL)
		return json_read_text(json, ret_value);
	return json_read_raw(json, ret_value);
}

static int
add_member(struct json *json, struct text key, void *context)
{
	struct text value = TEXT_LIT("");

	if (read_value(json, &value) != 0)
		return -1;
	return set_pair(json, context, key, value);
}

static int
add_entry(struct json *json, size_t index, void *context)
{
	struct text entry = {0};
	size_t cut;

	(void)index;
	if (read_value(json, &entry) != 0)
		return -1;
	cut = text_find(entry, '=');
	return set_pair(json, context, text_first(entry, cut),
	                cut < entry.len ? text_from(entry, cut + 1) : TEXT_LIT(""));
}

int
compose_read_pairs(struct text raw, struct arena *arena, struct text_map *map,
                   struct err *err)
{
	struct pairs pairs = {.arena = arena, .map = map};
	struct json json = json_start(raw, arena, err);

	if (!raw.at || json_read_null(&json))
		return 0;
	if (json_peek(&json) == JSON_LIST)
		return json_read_list(&json, add_entry, &pairs);
	return json_read_members(&json, add_member, &pairs);
}

void
compose_drop_undecided(struct text_map *map)
{
	size_t kept = 0;

	for (size_t i = 0; i < map->count; i++) {
		if (compose_has_variable(map->at[i].key)) {
			kept = 0;
			break;
		}
		if (!compose_has_variable(map->at[i].value))
			map->at[kept++] = map->at[i];
	}
	map->count = kept;
}
