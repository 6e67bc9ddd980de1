/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the collector puts on the spans of a workload's pods: pool, model, role and the
 * workload's own name. A group is an entry of trace_statements of the collector's transform
 * processor; the first group that knows a pod by its name speaks, and attributes that are there
 * stay. Pure.
 */
#ifndef LLMD_INJECT_ORIGIN_H
#define LLMD_INJECT_ORIGIN_H

#include <stddef.h>

#include "base/json.h"
#include "inject/surroundings.h"

/*
 * Adds the groups of one object: one, a DisaggregatedSet's by role; none of what nothing leads to,
 * of what another workload renders under its own name, and of kinds whose pods are others'.
 * Add StatefulSets before LeaderWorkerSets and longer names before shorter ones: pod "a-1-0" is
 * rather that of "a-1" than a worker of "a".
 */
void origin_groups_add(cJSON *groups, const cJSON *object, const struct surroundings *surroundings,
		       const char *namespace_name);

/* Takes away what is over 256 groups or 64 KiB; how many that were. */
size_t origin_groups_cut(cJSON *groups);

#endif
