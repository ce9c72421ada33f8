/* SPDX-License-Identifier: Apache-2.0 */
/* authz.c - the envelope of the authorization plugin protocol, in and out. */
#include "core/authz.h"

#include "core/base64.h"
#include "core/json_go.h"

const char authz_allow[] = "{\"Allow\":true}";

/* In the order in which engines write them. */
static const struct json_field envelope[] = {
    {"User", json_read_text, offsetof(struct authz, user)},
    {"UserAuthNMethod", json_read_text, offsetof(struct authz, auth)},
    {"RequestMethod", json_read_text, offsetof(struct authz, method)},
    {"RequestUri", json_read_text, offsetof(struct authz, uri)},
    {"RequestBody", json_read_text, offsetof(struct authz, encoded_body)},
    {"RequestHeaders", json_read_raw, offsetof(struct authz, headers)},
};

int
authz_read(struct text bytes, struct arena *arena, struct authz *ret_authz,
           struct err *err)
{
	struct authz authz = {0};
	struct json json = json_start(bytes, arena, err);

	if (json_read_struct(&json, envelope, sizeof envelope / sizeof envelope[0],
	                     &authz) != 0 ||
	    json_finish(&json) != 0)
		return -1;
	if (authz.method.len == 0)
		return err_set(err, ERR_TYPE, "RequestMethod is missing");
	if (authz.uri.len == 0)
		return err_set(err, ERR_TYPE, "RequestUri is missing");
	*ret_authz = authz;
	return 0;
}

int
authz_body(const struct authz *authz, struct arena *arena, struct text *ret_body,
           struct err *err)
{
	char *body;
	long len;

	*ret_body = (struct text){0};
	if (authz->encoded_body.len == 0)
		return 0;
	body = arena_alloc(arena, BASE64_ROOM(authz->encoded_body.len));
	if (!body)
		return err_set(err, ERR_MEMORY, "out of memory");
	len = base64_decode(authz->encoded_body, body);
	if (len < 0)
		return err_set(err, ERR_SYNTAX, "RequestBody is not base64");
	*ret_body = (struct text){.at = body, .len = (size_t)len};
	return 0;
}

struct header_search {
	const char *name;
	struct text value;
};

static int
look_at_header(struct json *json, struct text key, void *context)
{
	struct header_search *search = context;

	if (!text_is(key, search->name))
		return json_skip(json);
	search->value = TEXT_LIT("");
	return json_read_text(json, &search->value);
}

int
authz_header(const struct authz *authz, const char *name, struct arena *arena,
             struct text *ret_value)
{
	struct header_search search = {.name = name};
	struct json json = json_start(authz->headers, arena, NULL);

	/* walked and not kept: a client may send any number of headers */
	*ret_value = (struct text){0};
	if (authz->headers.at && !json_read_null(&json) &&
	    json_read_members(&json, look_at_header, &search) != 0)
		return -1;
	*ret_value = search.value;
	return 0;
}

void
authz_deny(struct buf *buf, struct text message)
{
	buf_str(buf, "{\"Allow\":false,\"Msg\":");
	buf_json(buf, message, 0);
	buf_str(buf, "}");
}

void
authz_error(struct buf *buf, struct text message)
{
	buf_str(buf, "{\"Err\":");
	buf_json(buf, message, 0);
	buf_str(buf, "}");
}
