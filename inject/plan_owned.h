/* SPDX-License-Identifier: Apache-2.0 */
/* Who else owns what we put into an object: metadata.managedFields (KUBERNETES §6). */
#ifndef LLMD_INJECT_PLAN_OWNED_H
#define LLMD_INJECT_PLAN_OWNED_H

#include <stdbool.h>

#include "inject/kind.h"

/*
 * True when a manager that applies (server-side apply) owns this env entry: the user has
 * it in a manifest of their own by now, so it is no longer ours to take back. Lists
 * without keys (command, args) tell nothing: their ownership is given back to the manager
 * after each write of ours (DESIGN §6).
 */
bool apply_owns_env(const cJSON *object, const struct pod_template *template, const char *list,
		    const char *container, const char *name);

#endif
