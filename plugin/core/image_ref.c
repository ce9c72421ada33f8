/* SPDX-License-Identifier: Apache-2.0 */
/* image_ref.c - image references normalised as Docker does. */
#include "core/image_ref.h"

#include "core/image_parts.h"

enum { PATH_MAX_BYTES = 255, TAG_MAX = 128 }; /* reference.go, regexp.go */

/* Algorithms that go-digest v1 knows (algorithm.go), with the length of their hex. */
static const struct algorithm {
	const char *prefix;
	size_t hex;
} algorithms[] = {{"sha256:", 64}, {"sha384:", 96}, {"sha512:", 128}};

/* How many bytes at the start of `t` are among `chars`. */
static size_t
span(struct text t, const char *chars)
{
	size_t at = 0, count = strlen(chars);

	while (at < t.len && memchr(chars, t.at[at], count))
		at++;
	return at;
}

static bool
is_all(struct text t, const char *chars)
{
	return span(t, chars) == t.len;
}

static bool
is_hex(struct text t, size_t max)
{
	return t.len > 0 && t.len <= max && is_all(t, DIGIT "abcdef");
}

/* An ID, or what an engine takes for the start of one (digestset.Lookup in image/store.go
   for "abc" and "sha256:abc", ParseAnyReference for whole digests). */
bool
image_is_id(struct text t)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
		const struct algorithm *algorithm = &algorithms[i];

		if (text_has_prefix(t, algorithm->prefix) &&
		    is_hex(text_from(t, strlen(algorithm->prefix)), algorithm->hex))
			return true;
	}
	return is_hex(t, algorithms[0].hex);
}

/* splitDockerDomain in normalize.go: is the first of several components a registry? */
static bool
is_domain(struct text first)
{
	for (size_t i = 0; i < first.len; i++) {
		if (memchr(UPPER ".:", first.at[i], sizeof UPPER ".:" - 1))
			return true;
	}
	return text_is(first, "localhost");
}

struct image_parts
image_parts_split(struct text given)
{
	struct image_parts parts = {.domain = TEXT_LIT(HUB)};
	size_t slash = text_find(given, '/'), cut;
	struct text rest = given;

	if (slash < given.len && is_domain(text_first(given, slash))) {
		parts.domain = text_first(given, slash);
		rest = text_from(given, slash + 1);
	}
	if (text_is(parts.domain, "index.docker.io"))
		parts.domain = TEXT_LIT(HUB);
	parts.official = text_is(parts.domain, HUB) && text_find(rest, '/') == rest.len;
	cut = text_find(rest, '@');
	if (cut < rest.len)
		parts.digest = text_from(rest, cut + 1);
	rest = text_first(rest, cut);
	cut = text_find(rest, ':');
	if (cut < rest.len)
		parts.tag = text_from(rest, cut + 1);
	parts.path = text_first(rest, cut);
	return parts;
}

/* Length of the separator at the start of `t` within a path component: '.', '_', "__" or
   any number of '-'. */
static size_t
separator_length(struct text t)
{
	size_t dashes = span(t, "-");

	if (dashes > 0)
		return dashes;
	if (text_has_prefix(t, "__"))
		return 2;
	return text_has_prefix(t, "_") || text_has_prefix(t, ".");
}

static bool
component_is_valid(struct text t)
{
	for (;;) {
		size_t word = span(t, LOWER DIGIT), gap;

		if (word == 0 || word == t.len)
			return word > 0;
		t = text_from(t, word);
		gap = separator_length(t);
		if (gap == 0)
			return false;
		t = text_from(t, gap);
	}
}

static bool
path_is_valid(struct text path, bool official)
{
	struct text rest = path;
	size_t slash;

	if (path.len + (official ? strlen("library/") : 0) > PATH_MAX_BYTES)
		return false;
	while ((slash = text_find(rest, '/')) < rest.len) {
		if (!component_is_valid(text_first(rest, slash)))
			return false;
		rest = text_from(rest, slash + 1);
	}
	return component_is_valid(rest);
}

/* Letters, digits and inner hyphens. */
static bool
label_is_valid(struct text t)
{
	return t.len > 0 && t.at[0] != '-' && t.at[t.len - 1] != '-' &&
	       is_all(t, LOWER UPPER DIGIT "-");
}

