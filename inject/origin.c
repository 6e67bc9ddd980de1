/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/origin.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "base/text.h"
#include "inject/launch.h"
#include "inject/settings_check.h"

#define AT(KEY)   "resource.attributes[\"" KEY "\"]"
#define GENERATED "[bcdfghjklmnpqrstvwxz2456789]" /* what the API server makes names of */

enum {
	GROUPS_MAX = 256,
	MODEL_MAX = 256,
	GENERATE_NAME_MAX = 58, /* of a pod's name, before its last five letters */
	HASH_MAX = 10,          /* of a ReplicaSet */
	CUT_MIN = 6,
};

/*
 * A string of OTTL. What could mean something to it, to YAML, or to the collector's own
 * expansion of "$" is written as its byte; UTF-8 stays, since OTTL would
 * read its bytes as letters.
 */
static char *quoted(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    " ._-/:@+=,()[]^{}";
	struct buffer out;
	buffer_init(&out, KIB(16));
	buffer_add_char(&out, '"');
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text >= 0x80 || strchr(plain, *text) != NULL)
			buffer_add_char(&out, *text);
		else
			buffer_addf(&out, "\\x%02x", (unsigned)(unsigned char)*text);
	}
	buffer_add_char(&out, '"');
	return buffer_detach(&out);
}

static void add_set(cJSON *statements, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	CLEANUP(str_freep) char *literal = quoted(value);
	CLEANUP(str_freep)
	char *text = xasprintf("set(resource.attributes[\"%s\"], %s) where "
			       "resource.attributes[\"%s\"] == nil",
			       key, literal, key);
	json_append(statements, cJSON_CreateString(text));
}

static const char *label_of(const cJSON *template, const char *key)
{
	const cJSON *label = json_member(json_get(template, "metadata.labels"), key);
	return cJSON_IsString(label) && label->valuestring[0] != '\0' ? label->valuestring : NULL;
}

/* Only what will be the same in the process: nothing that kubelet or a shell fills in. */
static char *model_of_container(const cJSON *container)
{
	static const struct flag_syntax served = {.name = "--served-model-name",
						  .underscores = true,
						  .prefixes = true,
						  .shortest = "--served"};
	struct launch *launch CLEANUP(launch_freep) = launch_read(container, PROGRAM_UNKNOWN);
	struct launch_flag flag CLEANUP(launch_flag_release) = {0};
	enum program program = launch_program(launch);
	if ((program != PROGRAM_VLLM_SERVE && program != PROGRAM_VLLM_MODULE &&
	     program != PROGRAM_SGLANG) ||
	    launch_form(launch) == LAUNCH_OPAQUE)
		return NULL;
	launch_find_flag(launch, &served, &flag);
	const char *model = flag.presence == FLAG_PRESENT  ? flag.value
			    : flag.presence == FLAG_ABSENT ? launch_model(launch)
							   : NULL;
	if (model == NULL || strlen(model) > MODEL_MAX || strchr(model, '$') != NULL ||
	    text_has_control(model))
		return NULL;
	return xstrdup(model);
}

/* The label wins: it is what people sort their servers by. */
static char *model_of(const cJSON *template)
{
	const char *label = label_of(template, "llm-d.ai/model");
	if (label != NULL)
		return xstrdup(label);
	const cJSON *container = NULL;
	cJSON_ArrayForEach(container, json_get(template, "spec.containers"))
	{
		char *model = model_of_container(container);
		if (model != NULL)
			return model;
	}
	return NULL;
}

/* IsMatch of the pod's name with a pattern that begins with a workload's name. */
static char *pod_matches(const char *name, const char *rest)
{
	struct buffer pattern;
	buffer_init(&pattern, KIB(2));
	buffer_add_char(&pattern, '^');
	for (; *name != '\0'; name++) {
		if (*name == '.')
			buffer_add_str(&pattern, "[.]");
		else
			buffer_add_char(&pattern, *name);
	}
	buffer_addf(&pattern, "%s\\z", rest);
	CLEANUP(str_freep) char *literal = quoted(pattern.data);
	buffer_release(&pattern);
	return xasprintf("IsMatch(" AT("k8s.pod.name") ", %s)", literal);
}

/*
 * The collector has read the Deployment from the pod's name (transform/identity), unless the
 * name was so long that the API server had to cut it: then hash and letters are one word.
 */
static char *deployment_matches(const char *name, bool *ret_cut)
{
	size_t len = strlen(name);
	size_t word = GENERATE_NAME_MAX + 5 - len - 1;
	*ret_cut = len + 1 + HASH_MAX + 1 > GENERATE_NAME_MAX &&
		   len + 1 + CUT_MIN <= GENERATE_NAME_MAX + 5;
	if (!*ret_cut)
		return xasprintf(AT("k8s.deployment.name") " == \"%s\"", name);
	CLEANUP(str_freep) char *rest = xasprintf("-" GENERATED "{%zu}", word);
	CLEANUP(str_freep) char *pod = pod_matches(name, rest);
	return xasprintf("(" AT("k8s.deployment.name") " == \"%s\" or %s)", name, pod);
}

