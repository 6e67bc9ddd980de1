/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/shell.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "base/util.h"
#include "inject/shell_lex.h"

static void command_release(struct shell_command *command)
{
	for (size_t i = 0; i < command->word_count; i++)
		free(command->words[i].value);
	free(command->words);
}

void shell_script_freep(struct shell_script **script)
{
	if (*script == NULL)
		return;
	for (size_t i = 0; i < (*script)->command_count; i++)
		command_release(&(*script)->commands[i]);
	for (size_t i = 0; i < (*script)->function_count; i++)
		free((*script)->functions[i]);
	free((*script)->commands);
	free((*script)->functions);
	free(*script);
	*script = NULL;
}

/* The unquoted text at pos up to a metacharacter is exactly `keyword`. */
static bool at_keyword(const struct shell_reader *reader, const char *keyword)
{
	size_t len = strlen(keyword);
	return reader->pos + len <= reader->len &&
	       memcmp(reader->text + reader->pos, keyword, len) == 0 &&
	       shell_is_meta(shell_peek(reader, len));
}

static bool at_any_keyword(const struct shell_reader *reader, const char *const *keywords)
{
	for (; *keywords != NULL; keywords++)
		if (at_keyword(reader, *keywords))
			return true;
	return false;
}

bool shell_take_keyword(struct shell_reader *reader, const char *keyword)
{
	if (!at_keyword(reader, keyword))
		return false;
	reader->pos += strlen(keyword);
	return true;
}

static bool at_stop(const struct shell_reader *reader, enum shell_stop stop)
{
	static const char *const then[] = {"then", NULL};
	static const char *const branch[] = {"elif", "else", "fi", NULL};
	static const char *const fi[] = {"fi", NULL};
	static const char *const loop_do[] = {"do", NULL};
	static const char *const done[] = {"done", NULL};
	static const char *const brace[] = {"}", NULL};
	static const char *const esac[] = {"esac", NULL};
	static const char *const *const keywords[] = {
	    [SHELL_STOP_THEN] = then,      [SHELL_STOP_BRANCH] = branch, [SHELL_STOP_FI] = fi,
	    [SHELL_STOP_DO] = loop_do,     [SHELL_STOP_DONE] = done,     [SHELL_STOP_BRACE] = brace,
	    [SHELL_STOP_CASE_ITEM] = esac,
	};
	char c = shell_peek(reader, 0);
	if (stop == SHELL_STOP_END)
		return reader->pos >= reader->len;
	if (stop == SHELL_STOP_PAREN)
		return c == ')';
	if (stop == SHELL_STOP_CASE_ITEM && c == ';' &&
	    (shell_peek(reader, 1) == ';' || shell_peek(reader, 1) == '&'))
		return true;
	return at_any_keyword(reader, keywords[stop]);
}

/* At "<<" or "<<-", whose delimiter follows. */
static bool read_heredoc(struct shell_reader *reader)
{
	struct shell_word word = {0};
	bool strips_tabs = shell_peek(reader, 2) == '-';
	reader->pos += strips_tabs ? 3 : 2;
	if (reader->heredoc_count == SHELL_HEREDOCS_MAX)
		return shell_trouble(reader, "too many here-documents");
	if (!shell_skip_blanks(reader) || !shell_lex_word(reader, &word))
		return false;
	/* The delimiter is not expanded: with a `$` in it, what the shell compares is not plain. */
	if ((word.flags & SHELL_WORD_DYNAMIC) != 0) {
		free(word.value);
		return shell_trouble(reader, "a here-document whose end is not a plain word");
	}
	reader->heredocs[reader->heredoc_count].delimiter = word.value;
	reader->heredocs[reader->heredoc_count].strips_tabs = strips_tabs;
	reader->heredoc_count++;
	return true;
}

/* Length of the digits or {NAME} that a redirection may begin with. */
static size_t redirection_prefix(const struct shell_reader *reader)
{
	size_t n = 0;
	if (shell_peek(reader, 0) == '{') {
		n = 1;
		while (!shell_is_meta(shell_peek(reader, n)) && shell_peek(reader, n) != '}')
			n++;
		return shell_peek(reader, n) == '}' ? n + 1 : 0;
	}
	while (shell_peek(reader, n) >= '0' && shell_peek(reader, n) <= '9')
		n++;
	return n;
}

static bool at_redirection(const struct shell_reader *reader)
{
	size_t n = redirection_prefix(reader);
	char c = shell_peek(reader, n);
	if (n == 0 && c == '&' && shell_peek(reader, 1) == '>')
		return true;
	if (c != '<' && c != '>')
		return false;
	return n > 0 || shell_peek(reader, 1) != '('; /* <( and >( begin a word */
}

