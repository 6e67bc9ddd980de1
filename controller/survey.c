/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/quantity.h"

void survey_release(struct survey *survey)
{
	for (size_t i = 0; i < survey->count; i++) {
		free(survey->nodes[i].name);
		cJSON_Delete(survey->nodes[i].labels);
		cJSON_Delete(survey->nodes[i].taints);
		cJSON_Delete(survey->nodes[i].free);
	}
	free(survey->nodes);
	*survey = (struct survey){.nodes = NULL};
}

/* A quantity as the API prints it; 0 when it is none. */
static double amount_of(const cJSON *node)
{
	double amount = 0;
	if (cJSON_IsNumber(node))
		return node->valuedouble;
	return cJSON_IsString(node) && quantity_read(node->valuestring, &amount) ? amount : 0;
}

static double get(const cJSON *amounts, const char *name)
{
	const cJSON *item = json_member(amounts, name);
	return item == NULL ? 0 : item->valuedouble;
}

static void set(cJSON *amounts, const char *name, double amount)
{
	cJSON *item = json_member_mut(amounts, name);
	if (name == NULL) /* of a list, where there should be a map */
		return;
	if (item == NULL)
		(void)cJSON_AddItemToObject(amounts, name, cJSON_CreateNumber(amount));
	else
		item->valuedouble = amount;
}

static cJSON *clone_or_null(const cJSON *tree)
{
	return tree == NULL ? NULL : json_clone(tree);
}

/* A cordoned node admits those that tolerate everything, as if it were a taint (and mostly it is there). */
static void add_cordon(struct survey_node *node)
{
	cJSON *taint = cJSON_CreateObject();
	json_set_str(taint, "key", "node.kubernetes.io/unschedulable");
	json_set_str(taint, "effect", "NoSchedule");
	if (node->taints == NULL)
		node->taints = cJSON_CreateArray();
	(void)cJSON_AddItemToArray(node->taints, taint);
}

void survey_add_node(struct survey *survey, const cJSON *node)
{
	const char *name = json_str(node, "metadata.name");
	const cJSON *item = NULL;
	if (name == NULL)
		return;
	survey->nodes = grow(survey->nodes, survey->count, sizeof(*survey->nodes));
	struct survey_node *added = &survey->nodes[survey->count++];
	*added = (struct survey_node){
	    .name = xstrdup(name),
	    .labels = clone_or_null(json_get(node, "metadata.labels")),
	    .taints = clone_or_null(json_get(node, "spec.taints")),
	    .free = cJSON_CreateObject(),
	};
	if (json_bool(node, "spec.unschedulable", false))
		add_cordon(added);
	survey->sorted = false;
	cJSON_ArrayForEach(item, json_get(node, "status.allocatable"))
	{
		set(added->free, item->string, amount_of(item));
	}
}

static void read_amounts(cJSON *amounts, const cJSON *list)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, list)
	{
		set(amounts, item->string, amount_of(item));
	}
}

/* A limit without a request is one: the API server fills that in for pods, not for templates. */
static cJSON *requests_of(const cJSON *container)
{
	cJSON *amounts = cJSON_CreateObject();
	read_amounts(amounts, json_get(container, "resources.limits"));
	read_amounts(amounts, json_get(container, "resources.requests"));
	return amounts;
}

static void add_amounts(cJSON *sum, const cJSON *amounts)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, amounts)
	{
		set(sum, item->string, get(sum, item->string) + item->valuedouble);
	}
}

static void raise_to(cJSON *most, const cJSON *amounts)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, amounts)
	{
		if (item->valuedouble > get(most, item->string))
			set(most, item->string, item->valuedouble);
	}
}

/*
 * Containers and native sidecars together; or, if that is more, an ordinary init container with the
 * sidecars that were started before it.
 */
static cJSON *demand_of(const cJSON *pod_spec)
{
	cJSON *sum = cJSON_CreateObject();
	CLEANUP(json_freep) cJSON *peak = cJSON_CreateObject();
	CLEANUP(json_freep) cJSON *overhead = cJSON_CreateObject();
	const cJSON *container = NULL;
	cJSON_ArrayForEach(container, json_member(pod_spec, "initContainers"))
	{
		CLEANUP(json_freep) cJSON *amounts = requests_of(container);
		if (text_equal(json_str(container, "restartPolicy"), "Always")) {
			add_amounts(sum, amounts);
			continue;
		}
		add_amounts(amounts, sum);
		raise_to(peak, amounts);
	}
	cJSON_ArrayForEach(container, json_member(pod_spec, "containers"))
	{
		CLEANUP(json_freep) cJSON *amounts = requests_of(container);
		add_amounts(sum, amounts);
	}
	raise_to(sum, peak);
	read_amounts(overhead, json_member(pod_spec, "overhead"));
	add_amounts(sum, overhead);
	set(sum, "pods", 1);
	return sum;
}

