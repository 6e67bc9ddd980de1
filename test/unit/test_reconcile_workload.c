/* SPDX-License-Identifier: Apache-2.0 */
#include "serving.h"

#include "base/alloc.h"

static const struct {
	const char *what;
	const char *objects;
	const char *name;
	const char *intents;
	enum workload_state state;
	enum reason reason;
} table[] = {
    {"a server of a pool is written", ALL SERVER("decode"), "decode",
     "patch Deployment/decode; event Deployment/decode Injected; event Tracing/llm-d Injected",
     WORKLOAD_PENDING, REASON_WAITING_FOR_TURN},
    {"the endpoint picker too", ALL EPP, "picker",
     "patch Deployment/picker; event Deployment/picker Injected; event Tracing/llm-d Injected",
     WORKLOAD_PENDING, REASON_WAITING_FOR_TURN},
    {"not before the collector is available",
     NS("true") TRACING("{}") COLLECTOR("False") POOL SERVER("decode"), "decode", "",
     WORKLOAD_PENDING, REASON_WAITING_FOR_COLLECTOR},
    {"nothing leads to it", NS("true") TRACING("{}") COLLECTOR("True") SERVER("decode"), "decode",
     "", WORKLOAD_IGNORED, REASON_NONE},
    {"our own collector is no workload", ALL, "otel-collector", "", WORKLOAD_IGNORED, REASON_NONE},
    {"opted out", ALL SERVER_META("decode", "annotations: {tracing.llm-d.io/inject: 'false'}"),
     "decode", "event Deployment/decode OptedOut; event Tracing/llm-d OptedOut", WORKLOAD_SKIPPED,
     REASON_OPTED_OUT},
    {"the settings leave it out",
     NS("true") TRACING("{selector: {pools: [other]}}") COLLECTOR("True") POOL SERVER("decode"),
     "decode", "event Deployment/decode NotSelected; event Tracing/llm-d NotSelected",
     WORKLOAD_SKIPPED, REASON_NOT_SELECTED},
    {"rendered by KServe",
     ALL SERVER_META("decode", "ownerReferences: [{apiVersion: serving.kserve.io/v1alpha1, kind: "
			       "LLMInferenceService, name: x, uid: x, controller: true}]"),
     "decode", "event Deployment/decode KServeOwned; event Tracing/llm-d KServeOwned",
     WORKLOAD_SKIPPED, REASON_KSERVE_OWNED},
    {"held: bad settings",
     NS("true") TRACING("{sampling: {ratio: '7'}}") COLLECTOR("True") POOL SERVER("decode"),
     "decode", "", WORKLOAD_SKIPPED, REASON_BAD_SETTINGS},
    {"held: bad switch value", NS("on") TRACING("{}") COLLECTOR("True") POOL SERVER("decode"),
     "decode", "", WORKLOAD_SKIPPED, REASON_BAD_SWITCH_VALUE},
    {"taking back: nothing of ours in it",
     NS("false") TRACING("{}") COLLECTOR("True") POOL SERVER("decode"), "decode", "",
     WORKLOAD_IGNORED, REASON_NONE},
};

TEST(intents_by_state)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct scene scene;
		struct intents intents;
		scene_init(&scene);
		scene_add(&scene, table[i].objects);
		CLEANUP(str_freep)
		char *got = scene_workload(&scene, RESOURCE_DEPLOYMENT, table[i].name, &intents);
		const struct roster_row *row =
		    roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, table[i].name);
		CHECK_STR_ROW(got, table[i].intents, table[i].what);
		CHECK_INT_ROW(row->state, table[i].state, table[i].what);
		CHECK_STR_ROW(reason_info(row->reason)->word, reason_info(table[i].reason)->word,
			      table[i].what);
		intents_release(&intents);
		scene_release(&scene);
	}
}

TEST(written_once_and_then_left_alone)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, ALL SERVER("decode"));
	look_and_write(&scene, "decode", "101");
	for (int i = 0; i < 3; i++) {
		CLEANUP(str_freep) char *got = look(&scene, "decode");
		CHECK_STR(got, "");
		check_row(&scene, "decode", WORKLOAD_INJECTED, REASON_INJECTED);
	}
	/* the pool goes: no reason to take anything back */
	store_clear(scene.store, RESOURCE_POOL);
	CLEANUP(str_freep) char *without = look(&scene, "decode");
	CHECK_STR(without, "");
	check_row(&scene, "decode", WORKLOAD_INJECTED, REASON_INJECTED);
	/* the collector goes: nor is that */
	store_clear(scene.store, RESOURCE_SERVICE);
	CLEANUP(str_freep) char *still = look(&scene, "decode");
	CHECK_STR(still, "");
	scene_release(&scene);
}

