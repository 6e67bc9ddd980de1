/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a POSIX shell script (POSIX.1-2017 XCU 2, and the bash forms that llm-d scripts
 * use: [[ ]], (( )), arrays, <<<, <( ), &>) without running or expanding anything, and
 * yields its simple commands with the byte range of each word.
 *
 * It is strict: what bash and dash would not read alike, or what it does not know, is
 * STATUS_INVALID, and then nobody edits the script. Text that the shell would not run
 * as a command of this script (comments, quoted text, here-documents, text of `eval`
 * and of nested shells) yields no command. The insides of `$( )` do, marked as such.
 */
#ifndef LLMD_INJECT_SHELL_H
#define LLMD_INJECT_SHELL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum shell_word_flags {
	SHELL_WORD_DYNAMIC =
	    1 << 0, /* an expansion is in it: `value` is only its literal beginning */
	SHELL_WORD_SPLITS = 1 << 1,   /* may become no word at all, or several */
	SHELL_WORD_QUOTED = 1 << 2,   /* part of it is quoted, so it is no reserved word */
	SHELL_WORD_ALL_ARGS = 1 << 3, /* it is exactly "$@" */
};

/* Invariant: start < end <= length of the script; `value` is never NULL. */
struct shell_word {
	size_t start, end; /* bytes of the script; `end` is after its last byte */
	char *value;       /* after quote removal; owned by the script */
	unsigned flags;    /* enum shell_word_flags */
};

enum shell_context {
	SHELL_IN_BRANCH = 1 << 0,       /* if, case, after && or || */
	SHELL_IN_LOOP = 1 << 1,         /* while, until, for, select */
	SHELL_IN_FUNCTION = 1 << 2,     /* see `function` */
	SHELL_IN_SUBSTITUTION = 1 << 3, /* $( ), <( ), >( ) */
	SHELL_IN_PIPELINE = 1 << 4,     /* one of several commands joined by | */
	SHELL_IN_SUBSHELL = 1 << 5,     /* ( ) */
};

/* A simple command; redirections and assignments before it are not among its words. */
struct shell_command {
	struct shell_word *words; /* may be empty: `A=1` alone, `>file` alone */
	size_t word_count;
	size_t assignment_count; /* A=1 B=2 before the first word */
	unsigned context;        /* enum shell_context */
	size_t
	    function; /* with SHELL_IN_FUNCTION: index into the script's functions, the innermost */
};

struct shell_script {
	struct shell_command *commands; /* in the order of their ends */
	size_t command_count;
	char **functions; /* names that the script defines */
	size_t function_count;
	bool uses_positional; /* $1…, $@, $* occur somewhere */
};

/*
 * Reads `len` bytes. STATUS_INVALID: not a script that can be read with certainty; the
 * message is "line N: <why>". STATUS_LIMIT: longer than LIMIT_SCRIPT_BYTES, nested too
 * deep, or too costly to read. Free with shell_script_freep.
 */
NODISCARD enum status shell_parse(const char *text, size_t len, struct shell_script **ret_script,
				  struct error *err);
void shell_script_freep(struct shell_script **script);

/*
 * What the shell gets of a string in `command` or `args`: kubelet turns `$$` into `$`
 * and expands $(NAME) (Kubernetes API, Container.command). A reference stays here as it
 * is, since its value is not known; the shell's reading of it as a command substitution
 * is as opaque as the truth.
 */
struct shell_view {
	char *text; /* owned, NUL-terminated */
	size_t len;
	size_t *origin; /* len + 1 offsets into the original; NULL when nothing moved. Owned */
};

void shell_view_init(struct shell_view *view, const char *text);
void shell_view_release(struct shell_view *view);
/* The offset in the original of byte `offset` of the view (offset <= len). */
size_t shell_view_origin(const struct shell_view *view, size_t offset);

#endif
