/* SPDX-License-Identifier: Apache-2.0 */
/* audit_count.c - what the formats share: counts, time, escapes. */
#include "cmd_audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void
audit_count(const struct audit *audit, struct audit_counts *ret_counts)
{
	struct audit_counts counts = {.errors = 0};

	for (size_t i = 0; i < audit->count; i++) {
		const struct audit_engine *engine = &audit->engines[i];

		counts.errors += engine->err.code != ERR_NONE;
		for (size_t k = 0; k < engine->count; k++) {
			const struct audit_finding *finding = &engine->findings[k];

			counts.kinds[finding->kind]++;
			counts.levels[finding->level]++;
			if (finding->postures)
				counts.postures[posture_worst(finding->postures)]++;
			counts.cis_pass += audit_cis_result(finding)[0] == 'p';
			counts.cis_fail += audit_cis_result(finding)[0] == 'f';
		}
	}
	*ret_counts = counts;
}

size_t
audit_count_check(const struct audit *audit, const struct audit_check *check)
{
	size_t count = 0;

	for (size_t i = 0; i < audit->count; i++) {
		const struct audit_engine *engine = &audit->engines[i];

		for (size_t k = 0; k < engine->count; k++)
			count += engine->findings[k].check == check &&
			         engine->findings[k].level != AUDIT_PASS;
	}
	return count;
}

void
audit_time(int64_t seconds, char room[AUDIT_TIME_MAX])
{
	time_t time = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&time, &tm) ||
	    strftime(room, AUDIT_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		room[0] = '\0';
}

void
audit_add_escaped(struct buf *buf, struct text t)
{
	static const struct {
		char c;
		const char *entity;
	} entities[] = {{'&', "&amp;"},
	                {'<', "&lt;"},
	                {'>', "&gt;"},
	                {'"', "&quot;"},
	                {'\'', "&#39;"}};
	cleanup_buf struct buf plain = {0};

	buf_quoted(&plain, t, AUDIT_VALUE_MAX * 8);
	if (!buf_ok(&plain))
		buf->failed = true;
	for (size_t i = 1; i + 1 < plain.len; i++) {
		const char *entity = NULL;

		if (plain.at[i] == '\\' &&
		    (plain.at[i + 1] == '"' || plain.at[i + 1] == '\\'))
			i++;
		for (size_t k = 0; k < sizeof entities / sizeof entities[0]; k++) {
			if (plain.at[i] == entities[k].c)
				entity = entities[k].entity;
		}
		if (entity)
			buf_str(buf, entity);
		else
			buf_char(buf, plain.at[i]);
	}
}

void
audit_flush(struct buf *buf)
{
	if (!buf_ok(buf))
		exit(cmd_complain("out of memory: the report is not whole"));
	if (buf->len > 0)
		(void)fwrite(buf->at, 1, buf->len, stdout);
	buf_clear(buf);
}