TEST(the_switch_takes_it_back)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, ALL SERVER("decode"));
	look_and_write(&scene, "decode", "101");
	free(look(&scene, "decode"));
	scene_add(&scene, NS("false"));
	CLEANUP(str_freep) char *got = look(&scene, "decode");
	CHECK_STR(got, "patch Deployment/decode; event Deployment/decode Removed; event "
		       "Tracing/llm-d Removed");
	look_and_write(&scene, "decode", "102");
	CLEANUP(str_freep) char *after = look(&scene, "decode");
	CHECK_STR(after, "");
	check_row(&scene, "decode", WORKLOAD_IGNORED, REASON_NONE);
	scene_release(&scene);
}

TEST(one_at_a_time_the_picker_first)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, ALL SERVER("a") SERVER("b") EPP);
	/* nobody before all were looked at */
	(void)roster_need(&scene.space->roster, RESOURCE_DEPLOYMENT, "a");
	(void)roster_need(&scene.space->roster, RESOURCE_DEPLOYMENT, "b");
	(void)roster_need(&scene.space->roster, RESOURCE_DEPLOYMENT, "picker");
	CLEANUP(str_freep) char *a = look(&scene, "a");
	CLEANUP(str_freep) char *b = look(&scene, "b");
	CHECK_STR(a, "");
	CHECK_STR(b, "");
	const struct roster_row *next = pace_next(&scene.space->roster, 0);
	CHECK(next == NULL);
	look_and_write(&scene, "picker", "101");
	free(look(&scene, "picker"));
	next = pace_next(&scene.space->roster, 0);
	if (CHECK(next != NULL))
		CHECK_STR(next->name, "a");
	CLEANUP(str_freep) char *second = look(&scene, "b");
	CHECK_STR(second, "");
	look_and_write(&scene, "a", "102");
	free(look(&scene, "a"));
	look_and_write(&scene, "b", "103");
	scene_release(&scene);
}

TEST(a_refused_write_holds_nobody_else_up)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, ALL SERVER("a") SERVER("b"));
	free(look(&scene, "a"));
	struct roster_row *row = roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "a");
	refusal_note(&row->refusal, STATUS_DENIED, "no right to do so", NULL, scene.now.mono_ms, 0);
	row->refusal.reason = REASON_DENIED;
	CLEANUP(str_freep) char *held = look(&scene, "a");
	CHECK_STR(held, "");
	check_row(&scene, "a", WORKLOAD_FAILED, REASON_DENIED);
	look_and_write(&scene, "b", "101");
	free(look(&scene, "b"));
	check_row(&scene, "b", WORKLOAD_INJECTED, REASON_INJECTED);
	/* tried again when the time has come */
	scene.now.mono_ms += 60000;
	CLEANUP(str_freep) char *again = look(&scene, "a");
	CHECK_STR(again,
		  "patch Deployment/a; event Deployment/a Injected; event Tracing/llm-d Injected");
	scene_release(&scene);
}

/* The next one is written when the one before has rolled out, not when it was written. */
TEST(a_rollout_under_way_holds_the_next_one)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, ALL SERVER("a") SERVER("b"));
	look_and_write(&scene, "a", "101");
	cJSON *object = object_parse(store_get(scene.store, RESOURCE_DEPLOYMENT, "team", "a"));
	json_set_int(json_member_mut(object, "metadata"), "generation", 2);
	json_set_str(json_member_mut(object, "metadata"), "resourceVersion", "102");
	scene_put(&scene, object);
	CLEANUP(str_freep) char *rolling = look(&scene, "a");
	CHECK_STR(rolling, "");
	check_row(&scene, "a", WORKLOAD_PENDING, REASON_ROLLING_OUT);
	CLEANUP(str_freep) char *waits = look(&scene, "b");
	CHECK_STR(waits, "");
	check_row(&scene, "b", WORKLOAD_PENDING, REASON_WAITING_FOR_ROLLOUT);
	/* another process begins with what status tells */
	cJSON *rows = roster_status(&scene.space->roster);
	CHECK(json_bool(json_named(rows, "a"), "rolling", false));
	CHECK_INT(json_int(json_named(rows, "b"), "restarts", 0), 1);
	cJSON_Delete(rows);
	/* no progress for an hour and more */
	scene.now.mono_ms += 4000000;
	CLEANUP(str_freep) char *stalled = look(&scene, "a");
	CHECK_STR(stalled, "event Deployment/a Stalled; event Tracing/llm-d Stalled");
	check_row(&scene, "a", WORKLOAD_FAILED, REASON_STALLED);
	CLEANUP(str_freep) char *paused = look(&scene, "b");
	CHECK_STR(paused, "");
	check_row(&scene, "b", WORKLOAD_PENDING, REASON_PAUSED_ON_FAILURE);
	/* it comes up after all */
	json_set_int(json_member_mut(object, "status"), "observedGeneration", 2);
	json_set_str(json_member_mut(object, "metadata"), "resourceVersion", "103");
	scene_put(&scene, object);
	cJSON_Delete(object);
	free(look(&scene, "a"));
	check_row(&scene, "a", WORKLOAD_INJECTED, REASON_INJECTED);
	look_and_write(&scene, "b", "104");
	scene_release(&scene);
}

