/* SPDX-License-Identifier: Apache-2.0 */
/* test_image_ref.c - image references and the patterns over them. */
#include "core/image_ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define HEX64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX64
#define A50    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaz"
#define A250   A50 A50 A50 A50 A50

static const struct {
	const char *given, *text, *name, *tag, *digest;
} names[] = {
    {"nginx", "docker.io/library/nginx:latest", "docker.io/library/nginx", "latest",
     NULL},
    {"nginx:1.25", "docker.io/library/nginx:1.25", "docker.io/library/nginx", "1.25",
     NULL},
    {"docker.io/nginx", "docker.io/library/nginx:latest", "docker.io/library/nginx",
     "latest", NULL},
    {"index.docker.io/nginx:1", "docker.io/library/nginx:1", "docker.io/library/nginx",
     "1", NULL},
    {"index.docker.io/library/nginx", "docker.io/library/nginx:latest",
     "docker.io/library/nginx", "latest", NULL},
    {"acme/app", "docker.io/acme/app:latest", "docker.io/acme/app", "latest", NULL},
    {"docker.io/acme/app", "docker.io/acme/app:latest", "docker.io/acme/app", "latest",
     NULL},
    {"nginx@" DIGEST, "docker.io/library/nginx@" DIGEST, "docker.io/library/nginx", NULL,
     DIGEST},
    {"nginx:1.25@" DIGEST, "docker.io/library/nginx@" DIGEST, "docker.io/library/nginx",
     NULL, DIGEST},
    {"localhost/app", "localhost/app:latest", "localhost/app", "latest", NULL},
    {"localhost:5000/a/b:v1", "localhost:5000/a/b:v1", "localhost:5000/a/b", "v1", NULL},
    {"registry.example.com/debug/gdb", "registry.example.com/debug/gdb:latest",
     "registry.example.com/debug/gdb", "latest", NULL},
    {"Registry/app", "Registry/app:latest", "Registry/app", "latest", NULL},
    {"registry-1.docker.io/library/nginx", "registry-1.docker.io/library/nginx:latest",
     "registry-1.docker.io/library/nginx", "latest", NULL},
    {"docker.io:443/nginx", "docker.io:443/nginx:latest", "docker.io:443/nginx", "latest",
     NULL},
    {"[::1]:5000/app:x", "[::1]:5000/app:x", "[::1]:5000/app", "x", NULL},
    {"my_registry.lan/app", "my_registry.lan/app:latest", "my_registry.lan/app", "latest",
     NULL},
    {"a__b/c--d/e.f_g", "docker.io/a__b/c--d/e.f_g:latest", "docker.io/a__b/c--d/e.f_g",
     "latest", NULL},
    {"nginx:A_b.C-9", "docker.io/library/nginx:A_b.C-9", "docker.io/library/nginx",
     "A_b.C-9", NULL},
    {"abc:latest", "docker.io/library/abc:latest", "docker.io/library/abc", "latest",
     NULL},
    {"sha256:latest", "docker.io/library/sha256:latest", "docker.io/library/sha256",
     "latest", NULL},
    {"abcg", "docker.io/library/abcg:latest", "docker.io/library/abcg", "latest", NULL},
    {HEX64 "0", "docker.io/library/" HEX64 "0:latest", "docker.io/library/" HEX64 "0",
     "latest", NULL},
    {"docker.io/" HEX64, "docker.io/library/" HEX64 ":latest", "docker.io/library/" HEX64,
     "latest", NULL},
};

static void
check_text(size_t row, const char *what, struct text got, const char *want)
{
	if ((got.at == NULL) != (want == NULL) || !text_equal(got, text_of(want)))
		fail_msg("row %zu: %s is %.*s, not %s", row, what, TEXT_ARG(got),
		         want ? want : "missing");
}

static void
names_are_normalised_as_docker_does(void **state)
{
	cleanup_arena struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct image_ref ref = image_ref_parse(text_of(names[i].given), &arena);

		if (ref.kind != IMAGE_REF_NAME)
			fail_msg("row %zu: %s is no name", i, names[i].given);
		check_text(i, "text", ref.text, names[i].text);
		check_text(i, "name", ref.name, names[i].name);
		check_text(i, "tag", ref.tag, names[i].tag);
		check_text(i, "digest", ref.digest, names[i].digest);
	}
}

static void
what_an_engine_may_take_for_an_id_is_no_name(void **state)
{
	static const char *const ids[] = {
	    "a",
	    "abc",
	    "0",
	    "deadbeef",
	    HEX64,
	    DIGEST,
	    "sha256:a",
	    "sha256:0123",
	    "cafe",
	    "sha384:" HEX64 "01234567"
	    "89abcdef0123456789abcdef",
	};
	cleanup_arena struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		struct image_ref ref = image_ref_parse(text_of(ids[i]), &arena);

		assert_int_equal(ref.kind, IMAGE_REF_ID);
		check_text(i, "text", ref.text, ids[i]);
		assert_null(ref.name.at);
	}
}

