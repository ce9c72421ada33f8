/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_ref - image references, normalised as Docker does.
 *
 * Invariant: two spellings that an engine resolves to the same image by name have the
 * same normalised text ("nginx", "docker.io/nginx", "index.docker.io/library/nginx:
 * latest" are all docker.io/library/nginx:latest), and a name that the engine may take
 * for an ID never looks like a repository. Source: distribution/reference, normalize.go
 * (ParseNormalizedNamed, TagNameOnly); daemon/images GetImage takes ID prefixes.
 */
#pragma once

#include "core/arena.h"
#include "core/text.h"

#include <stdbool.h>

enum { IMAGE_REF_MAX = 512 }; /* bytes of a reference; longer ones are not valid */

enum image_ref_kind {
	IMAGE_REF_NONE,    /* the request names no image, or an empty one */
	IMAGE_REF_NAME,    /* normalised: registry/path:tag or registry/path@digest */
	IMAGE_REF_ID,      /* hex-only name or sha256:ID: may be taken for an image ID */
	IMAGE_REF_INVALID, /* no reference that Docker accepts; `text` is what was given */
};

struct image_ref {
	enum image_ref_kind kind;
	struct text text; /* normalised; the given text for ID and INVALID */
	struct text name; /* NAME only: registry/path, a prefix of `text` */
	struct text tag;  /* NAME only: the tag ("latest" if none was given); missing with
			       a digest, which overrides the tag */
	struct text digest; /* NAME only: "sha256:..." if the reference has one */
};

/*
 * Normalises `given`. The texts live in `arena` or borrow from `given`. Out of memory
 * gives IMAGE_REF_INVALID, which matches no pattern.
 */
struct image_ref image_ref_parse(struct text given, struct arena *arena);

/*
 * Does `pattern` (a glob over normalised references, as policies write it) match? The
 * pattern gets the registry as a reference does, but no tag: without a tag or digest it
 * matches any. '*' does not cross '/'. An IMAGE_REF_ID matches only a pattern that is
 * the same text without any glob character, and only if it is a full ID (64 digits): a
 * shorter one is also a name that anybody may give to an image; NONE and INVALID match nothing.
 */
bool image_ref_matches(const struct image_ref *ref, struct text pattern);

/*
 * False if `pattern` can't match for its form: a broken glob, an empty part, a character
 * that has no place there, no glob and no reference either. For the policy's parser.
 */
bool image_pattern_is_valid(struct text pattern);

enum { IMAGE_PATTERN_MAX = IMAGE_REF_MAX + 32 }; /* bytes of one with its registry */

/* What a pattern asks for. */
struct image_pattern {
	enum image_ref_kind kind; /* ID, NAME; INVALID: too long */
	struct text text;   /* ID: the very text. NAME: a pattern over image_ref.name,
				     registry included; none of its '*' crosses a '/' */
	struct text tag;    /* a pattern over it; missing: any, or none with a digest */
	struct text digest; /* a pattern over it; missing: any */
};

/* Takes a valid pattern apart. The texts borrow from `pattern` and `room`. */
void image_pattern_read(struct text pattern, char room[IMAGE_PATTERN_MAX],
                        struct image_pattern *ret_pattern);
