/* SPDX-License-Identifier: Apache-2.0 */
/* A scene whose pods do not come up: its workloads, what is put on them, and what a look at them does. */
#ifndef LLMD_TEST_UNIT_FAILING_H
#define LLMD_TEST_UNIT_FAILING_H

#include "scene.h"

#include "base/alloc.h"
#include "base/limits.h"

#define ALL                                                                                        \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: team, annotations: "                    \
	"{tracing.llm-d.io/enabled: 'true'}}\n---\n"                                               \
	"apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: llm-d}\nspec: "    \
	"{}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: otel-collector, "        \
	"labels: {app.kubernetes.io/managed-by: llmd-tracing}}\nstatus: {observedGeneration: 1, "  \
	"availableReplicas: 1, conditions: [{type: Available, status: 'True'}]}\n---\n"
#define SERVER_AT(NAME, IMAGE, READY, META)                                                        \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " NAME ", generation: 1" META     \
	"}\nspec: {replicas: 1, selector: {matchLabels: {app: " NAME "}}, template: {metadata: "   \
	"{labels: {app: " NAME ", llm-d.ai/inference-serving: 'true'}}, spec: {containers: "       \
	"[{name: vllm, image: 'vllm/vllm-openai:" IMAGE "', command: [vllm, serve], args: "        \
	"[m]}]}}}\nstatus: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, "              \
	"availableReplicas: " READY "}\n---\n"
#define SERVER(NAME) SERVER_AT(NAME, "v0.23.0", "1", "")

enum { SECOND_MS = 1000 };

__attribute__((unused)) static struct roster_row *row_of(const struct scene *scene,
							 const char *name)
{
	return roster_find(&scene->space->roster, RESOURCE_DEPLOYMENT, name);
}

__attribute__((unused)) static void check_row(const struct scene *scene, const char *name,
					      enum workload_state state, enum reason reason)
{
	const struct roster_row *row = row_of(scene, name);
	if (!CHECK(row != NULL))
		return;
	CHECK_STR_ROW(workload_state_name(row->state), workload_state_name(state), name);
	CHECK_STR_ROW(reason_info(row->reason)->word, reason_info(reason)->word, name);
}

/* The node that a pointer's last step is in, to be changed. */
__attribute__((unused)) static cJSON *parent_of(cJSON *object, const char *path,
						const char **ret_last)
{
	union {
		const cJSON *in;
		cJSON *out;
	} parent;
	const char *last = strrchr(path, '/');
	CLEANUP(str_freep) char *before = xstrndup(path, (size_t)(last - path));
	parent.in = json_pointer_get(object, before);
	*ret_last = last + 1;
	return parent.out;
}

__attribute__((unused)) static void carry_out(cJSON *object, const cJSON *operation)
{
	const char *last = NULL;
	const char *path = json_str(operation, "path");
	const char *op = json_str(operation, "op");
	cJSON *parent = parent_of(object, path, &last);
	if (!CHECK(parent != NULL))
		return;
	if (cJSON_IsArray(parent)) {
		int index = last[0] == '-' ? cJSON_GetArraySize(parent) : atoi(last);
		if (strcmp(op, "add") != 0)
			cJSON_DeleteItemFromArray(parent, index);
		if (strcmp(op, "remove") != 0)
			json_insert(parent, (size_t)index,
				    json_clone(json_member(operation, "value")));
		return;
	}
	char key[128];
	const char *slash = strstr(last, "~1");
	(void)snprintf(key, sizeof(key), "%.*s%s%s", slash == NULL ? 100 : (int)(slash - last),
		       last, slash == NULL ? "" : "/", slash == NULL ? "" : slash + 2);
	if (strcmp(op, "remove") == 0)
		cJSON_DeleteItemFromObjectCaseSensitive(parent, key);
	else
		json_set(parent, key, json_clone(json_member(operation, "value")));
}

__attribute__((unused)) static void apply(struct scene *scene, const struct intent *intent)
{
	cJSON *object =
	    object_parse(store_get(scene->store, intent->resource, "team", intent->name));
	const cJSON *operation = NULL;
	cJSON_ArrayForEach(operation, intent->body)
	{
		carry_out(object, operation);
	}
	json_set_int(json_member_mut(object, "metadata"), "generation",
		     json_int(object, "metadata.generation", 0) + 1);
	scene_put(scene, object);
	cJSON_Delete(object);
}

