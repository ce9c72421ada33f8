/* SPDX-License-Identifier: Apache-2.0 */
/* engine_refusal.c - why an engine turned us away, in words. */
#include "edge/engine.h"

#include <jansson.h>
#include <string.h>

/*
 * A client whose certificate is refused learns it after the handshake, as a connection that
 * breaks (TLS 1.3, RFC 8446 section 4.4.2.4), and libcurl says no more than that.
 */
const char *
engine_certificate_hint(const struct engine_target *target)
{
	if (strncmp(target->url, "https:", 6) != 0)
		return "";
	return target->cert && target->key
	           ? "; are cert.pem and key.pem a client certificate that the engine "
	             "knows?"
	           : "; does the engine want a client certificate, cert.pem and key.pem?";
}

void
engine_refusal(const struct engine_answer *answer, struct err *ret_err)
{
	json_t *body =
	    json_loadb(answer->body.at ? answer->body.at : "", answer->body.len, 0, NULL);
	const char *message = json_string_value(json_object_get(body, "message"));
	cleanup_buf struct buf quoted = {0};

	buf_quoted(&quoted, text_of(message ? message : ""), 300);
	(void)err_set(ret_err, ERR_SYSTEM, "the engine answers %ld %s", answer->status,
	              buf_ok(&quoted) ? quoted.at : "");
	json_decref(body);
}