TEST(what_was_failing_before_is_left_alone)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, ALL SERVER("decode"));
	cJSON *object = object_parse(store_get(scene.store, RESOURCE_DEPLOYMENT, "team", "decode"));
	cJSON *status = json_member_mut(object, "status");
	json_set_int(status, "availableReplicas", 0);
	cJSON *condition = cJSON_CreateObject();
	json_set_str(condition, "type", "Progressing");
	json_set_str(condition, "reason", "ProgressDeadlineExceeded");
	json_set_str(condition, "lastUpdateTime", "2025-12-31T00:00:00Z");
	(void)cJSON_AddItemToArray(json_set_array(status, "conditions"), condition);
	scene_put(&scene, object);
	cJSON_Delete(object);
	CLEANUP(str_freep) char *got = look(&scene, "decode");
	CHECK_STR(got,
		  "event Deployment/decode AlreadyFailing; event Tracing/llm-d AlreadyFailing");
	check_row(&scene, "decode", WORKLOAD_SKIPPED, REASON_ALREADY_FAILING);
	CLEANUP(str_freep) char *quiet = look(&scene, "decode");
	CHECK_STR(quiet, "");
	scene_release(&scene);
}

static void check_waits(struct scene *scene, enum reason reason, const char *event)
{
	CLEANUP(str_freep) char *got = look(scene, "decode");
	CHECK_STR(got, event);
	const struct roster_row *row =
	    roster_find(&scene->space->roster, RESOURCE_DEPLOYMENT, "decode");
	CHECK_STR(reason_info(row->reason)->word, reason_info(reason)->word);
}

/* The hash that a person has to name, as status tells it. */
static char *pending_hash(const struct scene *scene)
{
	cJSON *rows = roster_status(&scene->space->roster);
	const char *hash = json_str(json_named(rows, "decode"), "pendingHash");
	char *copy = xstrdup(hash == NULL ? "" : hash);
	cJSON_Delete(rows);
	return copy;
}

static void annotate(struct scene *scene, const char *version, const char *name, const char *value)
{
	cJSON *object =
	    object_parse(store_get(scene->store, RESOURCE_DEPLOYMENT, "team", "decode"));
	cJSON *metadata = json_member_mut(object, "metadata");
	cJSON *annotations = json_member_mut(metadata, "annotations");
	if (annotations == NULL)
		annotations = json_set_object(metadata, "annotations");
	json_set_str(annotations, name, value);
	json_set_str(metadata, "resourceVersion", version);
	scene_put(scene, object);
	cJSON_Delete(object);
}

TEST(a_person_approves_just_one_plan)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, NS("true") TRACING("{rollout: {policy: OnApproval}}") COLLECTOR("True")
			      POOL SERVER("decode"));
	check_waits(&scene, REASON_WAITING_FOR_APPROVAL, "");
	CLEANUP(str_freep) char *hash = pending_hash(&scene);
	CHECK_INT(strlen(hash), 16);
	annotate(&scene, "111", ANNOTATION_APPROVE, "0123456789abcdef");
	check_waits(&scene, REASON_WAITING_FOR_APPROVAL, "");
	annotate(&scene, "112", ANNOTATION_APPROVE, hash);
	look_and_write(&scene, "decode", "151");
	free(look(&scene, "decode"));
	check_row(&scene, "decode", WORKLOAD_INJECTED, REASON_INJECTED);
	/* other settings are another plan */
	scene_add(&scene, TRACING("{rollout: {policy: OnApproval}, sampling: {ratio: '0.5'}}"));
	check_waits(&scene, REASON_WAITING_FOR_APPROVAL, "");
	/* taking back asks nobody */
	scene_add(&scene, NS("false"));
	look_and_write(&scene, "decode", "152");
	scene_release(&scene);
}

