/* SPDX-License-Identifier: Apache-2.0 */
/* docker_route.c - method and request target -> which Engine API call this is. */
#include "core/docker.h"

#include <stdint.h>

/* One judged route, as the router of every supported engine has it (moby api/server/
   router/..., gorilla/mux): anchored, case-sensitive, on the decoded path. */
struct route_row {
	const char *method, *prefix;
	const char
	    *suffix; /* NULL: the path is `prefix`; else {name:.*} stands between */
	enum docker_call call;
};

static const struct route_row routes[] = {
    {"POST", "/containers/create", NULL, CALL_CONTAINER_CREATE},
    {"POST", "/containers/", "/start", CALL_CONTAINER_START},
    {"POST", "/services/create", NULL, CALL_SERVICE_CREATE},
    {"POST", "/services/", "/update", CALL_SERVICE_UPDATE},
    {"POST", "/swarm/init", NULL, CALL_SWARM_INIT},
    {"POST", "/swarm/join", NULL, CALL_SWARM_JOIN},
    {"GET", "/swarm", NULL, CALL_SWARM_MANAGE},
    {"POST", "/swarm/update", NULL, CALL_SWARM_MANAGE},
    {"POST", "/nodes/", "/update", CALL_SWARM_MANAGE},
    {"POST", "/build", NULL, CALL_BUILD},
    {"POST", "/session", NULL, CALL_BUILD},
    {"POST", "/grpc", NULL, CALL_BUILD},
    {"POST", "/plugins/create", NULL, CALL_PLUGIN_CREATE},
    {"POST", "/plugins/pull", NULL, CALL_PLUGIN_PULL},
    {"POST", "/plugins/", "/enable", CALL_PLUGIN_ENABLE},
    {"POST", "/plugins/", "/disable", CALL_PLUGIN_DISABLE},
    {"POST", "/plugins/", "/upgrade", CALL_PLUGIN_UPGRADE},
    {"POST", "/plugins/", "/set", CALL_PLUGIN_SET},
    {"DELETE", "/plugins/", "", CALL_PLUGIN_REMOVE},
};

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

/*
 * Percent-decodes once; in a query '+' is a space (net/url, unescape). -1: a bad escape,
 * or no memory (then .at is NULL).
 */
static int
decode(struct text raw, bool query, struct arena *arena, struct text *ret_text)
{
	char *out;
	size_t len = 0;

	*ret_text = raw;
	if (text_find(raw, '%') == raw.len && (!query || text_find(raw, '+') == raw.len))
		return 0;
	ret_text->at = out = arena_alloc(arena, raw.len + 1);
	if (!out)
		return -1;
	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.at[i];

		if (c == '%') {
			int high = i + 2 < raw.len ? hex_digit(raw.at[i + 1]) : -1;
			int low = i + 2 < raw.len ? hex_digit(raw.at[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -1;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && query) {
			c = ' ';
		}
		out[len++] = c;
	}
	*ret_text = (struct text){.at = out, .len = len};
	return 0;
}

/* The length of a URL scheme with its ':' at the start of `t`; 0 if there is none. */
static size_t
scheme_length(struct text t)
{
	for (size_t i = 0; i < t.len; i++) {
		char c = t.at[i];
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

		if (c == ':')
			return i > 0 ? i + 1 : 0;
		if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '+' ||
		                            c == '-' || c == '.')))
			return 0;
	}
	return 0;
}

/*
 * The raw path of a request target without its query: origin form, or absolute form with
 * any scheme and any authority, as ParseRequestURI takes them. .at NULL: neither.
 */
static struct text
raw_path(struct text target)
{
	size_t scheme;

	if (target.len > 0 && target.at[0] == '/')
		return target;
	scheme = scheme_length(target);
	if (scheme == 0)
		return (struct text){0};
	target = text_from(target, scheme);
	if (text_has_prefix(target, "//")) {
		target = text_from(target, 2);
		target = text_from(target, text_find(target, '/'));
	}
	return target.len > 0 && target.at[0] == '/' ? target : (struct text){0};
}

