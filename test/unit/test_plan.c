/* SPDX-License-Identifier: Apache-2.0 */
/* The plan's own promises: guards, pins, owners, ledgers. What it does to containers is in test/golden. */
#include "inject/plan.h"

#include "base/alloc.h"
#include "test.h"

#define ENGINE                                                                                     \
	"{\"name\":\"e\",\"image\":\"vllm/vllm-openai:v0.23.0\",\"command\":[\"vllm\",\"serve\"]," \
	"\"args\":[\"m\"]}"
#define DEPLOYMENT(METADATA, CONTAINER)                                                            \
	"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"d\","        \
	"\"resourceVersion\":\"41\"" METADATA                                                      \
	"},\"spec\":{\"template\":{\"spec\":{\"containers\":[" CONTAINER "]}}}}"

static cJSON *parse(const char *text)
{
	cJSON *tree = NULL;
	struct error err;
	if (json_parse(text, strlen(text), &tree, &err) != STATUS_OK)
		printf("%s: %s\n", text, err.message);
	return tree;
}

struct asked {
	enum plan_want want;
	const char *hash;
	const char *tracing;
	bool keep; /* take_updates: false */
	enum standing standing;
	enum evidence evidence;
	bool excluded;
};

static enum status ask(const cJSON *object, const struct asked *asked, struct plan **plan,
		       struct error *err)
{
	struct settings settings CLEANUP(settings_release) = {0};
	cJSON *tracing CLEANUP(json_freep) = NULL;
	if (asked->tracing != NULL)
		tracing = parse(asked->tracing);
	if (settings_read(tracing, NULL, &settings, err) != STATUS_OK)
		return STATUS_BUG;
	struct facts facts = {.evidence = asked->evidence,
			      .standing = asked->standing,
			      .pool_excluded = asked->excluded,
			      .why = "a test"};
	struct plan_input input = {.object = object,
				   .settings = &settings,
				   .settings_hash = asked->hash == NULL ? "h" : asked->hash,
				   .facts = &facts,
				   .want = asked->want,
				   .take_updates = !asked->keep};
	return plan_build(&input, plan, err);
}

static const struct asked inject = {.evidence = EVIDENCE_EXPLICIT};

/* The object after a plan; *ret_plan when wanted. */
static cJSON *after(const cJSON *object, const struct asked *asked, struct plan **ret_plan)
{
	struct plan *plan CLEANUP(plan_freep) = NULL;
	struct error err = {0};
	cJSON *edited = NULL;
	CHECK_INT_ROW(ask(object, asked, &plan, &err), STATUS_OK, err.message);
	if (plan == NULL)
		return json_clone(object);
	CHECK_INT_ROW(plan_apply(plan, object, &edited, &err), STATUS_OK, err.message);
	if (ret_plan != NULL)
		*ret_plan = TAKE_PTR(plan);
	return edited;
}

static void set_in(cJSON *object, const char *pointer, const char *json)
{
	/* The tests own their trees. */
	union {
		const cJSON *borrowed;
		cJSON *owned;
	} node = {.borrowed = json_pointer_get(object, pointer)};
	cJSON *fresh = parse(json);
	free(node.owned->valuestring);
	node.owned->valuestring = NULL;
	cJSON_Delete(node.owned->child);
	node.owned->child = TAKE_PTR(fresh->child);
	node.owned->valuestring = TAKE_PTR(fresh->valuestring);
	node.owned->type = fresh->type;
	cJSON_Delete(fresh);
}

