/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_runc - profiles made into filters as dockerd and runc do it, for the truth test.
 *
 * Written against their sources and jansson, and sharing nothing with plugin/core but
 * struct buf, so that a misreading there is not repeated here.
 */
#pragma once

#include "core/buf.h"

#include <jansson.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* Added to each errno of a profile: nothing that the kernel itself returns. */
enum { RUNC_ERRNO_BASE = 200 };

/* The bounding set of a container without added capabilities (moby oci/caps). */
static const char *const runc_caps[] = {
    "CAP_AUDIT_WRITE", "CAP_CHOWN",     "CAP_DAC_OVERRIDE", "CAP_FOWNER",
    "CAP_FSETID",      "CAP_KILL",      "CAP_MKNOD",        "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",     "CAP_SETFCAP",   "CAP_SETGID",       "CAP_SETPCAP",
    "CAP_SETUID",      "CAP_SYS_CHROOT"};

static bool
runc_has_cap(const char *name)
{
	for (size_t i = 0; i < sizeof runc_caps / sizeof runc_caps[0]; i++) {
		if (strcmp(runc_caps[i], name) == 0)
			return true;
	}
	return false;
}

static const char *
runc_arch(void)
{
	return seccomp_arch_native() == SCMP_ARCH_AARCH64 ? "arm64" : "amd64";
}

/* kernelGreaterEqualThan() */
static bool
runc_kernel_is(const char *version)
{
	int want_major = 0, want_minor = 0, major = 0, minor = 0;
	struct utsname name;

	if (uname(&name) != 0 || sscanf(name.release, "%d.%d", &major, &minor) != 2)
		abort();
	(void)sscanf(version, "%d.%d", &want_major, &want_minor);
	return major > want_major || (major == want_major && minor >= want_minor);
}

/* setupSeccomp(): whether a rule stays in the filter of this machine. */
static bool
runc_applies(const json_t *rule)
{
	const json_t *includes = json_object_get(rule, "includes");
	const json_t *excludes = json_object_get(rule, "excludes");
	const char *kernel;
	bool listed = false;
	json_t *item;
	size_t i;

	json_array_foreach (json_object_get(excludes, "arches"), i, item) {
		if (strcmp(json_string_value(item), runc_arch()) == 0)
			return false;
	}
	json_array_foreach (json_object_get(excludes, "caps"), i, item) {
		if (runc_has_cap(json_string_value(item)))
			return false;
	}
	kernel = json_string_value(json_object_get(excludes, "minKernel"));
	if (kernel && runc_kernel_is(kernel))
		return false;
	json_array_foreach (json_object_get(includes, "arches"), i, item)
		listed = listed || strcmp(json_string_value(item), runc_arch()) == 0;
	if (json_array_size(json_object_get(includes, "arches")) > 0 && !listed)
		return false;
	json_array_foreach (json_object_get(includes, "caps"), i, item) {
		if (!runc_has_cap(json_string_value(item)))
			return false;
	}
	kernel = json_string_value(json_object_get(includes, "minKernel"));
	return !kernel || runc_kernel_is(kernel);
}

/* getAction(), with the errno moved. */
static uint32_t
runc_action(const char *name, const json_t *errno_ret)
{
	uint32_t code = json_is_integer(errno_ret)
	                    ? (uint32_t)json_integer_value(errno_ret)
	                    : 1; /* EPERM */

	if (strcmp(name, "SCMP_ACT_ERRNO") == 0)
		return SCMP_ACT_ERRNO(RUNC_ERRNO_BASE + (code & 0xff));
	if (strcmp(name, "SCMP_ACT_TRACE") == 0)
		return SCMP_ACT_TRACE(code & 0xffff);
	if (strcmp(name, "SCMP_ACT_ALLOW") == 0)
		return SCMP_ACT_ALLOW;
	if (strcmp(name, "SCMP_ACT_LOG") == 0)
		return SCMP_ACT_LOG;
	if (strcmp(name, "SCMP_ACT_TRAP") == 0)
		return SCMP_ACT_TRAP;
	if (strcmp(name, "SCMP_ACT_KILL_PROCESS") == 0)
		return SCMP_ACT_KILL_PROCESS;
	return SCMP_ACT_KILL_THREAD;
}

static enum scmp_compare
runc_operator(const char *name)
{
	static const struct {
		const char *name;
		enum scmp_compare op;
	} ops[] = {{"SCMP_CMP_NE", SCMP_CMP_NE}, {"SCMP_CMP_LT", SCMP_CMP_LT},
	           {"SCMP_CMP_LE", SCMP_CMP_LE}, {"SCMP_CMP_EQ", SCMP_CMP_EQ},
	           {"SCMP_CMP_GE", SCMP_CMP_GE}, {"SCMP_CMP_GT", SCMP_CMP_GT}};

	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
		if (strcmp(ops[i].name, name) == 0)
			return ops[i].op;
	}
	return SCMP_CMP_MASKED_EQ;
}

