/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/json.h"
#include "inject/surroundings.h"

#define POOL(METADATA, LABELS)                                                                     \
	"{\"apiVersion\":\"inference.networking.k8s.io/"                                           \
	"v1\",\"kind\":\"InferencePool\",\"metadata\":" METADATA                                   \
	",\"spec\":{\"selector\":{\"matchLabels\":{" LABELS "}}}}"

/* Around every case: two pools (one of each group), their Services, a ModelService's base. */
static const char *const around[] = {
    "{\"apiVersion\":\"inference.networking.k8s.io/"
    "v1\",\"kind\":\"InferencePool\",\"metadata\":{\"name\":\"new\"},"
    "\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"vllm\",\"tier\":\"gpu\"}},"
    "\"endpointPickerRef\":{\"name\":\"new-epp\",\"port\":{\"number\":9002},\"failureMode\":"
    "\"FailOpen\"}}}",
    "{\"apiVersion\":\"inference.networking.x-k8s.io/"
    "v1alpha2\",\"kind\":\"InferencePool\",\"metadata\":{\"name\":\"old\"},"
    "\"spec\":{\"selector\":{\"app\":\"old\"},\"targetPortNumber\":8000,\"extensionRef\":{\"name\":"
    "\"old-epp\"}}}",
    "{\"apiVersion\":\"inference.networking.k8s.io/"
    "v1\",\"kind\":\"InferencePool\",\"metadata\":{\"name\":\"bare\"},"
    "\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"bare\"}}}}",
    "{\"apiVersion\":\"inference.networking.k8s.io/"
    "v1\",\"kind\":\"InferencePool\",\"metadata\":{\"name\":\"gke\"},"
    "\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"gke\"}},\"endpointPickerRef\":{\"name\":"
    "\"gke-backup\"}}}",
    "{\"apiVersion\":\"other.example/"
    "v1\",\"kind\":\"InferencePool\",\"metadata\":{\"name\":\"foreign\"},"
    "\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"foreign\"}}}}",
    POOL("{\"name\":\"there\",\"namespace\":\"elsewhere\"}", "\"app\":\"there\""),
    POOL("{\"name\":\"lead\"}",
	 "\"app\":\"w0\",\"leaderworkerset.sigs.k8s.io/worker-index\":\"0\""),
    POOL("{\"name\":\"named\"}",
	 "\"app\":\"named\",\"leaderworkerset.sigs.k8s.io/name\":\"my-lws\""),
    POOL("{\"name\":\"role\"}",
	 "\"disaggregatedset.x-k8s.io/name\":\"my-set\",\"disaggregatedset.x-k8s.io/role\":"
	 "\"decode\",\"app\":\"of-role\""),
    "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"new-epp\"},\"spec\":{"
    "\"selector\":{\"epp\":\"new\"}}}",
    "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"old-epp\"},\"spec\":{"
    "\"selector\":{\"epp\":\"old\"}}}",
    "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"gke-backup\"},"
    "\"spec\":{\"selector\":{\"statefulset.kubernetes.io/pod-name\":\"gke-epp-0\"}}}",
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"base\"},\"data\":{"
    "\"decodeDeployment\":"
    "\"spec:\\n  template:\\n    spec:\\n      containers:\\n      - name: vllm\\n        image: "
    "\\\"{{ .Image }}\\\"\\n"
    "        ports:\\n        - containerPort: {{ \\\"p\\\" | getPort "
    "}}\\n\",\"prefillDeployment\":\"a: [\"}}",
    "{\"apiVersion\":\"apps/"
    "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"ms-decode\",\"ownerReferences\":"
    "[{\"apiVersion\":\"llm-d.ai/"
    "v1alpha1\",\"kind\":\"ModelService\",\"name\":\"ms\",\"uid\":\"u\"}]}}",
};

#define POD(LABELS)                                                                                \
	"\"spec\":{\"template\":{\"metadata\":{\"labels\":{" LABELS                                \
	"}},\"spec\":{\"containers\":[]}}}"
#define OWNER(VERSION, KIND, EXTRA)                                                                \
	"\"ownerReferences\":[{\"apiVersion\":\"" VERSION "\",\"kind\":\"" KIND                    \
	"\",\"name\":\"o\",\"uid\":\"u\"" EXTRA "}]"
#define CONTROLLER ",\"controller\":true"

#define EPP(COMMAND, ARGS)                                                                         \
	"\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"e\",\"command\":[" COMMAND  \
	"],\"args\":[" ARGS "]}]}}}"
