/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_read - how the policy's parser reads one value, and how it complains.
 *
 * Private to plugin/core/policy_*.c. Invariant: a value that a reader does not understand
 * in full is a problem of the file, and a file with problems is no policy; so a reader may
 * leave its result incomplete once it has complained. What is kept is copied into the
 * policy's arena: no value of the tree outlives policy_parse().
 */
#pragma once

#include "core/policy.h"
#include "core/policy_time.h"
#include "core/policy_tree.h"
#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	POLICY_ID_MAX = 128,                     /* bytes of an exception's id */
	POLICY_ARENA_MAX = 16 * POLICY_FILE_MAX, /* bytes that a parsed file may need */
	POLICY_TREE_MAX = 64 * POLICY_FILE_MAX,  /* bytes of its tree: "0," is a value */
};

/* A value and its place in the file. Lives on the stack of whoever reads its parent. */
struct policy_node {
	const struct policy_value *value; /* borrowed; NULL: of a key that is not there */
	const struct policy_node *parent; /* NULL: the whole file */
	struct text key;                  /* under which it stands in an object, or */
	size_t index;                     /* its number in a list, when key is missing */
};

struct policy_reader {
	struct policy *policy; /* being filled in */
	struct policy_problems *problems;
	struct text bytes; /* of the file */
};

/* A key that an object may have; `read` gets the bytes at `offset` of the struct. */
struct policy_key {
	const char *name;
	bool required;
	void (*read)(struct policy_reader *reader, const struct policy_node *node,
	             void *ret_value);
	size_t offset;
};

struct policy_keys {
	const char *what; /* "an exception" */
	const struct policy_key *at;
	size_t count;
};

/* A closed set of words: name(0) ... name(count - 1); NULL for one that may not stand. */
struct policy_words {
	const char *what; /* "posture" */
	const char *(*name)(int index);
	int count;
};

extern const struct policy_words policy_postures; /* without `unreadable` */
extern const struct policy_words policy_guards;
extern const struct policy_words policy_doors;

/* How many elements a list may have, and what they are called ("patterns"). */
struct policy_bounds {
	const char *what;
	size_t least, most;
};

/* ---- policy_problems.c: complaints ---- */

/* Notes a problem at `node`. Texts say what is wrong; what would be right. */
void policy_complain(struct policy_reader *reader, const struct policy_node *node,
                     const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Notes that there is no memory, so that the file is no policy. */
void policy_no_memory(struct policy_reader *reader);

/* Notes that the file is no JSON: why, and where. */
void policy_complain_syntax(struct policy_reader *reader, const struct err *err,
                            const char *at);

/* Room for a value of the file in a message. */
struct policy_quote {
	char text[128];
};

/* `s` in quotes, bounded and harmless; returns quote->text. */
const char *policy_quote(struct policy_quote *quote, struct text t);

/* Looks for the word that somebody meant; `best` stays NULL where none is near. */
struct policy_guess {
	struct text word; /* as written */
	const char *best;
	int distance; /* of `best` */
};
void policy_guess(struct policy_guess *guess, const char *candidate);

/* ---- policy_read.c: values ---- */

/* Reads an object into a struct; keys that are not in the table are problems. */
void policy_read_object(struct policy_reader *reader, const struct policy_node *node,
                        const struct policy_keys *keys, void *ret_struct);

/* Reads a list: calls `each` with each element and `context`. */
void policy_read_list(struct policy_reader *reader, const struct policy_node *node,
                      const struct policy_bounds *bounds,
                      void (*each)(struct policy_reader *reader,
                                   const struct policy_node *node, void *context),
                      void *context);

/* A string of 1 to `most` bytes without control characters, borrowed from the tree;
   missing after a complaint. */
struct text policy_string(struct policy_reader *reader, const struct policy_node *node,
                          size_t most);

/* The same without the lower bound. */
struct text policy_string_or_empty(struct policy_reader *reader,
                                   const struct policy_node *node, size_t most);

/* A copy in the policy's arena; missing, after a complaint, when there is no memory. */
struct text policy_keep(struct policy_reader *reader, struct text t);

/* Appends a copy of `t` to the list that is read from the node's parent. */
void policy_append(struct policy_reader *reader, const struct policy_node *node,
                   struct text t, struct text_list *list);

/* Index of the word that stands at `node`; -1 after a complaint. */
int policy_word(struct policy_reader *reader, const struct policy_node *node,
                const struct policy_words *words);

/* Index of `word`, which is (a part of) what stands at `node`; -1 after a complaint. */
int policy_find_word(struct policy_reader *reader, const struct policy_node *node,
                     const struct policy_words *words, struct text word);

/* Adds bit `index` to a set; twice is a problem. */
void policy_add_bit(struct policy_reader *reader, const struct policy_node *node,
                    int index, unsigned *set);

/* Adds the posture that stands at `node` to a set; `unreadable` can't be in any. */
void policy_add_posture(struct policy_reader *reader, const struct policy_node *node,
                        unsigned *set);

/* Readers for the tables. Type of `ret_value` behind each. */
void policy_read_mode(struct policy_reader *reader, const struct policy_node *node,
                      void *ret_value); /* enum rule_mode */

/* ---- policy_exception.c, policy_criteria.c: the larger values ---- */

void policy_read_exceptions(struct policy_reader *reader, const struct policy_node *node,
                            void *ret_value); /* struct policy */
void policy_read_criteria(struct policy_reader *reader, const struct policy_node *node,
                          void *ret_value); /* struct criteria */
