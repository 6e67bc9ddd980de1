/* SPDX-License-Identifier: Apache-2.0 */
#include "serving.h"

#include "base/alloc.h"
#include "controller/loan.h"
#include "inject/patch.h"

#define SEVERAL GPU_SERVER("decode", "generation: 1") GPU_SERVER("other", "generation: 1")
#define WRITES                                                                                     \
	"patch Deployment/decode; event Deployment/decode Injected; event Tracing/llm-d Injected"
#define HELD "event Deployment/decode WouldDeadlock; event Tracing/llm-d WouldDeadlock"

/* One node with so many accelerators, and a survey of it. */
static void add_node(struct survey *survey, const char *gpus)
{
	struct error err;
	CLEANUP(json_freep) cJSON *node = NULL;
	CLEANUP(str_freep)
	char *yaml = xasprintf("{metadata: {name: node-0}, status: {allocatable: {pods: 9, "
			       "nvidia.com/gpu: %s}}}",
			       gpus);
	survey_release(survey);
	CHECK_INT(yaml_read(yaml, strlen(yaml), &node, &err), STATUS_OK);
	survey_add_node(survey, node);
}

static void surveyed(struct scene *scene, struct survey *survey, const char *gpus)
{
	add_node(survey, gpus);
	scene->survey = (struct survey_report){
	    .state = SURVEY_TAKEN, .survey = survey, .at_ms = scene->now.mono_ms};
}

static void check_look(struct scene *scene, const char *intents, enum reason reason)
{
	CLEANUP(str_freep) char *got = look(scene, "decode");
	CHECK_STR(got, intents);
	check_row(scene, "decode", WORKLOAD_PENDING, reason);
}

static bool is_surveying(const struct scene *scene, const char *name)
{
	return roster_find(&scene->space->roster, RESOURCE_DEPLOYMENT, name)->surveying;
}

TEST(who_has_its_turn_asks_for_a_survey)
{
	struct scene scene;
	struct survey survey = {.count = 0};
	scene_init(&scene);
	scene_add(&scene, ALL SEVERAL);
	scene.survey = (struct survey_report){.state = SURVEY_NONE};
	check_look(&scene, "survey", REASON_WAITING_FOR_TURN);
	CHECK(is_surveying(&scene, "decode"));
	/* not the one behind it */
	CLEANUP(str_freep) char *other = look(&scene, "other");
	CHECK_STR(other, "");
	CHECK(!is_surveying(&scene, "other"));
	surveyed(&scene, &survey, "1");
	check_look(&scene, WRITES, REASON_WAITING_FOR_TURN);
	CHECK(!is_surveying(&scene, "decode"));
	survey_release(&survey);
	scene_release(&scene);
}

TEST(no_room_holds_just_this_one)
{
	struct scene scene;
	struct survey survey = {.count = 0};
	scene_init(&scene);
	scene_add(&scene, ALL GPU_SERVER("decode", "generation: 1") SERVER("other"));
	surveyed(&scene, &survey, "0");
	check_look(&scene, HELD, REASON_WOULD_DEADLOCK);
	check_look(&scene, "", REASON_WOULD_DEADLOCK);
	const struct roster_row *row =
	    roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode");
	CHECK(strstr(row->message, "1 nvidia.com/gpu") != NULL);
	CHECK(strstr(row->message, row->consent.pending) != NULL);
	/* another one has its turn; what is held stays held while that is under way */
	look_and_write(&scene, "other", "140");
	check_look(&scene, "", REASON_WOULD_DEADLOCK);
	/* for a while nothing is read again; then it is, and said only when something is new */
	scene.now.mono_ms += SURVEY_HELD_MS;
	check_look(&scene, "", REASON_WOULD_DEADLOCK);
	scene.now.mono_ms += 1;
	check_look(&scene, "survey", REASON_WOULD_DEADLOCK);
	surveyed(&scene, &survey, "0");
	check_look(&scene, "", REASON_WOULD_DEADLOCK);
	/* room that was there a while ago has to be seen once more */
	free(look(&scene, "other"));
	surveyed(&scene, &survey, "1");
	scene.now.mono_ms += SURVEY_FRESH_MS + 1;
	check_look(&scene, "survey", REASON_WOULD_DEADLOCK);
	surveyed(&scene, &survey, "1");
	check_look(&scene, WRITES, REASON_WAITING_FOR_TURN);
	survey_release(&survey);
	scene_release(&scene);
}