#define LWS(LEADER, LABELS)                                                                        \
	"{\"apiVersion\":\"leaderworkerset.x-k8s.io/"                                              \
	"v1\",\"kind\":\"LeaderWorkerSet\",\"metadata\":"                                          \
	"{\"name\":\"my-lws\"},\"spec\":{\"leaderWorkerTemplate\":{" LEADER                        \
	"\"workerTemplate\":{\"metadata\":{\"labels\":{" LABELS "}}}}}}"
#define SET(LABELS)                                                                                \
	"{\"apiVersion\":\"disaggregatedset.x-k8s.io/"                                             \
	"v1\",\"kind\":\"DisaggregatedSet\",\"metadata\":"                                         \
	"{\"name\":\"my-set\"},\"spec\":{\"roles\":[{\"name\":\"decode\",\"spec\":"                \
	"{\"leaderWorkerTemplate\":{\"workerTemplate\":{\"metadata\":{\"labels\":{" LABELS         \
	"}}}}}}]}}"

static const struct {
	const char *
	    object; /* members after apiVersion/kind Deployment; or a whole object when it begins with '{' */
	enum evidence evidence;
	const char *pools;
	enum standing standing;
	enum role role;
	bool epp;
	bool fail_close;
} cases[] = {
    {"\"metadata\":{\"name\":\"x\"}," POD(
	 "\"app\":\"vllm\",\"tier\":\"gpu\",\"llm-d.ai/role\":\"decode\""),
     EVIDENCE_POOL, "new", STANDING_EDITABLE, ROLE_DECODE, false, false},
    {"\"metadata\":{\"name\":\"x\"}," POD("\"app\":\"vllm\""), EVIDENCE_NONE, "", STANDING_EDITABLE,
     ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\"}," POD("\"app\":\"old\""), EVIDENCE_POOL, "old",
     STANDING_EDITABLE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\"}," POD("\"app\":\"foreign\""), EVIDENCE_NONE, "",
     STANDING_EDITABLE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\"}," POD("\"epp\":\"new\""), EVIDENCE_EPP, "new",
     STANDING_EDITABLE, ROLE_NONE, true, false},
    {"\"metadata\":{\"name\":\"x\"}," POD("\"epp\":\"old\""), EVIDENCE_EPP, "old",
     STANDING_EDITABLE, ROLE_NONE, true, true},
    {"{\"apiVersion\":\"apps/"
     "v1\",\"kind\":\"StatefulSet\",\"metadata\":{\"name\":\"gke-epp\"}," POD("") "}",
     EVIDENCE_EPP, "gke", STANDING_EDITABLE, ROLE_NONE, true, true},
    {"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"gke-epp\"}," POD(
	 "") "}",
     EVIDENCE_NONE, "", STANDING_EDITABLE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\"},\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":"
     "\"e\",\"args\":[\"--pool-name\",\"bare\"]}]}}}",
     EVIDENCE_EPP, "bare", STANDING_EDITABLE, ROLE_NONE, true, true},
    {"\"metadata\":{\"name\":\"x\"},\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":"
     "\"e\",\"command\":[\"/app/epp\",\"-pool-name=bare\"]}]}}}",
     EVIDENCE_EPP, "bare", STANDING_EDITABLE, ROLE_NONE, true, true},
    {"\"metadata\":{\"name\":\"x\"},\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":"
     "\"e\",\"image\":\"r:5000/a/epp:v1.5.0\"}]}}}",
     EVIDENCE_LABEL, "", STANDING_EDITABLE, ROLE_NONE, true, false},
    {"\"metadata\":{\"name\":\"x\"},\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":"
     "\"e\",\"image\":\"r/epp-tools:1\"}]}}}",
     EVIDENCE_NONE, "", STANDING_EDITABLE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\"}," POD(
	 "\"llm-d.ai/inferenceServing\":\"true\",\"llm-d.ai/role\":\"prefill\""),
     EVIDENCE_LABEL, "", STANDING_EDITABLE, ROLE_PREFILL, false, false},
    {"\"metadata\":{\"name\":\"x\"}," POD("\"llm-d.ai/inference-serving\":\"false\""),
     EVIDENCE_NONE, "", STANDING_EDITABLE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\",\"annotations\":{\"tracing.llm-d.io/inject\":\"true\"}}," POD(
	 ""),
     EVIDENCE_EXPLICIT, "", STANDING_EDITABLE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\",\"annotations\":{\"tracing.llm-d.io/ledger\":\"{}\"}}," POD(""),
     EVIDENCE_LEDGER, "", STANDING_EDITABLE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\",\"annotations\":{\"tracing.llm-d.io/ledger\":\"{}\"}}," POD(
	 "\"app\":\"bare\""),
     EVIDENCE_POOL, "bare", STANDING_EDITABLE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\"," OWNER("serving.kserve.io/v1alpha2", "LLMInferenceService",
					   CONTROLLER) "}," POD("\"app\":\"bare\""),
     EVIDENCE_POOL, "bare", STANDING_KSERVE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\",\"labels\":{\"app.kubernetes.io/"
     "part-of\":\"llminferenceservice\"}}," POD("\"app\":\"bare\""),
     EVIDENCE_POOL, "bare", STANDING_KSERVE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\"," OWNER("llm-d.ai/v1alpha1", "ModelService",
					   "") "}," POD("\"app\":\"bare\""),
     EVIDENCE_POOL, "bare", STANDING_OWNED, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\"," OWNER("apps/v1", "Deployment",
					   CONTROLLER) "}," POD("\"app\":\"bare\""),
     EVIDENCE_POOL, "bare", STANDING_OWNED, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\"," OWNER("example.com/v1", "Thing",
					   CONTROLLER) "}," POD("\"app\":\"bare\""),
     EVIDENCE_POOL, "bare", STANDING_UNKNOWN_OWNER, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\"," OWNER("example.com/v1", "Thing",
					   "") "}," POD("\"app\":\"bare\""),
     EVIDENCE_POOL, "bare", STANDING_EDITABLE, ROLE_NONE, false, false},
    {"{\"apiVersion\":\"leaderworkerset.x-k8s.io/"
     "v1\",\"kind\":\"LeaderWorkerSet\",\"metadata\":{\"name\":\"x\"},\"spec\":"
     "{\"leaderWorkerTemplate\":{\"workerTemplate\":{\"metadata\":{\"labels\":{\"app\":\"bare\","
     "\"llm-d.ai/role\":\"encode\"}}}}}}",
     EVIDENCE_POOL, "bare", STANDING_EDITABLE, ROLE_ENCODE, false, false},
    {"{\"apiVersion\":\"disaggregatedset.x-k8s.io/"
     "v1\",\"kind\":\"DisaggregatedSet\",\"metadata\":{\"name\":\"x\"},\"spec\":"
     "{\"roles\":[{\"name\":\"a\",\"spec\":{}},{\"name\":\"b\",\"spec\":{\"leaderWorkerTemplate\":{"
     "\"workerTemplate\":{\"metadata\":"
     "{\"labels\":{\"app\":\"bare\"}}}}}}]}}",
     EVIDENCE_POOL, "bare", STANDING_EDITABLE, ROLE_NONE, false, false},
    /* the endpoint picker's own flags, in scripts and with namespaces */
    {"\"metadata\":{\"name\":\"x\"}," EPP("\"sh\",\"-c\"",
					  "\"exec /app/epp --pool-name 'bare' --v 4\""),
     EVIDENCE_EPP, "bare", STANDING_EDITABLE, ROLE_NONE, true, true},
    {"\"metadata\":{\"name\":\"x\"}," EPP("\"sh\",\"-c\"",
					  "\"/app/epp \\\\\\n  --pool-name \\\\\\n  bare\""),
     EVIDENCE_EPP, "bare", STANDING_EDITABLE, ROLE_NONE, true, true},
    {"\"metadata\":{\"name\":\"x\"}," EPP("", "\"--pool-name=bare-2\""), EVIDENCE_LABEL, "",
     STANDING_EDITABLE, ROLE_NONE, true, false},
    {"\"metadata\":{\"name\":\"x\"}," EPP("", "\"--pool-names=bare\""), EVIDENCE_NONE, "",
     STANDING_EDITABLE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\"}," EPP("", "\"--no-pool-name\",\"bare\""), EVIDENCE_NONE, "",
     STANDING_EDITABLE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\"}," EPP("", "\"--pool-name\""), EVIDENCE_NONE, "",
     STANDING_EDITABLE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\",\"namespace\":\"a\"}," EPP(
	 "", "\"--pool-name\",\"bare\",\"--pool-namespace\",\"b\""),
     EVIDENCE_NONE, "", STANDING_EDITABLE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\",\"namespace\":\"a\"}," EPP(
	 "", "\"--pool-name\",\"bare\",\"--pool-namespace=a\""),
     EVIDENCE_EPP, "bare", STANDING_EDITABLE, ROLE_NONE, true, true},
    {"\"metadata\":{\"name\":\"x\",\"namespace\":\"a\"}," EPP(
	 "", "\"--pool-name\",\"bare\",\"--pool-namespace\",\"$(NAMESPACE)\""),
     EVIDENCE_EPP, "bare", STANDING_EDITABLE, ROLE_NONE, true, true},
    {"\"metadata\":{\"name\":\"x\"}," EPP("", "\"--endpoint-selector=app=x\""), EVIDENCE_LABEL, "",
     STANDING_EDITABLE, ROLE_NONE, true, false},
    {"\"metadata\":{\"name\":\"x\"},\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"llm-d-"
     "router-"
     "standalone\":\"x\"}},\"spec\":{\"containers\":[{\"name\":\"e\",\"image\":"
     "\"r/llm-d-router-endpoint-picker:v0.10.0\"}]}}}",
     EVIDENCE_LABEL, "", STANDING_EDITABLE, ROLE_NONE, true, false},
    /* a pool of another namespace is another pool */
    {"\"metadata\":{\"name\":\"x\",\"namespace\":\"a\"}," POD("\"app\":\"there\""), EVIDENCE_NONE,
     "", STANDING_EDITABLE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\",\"namespace\":\"elsewhere\"}," POD("\"app\":\"there\""),
     EVIDENCE_POOL, "there", STANDING_EDITABLE, ROLE_NONE, false, false},
    /* labels that controllers put on pods */
    {LWS("", "\"app\":\"w0\""), EVIDENCE_POOL, "lead", STANDING_EDITABLE, ROLE_NONE, false, false},
    {LWS("\"leaderTemplate\":{\"metadata\":{\"labels\":{\"app\":\"no\"}}},", "\"app\":\"w0\""),
     EVIDENCE_NONE, "", STANDING_EDITABLE, ROLE_NONE, false, false},
    {LWS("\"leaderTemplate\":{\"metadata\":{\"labels\":{\"app\":\"w0\"}}},", ""), EVIDENCE_POOL,
     "lead", STANDING_EDITABLE, ROLE_NONE, false, false},
    {LWS("", "\"app\":\"named\""), EVIDENCE_POOL, "named", STANDING_EDITABLE, ROLE_NONE, false,
     false},
    {SET("\"app\":\"of-role\""), EVIDENCE_POOL, "role", STANDING_EDITABLE, ROLE_NONE, false, false},
    /* who renders it */
    {"{\"apiVersion\":\"apps/v1\",\"kind\":\"StatefulSet\",\"metadata\":{\"name\":\"x-0\","
     "\"labels\":{\"leaderworkerset.sigs.k8s.io/name\":\"x\"}," OWNER(
	 "v1", "Pod", CONTROLLER) "}," POD("\"app\":\"bare\"") "}",
     EVIDENCE_POOL, "bare", STANDING_OWNED, ROLE_NONE, false, false},
    {"{\"apiVersion\":\"leaderworkerset.x-k8s.io/v1\",\"kind\":\"LeaderWorkerSet\","
     "\"metadata\":{\"name\":\"x\",\"labels\":{\"disaggregatedset.x-k8s.io/name\":\"s\"}},"
     "\"spec\":{}}",
     EVIDENCE_NONE, "", STANDING_OWNED, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\"," OWNER("example.com/v1", "ModelService",
					   "") "}," POD("\"app\":\"bare\""),
     EVIDENCE_POOL, "bare", STANDING_EDITABLE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"x\"," OWNER("serving.kserve.io/v1alpha1", "LLMInferenceService",
					   "") "}," POD("\"app\":\"bare\""),
     EVIDENCE_POOL, "bare", STANDING_KSERVE, ROLE_NONE, false, false},
    /* roles by name, where no label speaks */
    {"\"metadata\":{\"name\":\"qwen-prefill\"}," POD("\"app\":\"bare\""), EVIDENCE_POOL, "bare",
     STANDING_EDITABLE, ROLE_PREFILL, false, false},
    {"\"metadata\":{\"name\":\"qwen-prefill\"}," POD("\"app\":\"bare\",\"llm-d.ai/role\":\"both\""),
     EVIDENCE_POOL, "bare", STANDING_EDITABLE, ROLE_NONE, false, false},
    {"\"metadata\":{\"name\":\"predecode\"}," POD("\"app\":\"bare\""), EVIDENCE_POOL, "bare",
     STANDING_EDITABLE, ROLE_NONE, false, false},
};

