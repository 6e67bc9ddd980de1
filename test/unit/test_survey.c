/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/yaml.h"
#include "controller/survey.h"

#define NODE(NAME, GPUS, REST)                                                                     \
	"kind: Node\nmetadata: {name: " NAME ", labels: {pool: gpu, zone: '" NAME                  \
	"', size: '8'}}\nstatus: {allocatable: {cpu: '64', pods: '110', nvidia.com/gpu: '" GPUS    \
	"'}}\n" REST "\n---\n"
#define POD(NODE, GPUS, PHASE)                                                                     \
	"kind: Pod\nspec: {nodeName: " NODE                                                        \
	", containers: [{name: c, resources: {requests: {cpu: "                                    \
	"'1', nvidia.com/gpu: '" GPUS "'}}}]}\nstatus: {phase: " PHASE "}\n---\n"
#define WANTS(GPUS) "containers: [{name: c, resources: {limits: {nvidia.com/gpu: '" GPUS "'}}}]"
#define DEPLOYMENT(SPEC, POD)                                                                      \
	"kind: Deployment\nmetadata: {name: w}\nspec: {" SPEC ", template: {spec: {" POD           \
	"}}}\nstatus: {availableReplicas: 1}"

static const struct {
	const char *what;
	const char *cluster;
	const char *object;
	const char *words; /* begin of; NULL: it can be placed, or need not be */
} table[] = {
    {"room for a surge pod", NODE("a", "8", "") POD("a", "4", "Running"),
     DEPLOYMENT("replicas: 1", WANTS("4")), NULL},
    {"one GPU too few", NODE("a", "8", "") POD("a", "5", "Running"),
     DEPLOYMENT("replicas: 1", WANTS("4")),
     "a new pod with 4 nvidia.com/gpu has to be placed before an old one may go, and of 1 nodes "
     "that admit it none has room (the most that is free: 3)"},
    {"free ones on two nodes do not add up", NODE("a", "2", "") NODE("b", "3", ""),
     DEPLOYMENT("replicas: 1", WANTS("4")),
     "a new pod with 4 nvidia.com/gpu has to be placed before an old one may go, and of 2 nodes "
     "that admit it none has room (the most that is free: 3)"},
    {"finished pods take nothing",
     NODE("a", "4", "") POD("a", "4", "Succeeded") POD("a", "4", "Failed"),
     DEPLOYMENT("replicas: 1", WANTS("4")), NULL},
    {"one goes before the other comes", NODE("a", "4", "") POD("a", "4", "Running"),
     DEPLOYMENT("replicas: 1, strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}",
		WANTS("4")),
     NULL},
    {"four replicas may lose one", NODE("a", "4", "") POD("a", "4", "Running"),
     DEPLOYMENT("replicas: 4", WANTS("1")), NULL},
    {"no accelerator: not our question", NODE("a", "0", ""),
     DEPLOYMENT("replicas: 1", "containers: [{name: c, resources: {limits: {cpu: '100'}}}]"), NULL},
    {"limits that are none", NODE("a", "0", ""),
     DEPLOYMENT("replicas: 1", "containers: [{name: c, resources: {limits: [nvidia.com/gpu]}}]"),
     NULL},
    {"beside some that are", NODE("a", "8", ""),
     DEPLOYMENT("replicas: 1", "containers: [{name: a, resources: {limits: [x]}}, {name: b, "
			       "resources: {limits: {nvidia.com/gpu: '9'}}}]"),
     "a new pod with 9 nvidia.com/gpu has to be placed"},
    {"cpu counts too where there is one", NODE("a", "8", ""),
     DEPLOYMENT("replicas: 1", "containers: [{name: c, resources: {limits: {nvidia.com/gpu: '1', "
			       "cpu: '65'}}}]"),
     "a new pod with 65 cpu has to be placed"},
    {"a limit counts beside requests of other things", NODE("a", "3", ""),
     DEPLOYMENT("replicas: 1", "containers: [{name: c, resources: {requests: {cpu: '1'}, limits: "
			       "{nvidia.com/gpu: '4'}}}]"),
     "a new pod with 4 nvidia.com/gpu has to be placed"},
    {"each alone would fit, on no node both",
     NODE("a", "8", "") POD("a", "2", "Running") NODE("b", "1", "")
	 NODE("c", "8",
	      "spec: {taints: "
	      "[{key: x, effect: NoSchedule}]}"),
     DEPLOYMENT("replicas: 1", "containers: [{name: c, resources: {limits: {nvidia.com/gpu: '5', "
			       "cpu: '64'}}}]"),
     "a new pod with 5 nvidia.com/gpu has to be placed before an old one may go, and of 2 nodes "
     "that admit it none has room (the most that is free: 6)"},
    {"what a sandbox costs", NODE("a", "4", ""),
     DEPLOYMENT("replicas: 1", WANTS("1") ", overhead: {cpu: '65'}"), "a new pod with 65 cpu"},
    {"not Ready yet: it holds its accelerators all the same",
     NODE("a", "4", "") POD("a", "4", "Pending"),
     "kind: Deployment\nmetadata: {name: w}\nspec: {replicas: 1, template: {spec: {" WANTS(
	 "4") "}}}",
     "a new pod with 4 nvidia.com/gpu"},
    {"scaled to nothing", NODE("a", "0", ""), DEPLOYMENT("replicas: 0", WANTS("4")), NULL},
    {"cordoned, and tolerated with everything else", NODE("a", "8", "spec: {unschedulable: true}"),
     DEPLOYMENT("replicas: 1", WANTS("1") ", tolerations: [{operator: Exists}]"), NULL},
    {"cordoned", NODE("a", "8", "spec: {unschedulable: true}"),
     DEPLOYMENT("replicas: 1", WANTS("1")),
     "a new pod with 1 nvidia.com/gpu has to be placed before an old one may go, and of 0 nodes"},
    {"tainted", NODE("a", "8", "spec: {taints: [{key: gpu, value: 'yes', effect: NoSchedule}]}"),
     DEPLOYMENT("replicas: 1", WANTS("1")), "a new pod"},
    {"tolerated", NODE("a", "8", "spec: {taints: [{key: gpu, value: 'yes', effect: NoSchedule}]}"),
     DEPLOYMENT("replicas: 1", WANTS("1") ", tolerations: [{key: gpu, operator: Exists}]"), NULL},
    {"tolerated by value",
     NODE("a", "8", "spec: {taints: [{key: gpu, value: 'yes', effect: NoSchedule}]}"),
     DEPLOYMENT("replicas: 1", WANTS("1") ", tolerations: [{key: gpu, value: 'no'}]"), "a new pod"},
    {"only preferred", NODE("a", "8", "spec: {taints: [{key: x, effect: PreferNoSchedule}]}"),
     DEPLOYMENT("replicas: 1", WANTS("1")), NULL},
    {"another pool's nodes", NODE("a", "8", ""),
     DEPLOYMENT("replicas: 1", WANTS("1") ", nodeSelector: {pool: other}"), "a new pod"},
    {"node affinity: one term is enough", NODE("a", "8", ""),
     DEPLOYMENT("replicas: 1",
		WANTS("1") ", affinity: {nodeAffinity: "
			   "{requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
			   "[{matchExpressions: [{key: zone, operator: In, values: [b]}]}, "
			   "{matchExpressions: [{key: size, operator: Gt, values: ['4']}, {key: x, "
			   "operator: DoesNotExist}]}]}}}"),
     NULL},
    {"node affinity: none", NODE("a", "8", ""),
     DEPLOYMENT("replicas: 1",
		WANTS("1") ", affinity: {nodeAffinity: "
			   "{requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
			   "[{matchExpressions: [{key: zone, operator: NotIn, values: [a]}]}, "
			   "{matchFields: [{key: metadata.name, operator: In, values: [b]}]}]}}}"),
     "a new pod"},
    {"a sidecar is part of the pod, an init container is not beside it", NODE("a", "4", ""),
     DEPLOYMENT(
	 "replicas: 1",
	 WANTS("3") ", initContainers: [{name: i, resources: {limits: {nvidia.com/gpu: '4'}}}, "
		    "{name: s, restartPolicy: Always, resources: {limits: {nvidia.com/gpu: "
		    "'1'}}}]"),
     NULL},
    {"an init container runs beside the sidecars before it", NODE("a", "4", ""),
     DEPLOYMENT(
	 "replicas: 1",
	 WANTS("1") ", initContainers: [{name: s, restartPolicy: Always, resources: {limits: "
		    "{nvidia.com/gpu: '1'}}}, {name: i, resources: {limits: {nvidia.com/gpu: "
		    "'4'}}}]"),
     "a new pod with 5 nvidia.com/gpu"},
    {"a group needs room for all its pods at once", NODE("a", "8", "") NODE("b", "7", ""),
     "kind: LeaderWorkerSet\nmetadata: {name: w}\nspec: {replicas: 1, rolloutStrategy: "
     "{rollingUpdateConfiguration: {maxSurge: 1, maxUnavailable: 0}}, leaderWorkerTemplate: {size: "
     "2, workerTemplate: {spec: {" WANTS("8") "}}}}\nstatus: {readyReplicas: 1}",
     "a new pod with 8 nvidia.com/gpu has to be placed before an old one may go, and of 2 nodes "
     "that admit it none has room (the most that is free: 7)"},
    {"and gets it", NODE("a", "8", "") NODE("b", "8", ""),
     "kind: LeaderWorkerSet\nmetadata: {name: w}\nspec: {replicas: 1, rolloutStrategy: "
     "{rollingUpdateConfiguration: {maxSurge: 1, maxUnavailable: 0}}, leaderWorkerTemplate: {size: "
     "2, workerTemplate: {spec: {" WANTS("8") "}}}}\nstatus: {readyReplicas: 1}",
     NULL},
};