/* One look; what it writes to the workload and to the status is carried out. */
__attribute__((unused)) static char *look_at(struct scene *scene, enum resource_id resource,
					     const char *name)
{
	struct intents intents;
	char *got = scene_workload(scene, resource, name, &intents);
	for (size_t i = 0; i < intents.count; i++)
		if (intents.items[i].type == INTENT_PATCH)
			apply(scene, &intents.items[i]);
	scene_carry_out(scene, &intents);
	intents_release(&intents);
	return got;
}

__attribute__((unused)) static char *look(struct scene *scene, const char *name)
{
	return look_at(scene, RESOURCE_DEPLOYMENT, name);
}

__attribute__((unused)) static void check_look(struct scene *scene, const char *name,
					       const char *want)
{
	CLEANUP(str_freep) char *got = look(scene, name);
	CHECK_STR(got, want);
}

/* What the watch of its pods tells: one of the newest template, in that state. */
__attribute__((unused)) static void answer(struct scene *scene, const char *name,
					   const char *status)
{
	struct pods_seen *seen = &row_of(scene, name)->seen;
	cJSON *object = object_parse(store_get(scene->store, RESOURCE_DEPLOYMENT, "team", name));
	cJSON *state = NULL;
	struct error err;
	CHECK(json_parse(status, strlen(status), &state, &err) == STATUS_OK);
	cJSON *pod = cJSON_CreateObject();
	cJSON *metadata = json_set_object(pod, "metadata");
	json_set_str(metadata, "name", "pod-0");
	json_set_str(metadata, "uid", "pod-0");
	json_set(pod, "spec", json_clone(json_get(object, "spec.template.spec")));
	json_set(json_set_object(pod, "status"), "containerStatuses", state);
	pods_seen_put(seen, 1, pod, false);
	cJSON_Delete(object);
}

#define CRASHED                                                                                    \
	"[{\"name\": \"vllm\", \"ready\": false, \"state\": {\"waiting\": {\"reason\": "           \
	"\"CrashLoopBackOff\"}}, \"lastState\": {\"terminated\": {\"exitCode\": 1}}}]"
#define PULLS                                                                                      \
	"[{\"name\": \"vllm\", \"ready\": false, \"state\": {\"waiting\": {\"reason\": "           \
	"\"ImagePullBackOff\"}}}]"
#define RUNS "[{\"name\": \"vllm\", \"ready\": false, \"state\": {\"running\": {}}}]"
#define WRITTEN(NAME)                                                                              \
	"patch Deployment/" NAME "; event Deployment/" NAME                                        \
	" Injected; event Tracing/llm-d Injected"
#define REVERTED(NAME)                                                                             \
	"status; patch Deployment/" NAME "; event Deployment/" NAME                                \
	" Reverted; event Tracing/llm-d Reverted"

/* Written, its pods asked for, crashed, its log asked for: what the look after that does. */
__attribute__((unused)) static void crash(struct scene *scene, const char *name, const char *log,
					  const char *want)
{
	check_look(scene, name, "pods Pod/");
	check_row(scene, name, WORKLOAD_PENDING, REASON_ROLLING_OUT);
	answer(scene, name, CRASHED);
	check_look(scene, name, "log Pod/pod-0");
	row_of(scene, name)->seen.log = xstrdup(log);
	if (log[0] == '\0') { /* that of the container before it; then that of this one */
		check_look(scene, name, "log Pod/pod-0");
		row_of(scene, name)->seen.log = xstrdup("");
	}
	check_look(scene, name, want);
}

__attribute__((unused)) static void begin(struct scene *scene, const char *objects)
{
	scene_init(scene);
	scene->options.version = "1.0";
	scene_add(scene, objects);
}

/* The process ends; the next one begins with what stands in the status. */
__attribute__((unused)) static void restart(struct scene *scene)
{
	namespace_free(scene->space);
	scene->space = namespace_new("team");
}

#endif
