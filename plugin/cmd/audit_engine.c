/* SPDX-License-Identifier: Apache-2.0 */
/* audit_engine.c - the engine itself: /version, /info, its file, plugins, the probe. */
#include "cmd_audit.h"
#include "edge/file.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { CONFIG_MAX = 1024 * 1024 };

void
audit_add_engine(struct audit_engine *engine, const char *check, enum audit_level level,
                 const char *detail)
{
	struct audit_finding *finding = audit_add(engine);

	if (!finding)
		return;
	finding->kind = AUDIT_ENGINE;
	finding->level = level;
	finding->check = audit_check_find(check);
	finding->name = text_of(engine->name);
	finding->detail =
	    audit_keep(engine, text_of(detail ? detail : ""), AUDIT_VALUE_MAX);
}

static const char *
string_of(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static bool
has_string(const json_t *list, const char *wanted)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		if (json_is_string(item) && strcmp(json_string_value(item), wanted) == 0)
			return true;
	}
	return false;
}

/* The answer to a GET as JSON; NULL after a complaint in `err`. */
static json_t *
ask(struct audit_engine *engine, const char *path, struct err *err)
{
	struct engine_answer answer = {0};
	json_t *json = NULL;

	if (engine_get(engine->engine, path, ENGINE_ANSWER_MAX, &answer, err) != 0)
		return NULL;
	if (answer.status == 200)
		json = json_loadb(answer.body.at ? answer.body.at : "", answer.body.len,
		                  0, NULL);
	if (answer.status != 200)
		engine_refusal(&answer, err);
	if (!json_is_object(json) && !json_is_array(json)) {
		json_decref(json);
		json = NULL;
		(void)err_set(err, ERR_SYNTAX, "not the answer of an engine");
		(void)err_wrap(err, "%s: %s", engine->host, path);
	}
	buf_free(&answer.body);
	return json;
}

/* ---- the version ---- */

static void
add_advice(const struct audit_check *check, void *context)
{
	struct audit_engine *engine = context;

	audit_add_engine(engine, check->id, AUDIT_ADVICE, engine->version);
}

/* The same, of an object that has to have `key`. */
static json_t *
ask_object(struct audit_engine *engine, const char *path, const char *key)
{
	json_t *json = ask(engine, path, &engine->err);

	if (!json || json_object_get(json, key))
		return json;
	(void)err_set(&engine->err, ERR_TYPE, "%s: %s: not the answer of an engine",
	              engine->host, path);
	json_decref(json);
	return NULL;
}

static int
ask_version(struct audit_engine *engine)
{
	json_t *version = ask_object(engine, "/version", "Version");

	if (!version)
		return -1;
	(void)snprintf(engine->version, sizeof engine->version, "%s",
	               string_of(version, "Version"));
	if (!audit_version_each(engine->version, add_advice, engine))
		audit_add_engine(engine, "engine-version", AUDIT_ADVICE, engine->version);
	json_decref(version);
	return 0;
}

/* ---- runtimes, plugins ---- */

static void
look_at_runtimes(struct audit_engine *engine, json_t *info)
{
	const struct text_list *listed = &engine->policy->runtimes;
	const char *name = "";
	json_t *runtime;

	json_object_foreach (json_object_get(info, "Runtimes"), name, runtime) {
		bool known = strcmp(engine->default_runtime, name) == 0;

		for (size_t i = 0; i < listed->count; i++)
			known = known || text_is(listed->at[i], name);
		if (!known)
			audit_add_engine(engine, "engine-runtime", AUDIT_ADVICE, name);
	}
}

static void
look_at_plugins(struct audit_engine *engine)
{
	struct err err = {0};
	json_t *plugins = ask(engine, "/plugins", &err), *plugin;
	size_t i;

	json_array_foreach (plugins, i, plugin) {
		if (json_is_true(json_object_get(plugin, "Enabled")))
			audit_add_engine(engine, "engine-plugin", AUDIT_ADVICE,
			                 string_of(plugin, "Name"));
	}
	json_decref(plugins);
}

/* ---- daemon.json ---- */

/* The file of the engine at the usual place, or the one that was named. */
static const char *
config_path(const struct audit_engine *engine)
{
	const char *socket = engine->target.socket;

	if (engine->audit->daemon_json)
		return engine->audit->daemon_json;
	return socket && (strcmp(socket, "/var/run/docker.sock") == 0 ||
	                  strcmp(socket, "/run/docker.sock") == 0)
	           ? "/etc/docker/daemon.json"
	           : NULL;
}

/*
 * The text as engines read it: a byte order mark is skipped, and nothing but white space is
 * no configuration (moby 28.5.2 daemon/config/config.go). What is given twice, engines merge;
 * here it can't be read. NULL: it can't be read.
 */