static void take(struct survey_node *node, const cJSON *demand, double times)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, demand)
	{
		set(node->free, item->string,
		    get(node->free, item->string) - times * item->valuedouble);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct survey_node *)a)->name, ((const struct survey_node *)b)->name);
}

void survey_add_pod(struct survey *survey, const cJSON *pod)
{
	const char *name = json_str(pod, "spec.nodeName");
	const char *phase = json_str(pod, "status.phase");
	if (name == NULL || survey->count == 0 || text_equal(phase, "Succeeded") ||
	    text_equal(phase, "Failed"))
		return;
	if (!survey->sorted)
		qsort(survey->nodes, survey->count, sizeof(*survey->nodes), by_name);
	survey->sorted = true;
	CLEANUP(str_freep) char *wanted = xstrdup(name);
	const struct survey_node key = {.name = wanted};
	struct survey_node *node =
	    bsearch(&key, survey->nodes, survey->count, sizeof(*survey->nodes), by_name);
	if (node == NULL)
		return;
	CLEANUP(json_freep) cJSON *demand = demand_of(json_member(pod, "spec"));
	take(node, demand, 1);
}

static bool tolerates(const cJSON *toleration, const cJSON *taint)
{
	const char *key = json_str(toleration, "key");
	const char *effect = json_str(toleration, "effect");
	const char *value = json_str(toleration, "value");
	const char *wanted = json_str(taint, "value");
	if (effect != NULL && *effect != '\0' && !text_equal(effect, json_str(taint, "effect")))
		return false;
	if (key != NULL && *key != '\0' && !text_equal(key, json_str(taint, "key")))
		return false;
	if (text_equal(json_str(toleration, "operator"), "Exists"))
		return true;
	return key != NULL && text_equal(value == NULL ? "" : value, wanted == NULL ? "" : wanted);
}

static bool tolerates_all(const cJSON *pod_spec, const struct survey_node *node)
{
	const cJSON *taint = NULL;
	cJSON_ArrayForEach(taint, node->taints)
	{
		const char *effect = json_str(taint, "effect");
		bool tolerated =
		    !text_equal(effect, "NoSchedule") && !text_equal(effect, "NoExecute");
		const cJSON *toleration = NULL;
		cJSON_ArrayForEach(toleration, json_member(pod_spec, "tolerations"))
		{
			tolerated = tolerated || tolerates(toleration, taint);
		}
		if (!tolerated)
			return false;
	}
	return true;
}

static bool has_value(const cJSON *values, const char *value)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, values)
	{
		if (cJSON_IsString(item) && text_equal(item->valuestring, value))
			return true;
	}
	return false;
}

/* One requirement of a node selector term; an operator that is not known speaks for the node. */
static bool meets(const cJSON *requirement, const char *value)
{
	const char *operator= json_str(requirement, "operator");
	const cJSON *values = json_member(requirement, "values");
	if (text_equal(operator, "In"))
		return value != NULL && has_value(values, value);
	if (text_equal(operator, "NotIn"))
		return value == NULL || !has_value(values, value);
	if (text_equal(operator, "Exists"))
		return value != NULL;
	if (text_equal(operator, "DoesNotExist"))
		return value == NULL;
	if (!text_equal(operator, "Gt") && !text_equal(operator, "Lt"))
		return true;
	const cJSON *bound = values == NULL ? NULL : values->child;
	if (value == NULL || bound == NULL || !cJSON_IsString(bound))
		return false;
	long have = strtol(value, NULL, 10);
	long limit = strtol(bound->valuestring, NULL, 10);
	return text_equal(operator, "Gt") ? have > limit : have < limit;
}

static bool meets_term(const cJSON *term, const struct survey_node *node)
{
	const cJSON *requirement = NULL;
	cJSON_ArrayForEach(requirement, json_member(term, "matchExpressions"))
	{
		const char *key = json_str(requirement, "key");
		const cJSON *label = key == NULL ? NULL : json_member(node->labels, key);
		if (!meets(requirement,
			   label != NULL && cJSON_IsString(label) ? label->valuestring : NULL))
			return false;
	}
	cJSON_ArrayForEach(requirement, json_member(term, "matchFields"))
	{
		if (!meets(requirement, node->name)) /* metadata.name is the only one */
			return false;
	}
	return true;
}