struct fixture {
	cJSON *objects[ARRAY_LEN(around)];
	struct surroundings *surroundings;
};

static cJSON *parse(const char *text)
{
	cJSON *tree = NULL;
	struct error err = {.message = ""};
	if (!CHECK_INT_ROW(json_parse(text, strlen(text), &tree, &err), STATUS_OK, text))
		printf("  %s\n", err.message);
	return tree;
}

static void fixture_init(struct fixture *f)
{
	f->surroundings = surroundings_new();
	for (size_t i = 0; i < ARRAY_LEN(around); i++) {
		f->objects[i] = parse(around[i]);
		surroundings_add(f->surroundings, f->objects[i]);
	}
}

static void fixture_release(struct fixture *f)
{
	surroundings_freep(&f->surroundings);
	for (size_t i = 0; i < ARRAY_LEN(around); i++)
		json_freep(&f->objects[i]);
}

TEST(facts)
{
	struct fixture f;
	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[2048];
		const char *object = cases[i].object;
		(void)snprintf(
		    text, sizeof(text), "%s%s%s",
		    *object == '{' ? "" : "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",",
		    object, *object == '{' ? "" : "}");
		cJSON *tree = parse(text);
		struct facts facts;
		surroundings_facts(f.surroundings, tree, &facts);
		CHECK_INT_ROW(facts.evidence, cases[i].evidence, text);
		CHECK_STR_ROW(facts.pools, cases[i].pools, text);
		CHECK_INT_ROW(facts.standing, cases[i].standing, text);
		CHECK_INT_ROW(facts.role, cases[i].role, text);
		CHECK_INT_ROW(facts.epp, cases[i].epp, text);
		CHECK_INT_ROW(facts.epp_fail_close, cases[i].fail_close, text);
		CHECK_INT_ROW(facts.why[0] != '\0', cases[i].evidence != EVIDENCE_NONE, text);
		json_freep(&tree);
	}
	fixture_release(&f);
}

