/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The templates of templates/: YAML in which the value "@NAME@" stands for a tree.
 * Private to inject/objects*.c and inject/rehearsal*.c.
 */
#ifndef LLMD_INJECT_OBJECTS_TEMPLATE_H
#define LLMD_INJECT_OBJECTS_TEMPLATE_H

#include "base/error.h"
#include "base/json.h"

/*
 * Reads a template and puts the members of `values` (an object, by NAME) in. A member
 * whose value is null there is left out with its key; as an element of a list it is left out
 * or, being a list, put in item by item. Every "@NAME@" has to have a value:
 * STATUS_BUG names the one that has none. Owned.
 */
NODISCARD enum status template_render(const char *file, const cJSON *values, cJSON **ret_tree,
				      struct error *err);

/* A file of templates/ that is no YAML, as it stands. Never NULL. */
const char *template_text(const char *file);

#endif
