/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/shell_lex.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/limits.h"

bool shell_trouble(struct shell_reader *reader, const char *why)
{
	if (reader->trouble == NULL)
		reader->trouble = why;
	return false;
}

bool shell_enter(struct shell_reader *reader)
{
	if (reader->depth >= SHELL_DEPTH_MAX) {
		reader->limit = true;
		return shell_trouble(reader, "nested too deep");
	}
	reader->depth++;
	return true;
}

void shell_leave(struct shell_reader *reader)
{
	reader->depth--;
}

/* False when reading this script has cost too much. */
bool shell_step(struct shell_reader *reader)
{
	if (reader->trouble != NULL)
		return false;
	if (reader->steps_left == 0) {
		reader->limit = true;
		return shell_trouble(reader, "too costly to read");
	}
	reader->steps_left--;
	return true;
}

char shell_peek(const struct shell_reader *reader, size_t ahead)
{
	size_t at = reader->pos + ahead;
	if (at >= reader->len)
		return '\0';
	return reader->text[at];
}

bool shell_at_end(const struct shell_reader *reader)
{
	return reader->pos >= reader->len;
}

bool shell_is_meta(char c)
{
	switch (c) {
	case '\0':
	case ' ':
	case '\t':
	case '\n':
	case ';':
	case '&':
	case '|':
	case '<':
	case '>':
	case '(':
	case ')':
		return true;
	default:
		return false;
	}
}

static bool is_continuation(const struct shell_reader *reader)
{
	return shell_peek(reader, 0) == '\\' && shell_peek(reader, 1) == '\n';
}

bool shell_skip_blanks(struct shell_reader *reader)
{
	while (shell_step(reader)) {
		char c = shell_peek(reader, 0);
		if (c == ' ' || c == '\t') {
			reader->pos++;
		} else if (is_continuation(reader)) {
			reader->pos += 2;
		} else if (c == '#') {
			while (!shell_at_end(reader) && shell_peek(reader, 0) != '\n')
				reader->pos++;
			return true;
		} else {
			return true;
		}
	}
	return false;
}

static bool skip_heredoc_body(struct shell_reader *reader, const struct shell_heredoc *heredoc)
{
	while (!shell_at_end(reader) && shell_step(reader)) {
		const char *line = reader->text + reader->pos;
		const char *nl = memchr(line, '\n', reader->len - reader->pos);
		size_t len = nl == NULL ? reader->len - reader->pos : (size_t)(nl - line);
		reader->pos += len + (nl != NULL);
		while (heredoc->strips_tabs && len > 0 && *line == '\t') {
			line++;
			len--;
		}
		if (len == strlen(heredoc->delimiter) && memcmp(line, heredoc->delimiter, len) == 0)
			return true;
	}
	return shell_trouble(reader, "a here-document without its end");
}

bool shell_skip_newline(struct shell_reader *reader)
{
	reader->pos++;
	if (reader->heredoc_floor > 0)
		return shell_trouble(
		    reader, "a here-document whose line holds a substitution of several lines");
	size_t count = reader->heredoc_count;
	for (size_t i = 0; i < count && reader->trouble == NULL; i++)
		(void)skip_heredoc_body(reader, &reader->heredocs[i]);
	for (size_t i = 0; i < count; i++)
		str_freep(&reader->heredocs[i].delimiter);
	reader->heredoc_count = 0;
	return reader->trouble == NULL;
}

bool shell_skip_space(struct shell_reader *reader)
{
	while (shell_skip_blanks(reader)) {
		if (shell_peek(reader, 0) != '\n')
			return true;
		if (!shell_skip_newline(reader))
			return false;
	}
	return false;
}

/* NAME= or NAME+= so far, nothing of it quoted or expanded. */
static bool is_assignment_so_far(const struct shell_reader *reader,
				 const struct shell_builder *word)
{
	const char *text = reader->text + word->start;
	size_t len = reader->pos - word->start;
	size_t i = 0;
	if (len < 2 || !shell_is_name_start(text[0]))
		return false;
	while (i < len && shell_is_name_char(text[i]))
		i++;
	if (i + 2 == len && text[i] == '+')
		i++;
	return i + 1 == len && text[i] == '=';
}

/* At the parenthesis of NAME=( … ). */
static bool lex_array(struct shell_reader *reader, struct shell_builder *word)
{
	word->flags |= SHELL_WORD_DYNAMIC | SHELL_WORD_SPLITS;
	reader->pos++;
	if (!shell_enter(reader))
		return false;
	bool ok = false;
	while (shell_skip_space(reader)) {
		struct shell_word element = {0};
		if (shell_peek(reader, 0) == ')') {
			reader->pos++;
			ok = true;
			break;
		}
		if (shell_is_meta(shell_peek(reader, 0))) {
			(void)shell_trouble(reader, "an array without its end");
			break;
		}
		if (!shell_lex_word(reader, &element))
			break;
		str_freep(&element.value);
	}
	shell_leave(reader);
	return ok;
}

