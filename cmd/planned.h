/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The workloads of one namespace, each planned as the operator would: its object, what
 * stands around it, and the plan by the namespace's own settings. From an inventory; base
 * ConfigMaps of ModelServices, which that lacks, are read.
 */
#ifndef LLMD_CMD_PLANNED_H
#define LLMD_CMD_PLANNED_H

#include "cmd/inventory.h"
#include "inject/plan.h"

struct planner {
	struct online *online;
	struct inventory *inventory;
	const char *namespace_name;
	const struct settings *settings; /* borrowed */
	const cJSON *tracing;            /* or NULL; borrowed */
	const cJSON *rehearsals;         /* status.rehearsals of it; or NULL */
	bool take_updates;               /* as in struct plan_input */
	enum plan_want want;
};

/* All of it lasts for the call only. */
struct planned {
	enum resource_id resource;
	const struct plan_input *input; /* object and facts */
	const struct plan *plan;        /* NULL: it cannot be planned */
	const char *trouble;            /* … because of that, in words; else NULL */
};

/* Not STATUS_OK ends the round. */
typedef enum status (*planned_fn)(void *context, const struct planned *planned, struct error *err);

/* Every workload, in the order of enum resource_id and by name. */
NODISCARD enum status planned_each(const struct planner *planner, planned_fn on_planned,
				   void *context, struct error *err);

/* One of them; STATUS_NOT_FOUND when it is not there. */
NODISCARD enum status planned_one(const struct planner *planner, enum resource_id resource,
				  const char *name, planned_fn on_planned, void *context,
				  struct error *err);

/* On a request's way, as far as the operator can tell; what is rendered by another workload is not. */
bool planned_is_on_the_way(const struct plan *plan);

#endif
