/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/surroundings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
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
	free(s);
	*surroundings = NULL;
}

static bool api_group_is(const cJSON *object, const char *group)
{
	const char *version = json_str(object, "apiVersion");
	size_t len = strlen(group);
	return version != NULL && strncmp(version, group, len) == 0 && version[len] == '/';
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
	s->pools[s->pool_count++] = (struct pool){
	    .name = name,
	    .selector = json_get(object, old ? "spec.selector" : "spec.selector.matchLabels"),
	    .picker = kind == NULL || strcmp(kind, "Service") == 0 ? json_str(ref, "name") : NULL,
	    .fail_close = mode == NULL || strcmp(mode, "FailClose") == 0,
	};
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
	if (strcmp(kind, "InferencePool") == 0) {
		add_pool(s, object, name);
	} else if (strcmp(kind, "Service") == 0) {
		s->services = grow(s->services, s->service_count, sizeof(*s->services));
		s->services[s->service_count++] =
		    (struct service){name, json_get(object, "spec.selector")};
	} else if (strcmp(kind, "ConfigMap") == 0) {
		add_config(s, object, name);
	} else if (strcmp(kind, "Deployment") == 0 && modelservice_owner(object) != NULL) {
		s->children = grow(s->children, s->child_count, sizeof(*s->children));
		s->children[s->child_count++] = object;
	}
}

bool selector_matches(const cJSON *selector, const cJSON *labels)
{
	if (!cJSON_IsObject(selector) || selector->child == NULL)
		return false;
	for (const cJSON *want = selector->child; want != NULL; want = want->next) {
		const cJSON *have = json_member(labels, want->string);
		if (!cJSON_IsString(want) || !cJSON_IsString(have) ||
		    strcmp(want->valuestring, have->valuestring) != 0)
			return false;
	}
	return true;
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
}

/* Labels of the pods that an object makes: every template's, at most a leader's and a worker's. */
struct pod_labels {
	const cJSON *items[8];
	size_t count;
};

static void add_labels(struct pod_labels *labels, const cJSON *template)
{
	const cJSON *found = json_get(template, "metadata.labels");
	if (found != NULL && labels->count < ARRAY_LEN(labels->items))
		labels->items[labels->count++] = found;
}

static void collect_labels(const cJSON *object, struct pod_labels *labels)
{
	if (text_equal(json_str(object, "kind"), "Pod"))
		add_labels(labels, object);
	const cJSON *spec = json_member(object, "spec");
	add_labels(labels, json_member(spec, "template"));
	add_labels(labels, json_get(spec, "leaderWorkerTemplate.leaderTemplate"));
	add_labels(labels, json_get(spec, "leaderWorkerTemplate.workerTemplate"));
	const cJSON *roles = json_member(spec, "roles");
	for (const cJSON *role = cJSON_IsArray(roles) ? roles->child : NULL; role != NULL;
	     role = role->next) {
		add_labels(labels, json_get(role, "spec.leaderWorkerTemplate.leaderTemplate"));
		add_labels(labels, json_get(role, "spec.leaderWorkerTemplate.workerTemplate"));
	}
}

static bool selects(const cJSON *selector, const struct pod_labels *labels)
{
	for (size_t i = 0; i < labels->count; i++)
		if (selector_matches(selector, labels->items[i]))
			return true;
	return false;
}

static void add_pool_name(struct facts *facts, const char *name)
{
	size_t used = strlen(facts->pools);
	size_t room = sizeof(facts->pools) - used;
	const char *comma = used == 0 ? "" : ",";
	if (strlen(name) + strlen(comma) < room)
		(void)snprintf(facts->pools + used, room, "%s%s", comma, name);
}

static void note(struct facts *facts, enum evidence evidence, const char *phrase, const char *name)
{
	if (facts->evidence != EVIDENCE_NONE && facts->evidence != EVIDENCE_LEDGER &&
	    facts->evidence != EVIDENCE_LABEL)
		return;
	facts->evidence = evidence;
	(void)snprintf(facts->why, sizeof(facts->why), "%s %.200s", phrase, name);
}

/*
 * GKE's preferred back ends: the Service selects one pod of a StatefulSet by
 * statefulset.kubernetes.io/pod-name, so the name before the ordinal is the StatefulSet's.
 */
