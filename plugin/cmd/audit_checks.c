/* SPDX-License-Identifier: Apache-2.0 */
/* audit_checks.c - all that an audit can find, in words, and in which versions. */
#include "cmd_audit.h"

#include <stdio.h>
#include <string.h>

static const struct audit_check checks[] = {
    {"unreadable", "what it runs with can't be known for certain",
     "Look at it by hand, and recreate it with plain options"},
    {"privileged", "is privileged, so without a seccomp filter",
     "Recreate it without --privileged, with the single capabilities it needs"},
    {"unconfined", "has no seccomp filter",
     "Recreate it without the option that takes the filter away, or with a profile of "
     "its "
     "own"},
    {"permissive", "has a seccomp profile that blocks nothing",
     "Recreate it without the profile, or with one that blocks"},
    {"weak", "has a profile that lets through calls which Docker's default blocks",
     "Recreate it without the profile, or accept that profile by its digest in the "
     "policy"},
    {"unset", "asks for no seccomp profile", "Ask for RuntimeDefault"},
    {"localhost", "has a profile of the node", "Ask for RuntimeDefault"},
    {"custom", "has a profile of its own, at least as strict as Docker's default",
     "Recreate it without the profile"},
    {"default", "has the engine's default profile", "Give it a profile of its own"},
    {"kernel",
     "should have a filter, but the kernel says that it has none (a start with a "
     "HostConfig, "
     "a runtime that ignores the profile, an engine default of none)",
     "Stop it and recreate it; find out what started it so"},
    {"runtimes", "runs under a runtime that the policy does not list",
     "Recreate it without --runtime, or list the runtime in the policy"},
    {"plugins", "is a service that runs a managed plugin, which has no seccomp filter",
     "Remove the service"},
    {"engine-seccomp",
     "the engine or its kernel has no seccomp: no container has a filter",
     "Run a kernel with CONFIG_SECCOMP_FILTER and an engine built with seccomp"},
    {"engine-default", "the engine's default profile is none",
     "Remove seccomp-profile (unconfined) from the engine's configuration and restart "
     "it; "
     "recreate nothing, restart the containers"},
    {"engine-profile", "the engine's default profile is a file",
     "Check the file with seccomp-authz profile explain"},
    {"engine-next",
     "the configuration file names another default profile, which holds from the "
     "engine's "
     "next start on",
     "Correct seccomp-profile in the file before the engine is restarted"},
    {"engine-chain", "the plugin is not among the engine's authorization plugins",
     "List it in authorization-plugins of daemon.json"},
    {"engine-flag",
     "the plugin is not in the configuration file: the engine drops it at a reload "
     "(SIGHUP)",
     "List it in authorization-plugins of daemon.json instead of the command line"},
    {"engine-config", "the engine's configuration file can't be read",
     "Repair it, or name the right one with --daemon-json"},
    {"engine-probe", "a create that the plugin has to refuse was not refused by it",
     "Check that the plugin is in the chain, and that its policy enforces"},
    {"engine-entitlement", "builds may run without a filter (security.insecure)",
     "Remove security-insecure from builder.entitlements in daemon.json"},
    {"engine-runtime", "a runtime is configured that the policy does not list",
     "Remove it from the engine's configuration, or list it in the policy"},
    {"engine-plugin", "a managed plugin is enabled: it runs without a seccomp filter",
     "Disable it if it isn't needed"},
    {"engine-tcp", "the engine is reached without TLS: anybody on the way can change it",
     "Use TLS with client certificates (port 2376)"},
    {"engine-version", "its version can't be read, so no advisory was looked up",
     "Look them up by hand"},
    {"engine-body",
     "before 23.0.15, 25.0.6, 26.1.5, 27.1.1 engines hide chunked bodies from plugins "
     "(CVE-2024-41110); such requests are refused, if need be",
     "Update it, unless your distributor has put the fix in"},
    {"engine-large-body",
     "before 25.0.16 and 29.3.1 engines hide bodies of 1 MiB from plugins "
     "(CVE-2026-34040); such requests are refused",
     "Update it to 29.3.1, unless your distributor has put the fix in"},
    {"engine-gateway",
     "before 25.0.2 a build can start privileged containers "
     "(CVE-2024-23653)",
     "Update it to 25.0.2, or refuse builds (guard builds)"},
    {"engine-buildkit",
     "before 29.6.1 a build can run without a filter "
     "(GHSA-7236-3392-c5c6)",
     "Update it to 29.6.1, or refuse builds (guard builds)"},
    {"engine-grpc", "since 29.2 builds over gRPC pass no plugin",
     "Keep it at 29.6.1 or later, and off the network"},
};

enum { CHECKS = sizeof checks / sizeof checks[0] };

const struct audit_check *
audit_check_at(size_t index)
{
	return index < CHECKS ? &checks[index] : NULL;
}

const struct audit_check *
audit_check_find(const char *id)
{
	for (size_t i = 0; i < CHECKS; i++) {
		if (strcmp(checks[i].id, id) == 0)
			return &checks[i];
	}
	return &checks[0];
}

/* ---- versions ---- */

struct version {
	unsigned major, minor, patch;
};

/*
 * Fixed from each of `fixed` on within its major version, and from the last on in all;
 * read in every tag (authz.go, buildkit's spec_linux.go). Distributors backport, so this is
 * no more than advice.
 */
static const struct advisory {
	const char *check;
	struct version fixed[4];
} advisories[] = {
    {"engine-body", {{23, 0, 15}, {25, 0, 6}, {26, 1, 5}, {27, 1, 1}}},
    {"engine-large-body", {{25, 0, 16}, {29, 3, 1}}},
    {"engine-gateway", {{25, 0, 2}}},
    {"engine-buildkit", {{29, 6, 1}}},
};

static const struct version grpc_beside_plugins = {29, 2, 0};

static bool
is_before(const struct version *a, const struct version *b)
{
	if (a->major != b->major)
		return a->major < b->major;
	return a->minor != b->minor ? a->minor < b->minor : a->patch < b->patch;
}

static bool
is_fixed(const struct version *version, const struct advisory *advisory)
{
	const struct version *last = NULL;

	for (size_t i = 0; i < 4 && advisory->fixed[i].major > 0; i++) {
		last = &advisory->fixed[i];
		if (last->major == version->major && !is_before(version, last))
			return true;
	}
	return !last || !is_before(version, last);
}

bool
audit_version_each(const char *version,
                   void (*each)(const struct audit_check *check, void *context),
                   void *context)
{
	struct version v;

	if (sscanf(version, "%5u.%5u.%5u", &v.major, &v.minor, &v.patch) != 3)
		return false;
	for (size_t i = 0; i < sizeof advisories / sizeof advisories[0]; i++) {
		if (!is_fixed(&v, &advisories[i]))
			each(audit_check_find(advisories[i].check), context);
	}
	if (!is_before(&v, &grpc_beside_plugins))
		each(audit_check_find("engine-grpc"), context);
	return true;
}
