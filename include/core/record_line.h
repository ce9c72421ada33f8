/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_line - a decision as one line of the record, without the chain.
 *
 * Invariant: never a body, an environment, a profile, a header or a whole query string;
 * every value is bounded and the line fits RECORD_LINE_ROOM, whatever the request held.
 * Fields: man page seccomp-authz-record(5). Pure.
 */
#pragma once

#include "core/buf.h"
#include "core/decide.h"
#include "core/text.h"

enum {
	RECORD_LINE_ROOM = 16 * 1024 - 256, /* bytes; the chain's fields come on top */
	RECORD_VALUE_MAX = 256,             /* bytes of one value of a request */
};

/*
 * Appends {"time":...,"id":...,... without the closing brace: `seq` and `prev` follow
 * (edge/record.h). `host` is this machine's name.
 */
void record_line(struct buf *buf, const struct decision *decision,
                 const struct circumstances *circumstances, struct text host);