static const char *const invalid[] = {
    " ",
    "Nginx",
    "nginx:",
    "nginx@",
    ":latest",
    "@" DIGEST,
    "/nginx",
    "nginx/",
    "a//b",
    "nginx:a/b",
    "nginx:-a",
    "nginx:.a",
    "nginx:a:b",
    "nginx@sha256:abc",
    "nginx@md5:d41d8cd98f00b204e9800998ecf8427e",
    "nginx@" DIGEST "0",
    "nginx@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
    "nginx@" DIGEST ":latest",
    "nginx@" DIGEST "@" DIGEST,
    "ng inx",
    "nginx\n",
    "nginx\xc3\xa9",
    "-a",
    "a-",
    "_a",
    "a_",
    "a___b",
    "a..b",
    "a._b",
    ".a/b",
    "a/b.",
    "acme/App",
    "registry.example.com/App",
    "registry.example.com:/a",
    "registry.example.com:x/a",
    "-r.example.com/a",
    "r-.example.com/a",
    "r..com/a",
    "my_registry:5000/a",
    "[::1/a",
    "[]:5000/a",
    "[::g]/a",
    "[::1]x/a",
    "sha256:",
    "https://registry.example.com/a",
    "docker.io/",
    "docker.io//a",
    "ABC",
    "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
    "*",
    "nginx:*",
    "nginx:" A50 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaz" /* 129 */,
    A250 "aaaaaa",             /* library/... over 255 */
    A250 A250 "aaaaaaaaaaaaa", /* 513 */
};

static void
what_docker_refuses_is_invalid(void **state)
{
	cleanup_arena struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
		struct image_ref ref = image_ref_parse(text_of(invalid[i]), &arena);

		if (ref.kind != IMAGE_REF_INVALID)
			fail_msg("%s gives kind %d", invalid[i], ref.kind);
		check_text(i, "text", ref.text, invalid[i]);
	}
	assert_int_equal(image_ref_parse(TEXT_LIT("nginx\0x"), &arena).kind,
	                 IMAGE_REF_INVALID);
}

static void
no_image_is_none(void **state)
{
	cleanup_arena struct arena arena = {0};

	(void)state;
	assert_int_equal(image_ref_parse((struct text){0}, &arena).kind, IMAGE_REF_NONE);
	assert_int_equal(image_ref_parse(TEXT_LIT(""), &arena).kind, IMAGE_REF_NONE);
}

static void
without_memory_a_name_is_invalid(void **state)
{
	cleanup_arena struct arena arena = {.limit = 1};
	struct image_ref ref = image_ref_parse(TEXT_LIT("nginx"), &arena);

	(void)state;
	assert_int_equal(ref.kind, IMAGE_REF_INVALID);
	assert_false(image_ref_matches(&ref, TEXT_LIT("nginx")));
}

static const struct {
	const char *pattern, *image;
	bool matches;
} matches[] = {
    /* the registry is filled in as in a reference, the tag is not */
    {"nginx", "nginx", true},
    {"nginx", "index.docker.io/library/nginx:1.25", true},
    {"index.docker.io/nginx", "nginx", true},
    {"nginx", "nginx@" DIGEST, true},
    {"nginx", "nginx2", false},
    {"nginx", "acme/nginx", false},
    {"nginx", "evil.example.com/library/nginx", false},
    {"library/nginx", "nginx", true},
    {"acme/*", "acme/app", true},
    {"acme/*", "acme/team/app", false},
    {"acme/*", "docker.io/acme/app:v1", true},
    {"acme/*", "registry.example.com/acme/app", false},
    {"*", "nginx", true},
    {"*", "acme/app", false},
    {"*/*", "acme/app", true},
    {"*/*", "nginx", true}, /* docker.io/library/nginx */
    {"*/*", "registry.example.com/app", false},
    {"registry.example.com/debug/*", "registry.example.com/debug/gdb:12", true},
    {"registry.example.com/debug/*", "registry.example.com/debug/a/b", false},
    {"registry.example.com/debug/*", "registry.example.com:443/debug/gdb", false},
    {"*.example.com/app", "registry.example.com/app", true},
    {"*.example.com/app", "a.b.example.com/app", true},
    {"*.example.com/app", "evil.com/x.example.com/app", false},
    {"*/nginx", "evil.example.com/nginx", false},
    {"registry[0-9].example.com/*", "registry7.example.com/app", true},
    {"localhost:*/app", "localhost:5000/app", true},
    {"\\[::1\\]:5000/app", "[::1]:5000/app", true},
    /* tags */
    {"nginx:1.*", "nginx:1.25", true},
    {"nginx:1.*", "nginx:2.0", false},
    {"nginx:1.*", "nginx:1.25@" DIGEST, false},
    {"nginx:latest", "nginx", true},
    {"nginx:*", "nginx", true},
    {"nginx:*", "nginx@" DIGEST, false},
    {"nginx*", "nginx-debug:1", true},
    {"nginx*1", "nginx:1", false},
    {"nginx?1", "nginx:1", false},
    {"nginx[:]1", "nginx:1", false},
    /* digests */
    {"nginx@" DIGEST, "nginx@" DIGEST, true},
    {"nginx@" DIGEST, "nginx:9@" DIGEST, true},
    {"nginx:1@" DIGEST, "nginx:9@" DIGEST, true},
    {"nginx@" DIGEST, "nginx", false},
    {"nginx@" DIGEST, "acme/nginx@" DIGEST, false},
    {"nginx@sha256:0123*", "nginx@" DIGEST, true},
    {"nginx@sha256:1123*", "nginx@" DIGEST, false},
    /* IDs: the literal text and nothing else */
    {"abc", "abc", false}, /* anybody may call an image so */
    {"abc", "abc:latest", false},
    {"abc", "docker.io/library/abc", false},
    {"docker.io/library/abc", "abc:latest", true},
    {"docker.io/library/abc", "abc", false},
    {"library/abc", "abc", false},
    {"a*", "abc", false},
    {"*", "abc", false},
    {"???", "abc", false},
    {"\\abc", "abc", false},
    {"ab", "abc", false},
    {DIGEST, DIGEST, true},
    {HEX64, DIGEST, false},
    {"sha256:*", "sha256:abc", false},
    {"docker.io/library/sha256:*", "sha256:abc", false},
    /* no image, no match */
    {"*", "", false},
    {"*", "Nginx", false},
    {"Nginx", "Nginx", false},
    {"", "nginx", false},
    {"[a", "a", false},
};

