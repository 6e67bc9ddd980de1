/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/yaml.h"
#include "controller/rollout.h"

#define DEPLOYMENT(SPEC, STATUS)                                                                   \
	"kind: Deployment\nmetadata: {generation: 2}\nspec: {template: {spec: {}}, " SPEC          \
	"}\nstatus: {" STATUS "}"
#define STATEFULSET(SPEC, STATUS)                                                                  \
	"kind: StatefulSet\nmetadata: {generation: 2}\nspec: {template: {spec: {}}, " SPEC         \
	"}\nstatus: {observedGeneration: 2, " STATUS "}"
#define LWS(SPEC, STATUS)                                                                          \
	"kind: LeaderWorkerSet\nmetadata: {generation: 2}\nspec: {leaderWorkerTemplate: {size: "   \
	"4, "                                                                                      \
	"workerTemplate: {spec: {}}}, " SPEC "}\nstatus: {" STATUS "}"
#define ROLES                                                                                      \
	"kind: DisaggregatedSet\nmetadata: {generation: 2}\nspec: {roles: [{name: prefill, spec: " \
	"{replicas: 1, leaderWorkerTemplate: {workerTemplate: {spec: {}}}}}, {name: decode, "      \
	"spec: "                                                                                   \
	"{replicas: 2, leaderWorkerTemplate: {workerTemplate: {spec: {}}}}}]}\nstatus: "
#define PART(NAME, N, READY)                                                                       \
	"{name: " NAME ", replicas: " N ", updatedReplicas: " N ", readyReplicas: " READY "}"

static const struct {
	const char *what;
	const char *object;
	const char *phase;
	long pods; /* that a change of the template replaces */
} table[] = {
    {"Deployment: complete",
     DEPLOYMENT("replicas: 2", "observedGeneration: 2, replicas: 2, updatedReplicas: 2, "
			       "availableReplicas: 2"),
     "complete", 2},
    {"Deployment: the controller has not seen it",
     DEPLOYMENT("replicas: 2", "observedGeneration: 1, replicas: 2, updatedReplicas: 2, "
			       "availableReplicas: 2"),
     "progressing", 2},
    {"Deployment: no status yet", DEPLOYMENT("replicas: 1", ""), "progressing", 1},
    {"Deployment: an old pod is left",
     DEPLOYMENT("replicas: 2", "observedGeneration: 2, replicas: 3, updatedReplicas: 2, "
			       "availableReplicas: 3"),
     "progressing", 2},
    {"Deployment: new but not available",
     DEPLOYMENT("replicas: 2", "observedGeneration: 2, replicas: 2, updatedReplicas: 2, "
			       "availableReplicas: 1, readyReplicas: 2"),
     "progressing", 2},
    {"Deployment: paused halfway",
     DEPLOYMENT("replicas: 2, paused: true",
		"observedGeneration: 2, replicas: 2, updatedReplicas: 1, availableReplicas: 2"),
     "held back", 0},
    {"Deployment: without replicas", DEPLOYMENT("replicas: 0", "observedGeneration: 2"), "complete",
     0},
    {"StatefulSet: complete",
     STATEFULSET("replicas: 2", "replicas: 2, updatedReplicas: 2, readyReplicas: 2, "
				"currentRevision: b, updateRevision: b"),
     "complete", 2},
    {"StatefulSet: between revisions",
     STATEFULSET("replicas: 2", "replicas: 2, updatedReplicas: 2, readyReplicas: 2, "
				"currentRevision: a, updateRevision: b"),
     "progressing", 2},
    {"StatefulSet: one is loading",
     STATEFULSET("replicas: 2", "replicas: 2, updatedReplicas: 1, readyReplicas: 1, "
				"currentRevision: a, updateRevision: b"),
     "progressing", 2},
    {"StatefulSet: OnDelete leaves it to people",
     STATEFULSET("replicas: 2, updateStrategy: {type: OnDelete}",
		 "replicas: 2, updatedReplicas: 1, readyReplicas: 2, currentRevision: a, "
		 "updateRevision: b"),
     "held back", 0},
    {"StatefulSet: up to its partition",
     STATEFULSET("replicas: 4, updateStrategy: {rollingUpdate: {partition: 3}}",
		 "replicas: 4, updatedReplicas: 1, readyReplicas: 4, currentRevision: a, "
		 "updateRevision: b"),
     "held back", 1},
    {"StatefulSet: not yet up to its partition",
     STATEFULSET("replicas: 4, updateStrategy: {rollingUpdate: {partition: 2}}",
		 "replicas: 4, updatedReplicas: 1, readyReplicas: 4, currentRevision: a, "
		 "updateRevision: b"),
     "progressing", 2},
    {"LeaderWorkerSet: complete; pods are groups times size",
     LWS("replicas: 2", "observedGeneration: 2, replicas: 2, updatedReplicas: 2, readyReplicas: 2"),
     "complete", 8},
    {"LeaderWorkerSet: an old version tells no generation",
     LWS("replicas: 2", "replicas: 2, updatedReplicas: 1, readyReplicas: 1"), "progressing", 8},
    {"LeaderWorkerSet: a surge group is left",
     LWS("replicas: 2", "observedGeneration: 2, replicas: 3, updatedReplicas: 2, readyReplicas: 3"),
     "progressing", 8},
    {"LeaderWorkerSet: partition",
     LWS("replicas: 2, rolloutStrategy: {rollingUpdateConfiguration: {partition: 1}}",
	 "observedGeneration: 2, replicas: 2, updatedReplicas: 1, readyReplicas: 2"),
     "held back", 4},
    {"LeaderWorkerSet: no status", LWS("replicas: 1", ""), "progressing", 4},
    {"DisaggregatedSet: complete",
     ROLES "{observedGeneration: 2, roleStatuses: [" PART("prefill", "1",
							  "1") ", " PART("decode", "2", "2") "]}",
     "complete", 3},
    {"DisaggregatedSet: one role is behind",
     ROLES "{observedGeneration: 2, roleStatuses: [" PART("prefill", "1",
							  "1") ", " PART("decode", "2", "1") "]}",
     "progressing", 3},
    {"DisaggregatedSet: a role is not told of",
     ROLES "{observedGeneration: 2, roleStatuses: [" PART("prefill", "1", "1") "]}", "progressing",
     3},
    {"ReplicaSet: its pods stay",
     "kind: ReplicaSet\nmetadata: {generation: 2}\nspec: {replicas: 2, template: {spec: {}}}\n"
     "status: {observedGeneration: 2, replicas: 2, readyReplicas: 2}",
     "complete", 0},
    {"ModelService without children", "kind: ModelService\nspec: {}", "complete", 0},
};