/* bash's +( ), @( ) and such: balanced parentheses of a pattern. */
static bool lex_extended_glob(struct shell_reader *reader, struct shell_builder *word)
{
	size_t depth = 0;
	word->flags |= SHELL_WORD_DYNAMIC | SHELL_WORD_SPLITS;
	while (!shell_at_end(reader) && shell_step(reader)) {
		char c = shell_peek(reader, 0);
		if (c == '\n' || c == '\'' || c == '"' || c == '`' || c == '$')
			break;
		reader->pos += c == '\\' ? 2 : 1;
		if (c == '(')
			depth++;
		if (c == ')' && --depth == 0)
			return true;
	}
	return shell_trouble(reader, "a pattern in parentheses that is not plain");
}

/* Characters that are literal unless they make a pattern, a brace expansion or a tilde. */
static void lex_plain(struct shell_reader *reader, struct shell_builder *word)
{
	char c = shell_peek(reader, 0);
	if (c == '*' || c == '?')
		word->flags |= SHELL_WORD_DYNAMIC | SHELL_WORD_SPLITS;
	if (c == '~' && reader->pos == word->start)
		word->flags |= SHELL_WORD_DYNAMIC;
	if ((c == '{' || c == '[') && !word->brace && !word->bracket)
		word->open_len = word->value.len;
	word->brace |= c == '{';
	word->bracket |= c == '[';
	if ((c == '}' && word->brace && reader->pos > word->start + 1) ||
	    (c == ']' && word->bracket)) {
		if ((word->flags & SHELL_WORD_DYNAMIC) == 0)
			buffer_truncate(&word->value, word->open_len);
		word->flags |= SHELL_WORD_DYNAMIC | SHELL_WORD_SPLITS;
	}
	shell_builder_add(word, c);
	reader->pos++;
}

/* One step of a word; *ret_done when it has ended. */
static bool lex_word_part(struct shell_reader *reader, struct shell_builder *word, bool *ret_done)
{
	char c = shell_peek(reader, 0);
	if (is_continuation(reader)) {
		reader->pos += 2;
		return true;
	}
	if (c == '(' && is_assignment_so_far(reader, word))
		return lex_array(reader, word);
	if (c == '(' && reader->pos > word->start &&
	    strchr("?*+@!", reader->text[reader->pos - 1]) != NULL)
		return lex_extended_glob(reader, word);
	if (shell_is_meta(c)) {
		*ret_done = true;
		return true;
	}
	if (c == '\'' || c == '"' || c == '\\')
		word->flags |= SHELL_WORD_QUOTED;
	if (c == '\'')
		return shell_lex_single_quotes(reader, word);
	if (c == '"')
		return shell_lex_double_quotes(reader, word);
	if (c == '$')
		return shell_lex_dollar(reader, word, false);
	if (c == '`') {
		word->flags |= SHELL_WORD_DYNAMIC | SHELL_WORD_SPLITS;
		return shell_lex_backquotes(reader);
	}
	if (c == '\\' && reader->pos + 1 >= reader->len)
		return shell_trouble(reader, "a backslash as its last character");
	if (c == '\\') {
		shell_builder_add(word, shell_peek(reader, 1));
		reader->pos += 2;
		return true;
	}
	lex_plain(reader, word);
	return true;
}

static bool is_all_args(const struct shell_reader *reader, const struct shell_builder *word)
{
	static const char *const forms[] = {"\"$@\"", "\"${@}\"", "${1+\"$@\"}"};
	size_t len = word->end - word->start;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (strlen(forms[i]) == len &&
		    memcmp(reader->text + word->start, forms[i], len) == 0)
			return true;
	return false;
}

bool shell_lex_word(struct shell_reader *reader, struct shell_word *ret_word)
{
	struct shell_builder word = {.start = reader->pos, .end = reader->pos};
	bool done = false;
	bool ok = shell_enter(reader);
	buffer_init(&word.value, LIMIT_SCRIPT_BYTES);
	if (ok && (shell_peek(reader, 0) == '<' || shell_peek(reader, 0) == '>')) {
		reader->pos += 2;
		word.flags |= SHELL_WORD_DYNAMIC;
		ok = shell_read_substitution(reader);
		word.end = reader->pos;
	}
	while (ok && !done) {
		bool continuation = is_continuation(reader);
		ok = shell_step(reader) && lex_word_part(reader, &word, &done);
		if (!continuation && !done)
			word.end = reader->pos < reader->len ? reader->pos : reader->len;
	}
	if (ok)
		shell_leave(reader);
	if (ok && word.end == word.start)
		ok = shell_trouble(reader, "a word was expected");
	if (ok) {
		if (reader->pos > reader->len)
			reader->pos = reader->len;
		if (is_all_args(reader, &word))
			word.flags |= SHELL_WORD_ALL_ARGS;
		ret_word->start = word.start;
		ret_word->end = word.end;
		ret_word->flags = word.flags;
		ret_word->value = xstrndup(word.value.data, word.value.len);
	}
	buffer_release(&word.value);
	return ok;
}
