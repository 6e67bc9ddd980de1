/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/json.h"
#include "inject/surroundings.h"

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
    {"{\"apiVersion\":\"apps/v1\",\"kind\":\"StatefulSet\",\"metadata\":{\"name\":\"gke-epp\"}}",
     EVIDENCE_EPP, "gke", STANDING_EDITABLE, ROLE_NONE, true, true},
    {"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"gke-epp\"}}",
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
