/* SPDX-License-Identifier: Apache-2.0 */
/* The proof in a namespace: from its objects to the ask, from answers to the Tracing's status. */
#include "scene.h"
#include "tree.h"

#include "base/alloc.h"

#define SPACE                                                                                      \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: team, annotations: "                    \
	"{tracing.llm-d.io/enabled: 'true'}}\n---\n"                                               \
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: x, labels: "       \
	"{kubernetes.io/service-name: otel-collector}}\nendpoints: [{conditions: {ready: "         \
	"true}}]\n---\n"
#define TRACING(STATUS)                                                                            \
	"apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: llm-d}\nspec: "    \
	"{}\nstatus: " STATUS "\n---\n"
#define SERVICE(NAME, TYPE, PORTS)                                                                 \
	"apiVersion: v1\nkind: Service\nmetadata: {name: " NAME "}\nspec: {type: " TYPE            \
	", ports: [" PORTS "]}\n---\n"
#define COLLECTOR SERVICE("otel-collector", "ClusterIP", "{port: 4317}, {port: 8888}, {port: 8889}")
#define JAEGER    SERVICE("jaeger-collector", "ClusterIP", "{port: 4317}, {port: 16686}")
#define DECODE                                                                                     \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: decode, labels: "                 \
	"{llm-d.ai/inference-serving: 'true'}}\nspec: {template: {metadata: {labels: "             \
	"{llm-d.ai/role: decode, llm-d.ai/inference-serving: 'true'}}, spec: {containers: "        \
	"[{name: "                                                                                 \
	"vllm, image: 'ghcr.io/llm-d/llm-d-cuda:v0.9.0', command: [vllm, serve, m, "               \
	"'--otlp-traces-endpoint=http://otel-collector:4317'], env: [{name: OTEL_SERVICE_NAME, "   \
	"value: vllm-decode}]}]}}}\n---\n"
#define UNTRACED                                                                                   \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: decode, annotations: "            \
	"{tracing.llm-d.io/inject: 'false'}}\nspec: {template: {metadata: {labels: "               \
	"{llm-d.ai/inference-serving: 'true'}}, spec: {containers: [{name: vllm, image: "          \
	"'ghcr.io/llm-d/llm-d-cuda:v0.9.0', command: [vllm, serve, m]}]}}}\n---\n"

static void look_at_workload(struct scene *scene)
{
	struct intents intents;
	free(scene_workload(scene, RESOURCE_DEPLOYMENT, "decode", &intents));
	intents_release(&intents);
}

/* The condition as "STATUS REASON" in the Tracing as it now stands in the store. */
static const char *condition(const struct scene *scene, const char *type)
{
	static char text[128];
	const struct object *object =
	    store_get(scene->store, RESOURCE_TRACING, "team", TRACING_NAME);
	cJSON *tree = object_parse(object);
	const cJSON *found = object_condition(tree, type);
	(void)snprintf(text, sizeof(text), "%s %s", found == NULL ? "-" : json_str(found, "status"),
		       found == NULL ? "-" : json_str(found, "reason"));
	cJSON_Delete(tree);
	return text;
}

static const char *spans(const struct scene *scene, const char *path)
{
	static char text[128];
	cJSON *tree = object_parse(store_get(scene->store, RESOURCE_TRACING, "team", TRACING_NAME));
	const char *found = json_str(tree, path);
	(void)snprintf(text, sizeof(text), "%s", found == NULL ? "-" : found);
	cJSON_Delete(tree);
	return text;
}

