/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Patch (RFC 6902): building the operations that turn one list into another, and
 * applying a patch to a tree. Knows JSON, no Kubernetes.
 *
 * Operations are made in document order, each on the state that the ones before it leave,
 * so indexes hold. `tests` are what has to be true of the object before: every old value
 * that an operation replaces or removes, and the neighbour of every insertion.
 */
#ifndef LLMD_INJECT_PATCH_H
#define LLMD_INJECT_PATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

struct patch {
	cJSON *operations; /* array */
	cJSON *tests;      /* array */
};

void patch_init(struct patch *patch);
void patch_release(struct patch *patch);

/* `value` is taken over. */
void patch_add(struct patch *patch, const char *pointer, cJSON *value);
/* `old` is cloned into a test. */
void patch_replace(struct patch *patch, const char *pointer, const cJSON *old, cJSON *value);
void patch_remove(struct patch *patch, const char *pointer, const cJSON *old);
/* Only a test. */
void patch_test(struct patch *patch, const char *pointer, const cJSON *value);

/* A list as it is, or is to be: absent, null, or its elements in order (possibly none). */
enum list_state { LIST_ABSENT, LIST_NULL, LIST_ARRAY };

struct list_view {
	enum list_state state;
	const cJSON **items; /* owned array of borrowed nodes */
	size_t count;
};

/* Borrows the elements of `node` (NULL: absent). */
void list_view_read(const cJSON *node, struct list_view *ret_view);
void list_view_add(struct list_view *view, const cJSON *item);
void list_view_release(struct list_view *view);
/* The list as a new tree: null or an array of clones; NULL when it is absent. Owned. */
NODISCARD cJSON *list_view_tree(const struct list_view *view);

/* Told of each change: `old` NULL for an addition, `new` NULL for a removal. */
typedef void list_change_fn(void *context, const char *pointer, const cJSON *old, const cJSON *new);

/*
 * Adds the fewest operations that turn the list `now` at `pointer` into `wanted`; false
 * when they are equal already. `keyed`: elements are objects with a name, of which a
 * changed "value" alone is replaced (env).
 */
bool patch_list(struct patch *patch, const char *pointer, const struct list_view *now,
		const struct list_view *wanted, bool keyed, list_change_fn *changed, void *context);

/*
 * Applies a patch (array of operations, also `test`) to `tree` in place. STATUS_INVALID:
 * a malformed operation or a path that is not there; STATUS_CONFLICT: a test failed. On
 * failure the tree is half edited and only good for deletion.
 */
NODISCARD enum status patch_apply(cJSON *tree, const cJSON *operations, struct error *err);

#endif