/* The length of "/v" and digits and dots at the start of `path`; 0 if there is none. */
static size_t
version_length(struct text path)
{
	size_t i = 2;

	if (!text_has_prefix(path, "/v"))
		return 0;
	while (i < path.len &&
	       ((path.at[i] >= '0' && path.at[i] <= '9') || path.at[i] == '.'))
		i++;
	return i > 2 && i < path.len && path.at[i] == '/' ? i : 0;
}

static bool
row_matches(const struct route_row *row, struct text path, struct text *ret_subject)
{
	size_t prefix = strlen(row->prefix), suffix;

	*ret_subject = (struct text){0};
	if (!row->suffix)
		return text_is(path, row->prefix);
	suffix = strlen(row->suffix);
	if (path.len < prefix + suffix || !text_has_prefix(path, row->prefix) ||
	    !text_is(text_from(path, path.len - suffix), row->suffix))
		return false;
	*ret_subject = text_first(text_from(path, prefix), path.len - prefix - suffix);
	return true;
}

int
docker_route(struct text method, struct text target, struct arena *arena,
             struct docker_route *ret_route, struct err *err)
{
	struct docker_route route = {.call = CALL_OTHER};
	size_t question = text_find(target, '?'), version;
	struct text path = raw_path(text_first(target, question));
	char letter;

	if (question < target.len)
		route.query = text_from(target, question + 1);
	if (text_is(target, "*")) { /* OPTIONS *: no path at all */
		*ret_route = (struct docker_route){.path = target};
		return 0;
	}
	if (!path.at)
		return err_set(err, ERR_SYNTAX,
		               "the request target is neither a path nor a URL with one");
	if (decode(path, false, arena, &route.path) != 0)
		return route.path.at
		           ? err_set(err, ERR_SYNTAX,
		                     "the request target has a bad percent escape")
		           : err_set(err, ERR_MEMORY, "out of memory");
	path = route.path;
	version = version_length(path);
	if (version > 0) {
		route.version = text_first(text_from(path, 2), version - 2);
		path = text_from(path, version);
	}
	/* the letter behind the '/' tells most paths from most rows */
	letter = path.len > 1 ? path.at[1] : '\0';
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		if (routes[i].prefix[1] == letter && text_is(method, routes[i].method) &&
		    row_matches(&routes[i], path, &route.subject)) {
			route.call = routes[i].call;
			break;
		}
	}
	*ret_route = route;
	return 0;
}

struct text
docker_query(const struct docker_route *route, const char *key, struct arena *arena,
             bool *ret_certain)
{
	struct text rest = route->query, found = {0};
	bool certain = text_find(rest, ';') == rest.len;

	while (rest.len > 0 && !found.at) {
		size_t end = 0, equals;
		struct text pair, name, value;

		while (end < rest.len && rest.at[end] != '&' && rest.at[end] != ';')
			end++;
		pair = text_first(rest, end);
		rest = text_from(rest, end < rest.len ? end + 1 : end);
		equals = text_find(pair, '=');
		value = equals < pair.len ? text_from(pair, equals + 1) : TEXT_LIT("");
		if (decode(text_first(pair, equals), true, arena, &name) != 0 ||
		    decode(value, true, arena, &value) != 0)
			certain = false;
		else if (text_is(name, key))
			found = value;
	}
	if (ret_certain)
		*ret_certain = certain;
	return found;
}

/* strconv.Atoi of digits: 0 for none, the largest number for an overflow. */
static uint64_t
number(struct text digits)
{
	uint64_t value = 0;

	for (size_t i = 0; i < digits.len; i++) {
		uint64_t digit = (uint64_t)(digits.at[i] - '0');

		if (value > (INT64_MAX - digit) / 10)
			return INT64_MAX;
		value = value * 10 + digit;
	}
	return value;
}

bool
docker_version_below(struct text version, unsigned major, unsigned minor)
{
	const uint64_t other[2] = {major, minor};

	if (!version.at)
		return false;
	for (size_t i = 0; i < 2; i++) {
		size_t dot = text_find(version, '.');
		uint64_t part = number(text_first(version, dot));

		if (part != other[i])
			return part < other[i];
		version = text_from(version, dot < version.len ? dot + 1 : dot);
	}
	return false;
}
