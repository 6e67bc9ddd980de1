/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/replicas.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "inject/kind.h"

static long least(long a, long b)
{
	return a < b ? a : b;
}

static long most(long a, long b)
{
	return a > b ? a : b;
}

long int_or_percent(const cJSON *node, long whole, bool round_up, long fallback)
{
	char *end = NULL;
	if (cJSON_IsNumber(node))
		return json_int(node, "", fallback);
	if (!cJSON_IsString(node))
		return fallback;
	long number = strtol(node->valuestring, &end, 10);
	if (end == node->valuestring || number < 0 || number > 1000000)
		return fallback;
	if (strcmp(end, "%") != 0)
		return *end == '\0' ? number : fallback;
	return (number * whole + (round_up ? 99 : 0)) / 100;
}

bool resource_is_extended(const char *name)
{
	const char *slash = name == NULL ? NULL : strchr(name, '/');
	if (slash == NULL || text_has_prefix(name, "requests."))
		return false;
	/* kubernetes.io/… is native; a domain below it (example.kubernetes.io/…) too */
	static const char native[] = "kubernetes.io";
	size_t len = (size_t)(slash - name);
	return len < strlen(native) || strncmp(slash - strlen(native), native, strlen(native)) != 0;
}

static bool any_wants_accelerator(const cJSON *containers)
{
	const cJSON *container = NULL;
	cJSON_ArrayForEach(container, containers)
	{
		/* requests of extended resources default to their limits, and cannot differ */
		const cJSON *limits = json_get(container, "resources.limits");
		const cJSON *limit = NULL;
		cJSON_ArrayForEach(limit, limits)
		{
			if (resource_is_extended(limit->string))
				return true;
		}
	}
	return false;
}

bool pod_wants_accelerator(const cJSON *pod_spec)
{
	return any_wants_accelerator(json_member(pod_spec, "containers")) ||
	       any_wants_accelerator(json_member(pod_spec, "initContainers"));
}

bool replica_sets_want_accelerator(const struct replica_sets *sets)
{
	for (size_t i = 0; i < sets->count; i++)
		if (pod_wants_accelerator(sets->items[i].leader) ||
		    pod_wants_accelerator(sets->items[i].worker))
			return true;
	return false;
}

static void read_counts(const cJSON *status, const char *ready, struct replicas *set)
{
	set->total = json_int(status, "replicas", 0);
	set->updated = json_int(status, "updatedReplicas", 0);
	set->ready = json_int(status, ready, 0);
}

static void read_rolling(const cJSON *rolling, long surge, long unavailable, struct replicas *set)
{
	set->max_surge = int_or_percent(json_member(rolling, "maxSurge"), set->wanted, true, surge);
	set->max_unavailable =
	    int_or_percent(json_member(rolling, "maxUnavailable"), set->wanted, false, unavailable);
	/* neither would never get anywhere; every controller then takes one away */
	if (set->max_surge == 0 && set->max_unavailable == 0)
		set->max_unavailable = 1;
	set->max_unavailable = least(set->max_unavailable, set->wanted);
	set->partition = least(most(json_int(rolling, "partition", 0), 0), set->wanted);
}

static void read_deployment(const cJSON *object, struct replicas *set)
{
	const cJSON *spec = json_member(object, "spec");
	set->wanted = json_int(spec, "replicas", 1);
	read_counts(json_member(object, "status"), "availableReplicas", set);
	set->leader = json_get(spec, "template.spec");
	set->pod = json_member(spec, "template");
	read_rolling(json_get(spec, "strategy.rollingUpdate"), (set->wanted + 3) / 4,
		     set->wanted / 4, set);
	if (text_equal(json_str(spec, "strategy.type"), "Recreate")) {
		set->max_surge = 0;
		set->max_unavailable = set->wanted;
	}
	set->by_hand = json_bool(spec, "paused", false);
}

