/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_options - reads the options of a subcommand from a table.
 *
 * Invariant: options may stand anywhere before "--", as "--name value" or "--name=value";
 * an unknown one is an error. Values are borrowed from argv.
 */
#pragma once

#include "cmd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CMD_VALUES_MAX = 16 };

/* An option that may be given several times. */
struct cmd_values {
	const char *at[CMD_VALUES_MAX];
	size_t count;
};

/* A row; one of the pointers is set. The table ends with a row without a name. */
struct cmd_option {
	const char *name; /* "--state" */
	bool *flag;
	const char **value; /* the last one given */
	struct cmd_values *values;
};

enum { CMD_GO_ON = -1 };

/*
 * Reads argv[1..]; the words that are no options are moved to argv[1..*ret_words]. Returns
 * CMD_GO_ON, or the exit code after a complaint or --help.
 */
int cmd_read_options(const struct command *self, const struct cmd_option *options,
                     int argc, char **argv, int *ret_words);

/* A whole number of `min` to `max`; `value` NULL leaves *ret_number alone. CMD_GO_ON, or
   the exit code after a complaint. */
int cmd_read_number(const struct command *self, const char *option, const char *value,
                    int64_t min, int64_t max, int64_t *ret_number);

/* Seconds, with a fraction if need be, as milliseconds; in the same way. */
int cmd_read_seconds(const struct command *self, const char *option, const char *value,
                     int64_t max_ms, int64_t *ret_ms);
