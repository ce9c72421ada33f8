/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_glass.c - `seccomp-authz policy break-glass`: a way in for a while, on record.
 *
 * It puts an exception that ends by itself into the policy file, whole and in one rename,
 * and keeps the file as it was beside it. Whoever could remove the plugin may do this
 * instead, so it asks for no more than root, and for a reason.
 */
#include "cmd_policy_glass.h"

#include "core/policy_edit.h"
#include "edge/file.h"
#include "edge/policy_file.h"
#include "edge/policy_keep.h"
#include "edge/policy_store.h"
#include "edge/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum {
	SECONDS_MIN = 1,
	SECONDS_MAX = 24 * 3600,
	REASON_MAX = 512,
	LOCK_STEP_MS = 50,
	LOCK_WAIT_MS = 5000,
};

/* All postures that an exception can allow: the policy may refuse even `default`. */
static const char usual[] =
    "privileged,unconfined,permissive,weak,unset,localhost,custom,default";

/* ---- the file ---- */

static int
find_file(struct policy_glass *glass)
{
	if (realpath(glass->path, glass->real))
		return EXIT_CLEAN;
	if (errno == ENOENT && strlen(glass->path) < sizeof glass->real) {
		(void)snprintf(glass->real, sizeof glass->real, "%s", glass->path);
		return EXIT_CLEAN;
	}
	return cmd_complain("%s: %m", glass->path);
}

/*
 * One at a time reads and replaces a file of the folder; the lock is the caller's, -1: none.
 * Whoever may look into the folder could hold it, so nobody waits for it for long.
 */
static int
lock_folder(const struct policy_glass *glass)
{
	const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
	char folder[PATH_MAX];
	char *slash;
	int lock;

	(void)snprintf(folder, sizeof folder, "%s", glass->real);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder ? 1 : 0] = '\0';
	lock = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int ms = 0; lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0 &&
	                 errno == EWOULDBLOCK && ms < LOCK_WAIT_MS;
	     ms += LOCK_STEP_MS)
		(void)nanosleep(&step, NULL);
	return lock;
}

int
policy_glass_check(const struct buf *bytes)
{
	struct policy_text text = {.path = "what would be written"};
	int code = EXIT_CLEAN;

	if (!buf_ok(bytes))
		return cmd_complain("out of memory");
	text.policy = policy_file_parse(buf_text(bytes), &text.problems);
	if (!text.policy)
		code = policy_text_complain(&text);
	policy_free(text.policy);
	return code;
}

/* ---- the exception ---- */

/* "30m" -> seconds. */
static int
read_duration(struct policy_glass *glass)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 24 * 3600}};
	char *end;
	long number;

	if (!glass->duration)
		return cmd_usage_error(glass->self, "for how long? --for 30m");
	errno = 0;
	number = strtol(glass->duration, &end, 10);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (errno == 0 && end != glass->duration && end[0] == units[i].letter &&
		    end[1] == '\0' && number > 0 && number <= SECONDS_MAX)
			glass->seconds = number * units[i].seconds;
	}
	if (glass->seconds < SECONDS_MIN || glass->seconds > SECONDS_MAX)
		return cmd_usage_error(glass->self,
		                       "--for %s: should be 30s, 30m or 2h, at most 24h",
		                       glass->duration);
	return EXIT_CLEAN;
}

/* "a,b" -> "a","b". The parser says whether they are postures and guards. */
static void
add_words(struct buf *json, const char *words)
{
	bool first = true;

	while (*words) {
		size_t len = strcspn(words, ",");

		if (len > 0) {
			buf_str(json, first ? "" : ", ");
			buf_json(json, (struct text){.at = words, .len = len}, 0);
			first = false;
		}
		words += len + (words[len] == ',');
	}
}

static void
write_exception(const struct policy_glass *glass, struct buf *json)
{
	const char *who = getenv("SUDO_USER");
	cleanup_buf struct buf reason = {0};

	buf_printf(&reason, "break-glass by %s: %s", who && *who ? who : "root",
	           glass->reason);
	buf_printf(json, "{\"id\": \"%s\", \"allow\": [", glass->id);
	add_words(json, glass->allow ? glass->allow : usual);
	buf_str(json, "],\n     \"match\": {\"door\": [\"docker\", \"kubernetes\"]");
	for (size_t i = 0; i < glass->users.count; i++) {
		buf_str(json, i == 0 ? ", \"user\": [" : ", ");
		buf_json(json, text_of(glass->users.at[i]), 0);
	}
	buf_str(json, glass->users.count > 0 ? "]}" : "}");
	buf_str(json, ",\n     \"expires\": \"");
	policy_write_time(json, glass->until);
	buf_str(json, "\",\n     \"reason\": ");
	buf_json(json, buf_text(&reason), 0);
	buf_char(json, '}');
}

