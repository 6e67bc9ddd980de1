/* SPDX-License-Identifier: Apache-2.0 */
#include "scene.h"

#include "base/alloc.h"
#include "base/text.h"
#include "controller/owned.h"
#include "inject/objects.h"

#define NS(VALUE)                                                                                  \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: team, annotations: "                    \
	"{tracing.llm-d.io/enabled: '" VALUE "'}}\n---\n"
#define NS_PLAIN "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n---\n"
#define TRACING                                                                                    \
	"apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: llm-d, labels: "   \
	"{app.kubernetes.io/managed-by: llmd-tracing}}\nspec: {}\n---\n"
#define TRACING_WITH(SPEC, STATUS)                                                                 \
	"apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: "                  \
	"llm-d}\nspec: " SPEC "\nstatus: " STATUS "\n---\n"
#define OUR_CONFIG                                                                                 \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: otel-collector-config, annotations: "   \
	"{tracing.llm-d.io/applied: x}, labels: "                                                  \
	"{app.kubernetes.io/managed-by: llmd-tracing}}\n---\n"
#define RENDERED                                                                                   \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: otel-collector-config, labels: "        \
	"{app.kubernetes.io/managed-by: llmd-tracing}}\n---\n"
#define INJECTED                                                                                   \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: decode, annotations: "            \
	"{tracing.llm-d.io/ledger: '{\"v\":1}'}}\nspec: {template: {spec: {containers: "           \
	"[]}}}\n---\n"
#define FOREIGN_SERVICE(PORT)                                                                      \
	"apiVersion: v1\nkind: Service\nmetadata: {name: otel-collector}\nspec: {ports: "          \
	"[{port: " PORT "}]}\n---\n"
#define READY_SLICE                                                                                \
	"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: "                  \
	"otel-collector-x, "                                                                       \
	"labels: {kubernetes.io/service-name: otel-collector}}\nendpoints: [{conditions: {ready: " \
	"true}}]\n---\n"
#define OUR_CR(CREATED)                                                                            \
	"apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nmetadata: {name: "    \
	"otel, "                                                                                   \
	"creationTimestamp: '" CREATED "', annotations: {tracing.llm-d.io/applied: x}, labels: "   \
	"{app.kubernetes.io/managed-by: llmd-tracing}}\n---\n"

#define JAEGER                                                                                     \
	"apply ConfigMap/jaeger-config (create); apply Service/jaeger-collector (create); "        \
	"apply NetworkPolicy/jaeger (create); apply Deployment/jaeger (create)"
#define COLLECTOR                                                                                  \
	"apply ConfigMap/otel-collector-config (create); apply Service/otel-collector (create); "  \
	"apply NetworkPolicy/otel-collector (create); apply Deployment/otel-collector (create)"
#define CR "apply NetworkPolicy/otel-collector (create); apply OpenTelemetryCollector/otel (create)"

