/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - the judge's command line and environment -> struct options. */
#include "edge/options.h"

#include "edge/listen.h"
#include "edge/policy_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char options_help[] =
    "  --socket PATH          Unix socket to serve [" LISTEN_DEFAULT_PATH "]\n"
    "  --policy FILE          policy file [" POLICY_DEFAULT_PATH ", or the built-in\n"
    "                         policy where that has never existed]\n"
    "  --state-dir DIR        keeps the last good policy [" POLICY_DEFAULT_STATE_DIR "]\n"
    "  --record SINK          where denials are put on record; repeatable: the first\n"
    "                         gates, the others follow\n"
    "                         [file:" RECORD_DEFAULT_PATH ", or stdout]\n"
    "      file:PATH[,fsync=always|interval|never][,rotate=SIZE][,keep=N]\n"
    "                         fsync: nobody is told before the disk has it, once a\n"
    "                         second, or when the kernel likes [interval]; rotate: at\n"
    "                         SIZE bytes (64M) to PATH.1, PATH.2... [never], of which\n"
    "                         N are kept [10]\n"
    "      stdout             one JSON object a line\n"
    "      syslog:[SOCKET]    RFC 5424 with structured data, authpriv [/dev/log]\n"
    "      journald:[SOCKET]  fields such as SECCOMP_AUTHZ_DECISION=deny\n"
    "                         [/run/systemd/journal/socket]\n"
    "  --record-level LEVEL   denials (and uses of exceptions), or all [denials]\n"
    "  --plugin-name NAME     our name in the engine's configuration [seccomp-authz]\n"
    "  --managed-plugin       the engine runs us as a managed plugin\n"
    "  --allow-uid UID        who may ask besides root; repeatable\n"
    "  --admin-socket PATH    Unix socket that tells about the judge: /metrics, "
    "/healthz,\n"
    "                         /readyz, /policy [none]\n"
    "  --metrics-listen ADDR:PORT\n"
    "                         the same without /policy, on 127.0.0.0/8 or [::1]; port 0\n"
    "                         is a free one [none]\n"
    "  --webhook-listen ADDR:PORT\n"
    "                         serve Kubernetes' validating admission webhook there, at\n"
    "                         https://.../validate; [::]:8443 is every address. Without\n"
    "                         --socket no plugin socket is served then [none]\n"
    "  --tls-cert FILE        its certificate, with the chain, as PEM\n"
    "  --tls-key FILE         its key; both are read again when they change\n"
    "  --tls-client-ca FILE   callers need a certificate of one of these CAs; else "
    "their\n"
    "                         reviews are denied [anybody may call]\n"
    "  --log-level LEVEL      error, warning, info or debug [info]\n"
    "  --help, --version\n"
    "Each option can also come from the environment: SECCOMP_AUTHZ_STATE_DIR=DIR; a\n"
    "repeatable one with spaces between: SECCOMP_AUTHZ_RECORD=\"file:PATH stdout\".\n"
    "SIGHUP reloads the policy and reopens the record, SIGTERM ends.\n";

static int
read_socket(struct options *options, const char *value, struct err *err)
{
	if (value[0] != '/')
		return err_set(err, ERR_TYPE, "%s: should be an absolute path", value);
	options->socket = value;
	return 0;
}

static int
read_file_name(const char **ret_path, const char *value, struct err *err)
{
	if (value[0] == '\0')
		return err_set(err, ERR_TYPE, "should be a file");
	*ret_path = value;
	return 0;
}

static int
read_policy(struct options *options, const char *value, struct err *err)
{
	return read_file_name(&options->policy, value, err);
}

static int
read_state_dir(struct options *options, const char *value, struct err *err)
{
	if (value[0] != '/')
		return err_set(err, ERR_TYPE, "%s: should be an absolute path", value);
	options->state_dir = value;
	return 0;
}

static int
read_plugin_name(struct options *options, const char *value, struct err *err)
{
	if (value[0] == '\0')
		return err_set(err, ERR_TYPE, "should be a name");
	options->plugin_name = value;
	return 0;
}