static cJSON *tree_of(const char *yaml)
{
	struct yaml_stream stream;
	struct error err = {.message = ""};
	if (!CHECK_INT(yaml_read_stream(yaml, strlen(yaml), &stream, NULL, &err), STATUS_OK)) {
		printf("%s\n", err.message);
		return NULL;
	}
	cJSON *tree = json_clone(stream.documents[0].tree);
	yaml_stream_release(&stream);
	return tree;
}

static const char *const phases[] = {[ROLLOUT_COMPLETE] = "complete",
				     [ROLLOUT_HELD_BACK] = "held back",
				     [ROLLOUT_PROGRESSING] = "progressing"};

TEST(completion_by_kind)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct facts facts = {0};
		struct rollout rollout;
		CLEANUP(json_freep) cJSON *object = tree_of(table[i].object);
		rollout_judge(object, &facts, &rollout);
		CHECK_STR_ROW(phases[rollout.phase], table[i].phase, table[i].what);
		CHECK_INT_ROW(rollout.pods, table[i].pods, table[i].what);
	}
}

/* A pod that runs proves the template that it runs; to be complete takes none. */
TEST(what_shows_that_a_template_works)
{
	static const char *const shown[] = {"Deployment: complete",
					    "StatefulSet: complete",
					    "StatefulSet: up to its partition",
					    "LeaderWorkerSet: complete; pods are groups times size",
					    "LeaderWorkerSet: partition",
					    "DisaggregatedSet: complete"};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct facts facts = {0};
		struct rollout rollout;
		bool want = false;
		CLEANUP(json_freep) cJSON *object = tree_of(table[i].object);
		for (size_t k = 0; k < ARRAY_LEN(shown); k++)
			want = want || strcmp(shown[k], table[i].what) == 0;
		rollout_judge(object, &facts, &rollout);
		CHECK_INT_ROW(rollout.shown, want, table[i].what);
	}
}

TEST(a_modelservice_is_its_children)
{
	CLEANUP(json_freep) cJSON *service = tree_of("kind: ModelService\nspec: {}");
	CLEANUP(json_freep)
	cJSON *decode = tree_of(DEPLOYMENT(
	    "replicas: 1",
	    "observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1"));
	CLEANUP(json_freep)
	cJSON *prefill = tree_of(DEPLOYMENT("replicas: 3", "observedGeneration: 1"));
	struct facts facts = {.children = {NULL, decode, NULL}};
	struct rollout rollout;
	rollout_judge(service, &facts, &rollout);
	CHECK_STR(phases[rollout.phase], "complete");
	CHECK_INT(rollout.generation, 2);
	facts.children[0] = prefill;
	rollout_judge(service, &facts, &rollout);
	CHECK_STR(phases[rollout.phase], "progressing");
	CHECK_INT(rollout.pods, 4);
	CHECK_INT(rollout.generation, 4);
}

