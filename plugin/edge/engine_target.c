/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_target.c - which engine, as the docker client would choose.
 *
 * Contexts: docker/cli cli/context/store (folders named by the SHA-256 of the name),
 * cli/command/cli.go resolveContextName (DOCKER_HOST wins over any context).
 */
#include "edge/engine.h"
#include "edge/file.h"

#include <jansson.h>
#include <limits.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/var/run/docker.sock"
#define DEFAULT_HOST   "unix://" DEFAULT_SOCKET

enum { CONFIG_MAX = 4 * 1024 * 1024 };

void
engine_target_free(struct engine_target *target)
{
	free(target->host);
	free(target->socket);
	free(target->url);
	free(target->ca);
	free(target->cert);
	free(target->key);
	*target = (struct engine_target){0};
}

static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] != '\0' ? value : NULL;
}

static char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *
format_text(const char *format, ...)
{
	va_list args;
	char *text = NULL;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	return len < 0 ? NULL : text;
}

/* ---- where it is ---- */

/* Files that are there; all are optional, as for the client. */
static void
find_certificates(struct engine_target *target, const char *folder)
{
	const struct {
		const char *name;
		char **path;
	} files[] = {{"ca.pem", &target->ca},
	             {"cert.pem", &target->cert},
	             {"key.pem", &target->key}};

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char *path = format_text("%s/%s", folder, files[i].name);

		if (path && access(path, F_OK) == 0)
			*files[i].path = path;
		else
			free(path);
	}
}

/* "HOST[:PORT][/PATH]" behind the scheme. */
static int
set_tcp(struct engine_target *target, const char *rest, const char *certificates,
        struct err *err)
{
	const char *scheme = certificates ? "https" : "http";
	size_t len = strcspn(rest, "/"), path = strlen(rest);
	const char *bracket = memchr(rest, ']', len);
	const char *from = bracket ? bracket : rest;
	bool port = memchr(from, ':', len - (size_t)(from - rest)) != NULL;

	if (len == 0)
		return err_set(err, ERR_SYNTAX, "%s: which host?", target->host);
	if (memchr(rest, '@', len) || strpbrk(rest, "?#"))
		return err_set(err, ERR_SYNTAX, "%s: should be tcp://HOST:PORT",
		               target->host);
	while (path > len && rest[path - 1] == '/')
		path--;
	if (certificates)
		find_certificates(target, certificates);
	target->plain_tcp = !certificates;
	target->url = format_text("%s://%.*s%s%.*s", scheme, (int)len, rest,
	                          port           ? ""
	                          : certificates ? ":2376"
	                                         : ":2375",
	                          (int)(path - len), rest + len);
	return target->url ? 0 : err_set(err, ERR_MEMORY, "out of memory");
}

/* `certificates`: the folder to use with TLS; NULL: no TLS. */
static int
set_host(struct engine_target *target, const char *host, const char *certificates,
         struct err *err)
{
	target->host = strdup(host);
	if (!target->host)
		return err_set(err, ERR_MEMORY, "out of memory");
	if (strncmp(host, "tcp://", 6) == 0)
		return set_tcp(target, host + 6, certificates, err);
	if (strncmp(host, "unix://", 7) != 0)
		return err_set(err, ERR_TYPE,
		               "%s: should begin with unix:// or tcp://; for an engine "
		               "behind ssh run the audit there",
		               host);
	/* alone it is the usual place (docker/cli opts/hosts.go) */
	target->socket = strdup(host[7] ? host + 7 : DEFAULT_SOCKET);
	target->url = strdup("http://docker");
	return target->socket && target->url ? 0
	                                     : err_set(err, ERR_MEMORY, "out of memory");
}

/* ---- contexts ---- */

static json_t *
load_json(const char *path, struct err *err)
{
	cleanup_buf struct buf bytes = {0};
	json_error_t error;
	json_t *json = NULL;

	if (file_read(path, CONFIG_MAX, &bytes, err) == 0) {
		json = json_loadb(bytes.at ? bytes.at : "", bytes.len, 0, &error);
		if (!json)
			(void)err_set(err, ERR_SYNTAX, "line %d: %s", error.line,
			              error.text);
	}
	if (!json)
		(void)err_wrap(err, "%s", path);
	return json;
}

/* The name of the current context, or NULL for none; the caller frees it. */
static int
current_context(const char *folder, char **ret_name, struct err *err)
{
	const char *name = variable("DOCKER_CONTEXT");
	char path[PATH_MAX];
	json_t *config = NULL;

	(void)snprintf(path, sizeof path, "%s/config.json", folder);
	if (!name && access(path, F_OK) == 0) {
		config = load_json(path, err);
		if (!config)
			return -1;
		name = json_string_value(json_object_get(config, "currentContext"));
	}
	if (name && name[0] != '\0' && strcmp(name, "default") != 0)
		*ret_name = strdup(name);
	json_decref(config);
	return 0;
}

static void
hash_name(const char *name, char hex[2 * SHA256_DIGEST_SIZE + 1])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, strlen(name), (const uint8_t *)name);
	sha256_digest(&sha, sizeof digest, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static int
set_context(struct engine_target *target, const char *folder, const char *name,
            struct err *err)
{
	char hex[2 * SHA256_DIGEST_SIZE + 1], meta[PATH_MAX], tls[PATH_MAX];
	json_t *context, *docker;
	const char *host;
	int result;

	hash_name(name, hex);
	(void)snprintf(meta, sizeof meta, "%s/contexts/meta/%s/meta.json", folder, hex);
	(void)snprintf(tls, sizeof tls, "%s/contexts/tls/%s/docker", folder, hex);
	context = load_json(meta, err);
	if (!context)
		return err_wrap(err, "docker context %s", name);
	docker = json_object_get(json_object_get(context, "Endpoints"), "docker");
	host = json_string_value(json_object_get(docker, "Host"));
	if (!host)
		result = err_set(err, ERR_TYPE,
		                 "docker context %s: has no docker endpoint", name);
	else if (json_is_true(json_object_get(docker, "SkipTLSVerify")))
		result = err_set(err, ERR_TYPE,
		                 "docker context %s: does not check certificates; what "
		                 "anybody could have said is no evidence",
		                 name);
	else
		result = set_host(target, host, access(tls, F_OK) == 0 ? tls : NULL, err);
	json_decref(context);
	return result;
}

/* ---- the choice ---- */

static int
find(struct engine_target *target, const char *host, const char *folder, struct err *err)
{
	const char *certificates = variable("DOCKER_CERT_PATH");
	char *name = NULL;
	int result;

	if (!host)
		host = variable("DOCKER_HOST");
	if (!host && current_context(folder, &name, err) != 0)
		return -1;
	if (name) {
		result = set_context(target, folder, name, err);
		free(name);
		return result;
	}
	if (!variable("DOCKER_TLS_VERIFY"))
		certificates = NULL;
	else if (!certificates)
		certificates = folder;
	return set_host(target, host ? host : DEFAULT_HOST, certificates, err);
}

int
engine_target_find(const char *host, struct engine_target *ret_target, struct err *err)
{
	const char *folder = variable("DOCKER_CONFIG"), *home = variable("HOME");
	struct engine_target target = {0};
	char *made = NULL;
	int result;

	if (!folder)
		folder = made = format_text("%s/.docker", home ? home : "");
	if (!folder)
		return err_set(err, ERR_MEMORY, "out of memory");
	result = find(&target, host, folder, err);
	free(made);
	if (result != 0)
		engine_target_free(&target);
	else
		*ret_target = target;
	return result;
}
