/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_html.c - a report as one page that an auditor can keep.
 *
 * 1. Every text of an engine MUST pass audit_add_escaped(); attributes are in double quotes.
 * 2. Nothing MUST be fetched: no links out, no images, and a Content-Security-Policy that
 *    lets run no script but ours, by its hash.
 */
#include "cmd_audit.h"
#include "cmd_audit_page.h"

#include <nettle/base64.h>
#include <nettle/sha2.h>
#include <string.h>

enum { BAR_WIDTH = 360, BAR_STEP = 26, EXCEPTIONS_SHOWN_MAX = 1000 };

static void
add_cell(struct buf *buf, struct text t)
{
	buf_str(buf, "<td>");
	audit_add_escaped(buf, t);
	buf_str(buf, "</td>");
}

static void
add_head(struct buf *buf, const char *const *titles)
{
	buf_str(buf, "<thead><tr>");
	for (; *titles; titles++)
		buf_printf(buf, "<th scope=\"col\">%s</th>", *titles);
	buf_str(buf, "</tr></thead>\n<tbody>\n");
}

/* ---- the top ---- */

static void
add_policy_of_content(struct buf *buf)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	char encoded[BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE)];
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, strlen(audit_page_script),
	              (const uint8_t *)audit_page_script);
	sha256_digest(&sha, sizeof digest, digest);
	base64_encode_raw(encoded, sizeof digest, digest);
	buf_printf(buf,
	           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
	           "'none'; style-src 'unsafe-inline'; script-src 'sha256-%.*s'\">\n",
	           (int)sizeof encoded, encoded);
}

/* The answer in one sentence. */
static void
add_answer(struct buf *buf, const struct audit_counts *counts)
{
	bool fails = counts->levels[AUDIT_FAIL] > 0 || counts->errors > 0;

	buf_printf(buf, "<p class=\"answer %s\">", fails ? "bad" : "good");
	if (counts->errors > 0)
		buf_printf(buf, "Engines not seen whole: %zu. ", counts->errors);
	if (counts->levels[AUDIT_FAIL] > 0)
		buf_printf(buf, "Findings against the policy: %zu.",
		           counts->levels[AUDIT_FAIL]);
	else if (counts->errors > 0 && counts->levels[AUDIT_ADVICE] == 0 &&
	         counts->levels[AUDIT_PASS] == 0)
		buf_str(buf, "Nothing was judged.");
	else
		buf_str(buf, "What was seen is as the policy wants it.");
	buf_str(buf, "</p>\n");
}

static void
add_facts(struct buf *buf, const struct audit *audit, const struct audit_counts *counts)
{
	char time[AUDIT_TIME_MAX];

	audit_time(audit->now_us / 1000000, time);
	buf_printf(buf, "<dl><dt>Time</dt><dd><time>%s</time></dd>\n", time);
	for (size_t i = 0; i < audit->count; i++) {
		const struct audit_engine *engine = &audit->engines[i];

		buf_str(buf, "<dt>Engine</dt><dd>");
		audit_add_escaped(buf, text_of(engine->host));
		buf_str(buf, " ");
		audit_add_escaped(buf, text_of(engine->name));
		buf_str(buf, " ");
		audit_add_escaped(buf, text_of(engine->version));
		if (engine->err.code != ERR_NONE) {
			buf_str(buf, " <strong>not seen whole: ");
			audit_add_escaped(buf, text_of(engine->err.text));
			buf_str(buf, "</strong>");
		}
		buf_str(buf, "</dd>\n");
	}
	buf_printf(buf,
	           "<dt>Policy</dt><dd><code>%s</code></dd>\n<dt>Judged</dt><dd>%zu "
	           "containers, %zu services, %zu previous service specs</dd>\n"
	           "<dt>CIS Docker Benchmark</dt><dd>5.21 (1.0 to 1.2), 5.22 (later), "
	           "<cite>" AUDIT_CIS_TITLE "</cite>: %zu pass, %zu fail</dd>\n"
	           "<dt>Made by</dt><dd>seccomp-authz " VERSION "</dd></dl>\n",
	           audit->policy->digest, counts->kinds[AUDIT_CONTAINER],
	           counts->kinds[AUDIT_SERVICE], counts->kinds[AUDIT_PREVIOUS],
	           counts->cis_pass, counts->cis_fail);
}

