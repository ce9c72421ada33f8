/* SPDX-License-Identifier: Apache-2.0 */
/* image_pattern.c - patterns over image references, as policies write them. */
#include "core/image_parts.h"

#include "core/glob.h"

enum { FULL_ID = 64 }; /* digits of an image ID */

/* Does "<domain>/[library/]<path>" match? The domain is literal for Docker's own hub. */
static bool
name_matches(const struct image_parts *parts, struct text name)
{
	size_t slash = text_find(name, '/');

	if (!glob_matches(parts->domain, text_first(name, slash), '/'))
		return false;
	if (parts->official && !text_has_prefix(name, HUB_OFFICIAL))
		return false;
	name = text_from(name, parts->official ? strlen(HUB_OFFICIAL) : slash + 1);
	return glob_matches(parts->path, name, '/');
}

bool
image_ref_matches(const struct image_ref *ref, struct text pattern)
{
	struct image_parts parts;

	/* a shorter one is also a name that anybody may give to an image (docker tag), and
	   engines prefer the name */
	if (ref->kind == IMAGE_REF_ID)
		return ref->text.len >= FULL_ID && image_is_id(pattern) &&
		       text_equal(ref->text, pattern);
	if (ref->kind != IMAGE_REF_NAME || image_is_id(pattern) || pattern.len == 0)
		return false;
	parts = image_parts_split(pattern);
	if (!name_matches(&parts, ref->name))
		return false;
	if (parts.digest.at) /* a tag beside it counts no more than in a reference */
		return ref->digest.at && glob_matches(parts.digest, ref->digest, '/');
	if (parts.tag.at)
		return ref->tag.at && glob_matches(parts.tag, ref->tag, '/');
	return true;
}

/* A valid glob, not empty, whose plain characters can stand in that place. */
static bool
part_is_valid(struct text part, const char *chars)
{
	uint32_t literal;
	size_t len;

	for (size_t at = 0; at < part.len; at += len) {
		len = glob_element(part, at, &literal);
		if (len == 0)
			return false;
		if (literal != UINT32_MAX &&
		    (literal >= 0x80 || !memchr(chars, (int)literal, strlen(chars))))
			return false;
	}
	return part.len > 0;
}

static bool
path_pattern_is_valid(struct text rest)
{
	size_t slash;

	while ((slash = text_find(rest, '/')) < rest.len) {
		if (!part_is_valid(text_first(rest, slash), PATH_CHARS))
			return false;
		rest = text_from(rest, slash + 1);
	}
	return part_is_valid(rest, PATH_CHARS);
}

/* No separator within a set or behind a '\\': image_parts_split() would cut there. */
static bool
sets_are_plain(struct text pattern)
{
	uint32_t literal;
	size_t len;

	for (size_t at = 0; at < pattern.len; at += len) {
		len = glob_element(pattern, at, &literal);
		if (len == 0)
			return false;
		for (size_t i = at; len > 1 && i < at + len; i++) {
			if (memchr("/:@", pattern.at[i], 3))
				return false;
		}
	}
	return true;
}

bool
image_pattern_is_valid(struct text pattern)
{
	struct image_parts parts;

	if (pattern.len == 0 || pattern.len > IMAGE_REF_MAX)
		return false;
	if (image_is_id(pattern))
		return true;
	if (text_has_prefix(pattern, "sha256:")) /* meant for IDs, hits none */
		return false;
	parts = image_parts_split(pattern);
	if (!glob_is_pattern(pattern))
		return image_parts_are_reference(&parts);
	return sets_are_plain(pattern) && part_is_valid(parts.domain, DOMAIN_CHARS) &&
	       path_pattern_is_valid(parts.path) &&
	       (!parts.tag.at || part_is_valid(parts.tag, TAG_CHARS)) &&
	       (!parts.digest.at || part_is_valid(parts.digest, DIGEST_CHARS));
}

void
image_pattern_read(struct text pattern, char room[IMAGE_PATTERN_MAX],
                   struct image_pattern *ret_pattern)
{
	struct image_parts parts;
	struct text pieces[4];
	size_t len = 0;

	*ret_pattern = (struct image_pattern){.kind = IMAGE_REF_ID, .text = pattern};
	if (image_is_id(pattern))
		return;
	parts = image_parts_split(pattern);
	pieces[0] = parts.domain;
	pieces[1] = TEXT_LIT("/");
	pieces[2] = parts.official ? TEXT_LIT("library/") : TEXT_LIT("");
	pieces[3] = parts.path;
	for (size_t i = 0; i < 4; i++) {
		if (pieces[i].len > IMAGE_PATTERN_MAX - len) {
			ret_pattern->kind = IMAGE_REF_INVALID;
			return;
		}
		memcpy(room + len, pieces[i].at, pieces[i].len);
		len += pieces[i].len;
	}
	*ret_pattern = (struct image_pattern){.kind = IMAGE_REF_NAME,
	                                      .text = {.at = room, .len = len},
	                                      .tag = parts.tag,
	                                      .digest = parts.digest};
	if (parts.digest.at) /* then a tag counts for nothing */
		ret_pattern->tag = (struct text){0};
}