static const struct {
	const char *what;
	const char *objects;
	bool asks;
	const char *received; /* in status after the first look */
} rows[] = {
    {"a collector with metrics", SPACE TRACING("{}") COLLECTOR JAEGER DECODE, true,
     "Unknown NotAskedYet"},
    {"what was known before a restart stays",
     SPACE TRACING("{conditions: [{type: SpansReceived, status: 'True', reason: SpansReceived, "
		   "message: m, lastTransitionTime: '2025-12-01T00:00:00Z'}]}") COLLECTOR DECODE,
     true, "True SpansReceived"},
    {"a collector without metrics",
     SPACE TRACING("{}") SERVICE("otel-collector", "ClusterIP", "{port: 4317}") DECODE, false,
     "Unknown CollectorNotQueryable"},
    {"an alias is never asked",
     SPACE TRACING("{}") SERVICE("otel-collector", "ExternalName", "{port: 4317}, {port: 8888}")
	 DECODE,
     false, "Unknown CollectorNotQueryable"},
    {"nothing is traced", SPACE TRACING("{}") COLLECTOR UNTRACED, false, "Unknown NothingTraced"},
};

TEST(who_is_asked)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene scene;
		scene_init(&scene);
		scene_add(&scene, rows[i].objects);
		look_at_workload(&scene);
		char *summary = scene_namespace(&scene, true, NULL, NULL);
		CHECK_INT_ROW(strstr(summary, "ask Service/otel-collector") != NULL, rows[i].asks,
			      rows[i].what);
		CHECK_STR_ROW(condition(&scene, "SpansReceived"), rows[i].received, rows[i].what);
		free(summary);
		scene_release(&scene);
	}
}

static void answer(struct scene *scene, const char *body)
{
	struct trace_hops hops;
	struct proof *proof = &scene->space->proof;
	proof_hops(&scene->space->roster, &hops);
	unsigned long turn = proof_asked(proof, &hops);
	free(hops.items);
	struct proof_reply reply = {.status = STATUS_OK, .body = body, .len = strlen(body)};
	proof_answer(proof, turn, &reply, scene->now);
}

static void look(struct scene *scene)
{
	free(scene_namespace(scene, true, NULL, NULL));
}

#define SPAN                                                                                       \
	"{\"data\":[{\"traceID\":\"1\",\"spans\":[{\"spanID\":\"a\",\"operationName\":"            \
	"\"llm_request\",\"processID\":\"p\",\"startTime\":1767225540000000,\"duration\":1000000}" \
	"],"                                                                                       \
	"\"processes\":{\"p\":{\"serviceName\":\"vllm-decode\",\"tags\":[{\"key\":\"k8s.pod."      \
	"name\","                                                                                  \
	"\"value\":\"decode-5-x\"}]}}}]}"

/* Spans have been accepted, and the back end has one of the decode server. */
static void first_round(struct scene *scene)
{
	look_at_workload(scene);
	look(scene);
	answer(scene, "otelcol_receiver_accepted_spans_total 3\n");
	look(scene);
	answer(scene, "{\"data\":[\"vllm-decode\"]}");
	look(scene);
	answer(scene, SPAN);
}

TEST(answers_end_in_status)
{
	struct scene scene;
	uint64_t again = 0;
	scene_init(&scene);
	scene_add(&scene, SPACE TRACING("{}") COLLECTOR JAEGER DECODE);
	first_round(&scene);
	char *summary = scene_namespace(&scene, true, NULL, &again);
	CHECK(strstr(summary, "ask") == NULL);
	CHECK_INT(again, 30000);
	free(summary);
	CHECK_STR(condition(&scene, "SpansReceived"), "True SpansReceived");
	CHECK_STR(condition(&scene, "TraceConnected"), "True Connected");
	CHECK_STR(spans(&scene, "status.spans.heard"), "1/1");
	CHECK_STR(spans(&scene, "status.spans.lastSpan"), "2025-12-31T23:59:01Z");
	CHECK_STR(spans(&scene, "status.spans.operations"), "engine inference");
	const struct roster_row *row =
	    roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode");
	CHECK_INT(row->last_span_us, INT64_C(1767225541000000));
	/* nothing new: nothing is written */
	summary = scene_namespace(&scene, true, NULL, NULL);
	CHECK(strstr(summary, "status") == NULL);
	free(summary);
	scene_release(&scene);
}

