/* SPDX-License-Identifier: Apache-2.0 */
/* audit_table.c - a report for a terminal, and in the form of the manual command. */
#include "cmd_audit.h"
#include "cmd_table.h"

#include <inttypes.h>
#include <stdio.h>

static const struct table_column columns[] = {
    {"VERDICT", 7, 0, false}, {"POSTURE", 10, 1, false}, {"NAME", 11, 3, false},
    {"IMAGE", 14, 5, true},   {"STATE", 9, 0, false},    {"SECCOMP", 7, 0, false},
    {"RULE", 7, 2, false},
};

enum {
	COLUMNS = sizeof columns / sizeof columns[0],
	COLUMNS_MIN = 3, /* verdict, posture, name */
};

/* On a narrow terminal without the last columns, before its lines are broken. */
static struct table
fitting_table(void)
{
	struct table table = {columns, COLUMNS, table_terminal_width()};

	while (table.width > 0 && table.count > COLUMNS_MIN &&
	       table_least_width(&table) > table.width)
		table.count--;
	return table;
}

/* "privileged+custom"; of an engine the check. */
static void
write_postures(struct buf *buf, const struct audit_finding *finding)
{
	const char *separator = "";

	if (posture_from_name(text_of(finding->check->id)) < 0) {
		buf_str(buf, finding->check->id);
		return;
	}
	for (enum posture posture = 0; posture < POSTURE_COUNT; posture++) {
		if (!(finding->postures & POSTURE_BIT(posture)))
			continue;
		buf_printf(buf, "%s%s", separator, posture_name(posture));
		separator = "+";
	}
}

/* What the kernel says: "2", "0", or "0:1/3" for one of three processes. */
static void
write_kernel(struct buf *buf, const struct audit_kernel *kernel)
{
	if (!kernel->seen)
		return;
	if (kernel->unfiltered > 0 && kernel->unfiltered < kernel->processes)
		buf_printf(buf, "0:%u/%u", kernel->unfiltered, kernel->processes);
	else
		buf_printf(buf, "%d%s", kernel->seccomp,
		           kernel->inherited ? "=parent" : "");
}

void
audit_write_row(const struct audit_finding *finding)
{
	const struct table table = fitting_table();
	cleanup_buf struct buf postures = {0}, kernel = {0};
	bool engine = finding->kind == AUDIT_ENGINE;
	struct text cells[COLUMNS] = {text_of(audit_verdict_name(finding))};

	write_postures(&postures, finding);
	write_kernel(&kernel, &finding->kernel);
	cells[1] = buf_text(&postures);
	cells[2] = finding->name;
	cells[3] = engine ? finding->detail : finding->image;
	cells[4] = finding->status.at ? finding->status
	                              : text_of(audit_kind_name(finding->kind));
	cells[5] = buf_text(&kernel);
	cells[6] = finding->rule;
	table_row(&table, cells);
}

static void
write_advice(const struct audit *audit)
{
	const int width = table_terminal_width();
	const struct audit_check *check;
	cleanup_buf struct buf text = {0};
	bool first = true;

	for (size_t i = 0; (check = audit_check_at(i)); i++) {
		size_t count = audit_count_check(audit, check);

		if (count == 0)
			continue;
		if (first)
			(void)printf("\nWhat to do:\n");
		buf_printf(&text, "  %s (%zu): %s.", check->id, count, check->what);
		table_paragraph(buf_text(&text), 6, width);
		buf_clear(&text);
		buf_printf(&text, "      %s.", check->fix);
		table_paragraph(buf_text(&text), 6, width);
		buf_clear(&text);
		first = false;
	}
}

static void
write_total(const struct audit *audit)
{
	cleanup_buf struct buf text = {0};
	struct audit_counts counts;

	audit_count(audit, &counts);
	(void)putchar('\n');
	buf_printf(&text,
	           "%zu containers, %zu services: %zu to deny, %zu to observe or "
	           "advice, %zu passed; CIS: %zu fail; policy %.19s",
	           counts.kinds[AUDIT_CONTAINER], counts.kinds[AUDIT_SERVICE],
	           counts.levels[AUDIT_FAIL], counts.levels[AUDIT_ADVICE],
	           counts.levels[AUDIT_PASS], counts.cis_fail, audit->policy->digest);
	table_paragraph(buf_text(&text), 0, table_terminal_width());
	if (counts.errors > 0)
		(void)printf("not seen whole: %zu of %zu engines\n", counts.errors,
		             audit->count);
}

void
audit_write_table(const struct audit *audit)
{
	const struct table table = fitting_table();

	for (size_t i = 0; i < audit->count; i++) {
		const struct audit_engine *engine = &audit->engines[i];

		if (audit->count > 1)
			(void)printf("%s%s\n", i > 0 ? "\n" : "", engine->host);
		if (engine->count > 0)
			table_head(&table);
		for (size_t k = 0; k < engine->count; k++)
			audit_write_row(&engine->findings[k]);
		if (audit->count > 1 && engine->err.code != ERR_NONE)
			(void)printf("not seen whole\n");
	}
	write_advice(audit);
	write_total(audit);
}

/*
 * "ID: SecurityOpt=[...]" as the manual command prints it, then the verdict: of the
 * benchmark, of the policy, and why. Evidence that isn't whole says so.
 */
static void
add_cis_line(struct buf *line, const struct audit_finding *finding)
{
	cleanup_buf struct buf evidence = {0};

	buf_quoted(&evidence, finding->evidence, 0);
	if (!buf_ok(&evidence) || evidence.len < 2)
		return;
	buf_add_text(line, finding->id);
	buf_printf(line, ": %.*s %s %s ", (int)evidence.len - 2, evidence.at + 1,
	           audit_cis_result(finding), audit_verdict_name(finding));
	write_postures(line, finding);
	buf_char(line, '\n');
}

void
audit_write_cis(const struct audit *audit)
{
	cleanup_buf struct buf line = {0};

	for (size_t i = 0; i < audit->count; i++) {
		const struct audit_engine *engine = &audit->engines[i];

		for (size_t k = 0; k < engine->count; k++) {
			if (engine->findings[k].kind == AUDIT_ENGINE)
				continue;
			add_cis_line(&line, &engine->findings[k]);
			audit_flush(&line);
		}
		if (engine->err.code != ERR_NONE)
			buf_printf(&line, "%s: not seen whole\n", engine->host);
	}
	audit_flush(&line);
}
