/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pacing: whose turn it is among the workloads of a namespace, and how many of them may be
 * having their pods replaced at a time (DESIGN §7). Pure: rows of the roster and a clock.
 *
 * Order: the endpoint picker; of each image the smallest workload (the canary: the others
 * with that image wait until it has rolled out); prefill servers; other servers; endpoint
 * pickers of FailClose pools.
 */
#ifndef LLMD_CONTROLLER_PACE_H
#define LLMD_CONTROLLER_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "controller/rollout.h"
#include "inject/plan.h"
#include "inject/reason.h"

struct roster;
struct roster_row;

/* The order in which workloads are written; smaller first (DESIGN §7). */
enum workload_rank { RANK_EPP, RANK_PREFILL, RANK_SERVER, RANK_EPP_FAIL_CLOSE };

/* How a namespace wants it: spec.rollout. All zero: one at a time, stop at a failure. */
struct pace_limits {
	long max_concurrent; /* workloads; 0 means 1 */
	bool go_on_after_failure;
};

enum { PACE_IMAGES_MAX = 8 }; /* a workload has two or three that are traced */

/* What pacing knows of one workload. */
struct pace {
	enum workload_rank rank;
	char images[17]; /* hash of the images that are or would be traced; "" none */
	char each[PACE_IMAGES_MAX][17]; /* a hash of each of them; "" ends it */
	long pods;     /* that a write replaces: 0 costs nothing and waits for nobody */
	bool inject;   /* what is planned puts tracing in; false: it takes it back */
	bool rolling;  /* a write of ours is being rolled out */
	bool stalled;  /* … without progress for longer than it may */
	bool doubtful; /* … that began while not all was Ready or others changed it, too */
	bool proven;   /* replicas of it have been Ready with just these images, traced */
	bool held;     /* pods of before stay until somebody else lets them go: OnDelete, … */
	/* the last progress, while rolling */
	long generation;
	long updated;
	long ready;
	uint64_t progress_ms;
	bool unsure; /* whether the figures are of the write at all */
	/* a ModelService: generations of the children when it was written; 0: they need not change */
	long children;
};

/* What is planned: whether it injects, and into which images; others than before are not proven. */
void pace_read_plan(struct pace *pace, const struct plan *plan);

/* A write of ours has changed the templates. `through_children`: their pods are another object's. */
void pace_begin(struct pace *pace, const struct rollout *rollout, bool through_children,
		uint64_t mono_ms);

/* Follows the rollout; ms until it has to be looked at again, 0 when there is none of ours. */
uint64_t pace_follow(struct pace *pace, const struct rollout *rollout, uint64_t mono_ms);

/* REASON_NONE: it may be written now. Else what it waits for. */
enum reason pace_may_start(const struct roster *roster, const struct roster_row *row,
			   uint64_t mono_ms);

/* Who waits for that is in no line, and it may be over for several at a time. */
bool pace_ends_for_several(enum reason reason);

/* The row that waits and may be written now, or NULL. */
const struct roster_row *pace_next(const struct roster *roster, uint64_t mono_ms);

#endif
