/* SPDX-License-Identifier: Apache-2.0 */
/* record_kind.c - which kinds of sinks there are, and what all of them have in common. */
#include "edge/record.h"

#include <string.h>

static const struct record_sink_kind *const all_kinds[] = {
    &record_sink_file,
    &record_sink_stdout,
    &record_sink_syslog,
    &record_sink_journald,
    NULL,
};

/* "a, b or c", for people. */
static void
list_usages(const struct record_sink_kind *const *kinds, struct buf *ret_list)
{
	for (size_t i = 0; kinds[i]; i++)
		buf_printf(ret_list, "%s%s",
		           i == 0         ? ""
		           : kinds[i + 1] ? ", "
		                          : " or ",
		           kinds[i]->usage ? kinds[i]->usage : kinds[i]->prefix);
}

static int
complain(const struct record_sink_kind *const *kinds, const char *sink, struct err *err)
{
	cleanup_buf struct buf list = {0};

	list_usages(kinds, &list);
	return err_set(err, ERR_TYPE, "record sink %.200s: no such kind; use %s", sink,
	               buf_ok(&list) && list.at ? list.at : "another");
}

const struct record_sink_kind *
record_sink_find(const struct record_sink_kind *const *kinds, const char *sink,
                 const char **ret_target, struct err *err)
{
	if (!kinds)
		kinds = all_kinds;
	for (size_t i = 0; kinds[i]; i++) {
		const char *prefix = kinds[i]->prefix;
		size_t len = strlen(prefix);
		bool takes_target = len > 0 && prefix[len - 1] == ':';

		if (strncmp(sink, prefix, len) != 0 ||
		    (!takes_target && sink[len] != '\0'))
			continue;
		*ret_target = sink + len;
		if (kinds[i]->check && kinds[i]->check(*ret_target, err))
			return NULL;
		return kinds[i];
	}
	(void)complain(kinds, sink, err);
	return NULL;
}

int
record_sink_sync(const struct record_sink_kind *kind, struct record_sink *sink,
                 enum record_sync when, int64_t *ret_due_ms, struct err *err)
{
	*ret_due_ms = INT64_MAX;
	return kind->sync && sink ? kind->sync(sink, when, ret_due_ms, err) : 0;
}

void
record_sink_warn(const struct record_sink_kind *kind, const struct record_sink *sink,
                 const struct log *log, const char *spec, bool *warned)
{
	const char *warning = kind->warning && sink ? kind->warning(sink) : NULL;

	if (warning && !*warned)
		log_warning(log, "record %s takes lines, but: %s", spec, warning);
	else if (!warning && *warned)
		log_warning(log, "record %s is as it should be again", spec);
	*warned = warning != NULL;
}
