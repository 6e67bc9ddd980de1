/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Others who write a workload: who they are, by its metadata, and what people have to put
 * where so that nobody fights. Pure; works on one look at a workload under way.
 */
#ifndef LLMD_CONTROLLER_WRITERS_H
#define LLMD_CONTROLLER_WRITERS_H

#include "controller/reconciling.h"

/*
 * The field manager that edited the spec last, ours aside, by managedFields as the store
 * keeps them; NULL when nobody is known. Borrowed from the object.
 */
const char *writers_last(const cJSON *object);
/* For people: "somebody else" for NULL. */
const char *writers_name(const char *manager);
/* Its pods run on accelerators, or it is not known where they run. */
bool writers_on_accelerators(const struct replica_sets *sets);

/* The injection was taken away too often: who did it, and what ends the fight. */
void writers_tell_conflict(struct reconciling *r);

/* True when a write would be undone at the price of an accelerator's restart; told. */
bool writers_keep_out(struct reconciling *r);

#endif
