/* SPDX-License-Identifier: Apache-2.0 */
/* kubernetes_answer.c - verdict -> AdmissionReview. */
#include "core/kubernetes.h"

#include "core/decide.h"
#include "core/rfc3339.h"
#include "core/verdict_words.h"

enum {
	/* as API servers cut them (apiserver endpoints/filters/warning.go) */
	WARNING_MAX = 256,
	WARNINGS_MAX = 4096,
	NAME_SHOWN = 63,
	RULE_SHOWN = 128,
	SECOND_US = 1000000,
};

/* The list of warnings as it is written. */
struct warnings {
	struct buf *out;
	size_t characters, count;
};

/* Cut at a character; what follows the cut would be dropped anyway. */
static void
add_warning(struct warnings *warnings, const struct buf *text)
{
	const struct text all = buf_text(text);
	const char *at = all.at, *end = all.at + all.len;
	size_t characters = 0, len;
	uint32_t point;

	if (!buf_ok(text))
		return;
	while (at < end && characters < WARNING_MAX) {
		len = utf8_decode(at, end, &point);
		at += len ? len : 1;
		characters++;
	}
	if (warnings->characters + characters > WARNINGS_MAX)
		return;
	warnings->characters += characters;
	buf_str(warnings->out, warnings->count++ == 0 ? ",\"warnings\":[" : ",");
	buf_json(warnings->out, text_first(all, (size_t)(at - all.at)), 0);
}

/* container "web"; where none could be read, object "web-0" of kind "Pod". */
static void
write_subject(struct buf *text, const struct decision *decision,
              const struct container *container)
{
	const struct admission *admission = &decision->admission;

	if (container->name.len > 0) {
		buf_str(text, "container ");
		buf_quoted(text, container->name, NAME_SHOWN);
		return;
	}
	buf_str(text, "object");
	if (admission->name.len > 0) {
		buf_char(text, ' ');
		buf_quoted(text, admission->name, NAME_SHOWN);
	}
	if (admission->kind.len > 0) {
		buf_str(text, " of kind ");
		buf_quoted(text, admission->kind, NAME_SHOWN);
	}
}

/* would refuse container "web": asks for no seccomp profile. Set ... (decision 01J...) */
static void
warn_observed(struct warnings *warnings, const struct decision *decision, size_t index)
{
	const struct container *container = &decision->workload.containers[index];
	const struct ruling *ruling = &decision->rulings[index];
	enum posture posture = posture_worst(ruling->refused);
	const struct sentence *words =
	    ruling->guard >= 0
		? words_of_guard((enum guard)ruling->guard, DOOR_KUBERNETES)
		: words_of_posture(posture, DOOR_KUBERNETES);
	cleanup_buf struct buf text = {0};

	buf_str(&text, "seccomp-authz only observes: ");
	write_subject(&text, decision, container);
	if (ruling->guard < 0 && posture == POSTURE_UNREADABLE)
		words = words_of_reason(REASON_UNREADABLE, DOOR_KUBERNETES);
	buf_printf(&text, "%s %s. %s",
	           ruling->guard < 0 && posture == POSTURE_UNREADABLE ? ":" : "",
	           words->what, words->fix);
	add_warning(warnings, &text);
}

/* Said once for each exception, by the first container that it lets through. */
static bool
was_said(const struct decision *decision, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (decision->rulings[i].exception == decision->rulings[index].exception)
			return true;
	}
	return false;
}

static void
warn_expiring(struct warnings *warnings, const struct decision *decision, size_t index)
{
	const struct exception *exception = decision->rulings[index].exception;
	cleanup_buf struct buf text = {0};

	if (!exception || was_said(decision, index) ||
	    exception->expires - decision->now_us / SECOND_US > ADMISSION_SOON)
		return;
	buf_str(&text, "seccomp-authz: the exception ");
	buf_quoted(&text, exception->id, RULE_SHOWN);
	buf_str(&text, " that lets ");
	write_subject(&text, decision, &decision->workload.containers[index]);
	buf_str(&text, " through ends at ");
	rfc3339_write(&text, exception->expires);
	buf_char(&text, 'Z');
	add_warning(warnings, &text);
}

static void
write_warnings(struct buf *out, const struct decision *decision)
{
	struct warnings warnings = {.out = out};
	bool denied = decision->verdict.decision == DECISION_DENY;

	for (size_t i = 0; decision->rulings && !denied && i < decision->workload.count;
	     i++) {
		if (decision->rulings[i].mode == RULE_OBSERVE)
			warn_observed(&warnings, decision, i);
		else
			warn_expiring(&warnings, decision, i);
	}
	if (warnings.count > 0)
		buf_char(out, ']');
}

/* What the record says, for the API server's audit log. */
static void
write_annotations(struct buf *out, const struct decision *decision)
{
	const struct verdict *verdict = &decision->verdict;

	buf_str(out, ",\"auditAnnotations\":{\"decision\":");
	buf_json(out, text_of(decision_name(verdict->decision)), 0);
	buf_str(out, ",\"rule\":");
	buf_json(out, verdict_rule(verdict), 0);
	buf_str(out, ",\"id\":");
	buf_json(out, text_of(verdict->id), 0);
	buf_str(out, ",\"policy\":");
	buf_json(out, text_of(verdict->policy), 0);
	buf_char(out, '}');
}

void
admission_answer(const struct decision *decision, struct buf *out)
{
	const struct admission *admission = &decision->admission;
	bool denied = decision->verdict.decision == DECISION_DENY;

	buf_printf(out,
	           "{\"apiVersion\":\"%s\",\"kind\":\"AdmissionReview\",\"response\":{"
	           "\"uid\":",
	           admission_version_name(admission->version));
	buf_json(out, admission->uid, 0);
	buf_printf(out, ",\"allowed\":%s", denied ? "false" : "true");
	if (denied) {
		buf_str(out, ",\"status\":{\"status\":\"Failure\",\"message\":");
		buf_json(out, text_of(decision->verdict.message), 0);
		buf_str(out, ",\"reason\":\"Forbidden\",\"code\":403}");
	}
	write_warnings(out, decision);
	write_annotations(out, decision);
	buf_str(out, "}}");
}