static void read_cluster(const char *yaml, struct survey *survey)
{
	struct yaml_stream stream;
	struct error err = {.message = ""};
	if (!CHECK_INT(yaml_read_stream(yaml, strlen(yaml), &stream, NULL, &err), STATUS_OK)) {
		printf("%s\n", err.message);
		return;
	}
	for (size_t i = 0; i < stream.count; i++) {
		const cJSON *tree = stream.documents[i].tree;
		const char *kind = json_str(tree, "kind");
		if (kind != NULL && strcmp(kind, "Node") == 0)
			survey_add_node(survey, tree);
		else if (kind != NULL)
			survey_add_pod(survey, tree);
	}
	yaml_stream_release(&stream);
}

TEST(would_a_surge_pod_find_a_place)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct survey survey = {.count = 0};
		struct replica_sets sets;
		struct facts facts = {0};
		struct error err = {.message = ""};
		char words[300] = "";
		CLEANUP(json_freep) cJSON *object = NULL;
		read_cluster(table[i].cluster, &survey);
		CHECK_INT_ROW(yaml_read(table[i].object, strlen(table[i].object), &object, &err),
			      STATUS_OK, table[i].what);
		replica_sets_read(object, &facts, &sets);
		/* twice: what was placed for the look is taken off again */
		bool first = survey_would_deadlock(&survey, &sets, words, sizeof(words));
		bool second = survey_would_deadlock(&survey, &sets, words, sizeof(words));
		CHECK_INT_ROW(first, table[i].words != NULL, table[i].what);
		CHECK_INT_ROW(second, first, table[i].what);
		if (table[i].words != NULL && strlen(words) > strlen(table[i].words))
			words[strlen(table[i].words)] = '\0';
		if (table[i].words != NULL)
			CHECK_STR_ROW(words, table[i].words, table[i].what);
		survey_release(&survey);
	}
}