static bool
host_is_valid(struct text t)
{
	size_t dot;

	while ((dot = text_find(t, '.')) < t.len) {
		if (!label_is_valid(text_first(t, dot)))
			return false;
		t = text_from(t, dot + 1);
	}
	return label_is_valid(t);
}

/* "[" hex digits and colons "]": regexp.go since distribution/reference 2.8.2. Returns its
   length. */
static size_t
ipv6_length(struct text t)
{
	size_t end;

	if (t.len == 0 || t.at[0] != '[')
		return 0;
	end = 1 + span(text_from(t, 1), DIGIT "abcdefABCDEF:");
	return end > 1 && end < t.len && t.at[end] == ']' ? end + 1 : 0;
}

/*
 * Host and port. A host that is none but could be a component of the path
 * ("my_registry.lan") passes as the engine's expression lets it pass.
 */
static bool
domain_is_valid(struct text domain)
{
	size_t host = ipv6_length(domain);

	if (component_is_valid(domain))
		return true;
	if (host == 0) {
		host = text_find(domain, ':');
		if (!host_is_valid(text_first(domain, host)))
			return false;
	}
	if (host == domain.len)
		return true;
	return domain.at[host] == ':' && host + 1 < domain.len &&
	       is_all(text_from(domain, host + 1), DIGIT);
}

static bool
tag_is_valid(struct text tag)
{
	return tag.len > 0 && tag.len <= TAG_MAX && tag.at[0] != '.' &&
	       tag.at[0] != '-' && is_all(tag, TAG_CHARS);
}

static bool
digest_is_valid(struct text digest)
{
	for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
		size_t prefix = strlen(algorithms[i].prefix);

		if (text_has_prefix(digest, algorithms[i].prefix) &&
		    digest.len == prefix + algorithms[i].hex)
			return is_hex(text_from(digest, prefix), algorithms[i].hex);
	}
	return false;
}

bool
image_parts_are_reference(const struct image_parts *parts)
{
	return domain_is_valid(parts->domain) &&
	       path_is_valid(parts->path, parts->official) &&
	       (!parts->tag.at || tag_is_valid(parts->tag)) &&
	       (!parts->digest.at || digest_is_valid(parts->digest));
}

/* Appends to `out` and returns the place behind. */
static char *
put(char *out, struct text t)
{
	memcpy(out, t.at, t.len);
	return out + t.len;
}

struct image_ref
image_ref_parse(struct text given, struct arena *arena)
{
	struct image_ref ref = {.kind = IMAGE_REF_INVALID, .text = given};
	struct image_parts parts;
	char *out, *end;

	if (given.len == 0)
		return (struct image_ref){.kind = IMAGE_REF_NONE, .text = given};
	if (given.len > IMAGE_REF_MAX)
		return ref;
	if (image_is_id(given))
		return (struct image_ref){.kind = IMAGE_REF_ID, .text = given};
	parts = image_parts_split(given);
	if (!image_parts_are_reference(&parts))
		return ref;
	out = end =
	    arena_alloc(arena, sizeof HUB_OFFICIAL + given.len + sizeof ":latest");
	if (!out)
		return ref;
	end = put(put(end, parts.domain), TEXT_LIT("/"));
	end = put(put(end, parts.official ? TEXT_LIT("library/") : TEXT_LIT("")),
	          parts.path);
	ref.name = (struct text){.at = out, .len = (size_t)(end - out)};
	if (parts.digest.at) { /* a digest overrides the tag: referenceStore.Get */
		ref.digest = (struct text){.at = end + 1, .len = parts.digest.len};
		end = put(put(end, TEXT_LIT("@")), parts.digest);
	} else {
		parts.tag = parts.tag.at ? parts.tag : TEXT_LIT("latest");
		ref.tag = (struct text){.at = end + 1, .len = parts.tag.len};
		end = put(put(end, TEXT_LIT(":")), parts.tag);
	}
	ref.text = (struct text){.at = out, .len = (size_t)(end - out)};
	ref.kind = IMAGE_REF_NAME;
	return ref;
}
