/* SPDX-License-Identifier: Apache-2.0 */
/* policy_diff_print.c - a decision that two policies make differently, as a line. */
#include "cmd_policy_diff.h"

#include <stdio.h>

enum { SHOWN_MAX = 160 };

/* "POST /v1.41/containers/create", "CREATE Deployment shop/web". */
static void
write_call(struct buf *buf, const struct decision *decision)
{
	const struct admission *admission = &decision->admission;

	if (decision->workload.operation == OPERATION_INSPECT ||
	    decision->workload.operation == OPERATION_INSPECT_SERVICE) {
		buf_str(buf, decision->workload.operation == OPERATION_INSPECT
		                 ? "container"
		                 : "service");
		return;
	}
	if (decision->workload.door != DOOR_KUBERNETES) {
		if (decision->authz.method.at)
			buf_add_text(buf, decision->authz.method);
		else
			buf_str(buf, "body of");
		buf_char(buf, ' ');
		buf_quoted(buf, decision->route.path, SHOWN_MAX);
		return;
	}
	if (admission->operation.at)
		buf_quoted(buf, admission->operation, SHOWN_MAX);
	else
		buf_str(buf, "manifest");
	buf_char(buf, ' ');
	buf_quoted(buf, admission->kind, SHOWN_MAX);
	if (decision->workload.space.len > 0) {
		buf_str(buf, " in ");
		buf_quoted(buf, decision->workload.space, SHOWN_MAX);
	}
	if (admission->name.len > 0) {
		buf_char(buf, ' ');
		buf_quoted(buf, admission->name, SHOWN_MAX);
	}
}

static void
write_subject(struct buf *buf, const struct decision *decision)
{
	const struct workload *workload = &decision->workload;
	const struct verdict *verdict = &decision->verdict;

	write_call(buf, decision);
	if (workload->user.len > 0) {
		buf_str(buf, " by ");
		buf_quoted(buf, workload->user, SHOWN_MAX);
	}
	if (verdict->container < workload->count) {
		const struct container *container =
		    &workload->containers[verdict->container];

		if (container->name.len > 0) {
			buf_str(buf, " name ");
			buf_quoted(buf, container->name, SHOWN_MAX);
		}
		if (container->image.text.len > 0) {
			buf_str(buf, " image ");
			buf_quoted(buf, container->image.text, SHOWN_MAX);
		}
	}
}

static void
add_member(struct buf *buf, const char *name, struct text value)
{
	buf_printf(buf, ",\"%s\":", name);
	buf_json(buf, value, 0);
}

static void
write_json(struct buf *line, const struct policy_diff *diff,
           const struct decision *before, const struct decision *after)
{
	buf_str(line, "{\"file\":");
	buf_json(line, text_of(diff->path), 0);
	buf_printf(line, ",\"line\":%zu,\"before\":\"%s\",\"after\":\"%s\"", diff->line,
	           decision_name(before->verdict.decision),
	           decision_name(after->verdict.decision));
	add_member(line, "rule_before", verdict_rule(&before->verdict));
	add_member(line, "rule_after", verdict_rule(&after->verdict));
	add_member(line, "user", after->workload.user);
	if (after->workload.door == DOOR_KUBERNETES) { /* named as in the record */
		add_member(line, "namespace", after->workload.space);
		add_member(line, "kind", after->admission.kind);
		add_member(line, "object", after->admission.name);
	} else if (after->route.path.at) {
		add_member(line, "uri", after->route.path);
	} else if (after->verdict.container < after->workload.count) {
		add_member(line, "name",
		           after->workload.containers[after->verdict.container].name);
	}
	buf_str(line, "}\n");
}

void
policy_diff_print(const struct policy_diff *diff, const struct decision *before,
                  const struct decision *after)
{
	cleanup_buf struct buf line = {0};
	struct text was = verdict_rule(&before->verdict),
		    is = verdict_rule(&after->verdict);

	if (diff->json) {
		write_json(&line, diff, before, after);
	} else {
		buf_printf(
		    &line, "%s -> %s %s:%zu: ", decision_name(before->verdict.decision),
		    decision_name(after->verdict.decision), diff->path, diff->line);
		write_subject(&line, after);
		buf_str(&line, " (");
		buf_quoted(&line, was, SHOWN_MAX);
		buf_str(&line, " -> ");
		buf_quoted(&line, is, SHOWN_MAX);
		buf_str(&line, ")\n");
	}
	(void)fwrite(line.at, 1, line.len, stdout);
}