TEST(guards)
{
	cJSON *object = parse(DEPLOYMENT("", ENGINE));
	struct plan *plan CLEANUP(plan_freep) = NULL;
	cJSON *done = after(object, &inject, &plan);
	CHECK(plan->changes && plan->template_changes && plan->changes_lists && plan->injected);
	CHECK_INT(strlen(plan->hash), 16);
	cJSON *patch = plan_patch(plan, PATCH_GUARD_RESOURCE_VERSION);
	CHECK_STR(json_str(patch->child, "op"), "replace");
	CHECK_STR(json_str(patch->child, "path"), "/metadata/resourceVersion");
	CHECK_STR(json_str(patch->child, "value"), "41");
	CHECK_STR(json_str(patch->child->next, "op"), "add");
	cJSON_Delete(patch);
	patch = plan_patch(plan, PATCH_GUARD_TESTS);
	CHECK_STR(json_str(patch->child, "op"), "test");
	cJSON_Delete(patch);
	patch = plan_patch(plan, PATCH_GUARD_NONE);
	CHECK_STR(json_str(patch->child, "op"), "add");
	cJSON_Delete(patch);
	struct plan *none CLEANUP(plan_freep) = NULL;
	cJSON *same = after(done, &inject, &none);
	CHECK(!none->changes && !none->template_changes && none->injected);
	CHECK_STR(none->hash, plan->hash);
	patch = plan_patch(none, PATCH_GUARD_RESOURCE_VERSION);
	CHECK(patch->child == NULL);
	cJSON_Delete(patch);
	cJSON_Delete(same);
	cJSON_Delete(done);
	cJSON_Delete(object);
}

TEST(one_write_carries_flags_env_and_ledger)
{
	cJSON *object = parse(DEPLOYMENT("", ENGINE));
	struct plan *plan CLEANUP(plan_freep) = NULL;
	cJSON *done = after(object, &inject, &plan);
	bool args = false;
	bool env = false;
	bool ledger = false;
	for (const cJSON *row = plan->operations->child; row != NULL; row = row->next) {
		const char *path = json_str(row, "path");
		args |= strstr(path, "/args") != NULL;
		env |= strstr(path, "/env") != NULL;
		ledger |= strstr(path, "/annotations") != NULL;
	}
	CHECK(args && env && ledger);
	CHECK(plan_has_ledger(done) && !plan_has_ledger(object));
	cJSON_Delete(done);
	cJSON_Delete(object);
}