/* Bars with their names and numbers: colour alone tells nothing. */
static void
add_chart(struct buf *buf, const struct audit_counts *counts)
{
	size_t most = 1, shown = 0, y = 0;

	for (int posture = 0; posture < POSTURE_COUNT; posture++) {
		most =
		    counts->postures[posture] > most ? counts->postures[posture] : most;
		shown += counts->postures[posture] > 0;
	}
	buf_printf(
	    buf,
	    "<figure><svg role=\"img\" aria-labelledby=\"chart-title\" viewBox=\"0 0 "
	    "560 %zu\" width=\"560\"><title id=\"chart-title\">Containers and "
	    "services by their worst posture</title>\n",
	    shown > 0 ? shown * BAR_STEP : 1);
	for (int posture = 0; posture < POSTURE_COUNT; posture++) {
		size_t count = counts->postures[posture];
		const char *name = posture_name((enum posture)posture);

		if (count == 0)
			continue;
		buf_printf(
		    buf,
		    "<text x=\"0\" y=\"%zu\">%s</text><rect class=\"%s\" x=\"100\" "
		    "y=\"%zu\" width=\"%zu\" height=\"18\"/><text x=\"%zu\" "
		    "y=\"%zu\">%zu</text>\n",
		    y + 15, name, name, y + 2, 2 + count * BAR_WIDTH / most,
		    110 + count * BAR_WIDTH / most, y + 15, count);
		y += BAR_STEP;
	}
	buf_str(buf, "</svg><figcaption>Containers and services by their worst posture"
	             "</figcaption></figure>\n");
}

/* ---- findings ---- */

static void
add_kernel(struct buf *buf, const struct audit_kernel *kernel)
{
	if (!kernel->seen)
		return;
	buf_printf(buf, "Seccomp: %d", kernel->seccomp);
	if (kernel->processes > 1)
		buf_printf(buf, ", %u of %u processes without", kernel->unfiltered,
		           kernel->processes);
	if (kernel->inherited)
		buf_str(buf, ", its parent's");
}

static void
add_row(struct buf *buf, const struct audit_engine *engine,
        const struct audit_finding *finding)
{
	cleanup_buf struct buf what = {0}, kernel = {0};
	const char *verdict = audit_verdict_name(finding);

	audit_describe(&what, finding);
	add_kernel(&kernel, &finding->kernel);
	buf_printf(buf,
	           "<tr data-verdict=\"%s\" data-check=\"%s\"><td data-sort=\"%d\"><span "
	           "class=\"v%d\">%s</span></td>",
	           verdict, finding->check->id, AUDIT_FAIL - (int)finding->level,
	           (int)finding->level, verdict);
	add_cell(buf, text_of(finding->check->id));
	buf_printf(buf, "<td>%s</td>", audit_kind_name(finding->kind));
	buf_str(buf, "<th scope=\"row\">");
	audit_add_escaped(buf, finding->name.len > 0 ? finding->name : finding->id);
	buf_str(buf, "</th>");
	add_cell(buf, finding->image);
	add_cell(buf, finding->status);
	add_cell(buf, buf_text(&kernel));
	add_cell(buf, finding->rule);
	buf_printf(buf, "<td>%s</td><td>",
	           finding->kind == AUDIT_CONTAINER ? audit_cis_result(finding) : "n/a");
	audit_add_escaped(buf, buf_text(&what));
	if (finding->evidence.len > 0) {
		buf_str(buf, "<br><code>");
		audit_add_escaped(buf, finding->evidence);
		buf_str(buf, "</code>");
	}
	if (finding->level != AUDIT_PASS) {
		buf_str(buf, "<br><em>");
		audit_add_escaped(buf, text_of(finding->check->fix));
		buf_str(buf, ".</em>");
	}
	buf_str(buf, "</td>");
	if (engine->audit->count > 1)
		add_cell(buf, text_of(engine->host));
	buf_str(buf, "</tr>\n");
}

