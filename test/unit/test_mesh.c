/* SPDX-License-Identifier: Apache-2.0 */
#include "scene.h"

#include "base/alloc.h"
#include "base/text.h"
#include "controller/mesh.h"
#include "controller/preflight.h"
#include "inject/settings.h"

static cJSON *read_yaml(const char *text)
{
	struct error err = {.message = ""};
	cJSON *tree = NULL;
	CHECK_STR(yaml_read(text, strlen(text), &tree, &err) == STATUS_OK ? "" : err.message, "");
	return tree;
}

#define LABELS(WHAT)      "{metadata: {labels: {" WHAT "}}}"
#define ANNOTATIONS(WHAT) "{metadata: {annotations: {" WHAT "}}}"
#define BOTH(LABEL, NOTE) "{metadata: {labels: {" LABEL "}, annotations: {" NOTE "}}}"
#define INJECT_TRUE       "sidecar.istio.io/inject: 'true'"
#define INJECT_FALSE      "sidecar.istio.io/inject: 'false'"
#define ENABLED           "{istio-injection: enabled}"
#define DISABLED          "{istio-injection: disabled}"
#define REVISION          "{istio.io/rev: stable}"
#define AMBIENT           "{istio.io/dataplane-mode: ambient}"

TEST(where_pods_are)
{
	static const struct {
		const char *what;
		const char *space;
		const char *pod;
		enum mesh_place place;
	} rows[] = {
	    {"no labels at all", "{}", "{}", MESH_OUTSIDE},
	    {"the namespace is injected", ENABLED, "{}", MESH_INSIDE},
	    {"but this pod is not", ENABLED, LABELS(INJECT_FALSE), MESH_OUTSIDE},
	    {"by annotation", ENABLED, ANNOTATIONS(INJECT_FALSE), MESH_OUTSIDE},
	    {"the label wins over the annotation", ENABLED, BOTH(INJECT_TRUE, INJECT_FALSE),
	     MESH_INSIDE},
	    {"also the other way", ENABLED, BOTH(INJECT_FALSE, INJECT_TRUE), MESH_OUTSIDE},
	    {"a value that the injector does not know", ENABLED,
	     ANNOTATIONS("sidecar.istio.io/inject: maybe"), MESH_UNCLEAR},
	    {"one pod by label", "{}", LABELS(INJECT_TRUE), MESH_INSIDE},
	    {"an annotation alone is shown to no injector", "{}", ANNOTATIONS(INJECT_TRUE),
	     MESH_OUTSIDE},
	    {"a namespace that is not injected", DISABLED, LABELS(INJECT_TRUE), MESH_OUTSIDE},
	    {"a revision", REVISION, "{}", MESH_INSIDE},
	    {"a revision, and not this pod", REVISION, LABELS(INJECT_FALSE), MESH_OUTSIDE},
	    {"a pod with a revision", "{}", LABELS("istio.io/rev: stable"), MESH_INSIDE},
	    {"not in a namespace that is not injected", DISABLED, LABELS("istio.io/rev: stable"),
	     MESH_OUTSIDE},
	    {"the injection label wins over the revision",
	     "{istio-injection: disabled, istio.io/rev: stable}", "{}", MESH_OUTSIDE},
	    {"a template of somebody's own", ENABLED, ANNOTATIONS("inject.istio.io/templates: x"),
	     MESH_UNCLEAR},
	    {"which is not asked for", "{}", ANNOTATIONS("inject.istio.io/templates: x"),
	     MESH_OUTSIDE},
	    {"the host's network", ENABLED, "{spec: {hostNetwork: true}}", MESH_OUTSIDE},
	    {"injected by hand", "{}", "{spec: {containers: [{name: istio-proxy}]}}", MESH_INSIDE},
	    {"as a native sidecar", DISABLED, "{spec: {initContainers: [{name: istio-proxy}]}}",
	     MESH_INSIDE},
	    {"ambient", AMBIENT, "{}", MESH_INSIDE},
	    {"ambient, and not this pod", AMBIENT, LABELS("istio.io/dataplane-mode: none"),
	     MESH_OUTSIDE},
	    {"ambient, this pod alone", "{}", LABELS("istio.io/dataplane-mode: ambient"),
	     MESH_INSIDE},
	    {"ambient does not ask for the injector", AMBIENT, LABELS(INJECT_FALSE), MESH_INSIDE},
	    {"ambient never has the host's network", AMBIENT, "{spec: {hostNetwork: true}}",
	     MESH_OUTSIDE},
	    {"an injected pod that is not ambient", ENABLED,
	     LABELS("istio.io/dataplane-mode: none"), MESH_INSIDE},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(json_freep) cJSON *space = read_yaml(rows[i].space);
		CLEANUP(json_freep) cJSON *pod = read_yaml(rows[i].pod);
		CHECK_INT_ROW(mesh_place(space, pod), rows[i].place, rows[i].what);
	}
	CHECK_INT(mesh_place(NULL, NULL), MESH_OUTSIDE);
}

