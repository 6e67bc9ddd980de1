/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fingerprint of everything of an object that decisions look at, without what is ours.
 * The ledger keeps it: as long as it is the same, a plan that differs comes from new rules
 * or defaults alone, and waits (DESIGN §4.6, pinned plans). Private to the plan.
 *
 * Key order, null or empty lists, and what the API server fills in do not change it.
 */
#ifndef LLMD_INJECT_PLAN_INPUTS_H
#define LLMD_INJECT_PLAN_INPUTS_H

#include "inject/plan_work.h"

enum { INPUTS_HASH_SIZE = 17 };

/* 16 hex digits, NUL-terminated. */
void inputs_hash(const cJSON *object, const struct works *works, char ret_hex[INPUTS_HASH_SIZE]);

/*
 * The whole pod templates without what is ours: as long as it is the same, nobody has
 * deployed anything else. 16 hex digits.
 */
void pristine_hash(const struct pod_templates *templates, const struct works *works,
		   char ret_hex[INPUTS_HASH_SIZE]);

#endif
