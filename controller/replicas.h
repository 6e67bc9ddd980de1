/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sets of replicas that a workload consists of: one for a Deployment, a StatefulSet or
 * a LeaderWorkerSet (whose replicas are groups of pods), one a role for a DisaggregatedSet,
 * one a child Deployment for a ModelService. For each: how many there are, how many have
 * the newest template, and how its own strategy replaces them. Pure; borrows the object.
 */
#ifndef LLMD_CONTROLLER_REPLICAS_H
#define LLMD_CONTROLLER_REPLICAS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "inject/surroundings.h"

struct replicas {
	const char *name;    /* role of a DisaggregatedSet; else the object's name. Borrowed */
	const cJSON *object; /* whose status the figures are from. Borrowed */
	const cJSON *leader; /* pod spec of the leader, or of every pod. Borrowed */
	const cJSON *worker; /* pod spec of the other size - 1 pods, or NULL. Borrowed */
	const cJSON *pod;    /* template of the leader, or of every pod, or NULL. Borrowed */
	enum role role;
	bool epp;  /* endpoint pickers: no servers */
	long size; /* pods of one replica */
	long wanted;
	long total;           /* that exist, old and new */
	long updated;         /* of the newest template */
	long ready;           /* available, where the kind tells it */
	long max_surge;       /* replicas that the strategy adds at most while it replaces */
	long max_unavailable; /* replicas that it takes away at most before new ones are ready */
	long partition;       /* replicas that it leaves at the old template */
	bool by_hand;         /* OnDelete, paused, a ReplicaSet: it replaces nothing by itself */
};

enum { REPLICA_SETS_MAX = 64 };

struct replica_sets {
	struct replicas items[REPLICA_SETS_MAX];
	size_t count;
};

/* `facts` for the role and a ModelService's children; a kind that has none gives none. */
void replica_sets_read(const cJSON *object, const struct facts *facts,
		       struct replica_sets *ret_sets);

/* Replicas that a change of the template replaces. */
long replicas_to_replace(const struct replicas *set);

/* True for a resource that only some nodes have: "nvidia.com/gpu", not "cpu" or "hugepages-2Mi"; nor NULL. */
bool resource_is_extended(const char *name);

/* True when a container of the pod asks for such a resource. */
bool pod_wants_accelerator(const cJSON *pod_spec);
bool replica_sets_want_accelerator(const struct replica_sets *sets);

/*
 * A number or a percentage ("25%") of `whole`, as Kubernetes resolves IntOrString; `fallback`
 * when there is none. Percentages round up or down.
 */
long int_or_percent(const cJSON *node, long whole, bool round_up, long fallback);

#endif
