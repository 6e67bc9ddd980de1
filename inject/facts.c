/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an object says about itself: its annotations, labels, owners and ledger.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "inject/settings.h"
#include "inject/surroundings.h"

/* Kinds whose controller renders the object from one that we edit instead. */
static const struct {
	const char *kind;
	const char *group;
} editable_owners[] = {
    {"Deployment", "apps"},
    {"ReplicaSet", "apps"},
    {"StatefulSet", "apps"},
    {"LeaderWorkerSet", "leaderworkerset.x-k8s.io"},
    {"DisaggregatedSet", "disaggregatedset.x-k8s.io"},
    {"ModelService", "llm-d.ai"},
};

static bool in_group(const cJSON *owner, const char *group)
{
	const char *version = json_str(owner, "apiVersion");
	size_t len = strlen(group);
	return version != NULL && strncmp(version, group, len) == 0 && version[len] == '/';
}

static enum standing standing_of(const cJSON *owner)
{
	const char *kind = json_str(owner, "kind");
	if (kind == NULL)
		return STANDING_UNKNOWN_OWNER;
	if (in_group(owner, "serving.kserve.io"))
		return STANDING_KSERVE;
	for (size_t i = 0; i < ARRAY_LEN(editable_owners); i++)
		if (strcmp(kind, editable_owners[i].kind) == 0 &&
		    in_group(owner, editable_owners[i].group))
			return STANDING_OWNED;
	return STANDING_UNKNOWN_OWNER;
}

/* ModelService sets plain owner references, all others controller references (LLMD §5.1). */
static bool rules_over(const cJSON *owner)
{
	return json_bool(owner, "controller", false) ||
	       text_equal(json_str(owner, "kind"), "ModelService");
}

static void owner_facts(const cJSON *object, struct facts *facts)
{
	const cJSON *owners = json_get(object, "metadata.ownerReferences");
	for (const cJSON *owner = cJSON_IsArray(owners) ? owners->child : NULL; owner != NULL;
	     owner = owner->next) {
		bool kserve = in_group(owner, "serving.kserve.io");
		if (!rules_over(owner) && !kserve)
			continue;
		const char *kind = json_str(owner, "kind");
		const char *name = json_str(owner, "name");
		facts->standing = standing_of(owner);
		(void)snprintf(facts->owner, sizeof(facts->owner), "%.100s/%.140s",
			       kind == NULL ? "?" : kind, name == NULL ? "?" : name);
		return;
	}
	/* KServe's children keep these labels when a tool that copies them drops the owner. */
	const cJSON *labels = json_get(object, "metadata.labels");
	const cJSON *part = json_member(labels, "app.kubernetes.io/part-of");
	if (cJSON_IsString(part) && strcmp(part->valuestring, "llminferenceservice") == 0) {
		facts->standing = STANDING_KSERVE;
		(void)snprintf(facts->owner, sizeof(facts->owner), "LLMInferenceService");
	}
}

static const cJSON *first_template(const cJSON *object)
{
	static const char *const paths[] = {
	    "spec.template",
	    "spec.leaderWorkerTemplate.leaderTemplate",
	    "spec.leaderWorkerTemplate.workerTemplate",
	};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const cJSON *template = json_get(object, paths[i]);
		if (cJSON_IsObject(template))
			return template;
	}
	const cJSON *roles = json_get(object, "spec.roles");
	if (cJSON_IsArray(roles))
		return json_get(roles->child, "spec.leaderWorkerTemplate.workerTemplate");
	return NULL;
}

static const char *member_text(const cJSON *object, const char *key)
{
	const cJSON *node = json_member(object, key);
	return cJSON_IsString(node) ? node->valuestring : NULL;
}

/* Labels that llm-d's charts and guides put on servers and standalone pickers. */
static const char *llmd_label(const cJSON *labels)
{
	static const char *const keys[] = {
	    "llm-d.ai/inference-serving",
	    "llm-d.ai/inferenceServing",
	    "llm-d.ai/role",
	    "llm-d.ai/engine-type",
	    "llm-d-router-standalone",
	    "llm-d-router-gateway",
	    "llm-d.ai/epp",
	    "llm-d.ai/igw-mode",
	    "inference.networking.k8s.io/igw-mode",
	};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *value = member_text(labels, keys[i]);
		if (value != NULL && strcmp(value, "false") != 0)
			return keys[i];
	}
	return NULL;
}

