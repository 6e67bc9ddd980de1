/* SPDX-License-Identifier: Apache-2.0 */
/* Quotes and expansions: where they end, and what is literal in them. */
#include "inject/shell_lex.h"

#include <string.h>

void shell_builder_add(struct shell_builder *word, char c)
{
	if ((word->flags & SHELL_WORD_DYNAMIC) == 0)
		buffer_add_char(&word->value, c);
}

bool shell_lex_single_quotes(struct shell_reader *reader, struct shell_builder *word)
{
	const char *from = reader->text + reader->pos + 1;
	const char *to = memchr(from, '\'', reader->len - reader->pos - 1);
	if (to == NULL)
		return shell_trouble(reader, "a single quote without its partner");
	if (word != NULL && (word->flags & SHELL_WORD_DYNAMIC) == 0)
		buffer_add(&word->value, from, (size_t)(to - from));
	reader->pos = (size_t)(to - reader->text) + 1;
	return true;
}

/* The shell takes the first backquote that no backslash precedes; what is inside is not looked into. */
bool shell_lex_backquotes(struct shell_reader *reader)
{
	reader->pos++;
	while (!shell_at_end(reader) && shell_step(reader)) {
		char c = shell_peek(reader, 0);
		reader->pos += c == '\\' ? 2 : 1;
		if (c == '`')
			return true;
	}
	return shell_trouble(reader, "a backquote without its partner");
}

bool shell_lex_arithmetic(struct shell_reader *reader, size_t open, size_t *ret_end)
{
	size_t depth = 0;
	for (size_t i = open; i < reader->len && shell_step(reader); i++) {
		char c = reader->text[i];
		if (c == '\\')
			i++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 1) {
			/* bash and dash: only "))" ends arithmetic; else it is a subshell in a substitution */
			if (i + 1 >= reader->len || reader->text[i + 1] != ')')
				return false;
			*ret_end = i + 2;
			return true;
		}
	}
	return false;
}

bool shell_is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool shell_is_name_char(char c)
{
	return shell_is_name_start(c) || is_digit(c);
}

static bool is_special(char c)
{
	return c != '\0' && strchr("@*#?$!-", c) != NULL;
}

/* The parameter itself: name, digits or one special character; notes positional ones. */
static bool skip_parameter(struct shell_reader *reader, bool quoted, struct shell_builder *word)
{
	char c = shell_peek(reader, 0);
	if (!shell_is_name_char(c) && !is_special(c))
		return shell_trouble(reader, "${ without a parameter's name");
	if (c == '@' || c == '*' || (c >= '1' && c <= '9'))
		reader->script->uses_positional = true;
	if (c == '@' || (!quoted && c != '#' && c != '?'))
		word->flags |= SHELL_WORD_SPLITS;
	reader->pos++;
	while (shell_is_name_start(c) && shell_is_name_char(shell_peek(reader, 0)))
		reader->pos++;
	return true;
}

/*
 * In "${x:-…}" an apostrophe is literal, but bash wants its partner and lets nothing
 * between them count, where dash goes on reading: alike only for a plain pair.
 */
static bool skip_literal_apostrophes(struct shell_reader *reader)
{
	size_t from = reader->pos;
	if (!shell_lex_single_quotes(reader, NULL))
		return false;
	for (size_t i = from; i < reader->pos; i++)
		if (strchr("}\"$`\\", reader->text[i]) != NULL)
			return shell_trouble(reader,
					     "an apostrophe in \"${…}\" is read differently "
					     "by bash and dash");
	return true;
}

