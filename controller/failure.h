/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows when the pods of a write do not come up: looked for while it is being rolled
 * out, taken back when it is ours, remembered by image. A part of reconcile_workload.
 */
#ifndef LLMD_CONTROLLER_FAILURE_H
#define LLMD_CONTROLLER_FAILURE_H

#include "controller/reconciling.h"

/*
 * For a plan that injects. True when nothing else is to be done with the workload: it is
 * being taken back, or its image is refused; the row says so.
 */
bool failure_holds(struct reconciling *r);

/* Words about what its pods show instead of coming up; false: nothing is known against them. */
bool failure_tell(struct reconciling *r);

#endif