static void
patterns_match_what_docker_would_run(void **state)
{
	cleanup_arena struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
		struct image_ref ref = image_ref_parse(text_of(matches[i].image), &arena);

		if (image_ref_matches(&ref, text_of(matches[i].pattern)) !=
		    matches[i].matches)
			fail_msg("row %zu: %s on %s", i, matches[i].pattern,
			         matches[i].image);
	}
}

static void
a_reference_matches_itself_as_a_pattern(void **state)
{
	cleanup_arena struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct text given = text_of(names[i].given);
		struct image_ref ref = image_ref_parse(given, &arena);

		if (names[i].given[0] == '[') /* a set of characters */
			continue;
		if (!text_has_prefix(given, "sha256:"))
			assert_true(image_pattern_is_valid(given));
		assert_true(image_ref_matches(&ref, given));
		assert_true(image_ref_matches(&ref, ref.text));
	}
}

static void
patterns_that_can_never_match_are_invalid(void **state)
{
	static const char *const bad[] = {"",
	                                  "Nginx",
	                                  "Nginx*",
	                                  "acme/App*",
	                                  "nginx:",
	                                  "a//*",
	                                  "*/",
	                                  "/*",
	                                  "nginx*@",
	                                  "nginx*:",
	                                  "nginx[",
	                                  "nginx\\",
	                                  "nginx[/]x",
	                                  "nginx[:]x",
	                                  "a/b:[/]",
	                                  "a/b:[:]",
	                                  "[::].a/b",
	                                  "a\\/b",
	                                  "a b*",
	                                  "*\xc3\xa9",
	                                  "sha256:*",
	                                  "sha256:",
	                                  "sha256:abcg",
	                                  "nginx*@SHA256*",
	                                  "[::1]:5000/app",
	                                  "[::1]/app*",
	                                  "https://a/*",
	                                  "nginx@sha256:abc"};
	static const char *const good[] = {"*",
	                                   "*/*",
	                                   "nginx*",
	                                   "nginx:*",
	                                   "*.example.com:5000/a/*",
	                                   "[a-f]x",
	                                   "abc",
	                                   DIGEST,
	                                   "nginx@sha256:a*",
	                                   "acme/app:[vV][0-9]*",
	                                   "a?c/d:?",
	                                   "a-*/b*",
	                                   "[A-Za-z0]*",
	                                   "nginx*:1@" DIGEST,
	                                   "[ab].example.com/x",
	                                   "\\[::1\\]:5000/a"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (image_pattern_is_valid(text_of(bad[i])))
			fail_msg("%s is valid", bad[i]);
	}
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (!image_pattern_is_valid(text_of(good[i])))
			fail_msg("%s is invalid", good[i]);
	}
	assert_false(image_pattern_is_valid(text_of(A250 A250 "*aaaaaaaaaaaa")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_normalised_as_docker_does),
	    cmocka_unit_test(what_an_engine_may_take_for_an_id_is_no_name),
	    cmocka_unit_test(what_docker_refuses_is_invalid),
	    cmocka_unit_test(no_image_is_none),
	    cmocka_unit_test(without_memory_a_name_is_invalid),
	    cmocka_unit_test(patterns_match_what_docker_would_run),
	    cmocka_unit_test(a_reference_matches_itself_as_a_pattern),
	    cmocka_unit_test(patterns_that_can_never_match_are_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