TEST(the_last_span_outlasts_the_process)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene,
		  SPACE TRACING("{workloads: [{kind: Deployment, name: decode, state: Injected, "
				"lastSpan: '2025-12-31T23:59:01Z'}], spans: {heard: 1/1}}")
		      COLLECTOR DECODE);
	look_at_workload(&scene);
	const struct roster_row *row =
	    roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode");
	CHECK_INT(row->last_span_us, INT64_C(1767225541000000));
	look(&scene);
	CHECK_STR(spans(&scene, "status.spans.heard"), "1/1");
	scene_release(&scene);
}

#define NAMED "{name: OTEL_SERVICE_NAME, value: routing-proxy}"
#define EXPORTS                                                                                    \
	"{name: OTEL_TRACES_EXPORTER, value: otlp}, {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: "   \
	"'http://otel-collector:4317'}"
#define SERVER(ENDPOINT)                                                                           \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: decode, labels: "                 \
	"{llm-d.ai/inference-serving: 'true'}}\nspec: {template: {metadata: {labels: "             \
	"{llm-d.ai/role: decode, llm-d.ai/inference-serving: 'true'}}, spec: {initContainers: [{"  \
	"name: routing-proxy, image: 'ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.10.0', "        \
	"restartPolicy: Always, args: ['--tracing=true'], env: [" NAMED ", " EXPORTS               \
	"]}], containers: [{name: vllm, image: 'ghcr.io/llm-d/llm-d-cuda:v0.9.0', command: "       \
	"[vllm, "                                                                                  \
	"serve, m, '--otlp-traces-endpoint=" ENDPOINT                                              \
	"'], env: [{name: OTEL_SERVICE_NAME, value: "                                              \
	"vllm-decode}]}]}}}\n---\n"
#define HERE "http://otel-collector:4317"

static void make_available(struct scene *scene, const char *name)
{
	const struct object *object = store_get(scene->store, RESOURCE_DEPLOYMENT, "team", name);
	if (!CHECK(object != NULL))
		return;
	cJSON *tree = object_parse(object);
	json_set(tree, "status",
		 tree_of("{observedGeneration: 1, availableReplicas: 1, conditions: [{type: "
			 "Available, status: 'True', "
			 "lastTransitionTime: '2025-12-01T00:00:00Z'}]}"));
	json_set_str(json_member_mut(tree, "metadata"), "resourceVersion", "300");
	scene_put(scene, tree);
	json_freep(&tree);
}

/* As it is when its rollout is through. */
static void look_at_written_workload(struct scene *scene)
{
	look_at_workload(scene);
	struct roster_row *row = roster_find(&scene->space->roster, RESOURCE_DEPLOYMENT, "decode");
	row->state = WORKLOAD_INJECTED;
	row->pace.rolling = false;
}

/* A namespace with collector and Jaeger of our own, and nothing left to write. */
static void set_up_own(struct scene *scene, const char *objects)
{
	scene_init(scene);
	scene->options.in_cluster = true;
	scene_add(scene, objects);
	look_at_written_workload(scene);
	look(scene);
	make_available(scene, "otel-collector");
	make_available(scene, "jaeger");
	look(scene);
	look(scene);
	CHECK_STR(condition(scene, "CollectorReady"), "True Available");
}

#define SILENT(UPTIME) "otelcol_receiver_accepted_spans 0\notelcol_process_uptime " #UPTIME "\n"