static void read_statefulset(const cJSON *object, struct replicas *set)
{
	const cJSON *spec = json_member(object, "spec");
	set->wanted = json_int(spec, "replicas", 1);
	read_counts(json_member(object, "status"), "readyReplicas", set);
	set->leader = json_get(spec, "template.spec");
	set->pod = json_member(spec, "template");
	read_rolling(json_get(spec, "updateStrategy.rollingUpdate"), 0, 1, set);
	set->max_surge = 0;
	set->max_unavailable = most(set->max_unavailable, least(1, set->wanted));
	set->by_hand = text_equal(json_str(spec, "updateStrategy.type"), "OnDelete");
}

static void read_replicaset(const cJSON *object, struct replicas *set)
{
	read_statefulset(object, set);
	set->updated = set->total; /* it has no such figure: its pods are never replaced */
	set->by_hand = true;
}

/* A LeaderWorkerSet, or the same spec inside a role. */
static void read_groups(const cJSON *spec, const cJSON *status, struct replicas *set)
{
	const cJSON *group = json_member(spec, "leaderWorkerTemplate");
	const cJSON *leader = json_member(group, "leaderTemplate");
	const cJSON *worker = json_member(group, "workerTemplate");
	set->wanted = json_int(spec, "replicas", 1);
	set->size = most(json_int(group, "size", 1), 1);
	read_counts(status, "readyReplicas", set);
	set->pod = leader == NULL ? worker : leader;
	set->leader = json_member(set->pod, "spec");
	set->worker = set->size > 1 ? json_member(worker, "spec") : NULL;
	read_rolling(json_get(spec, "rolloutStrategy.rollingUpdateConfiguration"), 0, 1, set);
}

static void read_group_set(const cJSON *object, struct replicas *set)
{
	read_groups(json_member(object, "spec"), json_member(object, "status"), set);
}

static struct replicas *add_set(struct replica_sets *sets, const cJSON *object, enum role role)
{
	if (sets->count == REPLICA_SETS_MAX)
		return NULL;
	struct replicas *set = &sets->items[sets->count++];
	*set = (struct replicas){
	    .name = json_str(object, "metadata.name"), .object = object, .role = role, .size = 1};
	return set;
}

static void read_roles(const cJSON *object, struct replica_sets *sets)
{
	const cJSON *role = NULL;
	cJSON_ArrayForEach(role, json_get(object, "spec.roles"))
	{
		const char *name = json_str(role, "name");
		struct replicas *set = add_set(sets, object, role_from_name(name));
		if (set == NULL)
			return;
		set->name = name;
		read_groups(
		    json_member(role, "spec"),
		    name == NULL ? NULL : json_named(json_get(object, "status.roleStatuses"), name),
		    set);
	}
}

static void read_children(const struct facts *facts, struct replica_sets *sets)
{
	static const enum role roles[] = {ROLE_PREFILL, ROLE_DECODE, ROLE_NONE};
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		struct replicas *set =
		    facts->children[i] == NULL ? NULL : add_set(sets, facts->children[i], roles[i]);
		if (set == NULL)
			continue;
		read_deployment(facts->children[i], set);
		set->epp = i + 1 == ARRAY_LEN(roles);
	}
}

static const struct {
	const char *kind;
	void (*read)(const cJSON *object, struct replicas *set);
} single[] = {
    {"Deployment", read_deployment},
    {"StatefulSet", read_statefulset},
    {"ReplicaSet", read_replicaset},
    {"LeaderWorkerSet", read_group_set},
};

void replica_sets_read(const cJSON *object, const struct facts *facts,
		       struct replica_sets *ret_sets)
{
	const char *kind = json_str(object, "kind");
	ret_sets->count = 0;
	for (size_t i = 0; i < ARRAY_LEN(single); i++)
		if (text_equal(kind, single[i].kind))
			single[i].read(object, add_set(ret_sets, object, facts->role));
	for (size_t i = 0; i < ret_sets->count; i++)
		ret_sets->items[i].epp = facts->epp;
	if (text_equal(kind, "DisaggregatedSet"))
		read_roles(object, ret_sets);
	else if (text_equal(kind, "ModelService"))
		read_children(facts, ret_sets);
}

long replicas_to_replace(const struct replicas *set)
{
	return set->by_hand ? 0 : set->wanted - set->partition;
}
