/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/workload_walk.h"

#include "controller/resource.h"

struct object *workload_walk_next(struct workload_walk *walk)
{
	for (; walk->resource < RESOURCE_COUNT; walk->resource++, walk->at = 0) {
		enum resource_id id = (enum resource_id)walk->resource;
		if ((resource_get(id)->flags & RESOURCE_WORKLOAD) == 0)
			continue;
		size_t count = 0;
		struct object *const *items =
		    store_range(walk->store, id, walk->namespace_name, &count);
		if (walk->at < count)
			return items[walk->at++];
	}
	return NULL;
}
