/* SPDX-License-Identifier: Apache-2.0 */
/* Compound commands and function definitions. */
#include "inject/shell_lex.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/util.h"

static bool expect(struct shell_reader *reader, const char *keyword)
{
	return shell_take_keyword(reader, keyword) ||
	       shell_trouble(reader, "a compound command that is not complete");
}

static bool read_if(struct shell_reader *reader)
{
	if (!shell_read_commands(reader, SHELL_STOP_THEN, SHELL_IN_BRANCH) ||
	    !expect(reader, "then") ||
	    !shell_read_commands(reader, SHELL_STOP_BRANCH, SHELL_IN_BRANCH))
		return false;
	while (shell_take_keyword(reader, "elif"))
		if (!shell_read_commands(reader, SHELL_STOP_THEN, SHELL_IN_BRANCH) ||
		    !expect(reader, "then") ||
		    !shell_read_commands(reader, SHELL_STOP_BRANCH, SHELL_IN_BRANCH))
			return false;
	if (shell_take_keyword(reader, "else") &&
	    !shell_read_commands(reader, SHELL_STOP_FI, SHELL_IN_BRANCH))
		return false;
	return expect(reader, "fi");
}

static bool read_do_group(struct shell_reader *reader)
{
	return expect(reader, "do") &&
	       shell_read_commands(reader, SHELL_STOP_DONE, SHELL_IN_LOOP) &&
	       expect(reader, "done");
}

static bool read_while(struct shell_reader *reader)
{
	return shell_read_commands(reader, SHELL_STOP_DO, SHELL_IN_LOOP) && read_do_group(reader);
}

/* Words up to a newline or semicolon, which is consumed with the space behind it. */
static bool skip_words(struct shell_reader *reader)
{
	while (shell_skip_blanks(reader)) {
		struct shell_word word = {0};
		char c = shell_peek(reader, 0);
		if (c == ';' || c == '\n') {
			if (c == ';')
				reader->pos++;
			return shell_skip_space(reader);
		}
		if (shell_is_meta(c))
			return shell_trouble(reader, "a loop that cannot be read");
		if (!shell_lex_word(reader, &word))
			return false;
		free(word.value);
	}
	return false;
}

/* Behind `for` or `select`. */
static bool read_for(struct shell_reader *reader)
{
	struct shell_word name = {0};
	size_t end = 0;
	if (!shell_skip_blanks(reader))
		return false;
	if (shell_peek(reader, 0) == '(') {
		if (shell_peek(reader, 1) != '(' ||
		    !shell_lex_arithmetic(reader, reader->pos, &end))
			return shell_trouble(reader, "a loop that cannot be read");
		reader->pos = end;
		if (!shell_skip_blanks(reader))
			return false;
		if (shell_peek(reader, 0) == ';')
			reader->pos++;
		return shell_skip_space(reader) && read_do_group(reader);
	}
	if (!shell_lex_word(reader, &name))
		return false;
	free(name.value);
	if (!shell_skip_space(reader))
		return false;
	if (shell_take_keyword(reader, "in")) {
		if (!skip_words(reader))
			return false;
	} else {
		reader->script->uses_positional = true;
		if (shell_peek(reader, 0) == ';')
			reader->pos++;
		if (!shell_skip_space(reader))
			return false;
	}
	return read_do_group(reader);
}

/* `a|b)` with or without an opening parenthesis. */
static bool skip_patterns(struct shell_reader *reader)
{
	if (shell_peek(reader, 0) == '(')
		reader->pos++;
	while (shell_skip_blanks(reader)) {
		struct shell_word word = {0};
		if (shell_is_meta(shell_peek(reader, 0)))
			return shell_trouble(reader, "a case pattern that cannot be read");
		if (!shell_lex_word(reader, &word))
			return false;
		free(word.value);
		if (!shell_skip_blanks(reader))
			return false;
		char c = shell_peek(reader, 0);
		reader->pos++;
		if (c == ')')
			return true;
		if (c != '|')
			return shell_trouble(reader, "a case pattern that cannot be read");
	}
	return false;
}