static const struct {
	const char *what;
	const char *objects;
	enum access collector_kind; /* OpenTelemetryCollector */
	enum access tracing_kind;
	const char *intents;
	bool finished;
} table[] = {
    {"no such namespace", "", ACCESS_ABSENT, ACCESS_READABLE, "", true},
    {"not annotated", NS_PLAIN, ACCESS_ABSENT, ACCESS_READABLE, "", true},
    {"not annotated, the Tracing says so", NS_PLAIN TRACING, ACCESS_ABSENT, ACCESS_READABLE,
     "status", true},
    {"annotated: the Tracing first", NS("true"), ACCESS_ABSENT, ACCESS_READABLE,
     "create Tracing/llm-d", false},
    {"then back end and collector", NS("true") TRACING, ACCESS_ABSENT, ACCESS_READABLE,
     "status; " JAEGER "; " COLLECTOR, false},
    {"a CR where its kind is served", NS("true") TRACING, ACCESS_READABLE, ACCESS_READABLE,
     "status; " JAEGER "; " CR, false},
    {"after a start, workloads not looked at yet: the status stays",
     NS("true") INJECTED TRACING_WITH(
	 "{}", "{workloads: [{kind: Deployment, name: decode, state: Injected}]}"),
     ACCESS_ABSENT, ACCESS_READABLE, JAEGER "; " COLLECTOR, false},
    {"not known yet: nothing", NS("true") TRACING, ACCESS_PENDING, ACCESS_READABLE, "status",
     false},
    {"decided before: stays so although the kind is served now",
     NS("true") TRACING_WITH("{}", "{collector: {mode: Deployment}}"), ACCESS_READABLE,
     ACCESS_READABLE, "status; " JAEGER "; " COLLECTOR, false},
    {"a CR that nothing became of in time is deleted, and only then replaced",
     NS("true") TRACING OUR_CR("2025-12-31T23:58:00Z"), ACCESS_READABLE, ACCESS_READABLE,
     "status; delete OpenTelemetryCollector/otel; " JAEGER, false},
    {"but not before status can say so: without the CR nothing else would",
     NS("true")
	 INJECTED TRACING_WITH("{}", "{collector: {mode: OpenTelemetryCollector}, workloads: "
				     "[{kind: Deployment, name: decode, state: Injected}]}")
	     OUR_CR("2025-12-31T23:58:00Z"),
     ACCESS_READABLE, ACCESS_READABLE, "", false},
    {"and at once where it does",
     NS("true") INJECTED TRACING_WITH(
	 "{}", "{collector: {mode: Deployment, reason: "
	       "OperatorNotResponding}, workloads: [{kind: Deployment, "
	       "name: decode, state: Injected}]}") OUR_CR("2025-12-31T23:58:00Z"),
     ACCESS_READABLE, ACCESS_READABLE, "delete OpenTelemetryCollector/otel; " JAEGER, false},
    {"a CR in its time", NS("true") TRACING OUR_CR("2025-12-31T23:59:30Z"), ACCESS_READABLE,
     ACCESS_READABLE,
     "status; " JAEGER "; apply NetworkPolicy/otel-collector (create); "
     "apply OpenTelemetryCollector/otel (update)",
     false},
    {"one that worked once is not given up",
     NS("true") TRACING_WITH("{}", "{collector: {mode: OpenTelemetryCollector, worked: true}}")
	 OUR_CR("2025-12-31T00:00:00Z"),
     ACCESS_READABLE, ACCESS_READABLE,
     "status; " JAEGER "; apply NetworkPolicy/otel-collector (create); "
     "apply OpenTelemetryCollector/otel (update)",
     false},
    {"a fitting Service of others is used", NS("true") TRACING FOREIGN_SERVICE("4317") READY_SLICE,
     ACCESS_ABSENT, ACCESS_READABLE, "event Tracing/llm-d CollectorReady; status", false},
    {"one that does not fit is reported, never touched",
     NS("true") TRACING FOREIGN_SERVICE("80") READY_SLICE, ACCESS_ABSENT, ACCESS_READABLE,
     "event Tracing/llm-d ForeignServiceUnfit; status", false},
    {"Tracings cannot be read: nothing", NS("true"), ACCESS_ABSENT, ACCESS_DENIED,
     "event Namespace/team SettingsMissing", false},
    {"the Tracing is gone while something is injected", NS("true") INJECTED, ACCESS_ABSENT,
     ACCESS_READABLE, "event Namespace/team SettingsMissing", false},
    {"bad settings change nothing", NS("true") TRACING_WITH("{sampling: {ratio: '2'}}", "{}"),
     ACCESS_ABSENT, ACCESS_READABLE,
     "event Namespace/team BadSettings; event Tracing/llm-d BadSettings; status", false},
    {"bad switch value", NS("yes") TRACING OUR_CONFIG, ACCESS_ABSENT, ACCESS_READABLE,
     "event Namespace/team BadSwitchValue; event Tracing/llm-d BadSwitchValue; status", false},
    {"annotation gone: grace", NS_PLAIN TRACING OUR_CONFIG, ACCESS_ABSENT, ACCESS_READABLE,
     "event Namespace/team RemovalPending; event Tracing/llm-d RemovalPending; status", false},
    {"false: workloads first", NS("false") TRACING OUR_CONFIG INJECTED, ACCESS_ABSENT,
     ACCESS_READABLE, "status", false},
    {"then what we own", NS("false") TRACING OUR_CONFIG, ACCESS_ABSENT, ACCESS_READABLE,
     "status; delete ConfigMap/otel-collector-config", false},
    {"then the Tracing that nobody touched",
     NS("false") "apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: llm-d, "
		 "labels: {app.kubernetes.io/managed-by: llmd-tracing}}\nstatus: {conditions: "
		 "[{type: Enabled, status: 'False', reason: Removing}]}\n",
     ACCESS_ABSENT, ACCESS_READABLE, "status; delete Tracing/llm-d", false},
    {"what render printed and somebody applied is theirs: nobody switched anything on",
     NS_PLAIN RENDERED, ACCESS_ABSENT, ACCESS_READABLE, "", true},
    {"nor does false take it away", NS("false") RENDERED, ACCESS_ABSENT, ACCESS_READABLE, "", true},
    {"one that somebody made stays",
     NS("false") TRACING_WITH("{}", "{conditions: [{type: Enabled, status: 'True', reason: "
				    "Annotated}]}"),
     ACCESS_ABSENT, ACCESS_READABLE, "status", true},
};

