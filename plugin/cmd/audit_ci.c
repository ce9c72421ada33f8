/* SPDX-License-Identifier: Apache-2.0 */
/* audit_ci.c - a report for a CI: JUnit XML and SARIF 2.1.0. */
#include "cmd_audit.h"

/* What a finding is about, for a person: "web (nginx)", the engine for the rest. */
static void
add_subject(struct buf *buf, const struct audit_engine *engine,
            const struct audit_finding *finding)
{
	struct text host = text_of(engine->target.host);
	struct text name = finding->name.at ? finding->name : finding->id;

	buf_add_text(buf, finding->kind == AUDIT_ENGINE || !name.at ? host : name);
	if (finding->image.len > 0 && finding->kind != AUDIT_ENGINE) {
		buf_str(buf, " (");
		buf_add_text(buf, finding->image);
		buf_str(buf, ")");
	}
}

/* ---- JUnit ---- */

static void
add_case(struct buf *buf, const struct audit_engine *engine,
         const struct audit_finding *finding)
{
	cleanup_buf struct buf subject = {0}, what = {0};

	add_subject(&subject, engine, finding);
	audit_describe(&what, finding);
	buf_printf(buf, "<testcase classname=\"%s\" name=\"",
	           finding->kind == AUDIT_ENGINE ? finding->check->id
	                                         : audit_kind_name(finding->kind));
	audit_add_escaped(buf, buf_text(&subject));
	buf_str(buf, "\">");
	if (finding->level == AUDIT_FAIL) {
		buf_printf(buf, "<failure type=\"%s\" message=\"", finding->check->id);
		audit_add_escaped(buf, buf_text(&what));
		buf_str(buf, "\">");
		audit_add_escaped(buf, finding->evidence);
		audit_add_escaped(buf, TEXT_LIT(". "));
		audit_add_escaped(buf, text_of(finding->check->fix));
		buf_str(buf, "</failure>");
	} else if (finding->level == AUDIT_ADVICE) {
		buf_str(buf, "<system-out>");
		audit_add_escaped(buf, buf_text(&what));
		buf_str(buf, "</system-out>");
	}
	buf_str(buf, "</testcase>\n");
}

static void
add_suite(struct buf *buf, const struct audit_engine *engine)
{
	bool broken = engine->err.code != ERR_NONE;
	size_t failed = 0;

	for (size_t k = 0; k < engine->count; k++)
		failed += engine->findings[k].level == AUDIT_FAIL;
	buf_str(buf, "<testsuite name=\"");
	audit_add_escaped(buf, text_of(engine->target.host));
	buf_printf(buf, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%d\">\n",
	           engine->count + broken, failed, broken);
	for (size_t k = 0; k < engine->count; k++) {
		add_case(buf, engine, &engine->findings[k]);
		audit_flush(buf);
	}
	if (broken) {
		buf_str(buf, "<testcase classname=\"engine\" name=\"seen whole\"><error "
		             "message=\"");
		audit_add_escaped(buf, text_of(engine->err.text));
		buf_str(buf, "\"/></testcase>\n");
	}
	buf_str(buf, "</testsuite>\n");
}

void
audit_write_junit(const struct audit *audit)
{
	cleanup_buf struct buf buf = {0};

	buf_str(&buf, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	              "<testsuites name=\"seccomp-authz audit\">\n");
	for (size_t i = 0; i < audit->count; i++)
		add_suite(&buf, &audit->engines[i]);
	buf_str(&buf, "</testsuites>\n");
	audit_flush(&buf);
}

/* ---- SARIF ---- */

static void
add_result(struct buf *buf, const struct audit_engine *engine,
           const struct audit_finding *finding)
{
	static const char *const levels[] = {"none", "note", "error"};
	cleanup_buf struct buf text = {0};

	buf_printf(buf, "{\"ruleId\":\"%s\",\"kind\":\"%s\",\"level\":\"%s\"",
	           finding->check->id, finding->level == AUDIT_PASS ? "pass" : "fail",
	           levels[finding->level]);
	add_subject(&text, engine, finding);
	buf_str(&text, " ");
	audit_describe(&text, finding);
	buf_str(buf, ",\"message\":{\"text\":");
	buf_json(buf, buf_text(&text), 0);
	buf_clear(&text);
	buf_str(&text, engine->target.host);
	if (finding->kind != AUDIT_ENGINE) {
		buf_printf(&text, "/%s/", audit_kind_name(finding->kind));
		buf_add_text(&text, finding->name.at ? finding->name : finding->id);
	}
	buf_str(buf, "},\"locations\":[{\"logicalLocations\":[{\"fullyQualifiedName\":");
	buf_json(buf, buf_text(&text), 0);
	buf_str(buf, "}]}],\"partialFingerprints\":{\"subject/v1\":");
	buf_json(buf, finding->id.at ? finding->id : buf_text(&text), 0);
	buf_str(buf, "},\"properties\":");
	audit_add_json(buf, engine, finding);
	buf_str(buf, "}");
}

static void
add_rules(struct buf *buf)
{
	const struct audit_check *check;

	for (size_t i = 0; (check = audit_check_at(i)); i++) {
		buf_printf(buf, "%s{\"id\":\"%s\",\"shortDescription\":{\"text\":",
		           i > 0 ? ",\n" : "\n", check->id);
		buf_json(buf, text_of(check->what), 0);
		buf_str(buf, "},\"help\":{\"text\":");
		buf_json(buf, text_of(check->fix), 0);
		buf_str(buf, "}}");
	}
}

static void
add_invocation(struct buf *buf, const struct audit *audit)
{
	struct audit_counts counts;
	const char *separator = "";
	char time[AUDIT_TIME_MAX];

	audit_count(audit, &counts);
	audit_time(audit->now_us / 1000000, time);
	buf_printf(buf,
	           "\"invocations\":[{\"executionSuccessful\":%s,\"startTimeUtc\":\"%s\","
	           "\"toolExecutionNotifications\":[",
	           counts.errors > 0 ? "false" : "true", time);
	for (size_t i = 0; i < audit->count; i++) {
		if (audit->engines[i].err.code == ERR_NONE)
			continue;
		buf_printf(buf,
		           "%s{\"level\":\"error\",\"message\":{\"text\":", separator);
		buf_json(buf, text_of(audit->engines[i].err.text), 0);
		buf_str(buf, "}}");
		separator = ",";
	}
	buf_str(buf, "]}]");
}

void
audit_write_sarif(const struct audit *audit)
{
	cleanup_buf struct buf buf = {0};
	const char *separator = "\n";

	buf_str(&buf,
	        "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\","
	        "\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":"
	        "\"seccomp-authz\",\"semanticVersion\":\"" VERSION "\",\"rules\":[");
	add_rules(&buf);
	buf_str(&buf, "]}},\n");
	add_invocation(&buf, audit);
	buf_str(&buf, ",\n\"results\":[");
	for (size_t i = 0; i < audit->count; i++) {
		for (size_t k = 0; k < audit->engines[i].count; k++) {
			buf_str(&buf, separator);
			add_result(&buf, &audit->engines[i],
			           &audit->engines[i].findings[k]);
			audit_flush(&buf);
			separator = ",\n";
		}
	}
	buf_str(&buf, "]}]}\n");
	audit_flush(&buf);
}
