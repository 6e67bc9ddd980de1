/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects that are ours in a namespace: which are to be applied, which are to go.
 * First applies never overwrite (DESIGN §6); nothing is sent when the live object
 * already says what we want. Pure.
 */
#ifndef LLMD_CONTROLLER_OWNED_H
#define LLMD_CONTROLLER_OWNED_H

#include "base/error.h"
#include "controller/collector.h"
#include "controller/intent.h"
#include "controller/policy.h"
#include "controller/view.h"

/* Intents that bring the live objects to what settings and plan want. */
NODISCARD enum status owned_intents(const struct view *view, const struct settings *settings,
				    const struct collector_plan *plan, struct intents *intents,
				    struct error *err);

/* Intents that delete all that is ours, in the order collector, back end. Returns how many there are. */
size_t owned_remove(const struct view *view, struct intents *intents);

/*
 * After a look that came to `intents`: drops refusals whose time is over and of whose part nothing
 * is left to be written: it was carried out although the answer got lost, or is no longer
 * wanted. True: there was one, so conditions have to be told anew.
 */
bool owned_forget_refusals(const struct view *view, const struct policy *policy,
			   struct refusal refusals[PART_COUNT], const struct intents *intents);

#endif
