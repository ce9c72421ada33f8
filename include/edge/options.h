/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options - what the judge is told on its command line and in its environment.
 *
 * Every option can also come from the environment as SECCOMP_AUTHZ_<OPTION>, with '_' for
 * '-' (EnvironmentFile, a managed plugin's Env); lists are separated by white space there.
 * The command line wins. Used at start only.
 */
#pragma once

#include "core/err.h"
#include "edge/http.h"
#include "edge/log.h"
#include "edge/loopback.h"
#include "edge/record.h"
#include "edge/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct options {
	const char *socket;    /* NULL: the default, or a socket that was handed over */
	const char *policy;    /* NULL: see policy_store.h */
	const char *state_dir; /* never NULL */
	const char *plugin_name;
	bool managed_plugin;
	const char *records[RECORD_SINKS_MAX];
	size_t record_count; /* 0: the default */
	bool record_all;
	uid_t uids[HTTP_UIDS_MAX];
	size_t uid_count;
	const char *admin_socket;      /* NULL: none */
	struct tcp_address metrics_at; /* of --metrics-listen; .len 0: none */
	struct tcp_address webhook_at; /* of --webhook-listen; .len 0: none */
	struct tls_files tls;          /* for it; NULL: not given */
	enum log_level log_level;
	bool help, version; /* asked for; nothing else matters then */
};

/*
 * Reads argv and the environment. Texts are borrowed from both (lists of the environment
 * are cut in place). -1: a mistake, named in err.
 */
int options_read(int argc, char **argv, struct options *ret_options, struct err *err);

/* The options with their meaning, whole lines, for --help. */
extern const char options_help[];
