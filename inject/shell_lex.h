/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the shell reader, each in a file of its own: shell_lex.c (words, blanks,
 * comments, here-documents' bodies), shell_expand.c (quotes and expansions within a word),
 * shell.c (simple commands, redirections, operators), shell_compound.c (if, for, case,
 * groups, functions). Private to these files.
 *
 * Every function moves `pos` forward and gives false once `trouble` is set; then the
 * whole reading is over.
 */
#ifndef LLMD_INJECT_SHELL_LEX_H
#define LLMD_INJECT_SHELL_LEX_H

#include "base/buffer.h"
#include "inject/shell.h"

enum {
	SHELL_DEPTH_MAX = 40,    /* nesting of compound commands and expansions */
	SHELL_HEREDOCS_MAX = 16, /* waiting for their bodies at one newline */
};

struct shell_heredoc {
	char *delimiter;  /* owned */
	bool strips_tabs; /* <<- */
};

struct shell_reader {
	const char *text;
	size_t len;
	size_t pos;
	size_t steps_left; /* bytes that may still be looked at; bounds what re-scanning costs */
	unsigned depth;
	unsigned context; /* enum shell_context of the place */
	size_t function;
	struct shell_heredoc heredocs[SHELL_HEREDOCS_MAX];
	size_t heredoc_count;
	size_t heredoc_floor; /* the first of the current substitution */
	struct shell_script *script;
	const char *trouble; /* static text */
	bool limit;          /* trouble is STATUS_LIMIT */
};

/* One word while it is read. */
struct shell_builder {
	struct buffer value;
	size_t start, end; /* `end`: behind the last byte that is no line continuation */
	unsigned flags;
	bool brace, bracket; /* an unquoted { or [ was seen, perhaps an expansion */
	size_t open_len;     /* length of the value before it */
};

/* Sets the trouble (the first one stays) and gives false. */
bool shell_trouble(struct shell_reader *reader, const char *why);
/* Counts one level of nesting; every success is followed by shell_leave. */
bool shell_enter(struct shell_reader *reader);
void shell_leave(struct shell_reader *reader);

/* Byte at pos + ahead, '\0' past the end. */
char shell_peek(const struct shell_reader *reader, size_t ahead);
/* Blank, newline, operator character or end: what ends an unquoted word. */
bool shell_is_meta(char c);

/* Skips blanks, line continuations and a comment; stays before a newline. */
bool shell_skip_blanks(struct shell_reader *reader);
/* At a newline: goes past it and past the bodies of waiting here-documents. */
bool shell_skip_newline(struct shell_reader *reader);
/* Blanks and newlines. */
bool shell_skip_space(struct shell_reader *reader);

/* Takes one unit of what reading may cost; false when nothing is left or there is trouble. */
bool shell_step(struct shell_reader *reader);
bool shell_at_end(const struct shell_reader *reader);
bool shell_is_name_start(char c);
bool shell_is_name_char(char c);

/* Adds to the literal value, unless an expansion came before. */
void shell_builder_add(struct shell_builder *word, char c);
/* At the quote, backquote or dollar; `word` of single quotes may be NULL. */
bool shell_lex_single_quotes(struct shell_reader *reader, struct shell_builder *word);
bool shell_lex_double_quotes(struct shell_reader *reader, struct shell_builder *word);
bool shell_lex_backquotes(struct shell_reader *reader);
bool shell_lex_dollar(struct shell_reader *reader, struct shell_builder *word, bool quoted);

/* Reads one word at pos (not at a metacharacter but for <( and >( ). The caller frees ret_word->value. */
bool shell_lex_word(struct shell_reader *reader, struct shell_word *ret_word);
/* Whether the "((" at `open` is arithmetic; then *ret_end is behind its "))". */
bool shell_lex_arithmetic(struct shell_reader *reader, size_t open, size_t *ret_end);

/* What may end the commands that are being read. */
enum shell_stop {
	SHELL_STOP_END,       /* the script's end */
	SHELL_STOP_PAREN,     /* ) */
	SHELL_STOP_BRACE,     /* } */
	SHELL_STOP_THEN,      /* then */
	SHELL_STOP_BRANCH,    /* elif, else, fi */
	SHELL_STOP_FI,        /* fi */
	SHELL_STOP_DO,        /* do */
	SHELL_STOP_DONE,      /* done */
	SHELL_STOP_CASE_ITEM, /* ;; ;& ;;& esac */
};

/*
 * Commands up to `stop`, which is not consumed, in the context of now and `added`. At the
 * script's end without `stop` there is trouble.
 */
bool shell_read_commands(struct shell_reader *reader, enum shell_stop stop, unsigned added);
/* One command, simple or compound, without the operator behind it. */
bool shell_read_command(struct shell_reader *reader);
/* Goes past a reserved word if it stands at pos, unquoted and alone. */
bool shell_take_keyword(struct shell_reader *reader, const char *keyword);
bool shell_read_redirections(struct shell_reader *reader);
/* At what may be a compound command, with the redirections behind it. */
bool shell_read_compound(struct shell_reader *reader, bool *ret_found);
/* Behind the NAME of `NAME ()` or `function NAME`: the rest of the definition. */
bool shell_read_function(struct shell_reader *reader, const char *name);
/* Commands up to the closing parenthesis, which is consumed. */
bool shell_read_substitution(struct shell_reader *reader);

#endif
