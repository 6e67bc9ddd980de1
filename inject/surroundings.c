/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/surroundings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/kind.h"
#include "inject/surroundings_index.h"

const char *role_name(enum role role)
{
	static const char *const names[] = {"", "prefill", "decode", "encode"};
	return names[role];
}

struct surroundings *surroundings_new(void)
{
	return xcalloc(1, sizeof(struct surroundings));
}

void surroundings_freep(struct surroundings **surroundings)
{
	struct surroundings *s = *surroundings;
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->config_count; i++)
		cJSON_Delete(s->configs[i].deployments);
	free(s->pools);
	free(s->services);
	free(s->configs);
	free(s->children);
	free(s->workloads);
	free(s);
	*surroundings = NULL;
}

static bool api_group_is(const cJSON *object, const char *group)
{
	const char *version = json_str(object, "apiVersion");
	size_t len = strlen(group);
	return version != NULL && strncmp(version, group, len) == 0 && version[len] == '/';
}

static bool same_namespace(const char *a, const char *b)
{
	return a == NULL || b == NULL || strcmp(a, b) == 0;
}

/* A pool's endpoint picker is what its Service selects; the two may be added in any order. */
static void link(struct pool *pool, const struct service *service)
{
	if (text_equal(pool->picker, service->name) &&
	    same_namespace(pool->namespace_name, service->namespace_name))
		pool->picker_selector = service->selector;
}

/*
 * Both groups: v1 has selector.matchLabels and endpointPickerRef, v1alpha2 a flat selector and
 * extensionRef (LLMD §4). failureMode is FailClose unless said otherwise.
 */
static void add_pool(struct surroundings *s, const cJSON *object, const char *name)
{
	bool old = api_group_is(object, "inference.networking.x-k8s.io");
	if (!old && !api_group_is(object, "inference.networking.k8s.io"))
		return;
	const cJSON *ref = json_get(object, old ? "spec.extensionRef" : "spec.endpointPickerRef");
	const char *kind = json_str(ref, "kind");
	const char *mode = json_str(ref, "failureMode");
	s->pools = grow(s->pools, s->pool_count, sizeof(*s->pools));
	struct pool *pool = &s->pools[s->pool_count++];
	*pool = (struct pool){
	    .name = name,
	    .namespace_name = json_str(object, "metadata.namespace"),
	    .selector = json_get(object, old ? "spec.selector" : "spec.selector.matchLabels"),
	    .picker = kind == NULL || strcmp(kind, "Service") == 0 ? json_str(ref, "name") : NULL,
	    .fail_close = mode == NULL || strcmp(mode, "FailClose") == 0,
	};
	for (size_t i = 0; i < s->service_count; i++)
		link(pool, &s->services[i]);
}

static void add_service(struct surroundings *s, const cJSON *object, const char *name)
{
	s->services = grow(s->services, s->service_count, sizeof(*s->services));
	struct service *service = &s->services[s->service_count++];
	*service = (struct service){name, json_str(object, "metadata.namespace"),
				    json_get(object, "spec.selector")};
	for (size_t i = 0; i < s->pool_count; i++)
		link(&s->pools[i], service);
}

static const char *modelservice_owner(const cJSON *object)
{
	const cJSON *owners = json_get(object, "metadata.ownerReferences");
	for (const cJSON *owner = cJSON_IsArray(owners) ? owners->child : NULL; owner != NULL;
	     owner = owner->next)
		if (text_equal(json_str(owner, "kind"), "ModelService") &&
		    api_group_is(owner, "llm-d.ai"))
			return json_str(owner, "name");
	return NULL;
}

static void add_config(struct surroundings *s, const cJSON *object, const char *name)
{
	cJSON *deployments = base_config_read(object);
	if (deployments->child == NULL) {
		json_freep(&deployments);
		return;
	}
	s->configs = grow(s->configs, s->config_count, sizeof(*s->configs));
	s->configs[s->config_count++] = (struct base_config){name, deployments};
}

void surroundings_add(struct surroundings *s, const cJSON *object)
{
	const char *kind = json_str(object, "kind");
	const char *name = json_str(object, "metadata.name");
	if (kind == NULL || name == NULL)
		return;
	if (kind_is_workload(json_str(object, "apiVersion"), kind)) {
		s->workloads = grow(s->workloads, s->workload_count, sizeof(*s->workloads));
		s->workloads[s->workload_count++] = object;
	}
	if (strcmp(kind, "InferencePool") == 0) {
		add_pool(s, object, name);
	} else if (strcmp(kind, "Service") == 0) {
		add_service(s, object, name);
	} else if (strcmp(kind, "ConfigMap") == 0) {
		add_config(s, object, name);
	} else if (strcmp(kind, "Deployment") == 0 && modelservice_owner(object) != NULL) {
		s->children = grow(s->children, s->child_count, sizeof(*s->children));
		s->children[s->child_count++] = object;
	}
}