struct origin {
	const char *namespace_name;
	const char *name;
	const char *pools;
	const char *attribute; /* the kind's own name for it, or NULL */
	const char *match;
	enum role role;
};

static void add_group(cJSON *groups, const struct origin *origin, const cJSON *template)
{
	CLEANUP(str_freep) char *model = model_of(template);
	CLEANUP(str_freep) char *space = quoted(origin->namespace_name);
	CLEANUP(str_freep)
	char *condition =
	    xasprintf(AT("k8s.namespace.name") " == %s and " AT("llm_d.workload") " == nil and %s",
		      space, origin->match);
	cJSON *group = cJSON_CreateObject();
	json_set_str(group, "context", "resource");
	json_append(json_set_array(group, "conditions"), cJSON_CreateString(condition));
	cJSON *statements = json_set_array(group, "statements");
	add_set(statements, "llm_d.workload", origin->name);
	if (origin->attribute != NULL)
		add_set(statements, origin->attribute, origin->name);
	add_set(statements, "llm_d.pool", origin->pools);
	add_set(statements, "llm_d.role", role_name(origin->role));
	add_set(statements, "llm_d.model", model);
	json_append(groups, group);
}

/* Its LeaderWorkerSets are named <set>-<slice>-<revision>-<role>; a revision comes with each change. */
static void add_roles(cJSON *groups, const cJSON *object, const struct origin *set)
{
	struct error err;
	const cJSON *role = NULL;
	cJSON_ArrayForEach(role, json_get(object, "spec.roles"))
	{
		const char *name = json_str(role, "name");
		const cJSON *template = json_get(role, "spec.leaderWorkerTemplate.workerTemplate");
		if (name == NULL || settings_check_name(name, "role", &err) != STATUS_OK)
			continue;
		CLEANUP(str_freep)
		char *rest = xasprintf("-[0-9]+-[a-z0-9]+-%s-[0-9]+(-[0-9]+)?", name);
		CLEANUP(str_freep) char *match = pod_matches(set->name, rest);
		struct origin origin = *set;
		origin.match = match;
		origin.role = role_of_template(json_get(template, "metadata.labels"), name, NULL);
		add_group(groups, &origin, template);
	}
}

static void add_plain(cJSON *groups, const cJSON *object, const char *kind, struct origin *origin)
{
	const cJSON *template = json_get(object, "spec.template");
	CLEANUP(str_freep) char *match = NULL;
	bool cut = false;
	if (strcmp(kind, "Deployment") == 0) {
		match = deployment_matches(origin->name, &cut);
		origin->attribute = cut ? "k8s.deployment.name" : NULL;
	} else if (strcmp(kind, "StatefulSet") == 0) {
		match = pod_matches(origin->name, "-[0-9]+");
		origin->attribute = "k8s.statefulset.name";
	} else if (strcmp(kind, "LeaderWorkerSet") == 0) {
		match = pod_matches(origin->name, "-[0-9]+(-[0-9]+)?");
		template = json_get(object, "spec.leaderWorkerTemplate.leaderTemplate");
		if (!cJSON_IsObject(template))
			template = json_get(object, "spec.leaderWorkerTemplate.workerTemplate");
	}
	if (match == NULL)
		return;
	origin->match = match;
	add_group(groups, origin, template);
}

void origin_groups_add(cJSON *groups, const cJSON *object, const struct surroundings *surroundings,
		       const char *namespace_name)
{
	struct facts facts;
	struct error err;
	const char *kind = json_str(object, "kind");
	const char *name = json_str(object, "metadata.name");
	if (kind == NULL || name == NULL || settings_check_name(name, "name", &err) != STATUS_OK)
		return;
	surroundings_facts(surroundings, object, &facts);
	/* a ModelService's Deployments have names of their own, and its pods theirs */
	bool rendered = facts.standing == STANDING_OWNED && strcmp(kind, "Deployment") != 0;
	if (facts.evidence == EVIDENCE_NONE || rendered)
		return;
	struct origin origin = {.namespace_name = namespace_name,
				.name = name,
				.pools = facts.pools,
				.role = facts.role};
	if (strcmp(kind, "DisaggregatedSet") == 0)
		add_roles(groups, object, &origin);
	else
		add_plain(groups, object, kind, &origin);
}

size_t origin_groups_cut(cJSON *groups)
{
	size_t left = 0;
	size_t kept = 0;
	size_t bytes = 0;
	for (cJSON *group = groups->child, *next = NULL; group != NULL; group = next) {
		next = group->next;
		CLEANUP(str_freep) char *text = json_to_string(group);
		bytes += strlen(text);
		if (left == 0 && kept < GROUPS_MAX && bytes <= KIB(64)) {
			kept++;
			continue;
		}
		cJSON_Delete(cJSON_DetachItemViaPointer(groups, group));
		left++;
	}
	return left;
}
