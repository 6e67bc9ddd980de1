/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the workloads of a namespace add up to, as conditions of its Tracing. Pure: the
 * rows of the roster that status lists. Each names at most a few workloads; the rows of
 * status say the rest.
 */
#ifndef LLMD_CONTROLLER_TALLY_H
#define LLMD_CONTROLLER_TALLY_H

#include <stdbool.h>

#include "controller/roster.h"
#include "controller/verdict.h"

struct tally {
	struct verdict injected;   /* every template that is to be written is */
	struct verdict rolled_out; /* … and the pods are new and ready, by each kind's own rules */
	struct verdict pending_restart; /* True: writes wait that will replace pods */
	struct verdict conflicting;     /* True: others undo the injection, so it has stopped */
	bool
	    held; /* rolled_out is False only for what others hold back: OnDelete, a partition, … */
};

void tally_roster(const struct roster *roster, struct tally *ret_tally);

#endif
