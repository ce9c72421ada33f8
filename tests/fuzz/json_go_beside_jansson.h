/* SPDX-License-Identifier: Apache-2.0 */
/* json_go_beside_jansson.h - our reader's header, for a file that uses jansson too: both
   have enumerators of the same names, ours become GO_... here. */
#pragma once

#include <jansson.h>

#define JSON_OBJECT GO_OBJECT
#define JSON_STRING GO_STRING
#define JSON_TRUE   GO_TRUE
#define JSON_FALSE  GO_FALSE
#define JSON_NULL   GO_NULL
#include "core/json_go.h"
#undef JSON_OBJECT
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL
