/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory. Failure aborts: what comes from outside is bounded by base/limits.h before
 * memory is asked for, so running out is a mistake in sizing, not an input to handle.
 */
#ifndef LLMD_BASE_ALLOC_H
#define LLMD_BASE_ALLOC_H

#include <stddef.h>

#include "base/util.h"

/* Never NULL; free() what you get. xcalloc zeroes. */
NODISCARD void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
NODISCARD void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
NODISCARD void *xrealloc(void *old, size_t size) __attribute__((returns_nonnull));
NODISCARD char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
NODISCARD char *xstrndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull));
NODISCARD char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* For CLEANUP(str_freep) on `char *`. */
void str_freep(char **text);

/*
 * Room for one element more in the array *items (element size `size`) of `count`
 * elements: grows by doubling when `count` is a power of two. Use as
 * `items = grow(items, count, sizeof(*items))` before writing items[count].
 */
NODISCARD void *grow(void *items, size_t count, size_t size) __attribute__((returns_nonnull));

#endif
