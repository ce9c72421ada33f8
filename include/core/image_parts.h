/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_parts - what references and patterns over them have in common.
 *
 * Private to plugin/core/image_*.c. Pure.
 */
#pragma once

#include "core/image_ref.h"

#define HUB          "docker.io"
#define HUB_OFFICIAL "docker.io/library/"

#define DIGIT        "0123456789"
#define LOWER        "abcdefghijklmnopqrstuvwxyz"
#define UPPER        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define PATH_CHARS   LOWER DIGIT "._-"
#define TAG_CHARS    LOWER UPPER DIGIT "._-"
#define DIGEST_CHARS LOWER DIGIT ":"
#define DOMAIN_CHARS LOWER UPPER DIGIT "._-:[]" /* '_': see domain_is_valid() */

/* A reference or a pattern, cut at its separators as distribution/reference cuts it. */
struct image_parts {
	struct text domain; /* never missing */
	bool official;      /* "library/" goes in front of the path */
	struct text path;
	struct text tag, digest; /* missing: none */
};

/*
 * Cuts `given` in the order of ParseNormalizedNamed. With patterns this needs no care for
 * sets and escapes: one that holds a separator leaves a broken glob on its left, and a
 * broken glob matches nothing.
 */
struct image_parts image_parts_split(struct text given);

/* Whether each part is as distribution/reference wants it. */
bool image_parts_are_reference(const struct image_parts *parts);

/* An ID, or what an engine takes for the start of one. */
bool image_is_id(struct text t);