#define POLICY(SPACE, NAME, SECOND, SPEC)                                                          \
	"{metadata: {namespace: " SPACE ", name: " NAME                                            \
	", creationTimestamp: '2026-01-01T00:00:0" SECOND "Z'}, spec: {" SPEC "}}"
#define MODE(MODE)       "mtls: {mode: " MODE "}"
#define OURS(REST)       "selector: {matchLabels: {app: otel-collector}}, " REST
#define PORT(PORT, MODE) "portLevelMtls: {" PORT ": {mode: " MODE "}}"
#define MESH(MODE_)      POLICY("istio-system", "mesh", "1", MODE(MODE_))
#define SPACE(MODE_)     POLICY("team", "team", "1", MODE(MODE_))

/* A collector with a sidecar. */
TEST(which_policy_refuses)
{
	static const struct {
		const char *what;
		const char *policies;
		const char *name; /* "": none */
	} rows[] = {
	    {"no policy: both are taken", "", ""},
	    {"of the mesh", MESH("STRICT"), "mesh"},
	    {"permissive", MESH("PERMISSIVE"), ""},
	    {"no mTLS", MESH("DISABLE"), ""},
	    {"UNSET, and nothing wider", MESH("UNSET"), ""},
	    {"without a mode", POLICY("team", "x", "1", "mtls: {}"), ""},
	    {"of the namespace", SPACE("STRICT"), "team"},
	    {"the namespace lifts the mesh's", MESH("STRICT") ", " SPACE("PERMISSIVE"), ""},
	    {"in whichever order they come", SPACE("PERMISSIVE") ", " MESH("STRICT"), ""},
	    {"the namespace leaves it to the mesh", SPACE("UNSET") ", " MESH("STRICT"), "mesh"},
	    {"the namespace is stricter", MESH("PERMISSIVE") ", " SPACE("STRICT"), "team"},
	    {"of another namespace", POLICY("else", "x", "1", MODE("STRICT")), ""},
	    {"of the pods", POLICY("team", "pods", "1", OURS(MODE("STRICT"))), "pods"},
	    {"of other pods",
	     POLICY("team", "x", "1", "selector: {matchLabels: {app: vllm}}, " MODE("STRICT")), ""},
	    {"the pods' lifts both",
	     MESH("STRICT") ", " SPACE("STRICT") ", " POLICY("team", "x", "1",
							     OURS(MODE("PERMISSIVE"))),
	     ""},
	    {"an empty selector is the whole namespace",
	     POLICY("team", "all", "1", "selector: {matchLabels: {}}, " MODE("STRICT")), "all"},
	    {"a selector in the root namespace is of no effect",
	     POLICY("istio-system", "x", "1", OURS(MODE("STRICT"))), ""},
	    {"nor does it lift",
	     MESH("STRICT") ", " POLICY("istio-system", "x", "2", OURS(MODE("PERMISSIVE"))),
	     "mesh"},
	    {"the port is open",
	     SPACE("STRICT") ", " POLICY("team", "x", "1", OURS(PORT("4317", "PERMISSIVE"))), ""},
	    {"another port is",
	     SPACE("STRICT") ", " POLICY("team", "x", "1", OURS(PORT("4318", "PERMISSIVE"))),
	     "team"},
	    {"the port alone is closed", POLICY("team", "port", "1", OURS(PORT("4317", "STRICT"))),
	     "port"},
	    {"the port leaves it to its pods",
	     POLICY("team", "pods", "1", OURS(MODE("STRICT") ", " PORT("4317", "UNSET"))), "pods"},
	    {"a port without a selector is of no effect",
	     POLICY("team", "x", "1", MODE("STRICT") ", " PORT("4317", "DISABLE")), "x"},
	    {"the older of two holds",
	     POLICY("team", "a", "2", MODE("STRICT")) ", " POLICY("team", "b", "1",
								  MODE("PERMISSIVE")),
	     ""},
	    {"the first of two of one second",
	     POLICY("team", "a", "1", MODE("STRICT")) ", " POLICY("team", "b", "1",
								  MODE("PERMISSIVE")),
	     "a"},
	    {"the older of two that select",
	     POLICY("team", "a", "2", OURS(MODE("PERMISSIVE"))) ", " POLICY("team", "b", "1",
									    OURS(MODE("STRICT"))),
	     "b"},
	    {"a mode that is not known is no refusal", MESH("SOMETHING"), ""},
	    {"a selector that is none selects nothing",
	     POLICY("team", "x", "1", "selector: {matchLabels: [otel-collector]}, " MODE("STRICT")),
	     ""},
	};
	CLEANUP(json_freep) cJSON *pods = read_yaml(LABELS("app: otel-collector, " INJECT_TRUE));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(str_freep) char *text = xasprintf("[%s]", rows[i].policies);
		CLEANUP(json_freep) cJSON *policies = read_yaml(text);
		struct mesh_space space = {.name = "team", .policies = policies};
		const char *name =
		    json_str(mesh_refuses_plaintext(&space, pods, 4317), "metadata.name");
		CHECK_STR_ROW(name == NULL ? "" : name, rows[i].name, rows[i].what);
	}
}

