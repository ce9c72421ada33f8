/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_sarif - the parts of a SARIF 2.1.0 log that all our reports have in common.
 *
 * In the order: begin, rules, end of rules, then invocation and results (either first),
 * end. The writers of results stand with what they report.
 */
#pragma once

#include "core/buf.h"

#include <stdbool.h>
#include <stddef.h>

void sarif_begin(struct buf *buf);
void sarif_add_rule(struct buf *buf, bool first, const char *id, const char *what,
                    const char *fix);
void sarif_end_rules(struct buf *buf);

/* ,"invocations":[...]; `notifications` are those of sarif_add_notification(). */
void sarif_add_invocation(struct buf *buf, bool successful, const char *time,
                          struct text notifications);

/* Something that kept us from telling; `uri` may be NULL. */
void sarif_add_notification(struct buf *buf, const char *uri, struct text message);

void sarif_begin_results(struct buf *buf);
void sarif_end_results(struct buf *buf);
void sarif_end(struct buf *buf);

/* Appends a path as a URI reference (RFC 3986), with file:// if it is absolute. */
void sarif_add_uri(struct buf *buf, const char *path);