/* How a rollout of each kind goes about it: DESIGN §7, KEP-961, LWS and DisaggregatedSet APIs. */
TEST(strategies)
{
	static const struct {
		const char *what;
		const char *object;
		long surge, unavailable;
	} rows[] = {
	    {"Deployment: 25 % of one", DEPLOYMENT("replicas: 1", ""), 1, 0},
	    {"Deployment: 25 % of 10", DEPLOYMENT("replicas: 10", ""), 3, 2},
	    {"Deployment: numbers",
	     DEPLOYMENT("replicas: 4, strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 2}}",
			""),
	     0, 2},
	    {"Deployment: percentages",
	     DEPLOYMENT(
		 "replicas: 4, strategy: {rollingUpdate: {maxSurge: 30%, maxUnavailable: 30%}}",
		 ""),
	     2, 1},
	    {"Deployment: both nothing",
	     DEPLOYMENT("replicas: 4, strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}",
			""),
	     0, 1},
	    {"Deployment: Recreate", DEPLOYMENT("replicas: 4, strategy: {type: Recreate}", ""), 0,
	     4},
	    {"StatefulSet", STATEFULSET("replicas: 4", "replicas: 4"), 0, 1},
	    {"LeaderWorkerSet: its defaults", LWS("replicas: 4", ""), 0, 1},
	    {"LeaderWorkerSet: surge",
	     LWS("replicas: 4, rolloutStrategy: {rollingUpdateConfiguration: {maxSurge: 1, "
		 "maxUnavailable: 0}}",
		 ""),
	     1, 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct facts facts = {0};
		struct replica_sets sets;
		CLEANUP(json_freep) cJSON *object = tree_of(rows[i].object);
		replica_sets_read(object, &facts, &sets);
		if (!CHECK_INT_ROW(sets.count, 1, rows[i].what))
			continue;
		CHECK_INT_ROW(sets.items[0].max_surge, rows[i].surge, rows[i].what);
		CHECK_INT_ROW(sets.items[0].max_unavailable, rows[i].unavailable, rows[i].what);
	}
}

#define POD(REST)                                                                                  \
	"kind: Deployment\nmetadata: {generation: 1}\nspec: {replicas: 1, template: {spec: "       \
	"{containers: [{name: c, " REST "}]}}}"
#define GPU "resources: {limits: {nvidia.com/gpu: '1'}}"

TEST(patience_follows_the_probes)
{
	static const struct {
		const char *what;
		const char *object;
		long seconds;
	} rows[] = {
	    {"nothing said: the image and the default deadline", POD("image: i"), 600},
	    {"a startup probe of 90 minutes",
	     POD(GPU ", startupProbe: {periodSeconds: 2, failureThreshold: 2700}"), 6000},
	    {"its defaults count", POD(GPU ", startupProbe: {initialDelaySeconds: 100}"), 730},
	    {"readiness comes after it",
	     POD("startupProbe: {}, readinessProbe: {periodSeconds: 30, failureThreshold: 4}"),
	     750},
	    {"a server whose probes bound nothing may load for an hour", POD(GPU), 4200},
	    {"the Deployment's own deadline",
	     "kind: Deployment\nspec: {progressDeadlineSeconds: 7200, template: {spec: {}}}", 7200},
	    {"minReadySeconds",
	     "kind: Deployment\nspec: {minReadySeconds: 30, template: {spec: {}}}", 630},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct facts facts = {0};
		struct rollout rollout;
		CLEANUP(json_freep) cJSON *object = tree_of(rows[i].object);
		rollout_judge(object, &facts, &rollout);
		CHECK_INT_ROW(rollout.patience_s, rows[i].seconds, rows[i].what);
	}
}

/* The Deployment's controller gives up after 10 minutes, whatever the probes allow. */
TEST(failing_is_what_exceeds_both_deadlines)
{
	struct facts facts = {0};
	struct rollout rollout;
	CLEANUP(json_freep)
	cJSON *object = tree_of(POD(GPU ", startupProbe: {periodSeconds: 10, failureThreshold: "
					"240}") "\nstatus: "
						"{conditions: [{type: Progressing, reason: "
						"ProgressDeadlineExceeded, lastUpdateTime: "
						"'2026-01-01T00:10:00Z'}]}");
	rollout_judge(object, &facts, &rollout);
	int64_t start = INT64_C(1767225600000000); /* 2026-01-01T00:00:00Z: the last progress */
	CHECK(rollout.past_deadline);
	CHECK(!rollout_is_failing(&rollout, start + INT64_C(2400) * 1000000)); /* 40 minutes */
	CHECK(!rollout_is_failing(&rollout, start + INT64_C(3000) * 1000000));
	CHECK(rollout_is_failing(&rollout, start + INT64_C(3001) * 1000000));
}

TEST(extended_resources)
{
	static const struct {
		const char *name;
		bool extended;
	} rows[] = {
	    {"cpu", false},
	    {"memory", false},
	    {"nvidia.com/gpu", true},
	    {"amd.com/gpu", true},
	    {"google.com/tpu", true},
	    {"gpu.intel.com/i915", true},
	    {"a.io/x", true},
	    {"hugepages-2Mi", false},
	    {"kubernetes.io/x", false},
	    {"requests.nvidia.com/gpu", false},
	    {"attachable-volumes.kubernetes.io/x", false},
	    {"ephemeral-storage", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT_ROW(resource_is_extended(rows[i].name), rows[i].extended, rows[i].name);
}