/* The policy is there; whether the collector's proxy sees the port. */
TEST(whom_it_concerns)
{
	static const struct {
		const char *what;
		const char *space;
		const char *pods;
		bool refused;
	} rows[] = {
	    {"as we make it", ENABLED,
	     BOTH(INJECT_FALSE ", istio.io/dataplane-mode: none", INJECT_FALSE), false},
	    {"in the mesh", ENABLED, "{}", true},
	    {"ambient", AMBIENT, "{}", true},
	    {"that it is in the mesh is not certain", ENABLED,
	     ANNOTATIONS("inject.istio.io/templates: grpc-agent"), false},
	    {"the port goes round the proxy", ENABLED,
	     ANNOTATIONS("traffic.sidecar.istio.io/excludeInboundPorts: '4317'"), false},
	    {"so do all but some", ENABLED,
	     ANNOTATIONS("traffic.sidecar.istio.io/includeInboundPorts: '8888'"), false},
	    {"everything does", ENABLED, ANNOTATIONS("sidecar.istio.io/interceptionMode: NONE"),
	     false},
	    {"ambient, outgoing only", AMBIENT,
	     ANNOTATIONS("ambient.istio.io/bypass-inbound-capture: 'true'"), false},
	};
	CLEANUP(json_freep) cJSON *policies = read_yaml("[" MESH("STRICT") "]");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(json_freep) cJSON *labels = read_yaml(rows[i].space);
		CLEANUP(json_freep) cJSON *pods = read_yaml(rows[i].pods);
		struct mesh_space space = {.name = "team", .labels = labels, .policies = policies};
		CHECK_INT_ROW(mesh_refuses_plaintext(&space, pods, 4317) != NULL, rows[i].refused,
			      rows[i].what);
		CHECK_INT_ROW(mesh_refuses_plaintext(&space, NULL, 4317) != NULL, false,
			      "a collector elsewhere");
	}
}

#define BEGINS(POLICY, SCOPE)                                                                      \
	"the collector's pods are in the Istio mesh, PeerAuthentication " POLICY                   \
	" (STRICT for " SCOPE                                                                      \
	") lets no plaintext into them, and the pods of vllm are outside of the mesh. "

