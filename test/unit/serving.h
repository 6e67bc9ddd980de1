/* SPDX-License-Identifier: Apache-2.0 */
/* A namespace that serves: YAML of its parts, and looks at its workloads one after the other. */
#ifndef LLMD_TEST_UNIT_SERVING_H
#define LLMD_TEST_UNIT_SERVING_H

#include "scene.h"

#include "inject/plan.h"

#define NS(VALUE)                                                                                  \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: team, annotations: "                    \
	"{tracing.llm-d.io/enabled: '" VALUE "'}}\n---\n"
#define TRACING(SPEC)                                                                              \
	"apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: "                  \
	"llm-d}\nspec: " SPEC "\n---\n"
#define COLLECTOR(AVAILABLE)                                                                       \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: otel-collector, labels: "         \
	"{app.kubernetes.io/managed-by: llmd-tracing}}\nstatus: {observedGeneration: 1, "          \
	"availableReplicas: 1, conditions: [{type: Available, status: '" AVAILABLE "'}]}\n---\n"
#define POOL                                                                                       \
	"apiVersion: inference.networking.k8s.io/v1\nkind: InferencePool\nmetadata: {name: "       \
	"pool}\n"                                                                                  \
	"spec: {selector: {matchLabels: {app: vllm}}, endpointPickerRef: {name: epp, "             \
	"failureMode: "                                                                            \
	"FailOpen}}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: epp}\nspec: {selector: " \
	"{app: epp}}\n---\n"
#define SERVER_META(NAME, META) SERVER_OF(NAME, META, "")
#define GPU_SERVER(NAME, META)  SERVER_OF(NAME, META, ", resources: {limits: {nvidia.com/gpu: 1}}")
#define SERVER_OF(NAME, META, MORE)                                                                \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " NAME ", " META "}\nspec: "      \
	"{replicas: 1, template: {metadata: {labels: {app: vllm}}, spec: {containers: [{name: "    \
	"modelserver, image: 'vllm/vllm-openai:v0.23.0', command: [vllm, serve], args: [m]" MORE   \
	"}]}}}\n"                                                                                  \
	"status: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: "     \
	"1}\n---\n"
#define SERVER(NAME) SERVER_META(NAME, "generation: 1")
#define EPP                                                                                        \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: picker}\nstatus: "                \
	"{observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1}\nspec: "   \
	"{template: "                                                                              \
	"{metadata: {labels: {app: epp}}, spec: {containers: [{name: epp, image: "                 \
	"'ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0', args: "                             \
	"['--tracing=false']}]}}}\n---\n"
#define ALL NS("true") TRACING("{}") COLLECTOR("True") POOL

/* Puts the workload into the store as the patch would leave it. */
__attribute__((unused)) static void apply_patch(struct scene *scene, const struct intent *intent,
						const char *version)
{
	cJSON *object =
	    object_parse(store_get(scene->store, intent->resource, "team", intent->name));
	cJSON *patched = NULL;
	struct error err;
	struct facts facts = {.evidence = EVIDENCE_POOL};
	struct settings settings;
	struct plan *plan = NULL;
	struct view view;
	struct policy policy;
	view_gather(&view, scene->store, scene->space, scene->access, &scene->options, scene->now);
	policy_decide(&view, &policy);
	settings_init_defaults(&settings);
	struct plan_input input = {.object = object,
				   .settings = policy.has_settings ? &policy.settings : &settings,
				   .settings_hash = policy.settings_hash,
				   .led_hash = policy.led_hash,
				   .facts = &facts,
				   .want =
				       policy.phase == PHASE_REMOVE ? PLAN_REMOVE : PLAN_INJECT};
	if (CHECK_INT(plan_build(&input, &plan, &err), STATUS_OK) &&
	    CHECK_INT(plan_apply(plan, object, &patched, &err), STATUS_OK)) {
		json_set_str(json_member_mut(patched, "metadata"), "resourceVersion", version);
		scene_put(scene, patched);
	}
	plan_freep(&plan);
	settings_release(&settings);
	policy_release(&policy);
	view_release(&view);
	cJSON_Delete(patched);
	cJSON_Delete(object);
}

__attribute__((unused)) static char *look(struct scene *scene, const char *name)
{
	struct intents intents;
	char *got = scene_workload(scene, RESOURCE_DEPLOYMENT, name, &intents);
	intents_release(&intents);
	return got;
}

__attribute__((unused)) static void look_and_write(struct scene *scene, const char *name,
						   const char *version)
{
	struct intents intents;
	free(scene_workload(scene, RESOURCE_DEPLOYMENT, name, &intents));
	if (CHECK(intents.count > 0 && intents.items[0].type == INTENT_PATCH))
		apply_patch(scene, &intents.items[0], version);
	intents_release(&intents);
}

__attribute__((unused)) static void check_row(struct scene *scene, const char *name,
					      enum workload_state state, enum reason reason)
{
	const struct roster_row *row =
	    roster_find(&scene->space->roster, RESOURCE_DEPLOYMENT, name);
	if (!CHECK(row != NULL))
		return;
	CHECK_STR_ROW(workload_state_name(row->state), workload_state_name(state), name);
	CHECK_STR_ROW(reason_info(row->reason)->word, reason_info(reason)->word, name);
}

#endif
