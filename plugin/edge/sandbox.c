/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.c - gives up privileges, and says which. */
#include "edge/sandbox.h"

#include "edge/file.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SANDBOX_OFF
enum { OFF = 1 };
#else
enum { OFF = 0 };
#endif

void
sandbox_plan_add(struct sandbox_plan *plan, enum sandbox_use use, mode_t mode,
                 const char *path)
{
	char *copy = plan->count < SANDBOX_PATHS_MAX ? strdup(path) : NULL;

	if (copy)
		plan->paths[plan->count++] =
		    (struct sandbox_path){.use = use, .mode = mode, .path = copy};
	else
		plan->failed = true;
}

void
sandbox_plan_free(struct sandbox_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free(plan->paths[i].path);
	*plan = (struct sandbox_plan){.count = 0};
}

/* "a, b": one more part of the line; `whole` false: it should be otherwise. */
__attribute__((format(printf, 3, 4))) static void
say(struct sandbox_done *done, bool whole, const char *format, ...)
{
	char text[160];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	buf_printf(&done->said, "%s%s", done->said.len > 0 ? ", " : "", text);
	done->less |= !whole;
}

/* ---- core dumps ---- */

/* A dump has other people's requests in it. A limit of 0 does not hold where dumps go to
   a program; not being dumpable does (core(5)), and keeps ptrace(2) of our user out. */
static void
forbid_dumps(struct sandbox_done *done)
{
	static const struct rlimit none = {0};

	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		say(done, false, "core dumps: %s", strerror(errno));
	(void)setrlimit(RLIMIT_CORE, &none);
}

/* ---- capabilities ---- */

static bool
is_others(const char *path)
{
	cleanup_buf struct buf folder = {0};
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (stat(path, &st) == 0 && st.st_uid != 0)
		return true;
	buf_printf(&folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
	           slash ? path : ".");
	return buf_ok(&folder) && stat(folder.at, &st) == 0 && st.st_uid != 0;
}

/* True if root would not get at its own files by their modes: they are somebody else's,
   as after a service with a user of its own. */
static bool
needs_override(const struct sandbox_plan *plan)
{
	bool others = false;

	for (size_t i = 0; i < plan->count && !others; i++)
		others = is_others(plan->paths[i].path);
	return others;
}

static int
drop_bounding(unsigned kept)
{
	for (unsigned cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
		if (cap != kept && prctl(PR_CAPBSET_READ, cap) == 1 &&
		    prctl(PR_CAPBSET_DROP, cap) != 0)
			return -1;
	}
	return 0;
}

static int
set_capabilities(uint32_t kept)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {
	    {.effective = kept, .permitted = kept}};

	return (int)syscall(SYS_capset, &head, sets);
}

/* A service manager may have left none, and no call to drop them with. */
static bool
has_none(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return syscall(SYS_capget, &head, sets) == 0 && sets[0].permitted == 0 &&
	       sets[1].permitted == 0 && sets[0].inheritable == 0 &&
	       sets[1].inheritable == 0;
}

static void
drop_capabilities(const struct sandbox_plan *plan, struct sandbox_done *done)
{
	enum { NONE = 64 };
	bool override = geteuid() == 0 && !has_none() && needs_override(plan);
	unsigned kept = override ? CAP_DAC_OVERRIDE : NONE;

	/* not supported before Linux 4.3, where there is nothing to clear */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* who may not change the bounding set has nothing to fill from it either, without
	   new privileges */
	if (drop_bounding(kept) != 0 && errno != EPERM)
		say(done, false, "bounding set: %s", strerror(errno));
	if (!has_none() && set_capabilities(override ? 1U << CAP_DAC_OVERRIDE : 0) != 0)
		say(done, false, "capabilities: %s", strerror(errno));
	else if (override)
		say(done, true,
		    "CAP_DAC_OVERRIDE only (its files belong to another user)");
	else
		say(done, true, "no capabilities");
}

/* ---- both steps ---- */

static void
make_folders(const struct sandbox_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct sandbox_path *path = &plan->paths[i];

		/* one that can't be made is an error of whoever needs it */
		if (path->mode != 0)
			(void)file_make_parent(path->path, path->mode, NULL);
	}
}

static void
restrict_files(const struct sandbox_plan *plan, struct sandbox_done *done)
{
	int version = sandbox_restrict_files(plan);

	if (plan->failed)
		say(done, false, "no memory for the list of folders");
	if (version > 0)
		say(done, true, "only its folders (Landlock %d)", version);
	else if (errno == ENOSYS || errno == EOPNOTSUPP)
		say(done, true, "all folders (this kernel has no Landlock)");
	else
		say(done, false, "all folders (Landlock: %s)", strerror(errno));
}

void
sandbox_confine(const struct sandbox_plan *plan, struct sandbox_done *done)
{
	forbid_dumps(done);
	make_folders(plan);
	if (OFF) {
		say(done, false, "this build has none (SANDBOX_OFF)");
		return;
	}
	drop_capabilities(plan, done);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		say(done, false, "new privileges: %s", strerror(errno));
	else
		say(done, true, "no new privileges");
	restrict_files(plan, done);
}

void
sandbox_filter(struct sandbox_done *done)
{
	int calls;

	if (OFF)
		return;
	calls = sandbox_restrict_calls();
	if (calls > 0)
		say(done, true, "%d system calls", calls);
	else
		say(done, false, "all system calls (seccomp: %s)", strerror(errno));
}
