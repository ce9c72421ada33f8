/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_route.c - a call is the same in every spelling that reaches the same handler. */
#include "fuzz.h"

static const char *const keys[] = {"name", "checkpoint", "rollback", "remote"};

/* Each byte as an escape, but for a '/' at the front. */
static void
escape_all(struct buf *buf, struct text t)
{
	for (size_t i = 0; i < t.len; i++) {
		if (i == 0 && t.at[0] == '/')
			buf_char(buf, '/');
		else
			buf_printf(buf, "%%%02x", (unsigned char)t.at[i]);
	}
}

static void
check_same(struct text method, struct text target, const struct docker_route *expected)
{
	cleanup_arena struct arena arena = {0};
	struct docker_route route;

	CHECK(docker_route(method, target, &arena, &route, NULL) == 0);
	CHECK(route.call == expected->call);
	CHECK(text_equal(route.path, expected->path));
	CHECK(text_equal(route.version, expected->version));
	CHECK(text_equal(route.subject, expected->subject));
}

static void
check_spellings(struct text method, const struct docker_route *route)
{
	cleanup_buf struct buf escaped = {0}, absolute = {0};

	if (route->path.len == 0 || route->path.at[0] != '/')
		return; /* "*", or a path that only an escaped '/' begins */
	escape_all(&escaped, route->path);
	check_same(method, buf_text(&escaped), route);
	buf_str(&absolute, "x+1://u:p@[::1]:99");
	escape_all(&absolute, route->path);
	buf_str(&absolute, "?name=%zz");
	check_same(method, buf_text(&absolute), route);
}

/* Written from the router's regular expressions, and not from our table. */
static void
check_create(struct text method, const struct docker_route *route)
{
	struct text path = route->path;
	size_t i = 2;

	if (text_has_prefix(path, "/v")) {
		while (i < path.len && strchr("0123456789.", path.at[i]) && path.at[i])
			i++;
		path = i > 2 ? text_from(path, i) : path;
	}
	CHECK((route->call == CALL_CONTAINER_CREATE) ==
	      (text_is(path, "/containers/create") && text_is(method, "POST")));
}

static void
check_query(const struct docker_route *route, const char *key)
{
	cleanup_arena struct arena arena = {0};
	cleanup_buf struct buf query = {0};
	struct docker_route again = {0};
	bool certain;
	struct text value = docker_query(route, key, &arena, &certain);

	CHECK(!certain ||
	      !memchr(route->query.at ? route->query.at : "", ';', route->query.len));
	buf_str(&query, key);
	buf_char(&query, '=');
	escape_all(&query, value);
	again.query = buf_text(&query);
	value = docker_query(route, key, &arena, NULL);
	CHECK(!value.at ||
	      text_equal(docker_query(&again, key, &arena, &certain), value));
}

static void
check_without_memory(struct text method, struct text target,
                     const struct docker_route *expected, size_t room)
{
	cleanup_arena struct arena arena = fuzz_small_arena(room);
	struct docker_route route = {.call = CALL_OTHER};
	struct err err = {0};

	if (docker_route(method, target, &arena, &route, &err) != 0) {
		CHECK(err.code == ERR_MEMORY);
		return;
	}
	CHECK(route.call == expected->call);
	for (size_t i = 0; i < COUNT(keys); i++) {
		cleanup_arena struct arena ample = {0};
		bool certain, certain_before;
		struct text before =
		    docker_query(expected, keys[i], &ample, &certain_before);
		struct text value = docker_query(&route, keys[i], &arena, &certain);

		CHECK(!certain || (certain_before && text_equal(before, value)));
	}
}

/* METHOD newline TARGET; without the newline it is a POST. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text input = fuzz_text(data, size), method = TEXT_LIT("POST");
	size_t line = text_find(input, '\n');
	cleanup_arena struct arena arena = {0};
	struct docker_route route;
	struct err err = {0};

	if (line < input.len) {
		method = text_first(input, line);
		input = text_from(input, line + 1);
	}
	if (docker_route(method, input, &arena, &route, &err) != 0) {
		CHECK(err.code == ERR_SYNTAX || err.code == ERR_MEMORY);
		return 0;
	}
	CHECK(route.call < CALL_COUNT);
	check_create(method, &route);
	check_spellings(method, &route);
	for (size_t i = 0; i < COUNT(keys); i++)
		check_query(&route, keys[i]);
	check_without_memory(method, input, &route, size * 7 % 256);
	return 0;
}