TEST(modelservice)
{
	struct fixture f;
	fixture_init(&f);
	cJSON *object = parse("{\"apiVersion\":\"llm-d.ai/"
			      "v1alpha1\",\"kind\":\"ModelService\",\"metadata\":{\"name\":\"ms\"},"
			      "\"spec\":{\"baseConfigMapRef\":{\"name\":\"base\"}}}");
	struct facts facts;
	surroundings_facts(f.surroundings, object, &facts);
	CHECK_INT(facts.evidence, EVIDENCE_MODELSERVICE);
	CHECK(facts.children[0] == NULL && facts.children[1] != NULL && facts.children[2] == NULL);
	const cJSON *containers =
	    json_get(facts.base_config, "decodeDeployment.spec.template.spec.containers");
	CHECK_STR(json_str(json_named(containers, "vllm"), "image"), "{{}}");
	CHECK(json_member(facts.base_config, "prefillDeployment") == NULL);
	CHECK_STR(facts.pools, "ms-inference-pool");
	json_freep(&object);
	fixture_release(&f);
}

TEST(selector)
{
	static const struct {
		const char *spec;
		bool selected;
	} rows[] = {
	    {"{}", true},
	    {"{\"selector\":{\"pools\":[\"bare\"]}}", true},
	    {"{\"selector\":{\"pools\":[\"bar\",\"barely\"]}}", false},
	    {"{\"selector\":{\"matchLabels\":{\"app\":\"bare\"}}}", true},
	    {"{\"selector\":{\"matchLabels\":{\"app\":\"x\"}}}", false},
	    {"{\"selector\":{\"pools\":[\"bare\"],\"matchLabels\":{\"app\":\"x\"}}}", false},
	};
	struct fixture f;
	fixture_init(&f);
	cJSON *object = parse("{\"apiVersion\":\"apps/"
			      "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"x\"}," POD(
				  "\"app\":\"bare\"") "}");
	struct facts facts;
	surroundings_facts(f.surroundings, object, &facts);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[512];
		(void)snprintf(text, sizeof(text),
			       "{\"apiVersion\":\"%s\",\"kind\":\"Tracing\",\"spec\":%s}",
			       TRACING_API_VERSION, rows[i].spec);
		cJSON *tracing = parse(text);
		struct settings settings;
		struct error err;
		if (CHECK_INT(settings_read(tracing, NULL, &settings, &err), STATUS_OK)) {
			CHECK_INT_ROW(facts_selected(&facts, object, &settings), rows[i].selected,
				      text);
			settings_release(&settings);
		}
		json_freep(&tracing);
	}
	json_freep(&object);
	fixture_release(&f);
}

