/* SPDX-License-Identifier: Apache-2.0 */
/* What proof.c (asking) and proof_judge.c (concluding) share. */
#ifndef LLMD_CONTROLLER_PROOF_INTERNAL_H
#define LLMD_CONTROLLER_PROOF_INTERNAL_H

#include "controller/proof.h"

/* Fills the last members of `proof`, "what came of the last whole round". */
void proof_conclude(struct proof *proof, const struct proof_targets *targets,
		    const struct trace_hops *hops, const struct trace_observation *seen,
		    int64_t *last_us);

#endif
