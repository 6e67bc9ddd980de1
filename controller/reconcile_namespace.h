/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reconcile of a namespace: switch, Tracing, collector and back end, status, teardown.
 * Pure: (view) in, intents out.
 */
#ifndef LLMD_CONTROLLER_RECONCILE_NAMESPACE_H
#define LLMD_CONTROLLER_RECONCILE_NAMESPACE_H

#include <stdbool.h>

#include "controller/intent.h"
#include "controller/policy.h"
#include "controller/view.h"

/*
 * `ret_finished`: PHASE_OFF, or taking back is complete: the namespace need not be kept.
 * `ret_tell`: what to say in an Event about the Namespace itself, "" for nothing (owned).
 */
void reconcile_namespace(const struct view *view, const struct policy *policy,
			 struct intents *intents, bool *ret_finished);

#endif
