/* SPDX-License-Identifier: Apache-2.0 */
/* check_report.c - from a decision and a place in a document to one line of a report. */
#include "cmd_check.h"
#include "cmd_sarif.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

struct circumstances
check_circumstances(const struct check *check)
{
	struct circumstances circumstances = {
	    .policy = check->policy,
	    .plugin_name = TEXT_LIT("seccomp-authz"),
	    .now_us = check->now_us,
	};

	(void)!getrandom(circumstances.entropy, sizeof circumstances.entropy, 0);
	return circumstances;
}

/* ---- places ---- */

/* Where the byte `offset` of a file stands in it. Files are walked once where what is
   found comes in their order. */
static struct yaml_place
place_in(struct check_cursor *cursor, struct text file, size_t offset)
{
	if (cursor->file != file.at || cursor->offset > offset)
		*cursor = (struct check_cursor){.file = file.at,
		                                .place = {.line = 1, .column = 1}};
	for (; cursor->offset < offset && cursor->offset < file.len; cursor->offset++) {
		char c = file.at[cursor->offset];

		if (c == '\n') {
			cursor->place.line++;
			cursor->place.column = 1;
		} else if (((unsigned char)c & 0xc0) != 0x80) {
			cursor->place.column++; /* a character, not each of its bytes */
		}
	}
	return cursor->place;
}

struct yaml_place
check_place(struct check *check, const struct check_document *document, const char *at)
{
	struct text text = document->text, file = document->file;
	size_t offset = 0;

	if (document->yaml)
		return yaml_document_place(document->yaml,
		                           at >= text.at && at < text.at + text.len
		                               ? (size_t)(at - text.at)
		                               : 0);
	if (at >= file.at && at <= file.at + file.len)
		offset = (size_t)(at - file.at);
	return place_in(&check->cursor, file, offset);
}

/* ---- sentences ---- */

/* Bytes of the JSON that a YAML document was made into tell nobody anything. */
static void
add_without_byte(struct buf *buf, const char *message, size_t byte)
{
	char number[40];
	const char *hit;

	(void)snprintf(number, sizeof number, " (byte %zu)", byte - 1);
	hit = byte > 0 ? strstr(message, number) : NULL;
	if (!hit) {
		buf_str(buf, message);
		return;
	}
	buf_add(buf, message, (size_t)(hit - message));
	buf_str(buf, hit + strlen(number));
}

static void
add_sentence(struct buf *buf, const struct check_document *document,
             const struct verdict *verdict, const struct workload *workload)
{
	if (verdict->message[0] != '\0')
		add_without_byte(buf, verdict->message,
		                 document->yaml ? workload->unreadable.byte : 0);
	else if (verdict->reason == REASON_NOT_JUDGED)
		buf_str(buf, "runs nothing that needs a seccomp filter");
	else if (verdict->exception)
		buf_str(buf, "let through by an exception");
	else
		buf_str(buf, "runs with a seccomp filter");
}

void
check_add_path(struct buf *buf, const char *path)
{
	struct text text = text_of(path);

	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.at[i] <= ' ' || text.at[i] == '"' ||
		    (unsigned char)text.at[i] >= 0x7f) {
			buf_quoted(buf, text, 0);
			return;
		}
	}
	buf_str(buf, path);
}

/* ---- reports ---- */

/* What refuses, as one word. */
static const char *
rule_id(const struct verdict *verdict)
{
	if (verdict->reason == REASON_GUARD && verdict->guard >= 0)
		return guard_name((enum guard)verdict->guard);
	return verdict->has_posture ? posture_name(verdict->posture)
	                            : posture_name(POSTURE_UNREADABLE);
}

static int
count(struct check *check, enum verdict_decision decision)
{
	switch (decision) {
	case DECISION_ALLOW:
		check->allow++;
		return EXIT_CLEAN;
	case DECISION_OBSERVE:
		check->observe++;
		return EXIT_CLEAN;
	case DECISION_DENY:
	default:
		check->deny++;
		return EXIT_FOUND;
	}
}

static int
write_item(struct check *check, const struct check_document *document,
           struct yaml_place place, const struct decision *decision)
{
	const struct workload *workload = &decision->workload;
	const struct verdict *verdict = &decision->verdict;
	cleanup_buf struct buf sentence = {0};
	struct check_item item = {
	    .path = document->path,
	    .place = place,
	    .format = check->format->name,
	    .decision = decision_name(verdict->decision),
	    .rule_id = rule_id(verdict),
	    .verdict = verdict,
	};

	if (verdict->container < workload->count) {
		item.container = &workload->containers[verdict->container];
		item.name = item.container->title.len > 0 ? item.container->title
		                                          : item.container->name;
	}
	add_sentence(&sentence, document, verdict, workload);
	if (check->merged)
		buf_printf(&sentence, " (as merged with %s)", check->merged);
	item.sentence = buf_text(&sentence);
	check->writer->item(check, &item);
	return count(check, verdict->decision);
}

int
check_report(struct check *check, const struct check_document *document, const char *at,
             const struct decision *decision)
{
	return write_item(check, document, check_place(check, document, at), decision);
}

int
check_report_unread(struct check *check, const struct check_document *document,
                    struct yaml_place place, const struct err *err)
{
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = check_circumstances(check);

	decide_unseen(err, &circumstances, &decision);
	return write_item(check, document, place, &decision);
}

void
check_time(const struct check *check, char room[CHECK_TIME_MAX])
{
	time_t seconds = (time_t)(check->now_us / 1000000);
	struct tm parts;

	if (!gmtime_r(&seconds, &parts) ||
	    strftime(room, CHECK_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		room[0] = '\0';
}

int
check_complain(struct check *check, const char *path, const char *format, ...)
{
	char what[ERR_TEXT_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof what, format, args);
	va_end(args);
	check->errors++;
	buf_str(&check->complaints, ",\n{\"file\":");
	buf_json(&check->complaints, text_of(path), 0);
	buf_str(&check->complaints, ",\"message\":");
	buf_json(&check->complaints, text_of(what), 0);
	buf_str(&check->complaints, "}");
	sarif_add_notification(&check->notifications, path, text_of(what));
	return cmd_complain("%s: %s", strcmp(path, "-") == 0 ? "standard input" : path,
	                    what);
}
