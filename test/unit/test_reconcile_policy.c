/* SPDX-License-Identifier: Apache-2.0 */
/* What the administrator says (defaults, policy), seen in what a namespace does. */
#include "scene.h"

#include "base/alloc.h"
#include "inject/patch.h"
#include "inject/settings_defaults.h"

#define NS                                                                                         \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: team, annotations: "                    \
	"{tracing.llm-d.io/enabled: 'true'}}\n---\n"
#define NS_OFF                                                                                     \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: team, annotations: "                    \
	"{tracing.llm-d.io/enabled: 'false'}}\n---\n"
#define TRACING(SPEC)                                                                              \
	"apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: "                  \
	"llm-d}\nspec: " SPEC "\n---\n"
#define OURS                                                                                       \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: otel-collector-config, annotations: "   \
	"{tracing.llm-d.io/applied: x}, labels: "                                                  \
	"{app.kubernetes.io/managed-by: llmd-tracing}}\n---\n"

static const struct {
	const char *what;
	const char *objects;
	const char *policy;
	const char *intents;
	const char *valid; /* reason of SettingsValid */
} table[] = {
    {"outside of the policy: nothing is written",
     NS TRACING("{backend: {type: OTLP, otlp: {endpoint: 'https://evil.example:443'}}}") OURS,
     "allowedEndpoints: ['https://*.corp.example:4317']",
     "event Namespace/team PolicyDenied; event Tracing/llm-d PolicyDenied; status", "PolicyDenied"},
    {"without a policy a metadata service is out of reach all the same",
     NS TRACING("{backend: {type: OTLP, otlp: {endpoint: 'http://169.254.169.254:80'}}}") OURS,
     "{}", "event Namespace/team PolicyDenied; event Tracing/llm-d PolicyDenied; status",
     "PolicyDenied"},
    {"taking back does not ask",
     NS_OFF TRACING("{backend: {type: OTLP, otlp: {endpoint: 'http://169.254.169.254:80'}}}") OURS,
     "allowedEndpoints: []", "status; delete ConfigMap/otel-collector-config", "Valid"},
};

TEST(a_tracing_outside_of_the_policy)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct scene scene;
		struct error err = {.message = ""};
		struct admin_policy admin = {.max_ratio = NULL};
		cJSON *tree = NULL;
		CHECK_INT(yaml_read(table[i].policy, strlen(table[i].policy), &tree, &err),
			  STATUS_OK);
		CHECK_INT(admin_policy_read(tree, &admin, &err), STATUS_OK);
		scene_init(&scene);
		scene.options.admin = &admin;
		scene_add(&scene, table[i].objects);
		CLEANUP(str_freep) char *got = scene_namespace(&scene, true, NULL, NULL);
		CHECK_STR_ROW(got, table[i].intents, table[i].what);
		cJSON *tracing =
		    object_parse(store_get(scene.store, RESOURCE_TRACING, "team", "llm-d"));
		CHECK_STR_ROW(json_str(object_condition(tracing, "SettingsValid"), "reason"),
			      table[i].valid, table[i].what);
		cJSON_Delete(tracing);
		scene_release(&scene);
		admin_policy_release(&admin);
		json_freep(&tree);
	}
}

