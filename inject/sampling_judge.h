/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a container samples as the settings ask for, from what its template says. Values
 * of the user's stay, so what they do to the whole has to be told.
 */
#ifndef LLMD_INJECT_SAMPLING_JUDGE_H
#define LLMD_INJECT_SAMPLING_JUDGE_H

#include "inject/settings.h"
#include "inject/trace_hop.h"

enum { SAMPLING_WORDS_MAX = 300 };

/*
 * Why not: a word for a condition's reason, and a phrase for people; NULL when it does, or
 * when its values cannot be seen. For a hop that is on.
 */
const char *sampling_trouble(const struct trace_hop *hop, const struct settings *settings,
			     char ret_words[SAMPLING_WORDS_MAX]);

#endif
