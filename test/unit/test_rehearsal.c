/* SPDX-License-Identifier: Apache-2.0 */
/* The pod of a rehearsal, and what its end means. */
#include "inject/rehearsal.h"

#include "tree.h"

/* ---- verdicts ---- */

#define ENDED(WHAT)                                                                                \
	"{status: {phase: Succeeded, containerStatuses: [{name: rehearsal, state: {terminated: "   \
	"{" WHAT "}}}]}}"
#define TOLD(JSON) ENDED("exitCode: 0, reason: Completed, message: '" JSON "'")
#define WAITS(WHAT)                                                                                \
	"{status: {phase: Pending, containerStatuses: [{name: rehearsal, state: {waiting: "        \
	"{" WHAT "}}}]}}"
#define VLLM(VERSION, FLAG, MISSING)                                                               \
	TOLD("{\"engine\": \"vllm\", \"installed\": true, \"version\": \"" VERSION                 \
	     "\", \"flag\": " FLAG ", \"missing\": [" MISSING "]}")
#define PFLAG_EPP                                                                                  \
	"Usage of /app/epp:\n      --grpc-port int   gRPC port (default 9002)\n"                   \
	"      --pool-name string   Name\n"
#define HELP ENDED("exitCode: 0, reason: Completed")

static const struct {
	const char *what;
	enum component component;
	const char *pod;
	const char *log;
	enum rehearsal_verdict verdict;
	const char *message;
} ends[] = {
    {"a good vLLM", COMPONENT_VLLM, VLLM("0.23.0", "true", ""), NULL, REHEARSAL_TRACEABLE,
     "vllm 0.23.0 knows the flag and imports OpenTelemetry"},
    {"no version in the metadata", COMPONENT_VLLM, VLLM("", "true", ""), NULL, REHEARSAL_TRACEABLE,
     "vllm  knows the flag and imports OpenTelemetry"},
    {"a development version", COMPONENT_VLLM, VLLM("0.1.dev1+gabc", "true", ""), NULL,
     REHEARSAL_TRACEABLE, "vllm 0.1.dev1+gabc knows the flag and imports OpenTelemetry"},
    {"without packages", COMPONENT_VLLM,
     VLLM("0.16.0", "true",
	  "\"opentelemetry.sdk.trace: ModuleNotFoundError: No module named opentelemetry\""),
     NULL, REHEARSAL_LACKS_PACKAGES,
     "vllm 0.16.0 cannot import opentelemetry.sdk.trace: ModuleNotFoundError: No module named "
     "opentelemetry"},
    {"V0 only", COMPONENT_VLLM, VLLM("0.8.5", "true", ""), NULL, REHEARSAL_REFUSES_FLAG,
     "vLLM 0.8.5 traces in its old engine only and would fall back to it"},
    {"no flag", COMPONENT_VLLM, VLLM("0.23.0", "false", ""), NULL, REHEARSAL_REFUSES_FLAG,
     "vllm 0.23.0 does not know the flag"},
    {"no source", COMPONENT_VLLM, VLLM("0.23.0", "null", ""), NULL, REHEARSAL_INCONCLUSIVE,
     "vllm 0.23.0 does not tell which flags it knows"},
    {"no vLLM in it", COMPONENT_VLLM, TOLD("{\"engine\": \"vllm\", \"installed\": false}"), NULL,
     REHEARSAL_REFUSES_FLAG, "no Python package vllm is in the image"},
    {"another engine's answer", COMPONENT_SGLANG, VLLM("0.23.0", "true", ""), NULL,
     REHEARSAL_INCONCLUSIVE, NULL},
    {"an answer cut off", COMPONENT_VLLM, TOLD("{\"engine\": \"vllm\", \"inst"), NULL,
     REHEARSAL_INCONCLUSIVE, "Python ended with 0 and said: {\"engine\": \"vllm\", \"inst"},
    {"Python crashes", COMPONENT_VLLM, ENDED("exitCode: 1, reason: Error"), NULL,
     REHEARSAL_INCONCLUSIVE, "Python ended with 1 and said: nothing"},
    {"out of memory", COMPONENT_VLLM, ENDED("exitCode: 137, reason: OOMKilled"), NULL,
     REHEARSAL_INCONCLUSIVE, "it could not run: OOMKilled "},
    {"no Python: containerd", COMPONENT_VLLM,
     ENDED("exitCode: 128, reason: StartError, message: 'exec: \"python3\": executable file not "
	   "found in $PATH: unknown'"),
     NULL, REHEARSAL_REFUSES_FLAG, "the image has no Python, so it holds no vllm"},
    {"no Python: CRI-O", COMPONENT_VLLM,
     WAITS("reason: CreateContainerError, message: 'executable file `python3` not found in $PATH: "
	   "No such file or directory'"),
     NULL, REHEARSAL_REFUSES_FLAG, "the image has no Python, so it holds no vllm"},
    {"a policy of the node", COMPONENT_VLLM,
     WAITS("reason: CreateContainerConfigError, message: image will run as root"), NULL,
     REHEARSAL_INCONCLUSIVE,
     "its pod did not come to an end (CreateContainerConfigError): image will run as root"},
    {"no image", COMPONENT_VLLM, WAITS("reason: ImagePullBackOff"), NULL, REHEARSAL_INCONCLUSIVE,
     "its pod did not come to an end (ImagePullBackOff)"},
    {"no node", COMPONENT_VLLM,
     "{status: {conditions: [{type: PodScheduled, reason: Unschedulable, message: 0/1 nodes}]}}",
     NULL, REHEARSAL_INCONCLUSIVE, "its pod finds no node: 0/1 nodes"},
    {"still running", COMPONENT_VLLM, "{status: {phase: Running}}", NULL, REHEARSAL_INCONCLUSIVE,
     "its pod did not come to an end (time is over)"},
    {"the deadline", COMPONENT_VLLM, "{status: {phase: Failed, reason: DeadlineExceeded}}", NULL,
     REHEARSAL_INCONCLUSIVE, "its pod did not come to an end (time is over)"},
    {"a router's picker", COMPONENT_EPP, HELP,
     PFLAG_EPP "      --drain-timeout duration\n      --tracing   Enables (default true)\n",
     REHEARSAL_TRACEABLE, "its --help lists --tracing"},
    {"GAIE's picker: with spans or without", COMPONENT_EPP, HELP,
     PFLAG_EPP "      --tracing   Enables (default true)\n", REHEARSAL_INCONCLUSIVE,
     "its --help lists --tracing; whether this version makes spans it does not tell"},
    {"a picker without the flag", COMPONENT_EPP, HELP, PFLAG_EPP, REHEARSAL_REFUSES_FLAG,
     "its --help lists no --tracing"},
    {"a flag that begins so", COMPONENT_EPP, HELP,
     PFLAG_EPP "      --tracing-mode string\n      --other   like --tracing\n",
     REHEARSAL_REFUSES_FLAG, "its --help lists no --tracing"},
    {"Go's own flag package", COMPONENT_EPP, HELP,
     "Usage of /epp:\n  -poolName string\n    \tname\n  -tracing\n    \tenables\n",
     REHEARSAL_INCONCLUSIVE,
     "its --help lists --tracing; whether this version makes spans it does not tell"},
    {"not a picker", COMPONENT_EPP, HELP, "unknown flag: --help\n", REHEARSAL_INCONCLUSIVE,
     "what it printed for --help is not the help of an endpoint picker"},
    {"a proxy with the flag", COMPONENT_ROUTING_PROXY, HELP,
     "Usage:\n  -p, --port string\n      --vllm-port string\n      --tracing\n",
     REHEARSAL_TRACEABLE, "its --help lists --tracing"},
    {"an old proxy", COMPONENT_ROUTING_PROXY, ENDED("exitCode: 2, reason: Error"),
     "Usage of pd-sidecar:\n  -port string\n  -vllm-port string\n", REHEARSAL_REFUSES_FLAG,
     "its --help lists no --tracing"},
    {"it served instead", COMPONENT_ROUTING_PROXY,
     "{status: {phase: Failed, reason: DeadlineExceeded, containerStatuses: [{name: rehearsal, "
     "state: {terminated: {exitCode: 137, reason: Error}}}]}}",
     "listening", REHEARSAL_INCONCLUSIVE, "it did not answer --help in time"},
    {"no shell, no program", COMPONENT_EPP,
     ENDED("exitCode: 128, reason: StartError, message: no such file or directory"), NULL,
     REHEARSAL_INCONCLUSIVE, "it could not run: StartError no such file or directory"},
};

