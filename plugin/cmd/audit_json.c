/* SPDX-License-Identifier: Apache-2.0 */
/* audit_json.c - a report for programs: audit.schema.json. */
#include "cmd_audit.h"

#include <inttypes.h>

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
add_postures(struct buf *buf, unsigned postures)
{
	const char *separator = "";

	buf_str(buf, ",\"postures\":[");
	for (enum posture posture = 0; posture < POSTURE_COUNT; posture++) {
		if (!(postures & POSTURE_BIT(posture)))
			continue;
		buf_printf(buf, "%s\"%s\"", separator, posture_name(posture));
		separator = ",";
	}
	buf_str(buf, "]");
}

static void
add_exception(struct buf *buf, const struct exception *exception)
{
	char time[AUDIT_TIME_MAX];

	if (!exception)
		return;
	buf_str(buf, ",\"exception\":{\"id\":");
	buf_json(buf, exception->id, 0);
	add(buf, "reason", exception->reason);
	if (exception->expires != POLICY_NEVER) {
		audit_time(exception->expires, time);
		add(buf, "expires", text_of(time));
	}
	buf_str(buf, "}");
}

static void
add_kernel(struct buf *buf, const struct audit_kernel *kernel)
{
	if (!kernel->seen)
		return;
	buf_printf(buf, ",\"kernel\":{\"seccomp\":%d", kernel->seccomp);
	if (kernel->filters >= 0)
		buf_printf(buf, ",\"filters\":%d", kernel->filters);
	buf_printf(buf,
	           ",\"inherited\":%s,\"processes\":%u,\"unfiltered\":%u,"
	           "\"contradicts\":%s}",
	           kernel->inherited ? "true" : "false", kernel->processes,
	           kernel->unfiltered, kernel->contradicts ? "true" : "false");
}

static void
add_cis(struct buf *buf, const struct audit_finding *finding)
{
	buf_printf(buf,
	           ",\"cis\":{\"ids\":{\"1.0-1.2\":\"5.21\",\"later\":\"5.22\"},"
	           "\"title\":\"" AUDIT_CIS_TITLE "\",\"result\":\"%s\"}",
	           audit_cis_result(finding));
}

void
audit_add_json(struct buf *buf, const struct audit_engine *engine,
               const struct audit_finding *finding)
{
	cleanup_buf struct buf what = {0};

	audit_describe(&what, finding);
	buf_str(buf, "{\"engine\":");
	buf_json(buf, text_of(engine->host), 0);
	add(buf, "kind", text_of(audit_kind_name(finding->kind)));
	add(buf, "verdict", text_of(audit_verdict_name(finding)));
	add(buf, "check", text_of(finding->check->id));
	add(buf, "id", finding->id);
	add(buf, "name", finding->name);
	add(buf, "image", finding->image);
	add(buf, "status", finding->status);
	add(buf, "message", buf_text(&what));
	if (finding->level != AUDIT_PASS)
		add(buf, "fix", text_of(finding->check->fix));
	if (finding->kind != AUDIT_ENGINE) {
		add_postures(buf, finding->postures);
		add(buf, "rule", finding->rule);
		add_exception(buf, finding->exception);
		add(buf, "evidence", finding->evidence);
		add(buf, "profile_digest", finding->digest);
		add_kernel(buf, &finding->kernel);
	}
	add_cis(buf, finding);
	buf_str(buf, "}");
}

static void
add_engine(struct buf *buf, const struct audit_engine *engine)
{
	buf_str(buf, "{\"host\":");
	buf_json(buf, text_of(engine->host), 0);
	add(buf, "name", text_of(engine->name));
	add(buf, "version", text_of(engine->version));
	buf_printf(buf, ",\"complete\":%s", engine->err.code ? "false" : "true");
	if (engine->err.code)
		add(buf, "error", text_of(engine->err.text));
	buf_str(buf, "}");
}

static void
add_summary(struct buf *buf, const struct audit *audit)
{
	struct audit_counts counts;

	audit_count(audit, &counts);
	buf_printf(buf,
	           ",\"summary\":{\"containers\":%zu,\"services\":%zu,\"fail\":%zu,"
	           "\"advice\":%zu,\"pass\":%zu,\"cis\":{\"pass\":%zu,\"fail\":%zu},"
	           "\"postures\":{",
	           counts.kinds[AUDIT_CONTAINER], counts.kinds[AUDIT_SERVICE],
	           counts.levels[AUDIT_FAIL], counts.levels[AUDIT_ADVICE],
	           counts.levels[AUDIT_PASS], counts.cis_pass, counts.cis_fail);
	for (enum posture posture = 0; posture < POSTURE_COUNT; posture++)
		buf_printf(buf, "%s\"%s\":%zu", posture > 0 ? "," : "",
		           posture_name(posture), counts.postures[posture]);
	buf_str(buf, "}}");
}

void
audit_write_json(const struct audit *audit)
{
	cleanup_buf struct buf buf = {0};
	char time[AUDIT_TIME_MAX];
	const char *separator = "\n";

	audit_time(audit->now_us / 1000000, time);
	buf_printf(&buf, "{\"version\":1,\"tool\":\"seccomp-authz %s\",\"time\":\"%s\"",
	           VERSION, time);
	add(&buf, "policy", text_of(audit->policy->digest));
	add_summary(&buf, audit);
	buf_str(&buf, ",\n\"engines\":[");
	for (size_t i = 0; i < audit->count; i++) {
		buf_str(&buf, i > 0 ? ",\n" : "\n");
		add_engine(&buf, &audit->engines[i]);
	}
	buf_str(&buf, "],\n\"findings\":[");
	for (size_t i = 0; i < audit->count; i++) {
		for (size_t k = 0; k < audit->engines[i].count; k++) {
			buf_str(&buf, separator);
			audit_add_json(&buf, &audit->engines[i],
			               &audit->engines[i].findings[k]);
			audit_flush(&buf);
			separator = ",\n";
		}
	}
	buf_str(&buf, "]}\n");
	audit_flush(&buf);
}