TEST(which_model_server_is_asked)
{
	static const struct {
		const char *what, *objects;
		bool outside, rolling, blind;
		bool asks;
	} cases[] = {
	    {"one that sends to our collector", SPACE TRACING("{}") SERVER(HERE), false, false,
	     false, true},
	    {"only from inside the cluster", SPACE TRACING("{}") SERVER(HERE), true, false, false,
	     false},
	    {"not while pods are replaced", SPACE TRACING("{}") SERVER(HERE), false, true, false,
	     false},
	    {"not where network policies cannot be read", SPACE TRACING("{}") SERVER(HERE), false,
	     false, true, false},
	    {"one that sends elsewhere", SPACE TRACING("{}") SERVER("http://elsewhere:4317"), false,
	     false, false, false},
	    {"not where several collectors count for themselves",
	     SPACE "apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: "
		   "llm-d}\nspec: {collector: {replicas: 2}}\n---\n" SERVER(HERE),
	     false, false, false, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene scene;
		set_up_own(&scene, cases[i].objects);
		scene.options.in_cluster = !cases[i].outside;
		if (cases[i].blind)
			scene.access[RESOURCE_NETWORKPOLICY] = ACCESS_DENIED;
		roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode")->pace.rolling =
		    cases[i].rolling;
		look(&scene);
		answer(&scene, SILENT(660));
		char *summary = scene_namespace(&scene, true, NULL, NULL);
		CHECK_INT_ROW(strstr(summary, "ask Service/engine") != NULL, cases[i].asks,
			      cases[i].what);
		free(summary);
		scene_release(&scene);
	}
}

static void answer_served(struct scene *scene, const char *body)
{
	static const struct served_at at = {.pod = "decode-1", .uid = "u", .port = 8000};
	struct trace_hops none = {.items = NULL};
	struct proof_reply reply = {
	    .status = STATUS_OK, .body = body, .len = strlen(body), .server = &at};
	unsigned long turn = proof_asked(&scene->space->proof, &none);
	proof_answer(&scene->space->proof, turn, &reply, scene->now);
	look(scene);
}

static void pass(struct scene *scene, uint64_t ms)
{
	scene->now.mono_ms += ms;
	scene->now.wall_us += (int64_t)ms * 1000;
	look(scene);
}

/* As another process begins: with what stands in the store. */
static void start_anew(struct scene *scene)
{
	namespace_free(scene->space);
	scene->space = namespace_new("team");
	look_at_written_workload(scene);
	look(scene);
}

TEST(unsampled_requests_end_in_status_and_outlast_the_process)
{
	struct scene scene;
	set_up_own(&scene, SPACE TRACING("{}") SERVER(HERE));
	answer(&scene, SILENT(660));
	answer_served(&scene, "vllm:request_success_total 5\n");
	CHECK_STR(condition(&scene, "SamplingConsistent"), "True Consistent");
	pass(&scene, 15000);
	answer(&scene, SILENT(675));
	answer_served(&scene, "vllm:request_success_total 25\n");
	pass(&scene, 15000);
	answer(&scene, SILENT(690));
	pass(&scene, 5000); /* status is written sparingly */
	CHECK_STR(condition(&scene, "SamplingConsistent"), "False UpstreamUnsampled");
	CHECK_STR(condition(&scene, "SpansReceived"), "False UnsampledParent");
	start_anew(&scene);
	CHECK_STR(condition(&scene, "SamplingConsistent"), "False UpstreamUnsampled");
	answer(&scene, SILENT(695));
	look(&scene);
	CHECK_STR(condition(&scene, "SpansReceived"), "False UnsampledParent");
	pass(&scene, 30000);
	answer(&scene, "otelcol_receiver_accepted_spans 3\notelcol_process_uptime 730\n");
	pass(&scene, 5000);
	CHECK_STR(condition(&scene, "SamplingConsistent"), "True Consistent");
	scene_release(&scene);
}

#define SILENT_ONE                                                                                 \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: silent, labels: "                 \
	"{llm-d.ai/inference-serving: 'true'}}\nspec: {template: {metadata: {labels: "             \
	"{llm-d.ai/role: prefill, llm-d.ai/inference-serving: 'true'}}, spec: {containers: "       \
	"[{name: vllm, image: 'ghcr.io/llm-d/llm-d-cuda:v0.9.0', command: [vllm, serve, m, "       \
	"'--otlp-traces-endpoint=http://otel-collector:4317'], env: [{name: OTEL_SERVICE_NAME, "   \
	"value: vllm-prefill}]}]}}}\n---\n"

#define TEMPO(OTLP)                                                                                \
	"apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: llm-d}\nspec: "    \
	"{backend: {type: OTLP, otlp: {" OTLP "}}}\n---\n"
#define AT(HOST)                                                                                   \
	"endpoint: 'http://tempo:4317', query: {type: Tempo, endpoint: 'http://" HOST ":3200'}"

/* A whole round that hears of nobody, and one in which nothing has moved since. */
static void hear_of_nobody(struct scene *scene)
{
	look_at_workload(scene);
	look(scene);
	answer(scene, "otelcol_receiver_accepted_spans_total 3\n");
	look(scene);
	answer(scene, "{\"tagValues\":[]}");
	pass(scene, 150000);
	answer(scene, "otelcol_receiver_accepted_spans_total 3\n");
	look(scene);
}

TEST(a_back_end_that_is_another_one_is_asked_although_nothing_moves)
{
	static const struct {
		const char *what, *after;
		bool asks;
	} cases[] = {
	    {"the same", TEMPO(AT("a")), false},
	    {"another address", TEMPO(AT("b")), true},
	    {"another tenant", TEMPO(AT("a") ", tenant: team"), true},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene scene;
		scene_init(&scene);
		scene_add(&scene, SPACE TEMPO(AT("a")) COLLECTOR DECODE);
		hear_of_nobody(&scene);
		CHECK_STR(condition(&scene, "SpansReceived"), "False Silent");
		scene_add(&scene, cases[i].after);
		look(&scene);
		pass(&scene, 1000);
		char *summary = scene_namespace(&scene, true, NULL, NULL);
		CHECK_INT_ROW(strstr(summary, "ask Service/otel-collector") != NULL, cases[i].asks,
			      cases[i].what);
		free(summary);
		if (cases[i].asks) {
			answer(&scene, "otelcol_receiver_accepted_spans_total 3\n");
			summary = scene_namespace(&scene, true, NULL, NULL);
			CHECK_INT_ROW(strstr(summary, "ask Service/query") != NULL, true,
				      cases[i].what);
			free(summary);
		}
		scene_release(&scene);
	}
}

/* What is missing of a workload that is gone is missing no longer, with traffic or without. */
TEST(a_workload_that_is_gone_is_not_waited_for)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, SPACE TRACING("{}") COLLECTOR JAEGER DECODE SILENT_ONE);
	struct intents intents;
	free(scene_workload(&scene, RESOURCE_DEPLOYMENT, "silent", &intents));
	intents_release(&intents);
	first_round(&scene);
	look(&scene);
	CHECK_STR(spans(&scene, "status.spans.heard"), "1/2");
	pass(&scene, 150000);
	answer(&scene, "otelcol_receiver_accepted_spans_total 3\n");
	look(&scene);
	roster_drop(&scene.space->roster, RESOURCE_DEPLOYMENT, "silent");
	look(&scene);
	pass(&scene, 1000);
	answer(&scene, "otelcol_receiver_accepted_spans_total 3\n");
	CLEANUP(str_freep) char *summary = scene_namespace(&scene, true, NULL, NULL);
	CHECK(strstr(summary, "ask Service/jaeger-collector") != NULL);
	answer(&scene, "{\"data\":[\"vllm-decode\"]}");
	look(&scene);
	answer(&scene, SPAN);
	pass(&scene, 5000);
	CHECK_STR(spans(&scene, "status.spans.heard"), "1/1");
	CHECK_STR(condition(&scene, "SpansReceived"), "True SpansReceived");
	scene_release(&scene);
}
