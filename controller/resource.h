/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API resources that the operator watches: one table. Which parts of each object
 * are kept, which objects are looked at at all, and what a change of one concerns.
 */
#ifndef LLMD_CONTROLLER_RESOURCE_H
#define LLMD_CONTROLLER_RESOURCE_H

#include <stdbool.h>
#include <stddef.h>

enum resource_id {
	/* these two are listed before all others: they say what is of interest */
	RESOURCE_NAMESPACE,
	RESOURCE_TRACING,
	/* workloads, in the order in which status lists them */
	RESOURCE_MODELSERVICE,
	RESOURCE_DISAGGREGATEDSET,
	RESOURCE_LEADERWORKERSET,
	RESOURCE_DEPLOYMENT,
	RESOURCE_STATEFULSET,
	/* what leads to workloads */
	RESOURCE_POOL,
	RESOURCE_POOL_X,
	RESOURCE_SERVICE,
	/* what we own, and what tells whether it works */
	RESOURCE_ENDPOINTSLICE,
	RESOURCE_CONFIGMAP,
	RESOURCE_NETWORKPOLICY,
	RESOURCE_CLAIM,
	RESOURCE_COLLECTOR,
	/* what a mesh asks of those who connect */
	RESOURCE_PEERAUTHENTICATION,
	/* read by name when somebody names it, as metadata; never watched */
	RESOURCE_SECRET,
	/* read while a rollout of ours is under way; never watched */
	RESOURCE_POD,
	RESOURCE_COUNT
};

enum resource_flags {
	RESOURCE_WORKLOAD = 1U << 0,       /* plan_build edits it */
	RESOURCE_SURROUNDING = 1U << 1,    /* surroundings_add wants it */
	RESOURCE_OWNED = 1U << 2,          /* objects_render may give one */
	RESOURCE_OPTIONAL = 1U << 3,       /* its CRD may be absent: that is no trouble */
	RESOURCE_CLUSTER_SCOPED = 1U << 4, /* has no namespace */
	RESOURCE_ALWAYS_KEPT = 1U << 5,    /* in the store whatever its namespace says */
	RESOURCE_ON_DEMAND = 1U << 6,      /* by GET only */
	RESOURCE_FOR_OTHERS = 1U << 7,     /* one may speak for other namespaces than its own */
};

struct resource {
	const char *api_version; /* "apps/v1" */
	const char *kind;
	const char *plural;
	const char *label_selector; /* all that is watched of it; NULL: everything */
	const char *status;         /* members of status that stay, comma separated; "" none */
	unsigned flags;
};

/* The row of `id`. Never NULL; static. */
const struct resource *resource_get(enum resource_id id);

/* The row of an apiVersion and kind; false when we watch no such thing. */
bool resource_find(const char *api_version, const char *kind, enum resource_id *ret_id);

/* "deployments.apps", as CustomResourceDefinitions are named, into `name`. */
void resource_crd_name(enum resource_id id, char *name, size_t size);

#endif
