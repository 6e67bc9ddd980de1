/* SPDX-License-Identifier: Apache-2.0 */
/* The proof's surroundings: who can be asked in this namespace, and what is expected to be heard. Pure. */
#ifndef LLMD_CONTROLLER_PROOF_VIEW_H
#define LLMD_CONTROLLER_PROOF_VIEW_H

#include "controller/policy.h"
#include "controller/proof.h"
#include "controller/view.h"

/* `ret_targets` borrows from view and policy. */
void proof_look(const struct view *view, const struct policy *policy,
		struct proof_targets *ret_targets);

/* The hops of all rows, in their order. The items are borrowed; free() the array. */
void proof_hops(const struct roster *roster, struct trace_hops *ret_hops);

/*
 * Before each reconcile: tells a round that begins whom it may ask, and ends one whose
 * answers are all there with its conclusions and each row's newest span.
 */
void proof_settle(struct proof *proof, struct roster *roster, const struct proof_targets *targets,
		  uint64_t mono_ms);

#endif