TEST(courses)
{
	static const struct {
		const char *metadata;
		struct asked asked;
		enum reason reason;
		bool changes; /* of an object that is injected already */
	} rows[] = {
	    {"", {.evidence = EVIDENCE_EXPLICIT}, REASON_NONE, false},
	    {"", {.evidence = EVIDENCE_NONE}, REASON_NONE, false}, /* lost evidence is no reason */
	    {"", {.evidence = EVIDENCE_POOL, .excluded = true}, REASON_NOT_SELECTED, true},
	    {"", {.evidence = EVIDENCE_POOL, .standing = STANDING_OWNED}, REASON_OWNED, false},
	    {"",
	     {.evidence = EVIDENCE_POOL, .standing = STANDING_KSERVE},
	     REASON_KSERVE_OWNED,
	     false},
	    {"",
	     {.evidence = EVIDENCE_POOL, .standing = STANDING_UNKNOWN_OWNER},
	     REASON_UNKNOWN_OWNER,
	     false},
	    {"", {.want = PLAN_REMOVE}, REASON_REMOVED, true},
	    {"", {.want = PLAN_REMOVE, .standing = STANDING_OWNED}, REASON_REMOVED, true},
	    {"false", {.evidence = EVIDENCE_POOL}, REASON_OPTED_OUT, true},
	    {"nope", {.evidence = EVIDENCE_POOL}, REASON_BAD_OVERRIDE, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *object = parse(DEPLOYMENT(",\"annotations\":{\"a\":\"b\"}", ENGINE));
		cJSON *done = after(object, &inject, NULL);
		if (rows[i].metadata[0] != '\0') {
			cJSON *metadata = json_member_mut(done, "metadata");
			json_set_str(json_member_mut(metadata, "annotations"), ANNOTATION_INJECT,
				     rows[i].metadata);
		}
		struct plan *plan CLEANUP(plan_freep) = NULL;
		cJSON *then = after(done, &rows[i].asked, &plan);
		CHECK_STR_ROW(reason_info(plan->reason)->word, reason_info(rows[i].reason)->word,
			      rows[i].metadata);
		CHECK_INT_ROW(plan->changes, rows[i].changes, reason_info(rows[i].reason)->word);
		CHECK_INT_ROW(plan->injected, !rows[i].changes, reason_info(rows[i].reason)->word);
		CHECK_INT(plan->container_count, 1);
		cJSON_Delete(then);
		cJSON_Delete(done);
		cJSON_Delete(object);
	}
}

/* A word that is neither leaves what is there as it is, wherever it stands. */
TEST(words_in_the_pod_template)
{
	static const struct {
		const char *word; /* JSON */
		enum reason reason;
		const char *message; /* part of the only container's */
		bool changes;        /* of an object that is injected already */
	} rows[] = {
	    {"\"true\"", REASON_NONE, "", true}, /* the ledger notes the new template */
	    {"\"false\"", REASON_NONE, "the pod template's annotation", true},
	    {"\"no\"", REASON_BAD_OVERRIDE,
	     "the pod template's annotation " ANNOTATION_INJECT ": \"no\" is neither", false},
	    {"false", REASON_BAD_OVERRIDE, ANNOTATION_INJECT ": false without quotes", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *fresh = parse(DEPLOYMENT("", ENGINE));
		cJSON *done = after(fresh, &inject, NULL);
		cJSON *spec = json_member_mut(done, "spec");
		cJSON *metadata = json_set_object(json_member_mut(spec, "template"), "metadata");
		json_set(json_set_object(metadata, "annotations"), ANNOTATION_INJECT,
			 parse(rows[i].word));
		struct plan *plan CLEANUP(plan_freep) = NULL;
		cJSON *then = after(done, &inject, &plan);
		CHECK_STR_ROW(reason_info(plan->reason)->word, reason_info(rows[i].reason)->word,
			      rows[i].word);
		CHECK_INT_ROW(plan->changes, rows[i].changes, rows[i].word);
		CHECK_STR_ROW(strstr(plan->containers[0].message, rows[i].message) != NULL
				  ? rows[i].message
				  : plan->containers[0].message,
			      rows[i].message, rows[i].word);
		cJSON_Delete(then);
		cJSON_Delete(done);
		cJSON_Delete(fresh);
	}
}

/* What a kind's schema does not look into may be of any shape; it says nothing, and stays. */
TEST(annotations_of_a_pod_template_that_are_none)
{
	static const char *const shapes[] = {"[{}]",  "[null]", "[]",       "7",
					     "\"x\"", "null",   "{\"a\":7}"};
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		cJSON *object CLEANUP(json_freep) = parse(DEPLOYMENT("", ENGINE));
		char *metadata CLEANUP(str_freep) = xasprintf("{\"annotations\":%s}", shapes[i]);
		json_set(json_member_mut(json_member_mut(object, "spec"), "template"), "metadata",
			 parse(metadata));
		cJSON *injected CLEANUP(json_freep) = after(object, &inject, NULL);
		const cJSON *kept =
		    json_pointer_get(injected, "/spec/template/metadata/annotations");
		char *text CLEANUP(str_freep) = json_to_string(kept);
		CHECK_STR(text, shapes[i]);
		CHECK(plan_has_ledger(injected));
	}
}

TEST(without_a_ledger_nothing_is_removed)
{
	cJSON *object = parse(DEPLOYMENT("", ENGINE));
	static const struct asked rows[] = {
	    {.want = PLAN_REMOVE},
	    {.evidence = EVIDENCE_NONE},
	    {.evidence = EVIDENCE_POOL, .excluded = true},
	    {.evidence = EVIDENCE_POOL, .standing = STANDING_KSERVE},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct plan *plan CLEANUP(plan_freep) = NULL;
		cJSON *same = after(object, &rows[i], &plan);
		CHECK(!plan->changes && !plan->injected && plan->hash[0] == '\0');
		CHECK(json_equal(same, object));
		cJSON_Delete(same);
	}
	cJSON_Delete(object);
}

#define TRACING(SPEC)                                                                              \
	"{\"apiVersion\":\"tracing.llm-d.io/"                                                      \
	"v1alpha1\",\"kind\":\"Tracing\",\"metadata\":{\"name\":"                                  \
	"\"llm-d\"},\"spec\":" SPEC "}"

TEST(pins)
{
	static const struct {
		const char *hash;
		bool keep;
		bool outdated;
		bool changes;
	} rows[] = {
	    {"h", true, true, false},   /* only the operator's defaults differ: held back */
	    {"h", false, false, true},  /* approved */
	    {"new", true, false, true}, /* the user asked for it */
	    {"new", false, false, true},
	};
	cJSON *object = parse(DEPLOYMENT("", ENGINE));
	cJSON *done = after(object, &inject, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct asked asked = {.evidence = EVIDENCE_EXPLICIT,
				      .hash = rows[i].hash,
				      .keep = rows[i].keep,
				      .tracing = TRACING("{\"sampling\":{\"ratio\":\"0.5\"}}")};
		struct plan *plan CLEANUP(plan_freep) = NULL;
		cJSON *then = after(done, &asked, &plan);
		CHECK_INT_ROW(plan->outdated, rows[i].outdated, rows[i].hash);
		CHECK_INT_ROW(plan->changes, rows[i].changes, rows[i].hash);
		CHECK(plan->injected && plan->hash[0] != '\0');
		CHECK(!rows[i].outdated || plan->reason == REASON_PLAN_OUTDATED);
		cJSON_Delete(then);
	}
	cJSON_Delete(done);
	cJSON_Delete(object);
}

/* The workload's own change takes newer defaults along: a new image is one. */
TEST(a_pin_ends_with_the_workloads_own_change)
{
	cJSON *object = parse(DEPLOYMENT("", ENGINE));
	cJSON *done = after(object, &inject, NULL);
	struct asked asked = {.evidence = EVIDENCE_EXPLICIT,
			      .keep = true,
			      .tracing = TRACING("{\"sampling\":{\"ratio\":\"0.5\"}}")};
	set_in(done, "/spec/template/spec/containers/0/image", "\"vllm/vllm-openai:v0.24.0\"");
	struct plan *plan CLEANUP(plan_freep) = NULL;
	cJSON *then = after(done, &asked, &plan);
	CHECK(plan->changes && plan->template_changes && !plan->outdated);
	cJSON_Delete(then);
	/* An image that does not take the flags loses them at once. */
	set_in(done, "/spec/template/spec/containers/0/image", "\"vllm/vllm-openai:v0.10.0\"");
	plan_freep(&plan);
	then = after(done, &asked, &plan);
	CHECK(plan->changes && !plan->injected && !plan_has_ledger(then));
	CHECK_INT(plan->containers[0].reason, REASON_ENGINE_TOO_OLD);
	cJSON *image = json_clone(json_pointer_get(then, "/spec/template/spec/containers/0/image"));
	char *text = json_to_string(json_pointer_get(then, "/spec/template/spec/containers/0"));
	CHECK(strstr(text, "otlp") == NULL && strstr(text, "OTEL") == NULL);
	free(text);
	cJSON_Delete(image);
	cJSON_Delete(then);
	cJSON_Delete(done);
	cJSON_Delete(object);
}

/* A setting that changes nothing here still moves the pin: the ledger alone is written, no pod restarts. */
TEST(a_pin_moves_with_the_users_words)
{
	cJSON *object = parse(DEPLOYMENT("", ENGINE));
	cJSON *done = after(object, &inject, NULL);
	struct asked asked = {.evidence = EVIDENCE_EXPLICIT, .hash = "new"};
	struct plan *plan CLEANUP(plan_freep) = NULL;
	cJSON *then = after(done, &asked, &plan);
	CHECK(plan->changes && !plan->template_changes && !plan->changes_lists);
	CHECK(plan->operations->child != NULL && plan->operations->child->next == NULL);
	cJSON_Delete(then);
	cJSON_Delete(done);
	cJSON_Delete(object);
}

static cJSON *with_ledger(const char *ledger)
{
	cJSON *object = parse(DEPLOYMENT(",\"annotations\":{}", ENGINE));
	json_set_str(json_member_mut(json_member_mut(object, "metadata"), "annotations"),
		     ANNOTATION_LEDGER, ledger);
	return object;
}

#define NEWER_RULES                                                                                \
	"{\"v\":1,\"rules\":9999,\"settings\":\"h\",\"inputs\":\"i\",\"containers\":{\"template/"  \
	"e\":{}}}"

TEST(ledgers_of_newer_operators)
{
	static const struct {
		const char *ledger;
		enum plan_want want;
		bool newer;
		bool changes;
	} rows[] = {
	    {"{\"v\":2}", PLAN_INJECT, true, false},
	    {"{\"v\":2}", PLAN_REMOVE, true, false},
	    {NEWER_RULES, PLAN_INJECT, true, false},
	    {NEWER_RULES, PLAN_REMOVE, false, true}, /* its format is known: removal is exact */
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *object = with_ledger(rows[i].ledger);
		struct asked asked = {.evidence = EVIDENCE_EXPLICIT, .want = rows[i].want};
		struct plan *plan CLEANUP(plan_freep) = NULL;
		cJSON *then = after(object, &asked, &plan);
		CHECK_INT_ROW(plan->ledger_newer, rows[i].newer, rows[i].ledger);
		CHECK_INT_ROW(plan->changes, rows[i].changes, rows[i].ledger);
		cJSON_Delete(then);
		cJSON_Delete(object);
	}
}

#define APPLY(FIELDS)                                                                              \
	",\"managedFields\":[{\"manager\":\"helm\",\"operation\":\"Apply\",\"fieldsV1\":{\"f:"     \
	"spec\":{"                                                                                 \
	"\"f:template\":{\"f:spec\":{\"f:containers\":{\"k:{\\\"name\\\":\\\"e\\\"}\":{\"f:env\":" \
	"{" FIELDS "}}}}}}}}]"

/* What an Apply manager owns by now is in a manifest of the user's: it stays. */
TEST(entries_that_an_apply_manager_owns)
{
	cJSON *object = parse(DEPLOYMENT(
	    APPLY("\"k:{\\\"name\\\":\\\"OTEL_SERVICE_NAME\\\"}\":{\"f:value\":{}}"), ENGINE));
	cJSON *done = after(object, &inject, NULL);
	struct asked back = {.want = PLAN_REMOVE};
	struct plan *plan CLEANUP(plan_freep) = NULL;
	cJSON *then = after(done, &back, &plan);
	char *text = json_to_string(json_pointer_get(then, "/spec/template/spec/containers/0/env"));
	CHECK_STR(text, "[{\"name\":\"OTEL_SERVICE_NAME\",\"value\":\"vllm-decode\"}]");
	CHECK_INT(plan->reason, REASON_PARTLY_CHANGED);
	free(text);
	cJSON_Delete(then);
	cJSON_Delete(done);
	cJSON_Delete(object);
}

/* Taking our endpoint from beside the user's own detailed flag would stop the engine. */
TEST(a_pair_is_not_split_on_removal)
{
	cJSON *object = parse(DEPLOYMENT("", ENGINE));
	cJSON *done = after(object, &inject, NULL);
	set_in(done, "/spec/template/spec/containers/0/args",
	       "[\"m\",\"--otlp-traces-endpoint=http://otel-collector:4317\","
	       "\"--collect-detailed-traces=all\",\"--collect-detailed-traces=model\"]");
	struct asked back = {.want = PLAN_REMOVE};
	struct plan *plan CLEANUP(plan_freep) = NULL;
	cJSON *then = after(done, &back, &plan);
	char *text =
	    json_to_string(json_pointer_get(then, "/spec/template/spec/containers/0/args"));
	CHECK(strstr(text, "--otlp-traces-endpoint=") != NULL);
	CHECK_INT(plan->reason, REASON_PARTLY_CHANGED);
	CHECK(!plan_has_ledger(then));
	free(text);
	cJSON_Delete(then);
	cJSON_Delete(done);
	cJSON_Delete(object);
}

TEST(objects_that_cannot_be_read)
{
	static const struct {
		const char *json, *word;
	} rows[] = {
	    {"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\"}", "/metadata"},
	    {DEPLOYMENT(",\"annotations\":[]", ENGINE), "/metadata/annotations"},
	    {DEPLOYMENT("", "{\"image\":\"x\"}"), "/spec/template/spec/containers/0"},
	    {DEPLOYMENT("", ENGINE "," ENGINE), "/spec/template/spec/containers/1"},
	    {DEPLOYMENT("", "{\"name\":\"e\",\"args\":[1]}"), "args"},
	    {DEPLOYMENT("", "{\"name\":\"e\",\"command\":\"x\"}"), "command"},
	    {DEPLOYMENT("", "{\"name\":\"e\",\"env\":{}}"), "env"},
	    {DEPLOYMENT("", "{\"name\":\"e\",\"env\":[{}]}"), "env"},
	    {"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{},\"spec\":{}}",
	     "/spec/template/spec"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *object = parse(rows[i].json);
		struct plan *plan = NULL;
		struct error err = {0};
		CHECK_INT_ROW(ask(object, &inject, &plan, &err), STATUS_INVALID, rows[i].json);
		CHECK(strstr(err.message, rows[i].word) != NULL);
		CHECK(plan == NULL);
		/* What nothing leads to need not be readable. */
		struct asked none = {.evidence = EVIDENCE_NONE};
		if (strstr(rows[i].word, "/metadata") == NULL) {
			CHECK_INT_ROW(ask(object, &none, &plan, &err), STATUS_OK, rows[i].json);
			CHECK(plan != NULL && !plan->changes);
			plan_freep(&plan);
		}
		cJSON_Delete(object);
	}
}

TEST(a_crowd_of_containers_is_refused)
{
	cJSON *object = parse(DEPLOYMENT("", ""));
	cJSON *spec = json_member_mut(
	    json_member_mut(json_member_mut(json_member_mut(object, "spec"), "template"), "spec"),
	    "containers");
	for (int i = 0; i < 600; i++) {
		cJSON *container = parse(ENGINE);
		char name[16];
		(void)snprintf(name, sizeof(name), "e%d", i);
		json_set_str(container, "name", name);
		cJSON_AddItemToArray(spec, container);
	}
	struct plan *plan = NULL;
	struct error err = {0};
	CHECK_INT(ask(object, &inject, &plan, &err), STATUS_LIMIT);
	CHECK(plan == NULL);
	cJSON_Delete(object);
}

TEST(other_kinds)
{
	cJSON *object = parse("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}");
	struct plan *plan CLEANUP(plan_freep) = NULL;
	struct error err = {0};
	CHECK_INT(ask(object, &inject, &plan, &err), STATUS_OK);
	CHECK_INT(plan->reason, REASON_NOT_A_WORKLOAD);
	CHECK(!plan->changes && plan->container_count == 0);
	CHECK(plan_is_workload_kind("apps/v1", "Deployment"));
	CHECK(!plan_is_workload_kind("v1", "ConfigMap"));
	cJSON_Delete(object);
}
