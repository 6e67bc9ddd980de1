/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a namespace stands, as one JSON document (docs/cli.md: it is stable): what the operator
 * says in the Tracing's status, arranged by what is there now: pools, their endpoint
 * pickers and model servers, and the containers of each.
 */
#ifndef LLMD_CMD_STATUS_TREE_H
#define LLMD_CMD_STATUS_TREE_H

#include "cmd/inventory.h"

/* STATUS_OK also where there is no Tracing, or one that is not understood: that is told. */
NODISCARD enum status status_tree_build(struct online *online, struct inventory *inventory,
					const char *namespace_name, cJSON **ret_tree,
					struct error *err);

/* For people. */
void status_show(const cJSON *tree, struct buffer *out);

/* Only the head and the workloads that are not as they were; nothing when all is the same. */
void status_show_changes(const cJSON *before, const cJSON *tree, struct buffer *out);

#endif
