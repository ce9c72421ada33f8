/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker_inspect - from what `docker inspect` prints to a workload.
 *
 * An inspect document echoes what was asked for, not what the kernel does: a start with a
 * HostConfig (API < 1.24) leaves no trace in it, and the engine's default profile does not
 * show. So what is known besides can be handed in. Invariant: a document that can't be
 * read with certainty is POSTURE_UNREADABLE, and nothing handed in makes one better. Pure.
 */
#pragma once

#include "core/arena.h"
#include "core/err.h"
#include "core/text.h"
#include "core/workload.h"

#include <stdbool.h>

enum { INSPECT_PARTS_MAX = 100000 };

enum inspect_kind {
	INSPECT_CONTAINER,
	INSPECT_SERVICE,  /* a Swarm service: its Spec */
	INSPECT_PREVIOUS, /* its PreviousSpec, which a rollback brings back */
	INSPECT_OTHER,    /* neither: unreadable */
};

/* One thing to judge. */
struct inspect_part {
	enum inspect_kind kind;
	struct text object; /* the document */
};

/* What is known besides the document; zero: nothing. */
struct inspect_context {
	struct text
	    default_runtime;     /* the engine's: inspect names it in every container */
	bool default_unconfined; /* the engine gives no filter unless asked to */
	struct text default_profile; /* JSON of the profile it gives unless asked for
					another; missing: its built-in one */
	bool unfiltered;             /* the kernel says that a process runs without one */
};

/* What a document says besides. Missing where it does not. */
struct inspected {
	struct text id, name, image;
	struct text status; /* "running", "exited" */
	long pid;           /* 0: it does not run */
	struct text_list security_opt;
};

/*
 * Calls `each` for every thing to judge in `bytes`: an object or a list of them. A service
 * counts as two if it has a previous spec. -1: no JSON of that shape, or `each` said so.
 */
int docker_inspect_each(struct text bytes, struct arena *arena,
                        int (*each)(const struct inspect_part *part, void *context),
                        void *context, struct err *err);

/* Reads what is not judged, as far as it can be read. */
void docker_inspect_about(const struct inspect_part *part, struct arena *arena,
                          struct inspected *ret_inspected);

/* Adds the container to judge; one that can't be read is POSTURE_UNREADABLE. */
void docker_inspect_read(const struct inspect_part *part,
                         const struct inspect_context *context, struct arena *arena,
                         struct workload *workload);