/* ---- what it is put into ---- */

/* The last good policy of the judge, else the built-in one. */
static int
read_substitute(const struct policy_glass *glass, struct buf *bytes)
{
	struct policy_keep keep = {.folder = -1};
	struct err err = {0};
	int found = 0;

	if (policy_keep_open(&keep, glass->state_dir, &err) == 0)
		found = policy_keep_load(&keep, glass->path, bytes, &err);
	policy_keep_close(&keep);
	if (found == 1) {
		(void)printf("into the last good policy of %s\n", glass->path);
		return EXIT_CLEAN;
	}
	buf_clear(bytes);
	buf_str(bytes, policy_builtin_text);
	(void)printf("into the built-in policy: no last good one of %s is kept in %s\n",
	             glass->path, glass->state_dir);
	return EXIT_CLEAN;
}

/* The file's bytes, or with --repair others where it is no policy. */
static int
read_base(const struct policy_glass *glass, struct buf *bytes, bool *ret_repaired)
{
	cleanup_policy_text struct policy_text text = {.policy = NULL};
	bool missing = access(glass->real, F_OK) != 0;

	*ret_repaired = false;
	if (!missing && policy_text_read(&text, glass->real) != EXIT_CLEAN)
		return EXIT_UNSURE;
	if (text.policy) {
		buf_add_text(bytes, buf_text(&text.bytes));
		return EXIT_CLEAN;
	}
	if (glass->repair) {
		*ret_repaired = true;
		return read_substitute(glass, bytes);
	}
	if (!missing)
		(void)policy_text_complain(&text);
	return cmd_complain("%s: %s, so nothing can be put into it; correct it, or add "
	                    "--repair to use the last good policy instead (else the "
	                    "built-in one; a broken file is kept as %s.broken)",
	                    glass->path, missing ? "is missing" : "is no policy",
	                    glass->path);
}

void
policy_glass_note(const char *what, const char *ids, const char *reason)
{
	const char *who = getenv("SUDO_USER");

	openlog("seccomp-authz", LOG_PID, LOG_AUTHPRIV);
	syslog(LOG_WARNING, "break-glass %s by uid %ld (%s): %s%s%s", what,
	       (long)getuid(), who && *who ? who : "root", ids, reason ? ": " : "",
	       reason ? reason : "");
	closelog();
}

/* A file that differs from what was fetched is fetched anew. */
static void
warn_of_fetch(const struct policy_glass *glass)
{
	cleanup_buf struct buf state = {0};

	buf_printf(&state, "%s.fetch", glass->real);
	if (buf_ok(&state) && access(state.at, F_OK) == 0)
		(void)cmd_complain("%s: seccomp-authz fetch keeps this file; its next "
		                   "request takes the exception away, so stop that unit "
		                   "for as long",
		                   glass->path);
}

/* The judge must see it in force, and see it end. */
static int
find_end(struct policy_glass *glass, int64_t now)
{
	int64_t ahead = policy_glass_ahead(glass->record);

	glass->until = now + ahead + glass->seconds;
	if (ahead > SECONDS_MAX)
		return cmd_complain(
		    "%s: its last line is %lld s ahead of this machine's clock, and the "
		    "judge's clock stands there until then, so that nothing would end; "
		    "correct the clock, or move the record away and restart the judge",
		    glass->record, (long long)ahead);
	if (ahead > 0)
		(void)cmd_complain("%s: its last line is %lld s ahead of this machine's "
		                   "clock, and so is the judge; the exception lasts that "
		                   "much longer",
		                   glass->record, (long long)ahead);
	return EXIT_CLEAN;
}

static int
begin(struct policy_glass *glass)
{
	cleanup_buf struct buf base = {0}, exception = {0}, result = {0}, until = {0};
	struct err err = {0};
	int64_t now = policy_now();
	bool repaired;

	if (read_duration(glass) != EXIT_CLEAN)
		return EXIT_UNSURE;
	if (!glass->reason || strlen(glass->reason) == 0)
		return cmd_usage_error(glass->self, "why? --reason TEXT");
	if (find_end(glass, now) != EXIT_CLEAN)
		return EXIT_UNSURE;
	(void)snprintf(glass->id, sizeof glass->id, "%s%lld-%ld",
	               POLICY_BREAK_GLASS_PREFIX, (long long)now, (long)getpid());
	if (read_base(glass, &base, &repaired) != EXIT_CLEAN)
		return EXIT_UNSURE;
	write_exception(glass, &exception);
	if (policy_edit_add(buf_text(&base), buf_text(&exception), &result, &err) != 0)
		return cmd_complain("%s: %s", glass->path, err.text);
	if (policy_glass_check(&result) != EXIT_CLEAN ||
	    policy_replace(glass->real, buf_text(&result),
	                   repaired ? "broken" : "before-break-glass") != EXIT_CLEAN)
		return EXIT_UNSURE;
	policy_glass_note("begins", glass->id, glass->reason);
	policy_write_time(&until, glass->until);
	(void)printf("%s: exception %s allows %s until %s\n"
	             "the judge takes it within a second or two, and puts each use on "
	             "record; end it earlier with\n"
	             "  seccomp-authz policy break-glass --end --policy %s\n",
	             glass->path, glass->id, glass->allow ? glass->allow : usual,
	             until.at ? until.at : "?", glass->path);
	warn_of_fetch(glass);
	return EXIT_CLEAN;
}

