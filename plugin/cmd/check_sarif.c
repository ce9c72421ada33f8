/* SPDX-License-Identifier: Apache-2.0 */
/* check_sarif.c - what is not allowed, as SARIF 2.1.0 for pages of code scanning. */
#include "cmd_check.h"
#include "cmd_sarif.h"

#include <stdio.h>
#include <string.h>

/* A rule for each posture and guard that can refuse. */
static const struct rule {
	const char *id, *what, *fix;
} rules[] = {
    {"unreadable", "What the container would run with can't be known",
     "Correct the file, or write the setting without what can't be read"},
    {"privileged", "The container is privileged, so without a seccomp filter",
     "Drop privileged and add the single capabilities it needs"},
    {"unconfined", "The container has no seccomp filter",
     "Drop the seccomp option, or name a profile"},
    {"permissive", "The seccomp profile blocks nothing",
     "Drop the profile, or use one that blocks"},
    {"weak", "The seccomp profile lets through calls which Docker's default blocks",
     "Use a stricter profile, or accept this one by its digest in the policy"},
    {"unset", "No seccomp profile is asked for",
     "Set securityContext.seccompProfile.type to RuntimeDefault"},
    {"localhost", "The seccomp profile is one of the node", "Use RuntimeDefault"},
    {"custom", "The container has a seccomp profile of its own",
     "Drop the profile to run under the engine's default"},
    {"default", "The container has the engine's default profile",
     "Use a profile that the policy allows"},
    {"self", "The request would change or shadow the plugin that guards the engine",
     "Change it through the engine's configuration"},
    {"plugins", "Managed plugins run without a seccomp filter",
     "Install it before the engine is guarded"},
    {"legacy-start", "A start with a HostConfig replaces what was judged at create",
     "Start it without a body"},
    {"runtimes", "The runtime is none that the policy lists",
     "Drop the runtime, or list it in the policy"},
    {"checkpoint", "A start from a checkpoint takes its filter from there",
     "Start it without a checkpoint"},
    {"builds", "What runs inside a build can't be seen", "Name an image"},
    {"rollback", "The spec that a rollback restores can't be seen",
     "Update the service to the earlier spec instead"},
    {"swarm-membership", "Tasks from another manager pass no plugin",
     "Do it before the engine is guarded"},
};

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

	(void)check;
	sarif_begin(&buf);
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		sarif_add_rule(&buf, i == 0, rules[i].id, rules[i].what, rules[i].fix);
	sarif_end_rules(&buf);
	sarif_begin_results(&buf);
	flush(&buf);
}

static void
add_location(struct buf *buf, const struct check_item *item)
{
	buf_str(buf, ",\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{"
	             "\"uri\":\"");
	sarif_add_uri(buf, strcmp(item->path, "-") == 0 ? "stdin" : item->path);
	buf_str(buf, "\"}");
	if (item->place.line > 0)
		buf_printf(buf, ",\"region\":{\"startLine\":%u,\"startColumn\":%u}",
		           item->place.line, item->place.column);
	buf_str(buf, "}");
	if (item->name.len > 0) {
		buf_str(buf, ",\"logicalLocations\":[{\"name\":");
		buf_json(buf, item->name, 0);
		buf_str(buf, "}]");
	}
	buf_str(buf, "}]");
}

static void
write_item(const struct check *check, const struct check_item *item)
{
	bool denied = strcmp(item->decision, "deny") == 0;
	cleanup_buf struct buf buf = {0}, print = {0};

	if (!denied && strcmp(item->decision, "observe") != 0)
		return;
	buf_printf(&buf, "%s{\"ruleId\":\"%s\",\"level\":\"%s\",\"message\":{\"text\":",
	           check->deny + check->observe == 0 ? "\n" : ",\n", item->rule_id,
	           denied ? "error" : "warning");
	buf_json(&buf, item->sentence, 0);
	buf_str(&buf, "}");
	add_location(&buf, item);
	/* the same finding in the next run, on whatever line and with whatever id */
	buf_str(&print, item->rule_id);
	buf_str(&print, " ");
	buf_str(&print, item->path);
	buf_str(&print, " ");
	buf_add_text(&print, item->name);
	buf_str(&buf, ",\"partialFingerprints\":{\"subject/v1\":");
	buf_json(&buf, buf_text(&print), 0);
	buf_str(&buf, "}}");
	flush(&buf);
}

static void
end(const struct check *check)
{
	cleanup_buf struct buf buf = {0};
	char time[CHECK_TIME_MAX];

	check_time(check, time);
	sarif_end_results(&buf);
	sarif_add_invocation(&buf, check->errors == 0, time,
	                     buf_text(&check->notifications));
	sarif_end(&buf);
	flush(&buf);
}

const struct check_writer check_sarif = {"sarif", begin, write_item, end};
