/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving field ownership back (DESIGN §6). Helm 4 and Argo CD apply server-side; once a
 * JSON Patch of ours has touched a list that such a manager owned (`args`, `command`, a
 * ModelService's `containers`: atomic lists), its next apply fails with a conflict, even
 * after exact removal. So after such a write a second PATCH touches only
 * metadata.managedFields: the manager gets its fields back and our entry goes. Pure.
 */
#ifndef LLMD_CONTROLLER_MANAGED_FIELDS_H
#define LLMD_CONTROLLER_MANAGED_FIELDS_H

#include "base/json.h"

/*
 * `before`: entries of Apply managers before our write (projected managedFields), or NULL
 * when that is not known any more. `after`: the object after it, with all its managedFields.
 * Returns the JSON Patch; NULL when there is nothing to give back: no entry of ours, or no
 * Apply manager whose lists it took. Owned. Guarded by a `test` of each entry that it changes
 * and not by resourceVersion: the controller of the rollout that we began writes status in
 * these very milliseconds, and until the fields are back an apply of their manager fails.
 *
 * What an Apply manager owned before goes back to it. What is not known to have been
 * anybody's (before == NULL, or a list that it did not set) is owned by nobody then: its
 * next apply takes it without a conflict.
 */
NODISCARD cJSON *managed_fields_give_back(const cJSON *before, const cJSON *after);

/* True when managed_fields_give_back would have something to do for this object. */
bool managed_fields_need_giving_back(const cJSON *object);

#endif
