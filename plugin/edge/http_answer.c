/* SPDX-License-Identifier: Apache-2.0 */
/* http_answer.c - queues an answer that was made for one request. */
#include "edge/http_answer.h"

#include <microhttpd.h>

int
http_answer(struct MHD_Connection *connection, unsigned status, const char *type,
            bool close, struct buf *take_body)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	if (!buf_ok(take_body)) {
		buf_free(take_body);
		return MHD_NO;
	}
	response = MHD_create_response_from_buffer(take_body->len, take_body->at,
	                                           MHD_RESPMEM_MUST_FREE);
	if (!response) {
		buf_free(take_body);
		return MHD_NO;
	}
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (close)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION,
		                              "close");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}
