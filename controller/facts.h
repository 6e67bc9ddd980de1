/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gather for one workload: the object as a tree and what stands around it, from the store.
 * Base ConfigMaps of ModelServices are not watched: they come by GET, once for each
 * generation of the ModelService, and are kept beside the store.
 */
#ifndef LLMD_CONTROLLER_FACTS_H
#define LLMD_CONTROLLER_FACTS_H

#include <stdbool.h>

#include "controller/intent.h"
#include "controller/store.h"
#include "inject/surroundings.h"

/* The base ConfigMaps that were read. */
struct base_configs;

NODISCARD struct base_configs *base_configs_new(void);
void base_configs_freep(struct base_configs **configs);

/* Keeps what a GET gave (`json` NULL: there is none) for a ModelService at that generation. */
void base_configs_put(struct base_configs *configs, const char *namespace_name, const char *name,
		      const char *json, size_t len);
/* The namespace is no longer of interest. */
void base_configs_drop(struct base_configs *configs, const char *namespace_name);

struct gathered {
	cJSON *object;
	struct facts facts;
	struct surroundings *surroundings; /* facts borrow from it */
	cJSON *around;                     /* array: the trees that it borrows from */
};

/*
 * False when the workload is not in the store (or no JSON). A base ConfigMap that is
 * needed and not known yet adds an INTENT_READ instead: nothing is to be planned then.
 */
bool facts_gather(const struct store *store, struct base_configs *configs,
		  const struct object *workload, struct gathered *ret_gathered,
		  struct intents *reads);
/* What leads to the workloads of a namespace alone: `object` is NULL. Release it. */
void facts_gather_pools(const struct store *store, const char *namespace_name,
			struct gathered *ret_gathered);
void gathered_release(struct gathered *gathered);

#endif
