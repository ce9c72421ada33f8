/* SPDX-License-Identifier: Apache-2.0 */
/* policy_junit.c - what came of the cases of `policy test`, as JUnit XML. */
#include "cmd_policy_test.h"

#include <string.h>

/* Text of XML 1.0: characters that it forbids become '?'. */
static void
add_xml(struct buf *xml, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '<')
			buf_str(xml, "&lt;");
		else if (c == '>')
			buf_str(xml, "&gt;");
		else if (c == '&')
			buf_str(xml, "&amp;");
		else if (c == '"')
			buf_str(xml, "&quot;");
		else if (c < 0x20 && c != '\t')
			buf_char(xml, '?');
		else
			buf_char(xml, *text);
	}
}

static void
add_case(struct buf *xml, const struct policy_case *one)
{
	buf_str(xml, "    <testcase classname=\"");
	add_xml(xml, one->file);
	buf_str(xml, "\" name=\"");
	add_xml(xml, one->name);
	if (one->passed) {
		buf_str(xml, "\" time=\"0\"/>\n");
		return;
	}
	buf_str(xml, "\" time=\"0\">\n      <failure type=\"decision\" message=\"");
	add_xml(xml, one->why);
	buf_str(xml, "\"/>\n    </testcase>\n");
}

/* A suite is a file; its cases stand together. */
static size_t
add_suite(struct buf *xml, const struct policy_cases *cases, size_t from)
{
	size_t to = from, failures = 0;

	for (; to < cases->count && strcmp(cases->at[to].file, cases->at[from].file) == 0;
	     to++)
		failures += !cases->at[to].passed;
	buf_str(xml, "  <testsuite name=\"");
	add_xml(xml, cases->at[from].file);
	buf_printf(xml, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">\n",
	           to - from, failures);
	for (size_t i = from; i < to; i++)
		add_case(xml, &cases->at[i]);
	buf_str(xml, "  </testsuite>\n");
	return to;
}

void
policy_cases_write_junit(const struct policy_cases *cases, struct buf *xml)
{
	size_t failures = 0;

	for (size_t i = 0; i < cases->count; i++)
		failures += !cases->at[i].passed;
	buf_str(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	buf_printf(xml,
	           "<testsuites name=\"seccomp-authz policy test\" tests=\"%zu\" "
	           "failures=\"%zu\" errors=\"0\">\n",
	           cases->count, failures);
	for (size_t i = 0; i < cases->count;)
		i = add_suite(xml, cases, i);
	buf_str(xml, "</testsuites>\n");
}
