/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which program a command line starts, by tables: programs and their sub-commands,
 * Python modules, and the wrappers (env, nice, tini, exec, …) whose own options are
 * known well enough to see the program behind them. It knows words, not where they stand.
 */
#ifndef LLMD_INJECT_PROGRAM_H
#define LLMD_INJECT_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "inject/launch.h"

/* A word of a command line, as far as it is known before the start. */
struct program_word {
	const char *text; /* its literal value; its literal beginning when !literal. Never NULL */
	bool literal;
};

enum program_match {
	PROGRAM_MATCH_NONE,  /* a program that the tables do not know */
	PROGRAM_MATCH_SURE,  /* `program` it is, its own words begin at `own` */
	PROGRAM_MATCH_SHELL, /* a shell; its options begin at `own` */
	PROGRAM_MATCH_EVAL,  /* `eval`: its words are read once more by the shell */
};

struct program_found {
	enum program_match match;
	enum program program; /* PROGRAM_MATCH_SURE only, else PROGRAM_UNKNOWN */
	size_t head;          /* the word that names the program; == count when there is none */
	size_t own;
	bool harmless; /* it surely starts nothing named in its arguments (echo, grep, …) */
	bool mentions_engine; /* not SURE, but a later word or pair of words names a model server */
};

/* `in_shell`: the words are a shell command, so exec, command, time and eval are the shell's. */
void program_find(const struct program_word *words, size_t count, bool in_shell,
		  struct program_found *ret_found);

/* Can take our flags: the programs of which a script may hold exactly one. */
bool program_is_traceable(enum program program);
/* Reads its flags as Python's argparse does (else as Go's flag or pflag). */
bool program_uses_argparse(enum program program);
/* For messages: "`vllm serve`". Never NULL. */
const char *program_title(enum program program);

/* True when `text` names a model server anywhere: what hides in strings and here-documents. */
bool program_text_mentions_engine(const char *text);

/* The last path component. */
const char *program_basename(const char *path);

#endif