/* matchCall(): conditions that share an argument become rules of their own. */
static int
runc_add_call(scmp_filter_ctx filter, uint32_t action, int call, const json_t *list)
{
	struct scmp_arg_cmp args[8];
	unsigned count = 0, seen = 0;
	bool shared = false;
	json_t *arg;
	size_t i;
	int result = 0;

	json_array_foreach (list, i, arg) {
		unsigned index =
		    (unsigned)json_integer_value(json_object_get(arg, "index"));

		args[count++] = (struct scmp_arg_cmp){
		    .arg = index,
		    .op = runc_operator(json_string_value(json_object_get(arg, "op"))),
		    .datum_a =
			(uint64_t)json_integer_value(json_object_get(arg, "value")),
		    .datum_b =
			(uint64_t)json_integer_value(json_object_get(arg, "valueTwo"))};
		shared = shared || (seen >> index & 1);
		seen |= 1U << index;
	}
	if (!shared)
		return seccomp_rule_add_array(filter, action, call, count, args);
	for (unsigned n = 0; n < count && result == 0; n++)
		result = seccomp_rule_add_array(filter, action, call, 1, &args[n]);
	return result;
}

static int
runc_add_rule(scmp_filter_ctx filter, const json_t *rule, uint32_t default_action)
{
	uint32_t action = runc_action(json_string_value(json_object_get(rule, "action")),
	                              json_object_get(rule, "errnoRet"));
	json_t *name;
	size_t i;

	if (action == default_action || !runc_applies(rule))
		return 0;
	json_array_foreach (json_object_get(rule, "names"), i, name) {
		int call = seccomp_syscall_resolve_name(json_string_value(name));

		if (call != __NR_SCMP_ERROR &&
		    runc_add_call(filter, action, call, json_object_get(rule, "args")) !=
		        0)
			return -1;
	}
	return 0;
}

/* The filter, or NULL where runc refuses to start. The caller releases it. */
static scmp_filter_ctx
runc_filter(const char *text)
{
	json_t *profile = json_loads(text, 0, NULL), *rule;
	scmp_filter_ctx filter;
	uint32_t default_action;
	size_t i;

	if (!profile)
		abort();
	default_action =
	    runc_action(json_string_value(json_object_get(profile, "defaultAction")),
	                json_object_get(profile, "defaultErrnoRet"));
	filter = seccomp_init(default_action);
	json_array_foreach (json_object_get(profile, "syscalls"), i, rule) {
		if (filter && runc_add_rule(filter, rule, default_action) != 0) {
			seccomp_release(filter);
			filter = NULL;
		}
	}
	json_decref(profile);
	return filter;
}

static unsigned
runc_random(unsigned *seed, unsigned below)
{
	*seed = *seed * 1103515245U + 12345U;
	return (*seed >> 16) % below;
}

static void
runc_random_args(unsigned *seed, struct buf *json)
{
	static const char *const ops[] = {"NE", "LT", "LE",       "EQ",
	                                  "GE", "GT", "MASKED_EQ"};
	static const char *const values[] = {"0",          "1",         "2",
	                                     "65536",      "268500992", "2080505856",
	                                     "2114060288", "4294967295"};
	unsigned count = runc_random(seed, 3);

	buf_str(json, ",\"args\":[");
	for (unsigned i = 0; i < count; i++)
		buf_printf(json,
		           "%s{\"index\":%u,\"value\":%s,\"valueTwo\":%s,\"op\":"
		           "\"SCMP_CMP_%s\"}",
		           i > 0 ? "," : "", runc_random(seed, 2),
		           values[runc_random(seed, 8)], values[runc_random(seed, 8)],
		           ops[runc_random(seed, 7)]);
	buf_char(json, ']');
}

/* A profile with few names, so that its rules often meet. */
static void
runc_random_profile(unsigned *seed, struct buf *json)
{
	static const char *const actions[] = {"ALLOW", "ERRNO", "ERRNO", "LOG",
	                                      "TRACE", "TRAP",  "ALLOW", "KILL"};
	static const char *const names[] = {"clone",  "clone",   "mount", "unshare",
	                                    "keyctl", "umount2", "nope",  "read"};
	static const char *const conditions[] = {
	    "",
	    "",
	    "",
	    ",\"excludes\":{\"arches\":[\"s390\",\"s390x\"]}",
	    ",\"includes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}",
	    ",\"includes\":{\"caps\":[\"CAP_CHOWN\"]}",
	    ",\"excludes\":{\"caps\":[\"CAP_CHOWN\"]}"};
	unsigned rules = 1 + runc_random(seed, 4);

	buf_printf(json, "{\"defaultAction\":\"SCMP_ACT_%s\",\"syscalls\":[",
	           actions[runc_random(seed, 6)]);
	for (unsigned i = 0; i < rules; i++) {
		buf_printf(json,
		           "%s{\"names\":[\"%s\",\"%s\"],\"action\":\"SCMP_ACT_%s\"",
		           i > 0 ? "," : "", names[runc_random(seed, 8)],
		           names[runc_random(seed, 8)], actions[runc_random(seed, 8)]);
		if (runc_random(seed, 3) == 0)
			buf_printf(json, ",\"errnoRet\":%u", runc_random(seed, 3));
		buf_str(json, conditions[runc_random(seed, 7)]);
		runc_random_args(seed, json);
		buf_char(json, '}');
	}
	buf_str(json, "]}");
}
