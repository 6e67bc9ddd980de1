/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ratio a container gets (spec.sampling.where), and whether what stands in the pods
 * of a namespace makes one whole of it.
 *
 * Every component follows the decision of its caller. So where an endpoint picker that is
 * traced stands before a pool, its ratio alone counts, and engines and routing proxies get
 * 1.0 once: a new ratio replaces one CPU pod. Where nothing decides before an engine (no
 * traced picker, or a routing proxy that hands no trace context on) it carries the ratio.
 */
#ifndef LLMD_INJECT_SAMPLING_H
#define LLMD_INJECT_SAMPLING_H

#include "inject/plan.h"

/* What a container that decides nothing itself is given. */
#define SAMPLE_ALL "1.0"

/* Its callers have decided already: whatever ratio it has does not count. */
bool sampling_is_led(const struct plan_input *input, enum component component);

#endif