TEST(intents_by_state)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct scene scene;
		bool finished = false;
		scene_init(&scene);
		scene_add(&scene, table[i].objects);
		scene.access[RESOURCE_COLLECTOR] = table[i].collector_kind;
		scene.access[RESOURCE_TRACING] = table[i].tracing_kind;
		CLEANUP(str_freep) char *got = scene_namespace(&scene, false, &finished, NULL);
		CHECK_STR_ROW(got, table[i].intents, table[i].what);
		CHECK_INT_ROW(finished, table[i].finished, table[i].what);
		scene_release(&scene);
	}
}

/* Whatever was wanted once carried out, nothing more is wanted. */
TEST(a_second_look_wants_nothing)
{
	static const char *const scenes[] = {
	    NS("true") TRACING,
	    NS_PLAIN TRACING,
	    NS("maybe") TRACING OUR_CONFIG,
	    NS("true") TRACING FOREIGN_SERVICE("4317") READY_SLICE,
	    NS("true") TRACING_WITH("{sampling: {ratio: '2'}}", "{}"),
	    NS("true") TRACING_WITH(
		"{collector: {resources: {limits: {memory: 1024Mi, cpu: '0.50'}}}}", "{}"),
	};
	for (size_t i = 0; i < ARRAY_LEN(scenes); i++) {
		struct scene scene;
		scene_init(&scene);
		scene_add(&scene, scenes[i]);
		for (int look = 0; look < 3; look++) {
			CLEANUP(str_freep) char *got = scene_namespace(&scene, true, NULL, NULL);
			if (look == 2)
				CHECK(strstr(got, "apply") == NULL &&
				      strstr(got, "status") == NULL);
		}
		scene_release(&scene);
	}
}

TEST(a_live_object_that_lost_something_is_applied_again)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, NS("true") TRACING);
	for (int look = 0; look < 2; look++)
		free(scene_namespace(&scene, true, NULL, NULL));
	cJSON *service =
	    object_parse(store_get(scene.store, RESOURCE_SERVICE, "team", "otel-collector"));
	json_set(json_member_mut(service, "spec"), "ports", cJSON_CreateArray());
	scene_put(&scene, service);
	cJSON_Delete(service);
	CLEANUP(str_freep) char *got = scene_namespace(&scene, false, NULL, NULL);
	CHECK_STR(got, "apply Service/otel-collector (update)");
	/* ... unless that is how the API server says it: the last apply changed nothing */
	for (size_t i = 0; i < owned_object_count; i++)
		if (strcmp(owned_objects[i].kind, "Service") == 0 && !owned_objects[i].backend)
			scene.space->settled[i] = xstrdup("200");
	CLEANUP(str_freep) char *again = scene_namespace(&scene, false, NULL, NULL);
	CHECK_STR(again, "");
	scene_release(&scene);
}

