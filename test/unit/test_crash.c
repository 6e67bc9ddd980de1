/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/yaml.h"
#include "controller/crash.h"

#define DEPLOYMENT                                                                                 \
	"kind: Deployment\nmetadata: {name: decode}\nspec: {replicas: 2, template: {spec: "        \
	"{initContainers: [{name: routing-proxy, restartPolicy: Always, args: [--tracing=true]}, " \
	"{name: fetch}], containers: [{name: vllm, args: [m, --otlp-traces-endpoint=http://c], "   \
	"env: [{name: A, value: b}]}, {name: logger}]}}}"
#define SPEC(ARGS, ENV)                                                                            \
	"spec: {initContainers: [{name: routing-proxy, restartPolicy: Always, args: "              \
	"[--tracing=true]}, {name: fetch}], containers: [{name: vllm, args: [" ARGS "], env: "     \
	"[{name: INJECTED, value: x}, {name: A, value: " ENV "}]}, {name: logger}]}"
#define NEW SPEC("m, '--otlp-traces-endpoint=http://c'", "b")
#define POD_META(META, SPEC, STATUS)                                                               \
	"- metadata: {name: p" META "}\n  " SPEC "\n  status: {startTime: "                        \
	"'2026-01-01T00:00:00Z', " STATUS "}\n"
#define POD(STATUS) POD_META("", NEW, STATUS)
#define READY(STATUS, TIME)                                                                        \
	"conditions: [{type: Ready, status: '" STATUS "', lastTransitionTime: '" TIME "'}], "
#define DELETED ", deletionTimestamp: '2026-01-01T00:01:00Z', deletionGracePeriodSeconds: 30"
#define NEVER   READY("False", "2026-01-01T00:00:01Z")
#define OF(NAME, REST)                                                                             \
	"containerStatuses: [{name: " NAME ", ready: false, restartCount: 1, " REST "}]"
#define LOOP(END)       "state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {" END "}}"
#define WAITING(REASON) "state: {waiting: {reason: " REASON "}}"

