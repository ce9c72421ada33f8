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
add_token(char *pointer, size_t size, struct text token)
{
	size_t len = strlen(pointer);

	if (len + 1 < size)
		pointer[len++] = '/';
	for (size_t i = 0; i < token.len && len + 2 < size; i++) {
		char c = token.at[i];

		if (c == '~' || c == '/') {
			pointer[len++] = '~';
			pointer[len++] = c == '~' ? '0' : '1';
		} else {
			pointer[len++] = c;
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
	add_token(pointer, size, node->key.at ? node->key : text_of(number));
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
	if (node->parent && node->value && problem != &spare)
		policy_tree_place(reader->bytes, node->value->at, &problem->line,
		                  &problem->column);
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

/* What people write who have other formats in mind. */
static const char *
hint(struct text bytes, const char *at)
{
	const char *end = bytes.at + bytes.len, *before = at;

	while (before > bytes.at && memchr(" \t\r\n", before[-1], 4))
		before--;
	if (at < end && memchr("]}", *at, 2) && before > bytes.at && before[-1] == ',')
		return "drop the ',' in front of it";
	if (at < end && memchr("/#", *at, 2))
		return "JSON has no comments; an exception's \"reason\" holds one";
	if (at < end && *at == '\'')
		return "write \", not '";
	if (at < end && *at == '\0')
		return "that is a NUL byte";
	if (at >= end)
		return "write the file whole";
	return NULL;
}

void
policy_complain_syntax(struct policy_reader *reader, const struct err *err,
                       const char *at)
{
	struct policy_problem spare, *problem = next_problem(reader->problems, &spare);
	const char *more = hint(reader->bytes, at),
		   *offset = strstr(err->text, " (byte ");
	size_t len = offset ? (size_t)(offset - err->text) : strlen(err->text);

	policy_tree_place(reader->bytes, at, &problem->line, &problem->column);
	(void)snprintf(problem->text, sizeof problem->text, "%.*s%s%s", (int)len,
	               err->text, more ? "; " : "", more ? more : "");
}

const char *
policy_quote(struct policy_quote *quote, struct text t)
{
	cleanup_buf struct buf buf = {0};

	*quote = (struct policy_quote){0};
	buf_quoted(&buf, t, QUOTED_MAX);
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
distance(struct text word, const char *b)
{
	int rows[WORD_MAX + 1][WORD_MAX + 1];
	int a_len = (int)word.len, b_len = (int)strlen(b);
	const char *a = word.at;

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

	if (guess->word.len > WORD_MAX || strlen(candidate) > WORD_MAX)
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
	if (problem->pointer[0]) {
		write_place(buf, text_of(problem->pointer));
		if (problem->line > 0)
			buf_printf(buf, " (line %d)", problem->line);
	} else if (problem->line > 0) {
		buf_printf(buf, "line %d, column %d", problem->line, problem->column);
	} else {
		buf_str(buf, "the whole file");
	}
	buf_printf(buf, ": %s", problem->text);
}