/* A refused write holds its own part and shows the API server's words; the other part goes on. */
TEST(a_refusal_holds_one_part)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, NS("true") TRACING);
	refusal_note(&scene.space->refusals[PART_BACKEND], STATUS_DENIED, "exceeded quota: small",
		     "1", scene.now.mono_ms, 0);
	uint64_t again_ms = 0;
	CLEANUP(str_freep) char *got = scene_namespace(&scene, true, NULL, &again_ms);
	CHECK_STR(got, "event Tracing/llm-d Refused; status; " COLLECTOR);
	CHECK_INT(again_ms, 60000);
	cJSON *tracing = object_parse(store_get(scene.store, RESOURCE_TRACING, "team", "llm-d"));
	const cJSON *backend = object_condition(tracing, "BackendReady");
	CHECK_STR(json_str(backend, "status"), "False");
	CHECK_STR(json_str(backend, "message"), "exceeded quota: small");
	cJSON_Delete(tracing);
	scene_release(&scene);
}

/* So does a refused deletion, also of what is no longer wanted: it is not tried again and again. */
TEST(a_refused_deletion_waits)
{
	static const struct {
		const char *objects;
		const char *now, *later;
	} cases[] = {
	    {NS("false") TRACING OUR_CONFIG, "status",
	     "status; delete ConfigMap/otel-collector-config"},
	    {NS("true") TRACING_WITH(
		 "{collector: {mode: Shared, endpoint: 'http://10.0.0.1:4317'}}", "{}") OUR_CONFIG,
	     "event Tracing/llm-d CollectorReady; status",
	     "event Tracing/llm-d CollectorReady; status; delete ConfigMap/otel-collector-config"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene scene;
		uint64_t again_ms = 0;
		scene_init(&scene);
		scene_add(&scene, cases[i].objects);
		refusal_note(&scene.space->refusals[PART_REMOVAL], STATUS_DENIED,
			     "the policy forbids it", "1", scene.now.mono_ms, 0);
		CLEANUP(str_freep) char *now = scene_namespace(&scene, false, NULL, &again_ms);
		CHECK_STR_ROW(now, cases[i].now, cases[i].later);
		CHECK_INT_ROW(again_ms, 60000, cases[i].later);
		scene.now.mono_ms += 60000;
		CLEANUP(str_freep) char *later = scene_namespace(&scene, false, NULL, NULL);
		CHECK_STR_ROW(later, cases[i].later, cases[i].now);
		scene_release(&scene);
	}
}

TEST(a_refused_deletion_is_told_with_the_removal)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, NS("false") TRACING OUR_CONFIG);
	refusal_note(&scene.space->refusals[PART_REMOVAL], STATUS_DENIED, "the policy forbids it",
		     "1", scene.now.mono_ms, 0);
	free(scene_namespace(&scene, true, NULL, NULL));
	cJSON *tracing = object_parse(store_get(scene.store, RESOURCE_TRACING, "team", "llm-d"));
	CHECK_STR(json_str(object_condition(tracing, "Enabled"), "message"),
		  "everything is being taken back; left are 0 workloads and 1 objects of ours; "
		  "a deletion was refused: the policy forbids it");
	cJSON_Delete(tracing);
	scene_release(&scene);
}

