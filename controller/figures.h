/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The workloads of all namespaces in figures, for metrics: by state and reason, never by
 * name, so that the number of series is bounded by our own words. Pure.
 */
#ifndef LLMD_CONTROLLER_FIGURES_H
#define LLMD_CONTROLLER_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#include "controller/roster.h"

/* All zero to begin with. */
struct workload_figures {
	size_t rows[WORKLOAD_STATE_COUNT][REASON_COUNT]; /* those that status would list */
	size_t progressing;                              /* rollouts of our writes */
	size_t stalled;
	size_t blind;                      /* of both, those whose pods cannot be seen */
	long restarts;                     /* pods that writes which wait will replace */
	double longest_wait[REASON_COUNT]; /* seconds, of those that wait to be written */
};

/* Adds one namespace. */
void figures_add(struct workload_figures *figures, const struct roster *roster, int64_t wall_us);

#endif
