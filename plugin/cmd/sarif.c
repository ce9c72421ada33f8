/* SPDX-License-Identifier: Apache-2.0 */
/* sarif.c - the frame of a SARIF 2.1.0 log. */
#include "cmd_sarif.h"

#include <string.h>

void
sarif_begin(struct buf *buf)
{
	buf_str(buf, "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\","
	             "\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":"
	             "\"seccomp-authz\",\"semanticVersion\":\"" VERSION "\",\"rules\":[");
}

void
sarif_add_rule(struct buf *buf, bool first, const char *id, const char *what,
               const char *fix)
{
	buf_printf(buf, "%s{\"id\":\"%s\",\"shortDescription\":{\"text\":",
	           first ? "\n" : ",\n", id);
	buf_json(buf, text_of(what), 0);
	buf_str(buf, "},\"help\":{\"text\":");
	buf_json(buf, text_of(fix), 0);
	buf_str(buf, "}}");
}

void
sarif_end_rules(struct buf *buf)
{
	buf_str(buf, "]}}");
}

void
sarif_add_invocation(struct buf *buf, bool successful, const char *time,
                     struct text notifications)
{
	buf_printf(buf,
	           ",\n\"invocations\":[{\"executionSuccessful\":%s,\"startTimeUtc\":\"%s"
	           "\",\"toolExecutionNotifications\":[",
	           successful ? "true" : "false", time);
	buf_add_text(buf, notifications);
	buf_str(buf, "]}]");
}

void
sarif_add_notification(struct buf *buf, const char *uri, struct text message)
{
	if (buf->len > 0)
		buf_char(buf, ',');
	buf_str(buf, "{\"level\":\"error\",\"message\":{\"text\":");
	buf_json(buf, message, 0);
	buf_str(buf, "}");
	if (uri) {
		buf_str(buf,
		        ",\"locations\":[{\"physicalLocation\":{\"artifactLocation\":"
		        "{\"uri\":\"");
		sarif_add_uri(buf, uri);
		buf_str(buf, "\"}}}]");
	}
	buf_str(buf, "}");
}

void
sarif_begin_results(struct buf *buf)
{
	buf_str(buf, ",\n\"results\":[");
}

void
sarif_end_results(struct buf *buf)
{
	buf_str(buf, "]");
}

void
sarif_end(struct buf *buf)
{
	buf_str(buf, "}]}\n");
}

void
sarif_add_uri(struct buf *buf, const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/";

	while (path[0] == '.' && path[1] == '/' && path[2] != '\0')
		path += 2;
	if (path[0] == '/')
		buf_str(buf, "file://");
	for (; *path; path++) {
		if (strchr(plain, *path))
			buf_char(buf, *path);
		else
			buf_printf(buf, "%%%02X", (unsigned)(unsigned char)*path);
	}
}