static const cJSON *find_config(const struct surroundings *s, const char *name)
{
	for (size_t i = 0; name != NULL && i < s->config_count; i++)
		if (strcmp(s->configs[i].name, name) == 0)
			return s->configs[i].deployments;
	return NULL;
}

static const cJSON *find_child(const struct surroundings *s, const char *owner, const char *name)
{
	for (size_t i = 0; i < s->child_count; i++)
		if (text_equal(json_str(s->children[i], "metadata.name"), name) &&
		    text_equal(modelservice_owner(s->children[i]), owner))
			return s->children[i];
	return NULL;
}

static void add_pool_name(struct facts *facts, const char *name)
{
	size_t used = strlen(facts->pools);
	size_t room = sizeof(facts->pools) - used;
	const char *comma = used == 0 ? "" : ",";
	if (strlen(name) + strlen(comma) < room)
		(void)snprintf(facts->pools + used, room, "%s%s", comma, name);
}

/* Facts of a ModelService: what its controller rendered, or what it would render from. */
static void modelservice_facts(const struct surroundings *s, const cJSON *object,
			       struct facts *facts)
{
	static const struct {
		const char *ref;
		const char *suffix;
	} parts[3] = {{"status.prefillDeploymentRef", "-prefill"},
		      {"status.decodeDeploymentRef", "-decode"},
		      {"status.eppDeploymentRef", "-epp"}};
	const char *own = json_str(object, "metadata.name");
	facts->base_config = find_config(s, json_str(object, "spec.baseConfigMapRef.name"));
	for (size_t i = 0; own != NULL && i < ARRAY_LEN(parts); i++) {
		CLEANUP(str_freep) char *usual = xasprintf("%s%s", own, parts[i].suffix);
		const char *named = json_str(object, parts[i].ref);
		facts->children[i] = find_child(s, own, named == NULL ? usual : named);
	}
	if (own == NULL)
		return;
	CLEANUP(str_freep) char *usual = xasprintf("%s-inference-pool", own);
	const char *named = json_str(object, "status.inferencePoolRef.name");
	add_pool_name(facts, named == NULL ? usual : named);
}

static void note(struct facts *facts, enum evidence evidence, const char *phrase, const char *name)
{
	if (facts->evidence != EVIDENCE_NONE && facts->evidence != EVIDENCE_LEDGER &&
	    facts->evidence != EVIDENCE_LABEL)
		return;
	facts->evidence = evidence;
	(void)snprintf(facts->why, sizeof(facts->why), "%s %.200s", phrase, name);
}

static bool names_pool(const struct pool_names *names, const char *pool)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], pool) == 0)
			return true;
	return false;
}

static void pool_facts(const struct surroundings *s, const cJSON *object, struct facts *facts)
{
	struct pod_label_sets pods;
	struct pool_names names;
	const char *namespace_name = json_str(object, "metadata.namespace");
	pod_labels_collect(object, &pods);
	pool_names_read(object, &names);
	for (size_t i = 0; i < s->pool_count; i++) {
		const struct pool *pool = &s->pools[i];
		if (!same_namespace(pool->namespace_name, namespace_name))
			continue;
		bool picker = pod_labels_match(pool->picker_selector, &pods) ||
			      names_pool(&names, pool->name);
		bool member = pod_labels_match(pool->selector, &pods);
		if (picker) {
			facts->epp = true;
			facts->epp_fail_close = facts->epp_fail_close || pool->fail_close;
			note(facts, EVIDENCE_EPP, "endpoint picker of InferencePool", pool->name);
		}
		if (member)
			note(facts, EVIDENCE_POOL, "selected by InferencePool", pool->name);
		if (picker || member)
			add_pool_name(facts, pool->name);
	}
}

void surroundings_facts(const struct surroundings *surroundings, const cJSON *object,
			struct facts *ret_facts)
{
	struct facts facts;
	facts_from_object(object, &facts);
	facts.surroundings = surroundings;
	pool_facts(surroundings, object, &facts);
	if (text_equal(json_str(object, "kind"), "ModelService") &&
	    api_group_is(object, "llm-d.ai"))
		modelservice_facts(surroundings, object, &facts);
	*ret_facts = facts;
}

bool surroundings_has_pool(const struct surroundings *surroundings, const char *name)
{
	for (size_t i = 0; i < surroundings->pool_count; i++)
		if (strcmp(surroundings->pools[i].name, name) == 0)
			return true;
	return false;
}