/* Operator and target. *ret_both: it was `&>`, which dash reads as `&` and a new command. */
static bool read_redirection(struct shell_reader *reader, bool *ret_both)
{
	struct shell_word target = {0};
	reader->pos += redirection_prefix(reader);
	if (shell_peek(reader, 0) == '&') {
		*ret_both = true;
		reader->pos++;
	}
	if (shell_peek(reader, 0) == '<' && shell_peek(reader, 1) == '<' &&
	    shell_peek(reader, 2) != '<')
		return read_heredoc(reader);
	char first = shell_peek(reader, 0);
	reader->pos++;
	char c = shell_peek(reader, 0);
	if (first == '<' && c == '<')
		reader->pos += 2;
	else if (c == '&' || c == '>' || (first == '>' && c == '|'))
		reader->pos++;
	if (!shell_skip_blanks(reader))
		return false;
	c = shell_peek(reader, 0);
	bool substitution = (c == '<' || c == '>') && shell_peek(reader, 1) == '(';
	if (shell_is_meta(c) && !substitution)
		return shell_trouble(reader, "a redirection without its target");
	if (!shell_lex_word(reader, &target))
		return false;
	free(target.value);
	return true;
}

bool shell_read_redirections(struct shell_reader *reader)
{
	bool both = false;
	while (shell_skip_blanks(reader)) {
		if (!at_redirection(reader))
			return true;
		if (!read_redirection(reader, &both))
			return false;
	}
	return false;
}

static void keep_command(struct shell_reader *reader, struct shell_command *command)
{
	struct shell_script *script = reader->script;
	command->context = reader->context;
	command->function = reader->function;
	script->commands = grow(script->commands, script->command_count, sizeof(*script->commands));
	script->commands[script->command_count++] = *command;
	*command = (struct shell_command){0};
}

/* NAME=…, NAME+=… or NAME[…]=…, unquoted. */
static bool is_assignment(const struct shell_reader *reader, const struct shell_word *word)
{
	const char *text = reader->text + word->start;
	size_t len = word->end - word->start;
	size_t n = 0;
	while (n < len && (n == 0 ? shell_is_name_start(text[n]) : shell_is_name_char(text[n])))
		n++;
	if (n == 0 || n == len)
		return false;
	if (text[n] == '[') {
		const char *close = memchr(text + n, ']', len - n);
		if (close == NULL)
			return false;
		n = (size_t)(close - text) + 1;
	}
	if (n < len && text[n] == '+')
		n++;
	return n < len && text[n] == '=';
}

/* The words of `command` go on at pos; *ret_more is false at the command's end. */
static bool read_simple_part(struct shell_reader *reader, struct shell_command *command, bool *both,
			     bool *ret_more)
{
	struct shell_word word = {0};
	*ret_more = true;
	if (!shell_skip_blanks(reader))
		return false;
	if (at_redirection(reader))
		return read_redirection(reader, both);
	char c = shell_peek(reader, 0);
	bool substitution = (c == '<' || c == '>') && shell_peek(reader, 1) == '(';
	if (shell_is_meta(c) && !substitution) {
		*ret_more = false;
		return c != '(' || shell_trouble(reader, "a parenthesis where none belongs");
	}
	if (*both)
		return shell_trouble(reader,
				     "words after &>, which bash and dash read differently");
	if (!shell_lex_word(reader, &word))
		return false;
	if (command->word_count == 0 && is_assignment(reader, &word)) {
		command->assignment_count++;
		free(word.value);
		return true;
	}
	command->words = grow(command->words, command->word_count, sizeof(*command->words));
	command->words[command->word_count++] = word;
	return true;
}

static bool read_simple(struct shell_reader *reader)
{
	struct shell_command command = {0};
	bool both = false;
	bool more = true;
	bool ok = true;
	while (ok && more) {
		ok = read_simple_part(reader, &command, &both, &more) && shell_skip_blanks(reader);
		if (ok && command.word_count == 1 && command.assignment_count == 0 &&
		    command.words[0].flags == 0 && shell_peek(reader, 0) == '(') {
			char *name CLEANUP(str_freep) = xstrdup(command.words[0].value);
			command_release(&command);
			return shell_read_function(reader, name);
		}
	}
	if (ok)
		keep_command(reader, &command);
	else
		command_release(&command);
	return ok;
}

/* One command, simple or compound, without the operator behind it. */
bool shell_read_command(struct shell_reader *reader)
{
	static const char *const misplaced[] = {"then", "elif", "else", "fi",     "do",
						"done", "esac", "}",    "coproc", NULL};
	while (shell_take_keyword(reader, "!") || shell_take_keyword(reader, "time")) {
		if (!shell_skip_blanks(reader))
			return false;
		if (shell_take_keyword(reader, "-p") && !shell_skip_blanks(reader))
			return false;
	}
	bool found = false;
	if (!shell_read_compound(reader, &found))
		return false;
	if (found)
		return true;
	if (at_any_keyword(reader, misplaced))
		return shell_trouble(reader, "a reserved word where none belongs");
	return read_simple(reader);
}

