/* SPDX-License-Identifier: Apache-2.0 */
/* The pod that a StatefulSet keeps of our edit after the revert: when it is deleted, and when it is left alone. */
#include "failing.h"

#define STATEFULSET                                                                                \
	"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s, uid: s, generation: 1}\n"     \
	"spec: {replicas: 2, podManagementPolicy: OrderedReady, selector: {matchLabels: {app: "    \
	"s}}, template: {metadata: {labels: {app: s, llm-d.ai/inference-serving: 'true'}}, spec: " \
	"{containers: [{name: vllm, image: 'vllm/vllm-openai:v0.23.0', command: [vllm, serve], "   \
	"args: [m]}]}}}\nstatus: {observedGeneration: 1, replicas: 2, updatedReplicas: 2, "        \
	"readyReplicas: 2, currentRevision: r1, updateRevision: r1}\n---\n"

static const struct {
	const char *what;
	const char *spec; /* merged into the object's spec, or NULL */
	const char *status;
	const char *pod; /* merged into the pod's metadata */
	const char *ready;
	const char *want;
} leftovers[] = {
    {"crashed with our edit", NULL, "{\"observedGeneration\": 9}", "{}", "False",
     "delete Pod/pod-1; event StatefulSet/s Reverted; event Tracing/llm-d Reverted"},
    {"the revert was not seen yet", NULL, "{\"observedGeneration\": 2}", "{}", "False", ""},
    {"of the newest revision", NULL, "{\"observedGeneration\": 9, \"updateRevision\": \"r2\"}",
     "{}", "False", ""},
    {"of another owner", NULL, "{\"observedGeneration\": 9}",
     "{\"ownerReferences\": [{\"uid\": \"x\", \"controller\": true}]}", "False", ""},
    {"being deleted", NULL, "{\"observedGeneration\": 9}", "{\"deletionTimestamp\": \"x\"}",
     "False", ""},
    {"was Ready once", NULL, "{\"observedGeneration\": 9}", "{}", "Once", ""},
    {"replaced by its controller", "{\"podManagementPolicy\": \"Parallel\"}",
     "{\"observedGeneration\": 9}", "{}", "False", NULL},
    {"replaced by hand", "{\"updateStrategy\": {\"type\": \"OnDelete\"}}",
     "{\"observedGeneration\": 9}", "{}", "False", NULL},
};

static void merge(cJSON *target, const char *json)
{
	cJSON *changes = NULL;
	const cJSON *item = NULL;
	struct error err;
	if (json == NULL || !CHECK(json_parse(json, strlen(json), &changes, &err) == STATUS_OK))
		return;
	cJSON_ArrayForEach(item, changes)
	{
		json_set(target, item->string, json_clone(item));
	}
	cJSON_Delete(changes);
}

static cJSON *crashed_pod(const cJSON *spec, const char *metadata, const char *ready)
{
	cJSON *pod = cJSON_CreateObject();
	merge(pod,
	      "{\"metadata\": {\"name\": \"pod-1\", \"uid\": \"u1\", \"resourceVersion\": \"7\", "
	      "\"labels\": {\"controller-revision-hash\": \"r2\"}, \"ownerReferences\": "
	      "[{\"uid\": \"s\", \"controller\": true}]}, \"status\": {\"startTime\": "
	      "\"2026-01-01T00:00:00Z\", \"containerStatuses\": " CRASHED "}}");
	json_set(pod, "spec", json_clone(spec));
	merge(json_member_mut(pod, "metadata"), metadata);
	if (strcmp(ready, "Once") == 0)
		merge(json_member_mut(pod, "status"),
		      "{\"conditions\": [{\"type\": \"Ready\", \"status\": \"False\", "
		      "\"lastTransitionTime\": \"2026-01-01T01:00:00Z\"}]}");
	return pod;
}

static void change(struct scene *scene, const char *spec, const char *status)
{
	cJSON *object = object_parse(store_get(scene->store, RESOURCE_STATEFULSET, "team", "s"));
	merge(json_member_mut(object, "spec"), spec);
	merge(json_member_mut(object, "status"), status);
	scene_put(scene, object);
	cJSON_Delete(object);
}

static void check_statefulset(struct scene *scene, const char *what, const char *want)
{
	CLEANUP(str_freep) char *got = look_at(scene, RESOURCE_STATEFULSET, "s");
	CHECK_STR_ROW(got, want, what);
}

static void check_leftover(size_t i)
{
	struct scene scene;
	const char *what = leftovers[i].what;
	begin(&scene, ALL STATEFULSET);
	check_statefulset(&scene, what,
			  "patch StatefulSet/s; event StatefulSet/s Injected; event Tracing/llm-d "
			  "Injected");
	change(&scene, NULL, "{\"readyReplicas\": 1, \"updateRevision\": \"r2\"}");
	check_statefulset(&scene, what, "pods Pod/");
	cJSON *object = object_parse(store_get(scene.store, RESOURCE_STATEFULSET, "team", "s"));
	cJSON *pod = crashed_pod(json_get(object, "spec.template.spec"), leftovers[i].pod,
				 leftovers[i].ready);
	cJSON *crashed = crashed_pod(json_get(object, "spec.template.spec"), "{}", "False");
	cJSON_Delete(object);
	struct roster_row *row = roster_find(&scene.space->roster, RESOURCE_STATEFULSET, "s");
	pods_seen_put(&row->seen, 1, crashed, false);
	check_statefulset(&scene, what, "log Pod/pod-1");
	row->seen.log = xstrdup("CUDA error");
	check_statefulset(&scene, what,
			  "status; patch StatefulSet/s; event StatefulSet/s Reverted; event "
			  "Tracing/llm-d Reverted");
	/* also by the next process */
	cJSON *tracing = object_parse(store_get(scene.store, RESOURCE_TRACING, "team", "llm-d"));
	json_set(json_member_mut(tracing, "status"), "workloads",
		 roster_status(&scene.space->roster));
	scene_put(&scene, tracing);
	cJSON_Delete(tracing);
	restart(&scene);
	change(&scene, leftovers[i].spec, "{\"updateRevision\": \"r1\"}");
	change(&scene, NULL, leftovers[i].status);
	check_statefulset(&scene, what, leftovers[i].want == NULL ? "" : "pods Pod/");
	row = roster_find(&scene.space->roster, RESOURCE_STATEFULSET, "s");
	if (leftovers[i].want == NULL) {
		cJSON_Delete(pod);
	} else {
		pods_seen_put(&row->seen, 1, pod, false);
		check_statefulset(&scene, what, leftovers[i].want);
		row->seen.undeletable = true;
		check_statefulset(&scene, what, "");
		CHECK((strstr(row->message, "delete that pod, pod-1") != NULL) ==
		      (leftovers[i].want[0] != '\0'));
	}
	scene_release(&scene);
}

TEST(what_a_statefulset_keeps_of_our_edit_is_deleted)
{
	for (size_t i = 0; i < ARRAY_LEN(leftovers); i++)
		check_leftover(i);
}
