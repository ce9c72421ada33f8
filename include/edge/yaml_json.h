/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_json - YAML documents to JSON text, and where each value of it stood.
 *
 * For the command line: Compose files and Kubernetes manifests become JSON here, and the
 * readers of the core go on from there. Invariant: what comes out means what every client
 * of the dialect makes of the same bytes; where they could differ, or where a document
 * would grow without measure, it is refused with line and column:
 *  - a key that is given twice in a mapping, or that is no scalar;
 *  - an alias inside of what it stands for; more nodes than a maximum, aliases followed;
 *  - a tag outside of YAML's core; Compose's !reset and !override stand in the JSON as
 *    objects {"!reset": VALUE}, for the readers of the core to judge;
 *  - Kubernetes: a merge (<<) that follows a key which it also brings (yaml.v2, which
 *    kubectl reads with, takes the merged value; other clients the key's own).
 * Scalars: null, true and false as in YAML 1.2; numbers that JSON can write stay numbers,
 * others become strings. YAML 1.1's yes, no, on, off, y and n are booleans in Kubernetes
 * (yaml.v2), and strings in Compose (yaml.v3), whose reader knows what they mean.
 * One reader, one thread.
 */
#pragma once

#include "core/buf.h"
#include "core/err.h"
#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	YAML_INPUT_MAX = 16 * 1024 * 1024, /* bytes of a file */
	YAML_NODES_MAX = 1024 * 1024,      /* of one document, aliases followed */
	YAML_JSON_MAX = 32 * 1024 * 1024,  /* bytes of one document as JSON */
	YAML_DEPTH_MAX = 100,              /* nesting, aliases followed */
};

enum yaml_dialect { YAML_COMPOSE, YAML_KUBERNETES };

/* From 1; 0: not known. Columns count characters. */
struct yaml_place {
	unsigned line, column;
};

/* A value or key of the JSON text, and where it stood. */
struct yaml_mark {
	uint32_t offset; /* of its first byte */
	struct yaml_place place;
};

struct yaml_document {
	struct buf json;
	const struct yaml_mark *marks; /* by offset; in marks_memory */
	size_t count;
	struct buf marks_memory;
	struct yaml_place begin; /* where the document begins */
};

struct yaml_reader;

/* Starts reading `input`, which is borrowed. NULL when out of memory. */
struct yaml_reader *yaml_open(struct text input, enum yaml_dialect dialect);

/*
 * The next document: 1 and *document filled (what it held before is overwritten in
 * place), 0 at the end, -1 with `err` set and *ret_place telling where. The text of `err`
 * begins with "line L, column C: " where that is known. Nothing can be read after an
 * error. One without content is `null`.
 */
int yaml_next(struct yaml_reader *reader, struct yaml_document *document,
              struct yaml_place *ret_place, struct err *err);

/* Where the byte `offset` of the JSON text came from: the place of the last key or value
   that begins there or before. */
struct yaml_place yaml_document_place(const struct yaml_document *document,
                                      size_t offset);

void yaml_close(struct yaml_reader *reader);             /* NULL is fine */
void yaml_document_free(struct yaml_document *document); /* may be used again */