static const struct {
	const char *what;
	const char *objects;
	const char *intents;
	enum reason reason;
} ways_out[] = {
    {"no accelerator", SERVER("decode"), WRITES, REASON_WAITING_FOR_TURN},
    {"no replicas",
     "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: decode}\nspec: {replicas: 0, "
     "template: {metadata: {labels: {app: vllm}}, spec: {containers: [{name: modelserver, image: "
     "'vllm/vllm-openai:v0.23.0', command: [vllm, serve], args: [m], resources: {limits: "
     "{nvidia.com/gpu: 1}}}]}}}\nstatus: {observedGeneration: 1}\n---\n",
     WRITES, REASON_WAITING_FOR_TURN},
    {"the next change is waited for",
     TRACING("{rollout: {policy: OnNextChange}}") GPU_SERVER("decode", "generation: 1"), "",
     REASON_WAITING_FOR_CHANGE},
};

TEST(ways_out_without_a_survey)
{
	for (size_t i = 0; i < ARRAY_LEN(ways_out); i++) {
		struct scene scene;
		scene_init(&scene);
		scene_add(&scene, ALL);
		scene_add(&scene, ways_out[i].objects);
		scene.survey = (struct survey_report){.state = SURVEY_NONE};
		check_look(&scene, ways_out[i].intents, ways_out[i].reason);
		scene_release(&scene);
	}
}

static cJSON *stored(const struct scene *scene)
{
	return object_parse(store_get(scene->store, RESOURCE_DEPLOYMENT, "team", "decode"));
}

TEST(a_strategy_that_takes_away_first_needs_no_room)
{
	struct scene scene;
	struct survey survey = {.count = 0};
	scene_init(&scene);
	scene_add(&scene, ALL TRACING("{rollout: {minReadyPerRole: 0}}")
			      GPU_SERVER("decode", "generation: 1"));
	surveyed(&scene, &survey, "0");
	check_look(&scene, HELD, REASON_WOULD_DEADLOCK);
	cJSON *object = stored(&scene);
	cJSON *strategy = json_set_object(json_member_mut(object, "spec"), "strategy");
	json_set_int(json_set_object(strategy, "rollingUpdate"), "maxUnavailable", 1);
	scene_put(&scene, object);
	cJSON_Delete(object);
	check_look(&scene, WRITES, REASON_WAITING_FOR_TURN);
	survey_release(&survey);
	scene_release(&scene);
}

TEST(a_word_of_a_person_lets_it_through)
{
	struct scene scene;
	struct survey survey = {.count = 0};
	scene_init(&scene);
	scene_add(&scene, ALL GPU_SERVER("decode", "generation: 1"));
	surveyed(&scene, &survey, "0");
	check_look(&scene, HELD, REASON_WOULD_DEADLOCK);
	cJSON *object = stored(&scene);
	cJSON *annotations = json_set_object(json_member_mut(object, "metadata"), "annotations");
	const struct roster_row *row =
	    roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode");
	json_set_str(annotations, ANNOTATION_ACCEPT_OUTAGE, row->consent.pending);
	scene_put(&scene, object);
	cJSON_Delete(object);
	check_look(&scene, WRITES, REASON_WAITING_FOR_TURN);
	survey_release(&survey);
	scene_release(&scene);
}

TEST(taking_back_is_held_too)
{
	struct scene scene;
	struct survey survey = {.count = 0};
	scene_init(&scene);
	scene_add(&scene, ALL GPU_SERVER("decode", "generation: 1"));
	look_and_write(&scene, "decode", "101");
	free(look(&scene, "decode"));
	scene_add(&scene, NS("false"));
	surveyed(&scene, &survey, "0");
	check_look(&scene, HELD, REASON_WOULD_DEADLOCK);
	survey_release(&survey);
	scene_release(&scene);
}

