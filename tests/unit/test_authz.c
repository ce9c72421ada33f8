/* SPDX-License-Identifier: Apache-2.0 */
/* test_authz.c - the envelope of the plugin protocol, in and out. */
#include "core/authz.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
all_fields_of_an_envelope_are_read(void **state)
{
	static const char bytes[] =
	    "{\"User\":\"ci-1\",\"UserAuthNMethod\":\"TLS\",\"RequestMethod\":\"POST\","
	    "\"RequestUri\":\"/v1.41/containers/create?a=1\\u0026name=x\","
	    "\"RequestBody\":\"e30=\",\"RequestHeaders\":{\"A\":\"b\"},"
	    "\"RequestPeerCertificates\":[\"x\"]}\n";
	cleanup_arena struct arena arena = {0};
	struct authz authz;
	struct text body;

	(void)state;
	assert_int_equal(authz_read(TEXT_LIT(bytes), &arena, &authz, NULL), 0);
	assert_true(text_is(authz.user, "ci-1"));
	assert_true(text_is(authz.auth, "TLS"));
	assert_true(text_is(authz.method, "POST"));
	assert_true(text_is(authz.uri, "/v1.41/containers/create?a=1&name=x"));
	assert_true(text_is(authz.headers, "{\"A\":\"b\"}"));
	assert_int_equal(authz_body(&authz, &arena, &body, NULL), 0);
	assert_true(text_is(body, "{}"));
}

static void
fields_that_are_left_out_are_missing(void **state)
{
	cleanup_arena struct arena arena = {0};
	struct authz authz;
	struct text body = TEXT_LIT("x");

	(void)state;
	assert_int_equal(
	    authz_read(TEXT_LIT("{\"RequestMethod\":\"GET\",\"RequestUri\":\"/info\"}"),
	               &arena, &authz, NULL),
	    0);
	assert_null(authz.user.at);
	assert_null(authz.auth.at);
	assert_null(authz.headers.at);
	assert_int_equal(authz_body(&authz, &arena, &body, NULL), 0);
	assert_null(body.at);
}

#define REST "\"RequestMethod\":\"GET\",\"RequestUri\":\"/info\""

static const struct {
	const char *bytes;
	enum err_code code;
	const char *why;
} refused[] = {
    {"", ERR_SYNTAX, "the JSON ends"},
    {"{", ERR_SYNTAX, "the JSON ends"},
    {"[]", ERR_TYPE, "should be an object"},
    {"null", ERR_TYPE, "should be an object"},
    {"{}", ERR_TYPE, "RequestMethod is missing"},
    {"{\"RequestMethod\":\"GET\"}", ERR_TYPE, "RequestUri is missing"},
    {"{\"RequestMethod\":\"GET\",\"RequestUri\":\"\"}", ERR_TYPE,
     "RequestUri is missing"},
    {"{\"RequestMethod\":null,\"RequestUri\":\"/\"}", ERR_TYPE,
     "RequestMethod is missing"},
    {"{" REST "}{}", ERR_AMBIGUOUS, "something follows"},
    {"{" REST ",\"requesturi\":\"/x\"}", ERR_AMBIGUOUS, "RequestUri is given twice"},
    {"{" REST ",\"RequestBody\":[1]}", ERR_TYPE, "RequestBody: should be a string"},
    {"{" REST ",\"User\":{}}", ERR_TYPE, "User: should be a string"},
    {"{" REST ",\"User\":\"\xff\"}", ERR_AMBIGUOUS, "not UTF-8"},
    {"{" REST ",\"RequestHeaders\":{}", ERR_SYNTAX, "',' or '}'"},
};

static void
what_is_no_envelope_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		cleanup_arena struct arena arena = {0};
		struct authz authz;
		struct err err = {0};

		if (authz_read(text_of(refused[i].bytes), &arena, &authz, &err) != -1 ||
		    err.code != refused[i].code || !strstr(err.text, refused[i].why))
			fail_msg("%s: %s", refused[i].bytes, err.text);
	}
}