static json_t *
parse_config(struct text file)
{
	if (file.len >= 3 && memcmp(file.at, "\xef\xbb\xbf", 3) == 0)
		file = text_from(file, 3);
	for (size_t i = 0; i < file.len; i++) {
		if (!memchr(" \t\r\n", file.at[i], 4))
			return json_loadb(file.at, file.len, JSON_REJECT_DUPLICATES,
			                  NULL);
	}
	return json_object();
}

/* Engines do without the file; one that is hidden from us may say anything. */
static json_t *
read_config(const struct audit_engine *engine, const char *path)
{
	cleanup_buf struct buf file = {0};
	struct stat status;
	struct err err = {0};

	if (!engine->audit->daemon_json && stat(path, &status) != 0 &&
	    (errno == ENOENT || errno == ENOTDIR))
		return json_object();
	return file_read(path, CONFIG_MAX, &file, &err) == 0
	           ? parse_config(buf_text(&file))
	           : NULL;
}

/* Below the names that are options, engines fold keys as Go does (encoding/json). */
static bool
has_entitlement(json_t *builder)
{
	const char *key, *name;
	json_t *entitlements, *value;

	json_object_foreach (builder, key, entitlements) {
		if (strcasecmp(key, "entitlements") != 0)
			continue;
		json_object_foreach (entitlements, name, value) {
			if (strcasecmp(name, "security-insecure") == 0 &&
			    json_is_true(value))
				return true;
		}
	}
	return false;
}

/* `profile`: the default profile that the engine runs with. */
static void
look_at_config(struct audit_engine *engine, bool in_chain, const char *profile)
{
	const char *path = config_path(engine);
	json_t *config;

	if (!path)
		return;
	config = read_config(engine, path);
	if (!json_is_object(config))
		audit_add_engine(engine, "engine-config", AUDIT_ADVICE, path);
	else if (in_chain && !has_string(json_object_get(config, "authorization-plugins"),
	                                 engine->audit->plugin_name))
		audit_add_engine(engine, "engine-flag", AUDIT_ADVICE, path);
	audit_look_at_next_profile(engine, string_of(config, "seccomp-profile"), profile);
	if (has_entitlement(json_object_get(config, "builder")))
		audit_add_engine(engine, "engine-entitlement", AUDIT_ADVICE, path);
	json_decref(config);
}

/* ---- the probe ---- */

/*
 * Nothing can come of it: no engine takes that image or that option. The judge can't know
 * what is meant, so it refuses whatever the policy allows, unless it only observes.
 */
static const char probe_body[] =
    "{\"Image\":\"probe of seccomp-authz\","
    "\"HostConfig\":{\"SecurityOpt\":[\"SECCOMP=unconfined\"]}}";

static void
probe(struct audit_engine *engine)
{
	struct engine_answer answer = {0};
	struct err err = {0}, said = {0};
	cleanup_buf struct buf ours = {0};
	bool refused = false;

	/* from its first byte on: what another plugin says may quote ours */
	buf_printf(&ours, "the engine answers 403 \"authorization denied by plugin %s: ",
	           engine->audit->plugin_name);
	if (engine_post(engine->engine, "/containers/create", probe_body, &answer,
	                &err) == 0) {
		engine_refusal(&answer, &said);
		refused = text_has_prefix(text_of(said.text), buf_text(&ours).at);
	}
	buf_free(&answer.body);
	audit_add_engine(engine, "engine-probe", refused ? AUDIT_PASS : AUDIT_FAIL,
	                 err.code ? err.text : said.text);
}

/* ---- all of it ---- */

static int
ask_info(struct audit_engine *engine)
{
	json_t *info = ask_object(engine, "/info", "SecurityOptions");
	const char *profile;
	const json_t *chain;
	bool in_chain;

	if (!info)
		return -1;
	(void)snprintf(engine->name, sizeof engine->name, "%s", string_of(info, "Name"));
	(void)snprintf(engine->default_runtime, sizeof engine->default_runtime, "%s",
	               string_of(info, "DefaultRuntime"));
	engine->swarm_manager = json_is_true(
	    json_object_get(json_object_get(info, "Swarm"), "ControlAvailable"));
	profile = audit_look_at_seccomp(engine, info);
	look_at_runtimes(engine, info);
	chain = json_object_get(json_object_get(info, "Plugins"), "Authorization");
	in_chain = has_string(chain, engine->audit->plugin_name);
	if (!in_chain)
		audit_add_engine(engine, "engine-chain", AUDIT_ADVICE,
		                 engine->audit->plugin_name);
	look_at_config(engine, in_chain, profile);
	json_decref(info);
	return 0;
}

int
audit_ask_engine(struct audit_engine *engine)
{
	if (ask_info(engine) != 0 || ask_version(engine) != 0)
		return -1;
	if (engine->target.plain_tcp)
		audit_add_engine(engine, "engine-tcp", AUDIT_ADVICE, engine->host);
	look_at_plugins(engine);
	if (engine->audit->probe)
		probe(engine);
	return engine->err.code == ERR_NONE ? 0 : -1;
}
