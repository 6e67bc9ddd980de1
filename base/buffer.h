/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing run of bytes with a ceiling that is named when it is made.
 *
 * Invariants: `data` is never NULL after buffer_init and always NUL-terminated at
 * data[len]; once a write would have passed `limit` the buffer is `full`: that write
 * and all later ones are dropped, so a long sequence of writes needs one check at its
 * end (buffer_check).
 */
#ifndef LLMD_BASE_BUFFER_H
#define LLMD_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct buffer {
	char *data;   /* read-only for users */
	size_t len;   /* bytes before the NUL; read-only for users */
	size_t cap;   /* private */
	size_t limit; /* most bytes it may ever hold */
	bool full;    /* a write was dropped */
};

/* An empty buffer that never holds more than `limit` bytes. */
void buffer_init(struct buffer *buffer, size_t limit);

/* Frees the contents; the buffer may only be initialised again. Accepts a zeroed struct. */
void buffer_release(struct buffer *buffer);

/* Empties it and keeps the memory. */
void buffer_clear(struct buffer *buffer);

void buffer_add(struct buffer *buffer, const void *data, size_t len);
void buffer_add_char(struct buffer *buffer, char c);
void buffer_add_str(struct buffer *buffer, const char *text);
void buffer_addf(struct buffer *buffer, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Removes the first `len` bytes (a frame that was consumed). */
void buffer_consume(struct buffer *buffer, size_t len);

/* Cuts it to `len` bytes; len <= buffer->len. */
void buffer_truncate(struct buffer *buffer, size_t len);

/* STATUS_LIMIT with "<what>: larger than N bytes" when something was dropped. */
NODISCARD enum status buffer_check(const struct buffer *buffer, const char *what,
				   struct error *err);

/* Hands the NUL-terminated bytes over (free() them); the buffer is released by that. */
NODISCARD char *buffer_detach(struct buffer *buffer);

#endif