/* It stands in a line of syslog. */
static bool
is_a_line(const char *reason)
{
	size_t len = strlen(reason);

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)reason[i] < ' ' || reason[i] == 0x7f)
			return false;
	}
	return len <= REASON_MAX;
}

static int
run_break_glass(const struct command *self, int argc, char **argv)
{
	struct policy_glass glass = {.self = self,
	                             .path = POLICY_DEFAULT_PATH,
	                             .state_dir = POLICY_DEFAULT_STATE_DIR,
	                             .record = RECORD_DEFAULT_PATH};
	const struct cmd_option options[] = {
	    {"--for", .value = &glass.duration},
	    {"--reason", .value = &glass.reason},
	    {"--allow", .value = &glass.allow},
	    {"--user", .values = &glass.users},
	    {"--policy", .value = &glass.path},
	    {"--state-dir", .value = &glass.state_dir},
	    {"--record", .value = &glass.record},
	    {"--repair", .flag = &glass.repair},
	    {"--end", .flag = &glass.end},
	    {.name = NULL},
	};
	int words = 0, code = cmd_read_options(self, options, argc, argv, &words);
	cleanup_fd int lock = -1;

	if (code != CMD_GO_ON)
		return code;
	if (words > 0)
		return cmd_usage_error(self, "takes no arguments");
	if (glass.end &&
	    (glass.duration || glass.allow || glass.repair || glass.users.count > 0))
		return cmd_usage_error(self,
		                       "--end goes with --policy and --reason only");
	if (glass.reason && !is_a_line(glass.reason))
		return cmd_usage_error(self, "--reason: one line, at most %d bytes",
		                       REASON_MAX);
	if (geteuid() != 0)
		return cmd_complain("policy break-glass: only root may");
	if (find_file(&glass) != EXIT_CLEAN)
		return EXIT_UNSURE;
	lock = lock_folder(&glass);
	code = glass.end ? policy_glass_end(&glass) : begin(&glass);
	return cmd_flush() ? code : cmd_complain("stdout: can't be written");
}

const struct command command_policy_break_glass = {
    .name = "policy break-glass",
    .summary = "let every container run for a while, on record (root)",
    .usage =
	"--for TIME --reason TEXT [--allow WHAT,...] [--user PATTERN]...\n"
	"           [--policy FILE] [--repair [--state-dir DIR]]\n"
	"           [--record FILE]\n"
	"       seccomp-authz policy break-glass --end [--reason TEXT] [--policy FILE]",
    .help =
	"The way in when the policy locks out who has to work, so that nobody has to\n"
	"take the plugin away: puts an exception into the policy file that ends by\n"
	"itself, to the second. The judge takes it when the file changes. Each use is\n"
	"in the record under the exception's id, with what was run; the judge's log "
	"says\n"
	"when it begins and ends; syslog's authpriv has who began or ended it, when and\n"
	"why. The file as it was stays as\n"
	"FILE.before-break-glass.\n\n"
	"  --for TIME        30s, 30m, 2h; at most 24h\n"
	"  --reason TEXT     for the record of the policy\n"
	"  --allow WHAT,...  postures, and guards as guard:NAME\n"
	"                    [all postures that can be allowed, and no guard]\n"
	"  --user PATTERN    for these users only\n"
	"  --policy FILE     [" POLICY_DEFAULT_PATH "]\n"
	"  --repair          where FILE is broken or missing: use the last good policy\n"
	"                    that the judge kept in --state-dir\n"
	"                    [" POLICY_DEFAULT_STATE_DIR "], else the built-in one\n"
	"  --record FILE     the judge's record: its clock is never behind the last "
	"line's\n"
	"                    time, and the exception ends by that [" RECORD_DEFAULT_PATH
	"]\n"
	"  --end             take what this command has put in out of the file, ended "
	"or\n"
	"                    not: the exceptions break-glass-TIME-NUMBER\n\n"
	"What can't be read (\"unreadable\") stays refused: no exception covers it.\n\n"
	"Exit code: 0 done, 2 nothing was changed.\n",
    .run = run_break_glass,
};
