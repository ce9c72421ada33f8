/* SPDX-License-Identifier: Apache-2.0 */
/* record_fields.c - a line of the record -> the fields that log daemons index. */
#include "edge/record_fields.h"
#include "core/json_go.h"

#define FIELD(name)                                                                      \
	{                                                                                \
#name, offsetof(struct record_fields, name)                              \
	}

const struct record_field record_fields_shown[RECORD_FIELDS_SHOWN] = {
    FIELD(seq),     FIELD(id),   FIELD(event), FIELD(decision), FIELD(reason),
    FIELD(posture), FIELD(rule), FIELD(user),  FIELD(image),
};

static int
read_container(struct json *json, size_t index, void *context)
{
	static const struct json_field fields[] = {
	    {"image", json_read_text, 0},
	};

	return index == 0 ? json_read_struct(json, fields, 1, context) : json_skip(json);
}

static int
read_containers(struct json *json, void *ret_value)
{
	return json_read_list(json, read_container, ret_value);
}

void
record_fields_read(struct text line, struct arena *arena,
                   struct record_fields *ret_fields)
{
	static const struct json_field fields[] = {
	    {"time", json_read_text, offsetof(struct record_fields, time)},
	    {"id", json_read_text, offsetof(struct record_fields, id)},
	    {"event", json_read_text, offsetof(struct record_fields, event)},
	    {"decision", json_read_text, offsetof(struct record_fields, decision)},
	    {"reason", json_read_text, offsetof(struct record_fields, reason)},
	    {"message", json_read_text, offsetof(struct record_fields, message)},
	    {"posture", json_read_text, offsetof(struct record_fields, posture)},
	    {"user", json_read_text, offsetof(struct record_fields, user)},
	    {"containers", read_containers, offsetof(struct record_fields, image)},
	    {"rule", json_read_text, offsetof(struct record_fields, rule)},
	    {"host", json_read_text, offsetof(struct record_fields, host)},
	    {"seq", json_read_raw, offsetof(struct record_fields, seq)},
	};
	struct err err = {0};
	struct json json = json_start(line, arena, &err);

	*ret_fields = (struct record_fields){0};
	if (json_read_struct(&json, fields, sizeof fields / sizeof fields[0],
	                     ret_fields) ||
	    json_finish(&json))
		*ret_fields = (struct record_fields){0};
}

int
record_fields_severity(const struct record_fields *fields)
{
	return text_is(fields->decision, "deny") ? RECORD_WARNING : RECORD_NOTICE;
}
