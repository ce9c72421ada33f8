/* SPDX-License-Identifier: Apache-2.0 */
/* deciding.h - one decision under a policy, for the tests of the core. */
#pragma once

#include "core/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 2024-02-29T12:34:56.789012Z */
#define NOW_US INT64_C(1709210096789012)

#define CREATE "/v1.41/containers/create"
#define UNCONFINED                                                                       \
	"{\"Image\":\"nginx\",\"HostConfig\":{\"SecurityOpt\":[\"seccomp=unconfined\"]}" \
	"}"

/* A judge with its policy; zeroed decision before each use. */
struct judge {
	struct policy *policy;
	struct circumstances circumstances;
	struct decision decision;
};

/* `policy` is the text of a file; NULL is the built-in one. */
static inline void
judge_start(struct judge *judge, const char *policy)
{
	struct policy_problems problems = {0};

	*judge = (struct judge){0};
	judge->policy =
	    policy ? policy_parse(text_of(policy), &problems) : policy_builtin();
	if (!judge->policy)
		fail_msg("policy: %s: %s", problems.at[0].pointer, problems.at[0].text);
	judge->circumstances = (struct circumstances){
	    .policy = judge->policy,
	    .plugin_name = TEXT_LIT("seccomp-authz"),
	    .now_us = NOW_US,
	    .entropy = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc},
	};
}

static inline void
judge_stop(struct judge *judge)
{
	decision_free(&judge->decision);
	policy_free(judge->policy);
	*judge = (struct judge){0};
}

#define cleanup_judge __attribute__((cleanup(judge_stop)))

static inline const struct verdict *
judge_request(struct judge *judge, const char *method, const char *target,
              const char *body)
{
	decision_reset(&judge->decision);
	decide_request(text_of(method), text_of(target), text_of(body),
	               &judge->circumstances, &judge->decision);
	return &judge->decision.verdict;
}

static inline const struct verdict *
judge_envelope(struct judge *judge, struct text bytes)
{
	decision_reset(&judge->decision);
	decide_authz(bytes, &judge->circumstances, &judge->decision);
	return &judge->decision.verdict;
}

/* Appends `in` in base64. */
static inline void
add_base64(struct buf *buf, struct text in)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < in.len; i += 3) {
		unsigned group = 0;
		size_t left = in.len - i < 3 ? in.len - i : 3;

		for (size_t j = 0; j < 3; j++)
			group =
			    group << 8 | (j < left ? (unsigned char)in.at[i + j] : 0U);
		for (size_t j = 0; j < 4; j++)
			buf_char(buf,
			         j <= left ? alphabet[group >> (18 - 6 * j) & 63] : '=');
	}
}

/* An envelope as dockerd writes it. `headers` is JSON; NULL: none. */
static inline void
write_envelope(struct buf *buf, const char *method, const char *target,
               const char *headers, struct text body)
{
	buf_clear(buf);
	buf_str(buf, "{\"RequestMethod\":");
	buf_json(buf, text_of(method), 0);
	buf_str(buf, ",\"RequestUri\":");
	buf_json(buf, text_of(target), 0);
	if (body.len > 0) {
		buf_str(buf, ",\"RequestBody\":\"");
		add_base64(buf, body);
		buf_str(buf, "\"");
	}
	if (headers)
		buf_printf(buf, ",\"RequestHeaders\":%s", headers);
	buf_str(buf, "}\n");
	assert_true(buf_ok(buf));
}
