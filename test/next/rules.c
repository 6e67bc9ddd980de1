/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator as its next version might be, for tests of upgrades: another revision of the
 * rules, by which vLLM's --collect-detailed-traces takes no value any more. Linked in place
 * of the three files that it includes (Makefile: NEXT).
 */
#include "cmd/command.h"
#include "inject/component_rules.h"
#include "inject/plan.h"

#undef LLMD_VERSION
#define LLMD_VERSION        "v99.0.0"
#define PLAN_RULES_REVISION (PLAN_RULES_REVISION + 1) /* the enum's: no macro expands twice */
#define FLAG_VALUE_DETAILED FLAG_VALUE_NONE

#include "cmd/version.c"
#include "inject/plan.c"
#include "inject/vllm.c"
