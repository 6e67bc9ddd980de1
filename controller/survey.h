/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A survey of the cluster's nodes: what each has left, and whom it admits. Made of one list of
 * nodes and one of pods, and asked whether the pods of one more replica could be placed, by
 * the scheduler's hard rules as far as they stand in the pod: resources, nodeSelector, required
 * node affinity, taints. What it does not know (affinity between pods, spread, volumes,
 * quota) speaks for "fits": it never holds a write wrongly. Pure.
 */
#ifndef LLMD_CONTROLLER_SURVEY_H
#define LLMD_CONTROLLER_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "controller/replicas.h"

struct survey_node {
	char *name;
	cJSON *labels; /* object or NULL */
	cJSON *taints; /* array or NULL */
	cJSON *free;   /* {resource: amount}, below 0 where more is asked for than there is */
	bool unschedulable;
};

struct survey {
	struct survey_node *nodes;
	size_t count;
};

void survey_release(struct survey *survey);

/* Nodes first; then pods take from the one that they are on. Finished pods take nothing. */
void survey_add_node(struct survey *survey, const cJSON *node);
void survey_add_pod(struct survey *survey, const cJSON *pod);

/*
 * True when the strategy of a set adds a replica before it may take one away, that replica
 * asks for resources that only some nodes have, and no node could take it: then the rollout
 * would wait for ever. `ret_words`: the numbers.
 */
bool survey_would_deadlock(struct survey *survey, const struct replica_sets *sets, char *ret_words,
			   size_t size);

#endif
