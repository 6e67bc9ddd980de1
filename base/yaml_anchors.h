/* SPDX-License-Identifier: Apache-2.0 */
/* The anchors of one YAML document: names to nodes, which belong to its tree. */
#ifndef LLMD_BASE_YAML_ANCHORS_H
#define LLMD_BASE_YAML_ANCHORS_H

#include <stdbool.h>

#include "base/json.h"

struct yaml_anchors {
	void *tree; /* of tsearch(3) */
};

/*
 * Names `node`; a later anchor of the same name takes the place of the earlier one. A NULL
 * node is one that is still open: an alias to it would hold itself. A NULL name does nothing.
 */
void yaml_anchors_set(struct yaml_anchors *anchors, const char *name, const cJSON *node);

/* True when there is such an anchor. *ret_node is borrowed, NULL while it is open. */
bool yaml_anchors_find(const struct yaml_anchors *anchors, const char *name,
		       const cJSON **ret_node);

void yaml_anchors_release(struct yaml_anchors *anchors);

#endif