/* A write that was carried out although its answer got lost, and one that is no longer wanted. */
TEST(a_refusal_ends_when_nothing_is_left_to_be_written)
{
	static const struct {
		const char *what;
		enum intent_part part;
		const char *condition;
		const char *spec; /* of the Tracing afterwards */
	} cases[] = {
	    {"collector", PART_COLLECTOR, "CollectorReady", "{}"},
	    {"back end", PART_BACKEND, "BackendReady", "{}"},
	    {"elsewhere, nothing of ours", PART_COLLECTOR, "CollectorReady",
	     "{collector: {mode: Shared, endpoint: 'http://10.0.0.1:4317'}}"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene scene;
		scene_init(&scene);
		scene_add(&scene, NS("true") TRACING);
		free(scene_namespace(&scene, true, NULL, NULL)); /* all is applied */
		CLEANUP(str_freep)
		char *tracing = xasprintf("apiVersion: tracing.llm-d.io/v1alpha1\nkind: "
					  "Tracing\nmetadata: {name: llm-d}\nspec: %s\n",
					  cases[i].spec);
		scene_add(&scene, tracing);
		refusal_note(&scene.space->refusals[cases[i].part], STATUS_RETRY, "connection lost",
			     "1", scene.now.mono_ms, 0);
		for (int look = 0; look < 3; look++) {
			free(scene_namespace(&scene, true, NULL, NULL));
			cJSON *tree =
			    object_parse(store_get(scene.store, RESOURCE_TRACING, "team", "llm-d"));
			const char *reason =
			    json_str(object_condition(tree, cases[i].condition), "reason");
			CHECK_INT_ROW(text_equal(reason, "Refused"), look < 2, cases[i].what);
			cJSON_Delete(tree);
			scene.now.mono_ms += 1000;
		}
		CHECK_INT_ROW(scene.space->refusals[cases[i].part].message == NULL, true,
			      cases[i].what);
		scene_release(&scene);
	}
}

/* What is still to be written is tried, and its refusal counted on. */
TEST(a_refusal_stays_while_its_write_is_tried_again)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, NS("true") TRACING);
	refusal_note(&scene.space->refusals[PART_BACKEND], STATUS_DENIED, "exceeded quota: small",
		     "1", scene.now.mono_ms, 0);
	scene.now.mono_ms += 60000;
	CLEANUP(str_freep) char *got = scene_namespace(&scene, false, NULL, NULL);
	CHECK(strstr(got, "apply Deployment/jaeger") != NULL);
	CHECK_STR(scene.space->refusals[PART_BACKEND].message, "exceeded quota: small");
	scene_release(&scene);
}

TEST(removal_waits_for_workloads_only_so_long)
{
	struct scene scene;
	uint64_t again_ms = 0;
	scene_init(&scene);
	scene_add(&scene, NS("false") TRACING OUR_CONFIG INJECTED);
	scene.space->removing = true;
	scene.space->removing_since_ms = scene.now.mono_ms - 899000;
	CLEANUP(str_freep) char *before = scene_namespace(&scene, false, NULL, &again_ms);
	CHECK_STR(before, "status");
	CHECK_INT(again_ms, 1000);
	scene.now.mono_ms += 1000;
	CLEANUP(str_freep) char *after = scene_namespace(&scene, false, NULL, NULL);
	CHECK_STR(after, "status; delete ConfigMap/otel-collector-config");
	scene_release(&scene);
}

