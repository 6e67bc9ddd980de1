/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of a shell script: quoting, expansions, comments, here-documents. The grammar
 * above words is shell.c. Private to these two files.
 *
 * Every function moves `pos` forward and gives false once `trouble` is set; then the
 * whole reading is over.
 */
#ifndef LLMD_INJECT_SHELL_LEX_H
#define LLMD_INJECT_SHELL_LEX_H

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

/* Reads one word at pos (not at a metacharacter but for <( and >( ). The caller frees ret_word->value. */
bool shell_lex_word(struct shell_reader *reader, struct shell_word *ret_word);
/* Whether the "((" at `open` is arithmetic; then *ret_end is behind its "))". */
bool shell_lex_arithmetic(struct shell_reader *reader, size_t open, size_t *ret_end);

/* shell.c: commands up to the closing parenthesis, which is consumed. */
bool shell_read_substitution(struct shell_reader *reader);

#endif
