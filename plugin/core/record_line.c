/* SPDX-License-Identifier: Apache-2.0 */
/* record_line.c - a decision -> one JSON object of the record. */
#include "core/record_line.h"

#include "core/rfc3339.h"

#include <stdio.h>

enum {
	CONTAINERS_SHOWN_MAX = 64,
	WORD_MAX = 32,        /* bytes of a method, of a way to authenticate */
	QUERY_VALUE_MAX = 64, /* bytes of a value of the query */
};

/* ,"name":"value" unless the value is missing */
static void
add_bounded(struct buf *buf, const char *name, struct text value, size_t max)
{
	if (!value.at)
		return;
	buf_str(buf, ",\"");
	buf_str(buf, name);
	buf_str(buf, "\":");
	buf_quoted(buf, value, max); /* JSON that no terminal minds */
}

static void
add(struct buf *buf, const char *name, struct text value)
{
	add_bounded(buf, name, value, RECORD_VALUE_MAX);
}

static void
add_time(struct buf *buf, int64_t now_us)
{
	buf_str(buf, "\"time\":\"");
	rfc3339_write(buf, now_us / 1000000);
	buf_char(buf, '.');
	buf_number(buf, (uint64_t)now_us % 1000000, 6);
	buf_str(buf, "Z\"");
}

static void
add_postures(struct buf *buf, unsigned postures)
{
	const char *separator = "[\"";

	if (postures == 0)
		buf_char(buf, '[');
	for (enum posture posture = 0; posture < POSTURE_COUNT; posture++) {
		if (!(postures & POSTURE_BIT(posture)))
			continue;
		buf_str(buf, separator);
		buf_str(buf, posture_name(posture));
		buf_char(buf, '"');
		separator = ",\"";
	}
	buf_str(buf, "]");
}

static void
add_container(struct buf *buf, const struct decision *decision, size_t index)
{
	const struct container *container = &decision->workload.containers[index];
	const struct exception *exception =
	    decision->rulings ? decision->rulings[index].exception : NULL;

	buf_str(buf, "{\"name\":");
	buf_quoted(buf, container->name, RECORD_VALUE_MAX);
	/* what is no reference may be anything, a URL with a password too */
	if (container->image.kind != IMAGE_REF_INVALID)
		add(buf, "image", container->image.text);
	add(buf, "runtime", container->runtime);
	buf_str(buf, ",\"postures\":");
	add_postures(buf, container->postures);
	if (container->digest[0] != '\0')
		add(buf, "profile_digest", text_of(container->digest));
	if (exception && exception != decision->verdict.exception)
		add(buf, "rule", exception->id);
	buf_str(buf, "}");
}

/* The container that decided first, then the others as far as there is room. */
static void
add_containers(struct buf *buf, const struct decision *decision)
{
	const struct workload *workload = &decision->workload;
	size_t first = decision->verdict.container, shown = 0;

	if (workload->count == 0)
		return;
	buf_str(buf, ",\"containers\":[");
	for (size_t i = 0; i < workload->count && shown < CONTAINERS_SHOWN_MAX; i++) {
		size_t index = i == 0 ? first : i <= first ? i - 1 : i;

		if (shown > 0 && buf->len > RECORD_LINE_ROOM / 2)
			break;
		if (shown++ > 0)
			buf_char(buf, ',');
		add_container(buf, decision, index);
	}
	buf_str(buf, "]");
	if (shown < workload->count)
		buf_printf(buf, ",\"omitted\":%zu", workload->count - shown);
}

static void
add_cut(struct buf *buf, struct text t, size_t max)
{
	buf_add_text(buf, text_first(t, t.len > max ? max : t.len));
}

/* The decoded path and, of the query, only what says which thing is meant. */
static void
add_uri(struct buf *buf, const struct decision *decision)
{
	static const char *const keys[] = {"name", "version", "rollback", "checkpoint"};
	const struct docker_route *route = &decision->route;
	cleanup_buf struct buf uri = {0};
	cleanup_arena struct arena arena = {0};
	char separator = '?';

	if (!route->path.at)
		return;
	add_cut(&uri, route->path, RECORD_VALUE_MAX);
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		struct text value = docker_query(route, keys[i], &arena, NULL);

		if (!value.at)
			continue;
		buf_char(&uri, separator);
		buf_str(&uri, keys[i]);
		buf_char(&uri, '=');
		add_cut(&uri, value, QUERY_VALUE_MAX);
		separator = '&';
	}
	buf_str(buf, ",\"uri\":");
	buf_quoted(buf, buf_text(&uri), 0);
}

/* Which object of Kubernetes it is about. */
static void
add_admission(struct buf *buf, const struct decision *decision)
{
	const struct admission *admission = &decision->admission;

	add(buf, "namespace", decision->workload.space);
	add(buf, "kind", admission->kind);
	add(buf, "object", admission->name);
	if (admission->dry_run)
		buf_str(buf, ",\"dry_run\":true");
}

void
record_line(struct buf *buf, const struct decision *decision,
            const struct circumstances *circumstances, struct text host)
{
	const struct verdict *verdict = &decision->verdict;
	const struct workload *workload = &decision->workload;

	buf_str(buf, "{");
	add_time(buf, circumstances->now_us);
	add(buf, "id", text_of(verdict->id));
	add(buf, "decision", text_of(decision_name(verdict->decision)));
	add(buf, "reason", text_of(reason_code(verdict->reason)));
	if (verdict->message[0] != '\0') {
		buf_str(buf, ",\"message\":");
		buf_quoted(buf, text_of(verdict->message), 0);
	}
	if (verdict->has_posture)
		add(buf, "posture", text_of(posture_name(verdict->posture)));
	add(buf, "door", text_of(door_name(workload->door)));
	add(buf, "operation", text_of(operation_name(workload->operation)));
	add(buf, "user", workload->user);
	add_bounded(buf, "auth", workload->auth, WORD_MAX);
	add_bounded(buf, "method", decision->authz.method, WORD_MAX);
	add_uri(buf, decision);
	add_admission(buf, decision);
	add_containers(buf, decision);
	add(buf, "rule", verdict_rule(verdict));
	if (verdict->would)
		add(buf, "would_match", verdict->would->id);
	add(buf, "policy", text_of(verdict->policy));
	add(buf, "host", host);
}
