/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far the replacement of a workload's pods is, by what its own controller says, and how
 * long it may go on without progress before that is a failure. Pure.
 */
#ifndef LLMD_CONTROLLER_ROLLOUT_H
#define LLMD_CONTROLLER_ROLLOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "controller/replicas.h"

enum rollout_phase {
	ROLLOUT_COMPLETE,
	ROLLOUT_HELD_BACK,   /* nothing more happens by itself: OnDelete, partition, paused */
	ROLLOUT_PROGRESSING, /* or its controller has not seen the newest generation yet */
};

struct rollout {
	enum rollout_phase phase;
	long wanted;   /* replicas, over all sets */
	long updated;  /* of the newest template */
	long replaced; /* of the newest generation, as far as its controller has seen it */
	long ready;
	long pods;       /* that a change of the template replaces */
	long generation; /* of the objects whose pods they are */
	/*
	 * Seconds without progress that are still no failure: what the probes allow for a start
	 * (a model may load for 40 minutes), the kind's own deadline, and time to pull the image.
	 */
	long patience_s;
	bool shown;  /* some replicas of the newest template are Ready, in each set that has any */
	bool untold; /* of which generation the figures are: DisaggregatedSets do not say it */
	bool past_deadline; /* the Deployment's controller has given up waiting */
	int64_t since_us;   /* wall clock of the progress before that; 0: not told */
};

/* By each kind's own figures; a kind without any (no child of a ModelService yet) is complete. */
void rollout_judge(const cJSON *object, const struct facts *facts, struct rollout *ret_rollout);
/* The same of sets that were read already. */
void rollout_judge_sets(const struct replica_sets *sets, struct rollout *ret_rollout);

/*
 * True when it made no progress for longer than it may, by its own conditions: it was failing
 * before anybody of ours touched it.
 */
bool rollout_is_failing(const struct rollout *rollout, int64_t now_us);

#endif