TEST(nodes_that_may_not_be_read_warn_and_hold_nothing)
{
	struct scene scene;
	scene_init(&scene);
	scene_add(&scene, ALL GPU_SERVER("decode", "generation: 1"));
	scene.survey = (struct survey_report){.state = SURVEY_UNKNOWN,
					      .at_ms = scene.now.mono_ms + 1,
					      .why = "nodes cannot be read: forbidden"};
	look_and_write(&scene, "decode", "101");
	cJSON *object = stored(&scene);
	json_set_int(json_member_mut(object, "metadata"), "generation", 2);
	scene_put(&scene, object);
	cJSON_Delete(object);
	free(look(&scene, "decode"));
	check_row(&scene, "decode", WORKLOAD_PENDING, REASON_ROLLING_OUT);
	CHECK_STR(roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode")->message,
		  "1 pods are being replaced; whether new ones find room is not known: nodes "
		  "cannot be read: forbidden");
	scene_release(&scene);
}

#define STRATEGY "spec.strategy.rollingUpdate.maxUnavailable"
#define LENDS                                                                                      \
	ALL TRACING("{rollout: {minReadyPerRole: 0, allowStrategyOverride: true}}")                \
	    GPU_SERVER("decode", "generation: 1")

/* Carries out the one patch that a look wants; false when it wants none. */
static bool look_and_patch(struct scene *scene, const char *version)
{
	struct intents intents;
	struct error err;
	free(scene_workload(scene, RESOURCE_DEPLOYMENT, "decode", &intents));
	size_t i = 0;
	while (i < intents.count && intents.items[i].type != INTENT_PATCH)
		i++;
	bool patches = i < intents.count;
	if (patches) {
		CLEANUP(json_freep) cJSON *object = stored(scene);
		CHECK_INT(patch_apply(object, intents.items[i].body, &err), STATUS_OK);
		json_set_str(json_member_mut(object, "metadata"), "resourceVersion", version);
		scene_put(scene, object);
	}
	intents_release(&intents);
	return patches;
}

static void set_unavailable(struct scene *scene, cJSON *value)
{
	CLEANUP(json_freep) cJSON *object = stored(scene);
	cJSON *strategy = json_set_object(json_member_mut(object, "spec"), "strategy");
	json_set(json_set_object(strategy, "rollingUpdate"), "maxUnavailable", value);
	scene_put(scene, object);
}

static void set_generation(struct scene *scene, long generation, long observed)
{
	CLEANUP(json_freep) cJSON *object = stored(scene);
	json_set_int(json_member_mut(object, "metadata"), "generation", generation);
	json_set_int(json_member_mut(object, "status"), "observedGeneration", observed);
	scene_put(scene, object);
}

static void check_strategy(struct scene *scene, const char *value, bool lent)
{
	CLEANUP(json_freep) cJSON *object = stored(scene);
	CLEANUP(str_freep) char *text = json_to_string(json_get(object, STRATEGY));
	CHECK_STR(text, value);
	CHECK_INT(loan_is_open(object), lent);
}

