/* SPDX-License-Identifier: Apache-2.0 */
/* daemon.c - seccomp-authzd, the judge: its command line, from start to stop. */
#include "daemon.h"

#include "edge/file.h"

#include <stdio.h>

enum { EXIT_STARTED = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

int
main(int argc, char **argv)
{
	struct judge judge = JUDGE_CLOSED;
	struct err err = {0};

	if (file_fill_standard(&err) != 0)
		return EXIT_FAILED;
	if (options_read(argc, argv, &judge.options, &err) != 0) {
		(void)fprintf(stderr,
		              "seccomp-authz: %s; see seccomp-authz serve --help\n",
		              err.text);
		return EXIT_USAGE;
	}
	if (judge.options.help || judge.options.version) {
		if (judge.options.help)
			(void)printf("usage: seccomp-authz serve [options]\n"
			             "       seccomp-authzd [options]\n%s",
			             options_help);
		else
			(void)printf("seccomp-authz %s\n", VERSION);
		return fflush(stdout) == 0 ? EXIT_STARTED : EXIT_FAILED;
	}
	if (judge_start(&judge, &err) != 0) {
		(void)fprintf(stderr, "seccomp-authz: %s\n", err.text);
		judge_stop(&judge);
		return EXIT_FAILED;
	}
	judge_serve(&judge);
	judge_drain(&judge);
	judge_stop(&judge);
	return EXIT_STARTED;
}
