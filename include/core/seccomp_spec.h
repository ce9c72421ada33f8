/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_spec - profile JSON as engines decode it; for the files of the seccomp family.
 *
 * The structs mirror Seccomp, Syscall and Filter of moby profiles/seccomp (v20.10.24 to
 * HEAD) with what they embed of the OCI runtime specification. Invariant: a spec that was
 * read is one that LoadProfile loads on each engine, with actions and operators that runc
 * and crun know. Texts live in the JSON or in the arena. Pure.
 */
#pragma once

#include "core/arena.h"
#include "core/err.h"
#include "core/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECCOMP_RULES_MAX = 4096, SECCOMP_ARGS_MAX = 64 };

/* What becomes of a call, as far as it matters here. */
enum seccomp_effect {
	SECCOMP_NONE, /* no action given */
	SECCOMP_LETS, /* it reaches the kernel, or somebody else decides: ALLOW, LOG, TRACE,
	                 NOTIFY */
	SECCOMP_BLOCKS,
};

struct seccomp_action {
	struct text name; /* "SCMP_ACT_..."; missing or empty: none */
	enum seccomp_effect effect;
};

struct seccomp_errno {
	bool given;
	uint64_t value;
};

/* When a rule applies; all of what is given must hold. */
struct seccomp_filter {
	struct text_list caps, arches;
	bool has_kernel; /* minKernel is given */
	uint8_t kernel, major;
};

struct seccomp_arg {
	uint64_t index, value, value_two;
	struct text op;
};

struct seccomp_args {
	struct seccomp_arg *at;
	size_t count;
};

struct seccomp_rule {
	struct seccomp_rule *next;
	struct text name;       /* the old form: one name */
	struct text_list names; /* `name` too, once the rule is read */
	uint64_t weak;          /* bits of the weak calls among the names */
	struct seccomp_action action;
	struct seccomp_errno errno_ret;
	struct seccomp_args args;
	struct text comment;
	struct seccomp_filter includes, excludes;
};

struct seccomp_rules {
	struct seccomp_rule *first, *last;
	size_t count;
};

struct seccomp_arch {
	struct seccomp_arch *next;
	struct text name;
	struct text_list subs;
};

struct seccomp_archs {
	struct seccomp_arch *first, *last;
	size_t count;
};

struct seccomp_spec {
	struct seccomp_action default_action;
	struct seccomp_errno default_errno;
	struct text_list architectures, flags;
	struct seccomp_archs arch_map;
	struct text listener_path, listener_metadata;
	struct seccomp_rules rules;
};

/* Reads JSON `text`; null is an empty spec. -1 as for seccomp_profile_read(). */
int seccomp_spec_read(struct text text, struct arena *arena,
                      struct seccomp_spec *ret_spec, struct err *err);

/*
 * The weak calls as bits, in the order of seccomp_weak_calls: the bit of one, or 0 for any
 * other name.
 */
uint64_t seccomp_call_bit(struct text name);

/* All of them. */
uint64_t seccomp_call_bits(void);

/* Those whose names some supported engines do not know, so that they skip rules for them. */
uint64_t seccomp_call_bits_young(void);

/* Those that Docker's default lets through when a container has `capability`. */
uint64_t seccomp_capability_bits(struct text capability);