TEST(the_only_server_of_a_role_is_not_taken_away)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, ALL SERVER("decode"));
	cJSON *object = object_parse(store_get(scene.store, RESOURCE_DEPLOYMENT, "team", "decode"));
	json_set_str(json_set_object(json_member_mut(object, "spec"), "strategy"), "type",
		     "Recreate");
	scene_put(&scene, object);
	cJSON_Delete(object);
	check_waits(&scene, REASON_WOULD_EMPTY_ROLE,
		    "event Deployment/decode WouldEmptyRole; event Tracing/llm-d WouldEmptyRole");
	check_waits(&scene, REASON_WOULD_EMPTY_ROLE, "");
	/* it holds nobody else up, and another server of the role is enough */
	scene_add(&scene, SERVER("other-decode"));
	look_and_write(&scene, "other-decode", "160");
	free(look(&scene, "other-decode"));
	CLEANUP(str_freep) char *hash = pending_hash(&scene);
	look_and_write(&scene, "decode", "161");
	free(look(&scene, "decode"));
	/* removal keeps the floor; a person may accept the outage of just that removal */
	roster_drop(&scene.space->roster, RESOURCE_DEPLOYMENT, "other-decode");
	scene_add(&scene, NS("false"));
	check_waits(&scene, REASON_WOULD_EMPTY_ROLE,
		    "event Deployment/decode WouldEmptyRole; event Tracing/llm-d WouldEmptyRole");
	annotate(&scene, "163", ANNOTATION_ACCEPT_OUTAGE, hash);
	check_waits(&scene, REASON_WOULD_EMPTY_ROLE, "");
	CLEANUP(str_freep) char *removal = pending_hash(&scene);
	annotate(&scene, "164", ANNOTATION_ACCEPT_OUTAGE, removal);
	look_and_write(&scene, "decode", "165");
	scene_release(&scene);
}

/* A write of ours whose second half got lost: our entry still holds a list of Helm's container. */
TEST(lost_ownership_is_given_back_later)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, ALL SERVER("decode"));
	look_and_write(&scene, "decode", "101");
	cJSON *object = object_parse(store_get(scene.store, RESOURCE_DEPLOYMENT, "team", "decode"));
	cJSON *managers = NULL;
	struct error err;
	static const char text[] =
	    "[{\"manager\":\"helm\",\"operation\":\"Apply\",\"fieldsV1\":{\"f:spec\":{\"c\":{\"f:"
	    "name\":{}}}}},{\"manager\":\"llmd-tracing\",\"operation\":\"Update\",\"fieldsV1\":{"
	    "\"f:spec\":{\"c\":{\"f:args\":{}}}}}]";
	CHECK_INT(json_parse(text, strlen(text), &managers, &err), STATUS_OK);
	json_set(json_member_mut(object, "metadata"), "managedFields", managers);
	json_set_str(json_member_mut(object, "metadata"), "resourceVersion", "102");
	scene_put(&scene, object);
	cJSON_Delete(object);
	CLEANUP(str_freep) char *got = look(&scene, "decode");
	CHECK_STR(got, "give back Deployment/decode");
	scene_release(&scene);
}

/* A ModelService's base ConfigMap is read first; nothing is planned without it. */
TEST(a_base_config_is_read_before_planning)
{
	struct scene scene;
	struct intents intents;
	scene_init(&scene);
	scene_add(&scene, ALL "apiVersion: llm-d.ai/v1alpha1\nkind: ModelService\nmetadata: {name: "
			      "m}\nspec: {baseConfigMapRef: {name: base}, decode: {containers: "
			      "[{name: vllm}]}}\n");
	CLEANUP(str_freep) char *got = scene_workload(&scene, RESOURCE_MODELSERVICE, "m", &intents);
	CHECK_STR(got, "read ConfigMap/base");
	intents_release(&intents);
	base_configs_put(scene.configs, "team", "base", NULL, 0);
	CLEANUP(str_freep)
	char *then = scene_workload(&scene, RESOURCE_MODELSERVICE, "m", &intents);
	CHECK(strstr(then, "read") == NULL);
	intents_release(&intents);
	scene_release(&scene);
}
