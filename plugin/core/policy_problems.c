/* SPDX-License-Identifier: Apache-2.0 */
/* policy_problems.c - says what is wrong with a policy file, and where. */
#include "core/policy_read.h"

#include <stdarg.h>
#include <stdio.h>

enum {
	QUOTED_MAX = 40, /* bytes of a value of the file that a message shows */
	WORD_MAX = 24,   /* longer words get no suggestion */
};

/* Drops what a cut left of a character at the end. */
static void
trim(char *s)
{
	size_t len = strlen(s), start = len;
	uint32_t point;

	while (start > 0 && ((unsigned char)s[start - 1] & 0xc0) == 0x80)
		start--;
	if (start > 0 && utf8_decode(s + start - 1, s + len, &point) == 0)
		s[start - 1] = '\0';
}

/* Appends a reference token of a JSON Pointer (RFC 6901 section 3); cuts what is too
   long. */
static void
add_token(char *pointer, size_t size, const char *token)
{
	size_t len = strlen(pointer);

	if (len + 1 < size)
		pointer[len++] = '/';
	for (; *token && len + 2 < size; token++) {
		if (*token == '~' || *token == '/') {
			pointer[len++] = '~';
			pointer[len++] = *token == '~' ? '0' : '1';
		} else {
			pointer[len++] = *token;
		}
	}
	pointer[len] = '\0';
	trim(pointer);
}

/* As deep as the format is, not as the file: the whole, an exception, its match, ... */
static void
write_pointer(const struct policy_node *node, char *pointer, size_t size)
{
	char number[24];

	if (!node->parent)
		return;
	write_pointer(node->parent, pointer, size);
	(void)snprintf(number, sizeof number, "%zu", node->index);
	add_token(pointer, size, node->key ? node->key : number);
}

/* The next entry, zeroed, or `spare` when the list is full: all are counted. */
static struct policy_problem *
next_problem(struct policy_problems *problems, struct policy_problem *spare)
{
	size_t index = problems->count++;
	struct policy_problem *problem =
	    index < POLICY_PROBLEMS_MAX ? &problems->at[index] : spare;

	*problem = (struct policy_problem){0};
	return problem;
}

void
policy_complain(struct policy_reader *reader, const struct policy_node *node,
                const char *format, ...)
{
	struct policy_problem spare, *problem = next_problem(reader->problems, &spare);
	va_list args;

	write_pointer(node, problem->pointer, sizeof problem->pointer);
	va_start(args, format);
	(void)vsnprintf(problem->text, sizeof problem->text, format, args);
	va_end(args);
	trim(problem->text);
}

void
policy_no_memory(struct policy_reader *reader)
{
	static const struct policy_node whole = {0};

	policy_complain(reader, &whole, "out of memory");
}

/* jansson quotes what it stopped at: raw bytes of the file. */
static void
copy_harmless(char *out, size_t size, const char *text)
{
	size_t len = 0;

	for (; *text && len + 1 < size; text++)
		out[len++] = *text >= 0x20 && *text < 0x7f ? *text : '?';
	out[len] = '\0';
}

/* Clearer than jansson's own texts; its others name what they stopped at. */
static const struct {
	enum json_error_code code;
	const char *text;
} syntax_texts[] = {
    {json_error_premature_end_of_input, "the file ends too early; write it whole"},
    {json_error_end_of_input_expected, "more follows the policy; a file holds one"},
    {json_error_stack_overflow, "nested deeper than any policy"},
    {json_error_null_character, "a string holds \\u0000; write it without"},
    {json_error_null_byte_in_key, "a key holds \\u0000; write it without"},
};

void
policy_complain_syntax(struct policy_problems *problems, const json_error_t *error)
{
	struct policy_problem spare, *problem = next_problem(problems, &spare);
	const char *text = error->text[0] ? error->text : "out of memory";

	for (size_t i = 0; i < sizeof syntax_texts / sizeof syntax_texts[0]; i++) {
		if (json_error_code(error) == syntax_texts[i].code)
			text = syntax_texts[i].text;
	}
	problem->line = error->line > 0 ? error->line : 0;
	problem->column = error->line > 0 ? error->column : 0;
	copy_harmless(problem->text, sizeof problem->text, text);
}

const char *
policy_quote(struct policy_quote *quote, const char *s)
{
	cleanup_buf struct buf buf = {0};

	*quote = (struct policy_quote){0};
	buf_quoted(&buf, text_of(s), QUOTED_MAX);
	(void)snprintf(quote->text, sizeof quote->text, "%s",
	               buf_ok(&buf) && buf.at ? buf.at : "(a text)");
	trim(quote->text);
	return quote->text;
}

static int
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/*
 * How many characters to add, drop, change or swap with their neighbour to come from one
 * word to the other (optimal string alignment).
 */
static int
distance(const char *a, const char *b)
{
	int rows[WORD_MAX + 1][WORD_MAX + 1];
	int a_len = (int)strlen(a), b_len = (int)strlen(b);

	for (int i = 0; i <= a_len; i++) {
		for (int j = 0; j <= b_len; j++) {
			int change;

			if (i == 0 || j == 0) {
				rows[i][j] = i + j;
				continue;
			}
			change = lower(a[i - 1]) != lower(b[j - 1]);
			rows[i][j] = least(rows[i - 1][j - 1] + change,
			                   least(rows[i - 1][j], rows[i][j - 1]) + 1);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]))
				rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
		}
	}
	return rows[a_len][b_len];
}

void
policy_guess(struct policy_guess *guess, const char *candidate)
{
	int far = strlen(candidate) > 4 ? 2 : 1, found;

	if (strlen(guess->word) > WORD_MAX || strlen(candidate) > WORD_MAX)
		return;
	found = distance(guess->word, candidate);
	if (found > far || (guess->best && found >= guess->distance))
		return;
	guess->best = candidate;
	guess->distance = found;
}

/* Plain ASCII stands as it is, so that a pointer can be copied from a message. */
static void
write_place(struct buf *buf, struct text pointer)
{
	for (size_t i = 0; i < pointer.len; i++) {
		if (pointer.at[i] <= 0x20 || pointer.at[i] >= 0x7f) {
			buf_quoted(buf, pointer, 0);
			return;
		}
	}
	buf_add_text(buf, pointer);
}

void
policy_problem_write(struct buf *buf, const struct policy_problem *problem)
{
	if (problem->line > 0)
		buf_printf(buf, "line %d, column %d", problem->line, problem->column);
	else if (problem->pointer[0])
		write_place(buf, text_of(problem->pointer));
	else
		buf_str(buf, "the whole file");
	buf_printf(buf, ": %s", problem->text);
}
