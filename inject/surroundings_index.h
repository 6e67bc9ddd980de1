/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What surroundings remember of the objects that were added. Private to surroundings*.c.
 * All strings are borrowed from the added objects.
 */
#ifndef LLMD_INJECT_SURROUNDINGS_INDEX_H
#define LLMD_INJECT_SURROUNDINGS_INDEX_H

#include "inject/surroundings.h"

struct pool {
	const char *name;
	const cJSON *selector; /* flat object of labels, or NULL: selects nothing */
	const char *picker;    /* name of the Service, or NULL */
	bool fail_close;
};

struct service {
	const char *name;
	const cJSON *selector; /* or NULL */
};

struct base_config {
	const char *name;
	cJSON *deployments; /* {decodeDeployment: tree, …}; owned */
};

struct surroundings {
	struct pool *pools;
	size_t pool_count;
	struct service *services;
	size_t service_count;
	struct base_config *configs;
	size_t config_count;
	const cJSON **children; /* Deployments that name a ModelService as owner */
	size_t child_count;
};

/* Every label of `selector` (a non-empty flat object) stands in `labels` with the same value. */
bool selector_matches(const cJSON *selector, const cJSON *labels);

/*
 * Reads the Deployments that a ModelService's base ConfigMap holds as text with Go templates in
 * it; {} when there are none. A text that cannot be read is left out. Owned.
 */
NODISCARD cJSON *base_config_read(const cJSON *config_map);

#endif
