/* SPDX-License-Identifier: Apache-2.0 */
/* How many writes of status a rollout costs. */
#include "scene.h"

#include "base/alloc.h"
#include "inject/patch.h"

static const struct {
	uint64_t at_ms; /* a write is wanted then */
	uint64_t wait_ms;
} wishes[] = {
    /* rare, or few: at once */
    {1000, 0},
    {1100, 0},
    {1200, 0},
    {1300, 0},
    /* then ever more sparingly */
    {1400, 400},
    {1800, 0},
    {1900, 900},
    {2800, 0},
    {2801, 1999},
    {4800, 0},
    {4801, 1999},
    {6800, 0},
    /* after a pause it begins anew */
    {11800, 0},
    {11801, 0},
};

TEST(few_writes_go_at_once_and_many_at_intervals)
{
	struct debounce debounce = {0};
	for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
		uint64_t wait = debounce_wait_ms(&debounce, wishes[i].at_ms);
		CHECK_INT(wait, wishes[i].wait_ms);
		if (wait == 0)
			debounce_note(&debounce, wishes[i].at_ms);
	}
}

#define PLACE                                                                                      \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: team, annotations: "                    \
	"{tracing.llm-d.io/enabled: 'true'}}\n---\n"                                               \
	"apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: llm-d}\nspec: "    \
	"{}\n---\n"                                                                                \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: otel-collector, labels: "         \
	"{app.kubernetes.io/managed-by: llmd-tracing}}\nstatus: {observedGeneration: 1, "          \
	"availableReplicas: 1, conditions: [{type: Available, status: 'True'}]}\n---\n"

/* Of that many pods, nothing of it traced. */
#define SERVER                                                                                     \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: decode, labels: "                 \
	"{llm-d.ai/inference-serving: 'true'}}\nspec: {replicas: 200, template: {metadata: "       \
	"{labels: {llm-d.ai/inference-serving: 'true'}}, spec: {containers: [{name: vllm, "        \
	"image: 'vllm/vllm-openai:v0.23.0', command: [vllm, serve], args: [m]}]}}}\nstatus: "      \
	"{observedGeneration: 1, replicas: 200, updatedReplicas: 200, availableReplicas: 200}\n"

struct rolling {
	struct scene scene;
	long version;
	size_t writes; /* of status */
};

/* The live Deployment with this in it, as the next event would bring it. */
static void put(struct rolling *r, const cJSON *patch, long generation, long updated, long ready)
{
	struct error err;
	cJSON *tree =
	    object_parse(store_get(r->scene.store, RESOURCE_DEPLOYMENT, "team", "decode"));
	if (patch != NULL)
		CHECK_INT(patch_apply(tree, patch, &err), STATUS_OK);
	char *version CLEANUP(str_freep) = xasprintf("%ld", ++r->version);
	json_set_str(json_member_mut(tree, "metadata"), "resourceVersion", version);
	json_set_int(json_member_mut(tree, "metadata"), "generation", generation);
	cJSON *status = json_member_mut(tree, "status");
	json_set_int(status, "observedGeneration", generation);
	json_set_int(status, "replicas", updated < 200 ? 201 : 200);
	json_set_int(status, "updatedReplicas", updated);
	json_set_int(status, "availableReplicas", ready);
	scene_put(&r->scene, tree);
	cJSON_Delete(tree);
}

/* The namespace is looked at after every look at the workload: nothing is left to a delay. */
static void look(struct rolling *r, struct intents *ret_intents)
{
	free(scene_workload(&r->scene, RESOURCE_DEPLOYMENT, "decode", ret_intents));
	char *summary CLEANUP(str_freep) = scene_namespace(&r->scene, true, NULL, NULL);
	r->writes += strstr(summary, "status") != NULL ? 1 : 0;
	r->scene.now.mono_ms += 1000;
	r->scene.now.wall_us += 1000000;
}

TEST(a_rollout_of_200_pods_costs_a_handful_of_writes)
{
	struct rolling r = {.version = 1000};
	struct intents intents;
	scene_init(&r.scene);
	scene_add(&r.scene, PLACE SERVER);
	look(&r, &intents);
	if (CHECK(intents.count > 0 && intents.items[0].type == INTENT_PATCH))
		put(&r, intents.items[0].body, 2, 0, 200);
	intents_release(&intents);
	size_t before = r.writes;
	for (long up = 0; up <= 200; up++) {
		put(&r, NULL, 2, up, up < 200 ? 199 : 200);
		look(&r, &intents);
		CHECK_INT(intents.count, 0);
		intents_release(&intents);
	}
	const struct roster_row *row =
	    roster_find(&r.scene.space->roster, RESOURCE_DEPLOYMENT, "decode");
	CHECK_INT(row->state, WORKLOAD_INJECTED);
	CHECK_INT(before, 1);
	CHECK_INT(r.writes - before, 2); /* rolling out; rolled out */
	scene_release(&r.scene);
}
