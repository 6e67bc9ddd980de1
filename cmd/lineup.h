/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The components of one namespace as they run now: its settings, and each hop of a
 * request with what its pod template says about tracing. From an inventory; what that
 * lacks (base ConfigMaps of ModelServices) is read.
 */
#ifndef LLMD_CMD_LINEUP_H
#define LLMD_CMD_LINEUP_H

#include "cmd/inventory.h"
#include "inject/trace_hop.h"

struct lineup {
	cJSON *tracing;           /* NULL: none */
	struct settings settings; /* of it, over the built-in defaults */
	bool has_settings;
	struct trace_hops hops;
	cJSON *labels;  /* array: those of the pods that hold a hop */
	cJSON *waiting; /* array of texts: workloads whose rollout is not through */
};

/* STATUS_INVALID: the Tracing is not understood. */
NODISCARD enum status lineup_read(struct online *online, struct inventory *inventory,
				  const char *namespace_name, struct lineup *ret_lineup,
				  struct error *err);
void lineup_release(struct lineup *lineup);

#endif