/* An endpoint picker that no pool leads to (standalone charts): by image name or its own flag. */
static bool is_epp_container(const cJSON *container)
{
	static const char *const images[] = {"epp", "llm-d-inference-scheduler",
					     "llm-d-router-endpoint-picker"};
	const char *image = json_str(container, "image");
	const char *slash = image == NULL ? NULL : strrchr(image, '/');
	const char *base = slash == NULL ? image : slash + 1;
	for (size_t i = 0; base != NULL && i < ARRAY_LEN(images); i++) {
		size_t len = strlen(images[i]);
		if (strncmp(base, images[i], len) == 0 && strchr(":@", base[len]) != NULL)
			return true;
	}
	const cJSON *args = json_member(container, "args");
	for (const cJSON *word = cJSON_IsArray(args) ? args->child : NULL; word != NULL;
	     word = word->next)
		if (cJSON_IsString(word) &&
		    text_has_prefix(word->valuestring, "--endpoint-selector"))
			return true;
	return false;
}

static bool runs_epp(const cJSON *template)
{
	const cJSON *containers = json_get(template, "spec.containers");
	for (const cJSON *c = cJSON_IsArray(containers) ? containers->child : NULL; c != NULL;
	     c = c->next)
		if (is_epp_container(c))
			return true;
	return false;
}

static enum role role_of_label(const cJSON *labels)
{
	const char *value = member_text(labels, "llm-d.ai/role");
	for (int role = ROLE_PREFILL; value != NULL && role <= ROLE_ENCODE; role++)
		if (strcmp(value, role_name((enum role)role)) == 0)
			return (enum role)role;
	return ROLE_NONE;
}

static void evidence_facts(const cJSON *object, const cJSON *template, struct facts *facts)
{
	const cJSON *annotations = json_get(object, "metadata.annotations");
	const cJSON *inner = json_get(template, "metadata.annotations");
	const cJSON *labels = json_get(template, "metadata.labels");
	const char *said = member_text(annotations, ANNOTATION_INJECT);
	if (said == NULL)
		said = member_text(inner, ANNOTATION_INJECT);
	const char *label = llmd_label(labels);
	if (label == NULL)
		label = llmd_label(json_get(object, "metadata.labels"));
	if (text_equal(said, "true")) {
		facts->evidence = EVIDENCE_EXPLICIT;
		(void)snprintf(facts->why, sizeof(facts->why),
			       "asked for by annotation " ANNOTATION_INJECT);
	} else if (text_equal(json_str(object, "kind"), "ModelService")) {
		facts->evidence = EVIDENCE_MODELSERVICE;
		(void)snprintf(facts->why, sizeof(facts->why), "is a ModelService");
	} else if (label != NULL) {
		facts->evidence = EVIDENCE_LABEL;
		(void)snprintf(facts->why, sizeof(facts->why), "carries label %s", label);
	} else if (runs_epp(template)) {
		facts->evidence = EVIDENCE_LABEL;
		facts->epp = true;
		(void)snprintf(facts->why, sizeof(facts->why), "runs an endpoint picker");
	} else if (member_text(annotations, ANNOTATION_LEDGER) != NULL) {
		facts->evidence = EVIDENCE_LEDGER;
		(void)snprintf(facts->why, sizeof(facts->why), "was injected before");
	}
}

void facts_from_object(const cJSON *object, struct facts *ret_facts)
{
	struct facts facts = {.evidence = EVIDENCE_NONE};
	const cJSON *template = first_template(object);
	owner_facts(object, &facts);
	evidence_facts(object, template, &facts);
	facts.role = role_of_label(json_get(template, "metadata.labels"));
	if (facts.role == ROLE_NONE)
		facts.role = role_of_label(json_get(object, "metadata.labels"));
	*ret_facts = facts;
}
