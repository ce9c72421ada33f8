/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authz - the envelope that dockerd sends to an authorization plugin, and our answer.
 *
 * Source: moby pkg/authorization/api.go, unchanged from v20.10.24 to HEAD: User,
 * UserAuthNMethod, RequestMethod, RequestUri, RequestBody (base64), RequestHeaders. Every
 * field is omitted when empty, so a withheld body looks like none. Pure.
 */
#pragma once

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/text.h"

#include <stdbool.h>

enum {
	/* What engines forward at most (4 MiB as base64), and room for the headers, which
	   net/http caps at 1 MiB; escapes can make them 6 times as long. */
	AUTHZ_ENVELOPE_MAX = 5592408 + 6 * 1024 * 1024 + 65536,
};

struct authz {
	struct text user, auth; /* missing: the engine does not know */
	struct text method, uri;
	struct text encoded_body; /* base64; missing: none, or the engine withheld it */
	struct text headers;      /* raw JSON object; missing: none */
};

/* Reads an envelope. -1: it is no envelope (empty, not JSON, no method or target). */
int authz_read(struct text bytes, struct arena *arena, struct authz *ret_authz,
               struct err *err);

/* The decoded body in the arena; missing if there is none. -1: it is not base64. */
int authz_body(const struct authz *authz, struct arena *arena, struct text *ret_body,
               struct err *err);

/*
 * The value of a request header (`name` in canonical MIME case); missing if there is none.
 * -1: the headers can't be read, so nothing is known of it.
 */
int authz_header(const struct authz *authz, const char *name, struct arena *arena,
                 struct text *ret_value);

/* {"Allow":true} */
extern const char authz_allow[];

/* Appends {"Allow":false,"Msg":...}. */
void authz_deny(struct buf *buf, struct text message);

/* Appends {"Err":...}, which engines show when the status is not 200. */
void authz_error(struct buf *buf, struct text message);