TEST(a_strategy_is_lent_for_one_rollout)
{
	struct scene scene;
	struct survey survey = {.count = 0};
	scene_init(&scene);
	scene_add(&scene, LENDS);
	set_unavailable(&scene, cJSON_CreateString("25%"));
	surveyed(&scene, &survey, "0");
	CHECK(look_and_patch(&scene, "101"));
	check_strategy(&scene, "1", true);
	set_generation(&scene, 2, 1);
	CHECK(!look_and_patch(&scene, ""));
	check_strategy(&scene, "1", true);
	/* another process finds the rollout through */
	roster_drop(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode");
	set_generation(&scene, 2, 2);
	CHECK(look_and_patch(&scene, "102"));
	check_strategy(&scene, "\"25%\"", false);
	check_row(&scene, "decode", WORKLOAD_INJECTED, REASON_INJECTED);
	CHECK(!look_and_patch(&scene, ""));
	/* and for taking back */
	scene_add(&scene, NS("false"));
	surveyed(&scene, &survey, "0");
	CHECK(look_and_patch(&scene, "103"));
	check_strategy(&scene, "1", true);
	set_generation(&scene, 3, 3);
	CHECK(look_and_patch(&scene, "104"));
	check_strategy(&scene, "\"25%\"", false);
	CLEANUP(json_freep) cJSON *object = stored(&scene);
	CHECK(json_member(json_get(object, "metadata.annotations"), ANNOTATION_LEDGER) == NULL);
	survey_release(&survey);
	scene_release(&scene);
}

/* `kubectl rollout undo` takes template and annotations back, and leaves the strategy. */
TEST(what_was_lent_outlasts_an_undo)
{
	struct scene scene;
	struct survey survey = {.count = 0};
	scene_init(&scene);
	scene_add(&scene, LENDS);
	set_unavailable(&scene, cJSON_CreateString("25%"));
	surveyed(&scene, &survey, "0");
	CLEANUP(json_freep) cJSON *before = stored(&scene);
	CHECK(look_and_patch(&scene, "101"));
	set_generation(&scene, 2, 1);
	CHECK(!look_and_patch(&scene, ""));
	/* another process knows it from the status */
	cJSON *rows = roster_status(&scene.space->roster);
	roster_drop(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode");
	roster_load(&scene.space->roster, rows);
	cJSON_Delete(rows);
	scene_put(&scene, before);
	set_unavailable(&scene, cJSON_CreateNumber(1));
	set_generation(&scene, 3, 2);
	CHECK(!look_and_patch(&scene, ""));
	set_generation(&scene, 3, 3);
	CHECK(look_and_patch(&scene, "102"));
	check_strategy(&scene, "\"25%\"", false);
	(void)look_and_patch(&scene, "103");
	CHECK(roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode")->lent == NULL);
	survey_release(&survey);
	scene_release(&scene);
}

TEST(a_return_that_is_refused_waits_like_any_write)
{
	struct scene scene;
	struct survey survey = {.count = 0};
	scene_init(&scene);
	scene_add(&scene, LENDS);
	set_unavailable(&scene, cJSON_CreateString("25%"));
	surveyed(&scene, &survey, "0");
	CHECK(look_and_patch(&scene, "101"));
	set_generation(&scene, 2, 2);
	struct roster_row *row = roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode");
	refusal_note(&row->refusal, STATUS_DENIED, "no right to do so", NULL, scene.now.mono_ms, 0);
	row->refusal.reason = REASON_DENIED;
	for (int i = 0; i < 2; i++) {
		CHECK(!look_and_patch(&scene, ""));
		check_row(&scene, "decode", WORKLOAD_FAILED, REASON_DENIED);
	}
	scene.now.mono_ms = row->refusal.retry_at_ms;
	CHECK(look_and_patch(&scene, "102"));
	check_strategy(&scene, "\"25%\"", false);
	CHECK(!look_and_patch(&scene, ""));
	check_row(&scene, "decode", WORKLOAD_INJECTED, REASON_INJECTED);
	survey_release(&survey);
	scene_release(&scene);
}

TEST(what_somebody_else_made_of_it_stays)
{
	struct scene scene;
	struct survey survey = {.count = 0};
	scene_init(&scene);
	scene_add(&scene, LENDS);
	set_unavailable(&scene, cJSON_CreateString("0%"));
	surveyed(&scene, &survey, "0");
	CHECK(look_and_patch(&scene, "101"));
	set_unavailable(&scene, cJSON_CreateNumber(0));
	set_generation(&scene, 2, 2);
	CHECK(look_and_patch(&scene, "102"));
	check_strategy(&scene, "0", false);
	survey_release(&survey);
	scene_release(&scene);
}

TEST(the_floor_holds_with_the_strategy_that_would_be_lent)
{
	struct scene scene;
	struct survey survey = {.count = 0};
	scene_init(&scene);
	scene_add(&scene, ALL TRACING("{rollout: {allowStrategyOverride: true}}")
			      GPU_SERVER("decode", "generation: 1"));
	set_unavailable(&scene, cJSON_CreateString("25%"));
	surveyed(&scene, &survey, "0");
	check_look(&scene,
		   "event Deployment/decode WouldEmptyRole; event Tracing/llm-d "
		   "WouldEmptyRole",
		   REASON_WOULD_EMPTY_ROLE);
	check_look(&scene, "", REASON_WOULD_EMPTY_ROLE);
	check_strategy(&scene, "\"25%\"", false);
	/* nodes get room without anybody's telling: it is looked for again */
	struct intents intents;
	free(scene_workload(&scene, RESOURCE_DEPLOYMENT, "decode", &intents));
	CHECK_INT(intents.again_ms, SURVEY_HELD_MS + 1000);
	intents_release(&intents);
	scene.now.mono_ms += SURVEY_HELD_MS + 1;
	check_look(&scene, "survey", REASON_WOULD_EMPTY_ROLE);
	surveyed(&scene, &survey, "1");
	check_look(&scene, WRITES, REASON_WAITING_FOR_TURN);
	survey_release(&survey);
	scene_release(&scene);
}
