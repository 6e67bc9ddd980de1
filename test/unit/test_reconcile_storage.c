/* SPDX-License-Identifier: Apache-2.0 */
/* The claim with Jaeger's traces: made, kept, taken away; and what BackendReady says of storage. */
#include "scene.h"

#include "base/alloc.h"

#define NS(VALUE)                                                                                  \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: team, uid: u, annotations: "            \
	"{tracing.llm-d.io/enabled: '" VALUE "'}}\n---\n"
#define TRACING(STORAGE)                                                                           \
	"apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: llm-d, "           \
	"generation: 2}\nspec: {backend: {jaeger: {storage: " STORAGE                              \
	"}}}\nstatus: {conditions: [{type: Enabled, status: 'True', reason: Annotated}]}\n---\n"
#define CLAIM(RETAIN, PHASE)                                                                       \
	"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: jaeger-data, annotations: " \
	"{tracing.llm-d.io/applied: x, tracing.llm-d.io/retain: '" RETAIN                          \
	"'}, labels: {app.kubernetes.io/managed-by: llmd-tracing}}\nstatus: {phase: " PHASE        \
	"}\n---\n"
#define JAEGER(AVAILABLE)                                                                          \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: jaeger, generation: 1, labels: "  \
	"{app.kubernetes.io/managed-by: llmd-tracing}}\nstatus: {observedGeneration: 1, "          \
	"availableReplicas: " AVAILABLE ", conditions: [{type: Available, status: 'True'}]}\n"

static const struct {
	const char *what;
	const char *objects;
	const char *part; /* of the intents */
	bool has_part;
	bool finished;
} claims[] = {
    {"memory needs none", NS("true") TRACING("{type: Memory}"), "PersistentVolumeClaim", false,
     false},
    {"badger gets one, before the pod that waits for it", NS("true") TRACING("{type: Badger}"),
     "apply PersistentVolumeClaim/jaeger-data (create); apply ConfigMap/jaeger-config", true,
     false},
    {"unless there is one already", NS("true") TRACING("{type: Badger, existingClaim: mine}"),
     "PersistentVolumeClaim", false, false},
    {"another type of storage leaves it",
     NS("true") TRACING("{type: Memory}") CLAIM("true", "Bound"), "PersistentVolumeClaim", false,
     false},
    {"or takes it away", NS("true") TRACING("{type: Memory}") CLAIM("false", "Bound"),
     "delete PersistentVolumeClaim/jaeger-data", true, false},
    {"the end of tracing leaves it, and is an end",
     NS("false") TRACING("{type: Badger}") CLAIM("true", "Bound"), "PersistentVolumeClaim", false,
     true},
    {"or takes it away", NS("false") TRACING("{type: Badger}") CLAIM("false", "Bound"),
     "delete PersistentVolumeClaim/jaeger-data", true, false},
    {"a namespace that kept one and was never switched on again",
     "apiVersion: v1\nkind: Namespace\nmetadata: {name: team, uid: u}\n---\n" CLAIM("true",
										    "Bound"),
     "PersistentVolumeClaim", false, true},
};

TEST(claims_by_state)
{
	for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
		struct scene scene;
		bool finished = false;
		scene_init(&scene);
		scene_add(&scene, claims[i].objects);
		CLEANUP(str_freep) char *got = scene_namespace(&scene, false, &finished, NULL);
		if (!CHECK((strstr(got, claims[i].part) != NULL) == claims[i].has_part))
			printf("  %s: %s\n", claims[i].what, got);
		CHECK_INT_ROW(finished, claims[i].finished, claims[i].what);
		scene_release(&scene);
	}
}

static const struct {
	const char *objects;
	const char *status;
	const char *reason;
} verdicts[] = {
    {NS("true") TRACING("{}") JAEGER("1"), "True", "Ephemeral"},
    {NS("true") TRACING("{}") JAEGER("0"), "False", "NotAvailable"},
    {NS("true") TRACING("{type: Badger}") CLAIM("true", "Bound") JAEGER("1"), "True", "Available"},
    {NS("true") TRACING("{type: Badger}") CLAIM("true", "Pending") JAEGER("0"), "False",
     "VolumePending"},
    {NS("true") TRACING("{type: Badger}") CLAIM("true", "Bound") JAEGER("0"), "False",
     "NotAvailable"},
    {NS("true") TRACING("{type: Cassandra, servers: [c]}") JAEGER("1"), "True", "Available"},
};

TEST(what_the_back_end_is_good_for)
{
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		struct scene scene;
		scene_init(&scene);
		scene_add(&scene, verdicts[i].objects);
		free(scene_namespace(&scene, true, NULL, NULL));
		cJSON *tracing =
		    object_parse(store_get(scene.store, RESOURCE_TRACING, "team", "llm-d"));
		const cJSON *ready = object_condition(tracing, "BackendReady");
		CHECK_STR_ROW(json_str(ready, "status"), verdicts[i].status, verdicts[i].reason);
		CHECK_STR(json_str(ready, "reason"), verdicts[i].reason);
		cJSON_Delete(tracing);
		scene_release(&scene);
	}
}
