/* SPDX-License-Identifier: Apache-2.0 */
/* log_summary.c - counts the decisions of a record by day, image, user and rule. */
#include "cmd_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	KEYS_MAX = 10000, /* of one kind; what comes after that counts as "(others)" */
	KEY_SHOWN = 256,
	DAY_LEN = sizeof "2026-01-31" - 1,
};

enum counted { COUNT_DENY, COUNT_ALLOW, COUNT_OBSERVE, COUNTS };

static const char *const counted_names[COUNTS] = {"deny", "allow", "observe"};

enum kind { BY_DAY, BY_IMAGE, BY_USER, BY_RULE, KINDS };

static const char *const kind_names[KINDS] = {"day", "image", "user", "rule"};

struct tally {
	char *key;
	size_t len;
	uint64_t counts[COUNTS];
};

struct log_summary {
	struct {
		json_t *index; /* key -> its place in `tallies` */
		struct tally *tallies;
		size_t count;
	} by[KINDS];
};

struct log_summary *
log_summary_new(void)
{
	struct log_summary *summary = calloc(1, sizeof *summary);

	for (int i = 0; summary && i < KINDS; i++) {
		summary->by[i].index = json_object();
		summary->by[i].tallies = calloc(KEYS_MAX + 1, sizeof(struct tally));
		if (summary->by[i].index && summary->by[i].tallies)
			continue;
		log_summary_free(summary);
		return NULL;
	}
	return summary;
}

void
log_summary_free(struct log_summary *summary)
{
	if (!summary)
		return;
	for (int i = 0; i < KINDS; i++) {
		for (size_t k = 0; k < summary->by[i].count; k++)
			free(summary->by[i].tallies[k].key);
		free(summary->by[i].tallies);
		json_decref(summary->by[i].index);
	}
	free(summary);
}

/* The tally of a key; NULL when out of memory. */
static struct tally *
find_tally(struct log_summary *summary, int kind, const char *key)
{
	json_t *index = summary->by[kind].index, *place;
	struct tally *tally;

	if (summary->by[kind].count >= KEYS_MAX && !json_object_get(index, key))
		key = "(others)";
	place = json_object_get(index, key);
	if (place)
		return &summary->by[kind].tallies[json_integer_value(place)];
	if (json_object_set_new(index, key,
	                        json_integer((json_int_t)summary->by[kind].count)) != 0)
		return NULL;
	tally = &summary->by[kind].tallies[summary->by[kind].count];
	tally->key = strdup(key);
	if (!tally->key)
		return NULL;
	tally->len = strlen(key);
	summary->by[kind].count++;
	return tally;
}

/* jansson's keys are C strings; a value with a NUL in it is cut there. */
static int
count(struct log_summary *summary, int kind, struct text key, enum counted counted)
{
	cleanup_buf struct buf name = {0};
	struct tally *tally;

	buf_add_text(&name, key.len > 0 ? key : TEXT_LIT("-"));
	tally = buf_ok(&name) ? find_tally(summary, kind, name.at) : NULL;
	if (!tally)
		return -1;
	tally->counts[counted]++;
	return 0;
}

int
log_summary_add(struct log_summary *summary, const json_t *record)
{
	struct text decision = log_field(record, "decision");
	struct text time = log_field(record, "time");

	for (int i = 0; i < COUNTS; i++) {
		if (!text_is(decision, counted_names[i]))
			continue;
		if (count(summary, BY_DAY,
		          text_first(time, time.len < DAY_LEN ? time.len : DAY_LEN), i) ||
		    count(summary, BY_IMAGE, log_field(log_container(record), "image"),
		          i) ||
		    count(summary, BY_USER, log_field(record, "user"), i) ||
		    count(summary, BY_RULE, log_field(record, "rule"), i))
			return -1;
	}
	return 0;
}

static uint64_t
total(const struct tally *tally)
{
	return tally->counts[COUNT_DENY] + tally->counts[COUNT_ALLOW] +
	       tally->counts[COUNT_OBSERVE];
}

static int
compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct tally *)a)->key, ((const struct tally *)b)->key);
}

/* The most frequent first. */
static int
compare_totals(const void *a, const void *b)
{
	uint64_t x = total(a), y = total(b);

	return x != y ? (x < y) - (x > y) : compare_keys(a, b);
}

static void
add_text_row(struct buf *out, const struct tally *tally)
{
	for (int i = 0; i < COUNTS; i++)
		buf_printf(out, "%9" PRIu64, tally->counts[i]);
	buf_str(out, "  ");
	buf_quoted(out, (struct text){tally->key, tally->len}, KEY_SHOWN);
	buf_char(out, '\n');
}

static void
add_json_row(struct buf *out, const struct tally *tally)
{
	buf_json(out, (struct text){tally->key, tally->len}, KEY_SHOWN);
	buf_char(out, ':');
	for (int i = 0; i < COUNTS; i++)
		buf_printf(out, "%s\"%s\":%" PRIu64, i == 0 ? "{" : ",", counted_names[i],
		           tally->counts[i]);
	buf_char(out, '}');
}

static void
print_kind(struct log_summary *summary, int kind, bool json)
{
	struct tally *tallies = summary->by[kind].tallies;
	size_t count = summary->by[kind].count;

	if (count > 1)
		qsort(tallies, count, sizeof *tallies,
		      kind == BY_DAY ? compare_keys : compare_totals);
	if (json)
		(void)printf("%s\"%s\":{", kind == 0 ? "{" : ",", kind_names[kind]);
	else
		(void)printf("%s%9s%9s%9s  by %s\n", kind == 0 ? "" : "\n", "DENY",
		             "ALLOW", "OBSERVE", kind_names[kind]);
	for (size_t i = 0; i < count; i++) {
		cleanup_buf struct buf out = {0};

		if (json)
			buf_str(&out, i == 0 ? "" : ",");
		if (json)
			add_json_row(&out, &tallies[i]);
		else
			add_text_row(&out, &tallies[i]);
		if (buf_ok(&out))
			(void)fwrite(out.at, 1, out.len, stdout);
	}
	if (json)
		(void)fputs("}", stdout);
}

void
log_summary_print(struct log_summary *summary, bool json)
{
	for (int kind = 0; kind < KINDS; kind++)
		print_kind(summary, kind, json);
	if (json)
		(void)puts("}");
}
