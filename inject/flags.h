/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How programs read their flags: names with `_` for `-`, prefixes, `=` or the next
 * word, Go's single dash. Works on the words of one command line.
 * Sources: CPython's argparse.py (_parse_optional), vLLM's FlexibleArgumentParser,
 * Go's flag/flag.go, spf13/pflag.
 */
#ifndef LLMD_INJECT_FLAGS_H
#define LLMD_INJECT_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "inject/launch_internal.h"

struct flag_hit {
	size_t count;      /* occurrences */
	size_t word;       /* the last one */
	bool value_next;   /* its value is the next word */
	bool stops_parser; /* see struct launch_flag */
};

/* True when the word is a flag and not a value, a number or "-". */
bool flags_is_flag(const struct launch_word *word);

/* Looks for `flag` among `words`, from `first` on, up to a bare "--". */
void flags_find(const struct launch_words *words, size_t first, const struct flag_syntax *flag,
		struct flag_hit *ret_hit);

/* The first word from `first` on that may hold a flag unseen; words->count when there is none. */
size_t flags_hidden(const struct launch_words *words, size_t first);

/* The bare "--", or words->count. */
size_t flags_end(const struct launch_words *words);

/*
 * For Go programs: the first word that is neither flag nor value, where Go's `flag`
 * package stops reading (pflag goes on); words->count when there is none. A true/false
 * behind --tracing is not counted: replacing that flag takes it away.
 */
size_t flags_bare_word(const struct launch_words *words);

/* What Go's strconv.ParseBool takes for false; NULL is no value. */
bool flags_value_is_false(const char *value);

#endif
