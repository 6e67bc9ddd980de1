/* SPDX-License-Identifier: Apache-2.0 */
/* The pod of a rehearsal: placed and pulled as the workload's, and otherwise as little as can be. */
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "inject/component_rules.h"
#include "inject/objects_template.h"
#include "inject/program.h"
#include "inject/rehearsal.h"
#include "inject/templates.h"

#define TERMINATION_LOG "/dev/termination-log" /* kubelet's default */

/* Where Python finds its packages, if the manifest says it. */
static const char *const kept_env[] = {"PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV",
				       "LD_LIBRARY_PATH"};
/* Where the container runtime hands GPUs out by the image's own variables. */
static const char *const no_gpu_env[][2] = {{"NVIDIA_VISIBLE_DEVICES", "void"},
					    {"CUDA_VISIBLE_DEVICES", ""}};

static void set_copy(cJSON *to, const char *name, const cJSON *node)
{
	bool given = node != NULL && !cJSON_IsNull(node);
	json_set(to, name, given ? json_clone(node) : cJSON_CreateNull());
}

static void add_variable(cJSON *env, const char *name, const char *value)
{
	cJSON *entry = cJSON_CreateObject();
	json_set_str(entry, "name", name);
	json_set_str(entry, "value", value);
	json_append(env, entry);
}

static void set_env(cJSON *values, const struct rehearsal_of *of)
{
	cJSON *env = json_set_array(values, "ENV");
	for (size_t i = 0; i < ARRAY_LEN(kept_env); i++) {
		const cJSON *entry = json_named(json_member(of->container, "env"), kept_env[i]);
		const char *value = json_str(entry, "value");
		if (value != NULL && strchr(value, '$') == NULL)
			add_variable(env, kept_env[i], value);
	}
	for (size_t i = 0; i < ARRAY_LEN(no_gpu_env); i++)
		add_variable(env, no_gpu_env[i][0], no_gpu_env[i][1]);
}

/* Who it runs as is the workload's; what it may do is nothing. */
static void set_security(cJSON *values, const struct rehearsal_of *of)
{
	static const char *const names[] = {"runAsUser", "runAsGroup", "runAsNonRoot",
					    "supplementalGroups"};
	const cJSON *from_pod = json_member(of->pod_spec, "securityContext");
	const cJSON *from_container = json_member(of->container, "securityContext");
	cJSON *pod = json_set_object(values, "POD_SECURITY");
	cJSON *container = json_set_object(values, "SECURITY");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const cJSON *of_pod = json_member(from_pod, names[i]);
		const cJSON *of_container = json_member(from_container, names[i]);
		if (of_pod != NULL)
			json_set(pod, names[i], json_clone(of_pod));
		if (of_container != NULL)
			json_set(container, names[i], json_clone(of_container));
	}
	json_set_str(json_set_object(pod, "seccompProfile"), "type", "RuntimeDefault");
	json_set_bool(container, "allowPrivilegeEscalation", false);
	json_set_bool(container, "readOnlyRootFilesystem", true);
	cJSON *drop = json_set_array(json_set_object(container, "capabilities"), "drop");
	json_append(drop, cJSON_CreateString("ALL"));
}

/* By name: the API takes one value in a matchFields requirement. */
static cJSON *term_of(const char *node)
{
	cJSON *term = cJSON_CreateObject();
	cJSON *field = cJSON_CreateObject();
	json_set_str(field, "key", "metadata.name");
	json_set_str(field, "operator", "In");
	json_append(json_set_array(field, "values"), cJSON_CreateString(node));
	json_append(json_set_array(term, "matchFields"), field);
	return term;
}

/* Pods of the image run there, and so can this one. */
static void require_nodes(cJSON *node_affinity, const char *const *nodes)
{
	cJSON *required =
	    json_set_object(node_affinity, "requiredDuringSchedulingIgnoredDuringExecution");
	cJSON *terms = json_set_array(required, "nodeSelectorTerms");
	for (size_t i = 0; i < REHEARSAL_NODES && nodes[i] != NULL; i++)
		json_append(terms, term_of(nodes[i]));
}

/* The image lies there; whether the workload may go there only the scheduler knows. */
static void prefer_nodes(cJSON *node_affinity, const char *const *nodes)
{
	cJSON *terms =
	    json_set_array(node_affinity, "preferredDuringSchedulingIgnoredDuringExecution");
	for (size_t i = 0; i < REHEARSAL_NODES && nodes[i] != NULL; i++) {
		cJSON *preferred = cJSON_CreateObject();
		json_set_int(preferred, "weight", 100);
		json_set(preferred, "preference", term_of(nodes[i]));
		json_append(terms, preferred);
	}
}