static void
add_findings(struct buf *buf, const struct audit *audit)
{
	const char *const titles[] = {"Verdict",
	                              "Check",
	                              "Kind",
	                              "Name",
	                              "Image",
	                              "State",
	                              "Kernel",
	                              "Rule",
	                              "CIS",
	                              "What",
	                              audit->count > 1 ? "Engine" : NULL,
	                              NULL};

	buf_str(buf, audit_page_filter);
	buf_str(buf, "<table id=\"findings\"><caption>Findings, worst first</caption>\n");
	add_head(buf, titles);
	for (size_t i = 0; i < audit->count; i++) {
		for (size_t k = 0; k < audit->engines[i].count; k++) {
			add_row(buf, &audit->engines[i], &audit->engines[i].findings[k]);
			audit_flush(buf);
		}
	}
	buf_str(buf, "</tbody></table>\n");
}

/* ---- what to do, exceptions ---- */

static void
add_advice(struct buf *buf, const struct audit *audit)
{
	const struct audit_check *check;

	buf_str(buf, "<h2>What to do</h2>\n<ul>\n");
	for (size_t i = 0; (check = audit_check_at(i)); i++) {
		size_t count = audit_count_check(audit, check);

		if (count == 0)
			continue;
		buf_printf(buf, "<li><strong>%s</strong> (%zu): ", check->id, count);
		audit_add_escaped(buf, text_of(check->what));
		buf_str(buf, ". <em>");
		audit_add_escaped(buf, text_of(check->fix));
		buf_str(buf, ".</em></li>\n");
	}
	buf_str(buf, "</ul>\n");
}

static size_t
count_uses(const struct audit *audit, const struct exception *exception)
{
	size_t count = 0;

	for (size_t i = 0; i < audit->count; i++) {
		for (size_t k = 0; k < audit->engines[i].count; k++)
			count += audit->engines[i].findings[k].exception == exception;
	}
	return count;
}

static void
add_exceptions(struct buf *buf, const struct audit *audit)
{
	static const char *const titles[] = {"Id", "Reason", "Expires", "Used by", NULL};
	const struct policy *policy = audit->policy;

	buf_str(buf, "<h2>Exceptions of the policy</h2>\n");
	if (policy->count == 0)
		buf_str(buf, "<p>None.</p>\n");
	if (policy->count == 0)
		return;
	buf_str(buf, "<table>\n");
	add_head(buf, titles);
	for (size_t i = 0; i < policy->count && i < EXCEPTIONS_SHOWN_MAX; i++) {
		const struct exception *exception = &policy->exceptions[i];
		char time[AUDIT_TIME_MAX] = "never";

		if (exception->expires != POLICY_NEVER)
			audit_time(exception->expires, time);
		buf_str(buf, "<tr>");
		add_cell(buf, exception->id);
		add_cell(buf, exception->reason);
		buf_printf(buf, "<td>%s%s</td><td>%zu</td></tr>\n", time,
		           exception->expires <= audit->now_us / 1000000 ? " (expired)"
		                                                         : "",
		           count_uses(audit, exception));
	}
	buf_str(buf, "</tbody></table>\n");
	if (policy->count > EXCEPTIONS_SHOWN_MAX)
		buf_printf(buf, "<p>And %zu more.</p>\n",
		           policy->count - EXCEPTIONS_SHOWN_MAX);
}

void
audit_write_html(const struct audit *audit)
{
	cleanup_buf struct buf buf = {0};
	struct audit_counts counts;

	audit_count(audit, &counts);
	buf_str(&buf,
	        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n");
	add_policy_of_content(&buf);
	buf_str(&buf, audit_page_style);
	buf_str(&buf, "<main><h1>Seccomp audit</h1>\n");
	add_answer(&buf, &counts);
	add_facts(&buf, audit, &counts);
	add_chart(&buf, &counts);
	add_advice(&buf, audit);
	buf_str(&buf, "<h2>Findings</h2>\n");
	add_findings(&buf, audit);
	add_exceptions(&buf, audit);
	buf_printf(&buf, "</main><script>%s</script></body></html>\n", audit_page_script);
	audit_flush(&buf);
}
