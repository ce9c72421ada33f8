/* SPDX-License-Identifier: Apache-2.0 */
/* check_docker.c - requests, envelopes, inspect documents and profiles, judged. */
#include "cmd_check.h"

#include "core/docker_inspect.h"
#include "core/json_go.h"

/* ---- bodies and envelopes ---- */

/* Where a body was found faulty; else what decided. */
static const char *
place_in(struct text text, const struct decision *decision)
{
	const struct verdict *verdict = &decision->verdict;
	size_t byte = decision->workload.unreadable.byte;

	if (verdict->has_posture && verdict->posture == POSTURE_UNREADABLE && byte > 0 &&
	    byte <= text.len + 1)
		return text.at + byte - 1;
	return check_find(text, decision, NULL);
}

int
check_request(struct check *check, const struct check_document *document)
{
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = check_circumstances(check);

	decide_request(TEXT_LIT("POST"), text_of(check->format->target), document->text,
	               &circumstances, &decision);
	return check_report(check, document, place_in(document->text, &decision),
	                    &decision);
}

/* The body is in there in base64, so its line is the envelope's. */
static int
check_one_envelope(struct check *check, const struct check_document *document,
                   struct text envelope)
{
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = check_circumstances(check);

	decide_authz(envelope, &circumstances, &decision);
	return check_report(check, document, envelope.at, &decision);
}

/* The next line with something in it, without white space at its ends. */
static bool
next_line(struct text *rest, struct text *ret_line)
{
	while (rest->len > 0) {
		size_t end = text_find(*rest, '\n');
		struct text line = text_first(*rest, end);

		*rest = text_from(*rest, end < rest->len ? end + 1 : end);
		while (line.len > 0 && strchr(" \t\r", line.at[line.len - 1]))
			line.len--;
		if (line.len == 0)
			continue;
		*ret_line = line;
		return true;
	}
	return false;
}

/* JSON Lines: several, and each line is an object of its own. */
static bool
is_lines(struct text text)
{
	struct text line;
	size_t lines = 0;

	while (next_line(&text, &line)) {
		if (line.at[0] != '{' || !check_is_json(line))
			return false;
		lines++;
	}
	return lines > 1;
}

int
check_envelope(struct check *check, const struct check_document *document)
{
	struct text rest = document->text, line;
	int worst = EXIT_CLEAN;

	if (check_is_json(rest) || !is_lines(rest))
		return check_one_envelope(check, document, rest);
	while (next_line(&rest, &line)) {
		int found = check_one_envelope(check, document, line);

		worst = found > worst ? found : worst;
	}
	return worst;
}

/* ---- inspect ---- */

/* What the parts of an inspect document have in common. */
struct inspection {
	struct check *check;
	const struct check_document *document;
	size_t count;
	int worst;
};

static const char *
place_in_part(const struct inspect_part *part, const struct decision *decision)
{
	const char *found;

	if (part->kind == INSPECT_CONTAINER)
		found = place_in(part->object, decision);
	else
		found =
		    check_find(part->object, decision,
		               part->kind == INSPECT_PREVIOUS ? "Spec" : "PreviousSpec");
	return found ? found : part->object.at;
}

static int
check_part(const struct inspect_part *part, void *context)
{
	struct inspection *inspection = context;
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = check_circumstances(inspection->check);
	const struct inspect_context nothing = {0};
	int found;

	decide_inspect(part, &nothing, &circumstances, &decision);
	found = check_report(inspection->check, inspection->document,
	                     place_in_part(part, &decision), &decision);
	inspection->count++;
	if (found > inspection->worst)
		inspection->worst = found;
	return 0;
}

/* A line for each container and service of it. */
int
check_inspect(struct check *check, const struct check_document *document)
{
	cleanup_arena struct arena arena = {0};
	struct inspection inspection = {.check = check, .document = document};
	struct err err = {0};

	if (docker_inspect_each(document->text, &arena, check_part, &inspection, &err) !=
	    0) {
		const struct inspect_part all = {INSPECT_CONTAINER, document->text};

		if (!check->as)
			return check_complain(check, document->path,
			                      "%s; say with --as what it is", err.text);
		(void)check_part(&all, &inspection);
	}
	return inspection.count > 0
	           ? inspection.worst
	           : check_complain(check, document->path, "there is nothing in it");
}

/* ---- profiles ---- */

int
check_profile(struct check *check, const struct check_document *document)
{
	cleanup_decision struct decision decision = {0};
	struct circumstances circumstances = check_circumstances(check);

	decide_profile(document->text, &circumstances, &decision);
	return check_report(check, document, document->text.at, &decision);
}