TEST(every_end_has_its_verdict)
{
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		cJSON *pod = tree_of(ends[i].pod);
		struct rehearsal rehearsal;
		const char *log = ends[i].log;
		rehearsal_judge(ends[i].component, pod, log, log == NULL ? 0 : strlen(log),
				&rehearsal);
		CHECK_STR_ROW(rehearsal_word(rehearsal.verdict), rehearsal_word(ends[i].verdict),
			      ends[i].what);
		if (ends[i].message != NULL)
			CHECK_STR_ROW(rehearsal.message, ends[i].message, ends[i].what);
		json_freep(&pod);
	}
}

TEST(a_log_that_may_be_cut_refuses_nothing)
{
	struct rehearsal rehearsal;
	cJSON *pod = tree_of(HELP);
	char *log = malloc(REHEARSAL_LOG_BYTES);
	memset(log, '\n', REHEARSAL_LOG_BYTES);
	memcpy(log, PFLAG_EPP, sizeof(PFLAG_EPP) - 1);
	rehearsal_judge(COMPONENT_EPP, pod, log, REHEARSAL_LOG_BYTES, &rehearsal);
	CHECK_STR(rehearsal_word(rehearsal.verdict), "Inconclusive");
	free(log);
	json_freep(&pod);
}

TEST(it_is_over_when_nothing_more_will_come)
{
	static const struct {
		const char *pod;
		bool over, log;
	} rows[] = {
	    {"{}", false, false},
	    {"{status: {phase: Pending}}", false, false},
	    {"{status: {phase: Running, containerStatuses: [{name: rehearsal, state: {running: "
	     "{}}}]}}",
	     false, false},
	    {WAITS("reason: ContainerCreating"), false, false},
	    {WAITS("reason: ErrImagePull"), false, false},
	    {WAITS("reason: ImagePullBackOff"), true, false},
	    {"{status: {phase: Failed, reason: Evicted}}", true, false},
	    /* a mesh's proxy may run on beside it */
	    {"{status: {phase: Running, containerStatuses: [{name: istio-proxy, state: {running: "
	     "{}}}, {name: rehearsal, state: {terminated: {exitCode: 0}}}]}}",
	     true, true},
	    {ENDED("exitCode: 128, reason: StartError"), true, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *pod = tree_of(rows[i].pod);
		CHECK_INT_ROW(rehearsal_is_over(pod), rows[i].over, rows[i].pod);
		CHECK_INT_ROW(rehearsal_wants_log(COMPONENT_EPP, pod), rows[i].log, rows[i].pod);
		CHECK(!rehearsal_wants_log(COMPONENT_VLLM, pod));
		json_freep(&pod);
	}
}

/* ---- the pod ---- */

#define SPEC                                                                                       \
	"{serviceAccountName: sa, imagePullSecrets: [{name: s}], tolerations: [{operator: "        \
	"Exists}], nodeSelector: {gpu: h100}, securityContext: {runAsUser: 1000, fsGroup: 2000}, " \
	"runtimeClassName: nvidia, hostNetwork: true, priorityClassName: high, "                   \
	"affinity: {podAffinity: {x: 1}, nodeAffinity: {w: 2}}, volumes: [{name: v}]}"

static cJSON *pod_of(enum component component, const char *spec, const char *container,
		     const char *node)
{
	cJSON *pod = NULL;
	struct error err = {.message = ""};
	cJSON *spec_tree = spec == NULL ? NULL : tree_of(spec);
	cJSON *container_tree = container == NULL ? NULL : tree_of(container);
	struct rehearsal_of of = {.image = "mirror/x@sha256:12",
				  .component = component,
				  .pod_spec = spec_tree,
				  .container = container_tree,
				  .on_nodes = node != NULL && node[0] != '?',
				  .nodes = {node}};
	enum status status = rehearsal_pod(&of, "ns", "name", &pod, &err);
	if (status != STATUS_OK) {
		CHECK_INT(status, STATUS_INVALID);
		pod = cJSON_CreateString(err.message);
	}
	json_freep(&spec_tree);
	json_freep(&container_tree);
	return pod;
}

static const cJSON *rehearsing(const cJSON *pod)
{
	return json_named(json_get(pod, "spec.containers"), "rehearsal");
}

static void check_json(const cJSON *got, const char *want)
{
	char *text = got == NULL ? NULL : json_to_string(got);
	CHECK_STR(text, want);
	free(text);
}

TEST(it_is_pulled_and_placed_as_the_workload_and_nothing_else)
{
	cJSON *pod = pod_of(COMPONENT_VLLM, SPEC,
			    "{name: c, imagePullPolicy: Always, resources: {limits: "
			    "{nvidia.com/gpu: 8}}, env: [{name: PYTHONPATH, value: /x}, {name: "
			    "TOKEN, value: secret}, {name: PATH, value: '$(X):/bin'}], "
			    "securityContext: {privileged: true, runAsGroup: 7}}",
			    NULL);
	const cJSON *container = rehearsing(pod);
	CHECK_STR(json_str(pod, "spec.serviceAccountName"), "sa");
	CHECK(!json_bool(pod, "spec.automountServiceAccountToken", true));
	check_json(json_get(pod, "spec.imagePullSecrets"), "[{\"name\":\"s\"}]");
	check_json(json_get(pod, "spec.nodeSelector"), "{\"gpu\":\"h100\"}");
	check_json(json_get(pod, "spec.affinity"), "{\"nodeAffinity\":{\"w\":2}}");
	check_json(json_get(pod, "spec.tolerations"), "[{\"operator\":\"Exists\"}]");
	check_json(json_get(pod, "spec.securityContext"),
		   "{\"runAsUser\":1000,\"seccompProfile\":{\"type\":\"RuntimeDefault\"}}");
	check_json(json_member(container, "securityContext"),
		   "{\"runAsGroup\":7,\"allowPrivilegeEscalation\":false,"
		   "\"readOnlyRootFilesystem\":true,\"capabilities\":{\"drop\":[\"ALL\"]}}");
	check_json(json_member(container, "env"),
		   "[{\"name\":\"PYTHONPATH\",\"value\":\"/x\"},"
		   "{\"name\":\"NVIDIA_VISIBLE_DEVICES\",\"value\":\"void\"},"
		   "{\"name\":\"CUDA_VISIBLE_DEVICES\",\"value\":\"\"}]");
	CHECK_STR(json_str(container, "imagePullPolicy"), "Always");
	check_json(json_member(json_member(container, "resources"), "requests"),
		   "{\"cpu\":\"10m\",\"memory\":\"64Mi\"}");
	static const char *const absent[] = {"runtimeClassName", "hostNetwork", "volumes",
					     "priorityClassName"};
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		CHECK(json_member(json_member(pod, "spec"), absent[i]) == NULL);
	CHECK_INT(json_int(pod, "spec.activeDeadlineSeconds", 0), REHEARSAL_DEADLINE_S);
	json_freep(&pod);
}

TEST(a_node_that_has_the_image_is_preferred_to_the_selector)
{
	cJSON *pod = pod_of(COMPONENT_VLLM, SPEC, NULL, "node-7");
	CHECK(json_get(pod, "spec.nodeSelector") == NULL);
	check_json(json_get(pod, "spec.affinity"),
		   "{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":"
		   "{\"nodeSelectorTerms\":[{\"matchFields\":[{\"key\":\"metadata.name\","
		   "\"operator\":\"In\",\"values\":[\"node-7\"]}]}]}}}");
	json_freep(&pod);
}

TEST(a_node_that_only_lists_the_image_is_wished_for)
{
	cJSON *pod = pod_of(COMPONENT_VLLM, SPEC, NULL, "?7");
	check_json(json_get(pod, "spec.nodeSelector"), "{\"gpu\":\"h100\"}");
	check_json(json_get(pod, "spec.affinity"),
		   "{\"nodeAffinity\":{\"w\":2,\"preferredDuringSchedulingIgnoredDuringExecution\":"
		   "[{\"weight\":100,\"preference\":{\"matchFields\":[{\"key\":\"metadata.name\","
		   "\"operator\":\"In\",\"values\":[\"?7\"]}]}}]}}");
	json_freep(&pod);
}

TEST(what_it_runs)
{
	static const struct {
		enum component component;
		const char *container;
		const char *command0, *args;
		const char *refused;
	} rows[] = {
	    {COMPONENT_VLLM, NULL, "python3", NULL, NULL},
	    {COMPONENT_VLLM, "{command: [vllm, serve]}", "python3", NULL, NULL},
	    {COMPONENT_VLLM, "{command: [/opt/v/bin/python3.12, -m, x]}", "/opt/v/bin/python3.12",
	     NULL, NULL},
	    {COMPONENT_SGLANG, "{args: [python3, -m, sglang.launch_server]}", "python3", NULL,
	     NULL},
	    {COMPONENT_VLLM, "{command: [/bin/bash, -c, x]}", "python3", NULL, NULL},
	    {COMPONENT_EPP, NULL, NULL, "[\"--help\"]", NULL},
	    {COMPONENT_EPP, "{args: [--pool-name=x]}", NULL, "[\"--help\"]", NULL},
	    {COMPONENT_EPP, "{command: [/app/epp], args: [--x]}", "/app/epp", "[\"--help\"]", NULL},
	    {COMPONENT_ROUTING_PROXY, "{command: [/bin/sh, -c, /app/pd-sidecar]}", NULL, NULL,
	     "its command begins with /bin/sh, which cannot be asked for --help"},
	    {COMPONENT_NEVER, NULL, NULL, NULL, "never is nothing that can be traced"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *pod = pod_of(rows[i].component, NULL, rows[i].container, NULL);
		const cJSON *command = json_member(rehearsing(pod), "command");
		CHECK_STR(command == NULL ? NULL : command->child->valuestring, rows[i].command0);
		check_json(json_member(rehearsing(pod), "args"), rows[i].args);
		CHECK_STR(cJSON_IsString(pod) ? pod->valuestring : NULL, rows[i].refused);
		json_freep(&pod);
	}
}

/* ---- memory, and what it does to the image table ---- */

#define SHA "sha256:0123456789012345678901234567890123456789012345678901234567890123"

TEST(a_row_is_found_by_reference_and_by_digest)
{
	cJSON *pod = tree_of("{status: {containerStatuses: [{name: rehearsal, imageID: "
			     "'docker.io/x/y@" SHA "', state: {terminated: {exitCode: 1}}}]}}");
	struct rehearsal_of of = {.image = "x/y:prod", .component = COMPONENT_VLLM};
	struct rehearsal rehearsal;
	cJSON *rows = cJSON_CreateArray();
	rehearsal_judge(COMPONENT_VLLM, pod, NULL, 0, &rehearsal);
	CHECK_STR(rehearsal.digest, SHA);
	rehearsal_keep(rows, rehearsal_row(&of, &rehearsal, "2026-01-01T00:00:00Z"));
	CHECK(rehearsal_find(rows, "x/y:prod", COMPONENT_VLLM) != NULL);
	CHECK(rehearsal_find(rows, "mirror/z@" SHA, COMPONENT_VLLM) != NULL);
	CHECK(rehearsal_find(rows, "x/y:prod", COMPONENT_EPP) == NULL);
	CHECK(rehearsal_find(rows, "x/y:other", COMPONENT_VLLM) == NULL);
	CHECK(rehearsal_find(rows, NULL, COMPONENT_VLLM) == NULL);
	json_freep(&rows);
	json_freep(&pod);
}

TEST(the_memory_is_bounded_and_holds_each_image_once)
{
	struct rehearsal rehearsal;
	cJSON *rows = cJSON_CreateArray();
	char image[32];
	rehearsal_fail("x", &rehearsal);
	for (int i = 0; i < 2 * (REHEARSALS_MAX + 3); i++) {
		struct rehearsal_of of = {.image = image, .component = COMPONENT_EPP};
		(void)snprintf(image, sizeof(image), "i:%d", i / 2);
		rehearsal_keep(rows, rehearsal_row(&of, &rehearsal, "t"));
	}
	CHECK_INT(cJSON_GetArraySize(rows), REHEARSALS_MAX);
	CHECK_STR(json_str(rows->child, "image"), "i:34");
	json_freep(&rows);
}

TEST(a_rehearsal_wins_over_the_tag)
{
	static const struct {
		enum component component;
		const char *image, *verdict;
		bool brings;
		enum gate_mode mode;
		enum reason reason;
	} rows[] = {
	    {COMPONENT_VLLM, "m/x@sha256:1", "Traceable", false, GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_VLLM, "m/x@sha256:1", "Inconclusive", false, GATE_FLAG, REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "m/x@sha256:1", "NewWord", false, GATE_FLAG, REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "m/x@sha256:1", "RefusesFlag", false, GATE_SKIP, REASON_REFUSES_FLAG},
	    {COMPONENT_VLLM, "m/x@sha256:1", "LacksPackages", false, GATE_SKIP,
	     REASON_LACKS_PACKAGES},
	    {COMPONENT_VLLM, "m/x@sha256:1", "LacksPackages", true, GATE_FLAG, REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "m/vllm:0.16.0", "Traceable", false, GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_VLLM, "vllm/vllm-openai:v0.23.0", "LacksPackages", false, GATE_SKIP,
	     REASON_LACKS_PACKAGES},
	    /* what crashes for another reason is not proven by its packages */
	    {COMPONENT_VLLM, "r/rhaiis/vllm-cuda-rhel9:3", "Traceable", false, GATE_SKIP,
	     REASON_UNKNOWN_VERSION},
	    {COMPONENT_EPP, "m/picker:prod", "Traceable", false, GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_EPP, "m/epp:v1.2.0", "Traceable", false, GATE_SKIP,
	     REASON_NO_INSTRUMENTATION},
	    {COMPONENT_ROUTING_PROXY, "m/llm-d-routing-sidecar@sha256:1", "Traceable", false,
	     GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_ROUTING_PROXY, "m/llm-d-routing-sidecar@sha256:1", "RefusesFlag", false,
	     GATE_ENV, REASON_UNVERIFIED},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image image;
		struct gate_verdict verdict;
		cJSON *row = cJSON_CreateObject();
		json_set_str(row, "verdict", rows[i].verdict);
		image_read(rows[i].image, &image);
		gate_judge(rows[i].component, &image, NULL, false, &verdict);
		rehearsal_overrule(row, rows[i].component, rows[i].brings, &verdict);
		CHECK_INT_ROW(verdict.mode, rows[i].mode, rows[i].image);
		CHECK_STR_ROW(reason_info(verdict.reason)->word, reason_info(rows[i].reason)->word,
			      rows[i].image);
		json_freep(&row);
	}
}

TEST(a_version_alone_refuses_as_a_number_in_a_tag_does_and_proves_nothing)
{
	static const struct {
		enum component component;
		const char *image, *version;
		bool brings;
		enum reason reason;
	} rows[] = {
	    {COMPONENT_VLLM, "m/x:prod", "0.16.0", false, REASON_ENGINE_TOO_OLD},
	    {COMPONENT_VLLM, "m/x:prod", "0.16.0", true, REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "m/x:prod", "0.23.0", false, REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "m/x:prod", "0.1.dev1+gabc", false, REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "m/x:prod", "nightly", false, REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "m/vllm:prod", "0.16.0", false, REASON_ENGINE_TOO_OLD},
	    /* llm-d's images had the packages before vLLM's own */
	    {COMPONENT_VLLM, "m/llm-d-cuda:sha-1", "0.16.0", false, REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "r/rhaiis/vllm-cuda-rhel9:3", "0.16.0", false, REASON_UNKNOWN_VERSION},
	    {COMPONENT_SGLANG, "m/x:prod", "0.5.5", false, REASON_ENGINE_TOO_OLD},
	    {COMPONENT_SGLANG, "m/x:prod", "0.5.6", false, REASON_UNVERIFIED},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image image;
		struct gate_verdict verdict;
		cJSON *row = cJSON_CreateObject();
		json_set_str(row, "verdict", "Inconclusive");
		json_set_str(row, "version", rows[i].version);
		image_read(rows[i].image, &image);
		gate_judge(rows[i].component, &image, NULL, false, &verdict);
		rehearsal_overrule(row, rows[i].component, rows[i].brings, &verdict);
		CHECK_STR_ROW(reason_info(verdict.reason)->word, reason_info(rows[i].reason)->word,
			      rows[i].image);
		json_freep(&row);
	}
}