static bool is_chosen(const cJSON *pod_spec, const struct survey_node *node)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, json_member(pod_spec, "nodeSelector"))
	{
		const cJSON *label = json_member(node->labels, item->string);
		if (label == NULL || !cJSON_IsString(label) ||
		    !text_equal(label->valuestring, item->valuestring))
			return false;
	}
	const cJSON *terms = json_get(pod_spec, "affinity.nodeAffinity."
						"requiredDuringSchedulingIgnoredDuringExecution."
						"nodeSelectorTerms");
	if (terms == NULL)
		return true;
	cJSON_ArrayForEach(item, terms)
	{
		if (meets_term(item, node))
			return true;
	}
	return false;
}

static bool has_room(const struct survey_node *node, const cJSON *demand)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, demand)
	{
		if (item->valuedouble > 0 && get(node->free, item->string) < item->valuedouble)
			return false;
	}
	return true;
}

static bool admits(const struct survey_node *node, const cJSON *pod_spec)
{
	return tolerates_all(pod_spec, node) && is_chosen(pod_spec, node);
}

/* Where the pod would go; NULL: nowhere. */
static struct survey_node *place(struct survey *survey, const cJSON *pod_spec, const cJSON *demand)
{
	for (size_t i = 0; i < survey->count; i++) {
		struct survey_node *node = &survey->nodes[i];
		if (has_room(node, demand) && admits(node, pod_spec))
			return node;
	}
	return NULL;
}

/* The most that is free of it on one of the nodes that admit the pod. */
static double most_free(const struct survey *survey, const cJSON *pod_spec, const char *resource)
{
	double most = 0;
	for (size_t i = 0; i < survey->count; i++) {
		const struct survey_node *node = &survey->nodes[i];
		if (get(node->free, resource) > most && admits(node, pod_spec))
			most = get(node->free, resource);
	}
	return most;
}

/* What there is too little of; where each alone would do, the resource that only some nodes have. */
static const cJSON *scarce(const struct survey *survey, const cJSON *pod_spec, const cJSON *demand)
{
	const cJSON *item = NULL;
	const cJSON *found = NULL;
	int best = -1;
	cJSON_ArrayForEach(item, demand)
	{
		bool lacks = most_free(survey, pod_spec, item->string) < item->valuedouble;
		int weight = 2 * lacks + resource_is_extended(item->string);
		if (weight <= best)
			continue;
		best = weight;
		found = item;
	}
	return found;
}

static void explain(const struct survey *survey, const cJSON *pod_spec, const cJSON *demand,
		    char *words, size_t size)
{
	size_t nodes = 0;
	const cJSON *wanted = scarce(survey, pod_spec, demand);
	for (size_t i = 0; i < survey->count; i++)
		nodes += admits(&survey->nodes[i], pod_spec);
	(void)snprintf(words, size,
		       "a new pod with %.0f %s has to be placed before an old one may go, and of "
		       "%zu nodes that admit it none has room (the most that is free: %.0f)",
		       wanted->valuedouble, wanted->string, nodes,
		       most_free(survey, pod_spec, wanted->string));
}

/* Puts the pods of one replica on nodes, and takes them off again. */
static bool fits(struct survey *survey, const struct replicas *set, char *words, size_t size)
{
	enum { GROUP_MAX = 256 };
	struct survey_node *where[GROUP_MAX];
	long pods = set->size < GROUP_MAX ? set->size : GROUP_MAX;
	long placed = 0;
	CLEANUP(json_freep) cJSON *leader = demand_of(set->leader);
	CLEANUP(json_freep) cJSON *worker = demand_of(set->worker);
	for (; placed < pods; placed++) {
		bool first = placed == 0 || set->worker == NULL;
		const cJSON *spec = first ? set->leader : set->worker;
		where[placed] = place(survey, spec, first ? leader : worker);
		if (where[placed] == NULL) {
			explain(survey, spec, first ? leader : worker, words, size);
			break;
		}
		take(where[placed], first ? leader : worker, 1);
	}
	for (long i = 0; i < placed; i++)
		take(where[i], i == 0 || set->worker == NULL ? leader : worker, -1);
	return placed == pods;
}

/* Its strategy adds before it takes away, and what it adds cannot go just anywhere. */
static bool has_to_place(const struct replicas *set)
{
	return replicas_to_replace(set) > 0 && set->max_unavailable == 0 &&
	       (pod_wants_accelerator(set->leader) || pod_wants_accelerator(set->worker));
}

bool survey_is_needed(const struct replica_sets *sets)
{
	for (size_t i = 0; i < sets->count; i++)
		if (has_to_place(&sets->items[i]))
			return true;
	return false;
}

bool survey_would_deadlock(struct survey *survey, const struct replica_sets *sets, char *ret_words,
			   size_t size)
{
	for (size_t i = 0; i < sets->count; i++)
		if (has_to_place(&sets->items[i]) &&
		    !fits(survey, &sets->items[i], ret_words, size))
			return true;
	return false;
}
