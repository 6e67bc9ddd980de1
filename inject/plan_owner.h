/* SPDX-License-Identifier: Apache-2.0 */
/* What to set on an object that renders the one at hand, where it is not edited. Private to the plan. */
#ifndef LLMD_INJECT_PLAN_OWNER_H
#define LLMD_INJECT_PLAN_OWNER_H

#include "inject/plan.h"

/* One sentence for people: who renders it, and what that means. Owned. */
NODISCARD char *owner_sentence(const struct facts *facts);

/*
 * What the pods would be given if their owner let it be: "; its pods need: add --x=…; …", or
 * "" where that is nothing, or where the owner has a field of its own for all of it. Owned.
 */
NODISCARD char *owner_needs(const struct plan_input *input);

#endif
