/* SPDX-License-Identifier: Apache-2.0 */
/* policy_tell.c - writes a policy and the state of its exceptions as JSON. */
#include "edge/policy_tell.h"

#include "core/kubernetes_accounts.h"
#include "core/policy_lint.h"

#include <time.h>

void
policy_tell_time(struct buf *buf, int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm tm;
	char text[32];

	(void)gmtime_r(&time, &tm);
	(void)strftime(text, sizeof text, "\"%Y-%m-%dT%H:%M:%SZ\"", &tm);
	buf_str(buf, text);
}

static const char *
mode_name(enum rule_mode mode)
{
	static const char *const names[] = {
	    [RULE_OFF] = "off", [RULE_OBSERVE] = "observe", [RULE_ENFORCE] = "enforce"};

	return names[mode];
}

static void
add_comma(struct buf *buf, bool *first)
{
	buf_str(buf, *first ? "" : ",");
	*first = false;
}

static void
add_postures(struct buf *buf, unsigned set, bool *first)
{
	for (int i = 0; i < POSTURE_COUNT; i++) {
		if (!(set & POSTURE_BIT(i)))
			continue;
		add_comma(buf, first);
		buf_printf(buf, "\"%s\"", posture_name((enum posture)i));
	}
}

static void
add_list(struct buf *buf, const char *key, const struct text_list *list, bool *first)
{
	if (!list->at)
		return;
	add_comma(buf, first);
	buf_printf(buf, "\"%s\":[", key);
	for (size_t i = 0; i < list->count; i++) {
		buf_str(buf, i > 0 ? "," : "");
		buf_json(buf, list->at[i], 0);
	}
	buf_char(buf, ']');
}

static void
add_doors(struct buf *buf, unsigned doors, bool *first)
{
	bool first_door = true;

	if (doors == 0)
		return;
	add_comma(buf, first);
	buf_str(buf, "\"door\":[");
	for (int i = 0; i < DOOR_COUNT; i++) {
		if (!(doors >> i & 1))
			continue;
		add_comma(buf, &first_door);
		buf_printf(buf, "\"%s\"", door_name((enum door)i));
	}
	buf_char(buf, ']');
}

static void
add_labels(struct buf *buf, const struct text_map *labels, bool *first)
{
	if (!labels->at)
		return;
	add_comma(buf, first);
	buf_str(buf, "\"label\":{");
	for (size_t i = 0; i < labels->count; i++) {
		buf_str(buf, i > 0 ? "," : "");
		buf_json(buf, labels->at[i].key, 0);
		buf_char(buf, ':');
		buf_json(buf, labels->at[i].value, 0);
	}
	buf_char(buf, '}');
}

static void
add_match(struct buf *buf, const struct criteria *match)
{
	bool first = true;

	buf_str(buf, ",\"match\":{");
	add_doors(buf, match->doors, &first);
	add_list(buf, "image", &match->image, &first);
	add_list(buf, "user", &match->user, &first);
	add_list(buf, "name", &match->name, &first);
	add_labels(buf, &match->label, &first);
	add_list(buf, "namespace", &match->space, &first);
	add_list(buf, "group", &match->group, &first);
	add_list(buf, "runtime", &match->runtime, &first);
	add_list(buf, "profile", &match->profile, &first);
	buf_char(buf, '}');
}

static void
add_allow(struct buf *buf, const struct exception *exception)
{
	bool first = true;

	buf_str(buf, ",\"allow\":[");
	add_postures(buf, exception->allow, &first);
	for (int i = 0; i < GUARD_COUNT; i++) {
		if (!(exception->allow_guards & GUARD_BIT(i)))
			continue;
		add_comma(buf, &first);
		buf_printf(buf, "\"guard:%s\"", guard_name((enum guard)i));
	}
	buf_char(buf, ']');
}

/* A controller makes pods for anybody. */
static bool
rests_on_strength(const struct exception *exception)
{
	return exception_is_strong(exception) &&
	       !criteria_controller(&exception->match).at;
}

static void
add_exception(struct buf *buf, const struct exception *exception, int64_t now)
{
	buf_str(buf, "{\"id\":");
	buf_json(buf, exception->id, 0);
	buf_printf(buf, ",\"state\":\"%s\",\"expires\":",
	           exception_state_name(exception_state(exception, now)));
	if (exception->expires == POLICY_NEVER)
		buf_str(buf, "null");
	else
		policy_tell_time(buf, exception->expires);
	buf_printf(buf, ",\"mode\":\"%s\",\"strong\":%s", mode_name(exception->mode),
	           rests_on_strength(exception) ? "true" : "false");
	add_allow(buf, exception);
	add_match(buf, &exception->match);
	buf_str(buf, ",\"reason\":");
	buf_json(buf, exception->reason, 0);
}

static void
add_set(struct buf *buf, const char *key, unsigned set)
{
	bool first = true;

	buf_printf(buf, ",\"%s\":[", key);
	add_postures(buf, set, &first);
	buf_char(buf, ']');
}

void
policy_tell(struct buf *buf, const struct policy *policy, const struct policy_uses *uses,
            int64_t now)
{
	bool first = false;

	buf_str(buf, "\"digest\":");
	buf_json(buf, text_of(policy->digest), 0);
	buf_printf(buf, ",\"mode\":\"%s\"", mode_name(policy->mode));
	add_set(buf, "allow", policy->allow);
	add_set(buf, "observe", policy->observe);
	buf_str(buf, ",\"guards\":{");
	for (int i = 0; i < GUARD_COUNT; i++)
		buf_printf(buf, "%s\"%s\":\"%s\"", i > 0 ? "," : "",
		           guard_name((enum guard)i), mode_name(policy->guards[i]));
	buf_char(buf, '}');
	add_list(buf, "runtimes", &policy->runtimes, &first);
	buf_printf(buf, ",\"engine_default\":\"%s\",\"exceptions\":[",
	           policy->engine_default_confined ? "confined" : "unconfined");
	for (size_t i = 0; i < policy->count; i++) {
		buf_str(buf, i > 0 ? "," : "");
		add_exception(buf, &policy->exceptions[i], now);
		if (uses)
			buf_printf(buf, ",\"used\":%llu",
			           (unsigned long long)policy_uses_get(uses, i));
		buf_char(buf, '}');
	}
	buf_char(buf, ']');
}
