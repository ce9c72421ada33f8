/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - reads the options of a subcommand from its table. */
#include "cmd_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The row of `word`; *ret_value is what follows its '=', NULL without one. */
static const struct cmd_option *
find_option(const struct cmd_option *options, const char *word, const char **ret_value)
{
	size_t len = strcspn(word, "=");

	*ret_value = word[len] == '=' ? word + len + 1 : NULL;
	for (; options->name; options++) {
		if (strlen(options->name) == len &&
		    strncmp(options->name, word, len) == 0)
			return options;
	}
	return NULL;
}

static int
keep_value(const struct command *self, const struct cmd_option *option, const char *value)
{
	if (option->value) {
		*option->value = value;
		return CMD_GO_ON;
	}
	if (option->values->count == CMD_VALUES_MAX)
		return cmd_usage_error(self, "%s: more than %d times", option->name,
		                       CMD_VALUES_MAX);
	option->values->at[option->values->count++] = value;
	return CMD_GO_ON;
}

/* The option at *at; moves *at to its value if that is a word of its own. */
static int
read_option(const struct command *self, const struct cmd_option *options, char **argv,
            int *at)
{
	const char *word = argv[*at], *value;
	const struct cmd_option *option = find_option(options, word, &value);

	if (!option)
		return cmd_usage_error(self, "%s: no such option", word);
	if (option->flag && value)
		return cmd_usage_error(self, "%s takes no value", option->name);
	if (option->flag) {
		*option->flag = true;
		return CMD_GO_ON;
	}
	if (!value)
		value = argv[++*at];
	if (!value)
		return cmd_usage_error(self, "%s needs a value", option->name);
	return keep_value(self, option, value);
}

int
cmd_read_options(const struct command *self, const struct cmd_option *options, int argc,
                 char **argv, int *ret_words)
{
	bool plain = false;
	int words = 0;

	for (int i = 1; i < argc; i++) {
		char *word = argv[i];

		if (plain || word[0] != '-' || word[1] == '\0') {
			argv[++words] = word;
		} else if (strcmp(word, "--") == 0) {
			plain = true;
		} else if (strcmp(word, "--help") == 0) {
			return cmd_help(self);
		} else {
			int code = read_option(self, options, argv, &i);

			if (code != CMD_GO_ON)
				return code;
		}
	}
	*ret_words = words;
	return CMD_GO_ON;
}

int
cmd_read_number(const struct command *self, const char *option, const char *value,
                int64_t min, int64_t max, int64_t *ret_number)
{
	char *end;
	long long number;

	if (!value)
		return CMD_GO_ON;
	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno != 0 || *value == '\0' || *end != '\0' || number < min || number > max)
		return cmd_usage_error(self, "%s %s: should be a number of %lld to %lld",
		                       option, value, (long long)min, (long long)max);
	*ret_number = number;
	return CMD_GO_ON;
}

int
cmd_read_seconds(const struct command *self, const char *option, const char *value,
                 int64_t max_ms, int64_t *ret_ms)
{
	char *end;
	double seconds;

	if (!value)
		return CMD_GO_ON;
	errno = 0;
	seconds = strtod(value, &end);
	if (errno != 0 || *value == '\0' || *end != '\0' || !(seconds >= 0.001) ||
	    !(seconds * 1000 <= (double)max_ms))
		return cmd_usage_error(self, "%s %s: should be seconds, 0.001 to %lld",
		                       option, value, (long long)max_ms / 1000);
	*ret_ms = (int64_t)(seconds * 1000);
	return CMD_GO_ON;
}