static int
read_managed(struct options *options, const char *value, struct err *err)
{
	if (value && strcmp(value, "1") != 0 && strcmp(value, "0") != 0)
		return err_set(err, ERR_TYPE, "%s: should be 0 or 1", value);
	options->managed_plugin = !value || value[0] == '1';
	return 0;
}

static int
read_record(struct options *options, const char *value, struct err *err)
{
	if (options->record_count >= RECORD_SINKS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d sinks", RECORD_SINKS_MAX);
	options->records[options->record_count++] = value;
	return 0;
}

static int
read_record_level(struct options *options, const char *value, struct err *err)
{
	options->record_all = strcmp(value, "all") == 0;
	if (!options->record_all && strcmp(value, "denials") != 0)
		return err_set(err, ERR_TYPE, "%s: should be denials or all", value);
	return 0;
}

static int
read_uid(struct options *options, const char *value, struct err *err)
{
	char *end;
	unsigned long uid;

	errno = 0;
	uid = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 ||
	    uid >= (uid_t)-1)
		return err_set(err, ERR_TYPE, "%s: should be a numeric user ID", value);
	if (options->uid_count >= HTTP_UIDS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d", HTTP_UIDS_MAX);
	options->uids[options->uid_count++] = (uid_t)uid;
	return 0;
}

static int
read_admin_socket(struct options *options, const char *value, struct err *err)
{
	if (value[0] != '/')
		return err_set(err, ERR_TYPE, "%s: should be an absolute path", value);
	options->admin_socket = value;
	return 0;
}

static int
read_metrics_listen(struct options *options, const char *value, struct err *err)
{
	return loopback_read(value, &options->metrics_at, err);
}

static int
read_webhook_listen(struct options *options, const char *value, struct err *err)
{
	if (tcp_read(value, &options->webhook_at) == 0)
		return 0;
	return err_set(err, ERR_TYPE,
	               "%s: should be ADDR:PORT, as 0.0.0.0:8443 or [::]:8443", value);
}

static int
read_tls_cert(struct options *options, const char *value, struct err *err)
{
	return read_file_name(&options->tls.cert, value, err);
}

static int
read_tls_key(struct options *options, const char *value, struct err *err)
{
	return read_file_name(&options->tls.key, value, err);
}

static int
read_tls_client_ca(struct options *options, const char *value, struct err *err)
{
	return read_file_name(&options->tls.client_ca, value, err);
}

static int
read_log_level(struct options *options, const char *value, struct err *err)
{
	int level = log_level_from_name(value);

	if (level < 0)
		return err_set(err, ERR_TYPE,
		               "%s: should be error, warning, info or debug", value);
	options->log_level = (enum log_level)level;
	return 0;
}

static int
read_help(struct options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->help = true;
	return 0;
}

static int
read_version(struct options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->version = true;
	return 0;
}

static const struct option_row {
	const char *name;     /* without the dashes */
	const char *variable; /* without SECCOMP_AUTHZ_; NULL: only on the command line */
	bool is_switch;
	bool is_list;
	/* takes the value; NULL for a switch */
	int (*read)(struct options *options, const char *value, struct err *err);
} rows[] = {
    {"socket", "SOCKET", false, false, read_socket},
    {"policy", "POLICY", false, false, read_policy},
    {"state-dir", "STATE_DIR", false, false, read_state_dir},
    {"plugin-name", "PLUGIN_NAME", false, false, read_plugin_name},
    {"managed-plugin", "MANAGED_PLUGIN", true, false, read_managed},
    {"record", "RECORD", false, true, read_record},
    {"record-level", "RECORD_LEVEL", false, false, read_record_level},
    {"allow-uid", "ALLOW_UID", false, true, read_uid},
    {"admin-socket", "ADMIN_SOCKET", false, false, read_admin_socket},
    {"metrics-listen", "METRICS_LISTEN", false, false, read_metrics_listen},
    {"webhook-listen", "WEBHOOK_LISTEN", false, false, read_webhook_listen},
    {"tls-cert", "TLS_CERT", false, false, read_tls_cert},
    {"tls-key", "TLS_KEY", false, false, read_tls_key},
    {"tls-client-ca", "TLS_CLIENT_CA", false, false, read_tls_client_ca},
    {"log-level", "LOG_LEVEL", false, false, read_log_level},
    {"help", NULL, true, false, read_help},
    {"version", NULL, true, false, read_version},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

/* One variable of the environment; a list is cut at white space. */
static int
read_variable(const struct option_row *row, struct options *options, struct err *err)
{
	char name[64] = "SECCOMP_AUTHZ_";
	char *value, *rest = NULL;
	int result = 0;

	strncat(name, row->variable, sizeof name - strlen(name) - 1);
	value = getenv(name);
	if (!value || value[0] == '\0')
		return 0;
	if (!row->is_list)
		result = row->read(options, value, err);
	else
		for (char *word = strtok_r(value, " \t\n", &rest); word && result == 0;
		     word = strtok_r(NULL, " \t\n", &rest))
			result = row->read(options, word, err);
	return result == 0 ? 0 : err_wrap(err, "%s", name);
}

/* The row of "--name" or "--name=value"; *ret_value points behind the '='. */
static const struct option_row *
find_row(const char *argument, const char **ret_value)
{
	const char *name;
	size_t len;

	*ret_value = NULL;
	if (strncmp(argument, "--", 2) != 0)
		return NULL;
	name = argument + 2;
	len = strcspn(name, "=");

	*ret_value = name[len] == '=' ? name + len + 1 : NULL;
	for (size_t i = 0; i < ROWS; i++) {
		if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
			return &rows[i];
	}
	return NULL;
}

static int
read_argument(int argc, char **argv, int *index, struct options *options, struct err *err)
{
	const char *argument = argv[*index], *value;
	const struct option_row *row;

	row = find_row(argument, &value);
	if (!row)
		return err_set(err, ERR_TYPE, "%s: no such option", argument);
	if (row->is_switch && value)
		return err_set(err, ERR_TYPE, "--%s takes no value", row->name);
	if (!row->is_switch && !value) {
		if (++*index >= argc)
			return err_set(err, ERR_TYPE, "--%s needs a value", row->name);
		value = argv[*index];
	}
	if (row->read(options, value, err) != 0)
		return err_wrap(err, "--%s", row->name);
	return 0;
}

/* What belongs together is there together. */
static int
check_webhook(const struct options *options, struct err *err)
{
	const struct tls_files *tls = &options->tls;
	bool webhook = options->webhook_at.len > 0;

	if (webhook && (!tls->cert || !tls->key))
		return err_set(err, ERR_TYPE,
		               "--webhook-listen needs --tls-cert and --tls-key");
	if (!webhook && (tls->cert || tls->key || tls->client_ca))
		return err_set(err, ERR_TYPE,
		               "--tls-cert, --tls-key and --tls-client-ca belong to "
		               "--webhook-listen");
	return 0;
}

int
options_read(int argc, char **argv, struct options *ret_options, struct err *err)
{
	struct options options = {
	    .state_dir = POLICY_DEFAULT_STATE_DIR,
	    .plugin_name = "seccomp-authz",
	    .log_level = LOG_LEVEL_INFO,
	};
	bool records_from_environment, uids_from_environment;

	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].variable && read_variable(&rows[i], &options, err) != 0)
			return -1;
	}
	/* the first of a list on the command line replaces the environment's list */
	records_from_environment = options.record_count > 0;
	uids_from_environment = options.uid_count > 0;
	for (int i = 1; i < argc; i++) {
		const char *value;
		const struct option_row *row = find_row(argv[i], &value);

		if (row && row->read == read_record && records_from_environment) {
			options.record_count = 0;
			records_from_environment = false;
		}
		if (row && row->read == read_uid && uids_from_environment) {
			options.uid_count = 0;
			uids_from_environment = false;
		}
		if (read_argument(argc, argv, &i, &options, err) != 0)
			return -1;
	}
	if (!options.help && !options.version && check_webhook(&options, err) != 0)
		return -1;
	*ret_options = options;
	return 0;
}