static void
a_body_is_there_or_missing_or_refused(void **state)
{
	static const struct {
		struct text encoded;
		int result;
		const char *body; /* NULL: missing */
	} rows[] = {
	    {{0}, 0, NULL},          {{"", 0}, 0, NULL},        {{"e30=", 4}, 0, "{}"},
	    {{"e30", 3}, -1, NULL},  {{"e30=\n", 5}, -1, NULL}, {{"e31=", 4}, -1, NULL},
	    {{"@@@@", 4}, -1, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_arena struct arena arena = {0};
		struct authz authz = {.encoded_body = rows[i].encoded};
		struct text body = TEXT_LIT("before");

		assert_int_equal(authz_body(&authz, &arena, &body, NULL), rows[i].result);
		assert_int_equal(!body.at, !rows[i].body);
		if (rows[i].body)
			assert_true(text_is(body, rows[i].body));
	}
}

/* ---- headers ---- */

static const struct {
	const char *headers; /* NULL: none */
	int result;
	const char *value; /* of Content-Type; NULL: missing */
} headers[] = {
    {NULL, 0, NULL},
    {"null", 0, NULL},
    {"{}", 0, NULL},
    {"{\"content-type\":\"x\"}", 0, NULL}, /* keys of a map are exact */
    {"{\"Content-Type\":\"x\"}", 0, "x"},
    {"{\"A\":\"b\",\"Content-Type\":\"x\",\"C\":\"d\"}", 0, "x"},
    {"{\"Content-Type\":\"x\",\"Content-Type\":\"y\"}", 0, "y"},
    {"{\"Content-Type\":\"x\",\"Content-Type\":null}", 0, ""},
    {"{\"Content\\u002dType\":\"\\u0078\"}", 0, "x"},
    {"{\"Content-Type\":null}", 0, ""},
    {"{\"Content-Type\":\"\"}", 0, ""},
    {"{\"A\":[1,{}]}", 0, NULL},
    {"{\"Content-Type\":1}", -1, NULL},
    {"[]", -1, NULL},
    {"\"Content-Type\"", -1, NULL},
    {"{\"A\"", -1, NULL},
    {"{\"\\ud800\":\"x\"}", -1, NULL},
};

static void
a_header_is_there_or_missing_or_not_to_be_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++) {
		cleanup_arena struct arena arena = {0};
		struct authz authz = {.headers = text_of(headers[i].headers)};
		struct text value = TEXT_LIT("before");
		int result = authz_header(&authz, "Content-Type", &arena, &value);

		if (result != headers[i].result || !value.at != !headers[i].value ||
		    !text_is(value, headers[i].value ? headers[i].value : ""))
			fail_msg("%s: %d", headers[i].headers, result);
	}
}

static void
without_memory_a_header_is_not_to_be_known(void **state)
{
	struct arena arena = {.limit = 1};
	struct authz authz = {.headers = TEXT_LIT("{\"\\u0041\":\"\"}")};
	struct text value;

	(void)state;
	assert_int_equal(authz_header(&authz, "Content-Type", &arena, &value), -1);
}

/* ---- answers ---- */

static void
answers_are_json_whatever_the_message_holds(void **state)
{
	static const struct text message = {"a \"b\" \\ \n\x01\xff", 11};
	cleanup_buf struct buf deny = {0}, error = {0};
	json_t *object;

	(void)state;
	authz_deny(&deny, message);
	object = json_loadb(deny.at, deny.len, JSON_REJECT_DUPLICATES, NULL);
	assert_true(json_is_false(json_object_get(object, "Allow")));
	assert_string_equal(json_string_value(json_object_get(object, "Msg")),
	                    "a \"b\" \\ \n\x01\xef\xbf\xbd");
	json_decref(object);
	authz_error(&error, message);
	object = json_loadb(error.at, error.len, JSON_REJECT_DUPLICATES, NULL);
	assert_null(json_object_get(object, "Allow"));
	assert_non_null(json_object_get(object, "Err"));
	json_decref(object);
	assert_string_equal(authz_allow, "{\"Allow\":true}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_fields_of_an_envelope_are_read),
	    cmocka_unit_test(fields_that_are_left_out_are_missing),
	    cmocka_unit_test(what_is_no_envelope_is_refused),
	    cmocka_unit_test(a_body_is_there_or_missing_or_refused),
	    cmocka_unit_test(a_header_is_there_or_missing_or_not_to_be_known),
	    cmocka_unit_test(without_memory_a_header_is_not_to_be_known),
	    cmocka_unit_test(answers_are_json_whatever_the_message_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
