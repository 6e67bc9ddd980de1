/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the launch_*.c files share: the parts of a container's command line with their
 * places. Private to them and to flags.c.
 */
#ifndef LLMD_INJECT_LAUNCH_INTERNAL_H
#define LLMD_INJECT_LAUNCH_INTERNAL_H

#include "inject/launch.h"
#include "inject/program.h"

/* One word of a command line and where it stands. */
struct launch_word {
	char *text;   /* literal value, or its literal beginning when !literal; owned */
	bool literal; /* nothing in it is expanded, neither by kubelet nor by a shell */
	bool splits;  /* may become no word, or several */
	bool in_script;
	enum launch_list list;
	size_t index;      /* the element that holds it */
	size_t start, end; /* its bytes there; the whole element unless in_script */
};

struct launch_words {
	struct launch_word *items;
	size_t count;
};

struct launch_strings {
	char **items;
	size_t count;
};

struct launch {
	enum program program;
	enum launch_form form;
	struct launch_strings lists[2]; /* copies of command and args, by enum launch_list */
	struct launch_words own;        /* the program's words behind its name and sub-command */
	bool has_model;                 /* own.items[0] is the positional model */
	char *model;
	char *config_file;
	char *why; /* LAUNCH_OPAQUE: one sentence */
	char *
	    where; /* LAUNCH_OPAQUE: where a person would put the flags, for "…add FLAGS <where>" */
	/* Where flags go, when not opaque: op is LAUNCH_INSERT or LAUNCH_SPLICE. */
	enum launch_edit_op op;
	enum launch_list list;
	size_t index;
	size_t offset;
	bool last; /* they come after words that may hide flags, so ours would win */
};

/* Sets LAUNCH_OPAQUE with both sentences; the first reason stays. */
void launch_opaque(struct launch *launch, const char *where, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Adds a word; takes ownership of word->text. */
void launch_words_add(struct launch_words *words, const struct launch_word *word);
/* Adds element `index` of a list as one word. */
void launch_words_add_element(struct launch_words *words, const struct launch *launch,
			      enum launch_list list, size_t index);
void launch_words_release(struct launch_words *words);

/* The word's own bytes as they stand in the container. Owned. */
NODISCARD char *launch_word_written(const struct launch *launch, const struct launch_word *word);

/* The same words as program_find wants them: an array that borrows the texts. */
NODISCARD struct program_word *launch_program_words(const struct launch_words *words);
void launch_program_words_freep(struct program_word **words);

/* A shell was found: its options begin at argv index `at` of command ++ args. */
void launch_read_shell(struct launch *launch, const struct launch_words *argv, size_t at);
/* False for a long flag that no shell knows: behind org/sh it makes that the name of a model. */
bool launch_may_be_shell_option(const char *text);

/* Program and own words are known: finds model, insertion point and what forbids an edit. */
void launch_settle(struct launch *launch, struct launch_words *all, size_t own);

#endif
