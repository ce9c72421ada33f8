/* SPDX-License-Identifier: Apache-2.0 */
/* check_json.c - a report for programs: check.schema.json. */
#include "cmd_check.h"

#include <stdio.h>

static void
flush(struct buf *buf)
{
	if (buf_ok(buf) && buf->len > 0)
		(void)fwrite(buf->at, 1, buf->len, stdout);
	else if (!buf_ok(buf))
		(void)cmd_complain("out of memory: the report is not whole");
}

static void
begin(const struct check *check)
{
	cleanup_buf struct buf buf = {0};
	char time[CHECK_TIME_MAX];

	check_time(check, time);
	buf_printf(&buf,
	           "{\"version\":1,\"tool\":\"seccomp-authz " VERSION
	           "\",\"time\":\"%s\",\"policy\":\"%s\",\n\"results\":[",
	           time, check->policy->digest);
	flush(&buf);
}

/* ,"name":"value" unless it is missing */
static void
add(struct buf *buf, const char *name, struct text value)
{
	if (!value.at)
		return;
	buf_printf(buf, ",\"%s\":", name);
	buf_json(buf, value, 0);
}

static void
add_container(struct buf *buf, const struct check_item *item)
{
	const struct container *container = item->container;
	const char *separator = "";

	buf_str(buf, ",\"postures\":[");
	for (enum posture posture = 0; container && posture < POSTURE_COUNT; posture++) {
		if (!(container->postures & POSTURE_BIT(posture)))
			continue;
		buf_printf(buf, "%s\"%s\"", separator, posture_name(posture));
		separator = ",";
	}
	buf_str(buf, "]");
	if (!container)
		return;
	add(buf, "container", item->name);
	add(buf, "image", container->image.text);
	if (container->digest[0] != '\0')
		add(buf, "profile", text_of(container->digest));
}

static void
write_item(const struct check *check, const struct check_item *item)
{
	const struct verdict *verdict = item->verdict;
	cleanup_buf struct buf buf = {0};
	bool first = check->deny + check->observe + check->allow == 0;

	buf_printf(&buf, "%s{\"decision\":\"%s\",\"file\":", first ? "\n" : ",\n",
	           item->decision);
	buf_json(&buf, text_of(item->path), 0);
	if (item->place.line > 0)
		buf_printf(&buf, ",\"line\":%u,\"column\":%u", item->place.line,
		           item->place.column);
	buf_printf(&buf, ",\"format\":\"%s\",\"reason\":\"%s\"", item->format,
	           reason_code(verdict->reason));
	if (verdict->has_posture)
		add(&buf, "posture", text_of(posture_name(verdict->posture)));
	add_container(&buf, item);
	add(&buf, "rule", verdict_rule(verdict));
	if (verdict->would)
		add(&buf, "would_match", verdict->would->id);
	add(&buf, "message", item->sentence);
	buf_str(&buf, "}");
	flush(&buf);
}

static void
end(const struct check *check)
{
	struct text complaints = buf_text(&check->complaints);
	cleanup_buf struct buf buf = {0};

	buf_str(&buf, "],\n\"errors\":[");
	if (complaints.len > 0) /* without the comma in front of the first */
		buf_add_text(&buf, text_from(complaints, 1));
	buf_printf(&buf,
	           "],\n\"summary\":{\"deny\":%zu,\"observe\":%zu,\"allow\":%zu,"
	           "\"errors\":%zu}}\n",
	           check->deny, check->observe, check->allow, check->errors);
	flush(&buf);
}

const struct check_writer check_json = {"json", begin, write_item, end};