static const struct {
	const char *what;
	const char *pods;
	const char *log;  /* NULL: not read */
	const char *want; /* words: class, container, exit code, whether it is an edited one */
} table[] = {
    {"nothing there", "[]", NULL, ""},
    {"starting", POD(NEVER OF("vllm", "state: {running: {}}")), NULL, ""},
    {"loads for long", POD(NEVER OF("vllm", WAITING("ContainerCreating"))), NULL, ""},
    {"ended, no message", POD(NEVER OF("vllm", LOOP("exitCode: 2"))), NULL,
     "Exited vllm 2 edited, asks for the log"},
    {"the log tells", POD(NEVER OF("vllm", LOOP("exitCode: 2"))),
     "usage: vllm\nvllm: error: unrecognized arguments: --otlp-traces-endpoint=http://c\n",
     "RefusesFlag vllm 2 edited"},
    {"the log tells nothing", POD(NEVER OF("vllm", LOOP("exitCode: 1"))), "CUDA error\n",
     "Exited vllm 1 edited"},
    {"an empty log", POD(NEVER OF("vllm", LOOP("exitCode: 1"))), "", "Exited vllm 1 edited"},
    {"unknown arguments that are not ours", POD(NEVER OF("vllm", LOOP("exitCode: 2"))),
     "error: unrecognized arguments: --max-foo", "Exited vllm 2 edited"},
    {"the message tells",
     POD(NEVER OF("vllm", LOOP("exitCode: 2, message: 'unrecognized arguments: "
			       "--otlp-traces-endpoint=x'"))),
     NULL, "RefusesFlag vllm 2 edited"},
    {"the simulator: exit code 0",
     POD(NEVER OF("vllm", LOOP("exitCode: 0, message: 'unknown flag: --otlp-traces-endpoint'"))),
     NULL, "RefusesFlag vllm 0 edited"},
    {"the simulator, its log", POD(NEVER OF("vllm", LOOP("exitCode: 0"))),
     "unknown flag: --collect-detailed-traces", "RefusesFlag vllm 0 edited"},
    {"no packages", POD(NEVER OF("vllm", LOOP("exitCode: 1"))),
     "ValueError: OpenTelemetry is not available. Unable to configure 'otlp_traces_endpoint'",
     "NoTracingPackages vllm 1 edited"},
    {"no module", POD(NEVER OF("vllm", LOOP("exitCode: 1"))),
     "ModuleNotFoundError: No module named 'opentelemetry'", "NoTracingPackages vllm 1 edited"},
    {"set-up", POD(NEVER OF("vllm", LOOP("exitCode: 1"))), "failed to init tracing: x",
     "TracingSetupFailed vllm 1 edited"},
    {"a value", POD(NEVER OF("vllm", LOOP("exitCode: 2"))),
     "argument --collect-detailed-traces: invalid choice: 'all'", "RefusesFlag vllm 2 edited"},
    {"clap", POD(NEVER OF("vllm", LOOP("exitCode: 2"))),
     "error: unexpected argument '--otlp-traces-endpoint' found", "RefusesFlag vllm 2 edited"},
    {"out of memory", POD(NEVER OF("vllm", LOOP("exitCode: 137, reason: OOMKilled"))), NULL,
     "OutOfMemory vllm 137 edited"},
    {"ended, not started again yet", POD(NEVER OF("vllm", "state: {terminated: {exitCode: 2}}")),
     NULL, "Exited vllm 2 edited, asks for the log"},
    {"ended, and runs again",
     POD(NEVER OF("vllm", "state: {running: {}}, lastState: {terminated: {exitCode: 2}}")), NULL,
     "Exited vllm 2 edited, asks for the log"},
    {"not one of ours", POD(NEVER OF("logger", LOOP("exitCode: 3"))), NULL,
     "Exited logger 3, asks for the log"},
    {"ours is graver",
     POD(NEVER OF("logger", LOOP("exitCode: 3, reason: OOMKilled")))
	 POD(NEVER OF("vllm", LOOP("exitCode: 2"))),
     NULL, "Exited vllm 2 edited, asks for the log"},
    {"a sidecar of ours",
     POD(NEVER "initContainerStatuses: [{name: routing-proxy, ready: false, " LOOP(
	 "exitCode: 2, message: 'unknown flag: --tracing'") "}]"),
     NULL, "RefusesFlag routing-proxy 2 edited"},
    {"an init container is through",
     POD(NEVER "initContainerStatuses: [{name: fetch, ready: false, state: {terminated: "
	       "{exitCode: 0}}}]"),
     NULL, ""},
    {"an init container fails",
     POD(NEVER "initContainerStatuses: [{name: fetch, ready: false, " LOOP("exitCode: 1") "}]"),
     NULL, "Exited fetch 1, asks for the log"},
    {"of the old revision", POD_META("", SPEC("m", "b"), NEVER OF("vllm", LOOP("exitCode: 2"))),
     NULL, ""},
    {"of another one with another variable",
     POD_META("", SPEC("m, '--otlp-traces-endpoint=http://c'", "c"),
	      NEVER OF("vllm", LOOP("exitCode: 2"))),
     NULL, ""},
    {"was Ready once", POD(READY("False", "2026-01-01T01:00:00Z") OF("vllm", LOOP("exitCode: 2"))),
     NULL, ""},
    {"is Ready", POD(READY("True", "2026-01-01T01:00:00Z") OF("vllm", LOOP("exitCode: 2"))), NULL,
     ""},
    {"is being deleted",
     POD_META(", deletionTimestamp: x", NEW,
	      NEVER OF("vllm", "state: {terminated: {exitCode: 143}}")),
     NULL, ""},
    {"ended before it was being deleted",
     POD_META(DELETED, NEW,
	      NEVER OF("vllm", "state: {terminated: {exitCode: 2, finishedAt: "
			       "'2026-01-01T00:00:29Z'}}")),
     NULL, "Exited vllm 2 edited, asks for the log"},
    {"ended by its deletion",
     POD_META(DELETED, NEW,
	      NEVER OF("vllm", "state: {terminated: {exitCode: 143, finishedAt: "
			       "'2026-01-01T00:00:30Z'}}")),
     NULL, ""},
    {"ended, started anew, then ended by its deletion",
     POD_META(DELETED, NEW,
	      NEVER OF("vllm", "state: {terminated: {exitCode: 143, finishedAt: "
			       "'2026-01-01T00:00:40Z'}}, lastState: {terminated: {exitCode: 2}}")),
     NULL, "Exited vllm 2 edited, asks for the log"},
    {"its image is not waited for any more",
     POD_META(DELETED, NEW, NEVER OF("vllm", WAITING("ImagePullBackOff"))), NULL, ""},
    {"evicted", POD("reason: Evicted, " NEVER OF("vllm", LOOP("exitCode: 137"))), NULL, ""},
    {"image", POD(NEVER OF("vllm", WAITING("ImagePullBackOff"))), NULL, "ImagePull vllm 0 edited"},
    {"image name", POD(NEVER OF("vllm", WAITING("InvalidImageName"))), NULL,
     "ImagePull vllm 0 edited"},
    {"no Secret", POD(NEVER OF("vllm", WAITING("CreateContainerConfigError"))), NULL,
     "BadContainerConfig vllm 0 edited"},
    {"no node", POD("conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable}]"),
     NULL, "NotScheduled  0"},
    {"nonsense", "- 1\n- {status: 7}\n- {metadata: {name: 3}}\n- {metadata: {name: p}}\n", NULL,
     ""},
};

