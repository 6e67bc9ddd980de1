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
	const char *namespace_name;   /* or NULL */
	const cJSON *selector;        /* flat object of labels, or NULL: selects nothing */
	const char *picker;           /* name of the Service, or NULL */
	const cJSON *picker_selector; /* of that Service once both are known, or NULL */
	bool fail_close;
};

struct service {
	const char *name;
	const char *namespace_name; /* or NULL */
	const cJSON *selector;      /* or NULL */
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
	const cJSON **workloads; /* all that were added */
	size_t workload_count;
};

/*
 * The labels of one kind of pod that an object makes, with those that its controller adds
 * itself and that selectors ask for (LeaderWorkerSet, DisaggregatedSet, StatefulSet).
 */
struct pod_labels {
	const cJSON *labels; /* of the template, or NULL */
	const char *own;     /* the object's name, or NULL */
	const char *role;    /* of a DisaggregatedSet, or NULL */
	bool stateful;       /* the object is a StatefulSet */
	bool leads;          /* a LeaderWorkerSet's leader is such a pod */
	bool works;          /* its workers are */
};

enum { POD_LABELS_MAX = 16 };

struct pod_label_sets {
	struct pod_labels items[POD_LABELS_MAX];
	size_t count;
};

void pod_labels_collect(const cJSON *object, struct pod_label_sets *ret_sets);

/* Every label of `selector` (a non-empty flat object) is on one of the pods. */
bool pod_labels_match(const cJSON *selector, const struct pod_label_sets *sets);

/* Every label of `selector` (a non-empty flat object) stands in `labels` with the same value. */
bool selector_matches(const cJSON *selector, const cJSON *labels);

/* The InferencePools that an object's containers name in --pool-name, in words or in scripts. */
enum { POOL_NAMES_MAX = 4, POOL_NAME_MAX = 254 };

struct pool_names {
	char items[POOL_NAMES_MAX][POOL_NAME_MAX];
	size_t count;
};

void pool_names_read(const cJSON *object, struct pool_names *ret_names);

/*
 * Reads the Deployments that a ModelService's base ConfigMap holds as text with Go templates in
 * it; {} when there are none. A text that cannot be read is left out. Owned.
 */
NODISCARD cJSON *base_config_read(const cJSON *config_map);

#endif