/* Behind "${": up to and with its "}". */
static bool lex_braced(struct shell_reader *reader, struct shell_builder *word, bool quoted)
{
	char c = shell_peek(reader, 0);
	if ((c == '#' || c == '!') && shell_peek(reader, 1) != '}')
		reader->pos++;
	if (!skip_parameter(reader, quoted, word))
		return false;
	if (shell_peek(reader, 0) == '[')
		word->flags |= SHELL_WORD_SPLITS; /* "${array[@]}" */
	c = shell_peek(reader, 0);
	/* In double quotes an apostrophe quotes only in the pattern operators (POSIX 2.6.2). */
	bool apostrophes = !quoted || (c != '\0' && strchr("#%/^,", c) != NULL);
	while (!shell_at_end(reader) && shell_step(reader)) {
		bool ok = true;
		c = shell_peek(reader, 0);
		if (c == '}') {
			reader->pos++;
			return true;
		}
		if (c == '\\')
			reader->pos += 2;
		else if (c == '\'')
			ok = apostrophes ? shell_lex_single_quotes(reader, NULL)
					 : skip_literal_apostrophes(reader);
		else if (c == '"')
			ok = shell_lex_double_quotes(reader, word);
		else if (c == '`')
			ok = shell_lex_backquotes(reader);
		else if (c == '$')
			ok = shell_lex_dollar(reader, word, quoted);
		else
			reader->pos++;
		if (!ok)
			return false;
	}
	return shell_trouble(reader, "${ without its }");
}

/* bash's $'…'; dash reads a dollar and a quoted string, which differs when a quote is escaped. */
static bool lex_ansi_quotes(struct shell_reader *reader)
{
	size_t from = reader->pos;
	if (!shell_lex_single_quotes(reader, NULL))
		return false;
	if (memchr(reader->text + from, '\\', reader->pos - from) != NULL &&
	    reader->text[reader->pos - 2] == '\\')
		return shell_trouble(reader, "$'…\\'…' is read differently by bash and dash");
	return true;
}

static bool lex_parenthesized(struct shell_reader *reader, struct shell_builder *word, bool quoted)
{
	size_t end = 0;
	if (shell_peek(reader, 1) == '(' && shell_lex_arithmetic(reader, reader->pos, &end)) {
		/* A number: one word, unless IFS holds digits. Its $1 counts as a use. */
		for (size_t i = reader->pos; i + 1 < end; i++)
			if (reader->text[i] == '$' && is_digit(reader->text[i + 1]))
				reader->script->uses_positional = true;
		reader->pos = end;
		return true;
	}
	if (!quoted)
		word->flags |= SHELL_WORD_SPLITS;
	reader->pos++;
	return shell_read_substitution(reader);
}

/* At a dollar. */
bool shell_lex_dollar(struct shell_reader *reader, struct shell_builder *word, bool quoted)
{
	char c = shell_peek(reader, 1);
	if (!(c == '(' || c == '{' || shell_is_name_char(c) || is_special(c) ||
	      (!quoted && (c == '\'' || c == '"')))) {
		shell_builder_add(word, '$');
		reader->pos++;
		return true;
	}
	word->flags |= SHELL_WORD_DYNAMIC;
	reader->pos++;
	if (!shell_enter(reader))
		return false;
	bool ok = true;
	if (c == '(') {
		ok = lex_parenthesized(reader, word, quoted);
	} else if (c == '{') {
		reader->pos++;
		ok = lex_braced(reader, word, quoted);
	} else if (c == '\'') {
		ok = lex_ansi_quotes(reader);
	} else if (c != '"') {
		ok = skip_parameter(reader, quoted, word);
	}
	shell_leave(reader);
	return ok;
}

bool shell_lex_double_quotes(struct shell_reader *reader, struct shell_builder *word)
{
	reader->pos++;
	while (!shell_at_end(reader) && shell_step(reader)) {
		bool ok = true;
		char c = shell_peek(reader, 0);
		char next = shell_peek(reader, 1);
		if (c == '"') {
			reader->pos++;
			return true;
		}
		if (c == '$') {
			ok = shell_lex_dollar(reader, word, true);
		} else if (c == '`') {
			word->flags |= SHELL_WORD_DYNAMIC;
			ok = shell_lex_backquotes(reader);
		} else if (c == '\\' && next == '\n') {
			reader->pos += 2;
		} else if (c == '\\' && next != '\0' && strchr("$`\"\\", next) != NULL) {
			shell_builder_add(word, next);
			reader->pos += 2;
		} else {
			shell_builder_add(word, c);
			reader->pos++;
		}
		if (!ok)
			return false;
	}
	return shell_trouble(reader, "a double quote without its partner");
}