TEST(what_is_said)
{
	static const struct {
		const char *what;
		const char *strict; /* "": none */
		const char *server;
		const char *begins; /* "": nothing is in the way */
		const char *ends;
	} rows[] = {
	    {"none refuses", "", LABELS(INJECT_FALSE), "", ""},
	    {"both are in the mesh", MESH("STRICT"), "{}", "", ""},
	    {"whether the server is in it is not certain", MESH("STRICT"),
	     ANNOTATIONS("inject.istio.io/templates: x"), "", ""},
	    {"the mesh", MESH("STRICT"), LABELS(INJECT_FALSE),
	     BEGINS("istio-system/mesh", "the whole mesh"),
	     "alone with {apiVersion: security.istio.io/v1, kind: PeerAuthentication, metadata: "
	     "{name: otel-collector}, spec: {selector: {matchLabels: {app: otel-collector}}, "
	     "portLevelMtls: {4317: {mode: PERMISSIVE}}}}"},
	    {"the namespace", SPACE("STRICT"), "{spec: {hostNetwork: true, dnsPolicy: None}}",
	     BEGINS("team/team", "this namespace"), "portLevelMtls: {4317: {mode: PERMISSIVE}}}}"},
	    {"a policy that selects is to be changed",
	     POLICY("team", "pods", "1", OURS(MODE("STRICT"))), LABELS(INJECT_FALSE),
	     BEGINS("team/pods", "the pods that it selects"),
	     "alone with spec.portLevelMtls: {4317: {mode: PERMISSIVE}} in that policy"},
	};
	CLEANUP(json_freep) cJSON *labels = read_yaml(ENABLED);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char words[1000] = "";
		CLEANUP(json_freep) cJSON *server = read_yaml(rows[i].server);
		CLEANUP(json_freep)
		cJSON *strict = rows[i].strict[0] == '\0' ? NULL : read_yaml(rows[i].strict);
		struct preflight_path path = {.strict = strict, .labels = labels};
		struct replica_sets sets = {.count = 1};
		sets.items[0] = (struct replicas){
		    .name = "vllm", .pod = server, .leader = json_member(server, "spec")};
		enum reason reason =
		    preflight_judge(&sets, DEFAULT_ENDPOINT, &path, words, sizeof(words));
		bool blocked = rows[i].begins[0] != '\0';
		CHECK_STR_ROW(reason_info(reason)->word, blocked ? "MeshBlocksPlaintext" : "None",
			      rows[i].what);
		CHECK_INT_ROW(text_has_prefix(words, rows[i].begins), true, rows[i].what);
		CHECK_INT_ROW(text_has_suffix(words, rows[i].ends), true, rows[i].what);
		/* an endpoint that is written into pods leads elsewhere */
		CHECK_INT_ROW(
		    preflight_judge(&sets, "http://10.0.0.1:4317", &path, words, sizeof(words)),
		    REASON_NONE, rows[i].what);
	}
}

#define TEAM(LABELS_)                                                                              \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: team, labels: {other: label, " LABELS_  \
	"}, annotations: {tracing.llm-d.io/enabled: 'true'}}\n---\n"
#define COLLECTOR(LABELS_)                                                                         \
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: otel-collector}\n"                \
	"spec: {template: {metadata: {labels: {app: otel-collector, " LABELS_ "}}}}\n---\n"
#define PEERS(SPACE_, MODE_)                                                                       \
	"apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: default, "   \
	"namespace: " SPACE_ "}\nspec: {mtls: {mode: " MODE_ "}}\n---\n"

static char *fingerprint(struct scene *scene, bool refused, const char *what)
{
	struct view view;
	struct policy policy;
	view_gather(&view, scene->store, scene->space, scene->access, &scene->options, scene->now);
	policy_decide(&view, &policy);
	CHECK_INT_ROW(policy.path.strict != NULL, refused, what);
	CHECK_INT_ROW(json_member(policy.path.labels, "other") != NULL, false, "not kept");
	char *text = policy_fingerprint(&policy);
	policy_release(&policy);
	view_release(&view);
	return text;
}

/* What changes in the mesh makes workloads be looked at again; what does not, does not. */
TEST(workloads_are_looked_at_again)
{
	static const struct {
		const char *what;
		const char *yaml;
		bool refused;
		bool changed;
	} steps[] = {
	    {"a policy of the mesh, and the collector in it",
	     TEAM("istio-injection: enabled") COLLECTOR("a: b") PEERS("istio-system", "STRICT"),
	     true, true},
	    {"one of the namespace lifts it", PEERS("team", "PERMISSIVE"), false, true},
	    {"one of another namespace", PEERS("else", "STRICT"), false, false},
	    {"it is strict again", PEERS("team", "STRICT"), true, true},
	    {"by the mesh's or by its own", PEERS("istio-system", "PERMISSIVE"), true, false},
	    {"the collector goes out", COLLECTOR(INJECT_FALSE), false, true},
	    {"the namespace goes out, and with it its servers", TEAM("a: b"), false, true},
	    {"the collector is asked in", COLLECTOR(INJECT_TRUE), true, true},
	    {"a label of something else", TEAM("a: c"), true, false},
	};
	struct scene scene;
	scene_init(&scene);
	char *before = fingerprint(&scene, false, "nothing is there yet");
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		scene_add(&scene, steps[i].yaml);
		char *after = fingerprint(&scene, steps[i].refused, steps[i].what);
		CHECK_INT_ROW(!text_equal(before, after), steps[i].changed, steps[i].what);
		free(before);
		before = after;
	}
	free(before);
	scene_release(&scene);
}
