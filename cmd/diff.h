/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unified differences of two texts, line by line (Myers' greedy algorithm), three lines of
 * context. Above DIFF_EDITS_MAX differences one hunk replaces all that differs.
 */
#ifndef LLMD_CMD_DIFF_H
#define LLMD_CMD_DIFF_H

#include <stdbool.h>

#include "base/buffer.h"

enum { DIFF_EDITS_MAX = 2000 };

/* Adds nothing and gives false when both are equal. Texts end with a newline or are empty. */
bool diff_unified(const char *before, const char *after, const char *before_name,
		  const char *after_name, struct buffer *out);

#endif
