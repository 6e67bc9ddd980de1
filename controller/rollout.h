/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the rollout that a workload's controller is carrying out is through. */
#ifndef LLMD_CONTROLLER_ROLLOUT_H
#define LLMD_CONTROLLER_ROLLOUT_H

#include <stdbool.h>

#include "base/json.h"

/*
 * By the kind's own status. A kind whose status does not tell (ModelService) counts as
 * through once its controller has seen the current generation, or gives no such figure.
 */
bool rollout_is_through(const cJSON *object);

#endif