/* "pools" of the selector against an object with annotations and labels of its own. */
TEST(selector_and_what_the_object_says)
{
	static const struct {
		const char *annotation;
		const char *app;
		const char *pools;
		bool selected;
	} rows[] = {
	    {"inject\":\"true", "none", "[\"bare\"]", true}, /* the nearest wins */
	    {"ledger\":\"{}", "none", "[\"gone\"]",
	     true}, /* its pool may be the one that is gone */
	    {"ledger\":\"{}", "none", "[\"bare\"]", false}, /* known, and not its own */
	    {"ledger\":\"{}", "bare", "[\"gone\"]", false}, /* it has a pool, another one */
	    {"other\":\"{}", "none", "[\"gone\"]", false},
	};
	struct fixture f;
	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[512];
		(void)snprintf(
		    text, sizeof(text),
		    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{"
		    "\"name\":\"x\",\"annotations\":{\"tracing.llm-d.io/%s\"}},\"spec\":{"
		    "\"template\":{\"metadata\":{\"labels\":{\"app\":\"%s\"}}}}}",
		    rows[i].annotation, rows[i].app);
		cJSON *object = parse(text);
		(void)snprintf(
		    text, sizeof(text),
		    "{\"apiVersion\":\"%s\",\"kind\":\"Tracing\",\"spec\":{\"selector\":{"
		    "\"pools\":%s}}}",
		    TRACING_API_VERSION, rows[i].pools);
		cJSON *tracing = parse(text);
		struct settings settings;
		struct facts facts;
		struct error err = {.message = ""};
		surroundings_facts(f.surroundings, object, &facts);
		if (CHECK_INT(settings_read(tracing, NULL, &settings, &err), STATUS_OK)) {
			CHECK_INT_ROW(facts_selected(&facts, object, &settings), rows[i].selected,
				      rows[i].annotation);
			settings_release(&settings);
		}
		json_freep(&tracing);
		json_freep(&object);
	}
	fixture_release(&f);
}

