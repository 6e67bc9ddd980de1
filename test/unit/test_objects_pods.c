/* SPDX-License-Identifier: Apache-2.0 */
/* What the user may say about the pods of collector and Jaeger, and where it ends up. */
#include "rendered.h"

#define KNOBS                                                                                      \
	"{imagePullPolicy: Always, imagePullSecrets: [{name: reg}], priorityClassName: low, "      \
	"serviceAccountName: otel, affinity: {nodeAffinity: {x: 1}}, labels: {team: a, "           \
	"sidecar.istio.io/inject: 'true'}, annotations: {note: hello}, nodeSelector: {pool: "      \
	"cpu}, "                                                                                   \
	"tolerations: [{key: infra, operator: Exists}], resources: {requests: {cpu: '1'}}}"
#define BOTH      "{collector: " KNOBS ", backend: {jaeger: " KNOBS "}}"
#define COLLECTOR "Deployment/otel-collector"
#define JAEGER    "Deployment/jaeger"
#define CR        "OpenTelemetryCollector/otel"
#define POD(NAME) "/spec/template/spec/" NAME

static const struct {
	const char *name; /* below the pod's spec */
	const char *in_cr;
	const char *said;
	const char *unsaid; /* NULL: absent; "*": something of ours */
} knobs[] = {
    {"containers/0/imagePullPolicy", "imagePullPolicy", "\"Always\"", "\"IfNotPresent\""},
    {"containers/0/resources", "resources", "{\"requests\":{\"cpu\":\"1\"}}", "*"},
    {"imagePullSecrets", NULL, "[{\"name\":\"reg\"}]", NULL},
    {"priorityClassName", "priorityClassName", "\"low\"", NULL},
    {"serviceAccountName", "serviceAccount", "\"otel\"", NULL},
    {"affinity", "affinity", "{\"nodeAffinity\":{\"x\":1}}", "*"},
    {"nodeSelector", "nodeSelector", "{\"pool\":\"cpu\"}", NULL},
    {"tolerations", "tolerations", "[{\"key\":\"infra\",\"operator\":\"Exists\"}]", NULL},
};

static void check_knob(const char *spec, const char *object, const char *pointer, const char *want)
{
	struct rendered_row row = {spec, object, pointer, want};
	if (want == NULL || strcmp(want, "*") != 0)
		check_rows(&row, 1);
}

TEST(knobs_of_pods)
{
	static const char *const deployments[] = {COLLECTOR, JAEGER};
	char pointer[128];
	for (size_t k = 0; k < ARRAY_LEN(knobs); k++) {
		(void)snprintf(pointer, sizeof(pointer), POD("%s"), knobs[k].name);
		for (size_t d = 0; d < ARRAY_LEN(deployments); d++) {
			check_knob(BOTH, deployments[d], pointer, knobs[k].said);
			check_knob("{}", deployments[d], pointer, knobs[k].unsaid);
		}
		if (knobs[k].in_cr == NULL)
			continue;
		(void)snprintf(pointer, sizeof(pointer), "/spec/%s", knobs[k].in_cr);
		check_knob(BOTH, CR, pointer, knobs[k].said);
		check_knob("{}", CR, pointer, knobs[k].unsaid);
	}
}

/* The user's labels and annotations come besides ours, and may turn a mesh on again. */
static const struct rendered_row metadata[] = {
    {BOTH, COLLECTOR, "/spec/template/metadata/labels/team", "\"a\""},
    {BOTH, JAEGER, "/spec/template/metadata/labels/team", "\"a\""},
    {BOTH, COLLECTOR, "/spec/template/metadata/labels/app", "\"otel-collector\""},
    {BOTH, COLLECTOR, "/spec/template/metadata/labels/sidecar.istio.io~1inject", "\"true\""},
    {BOTH, COLLECTOR, "/spec/template/metadata/annotations/note", "\"hello\""},
    {BOTH, JAEGER, "/spec/template/metadata/annotations/note", "\"hello\""},
    {BOTH, COLLECTOR, "/spec/template/metadata/annotations/linkerd.io~1inject", "\"disabled\""},
    {BOTH, COLLECTOR, "/metadata/labels/team", NULL},
    {BOTH, CR, "/metadata/labels/team", "\"a\""},
    {BOTH, CR, "/metadata/labels/app", "\"otel-collector\""},
    {BOTH, CR, "/spec/podAnnotations/note", "\"hello\""},
};

TEST(labels_and_annotations)
{
	check_rows(metadata, ARRAY_LEN(metadata));
}

/* A knob of the pod changes nothing else: not the configuration, not the other pod. */
TEST(a_knob_touches_one_pod)
{
	cJSON *plain = render("{}", &(struct objects_input){.namespace_name = "n"});
	cJSON *placed = render("collector: {priorityClassName: low}",
			       &(struct objects_input){.namespace_name = "n"});
	CHECK_INT(cJSON_GetArraySize(plain), cJSON_GetArraySize(placed));
	for (int i = 0; i < cJSON_GetArraySize(plain); i++) {
		const cJSON *before = cJSON_GetArrayItem(plain, i);
		bool same = json_equal(before, cJSON_GetArrayItem(placed, i));
		CHECK(same != (before == find(plain, "Deployment", "otel-collector")));
	}
	json_freep(&plain);
	json_freep(&placed);
}
