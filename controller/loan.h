/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strategy on loan: for one rollout a Deployment may take a pod away before it has a new
 * one (spec.rollout.allowStrategyOverride). What it said before stands in an annotation of the
 * object until it is given back. The strategy lies outside of the pod template: neither
 * write restarts anything. Pure.
 *
 *   tracing.llm-d.io/strategy: {"maxUnavailable":{"was":"25%","put":1}}
 */
#ifndef LLMD_CONTROLLER_LOAN_H
#define LLMD_CONTROLLER_LOAN_H

#include <stdbool.h>

#include "base/json.h"
#include "controller/replicas.h"

/* True when the object can be helped that way: then also what its sets would be with it. */
bool loan_is_possible(const cJSON *object, const struct replica_sets *sets,
		      struct replica_sets *ret_sets);

/* Adds it to a JSON Patch of ours; `patched`: the object as that patch leaves it. */
void loan_take(const cJSON *patched, cJSON *patch);

bool loan_is_open(const cJSON *object);

/*
 * Keeps in *lent (owned; NULL: none) what the strategy was, as long as it is owed: `kubectl rollout
 * undo` takes the annotation away and leaves the strategy. True when it is another than before.
 */
bool loan_note(const cJSON *object, cJSON **lent);

/*
 * Adds to a JSON Patch what gives it back; nothing when none is owed. A strategy that somebody else
 * has changed since stays. `lent`: what loan_note has kept, for an object without the annotation; or
 * NULL.
 */
void loan_add_return(const cJSON *object, const cJSON *lent, cJSON *patch);

/* The JSON Patch that gives it back and does nothing else, guarded by resourceVersion. Owned. */
NODISCARD cJSON *loan_return(const cJSON *object, const cJSON *lent);

#endif
