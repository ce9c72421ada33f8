/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_shadow.c - does one exception let through all that another one does?
 *
 * What can't be seen to be covered counts as not covered: a finding is certain, and not
 * all there is are found.
 */
#include "core/policy_lint.h"

#include "core/glob.h"
#include "core/policy_index.h"

/* ---- patterns ---- */

/* Does every text that `narrow` matches match `wide`? `separator`: what no '*' crosses. */
static bool
glob_covers(struct text wide, struct text narrow, char separator)
{
	struct text head;

	if (text_equal(wide, narrow))
		return true;
	if (!glob_is_pattern(narrow))
		return glob_matches(wide, narrow, separator);
	/* "abc*" covers what begins with "abc" */
	if (wide.len == 0 || wide.at[wide.len - 1] != '*')
		return false;
	head = text_first(wide, wide.len - 1);
	if (glob_is_pattern(head) || narrow.len < head.len ||
	    !text_equal(text_first(narrow, head.len), head))
		return false;
	return separator == 0 ||
	       !memchr(narrow.at + head.len, separator, narrow.len - head.len);
}

/* A part that is missing asks for nothing. */
static bool
part_covers(struct text wide, struct text narrow)
{
	return !wide.at || (narrow.at && glob_covers(wide, narrow, '/'));
}

static bool
image_covers(struct text wide_pattern, struct text narrow_pattern)
{
	char wide_room[IMAGE_PATTERN_MAX], narrow_room[IMAGE_PATTERN_MAX];
	struct image_pattern wide, narrow;

	image_pattern_read(wide_pattern, wide_room, &wide);
	image_pattern_read(narrow_pattern, narrow_room, &narrow);
	if (wide.kind != narrow.kind)
		return false;
	if (wide.kind != IMAGE_REF_NAME)
		return text_equal(wide.text, narrow.text);
	return glob_covers(wide.text, narrow.text, '/') &&
	       part_covers(wide.tag, narrow.tag) &&
	       part_covers(wide.digest, narrow.digest);
}

static bool
text_covers(struct text wide, struct text narrow)
{
	return glob_covers(wide, narrow, 0);
}

/* ---- criteria ---- */

static bool
list_covers(struct text_list wide, struct text_list narrow,
            bool (*covers)(struct text wide, struct text narrow))
{
	if (!wide.at)
		return true;
	if (!narrow.at)
		return false;
	for (size_t i = 0; i < narrow.count; i++) {
		size_t k = 0;

		while (k < wide.count && !covers(wide.at[k], narrow.at[i]))
			k++;
		if (k == wide.count)
			return false;
	}
	return true;
}

/* All labels of `wide` have to be asked for by `narrow` too. */
static bool
labels_cover(const struct text_map *wide, const struct text_map *narrow)
{
	for (size_t i = 0; i < wide->count; i++) {
		size_t k = 0;

		while (k < narrow->count &&
		       !(text_equal(wide->at[i].key, narrow->at[k].key) &&
		         text_covers(wide->at[i].value, narrow->at[k].value)))
			k++;
		if (k == narrow->count)
			return false;
	}
	return true;
}

bool
criteria_cover(const struct criteria *wide, const struct criteria *narrow)
{
	if (wide->doors != 0 && (narrow->doors == 0 || (narrow->doors & ~wide->doors)))
		return false;
	return list_covers(wide->image, narrow->image, image_covers) &&
	       list_covers(wide->user, narrow->user, text_covers) &&
	       list_covers(wide->name, narrow->name, text_covers) &&
	       list_covers(wide->profile, narrow->profile, text_covers) &&
	       list_covers(wide->space, narrow->space, text_covers) &&
	       list_covers(wide->group, narrow->group, text_covers) &&
	       list_covers(wide->runtime, narrow->runtime, text_covers) &&
	       labels_cover(&wide->label, &narrow->label);
}

static bool
shadows(const struct exception *wide, const struct exception *narrow)
{
	return wide != narrow && wide->mode == narrow->mode &&
	       (narrow->allow & ~wide->allow) == 0 &&
	       (narrow->allow_guards & ~wide->allow_guards) == 0 &&
	       wide->expires >= narrow->expires &&
	       criteria_cover(&wide->match, &narrow->match);
}

/* ---- whom to compare with ---- */

/* A text that a valid pattern matches, if it is to be had simply; missing: not. */
static struct text
sample(struct text pattern, struct arena *arena)
{
	char *out = arena_alloc(arena, pattern.len * 4 + 1);
	size_t used = 0, len;
	uint32_t literal;

	for (size_t at = 0; out && at < pattern.len; at += len) {
		len = glob_element(pattern, at, &literal);
		if (len == 0)
			return (struct text){0};
		if (pattern.at[at] == '*')
			continue;
		if (pattern.at[at] == '[')
			return (struct text){0};
		used += utf8_encode(literal == UINT32_MAX ? 'x' : literal, out + used);
	}
	return (struct text){.at = out, .len = out ? used : 0};
}

static struct text
first_sample(struct text_list patterns, struct arena *arena)
{
	return patterns.at ? sample(patterns.at[0], arena) : (struct text){0};
}

/* A container that the exception matches: whatever covers the exception matches it too, so
   it is among its candidates. */
struct specimen {
	struct workload workload;
	struct container container;
	struct text digest, group;
};

static void
fill_image(struct specimen *specimen, const struct criteria *match, struct arena *arena)
{
	struct image_ref *ref = &specimen->container.image;
	char room[IMAGE_PATTERN_MAX];
	struct image_pattern image;

	if (!match->image.at)
		return;
	image_pattern_read(match->image.at[0], room, &image);
	ref->kind = image.kind;
	ref->text = ref->name = sample(arena_text(arena, image.text), arena);
	if (image.kind == IMAGE_REF_NAME)
		ref->digest =
		    image.digest.at ? sample(image.digest, arena) : (struct text){0};
}

static void
fill(struct specimen *specimen, const struct criteria *match, struct arena *arena)
{
	struct container *container = &specimen->container;
	struct workload *workload = &specimen->workload;

	fill_image(specimen, match, arena);
	workload->user = first_sample(match->user, arena);
	workload->space = first_sample(match->space, arena);
	specimen->group = first_sample(match->group, arena);
	workload->groups = (struct text_list){&specimen->group, match->group.at != NULL};
	container->name = first_sample(match->name, arena);
	container->runtime = first_sample(match->runtime, arena);
	if (match->profile.at && text_has_prefix(match->profile.at[0], "localhost/"))
		container->local_profile = first_sample(match->profile, arena);
	else
		specimen->digest = first_sample(match->profile, arena);
	container->labels.at =
	    arena_array(arena, match->label.count, sizeof *container->labels.at);
	for (size_t i = 0; container->labels.at && i < match->label.count; i++)
		container->labels.at[container->labels.count++] =
		    (struct text_pair){.key = match->label.at[i].key,
		                       .value = sample(match->label.at[i].value, arena)};
}

const struct exception *
exception_shadow(const struct policy *policy, const struct exception *exception,
                 struct arena *arena, size_t *pairs)
{
	struct specimen specimen = {.group = {0}};
	struct candidates candidates;
	const struct exception *other;

	arena_reset(arena);
	fill(&specimen, &exception->match, arena);
	candidates_start(&candidates, policy, &specimen.workload, &specimen.container,
	                 specimen.digest);
	while (*pairs < LINT_PAIRS_MAX && (other = candidates_next(&candidates))) {
		++*pairs;
		if (!shadows(other, exception))
			continue;
		/* of two that say the same, the first stays */
		if (other < exception || !shadows(exception, other))
			return other;
	}
	return NULL;
}
