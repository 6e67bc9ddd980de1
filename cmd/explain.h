/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was decided and why, for people (text) and for programs (JSON).
 */
#ifndef LLMD_CMD_EXPLAIN_H
#define LLMD_CMD_EXPLAIN_H

#include "base/buffer.h"
#include "cmd/batch.h"

/* An array with one plan_explain of each workload, and file and document in it. Owned. */
NODISCARD cJSON *explain_tree(const struct batch *batch);

/* The same in lines. */
void explain_text(const struct batch *batch, struct buffer *out);

/*
 * True when something in this container could be traced but is not: a reason that asks
 * people to act (inject/reason.h `warning`).
 */
bool explain_is_missed(const struct plan_container *container);

#endif
