/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an object says about itself: its annotations, labels, owners and ledger.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "inject/settings.h"
#include "inject/surroundings_index.h"

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
	       (text_equal(json_str(owner, "kind"), "ModelService") && in_group(owner, "llm-d.ai"));
}

static void set_owner(struct facts *facts, enum standing standing, const char *kind,
		      const char *name)
{
	facts->standing = standing;
	(void)snprintf(facts->owner, sizeof(facts->owner), "%.100s%s%.140s",
		       kind == NULL ? "?" : kind, name == NULL ? "" : "/",
		       name == NULL ? "" : name);
}

/*
 * Labels that controllers leave on what they render. They stand above owner references: a
 * LeaderWorkerSet's worker StatefulSets are owned by the leader's Pod, and tools that copy
 * objects drop the references.
 */
static bool owner_by_label(const cJSON *object, struct facts *facts)
{
	static const struct {
		const char *label;
		const char *kind;
	} rendered[] = {
	    {"disaggregatedset.x-k8s.io/name", "DisaggregatedSet"},
	    {"leaderworkerset.sigs.k8s.io/name", "LeaderWorkerSet"},
	};
	const cJSON *labels = json_get(object, "metadata.labels");
	const char *kind = json_str(object, "kind");
	const cJSON *part = json_member(labels, "app.kubernetes.io/part-of");
	for (size_t i = 0; i < ARRAY_LEN(rendered); i++) {
		const cJSON *name = json_member(labels, rendered[i].label);
		if (!cJSON_IsString(name) || text_equal(kind, rendered[i].kind))
			continue;
		set_owner(facts, STANDING_OWNED, rendered[i].kind, name->valuestring);
		return true;
	}
	if (!cJSON_IsString(part) || strcmp(part->valuestring, "llminferenceservice") != 0)
		return false;
	part = json_member(labels, "app.kubernetes.io/name");
	set_owner(facts, STANDING_KSERVE, "LLMInferenceService",
		  cJSON_IsString(part) ? part->valuestring : NULL);
	return true;
}

static void owner_facts(const cJSON *object, struct facts *facts)
{
	const cJSON *owners = json_get(object, "metadata.ownerReferences");
	if (owner_by_label(object, facts))
		return;
	for (const cJSON *owner = cJSON_IsArray(owners) ? owners->child : NULL; owner != NULL;
	     owner = owner->next) {
		if (!rules_over(owner) && !in_group(owner, "serving.kserve.io"))
			continue;
		set_owner(facts, standing_of(owner), json_str(owner, "kind"),
			  json_str(owner, "name"));
		return;
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

/* An endpoint picker that no pool leads to (standalone charts): by image name or its own flags. */
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

static bool runs_epp(const cJSON *object, const cJSON *template)
{
	struct pool_names names;
	const cJSON *containers = json_get(template, "spec.containers");
	for (const cJSON *c = cJSON_IsArray(containers) ? containers->child : NULL; c != NULL;
	     c = c->next)
		if (is_epp_container(c))
			return true;
	pool_names_read(object, &names);
	return names.count > 0;
}

/* How a name ends: "decode", "qwen-decode". */
static enum role role_of_ending(const char *name)
{
	for (int role = ROLE_PREFILL; name != NULL && role <= ROLE_ENCODE; role++) {
		const char *word = role_name((enum role)role);
		size_t len = strlen(word);
		size_t all = strlen(name);
		if (text_has_suffix(name, word) && (all == len || name[all - len - 1] == '-'))
			return (enum role)role;
	}
	return ROLE_NONE;
}

enum role role_of_template(const cJSON *labels, const char *role_of_set, const char *object_name)
{
	const char *value = member_text(labels, "llm-d.ai/role");
	for (int role = ROLE_PREFILL; value != NULL && role <= ROLE_ENCODE; role++)
		if (strcmp(value, role_name((enum role)role)) == 0)
			return (enum role)role;
	/* Another value ("both", "prefill-decode") is a statement too. */
	if (value != NULL)
		return ROLE_NONE;
	return role_of_set != NULL ? role_of_ending(role_of_set) : role_of_ending(object_name);
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
	} else if (facts->epp) {
		facts->evidence = EVIDENCE_LABEL;
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
	facts.epp = runs_epp(object, template);
	owner_facts(object, &facts);
	evidence_facts(object, template, &facts);
	const cJSON *labels = json_get(template, "metadata.labels");
	if (member_text(labels, "llm-d.ai/role") == NULL)
		labels = json_get(object, "metadata.labels");
	/* The roles of a DisaggregatedSet are its templates' business, a ModelService's too. */
	bool of_templates = cJSON_IsArray(json_get(object, "spec.roles")) ||
			    text_equal(json_str(object, "kind"), "ModelService");
	if (!of_templates)
		facts.role = role_of_template(labels, NULL, json_str(object, "metadata.name"));
	*ret_facts = facts;
}

static bool is_pool_of(const struct facts *facts, const char *name)
{
	size_t len = strlen(name);
	for (const char *at = facts->pools; *at != '\0';) {
		if (strncmp(at, name, len) == 0 && (at[len] == ',' || at[len] == '\0'))
			return true;
		at += strcspn(at, ",");
		at += *at == ',' ? 1 : 0;
	}
	return false;
}

static bool pools_select(const struct facts *facts, const cJSON *object,
			 const struct settings *settings)
{
	bool all_known = true;
	for (size_t i = 0; i < settings->pool_count; i++) {
		const char *name = settings->pools[i];
		if (is_pool_of(facts, name))
			return true;
		all_known = all_known && facts->surroundings != NULL &&
			    surroundings_has_pool(facts->surroundings, name);
	}
	const cJSON *annotations = json_get(object, "metadata.annotations");
	bool lost = facts->pools[0] == '\0' && !all_known &&
		    member_text(annotations, ANNOTATION_LEDGER) != NULL;
	return settings->pool_count == 0 || lost;
}

bool facts_selected(const struct facts *facts, const cJSON *object, const struct settings *settings)
{
	struct pod_label_sets pods;
	if (facts->evidence == EVIDENCE_EXPLICIT)
		return true;
	if (!pools_select(facts, object, settings))
		return false;
	if (settings->match_labels == NULL || settings->match_labels->child == NULL)
		return true;
	pod_labels_collect(object, &pods);
	return pod_labels_match(settings->match_labels, &pods) ||
	       selector_matches(settings->match_labels, json_get(object, "metadata.labels"));
}
