/* SPDX-License-Identifier: Apache-2.0 */
/* ship_body.c - a batch as the body of a request: lines or an array, compressed or not. */
#include "edge/ship_batch.h"

#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16 }; /* deflateInit2(): 32 KiB, with a gzip header */

static void
add_array(struct buf *out, struct text lines)
{
	buf_char(out, '[');
	while (lines.len > 0) {
		size_t len = text_find(lines, '\n');

		buf_add_text(out, text_first(lines, len));
		lines = text_from(lines, len + 1);
		if (lines.len > 0)
			buf_char(out, ',');
	}
	buf_char(out, ']');
}

/* RFC 1952 */
static int
add_gzip(struct buf *out, struct text bytes, struct err *err)
{
	z_stream stream = {.avail_in = (uInt)bytes.len};
	Bytef block[16 * 1024];
	int code;

	/* zlib only reads from it, but not all its versions say so */
	stream.next_in = (Bytef *)(uintptr_t)bytes.at;
	if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8,
	                 Z_DEFAULT_STRATEGY) != Z_OK)
		return err_set(err, ERR_MEMORY, "no memory to compress");
	do {
		stream.next_out = block;
		stream.avail_out = sizeof block;
		code = deflate(&stream, Z_FINISH);
		buf_add(out, block, sizeof block - stream.avail_out);
	} while (code == Z_OK);
	(void)deflateEnd(&stream);
	if (code == Z_STREAM_END)
		return 0;
	return err_set(err, ERR_SYSTEM, "can't be compressed (zlib: %d)", code);
}

int
ship_batch_body(const struct ship_batch *batch, bool array, bool gzip,
                struct buf *ret_body, struct err *err)
{
	cleanup_buf struct buf joined = {0};
	struct text body = buf_text(&batch->lines);

	buf_clear(ret_body);
	if (array) {
		add_array(&joined, body);
		body = buf_text(&joined);
	}
	if (!gzip)
		buf_add_text(ret_body, body);
	else if (add_gzip(ret_body, body, err))
		return -1;
	if (buf_ok(&batch->lines) && buf_ok(&joined) && buf_ok(ret_body))
		return 0;
	return err_set(err, ERR_MEMORY, "no memory for a batch");
}
