/* SPDX-License-Identifier: Apache-2.0 */
/* log_verify.c - `seccomp-authz log verify`: what a record proves, and where it breaks. */
#include "cmd_log.h"
#include "cmd_options.h"
#include "edge/record_verify.h"

#include <inttypes.h>
#include <stdio.h>

/* The lines that a crash tore and what closed them. */
static void
print_torn(const struct record_verify *verify)
{
	for (size_t i = 0; i < verify->torn_count; i++)
		(void)printf("torn %s:%" PRIu64 ": %" PRIu64
		             " bytes without an end; closed by "
		             "the recovery record %s:%" PRIu64 " (seq %" PRIu64 ")\n",
		             verify->torn[i].path, verify->torn[i].number,
		             verify->torn[i].len, verify->closed_by.path,
		             verify->closed_by.number, verify->closed_by.seq);
}

static int
check_line(void *context, const char *path, const struct record_found *line)
{
	struct record_verify *verify = context;
	enum record_walk walk = record_verify_line(verify, path, line);

	if (walk == RECORD_WALK_TORN)
		print_torn(verify);
	if (walk == RECORD_WALK_TORN && verify->unconfirmed.path)
		(void)printf("unproven %s:%" PRIu64 ": nothing confirms seq %" PRIu64
		             ", the line before the torn one\n",
		             verify->unconfirmed.path, verify->unconfirmed.number,
		             verify->unconfirmed.seq);
	return walk == RECORD_WALK_END;
}

static void
print_fault(const struct record_verify *verify)
{
	if (verify->fault == RECORD_INTACT)
		return;
	if (verify->at.path)
		(void)printf("%s %s:%" PRIu64 ": %s\n", record_fault_name(verify->fault),
		             verify->at.path, verify->at.number, verify->what);
	else
		(void)printf("%s: %s\n", record_fault_name(verify->fault), verify->what);
}

static void
print_proof(const struct record_verify *verify)
{
	const struct record_place *first = &verify->first, *proven = &verify->proven,
				  *last = &verify->last;

	if (proven->path)
		(void)printf("proven seq %" PRIu64 "..%" PRIu64 " %s..%s\n", first->seq,
		             proven->seq, first->time, proven->time);
	else
		(void)puts("proven nothing");
	if (proven->path && first->seq > 1)
		(void)printf("begins with seq %" PRIu64
		             ": what came before is not here\n",
		             first->seq);
	if (verify->fault != RECORD_INTACT || !last->path)
		return;
	(void)printf("last seq %" PRIu64 " %s %s:%" PRIu64 "\n", last->seq, last->time,
	             last->path, last->number);
	if (proven->seq == last->seq)
		return;
	(void)printf("note %" PRIu64 ":%s\n", last->seq, last->hash);
	(void)puts(
	    "     The files alone can't prove their end: lines cut off there, or a "
	    "change in\n     the last one, leave no trace. Keep the note elsewhere and "
	    "give it the next\n     time: --noted SEQ:HASH.");
}

static int
read_notes(const struct command *self, const struct cmd_values *values,
           struct record_verify *verify)
{
	for (size_t i = 0; i < values->count; i++) {
		if (record_note_read(text_of(values->at[i]), &verify->noted[i]) != 0)
			return cmd_usage_error(
			    self,
			    "--noted %s: should be SEQ:HASH, as log verify prints it",
			    values->at[i]);
		verify->noted_count++;
	}
	return CMD_GO_ON;
}

static int
run_verify(const struct command *self, int argc, char **argv)
{
	cleanup_record_files struct record_files files = {0};
	struct record_verify verify = {0};
	struct cmd_values notes = {.count = 0};
	bool all = false;
	const struct cmd_option options[] = {
	    {"--all", .flag = &all},
	    {"--partial", .flag = &verify.partial},
	    {"--noted", .values = &notes},
	    {.name = NULL},
	};
	int words, code = cmd_read_options(self, options, argc, argv, &words);

	if (code == CMD_GO_ON)
		code = read_notes(self, &notes, &verify);
	if (code != CMD_GO_ON)
		return code;
	if (words == 0)
		return cmd_usage_error(self, "which FILE?");
	if (log_open_files(argv + 1, words, all, &files) != EXIT_CLEAN ||
	    log_each_line(&files, check_line, &verify) != EXIT_CLEAN)
		return EXIT_UNSURE;
	record_verify_end(&verify);
	print_fault(&verify);
	print_proof(&verify);
	if (!cmd_flush())
		return cmd_complain("stdout: can't be written");
	return verify.fault == RECORD_INTACT ? EXIT_CLEAN : EXIT_FOUND;
}

const struct command command_log_verify = {
    .name = "log verify",
    .summary = "walk the chain of a record",
    .usage = "[--all] [--partial] [--noted SEQ:HASH]... FILE...",
    .help =
	"Walks the chain of one record across its files, which may be given in any\n"
	"order, and prints, one a line:\n"
	"  altered|missing|repeated|reordered|torn FILE:LINE: what is wrong\n"
	"  torn FILE:LINE: ... closed by the recovery record ...   no fault\n"
	"  unproven FILE:LINE: ...      nothing after it confirms this one\n"
	"  proven seq A..B TIME..TIME   these lines are as the judge wrote them\n"
	"  last seq N TIME FILE:LINE    and note N:HASH\n"
	"\n"
	"  --all              with each FILE also FILE.1, FILE.2 and so on and\n"
	"                     FILE-20261125 and the like, left by rotation, and\n"
	"                     these with .gz; without it only the files named\n"
	"  --partial          the record may begin later than with seq 1, because\n"
	"                     older files were removed\n"
	"  --noted SEQ:HASH   a line of the record, or the one just before it, that\n"
	"                     was noted elsewhere; up to 16\n"
	"\n"
	"A record that was begun anew is another one, verified on its own; where it\n"
	"follows the first, its first line is named as repeated.\n"
	"\n"
	"The chain is not signed. It shows every change made to some lines; it shows\n"
	"none to somebody who can write all of it anew, or cut off its end, unless a\n"
	"line was noted where they can't reach (a collector that seccomp-authz ship\n"
	"feeds has them all).\n"
	"\n"
	"Exit code: 0 intact, 1 a fault, 2 could not tell.\n",
    .run = run_verify,
};
