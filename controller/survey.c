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
	if (item == NULL)
		(void)cJSON_AddItemToObject(amounts, name, cJSON_CreateNumber(amount));
	else
		item->valuedouble = amount;
}

static cJSON *clone_or_null(const cJSON *tree)
{
	return tree == NULL ? NULL : json_clone(tree);
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
	    .unschedulable = json_bool(node, "spec.unschedulable", false),
	};
	cJSON_ArrayForEach(item, json_get(node, "status.allocatable"))
	{
		set(added->free, item->string, amount_of(item));
	}
}

static const cJSON *requests_of(const cJSON *container)
{
	const cJSON *requests = json_get(container, "resources.requests");
	return requests != NULL ? requests : json_get(container, "resources.limits");
}

static void add_requests(cJSON *sum, const cJSON *container)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, requests_of(container))
	{
		set(sum, item->string, get(sum, item->string) + amount_of(item));
	}
}

/* Containers and native sidecars together, or the largest ordinary init container, if that is more. */
static cJSON *demand_of(const cJSON *pod_spec)
{
	cJSON *sum = cJSON_CreateObject();
	const cJSON *container = NULL;
	const cJSON *item = NULL;
	cJSON_ArrayForEach(container, json_member(pod_spec, "containers"))
	{
		add_requests(sum, container);
	}
	cJSON_ArrayForEach(container, json_member(pod_spec, "initContainers"))
	{
		if (text_equal(json_str(container, "restartPolicy"), "Always")) {
			add_requests(sum, container);
			continue;
		}
		cJSON_ArrayForEach(item, requests_of(container))
		{
			if (amount_of(item) > get(sum, item->string))
				set(sum, item->string, amount_of(item));
		}
	}
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

void survey_add_pod(struct survey *survey, const cJSON *pod)
{
	const char *node = json_str(pod, "spec.nodeName");
	const char *phase = json_str(pod, "status.phase");
	if (node == NULL || text_equal(phase, "Succeeded") || text_equal(phase, "Failed"))
		return;
	for (size_t i = 0; i < survey->count; i++) {
		if (strcmp(survey->nodes[i].name, node) != 0)
			continue;
		CLEANUP(json_freep) cJSON *demand = demand_of(json_member(pod, "spec"));
		take(&survey->nodes[i], demand, 1);
		return;
	}
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
	return !node->unschedulable;
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
	if (value == NULL || !cJSON_IsString(bound))
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
		if (!meets(requirement, cJSON_IsString(label) ? label->valuestring : NULL))
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
		if (!cJSON_IsString(label) || !text_equal(label->valuestring, item->valuestring))
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

/* Where the pod would go; NULL: nowhere. */
static struct survey_node *place(struct survey *survey, const cJSON *pod_spec, const cJSON *demand)
{
	for (size_t i = 0; i < survey->count; i++) {
		struct survey_node *node = &survey->nodes[i];
		if (tolerates_all(pod_spec, node) && is_chosen(pod_spec, node) &&
		    has_room(node, demand))
			return node;
	}
	return NULL;
}

/* Of the resource that only some nodes have: how much the pod wants, and the most that is free. */
static void explain(const struct survey *survey, const cJSON *pod_spec, const cJSON *demand,
		    char *words, size_t size)
{
	const cJSON *item = NULL;
	const char *name = "";
	double wanted = 0;
	double most = 0;
	size_t nodes = 0;
	cJSON_ArrayForEach(item, demand)
	{
		if (!resource_is_extended(item->string))
			continue;
		name = item->string;
		wanted = item->valuedouble;
	}
	for (size_t i = 0; i < survey->count; i++) {
		const struct survey_node *node = &survey->nodes[i];
		if (!tolerates_all(pod_spec, node) || !is_chosen(pod_spec, node))
			continue;
		nodes++;
		most = get(node->free, name) > most ? get(node->free, name) : most;
	}
	(void)snprintf(
	    words, size,
	    "a new pod with %.0f %s has to be placed before an old one may go, and of %zu "
	    "nodes that admit it none has room (the most that is free: %.0f)",
	    wanted, name, nodes, most);
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

bool survey_would_deadlock(struct survey *survey, const struct replica_sets *sets, char *ret_words,
			   size_t size)
{
	for (size_t i = 0; i < sets->count; i++) {
		const struct replicas *set = &sets->items[i];
		if (replicas_to_replace(set) == 0 || set->max_unavailable > 0 || set->ready == 0 ||
		    (!pod_wants_accelerator(set->leader) && !pod_wants_accelerator(set->worker)))
			continue;
		if (!fits(survey, set, ret_words, size))
			return true;
	}
	return false;
}
