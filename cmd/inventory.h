/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in a cluster or in one of its namespaces, listed once into the operator's
 * store, so that a command sees it through the operator's own eyes (controller/view.h,
 * controller/facts.h).
 */
#ifndef LLMD_CMD_INVENTORY_H
#define LLMD_CMD_INVENTORY_H

#include "cmd/online.h"
#include "controller/facts.h"
#include "controller/store.h"
#include "controller/view.h"

enum inventory_scope {
	INVENTORY_OURS, /* of workloads and the like what carries our ledger or label */
	INVENTORY_ALL,  /* everything that the operator looks at */
};

struct inventory {
	struct store *store;
	struct base_configs *configs;
	enum access access[RESOURCE_COUNT];
	struct error denied; /* the first list that was refused; status STATUS_OK: none */
};

/*
 * `namespace_name` NULL: the whole cluster. A kind that is not served is absent; one that
 * may not be listed is noted (access, denied); any other failure ends it. A namespace that
 * is not there is STATUS_NOT_FOUND.
 */
NODISCARD enum status inventory_read(struct online *online, const char *namespace_name,
				     enum inventory_scope scope, struct inventory *ret_inventory,
				     struct error *err);
void inventory_release(struct inventory *inventory);

#endif