static cJSON *read_yaml(const char *yaml)
{
	struct yaml_stream stream;
	struct error err = {.message = ""};
	if (!CHECK_STR(yaml_read_stream(yaml, strlen(yaml), &stream, NULL, &err) == STATUS_OK
			   ? ""
			   : err.message,
		       ""))
		return NULL;
	cJSON *tree = json_clone(stream.documents[0].tree);
	yaml_stream_release(&stream);
	return tree;
}

TEST(what_pods_say)
{
	char names[3][16] = {"routing-proxy", "vllm", "logger"};
	struct plan_container containers[] = {{.name = names[0], .init = true, .inject = true},
					      {.name = names[1], .inject = true},
					      {.name = names[2], .inject = false}};
	const struct plan plan = {.containers = containers,
				  .container_count = ARRAY_LEN(containers)};
	struct facts facts = {.role = ROLE_DECODE};
	struct replica_sets sets;
	cJSON *object = read_yaml(DEPLOYMENT);
	replica_sets_read(object, &facts, &sets);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct crash crash;
		char got[200] = "";
		cJSON *pods = read_yaml(table[i].pods);
		crash_read(pods, &sets, &plan, &crash);
		if (table[i].log != NULL)
			crash_read_text(&crash, table[i].log, strlen(table[i].log));
		if (crash.class != CRASH_NONE)
			(void)snprintf(got, sizeof(got), "%s %s %ld%s%s",
				       crash_info(crash.class)->word, crash.container,
				       crash.exit_code, crash.edited ? " edited" : "",
				       crash.needs_text ? ", asks for the log" : "");
		CHECK_STR_ROW(got, table[i].want, table[i].what);
		cJSON_Delete(pods);
	}
	cJSON_Delete(object);
}

TEST(nothing_of_a_log_but_words_of_the_table_is_told)
{
	struct crash crash = {.class = CRASH_EXITED, .needs_text = true, .exit_code = 2};
	static const char log[] =
	    "token=hunter2 unrecognized arguments: --tracing=true --key=hunter2";
	char text[600];
	(void)snprintf(crash.pod, sizeof(crash.pod), "p");
	(void)snprintf(crash.container, sizeof(crash.container), "c");
	crash_read_text(&crash, log, sizeof(log) - 1);
	crash_describe(&crash, text, sizeof(text));
	CHECK_STR(text,
		  "RefusesFlag: container c of pod p ended with exit code 2, saying \"unrecognized "
		  "arguments --tracing\", before it was ever Ready. The program does not know the "
		  "tracing flag. Use a newer image, or name its true version under spec.images.");
}
