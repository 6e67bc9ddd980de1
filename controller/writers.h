/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Others who write a workload: who they are, by its metadata, and what people have to put
 * where so that nobody fights. Pure; works on one look at a workload under way.
 */
#ifndef LLMD_CONTROLLER_WRITERS_H
#define LLMD_CONTROLLER_WRITERS_H

#include "controller/reconciling.h"

/* True when a write would be undone at the price of an accelerator's restart; told. */
bool writers_keep_out(struct reconciling *r);

#endif