TEST(roles)
{
	static const struct {
		const char *labels;
		const char *role_of_set;
		const char *object_name;
		enum role role;
	} rows[] = {
	    {"{}", NULL, NULL, ROLE_NONE},
	    {"{\"llm-d.ai/role\":\"prefill\"}", "decode", "x-decode", ROLE_PREFILL},
	    {"{\"llm-d.ai/role\":\"prefill-decode\"}", "decode", "x-decode", ROLE_NONE},
	    {"{}", "decode", "x-prefill", ROLE_DECODE},
	    {"{}", "gpu-decode", NULL, ROLE_DECODE},
	    {"{}", "server", "x-prefill", ROLE_NONE},
	    {"{}", NULL, "x-encode", ROLE_ENCODE},
	    {"{}", NULL, "decode", ROLE_DECODE},
	    {"{}", NULL, "decoder", ROLE_NONE},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *labels = parse(rows[i].labels);
		CHECK_INT_ROW(role_of_template(labels, rows[i].role_of_set, rows[i].object_name),
			      rows[i].role, rows[i].labels);
		json_freep(&labels);
	}
}

/* A pool and its Service may come in either order. */
TEST(order_of_adding_is_nothing)
{
	for (int round = 0; round < 2; round++) {
		cJSON *pool = parse(around[0]);
		cJSON *service =
		    parse("{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":"
			  "\"new-epp\"},\"spec\":{\"selector\":{\"epp\":\"new\"}}}");
		cJSON *object = parse("{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\","
				      "\"metadata\":{\"name\":\"x\"}," POD("\"epp\":\"new\"") "}");
		struct surroundings *surroundings = surroundings_new();
		struct facts facts;
		surroundings_add(surroundings, round == 0 ? pool : service);
		surroundings_add(surroundings, round == 0 ? service : pool);
		surroundings_facts(surroundings, object, &facts);
		CHECK_INT(facts.evidence, EVIDENCE_EPP);
		CHECK_STR(facts.why, "endpoint picker of InferencePool new");
		surroundings_freep(&surroundings);
		json_freep(&pool);
		json_freep(&service);
		json_freep(&object);
	}
}
