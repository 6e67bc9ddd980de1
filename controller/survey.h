/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A survey of the cluster's nodes: what each has left, and whom it admits. Made of one list of
 * nodes and one of pods, and asked whether the pods of one more replica could be placed, by
 * the scheduler's hard rules as far as they stand in the pod: resources, nodeSelector, required
 * node affinity, taints. What it does not know (affinity between pods, spread, volumes, quota,
 * priority) speaks for "fits"; that nodes may be added by themselves it does not know either. Pure.
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
};

struct survey {
	struct survey_node *nodes;
	size_t count;
	bool sorted; /* by name */
};

void survey_release(struct survey *survey);

/* Nodes first; then pods take from the one that they are on. Finished pods take nothing. */
void survey_add_node(struct survey *survey, const cJSON *node);
void survey_add_pod(struct survey *survey, const cJSON *pod);

/* True when the question arises at all: a set adds a pod with an accelerator before it takes one away. */
bool survey_is_needed(const struct replica_sets *sets);

/*
 * True when no node could take that pod (all pods of that group): then the rollout would wait for
 * ever. `ret_words`: the numbers. The survey is as before when it returns.
 */
bool survey_would_deadlock(struct survey *survey, const struct replica_sets *sets, char *ret_words,
			   size_t size);

/* What is known at a time: the survey, or that there can be none. */
struct survey_report {
	enum { SURVEY_NONE, SURVEY_TAKEN, SURVEY_UNKNOWN } state;
	struct survey *survey; /* SURVEY_TAKEN; borrowed */
	uint64_t at_ms;        /* when it was taken, monotonic */
	const char *why;       /* SURVEY_UNKNOWN: for people */
};

/*
 * How old it may be: a survey that is to let a write through, and one that keeps holding one
 * back, so that many that wait cost one reading in so long.
 */
enum { SURVEY_FRESH_MS = 10000, SURVEY_HELD_MS = 120000 };

#endif
