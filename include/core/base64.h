/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64 - the standard alphabet with padding (RFC 4648 section 4), as Go's
 * encoding/json writes []byte. Pure.
 */
#pragma once

#include "core/text.h"

#include <stddef.h>

/* Bytes of room that base64_decode() needs for `len` bytes of text. */
#define BASE64_ROOM(len) ((len) / 4 * 3 + 3)

/*
 * Decodes `in` to `out`, which has BASE64_ROOM(in.len) bytes. Returns the number of bytes
 * written, or -1 if `in` is not canonical base64: a foreign byte, a length that is no
 * multiple of 4, padding in the middle, bits left over. Stricter than Go, which skips CR
 * and LF and ignores left-over bits: no engine and no client writes either.
 */
long base64_decode(struct text in, char *out);
