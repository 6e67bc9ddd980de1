/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small questions about strings that several folders ask. No allocation.
 */
#ifndef LLMD_BASE_TEXT_H
#define LLMD_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
bool text_has_prefix(const char *text, const char *prefix);
bool text_has_suffix(const char *text, const char *suffix);

/* Length of the well-formed UTF-8 sequence at `text` (RFC 3629), 0 if there is none; len > 0. */
size_t text_utf8_sequence(const char *text, size_t len);

/* Length of the longest valid UTF-8 prefix of the `len` bytes (no surrogates, no overlong forms). */
size_t text_utf8_valid_prefix(const char *text, size_t len);

/* True when a byte below 0x20 (also newline) or 0x7f is in it. */
bool text_has_control(const char *text);

#endif
