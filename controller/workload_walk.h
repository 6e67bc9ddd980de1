/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All workloads of a namespace, whatever their kind: the objects that plan_build edits, kind
 * by kind and sorted by name.
 */
#ifndef LLMD_CONTROLLER_WORKLOAD_WALK_H
#define LLMD_CONTROLLER_WORKLOAD_WALK_H

#include <stddef.h>

#include "controller/store.h"

/* All borrowed. The store must not change during the walk. */
struct workload_walk {
	const struct store *store;
	const char *namespace_name;
	size_t resource, at; /* zero: not begun */
};

/* Borrowed; one that is being deleted comes too. NULL: that was all. */
struct object *workload_walk_next(struct workload_walk *walk);

#endif
