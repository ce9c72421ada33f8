/* SPDX-License-Identifier: Apache-2.0 */
/* audit_ci.c - a report for a CI: JUnit XML and SARIF 2.1.0. */
#include "cmd_audit.h"
#include "cmd_sarif.h"

/* What a finding is about, for a person: "web (nginx)", the engine for the rest. */
static void
add_subject(struct buf *buf, const struct audit_engine *engine,
            const struct audit_finding *finding)
{
	struct text host = text_of(engine->host);
	struct text name = finding->name.at ? finding->name : finding->id;

	buf_add_text(buf, finding->kind == AUDIT_ENGINE || !name.at ? host : name);
	if (finding->image.len > 0 && finding->kind != AUDIT_ENGINE) {
		buf_str(buf, " (");
		buf_add_text(buf, finding->image);
		buf_str(buf, ")");
	}
}

/* ---- JUnit: what both Jenkins and Maven Surefire take (tests/schemas/junit.xsd) ---- */

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
	buf_str(buf, "\" time=\"0\">");
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
	audit_add_escaped(buf, text_of(engine->host));
	buf_printf(buf,
	           "\" tests=\"%zu\" failures=\"%zu\" errors=\"%d\" "
	           "skipped=\"0\">\n",
	           engine->count + broken, failed, broken);
	for (size_t k = 0; k < engine->count; k++) {
		add_case(buf, engine, &engine->findings[k]);
		audit_flush(buf);
	}
	if (broken) {
		buf_str(buf, "<testcase classname=\"engine\" name=\"seen whole\" "
		             "time=\"0\"><error "
		             "type=\"not seen whole\" message=\"");
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
	buf_str(&text, engine->host);
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

	for (size_t i = 0; (check = audit_check_at(i)); i++)
		sarif_add_rule(buf, i == 0, check->id, check->what, check->fix);
}

static void
add_invocation(struct buf *buf, const struct audit *audit)
{
	cleanup_buf struct buf notifications = {0};
	struct audit_counts counts;
	char time[AUDIT_TIME_MAX];

	audit_count(audit, &counts);
	audit_time(audit->now_us / 1000000, time);
	for (size_t i = 0; i < audit->count; i++) {
		if (audit->engines[i].err.code != ERR_NONE)
			sarif_add_notification(&notifications, NULL,
			                       text_of(audit->engines[i].err.text));
	}
	if (!buf_ok(&notifications))
		buf->failed = true;
	sarif_add_invocation(buf, counts.errors == 0, time, buf_text(&notifications));
}

void
audit_write_sarif(const struct audit *audit)
{
	cleanup_buf struct buf buf = {0};
	const char *separator = "\n";

	sarif_begin(&buf);
	add_rules(&buf);
	sarif_end_rules(&buf);
	add_invocation(&buf, audit);
	sarif_begin_results(&buf);
	for (size_t i = 0; i < audit->count; i++) {
		for (size_t k = 0; k < audit->engines[i].count; k++) {
			buf_str(&buf, separator);
			add_result(&buf, &audit->engines[i],
			           &audit->engines[i].findings[k]);
			audit_flush(&buf);
			separator = ",\n";
		}
	}
	sarif_end_results(&buf);
	sarif_end(&buf);
	audit_flush(&buf);
}
