/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of plan->containers. Private to the plan. */
#ifndef LLMD_INJECT_PLAN_LIST_H
#define LLMD_INJECT_PLAN_LIST_H

#include "inject/plan_work.h"

/* One row a container, with its decision and its edits. */
void list_containers(struct plan *plan, const struct works *works);

/* ModelService: containers of parts that only the base has, and that cannot be edited. */
void list_absent_parts(struct plan *plan, const struct plan_input *input);

#endif