/*
 * The operator behind a command. *ret_joined: another command has to follow.
 * The context of that next command is set; `first` is the index of the command list's
 * commands of the current pipeline, which become part of one at `|`.
 */
static bool read_operator(struct shell_reader *reader, unsigned context, size_t *first,
			  bool *ret_joined)
{
	char c = shell_peek(reader, 0);
	char next = shell_peek(reader, 1);
	*ret_joined = false;
	if (c == '|' && next != '|') {
		for (size_t i = *first; i < reader->script->command_count; i++)
			reader->script->commands[i].context |= SHELL_IN_PIPELINE;
		reader->context = context | SHELL_IN_PIPELINE;
		reader->pos += next == '&' ? 2 : 1;
		*ret_joined = true;
		return true;
	}
	*first = reader->script->command_count;
	reader->context = context;
	if ((c == '&' && next == '&') || c == '|') {
		reader->context |= SHELL_IN_BRANCH;
		reader->pos += 2;
		*ret_joined = true;
		return true;
	}
	if (c == '\n')
		return shell_skip_newline(reader);
	if (c == ';' || c == '&') {
		reader->pos++;
		return true;
	}
	if (reader->pos >= reader->len)
		return shell_trouble(reader, "it ends in the middle of a command");
	return shell_trouble(reader, "a word where an operator belongs");
}

bool shell_read_commands(struct shell_reader *reader, enum shell_stop stop, unsigned added)
{
	unsigned outer = reader->context;
	unsigned context = outer | added;
	size_t first = reader->script->command_count;
	bool joined = false;
	reader->context = context;
	while (shell_skip_space(reader)) {
		if (!joined && at_stop(reader, stop)) {
			reader->context = outer;
			return true;
		}
		if (reader->pos >= reader->len)
			return shell_trouble(reader, "it ends in the middle of a command");
		char c = shell_peek(reader, 0);
		if (c == ')' || c == ';' || c == '&' || c == '|')
			return shell_trouble(reader, "an operator where a command belongs");
		if (!shell_read_command(reader) || !shell_skip_blanks(reader))
			return false;
		joined = false;
		/* A reserved word may follow a compound command at once: `if (a) then`. */
		if (at_stop(reader, stop))
			continue;
		if (!read_operator(reader, context, &first, &joined))
			return false;
	}
	return false;
}

bool shell_read_substitution(struct shell_reader *reader)
{
	unsigned context = reader->context;
	size_t floor = reader->heredoc_floor;
	size_t waiting = reader->heredoc_count;
	reader->heredoc_floor = waiting;
	if (!shell_enter(reader) ||
	    !shell_read_commands(reader, SHELL_STOP_PAREN, SHELL_IN_SUBSTITUTION))
		return false;
	shell_leave(reader);
	if (reader->heredoc_count != waiting)
		return shell_trouble(reader, "a here-document inside a substitution of one line");
	reader->pos++;
	reader->heredoc_floor = floor;
	reader->context = context;
	return true;
}

static size_t line_of(const char *text, size_t pos)
{
	size_t line = 1;
	for (size_t i = 0; i < pos; i++)
		line += text[i] == '\n';
	return line;
}

enum status shell_parse(const char *text, size_t len, struct shell_script **ret_script,
			struct error *err)
{
	if (len > LIMIT_SCRIPT_BYTES)
		return error_set(err, STATUS_LIMIT, "the script is longer than %zu bytes",
				 LIMIT_SCRIPT_BYTES);
	struct shell_script *script CLEANUP(shell_script_freep) = xcalloc(1, sizeof(*script));
	struct shell_reader reader = {
	    .text = text, .len = len, .steps_left = 64 * len + 1024, .script = script};
	if (memchr(text, '\0', len) != NULL || memchr(text, '\r', len) != NULL)
		return error_set(err, STATUS_INVALID, "it holds carriage returns or NUL bytes");
	bool ok = shell_read_commands(&reader, SHELL_STOP_END, 0);
	if (ok && reader.heredoc_count > 0)
		ok = shell_trouble(&reader, "a here-document without its end");
	for (size_t i = 0; i < reader.heredoc_count; i++)
		free(reader.heredocs[i].delimiter);
	if (!ok)
		return error_set(err, reader.limit ? STATUS_LIMIT : STATUS_INVALID, "line %zu: %s",
				 line_of(text, reader.pos < len ? reader.pos : len),
				 reader.trouble);
	*ret_script = TAKE_PTR(script);
	return STATUS_OK;
}
