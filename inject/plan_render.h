/* SPDX-License-Identifier: Apache-2.0 */
/* From what is wanted to operations, tests and edits. Private to the plan. */
#ifndef LLMD_INJECT_PLAN_RENDER_H
#define LLMD_INJECT_PLAN_RENDER_H

#include "inject/plan_work.h"

/* Adds what all containers need to plan->operations, tests and edits, and sets its flags. */
void render_works(struct plan *plan, struct works *works, const struct pod_templates *templates);

/* ModelService: adds containers that only the base has, and takes them away again. */
void render_container_lists(struct plan *plan, struct works *works,
			    const struct pod_template *template);

/*
 * Adds the operation that makes the ledger annotation `text` (NULL: none). `was`: what
 * metadata.annotations was before us; it is so again when nothing else is left in it.
 */
void render_ledger(struct plan *plan, const cJSON *object, const char *text, enum list_state was);

#endif
