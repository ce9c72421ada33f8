/* SPDX-License-Identifier: Apache-2.0 */
/* http_fixed.c - answers that are the same each time. */
#include "edge/http_fixed.h"

#include "core/authz.h"

#include <microhttpd.h>
#include <stdint.h>
#include <string.h>

static const struct {
	unsigned status;
	const char *body; /* NULL: authz_allow */
} rows[HTTP_FIXED_COUNT] = {
    [HTTP_FIXED_ACTIVATE] = {MHD_HTTP_OK, "{\"Implements\":[\"authz\"]}"},
    [HTTP_FIXED_ALLOW] = {MHD_HTTP_OK, NULL},
    [HTTP_FIXED_FORBIDDEN] = {MHD_HTTP_FORBIDDEN,
                              "{\"Err\":\"only root and the uids given with "
                              "--allow-uid may ask this plugin\"}"},
    [HTTP_FIXED_NOT_FOUND] = {MHD_HTTP_NOT_FOUND,
                              "{\"Err\":\"this plugin answers Plugin.Activate, "
                              "AuthZPlugin.AuthZReq and AuthZPlugin.AuthZRes\"}"},
    [HTTP_FIXED_NOT_POST] = {MHD_HTTP_METHOD_NOT_ALLOWED, "{\"Err\":\"use POST\"}"},
    [HTTP_FIXED_STOPPING] = {MHD_HTTP_SERVICE_UNAVAILABLE,
                             "{\"Err\":\"the plugin is stopping, so the request is "
                             "refused; repeat it\"}"},
};

static struct MHD_Response *
make(const char *body, const char *content_type, const char *connection)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
	    strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_PERSISTENT);

	if (!response)
		return NULL;
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
	                              content_type);
	if (connection)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION,
		                              connection);
	return response;
}

int
http_fixed_make(struct http_fixed *fixed, const char *content_type)
{
	for (size_t i = 0; i < HTTP_FIXED_COUNT; i++) {
		const char *body = rows[i].body ? rows[i].body : authz_allow;

		fixed->open[i] = make(body, content_type, NULL);
		fixed->closing[i] = make(body, content_type, "close");
		if (!fixed->open[i] || !fixed->closing[i])
			return -1;
	}
	return 0;
}

void
http_fixed_free(struct http_fixed *fixed)
{
	for (size_t i = 0; i < HTTP_FIXED_COUNT; i++) {
		if (fixed->open[i])
			MHD_destroy_response(fixed->open[i]);
		if (fixed->closing[i])
			MHD_destroy_response(fixed->closing[i]);
	}
	*fixed = (struct http_fixed){.open = {NULL}};
}

int
http_fixed_queue(const struct http_fixed *fixed, struct MHD_Connection *connection,
                 enum http_fixed_kind kind, bool close)
{
	return MHD_queue_response(connection, rows[kind].status,
	                          close ? fixed->closing[kind] : fixed->open[kind]);
}