static bool read_case(struct shell_reader *reader)
{
	struct shell_word subject = {0};
	if (!shell_skip_blanks(reader) || !shell_lex_word(reader, &subject))
		return false;
	free(subject.value);
	if (!shell_skip_space(reader) || !expect(reader, "in"))
		return false;
	while (shell_skip_space(reader)) {
		if (shell_take_keyword(reader, "esac"))
			return true;
		if (!skip_patterns(reader) ||
		    !shell_read_commands(reader, SHELL_STOP_CASE_ITEM, SHELL_IN_BRANCH))
			return false;
		while (shell_peek(reader, 0) == ';' || shell_peek(reader, 0) == '&')
			reader->pos++;
	}
	return false;
}

/* bash's [[ … ]]: words and operators that redirect nothing. */
static bool skip_conditional(struct shell_reader *reader)
{
	while (shell_skip_space(reader)) {
		struct shell_word word = {0};
		char c = shell_peek(reader, 0);
		if (reader->pos >= reader->len)
			return shell_trouble(reader, "[[ without its ]]");
		if (shell_take_keyword(reader, "]]"))
			return true;
		if (shell_is_meta(c)) {
			reader->pos++;
			continue;
		}
		if (!shell_lex_word(reader, &word))
			return false;
		free(word.value);
	}
	return false;
}

static bool read_parenthesis(struct shell_reader *reader)
{
	size_t end = 0;
	if (shell_peek(reader, 1) == '(' && shell_lex_arithmetic(reader, reader->pos, &end)) {
		reader->pos = end;
		return true;
	}
	reader->pos++;
	if (!shell_read_commands(reader, SHELL_STOP_PAREN, SHELL_IN_SUBSHELL))
		return false;
	reader->pos++;
	return true;
}

static bool read_group(struct shell_reader *reader)
{
	return shell_read_commands(reader, SHELL_STOP_BRACE, 0) && expect(reader, "}");
}

/* Behind NAME of `NAME ()`, or behind `function NAME`. */
bool shell_read_function(struct shell_reader *reader, const char *name)
{
	struct shell_script *script = reader->script;
	unsigned context = reader->context;
	size_t function = reader->function;
	if (!shell_skip_blanks(reader))
		return false;
	if (shell_peek(reader, 0) == '(') {
		reader->pos++;
		if (!shell_skip_blanks(reader) || shell_peek(reader, 0) != ')')
			return shell_trouble(reader, "a parenthesis where none belongs");
		reader->pos++;
	}
	if (!shell_skip_space(reader))
		return false;
	script->functions =
	    grow(script->functions, script->function_count, sizeof(*script->functions));
	reader->function = script->function_count;
	reader->context |= SHELL_IN_FUNCTION;
	script->functions[script->function_count++] = xstrdup(name);
	bool ok = shell_read_command(reader);
	reader->context = context;
	reader->function = function;
	return ok;
}

static bool read_function_keyword(struct shell_reader *reader)
{
	struct shell_word name = {0};
	if (!shell_skip_blanks(reader) || !shell_lex_word(reader, &name))
		return false;
	bool ok = shell_read_function(reader, name.value);
	free(name.value);
	return ok;
}

static const struct compound {
	const char *keyword;
	bool (*read)(struct shell_reader *reader);
} compounds[] = {
    {"if", read_if},   {"while", read_while},    {"until", read_while},
    {"for", read_for}, {"select", read_for},     {"case", read_case},
    {"{", read_group}, {"[[", skip_conditional}, {"function", read_function_keyword},
};

static bool read_compound(struct shell_reader *reader, bool (*read)(struct shell_reader *reader))
{
	unsigned context = reader->context;
	if (!shell_enter(reader))
		return false;
	bool ok = read(reader);
	shell_leave(reader);
	reader->context = context;
	return ok && shell_read_redirections(reader);
}

bool shell_read_compound(struct shell_reader *reader, bool *ret_found)
{
	*ret_found = true;
	if (shell_peek(reader, 0) == '(')
		return read_compound(reader, read_parenthesis);
	for (size_t i = 0; i < ARRAY_LEN(compounds); i++)
		if (shell_take_keyword(reader, compounds[i].keyword))
			return read_compound(reader, compounds[i].read);
	*ret_found = false;
	return true;
}
