/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes everything of ours in one namespace back, without an operator: each workload by
 * the plan engine's removal and the controller's guarded write, then collector and back
 * end, then the Tracing that the operator made; of a Tracing that somebody edited only
 * the status goes.
 */
#ifndef LLMD_CMD_TAKE_BACK_H
#define LLMD_CMD_TAKE_BACK_H

#include "cmd/inventory.h"
#include "cmd/online.h"
#include "cmd/outcomes.h"

struct take_back {
	struct online *online;
	struct inventory *inventory;
	struct outcomes *outcomes;
	bool dry_run;
};

/* True when there is something to take back. */
bool take_back_is_due(const struct inventory *inventory, const char *namespace_name);

/* All that happens is told in outcomes. Ends early, between two writes, when interrupted. */
void take_back_namespace(const struct take_back *job, const char *namespace_name);

#endif