/* Effective values tell them; and a workload that was injected under others is not restarted. */
TEST(changed_defaults_start_no_rollout)
{
	static const char decode[] =
	    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: decode, annotations: "
	    "{tracing.llm-d.io/inject: 'true'}}\nspec: {template: {spec: {containers: [{name: "
	    "vllm, "
	    "image: 'ghcr.io/llm-d/llm-d-cuda:v0.5.0', command: [vllm, serve, m]}]}}}\nstatus: "
	    "{observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1}\n---\n"
	    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: otel-collector, generation: "
	    "1, "
	    "labels: {app.kubernetes.io/managed-by: llmd-tracing}}\nstatus: {observedGeneration: "
	    "1, "
	    "availableReplicas: 1, conditions: [{type: Available, status: 'True'}]}\n---\n";
	struct scene scene;
	struct settings defaults;
	struct error err = {.message = ""};
	struct intents intents;
	cJSON *tree = NULL;
	static const char file[] = "{sampling: {ratio: '0.125'}}";
	scene_init(&scene);
	scene_add(&scene, NS TRACING("{}"));
	scene_add(&scene, decode);
	CLEANUP(str_freep)
	char *first = scene_workload(&scene, RESOURCE_DEPLOYMENT, "decode", &intents);
	CHECK_STR(first, "patch Deployment/decode; event Deployment/decode Injected; "
			 "event Tracing/llm-d Injected");
	cJSON *after = object_parse(store_get(scene.store, RESOURCE_DEPLOYMENT, "team", "decode"));
	CHECK_INT(patch_apply(after, intents.items[0].body, &err), STATUS_OK);
	CHECK_STR(err.message, "");
	scene_put(&scene, after);
	intents_release(&intents);

	CHECK_INT(yaml_read(file, strlen(file), &tree, &err), STATUS_OK);
	CHECK_INT(settings_read_defaults(tree, &defaults, &err), STATUS_OK);
	scene.options.defaults = &defaults;
	CLEANUP(str_freep)
	char *second = scene_workload(&scene, RESOURCE_DEPLOYMENT, "decode", &intents);
	CHECK_STR(second, "");
	CHECK_STR(
	    reason_info(roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode")->reason)
		->word,
	    "PlanOutdated");
	free(scene_namespace(&scene, true, NULL, NULL));
	cJSON *tracing = object_parse(store_get(scene.store, RESOURCE_TRACING, "team", "llm-d"));
	CHECK_STR(json_str(tracing, "status.effective.ratio"), "0.125");
	cJSON_Delete(tracing);
	json_freep(&after);
	json_freep(&tree);
	intents_release(&intents);
	scene_release(&scene);
	settings_release(&defaults);
}

#define NS_PLAIN "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n---\n"

static const struct {
	const char *what;
	bool option;
	const char *objects;
	const char *intents;
	const char *status; /* of Enabled */
	const char *reason;
	const char *message; /* part of it */
} switches[] = {
    {"true stands in for the annotation", true, NS_PLAIN TRACING("{enabled: true}"),
     "status; apply ConfigMap/jaeger-config (create)", "True", "EnabledHere",
     "spec.enabled is true"},
    {"false takes back at once", true, NS_PLAIN TRACING("{enabled: false}") OURS,
     "status; delete ConfigMap/otel-collector-config", "False", "Removing", ""},
    {"the annotation is stronger", true, NS_OFF TRACING("{enabled: true}") OURS,
     "status; delete ConfigMap/otel-collector-config", "False", "Removing", ""},
    {"its absence is that of the annotation", true, NS_PLAIN TRACING("{}") OURS,
     "event Namespace/team RemovalPending; event Tracing/llm-d RemovalPending; status", "False",
     "RemovalPending", "(and spec.enabled) is gone"},
    {"never said", true, NS_PLAIN TRACING("{}"), "status", "False", "NotAnnotated",
     "nor is spec.enabled true"},
    {"not unless the operator is told to", false, NS_PLAIN TRACING("{enabled: true}"), "status",
     "False", "NotAnnotated", "spec.enabled means nothing unless the operator runs with"},
};

TEST(enabled_from_the_tracing)
{
	for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
		struct scene scene;
		scene_init(&scene);
		scene.options.enable_from_tracing = switches[i].option;
		scene_add(&scene, switches[i].objects);
		CLEANUP(str_freep) char *got = scene_namespace(&scene, true, NULL, NULL);
		if (!CHECK(strncmp(got, switches[i].intents, strlen(switches[i].intents)) == 0))
			printf("  %s: %s\n", switches[i].what, got);
		cJSON *tracing =
		    object_parse(store_get(scene.store, RESOURCE_TRACING, "team", "llm-d"));
		const cJSON *enabled = object_condition(tracing, "Enabled");
		CHECK_STR_ROW(json_str(enabled, "status"), switches[i].status, switches[i].what);
		CHECK_STR_ROW(json_str(enabled, "reason"), switches[i].reason, switches[i].what);
		CHECK(strstr(json_str(enabled, "message"), switches[i].message) != NULL);
		cJSON_Delete(tracing);
		scene_release(&scene);
	}
}

/* What workloads are looked at again for; of the rest the collector's own key takes care. */
static const struct {
	const char *what;
	const char *spec;
	bool news;
} edits[] = {
    {"which pools", "{selector: {pools: [a]}}", true},
    {"which labels", "{selector: {matchLabels: {team: x}}}", true},
    {"a strategy may be lent", "{rollout: {allowStrategyOverride: true}}", true},
    {"what is not known is not tried", "{rollout: {rehearse: 'Off'}}", true},
    {"how many at a time", "{rollout: {maxConcurrent: 2}}", true},
    {"only the collector's", "{privacy: {dropContent: false}}", false},
};

static char *fingerprint_of(const char *spec)
{
	struct scene scene;
	struct view view;
	struct policy policy;
	CLEANUP(str_freep) char *objects = xasprintf(NS TRACING("%s"), spec);
	scene_init(&scene);
	scene_add(&scene, objects);
	view_gather(&view, scene.store, scene.space, scene.access, &scene.options, scene.now);
	policy_decide(&view, &policy);
	CHECK_INT_ROW(policy.phase, PHASE_ON, spec);
	char *text = policy_fingerprint(&policy);
	policy_release(&policy);
	view_release(&view);
	scene_release(&scene);
	return text;
}

TEST(an_edit_of_the_tracing_brings_its_workloads_to_mind)
{
	CLEANUP(str_freep) char *before = fingerprint_of("{}");
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		CLEANUP(str_freep) char *after = fingerprint_of(edits[i].spec);
		CHECK_INT_ROW(strcmp(before, after) != 0, edits[i].news, edits[i].what);
	}
}