/* Nodes that have the image; else those that the workload could be put on. */
static void set_place(cJSON *values, const struct rehearsal_of *of)
{
	bool known = of->nodes[0] != NULL;
	const cJSON *wanted = json_get(of->pod_spec, "affinity.nodeAffinity");
	cJSON *affinity = NULL;
	if (cJSON_IsObject(wanted) && !(known && of->on_nodes))
		affinity = json_clone(wanted);
	else if (known)
		affinity = cJSON_CreateObject();
	set_copy(values, "TOLERATIONS", json_member(of->pod_spec, "tolerations"));
	if (known && of->on_nodes)
		json_set(values, "NODE_SELECTOR", cJSON_CreateNull());
	else
		set_copy(values, "NODE_SELECTOR", json_member(of->pod_spec, "nodeSelector"));
	if (known && of->on_nodes)
		require_nodes(affinity, of->nodes);
	else if (known)
		prefer_nodes(affinity, of->nodes);
	if (affinity == NULL)
		json_set(values, "AFFINITY", cJSON_CreateNull());
	else
		json_set(json_set_object(values, "AFFINITY"), "nodeAffinity", affinity);
}

static const char *first_word(const cJSON *container, const char *list)
{
	const cJSON *words = json_member(container, list);
	return cJSON_IsArray(words) && cJSON_IsString(words->child) ? words->child->valuestring
								    : NULL;
}

/* "/opt/vllm/bin/python3" where the command line names one, else what PATH finds. */
static const char *python_of(const cJSON *container)
{
	static const char *const lists[] = {"command", "args"};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const char *word = first_word(container, lists[i]);
		if (word != NULL && word[0] == '/' && strchr(word, '$') == NULL &&
		    text_has_prefix(program_basename(word), "python"))
			return word;
	}
	return "python3";
}

static void set_python(cJSON *values, const struct rehearsal_of *of)
{
	cJSON *command = json_set_array(values, "COMMAND");
	json_append(command, cJSON_CreateString(python_of(of->container)));
	json_append(command, cJSON_CreateString("-B"));
	json_append(command, cJSON_CreateString("-c"));
	json_append(command, cJSON_CreateString(template_text("rehearsal.py")));
	json_append(command, cJSON_CreateString(component_name(of->component)));
	json_append(command, cJSON_CreateString(TERMINATION_LOG));
	json_set(values, "ARGS", cJSON_CreateNull());
}

/* The image's own entrypoint, or the program that the command names. */
static enum status set_help(cJSON *values, const struct rehearsal_of *of, struct error *err)
{
	const char *program = first_word(of->container, "command");
	struct program_found found = {.match = PROGRAM_MATCH_NONE};
	json_set(values, "COMMAND", cJSON_CreateNull());
	if (program != NULL) {
		struct program_word word = {.text = program,
					    .literal = strchr(program, '$') == NULL};
		program_find(&word, 1, false, &found);
		if (found.match != PROGRAM_MATCH_SURE)
			return error_set(err, STATUS_INVALID,
					 "its command begins with %.60s, which cannot be asked for "
					 "--help",
					 program);
		json_append(json_set_array(values, "COMMAND"), cJSON_CreateString(program));
	}
	json_append(json_set_array(values, "ARGS"), cJSON_CreateString("--help"));
	return STATUS_OK;
}

enum status rehearsal_pod(const struct rehearsal_of *of, const char *namespace_name,
			  const char *name, cJSON **ret_pod, struct error *err)
{
	cJSON *values CLEANUP(json_freep) = cJSON_CreateObject();
	enum status status = STATUS_OK;
	if (component_rules(of->component) == NULL)
		return error_set(err, STATUS_INVALID, "%s is nothing that can be traced",
				 component_name(of->component));
	if (of->component == COMPONENT_EPP || of->component == COMPONENT_ROUTING_PROXY)
		status = set_help(values, of, err);
	else
		set_python(values, of);
	if (status != STATUS_OK)
		return status;
	json_set_str(values, "NAME", name);
	json_set_str(values, "NAMESPACE", namespace_name);
	json_set_str(values, "IMAGE", of->image);
	set_copy(values, "PULL_POLICY", json_member(of->container, "imagePullPolicy"));
	set_copy(values, "PULL_SECRETS", json_member(of->pod_spec, "imagePullSecrets"));
	set_copy(values, "SERVICE_ACCOUNT", json_member(of->pod_spec, "serviceAccountName"));
	set_place(values, of);
	set_env(values, of);
	set_security(values, of);
	return template_render("rehearsal-pod.yaml", values, ret_pod, err);
}