/* A namespace that is deleted takes its annotation along: nobody has taken that off. */
TEST(who_has_lost_the_switch)
{
#define ENABLED                                                                                    \
	TRACING_WITH("{}", "{conditions: [{type: Enabled, status: 'True', reason: Annotated}]}")
#define LEAVING                                                                                    \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: team, deletionTimestamp: "              \
	"'2026-01-01T00:00:00Z'}\n---\n"
	static const struct {
		const char *what, *objects;
		bool lost;
	} cases[] = {
	    {"annotation gone", NS_PLAIN ENABLED, true},
	    {"annotated", NS("true") ENABLED, false},
	    {"never enabled", NS_PLAIN TRACING, false},
	    {"the namespace is gone before what was in it", ENABLED OUR_CONFIG, false},
	    {"being deleted", LEAVING ENABLED OUR_CONFIG, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene scene;
		scene_init(&scene);
		scene_add(&scene, cases[i].objects);
		free(scene_namespace(&scene, false, NULL, NULL));
		CHECK_INT_ROW(scene.space->just_lost, cases[i].lost, cases[i].what);
		scene_release(&scene);
	}
}

/* What a process that starts has to know is what the one before it had kept. */
TEST(whose_workloads_are_to_be_known)
{
	static const struct {
		const char *what, *objects;
		bool wanted;
	} cases[] = {
	    {"no such namespace", "", false},
	    {"not annotated", NS_PLAIN, false},
	    {"not annotated, injected by the command line", NS_PLAIN INJECTED, false},
	    {"annotated", NS("true"), true},
	    {"annotated, the Tracing is gone", NS("true") OUR_CONFIG, true},
	    {"in the grace", NS_PLAIN ENABLED, true},
	    {"being taken back", NS("false") ENABLED INJECTED, true},
	    {"all workloads are back", NS("false") ENABLED OUR_CONFIG, false},
	    {"all is back", NS("false") TRACING, false},
	    {"held by a wrong value", NS("maybe") ENABLED, true},
	    {"a wrong value from the beginning", NS("maybe") TRACING, false},
	    {"being deleted", LEAVING ENABLED, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene scene;
		struct view view;
		scene_init(&scene);
		scene_add(&scene, cases[i].objects);
		view_gather(&view, scene.store, scene.space, scene.access, &scene.options,
			    scene.now);
		CHECK_INT_ROW(view_wants_workloads(&view), cases[i].wanted, cases[i].what);
		view_release(&view);
		scene_release(&scene);
	}
}

/* The grace of a missing annotation goes on over a restart. */
TEST(the_grace_outlasts_the_process)
{
	struct scene scene;
	uint64_t again_ms = 0;
	scene_init(&scene);
	scene_add(&scene, NS_PLAIN TRACING_WITH(
			      "{}", "{conditions: [{type: Enabled, status: 'True', reason: "
				    "RemovalPending, lastTransitionTime: "
				    "'2025-12-31T23:59:20Z'}]}") OUR_CONFIG);
	free(scene_namespace(&scene, false, NULL, &again_ms));
	CHECK_INT(again_ms, 20000);
	scene_release(&scene);
}

/* What was decided once outlasts a hold: the mode that Auto found, and the images. */
TEST(a_hold_forgets_nothing)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, NS("maybe") TRACING_WITH(
			      "{}", "{collector: {mode: Deployment}, images: {collector: 'a:1'}}")
			      OUR_CONFIG);
	free(scene_namespace(&scene, true, NULL, NULL));
	cJSON *tracing = object_parse(store_get(scene.store, RESOURCE_TRACING, "team", "llm-d"));
	CHECK_STR(json_str(tracing, "status.collector.mode"), "Deployment");
	CHECK_STR(json_str(tracing, "status.images.collector"), "a:1");
	cJSON_Delete(tracing);
	scene_release(&scene);
}

/* Deployment states → what CollectorReady says. */
static const struct {
	const char *conditions;
	int available;
	const char *status;
	const char *reason;
	const char *message;
} deployments[] = {
    {"[{type: Available, status: 'True'}]", 1, "True", "Available",
     "Deployment otel-collector is available"},
    {"[{type: Available, status: 'False'}]", 0, "False", "NotAvailable",
     "waiting for Deployment otel-collector to become available"},
    {"[{type: ReplicaFailure, status: 'True', reason: FailedCreate, message: 'pods \"x\" is "
     "forbidden: violates PodSecurity \"restricted:latest\"'}]",
     0, "False", "FailedCreate",
     "pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\""},
    {"[{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded, message: timed "
     "out}]",
     0, "False", "ProgressDeadlineExceeded", "timed out"},
};

TEST(collector_ready_in_the_servers_words)
{
	for (size_t i = 0; i < ARRAY_LEN(deployments); i++) {
		struct scene scene;
		scene_init(&scene);
		scene_add(&scene, NS("true") TRACING);
		CLEANUP(str_freep)
		char *yaml = xasprintf(
		    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: otel-collector, "
		    "generation: 1, labels: {app.kubernetes.io/managed-by: llmd-tracing}}\n"
		    "status: {observedGeneration: 1, availableReplicas: %d, conditions: %s}\n",
		    deployments[i].available, deployments[i].conditions);
		scene_add(&scene, yaml);
		free(scene_namespace(&scene, true, NULL, NULL));
		cJSON *tracing =
		    object_parse(store_get(scene.store, RESOURCE_TRACING, "team", "llm-d"));
		const cJSON *ready = object_condition(tracing, "CollectorReady");
		CHECK_STR(json_str(ready, "status"), deployments[i].status);
		CHECK_STR(json_str(ready, "reason"), deployments[i].reason);
		CHECK_STR(json_str(ready, "message"), deployments[i].message);
		cJSON_Delete(tracing);
		scene_release(&scene);
	}
}