static bool selects_by_pod_name(const cJSON *selector, const cJSON *object)
{
	const cJSON *pod = json_member(selector, "statefulset.kubernetes.io/pod-name");
	const char *name = json_str(object, "metadata.name");
	if (!cJSON_IsString(pod) || name == NULL ||
	    !text_equal(json_str(object, "kind"), "StatefulSet"))
		return false;
	const char *dash = strrchr(pod->valuestring, '-');
	return dash != NULL && dash[1] != '\0' &&
	       dash[1 + strspn(dash + 1, "0123456789")] == '\0' &&
	       strlen(name) == (size_t)(dash - pod->valuestring) &&
	       strncmp(name, pod->valuestring, strlen(name)) == 0;
}

static const struct service *find_service(const struct surroundings *s, const char *name)
{
	for (size_t i = 0; i < s->service_count; i++)
		if (strcmp(s->services[i].name, name) == 0)
			return &s->services[i];
	return NULL;
}

/* `--pool-name POOL` or `--pool-name=POOL` in a list of words. */
static bool words_name_pool(const cJSON *words, const char *pool)
{
	for (const cJSON *word = cJSON_IsArray(words) ? words->child : NULL; word != NULL;
	     word = word->next) {
		if (!cJSON_IsString(word))
			continue;
		const char *text = word->valuestring;
		text += text_has_prefix(text, "--") ? 1 : 0;
		if (text_has_prefix(text, "-pool-name=") && strcmp(text + 11, pool) == 0)
			return true;
		if (strcmp(text, "-pool-name") == 0 && word->next != NULL &&
		    cJSON_IsString(word->next) && strcmp(word->next->valuestring, pool) == 0)
			return true;
	}
	return false;
}

static bool runs_epp_of(const cJSON *object, const char *pool)
{
	const cJSON *containers = json_get(object, "spec.template.spec.containers");
	for (const cJSON *c = cJSON_IsArray(containers) ? containers->child : NULL; c != NULL;
	     c = c->next)
		if (words_name_pool(json_member(c, "command"), pool) ||
		    words_name_pool(json_member(c, "args"), pool))
			return true;
	return false;
}

static bool is_picker(const struct surroundings *s, const struct pool *pool, const cJSON *object,
		      const struct pod_labels *labels)
{
	const struct service *service = pool->picker == NULL ? NULL : find_service(s, pool->picker);
	if (service != NULL &&
	    (selects(service->selector, labels) || selects_by_pod_name(service->selector, object)))
		return true;
	return runs_epp_of(object, pool->name);
}

static void pool_facts(const struct surroundings *s, const cJSON *object,
		       const struct pod_labels *labels, struct facts *facts)
{
	for (size_t i = 0; i < s->pool_count; i++) {
		const struct pool *pool = &s->pools[i];
		bool picker = is_picker(s, pool, object, labels);
		bool member = selects(pool->selector, labels);
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
	struct pod_labels labels = {.count = 0};
	facts_from_object(object, &facts);
	collect_labels(object, &labels);
	pool_facts(surroundings, object, &labels, &facts);
	if (facts.evidence == EVIDENCE_MODELSERVICE)
		modelservice_facts(surroundings, object, &facts);
	*ret_facts = facts;
}

bool facts_selected(const struct facts *facts, const cJSON *object, const struct settings *settings)
{
	bool wants_pool = settings->pool_count > 0;
	bool in_pool = false;
	for (size_t i = 0; i < settings->pool_count && !in_pool; i++) {
		const char *name = settings->pools[i];
		size_t len = strlen(name);
		for (const char *at = facts->pools; at != NULL && *at != '\0' && !in_pool;) {
			in_pool =
			    strncmp(at, name, len) == 0 && (at[len] == ',' || at[len] == '\0');
			at = strchr(at, ',');
			at = at == NULL ? NULL : at + 1;
		}
	}
	if (wants_pool && !in_pool)
		return false;
	if (settings->match_labels == NULL || settings->match_labels->child == NULL)
		return true;
	struct pod_labels labels = {.count = 0};
	collect_labels(object, &labels);
	return selects(settings->match_labels, &labels) ||
	       selector_matches(settings->match_labels, json_get(object, "metadata.labels"));
}
